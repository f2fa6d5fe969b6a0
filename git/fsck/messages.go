package fsck

// message is an entry of git's list of findings. Those about trees come first,
// in the order in which git reports them.
type message uint8

const (
	badTree message = iota
	gitmodulesSymlink
	gitattributesSymlink
	gitignoreSymlink
	mailmapSymlink
	nullSha1
	fullPathname
	emptyName
	hasDot
	hasDotdot
	hasDotgit
	zeroPaddedFilemode
	badFilemode
	duplicateEntries
	treeNotSorted
	largePathname
	tooManySpecialBlobs
	endOfTreeMessages

	unknownType
	nulInHeader
	unterminatedHeader
	headerLarge
	missingTree
	badTreeSha1
	badParentSha1
	tooManyParents
	missingAuthor
	multipleAuthors
	missingCommitter
	nulInCommit
	missingNameBeforeEmail
	missingEmail
	badName
	missingSpaceBeforeEmail
	badEmail
	missingSpaceBeforeDate
	badDate
	zeroPaddedDate
	badDateOverflow
	badTimezone
	missingObject
	badObjectSha1
	missingTypeEntry
	badType
	missingTagEntry
	badTagName
	missingTaggerEntry
	gitmodulesMissing
	gitmodulesBlob
	gitmodulesLarge
	gitmodulesName
	gitmodulesURL
	gitmodulesPath
	gitmodulesUpdate
	gitmodulesParse
	gitattributesMissing
	gitattributesBlob
	gitattributesLarge
	gitattributesLineLength
	endOfMessages
)

// A findings.seen has a bit for each.
var _ [64 - endOfMessages]struct{}

// messages gives each its id and severity, which are git's (headerLarge and tooMany… are ours),
// and the words that say what is wrong. Git knows more: badGpgsig,
// badHeaderContinuation, missingTag and missingType cannot happen to an object
// whose headers are terminated; extraHeaderEntry is ignored by default; the
// ids about refs are about files of a repository.
var messages = [endOfMessages]struct {
	id       string
	severity Severity
	text     string
}{
	badTree:              {"badTree", Error, "cannot be parsed as a tree"},
	gitmodulesSymlink:    {"gitmodulesSymlink", Error, ".gitmodules is a symbolic link"},
	gitattributesSymlink: {"gitattributesSymlink", Info, ".gitattributes is a symbolic link"},
	gitignoreSymlink:     {"gitignoreSymlink", Info, ".gitignore is a symbolic link"},
	mailmapSymlink:       {"mailmapSymlink", Info, ".mailmap is a symbolic link"},
	nullSha1:             {"nullSha1", Warning, "contains entries pointing to the null id"},
	fullPathname:         {"fullPathname", Warning, "contains an entry with a slash in its name"},
	emptyName:            {"emptyName", Warning, "contains an entry without a name"},
	hasDot:               {"hasDot", Warning, "contains '.'"},
	hasDotdot:            {"hasDotdot", Warning, "contains '..'"},
	hasDotgit:            {"hasDotgit", Warning, "contains '.git'"},
	zeroPaddedFilemode:   {"zeroPaddedFilemode", Warning, "contains zero-padded file modes"},
	badFilemode:          {"badFilemode", Info, "contains bad file modes"},
	duplicateEntries:     {"duplicateEntries", Error, "contains duplicate entries"},
	treeNotSorted:        {"treeNotSorted", Error, "not properly sorted"},
	largePathname:        {"largePathname", Warning, "contains an entry with a very long name"},
	tooManySpecialBlobs:  {"tooManySpecialBlobs", Error, "too many different .gitmodules and .gitattributes"},

	unknownType:             {"unknownType", Error, "unknown type"},
	nulInHeader:             {"nulInHeader", Error, "NUL in the header"},
	unterminatedHeader:      {"unterminatedHeader", Error, "the header does not end in a line feed"},
	missingTree:             {"missingTree", Error, "expected a 'tree' line"},
	badTreeSha1:             {"badTreeSha1", Error, "the 'tree' line holds no id"},
	badParentSha1:           {"badParentSha1", Error, "a 'parent' line holds no id"},
	headerLarge:             {"headerLarge", Error, "header too large to parse"},
	tooManyParents:          {"tooManyParents", Error, "too many parents"},
	missingAuthor:           {"missingAuthor", Error, "expected an 'author' line"},
	multipleAuthors:         {"multipleAuthors", Error, "more than one 'author' line"},
	missingCommitter:        {"missingCommitter", Error, "expected a 'committer' line"},
	nulInCommit:             {"nulInCommit", Warning, "NUL in the message"},
	missingNameBeforeEmail:  {"missingNameBeforeEmail", Error, "no name before the address"},
	missingEmail:            {"missingEmail", Error, "no address"},
	badName:                 {"badName", Error, "'>' in a name"},
	missingSpaceBeforeEmail: {"missingSpaceBeforeEmail", Error, "no space before the address"},
	badEmail:                {"badEmail", Error, "an address does not end"},
	missingSpaceBeforeDate:  {"missingSpaceBeforeDate", Error, "no space before the date"},
	badDate:                 {"badDate", Error, "the date is no number"},
	zeroPaddedDate:          {"zeroPaddedDate", Error, "the date is padded with zeros"},
	badDateOverflow:         {"badDateOverflow", Error, "the date is out of range"},
	badTimezone:             {"badTimezone", Error, "bad time zone"},
	missingObject:           {"missingObject", Error, "expected an 'object' line"},
	badObjectSha1:           {"badObjectSha1", Error, "the 'object' line holds no id"},
	missingTypeEntry:        {"missingTypeEntry", Error, "expected a 'type' line"},
	badType:                 {"badType", Error, "the 'type' line names no kind of object"},
	missingTagEntry:         {"missingTagEntry", Error, "expected a 'tag' line"},
	badTagName:              {"badTagName", Info, "the tag's name is not fit for a ref"},
	missingTaggerEntry:      {"missingTaggerEntry", Info, "expected a 'tagger' line"},

	gitmodulesMissing:       {"gitmodulesMissing", Error, ".gitmodules blob is not there"},
	gitmodulesBlob:          {"gitmodulesBlob", Error, ".gitmodules is no blob"},
	gitmodulesLarge:         {"gitmodulesLarge", Error, ".gitmodules is too large"},
	gitmodulesName:          {"gitmodulesName", Error, "disallowed submodule name"},
	gitmodulesURL:           {"gitmodulesUrl", Error, "disallowed submodule url"},
	gitmodulesPath:          {"gitmodulesPath", Error, "disallowed submodule path"},
	gitmodulesUpdate:        {"gitmodulesUpdate", Error, "disallowed submodule update setting"},
	gitmodulesParse:         {"gitmodulesParse", Info, ".gitmodules cannot be parsed"},
	gitattributesMissing:    {"gitattributesMissing", Error, ".gitattributes blob is not there"},
	gitattributesBlob:       {"gitattributesBlob", Error, ".gitattributes is no blob"},
	gitattributesLarge:      {"gitattributesLarge", Error, ".gitattributes is too large"},
	gitattributesLineLength: {"gitattributesLineLength", Error, ".gitattributes has too long lines"},
}
