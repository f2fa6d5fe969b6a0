package fsck

import "unicode/utf8"

// The names that git gives a meaning to, in every spelling that some file
// system takes for them. HFS+ leaves certain code points out of comparisons.
// NTFS ignores dots and spaces at the end, takes what follows a colon for a
// stream, and knows each file by a short name as well ("GIT~1", "GI7EBA~1").
// Neither cares about case.

// dotName is one such name.
type dotName struct {
	name   string // without the dot
	hashed string // the first six bytes of the short names NTFS gives when "name~4" is taken
}

var (
	dotGitmodules    = dotName{"gitmodules", "gi7eba"}
	dotGitattributes = dotName{"gitattributes", "gi7d29"}
	dotGitignore     = dotName{"gitignore", "gi250a"}
	dotMailmap       = dotName{"mailmap", "maba30"}
)

func (d dotName) matches(name []byte) bool { return hfsDot(name, d.name) || d.ntfs(name) }

func hfsDotGit(name []byte) bool { return hfsDot(name, "git") }

// hfsDot reports whether HFS+ takes name for "." and lower.
func hfsDot(name []byte, lower string) bool {
	r, name := nextHFS(name)
	if r != '.' {
		return false
	}
	for i := range len(lower) {
		r, name = nextHFS(name)
		if r > 127 || toLower(byte(r)) != lower[i] {
			return false
		}
	}
	r, _ = nextHFS(name)
	return r == 0 || r == '/'
}

// nextHFS returns the first code point that HFS+ does not ignore, 0 at the end
// and where name is no UTF-8: git takes that for an end, and so do we.
func nextHFS(name []byte) (r rune, rest []byte) {
	for len(name) > 0 {
		r, size := utf8.DecodeRune(name)
		name = name[size:]
		switch {
		case r == utf8.RuneError && size == 1, r == 0xfffe, r == 0xffff:
			return 0, nil
		case 0x200c <= r && r <= 0x200f: // zero-width joiners and direction marks
		case 0x202a <= r && r <= 0x202e: // embeddings and overrides
		case 0x206a <= r && r <= 0x206f: // shaping
		case r == 0xfeff: // zero-width no-break space
		default:
			return r, name
		}
	}
	return 0, nil
}

// ntfsDotGit reports whether NTFS takes name, or what it has before a
// directory separator, for ".git".
func ntfsDotGit(name []byte) bool {
	n := 4
	if !hasPrefixFold(name, ".git") {
		n = 5
		if !hasPrefixFold(name, "git~1") {
			return false
		}
	}
	for _, c := range name[n:] {
		switch c {
		case '/', '\\', ':':
			return true
		case '.', ' ':
		default:
			return false
		}
	}
	return true
}

// ntfs reports whether NTFS takes name for d.
func (d dotName) ntfs(name []byte) bool {
	if len(name) > 0 && name[0] == '.' && hasPrefixFold(name[1:], d.name) {
		return ntfsEnds(name[1+len(d.name):])
	}
	// The first six letters and a number up to 4.
	if hasPrefixFold(name, d.name[:6]) && byteAt(name, 6) == '~' && '1' <= byteAt(name, 7) && byteAt(name, 7) <= '4' {
		return ntfsEnds(name[8:])
	}
	// Eight characters: some of hashed, a tilde, a number without a leading zero.
	tilde := false
	for i := 0; i < 8; i++ {
		c := byteAt(name, i)
		switch {
		case c == 0:
			return false
		case tilde:
			if !isDigit(c) {
				return false
			}
		case c == '~':
			i++
			if c = byteAt(name, i); c < '1' || c > '9' {
				return false
			}
			tilde = true
		case i >= 6 || toLower(c) != d.hashed[i]:
			return false
		}
	}
	return ntfsEnds(name[8:])
}

// ntfsEnds reports whether NTFS ignores tail.
func ntfsEnds(tail []byte) bool {
	for _, c := range tail {
		switch c {
		case ':':
			return true
		case '.', ' ':
		default:
			return false
		}
	}
	return true
}

// hasPrefixFold reports whether b starts with lower, whatever the case of its
// ASCII letters.
func hasPrefixFold(b []byte, lower string) bool {
	if len(b) < len(lower) {
		return false
	}
	for i := range len(lower) {
		if toLower(b[i]) != lower[i] {
			return false
		}
	}
	return true
}

func toLower(c byte) byte {
	if 'A' <= c && c <= 'Z' {
		return c + 'a' - 'A'
	}
	return c
}
