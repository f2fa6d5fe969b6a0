package diff

// AppendQuoted appends a path as git prints it: as it is, or, if a byte of it is
// a quote, a backslash, a control character or not ASCII, in quotes with those
// escaped as in C.
func AppendQuoted(dst []byte, path string) []byte { return appendQuoted(dst, "", path) }

// appendQuoted quotes prefix and path as one.
func appendQuoted(dst []byte, prefix, path string) []byte {
	if !mustQuote(prefix) && !mustQuote(path) {
		return append(append(dst, prefix...), path...)
	}
	dst = append(dst, '"')
	dst = appendEscaped(dst, prefix)
	dst = appendEscaped(dst, path)
	return append(dst, '"')
}

func mustQuote(s string) bool {
	for i := range len(s) {
		if isEscaped(s[i]) {
			return true
		}
	}
	return false
}

func isEscaped(c byte) bool { return c < ' ' || c >= 0x7f || c == '"' || c == '\\' }

func appendEscaped(dst []byte, s string) []byte {
	for i := range len(s) {
		c := s[i]
		if !isEscaped(c) {
			dst = append(dst, c)
			continue
		}
		dst = append(dst, '\\')
		switch {
		case c >= '\a' && c <= '\r':
			dst = append(dst, "abtnvfr"[c-'\a'])
		case c == '"' || c == '\\':
			dst = append(dst, c)
		default:
			dst = append(dst, '0'+c>>6, '0'+c>>3&7, '0'+c&7)
		}
	}
	return dst
}
