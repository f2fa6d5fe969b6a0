package fsck

// ParseConfig is the door to the parser, which git config --list is compared with.
var ParseConfig = parseConfig
