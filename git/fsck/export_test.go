package fsck

// ParseConfig is the door to the parser, which git config --list is compared
// with. It gives each setting by its full name.
func ParseConfig(data []byte, emit func(name, value string)) error {
	return parseConfig(data, func(s *section, key, value string) {
		name := key
		if s.name != "" {
			name = s.name + "." + key
		}
		emit(name, value)
	})
}
