package history

import (
	"bytes"
	"strings"
)

// patternList is a file in the form of gitignore(5), as a sparse checkout has
// it, compiled into one program. All patterns are run at once over a path, one
// byte after the other, keeping the set of places in the program that the
// patterns may have come to: the time is bounded by the sizes of the path and
// of the patterns, however many stars are in them.
type patternList struct {
	program  []token
	classes  []class
	patterns []pattern
	// Where patterns start: those that are matched with a whole path, and those
	// without a slash, which are matched with the last name alone.
	anchored, anywhere []uint32
}

type pattern struct {
	negative bool // "!": what it matches is left out
	dirOnly  bool // "/" at the end
}

// token is one instruction. The next one is the one behind it.
type token struct {
	op  tokenOp
	arg uint32
}

type tokenOp uint8

const (
	opByte  tokenOp = iota // the byte arg
	opAny                  // any byte but a slash
	opClass                // a byte of classes[arg], no slash
	opStar                 // any number of bytes but slashes
	opDeep                 // "**/": either none, which skips opLoop and the slash, or
	opLoop                 // any number of bytes
	opEnd                  // pattern arg matches if the path ends here
	opFail                 // never matches: malformed
)

// class is a set of bytes.
type class [4]uint64

func (c *class) add(from, to byte) {
	for b := int(from); b <= int(to); b++ {
		c[b/64] |= 1 << (b % 64)
	}
}

func (c *class) has(b byte) bool { return c[b/64]>>(b%64)&1 != 0 }

// parsePatterns never fails: as in git, a malformed pattern matches nothing.
func parsePatterns(data []byte) *patternList {
	l := new(patternList)
	data = bytes.TrimPrefix(data, []byte("\ufeff"))
	for len(data) > 0 {
		line, rest, _ := bytes.Cut(data, []byte("\n"))
		data = rest
		if len(line) == 0 || line[0] == '#' {
			continue
		}
		line = bytes.TrimSuffix(line, []byte("\r"))
		line, _, _ = bytes.Cut(line, []byte{0})
		l.add(string(trimBlanks(line)))
	}
	return l
}

// trimBlanks cuts the blanks at the end, but none behind a backslash.
func trimBlanks(line []byte) []byte {
	end := 0
	for i := 0; i < len(line); i++ {
		if line[i] == '\\' {
			i++
		} else if line[i] == ' ' {
			continue
		}
		end = min(i+1, len(line))
	}
	return line[:end]
}

// add compiles one pattern.
func (l *patternList) add(text string) {
	var p pattern
	text, p.negative = strings.CutPrefix(text, "!")
	text, p.dirOnly = strings.CutSuffix(text, "/")
	start := uint32(len(l.program))
	if strings.Contains(text, "/") {
		l.anchored = append(l.anchored, start)
		l.compile(strings.TrimPrefix(text, "/"), true)
	} else {
		l.anywhere = append(l.anywhere, start)
		l.compile(text, false)
	}
	l.emit(opEnd, uint32(len(l.patterns)))
	l.patterns = append(l.patterns, p)
}

func (l *patternList) emit(op tokenOp, arg uint32) {
	l.program = append(l.program, token{op, arg})
}

// compile emits the tokens of a pattern. deep is whether "**" between slashes
// matches slashes.
func (l *patternList) compile(p string, deep bool) {
	for i := 0; i < len(p); i++ {
		switch p[i] {
		case '?':
			l.emit(opAny, 0)
		case '*':
			next := i + 1
			for next < len(p) && p[next] == '*' {
				next++
			}
			l.stars(p, i, next, deep)
			i = next - 1
		case '[':
			set, next, ok := parseClass(p, i+1)
			if !ok {
				l.emit(opFail, 0)
				return
			}
			l.emit(opClass, uint32(len(l.classes)))
			l.classes = append(l.classes, set)
			i = next - 1
		case '\\':
			if i++; i == len(p) {
				l.emit(opFail, 0)
				return
			}
			fallthrough
		default:
			l.emit(opByte, uint32(p[i]))
		}
	}
}

// stars emits the token for p[i:next], which is nothing but stars.
func (l *patternList) stars(p string, i, next int, deep bool) {
	rest := p[next:]
	switch whole := i == 0 || p[i-1] == '/'; {
	case next-i < 2 || !deep || !whole:
		l.emit(opStar, 0)
	case strings.HasPrefix(rest, "/"):
		l.emit(opDeep, 0)
		l.emit(opLoop, 0)
	case rest == "" || strings.HasPrefix(rest, "\\/"):
		l.emit(opLoop, 0)
	default:
		l.emit(opStar, 0)
	}
}

// parseClass reads what follows a "[" at p[i-1]. next is behind the "]".
func parseClass(p string, i int) (set class, next int, ok bool) {
	negated := i < len(p) && (p[i] == '!' || p[i] == '^')
	if negated {
		i++
	}
	var prev byte // the start of a range, 0 if there is none
	for first := true; first || i < len(p) && p[i] != ']'; first = false {
		if i >= len(p) {
			return set, 0, false
		}
		c := p[i]
		switch {
		case c == '\\':
			if i++; i == len(p) {
				return set, 0, false
			}
			c = p[i]
			set.add(c, c)
		case c == '-' && prev != 0 && i+1 < len(p) && p[i+1] != ']':
			if i++; p[i] == '\\' {
				if i++; i == len(p) {
					return set, 0, false
				}
			}
			set.add(prev, p[i])
			c = 0
		case c == '[' && i+1 < len(p) && p[i+1] == ':':
			length := strings.IndexByte(p[i+2:], ']')
			if length < 0 {
				return set, 0, false
			}
			name, isName := strings.CutSuffix(p[i+2:i+2+length], ":")
			if !isName {
				set.add('[', '[')
				break
			}
			if !set.addNamed(name) {
				return set, 0, false
			}
			i += 2 + length
			c = 0
		default:
			set.add(c, c)
		}
		prev = c
		i++
	}
	if i >= len(p) {
		return set, 0, false
	}
	if negated {
		for j := range set {
			set[j] = ^set[j]
		}
	}
	return set, i + 1, true
}

// addNamed adds the class that is written [:name:].
func (c *class) addNamed(name string) bool {
	ranges, ok := map[string]string{
		"alnum": "09AZaz", "alpha": "AZaz", "blank": "  \t\t", "cntrl": "\x00\x1f\x7f\x7f", "digit": "09",
		"graph": "!~", "lower": "az", "print": " ~", "punct": "!/:@[`{~", "space": "  \t\n\r\r", "upper": "AZ",
		"xdigit": "09AFaf",
	}[name]
	for i := 0; i < len(ranges); i += 2 {
		c.add(ranges[i], ranges[i+1])
	}
	return ok
}
