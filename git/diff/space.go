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
func isSpace(c byte) bool { return c <= ' ' && 1<<c&(1<<' '|1<<'\t'|1<<'\n'|1<<'\r') != 0 }

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
		return appendWords(dst, trimRight(line), " ")
	case IgnoreAllSpace:
		return appendWords(dst, line, "")
	}
	return append(dst, line...)
}

// appendWords appends a line with each run of white space replaced.
func appendWords(dst, line []byte, space string) []byte {
	for i := 0; i < len(line); {
		start := i
		for i < len(line) && !isSpace(line[i]) {
			i++
		}
		dst = append(dst, line[start:i]...)
		if start = i; i < len(line) {
			for i < len(line) && isSpace(line[i]) {
				i++
			}
			dst = append(dst, space...)
		}
	}
	return dst
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
