// Package wildmatch matches paths with git's globs, in the two ways that gitglossary(7) and
// gitignore(5) describe:
//
//   - Path, where a path is made of names: '*' and '?' stop at a slash, and "**" as a whole name
//     stands for any number of directories.
//   - Flat, where a slash is a byte as any other: what a plain pathspec means.
//
// In both, '[…]' is a class of bytes with ranges, POSIX names and '!' or '^' in front for what is not
// in it, and a backslash takes the meaning from the byte that follows. A glob that is
// malformed matches nothing. Everything is by bytes.
//
// What always holds: a match costs at most the length of the glob times that of the path, whatever they are.
package wildmatch

import "strings"

// Glob is a compiled glob. It may be used from several goroutines at once.
type Glob struct {
	tokens []token
	path   bool
	broken bool
}

// token is one element of a glob.
type token struct {
	kind kind
	lit  byte
	set  *[256]bool
}

type kind uint8

const (
	literal kind = iota
	anyByte      // '?'
	class        // "[…]"
	star         // '*': bytes that are no slash (Path), any (Flat)
	deep         // "**" at the end of a Path: any bytes
	dirs         // "**/" of a Path: any number of whole directories
)

// Path compiles a glob of a path of names.
func Path(glob string) *Glob { return compile(glob, true) }

// Flat compiles a glob to which slashes are bytes as any other.
func Flat(glob string) *Glob { return compile(glob, false) }

