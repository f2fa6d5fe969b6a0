package fsck

import (
	"fmt"
	"strings"
)

// parseConfig reads a file in git's configuration format, git-config(1), as git
// does down to its oddities, and gives each setting to emit: its section, its
// key, and the value, empty where there is none. It returns an error where the
// syntax breaks, having emitted what came before.
func parseConfig(data []byte, emit func(s *section, key, value string)) error {
	p := parser{data: data, line: 1, section: new(section)}
	if !p.file(emit) {
		return fmt.Errorf("bad config line %d", p.line)
	}
	return nil
}

// section is what one header begins. Its settings share it, since a name may be
// as long as the file, and have as many settings.
type section struct {
	name string // "section" or "section.SubSection"
	// key is that of all its settings where the subsection has a NUL, behind
	// which git sees nothing: what stands between the last dot and the NUL.
	key string
	cut bool // key holds
}

// newSection returns the section of a name.
func newSection(name []byte) *section {
	s := new(section)
	if s.name, _, s.cut = strings.Cut(string(name), "\x00"); s.cut {
		dot := strings.LastIndexByte(s.name, '.') // there is one: only subsections have NULs
		s.name, s.key = s.name[:dot], s.name[dot+1:]
	}
	return s
}

// parser is a machine over bytes with a single state beside the position: the
// section it is in.
type parser struct {
	data    []byte
	at      int
	line    int
	end     bool // next has passed the end
	section *section
}

// next returns the next byte. The end is a line feed, and so is CR LF.
func (p *parser) next() byte {
	if p.at >= len(p.data) {
		p.end = true
		return '\n'
	}
	c := p.data[p.at]
	p.at++
	if c == '\r' && p.at < len(p.data) && p.data[p.at] == '\n' {
		c = '\n'
		p.at++
	}
	if c == '\n' {
		p.line++
	}
	return c
}

func (p *parser) file(emit func(s *section, key, value string)) bool {
	const mark = "\xef\xbb\xbf" // Notepad's
	if strings.HasPrefix(string(p.data[:min(len(p.data), 3)]), mark) {
		p.at = 3
	}
	for comment := false; ; {
		c := p.next()
		switch {
		case c == '\n':
			if p.end {
				return true
			}
			comment = false
		case comment || isSpace(c):
		case c == '#' || c == ';':
			comment = true
		case c == '[':
			if !p.header() {
				return false
			}
		case isLetter(c):
			if !p.setting(c, emit) {
				return false
			}
		default:
			return false
		}
	}
}

// header reads what follows "[" up to "]".
func (p *parser) header() bool {
	var name []byte
	for {
		c := p.next()
		switch {
		case p.end:
			return false
		case c == ']':
			p.section = newSection(name)
			return len(name) > 0
		case isSpace(c):
			return p.subsection(name, c)
		case isKeyByte(c) || c == '.':
			name = append(name, toLower(c))
		default:
			return false
		}
	}
}

// subsection reads `"SubSection"]` after the section's name and the white space c.
func (p *parser) subsection(name []byte, c byte) bool {
	for isSpace(c) {
		if c == '\n' {
			return false
		}
		c = p.next()
	}
	if c != '"' {
		return false
	}
	name = append(name, '.')
	for {
		switch c = p.next(); c {
		case '\n':
			return false
		case '"':
			p.section = newSection(name)
			return p.next() == ']'
		case '\\':
			if c = p.next(); c == '\n' {
				return false
			}
		}
		name = append(name, c)
	}
}

// setting reads "key = value" or "key" after the first letter of the key.
func (p *parser) setting(c byte, emit func(s *section, key, value string)) bool {
	name := []byte{toLower(c)}
	for {
		c = p.next()
		if p.end || !isKeyByte(c) {
			break
		}
		name = append(name, toLower(c))
	}
	for c == ' ' || c == '\t' {
		c = p.next()
	}
	key := p.section.key
	if !p.section.cut {
		key = string(name)
	}
	if c == '\n' {
		emit(p.section, key, "")
		return true
	}
	if c != '=' {
		return false
	}
	value, ok := p.value()
	if ok {
		emit(p.section, key, cString(value))
	}
	return ok
}

// value reads to the end of the line, or beyond it where a backslash says so.
func (p *parser) value() (value []byte, ok bool) {
	quoted, comment := false, false
	trim := -1 // where white space at the end starts
	for {
		c := p.next()
		switch {
		case c == '\n':
			if trim >= 0 {
				value = value[:trim]
			}
			return value, !quoted
		case comment:
			continue
		case isSpace(c) && !quoted:
			if trim < 0 {
				trim = len(value)
			}
			if len(value) > 0 {
				value = append(value, c)
			}
			continue
		case !quoted && (c == ';' || c == '#'):
			comment = true
			continue
		}
		trim = -1
		switch c {
		case '"':
			quoted = !quoted
			continue
		case '\\':
			switch c = p.next(); c {
			case '\n':
				continue
			case 't':
				c = '\t'
			case 'b':
				c = '\b'
			case 'n':
				c = '\n'
			case '\\', '"':
			default:
				return nil, false
			}
		}
		value = append(value, c)
	}
}

// cString is b up to a NUL, which is all that git sees of it.
func cString(b []byte) string {
	s, _, _ := strings.Cut(string(b), "\x00")
	return s
}

func isSpace(c byte) bool { return c == ' ' || c == '\t' || c == '\n' || c == '\r' }

func isKeyByte(c byte) bool { return isLetter(c) || isDigit(c) || c == '-' }
