package diff

import "bytes"

// Whitespace says which differences in white space make no difference. Each
// mode ignores what those before it ignore.
type Whitespace uint8

const (
	ExactSpace        Whitespace = iota
	IgnoreCRAtEOL                // --ignore-cr-at-eol
	IgnoreSpaceAtEOL             // --ignore-space-at-eol
	IgnoreSpaceChange            // -b, --ignore-space-change
	IgnoreAllSpace               // -w, --ignore-all-space
)

// isSpace is git's isspace, which knows four.
func isSpace(c byte) bool { return c == ' ' || c == '\t' || c == '\n' || c == '\r' }

// appendKey appends what of a line is compared.
func (s Whitespace) appendKey(dst, line []byte) []byte {
	switch s {
	case IgnoreCRAtEOL:
		if body, ok := bytes.CutSuffix(line, newline); ok {
			line = bytes.TrimSuffix(body, []byte("\r"))
		}
		return append(dst, line...)
	case IgnoreSpaceAtEOL:
		return append(dst, trimRight(line)...)
	case IgnoreSpaceChange:
		line = trimRight(line)
		for i, c := range line {
			if !isSpace(c) {
				dst = append(dst, c)
			} else if i == 0 || !isSpace(line[i-1]) {
				dst = append(dst, ' ')
			}
		}
		return dst
	case IgnoreAllSpace:
		for _, c := range line {
			if !isSpace(c) {
				dst = append(dst, c)
			}
		}
		return dst
	}
	return append(dst, line...)
}

// trimRight cuts white space off the end.
func trimRight(line []byte) []byte {
	for len(line) > 0 && isSpace(line[len(line)-1]) {
		line = line[:len(line)-1]
	}
	return line
}

// isBlank reports whether --ignore-blank-lines takes a line for blank, which
// depends on what else is ignored.
func (s Whitespace) isBlank(line []byte) bool {
	if s == ExactSpace {
		return len(line) <= 1
	}
	return len(trimRight(line)) == 0
}