// Special reports whether a glob is anything but the text itself.
func Special(glob string) bool { return strings.ContainsAny(glob, `*?[\`) }

// Literal returns how many bytes at the start of a glob stand for themselves.
func Literal(glob string) int {
	if i := strings.IndexAny(glob, `*?[\`); i >= 0 {
		return i
	}
	return len(glob)
}

func compile(glob string, path bool) *Glob {
	g := &Glob{path: path}
	for i := 0; i < len(glob); {
		switch c := glob[i]; c {
		case '*':
			end := i
			for end < len(glob) && glob[end] == '*' {
				end++
			}
			whole := path && end-i >= 2 && (i == 0 || glob[i-1] == '/')
			switch {
			case whole && end == len(glob):
				g.tokens = append(g.tokens, token{kind: deep})
			case whole && glob[end] == '/':
				g.tokens = append(g.tokens, token{kind: dirs})
				end++
			case whole && strings.HasPrefix(glob[end:], `\/`):
				g.tokens = append(g.tokens, token{kind: dirs})
				end += 2
			default:
				g.tokens = append(g.tokens, token{kind: star})
			}
			i = end
		case '?':
			g.tokens = append(g.tokens, token{kind: anyByte})
			i++
		case '[':
			set, end := parseClass(glob, i+1)
			if end < 0 {
				g.broken = true
				return g
			}
			if path {
				set['/'] = false
			}
			g.tokens = append(g.tokens, token{kind: class, set: set})
			i = end
		case '\\':
			if i+1 == len(glob) {
				g.broken = true
				return g
			}
			g.tokens = append(g.tokens, token{lit: glob[i+1]})
			i += 2
		default:
			g.tokens = append(g.tokens, token{lit: c})
			i++
		}
	}
	return g
}

// parseClass reads a class from behind its bracket and returns where it ends; -1 if it is malformed.
func parseClass(glob string, i int) (*[256]bool, int) {
	set := new([256]bool)
	negated := i < len(glob) && (glob[i] == '!' || glob[i] == '^')
	if negated {
		i++
	}
	last := -1 // what a '-' would start a range from
	for first := true; ; first = false {
		if i >= len(glob) {
			return nil, -1
		}
		c := glob[i]
		switch {
		case c == ']' && !first:
			if negated {
				for b := range set {
					set[b] = !set[b]
				}
			}
			return set, i + 1
		case c == '\\':
			if i++; i >= len(glob) {
				return nil, -1
			}
			set[glob[i]], last = true, int(glob[i])
		case c == '-' && last >= 0 && i+1 < len(glob) && glob[i+1] != ']':
			i++
			if glob[i] == '\\' {
				if i++; i >= len(glob) {
					return nil, -1
				}
			}
			for b := last; b <= int(glob[i]); b++ {
				set[b] = true
			}
			last = -1
		case c == '[' && i+1 < len(glob) && glob[i+1] == ':':
			end := strings.IndexByte(glob[i+2:], ']')
			if end < 0 {
				return nil, -1
			}
			name := glob[i+2 : i+2+end]
			if !strings.HasSuffix(name, ":") {
				// No name after all: the bracket stands for itself.
				set['['], last = true, '['
				break
			}
			in, ok := classes[strings.TrimSuffix(name, ":")]
			if !ok {
				return nil, -1
			}
			for b := range set {
				set[b] = set[b] || in(byte(b))
			}
			i += 2 + end
			last = -1
		default:
			set[c], last = true, int(c)
		}
		i++
	}
}

// classes are the names of POSIX for ASCII.
var classes = map[string]func(c byte) bool{
	"alnum":  func(c byte) bool { return isAlpha(c) || isDigit(c) },
	"alpha":  isAlpha,
	"blank":  func(c byte) bool { return c == ' ' || c == '\t' },
	"cntrl":  func(c byte) bool { return c < ' ' || c == 0x7f },
	"digit":  isDigit,
	"graph":  func(c byte) bool { return c > ' ' && c < 0x7f },
	"lower":  func(c byte) bool { return 'a' <= c && c <= 'z' },
	"print":  func(c byte) bool { return c >= ' ' && c < 0x7f },
	"punct":  func(c byte) bool { return c > ' ' && c < 0x7f && !isAlpha(c) && !isDigit(c) },
	"space":  func(c byte) bool { return c == ' ' || '\t' <= c && c <= '\r' },
	"upper":  func(c byte) bool { return 'A' <= c && c <= 'Z' },
	"xdigit": func(c byte) bool { return isDigit(c) || 'a' <= c|0x20 && c|0x20 <= 'f' },
}

func isAlpha(c byte) bool { return 'a' <= c|0x20 && c|0x20 <= 'z' }
func isDigit(c byte) bool { return '0' <= c && c <= '9' }

// Match reports whether the glob matches the whole of a path.
//
// Where a match fails, the last '*' takes one byte more; where that one can take no more, the
// last "**" does. No earlier one need be tried again: what lies between two
// of them was matched as early as it can be, which leaves the most to what follows.
func (g *Glob) Match(path []byte) bool {
	if g.broken {
		return false
	}
	t, n := 0, 0
	starAt, starMark := -1, 0
	deepAt, deepMark := -1, 0
	for {
		if t < len(g.tokens) {
			switch k := &g.tokens[t]; k.kind {
			case star:
				starAt, starMark = t, n
				t++
				continue
			case deep, dirs:
				starAt, deepAt, deepMark = -1, t, n
				t++
				continue
			default:
				if n < len(path) && k.matches(path[n], g.path) {
					t++
					n++
					continue
				}
			}
		} else if n == len(path) {
			return true
		}
		switch {
		case starAt >= 0 && starMark < len(path) && !(g.path && path[starMark] == '/'):
			starMark++
			t, n = starAt+1, starMark
		case deepAt >= 0 && g.tokens[deepAt].kind == deep:
			return true // it is the last one
		case deepAt >= 0:
			for deepMark < len(path) && path[deepMark] != '/' {
				deepMark++
			}
			if deepMark == len(path) {
				return false
			}
			deepMark++
			starAt, t, n = -1, deepAt+1, deepMark
		default:
			return false
		}
	}
}

func (k *token) matches(c byte, path bool) bool {
	switch k.kind {
	case literal:
		return k.lit == c
	case anyByte:
		return !path || c != '/'
	default:
		return k.set[c]
	}
}
