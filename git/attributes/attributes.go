// Package attributes says what .gitattributes files have of a path, as gitattributes(5) describes them:
//
//	pattern name -name !name name=value ...
//	[attr]macro name -name ...
//
// A pattern without a slash is matched with a path's last name, another one with the path from the directory of the
// file on; one that ends in a slash only with directories. Later lines override earlier ones, and files of
// deeper directories those above. A macro, which only the file at the root may define, sets others where
// it is set itself; there is one from the start, "binary", for "-diff -merge -text".
//
// The files are those of a tree: what a server, which has no work tree, can go by. It is what git check-attr
// --source and git archive do.
package attributes

import (
	"strings"

	"github.com/ingot-forge/ingot/git/wildmatch"
)

// State is how a path has an attribute.
type State uint8

const (
	Unspecified State = iota
	Set
	Unset
	Valued // Value.Text is set
)

// Value is what a path has of an attribute. The zero Value is nothing.
type Value struct {
	State State
	Text  string
}

// String returns the value as git check-attr shows it.
func (v Value) String() string {
	switch v.State {
	case Set:
		return "set"
	case Unset:
		return "unset"
	case Valued:
		return v.Text
	}
	return "unspecified"
}

// Values are the attributes of a path, by name: those that are specified.
type Values map[string]Value

const (
	// MaxBytes bounds a file: every line of it is compared with every path.
	MaxBytes = 1 << 20
	// maxLine is git's: a line as long is ignored.
	maxLine = 2048
)

// File is a parsed .gitattributes file.
type File struct {
	rules  []rule
	macros map[string][]setting
}

// rule is a line: a pattern, and what it sets.
type rule struct {
	dirOnly  bool
	name     bool   // the pattern is for the last name of a path
	text     string // what a path has to start with
	suffix   string // if name: what it has to end with
	kind     ruleKind
	glob     *wildmatch.Glob
	settings []setting
}

type ruleKind uint8

const (
	isLiteral ruleKind = iota
	isSuffix           // '*' and a suffix
	isGlob             // text, and then a glob
)

type setting struct {
	name  string
	value Value
}

// Parse reads a file; root says that it is the one that may define macros. A line that is none is
// ignored whole, as git does.
func Parse(data []byte, root bool) *File {
	f := &File{macros: map[string][]setting{}}
	text := string(data)
	if i := strings.IndexByte(text, 0); i >= 0 {
		text = text[:i]
	}
	for line := range strings.SplitSeq(text, "\n") {
		if len(line) < maxLine {
			f.line(line, root)
		}
	}
	return f
}

// blank parts the words of a line.
const blank = " \t\r\n"

func (f *File) line(line string, root bool) {
	line = strings.TrimLeft(line, blank)
	if line == "" || line[0] == '#' {
		return
	}
	pattern, rest, ok := unquote(line)
	if !ok {
		pattern, rest = word(line)
	}
	macro, isMacro := strings.CutPrefix(pattern, "[attr]")
	isMacro = isMacro && macro != ""
	if isMacro {
		macro, _ = word(strings.TrimLeft(macro, blank))
		if !root || !isName(macro) {
			return
		}
	}
	settings, ok := parseSettings(strings.TrimLeft(rest, blank))
	switch {
	case !ok:
	case isMacro:
		f.macros[macro] = settings
	case !strings.HasPrefix(pattern, "!"): // such are not allowed
		r := parsePattern(pattern)
		r.settings = settings
		f.rules = append(f.rules, r)
	}
}

// word splits a line behind its first word.
func word(line string) (first, rest string) {
	if i := strings.IndexAny(line, blank); i >= 0 {
		return line[:i], line[i:]
	}
	return line, ""
}

func parseSettings(rest string) (settings []setting, ok bool) {
	for rest != "" {
		var one string
		one, rest = word(rest)
		rest = strings.TrimLeft(rest, blank)
		name, text, valued := strings.Cut(one, "=")
		s := setting{name, Value{State: Set}}
		switch {
		case strings.HasPrefix(name, "-"):
			s = setting{name[1:], Value{State: Unset}}
		case strings.HasPrefix(name, "!"):
			s = setting{name[1:], Value{}}
		case valued:
			s.value = Value{Valued, text}
		}
		if !isName(s.name) {
			return nil, false
		}
		settings = append(settings, s)
	}
	return settings, true
}

// isName reports whether an attribute may be called so.
func isName(name string) bool {
	for i := range len(name) {
		c := name[i]
		if c != '-' && c != '.' && c != '_' && !('0' <= c && c <= '9') && !('a' <= c|0x20 && c|0x20 <= 'z') {
			return false
		}
	}
	return name != "" && name[0] != '-'
}

// unquote reads a pattern in quotes, with the escapes of C.
func unquote(line string) (pattern, rest string, ok bool) {
	if line[0] != '"' {
		return "", "", false
	}
	var b []byte
	for i := 1; i < len(line); i++ {
		switch c := line[i]; {
		case c == '"':
			return string(b), line[i+1:], true
		case c != '\\':
			b = append(b, c)
		case i+1 == len(line):
			return "", "", false
		default:
			i++
			if at := strings.IndexByte(`abfnrtv\"`, line[i]); at >= 0 {
				b = append(b, "\a\b\f\n\r\t\v\\\""[at])
				continue
			}
			if i+2 >= len(line) || line[i] < '0' || line[i] > '3' || line[i+1]&^7 != '0' || line[i+2]&^7 != '0' {
				return "", "", false
			}
			b = append(b, (line[i]-'0')<<6|(line[i+1]-'0')<<3|(line[i+2]-'0'))
			i += 2
		}
	}
	return "", "", false
}

func parsePattern(pattern string) rule {
	var r rule
	pattern, r.dirOnly = strings.CutSuffix(pattern, "/")
	r.name = !strings.Contains(pattern, "/")
	if !r.name {
		pattern = strings.TrimPrefix(pattern, "/")
	}
	literal := wildmatch.Literal(pattern)
	switch {
	case literal == len(pattern):
		r.kind, r.text = isLiteral, pattern
	case r.name && pattern[0] == '*' && !wildmatch.Special(pattern[1:]):
		r.kind, r.suffix = isSuffix, pattern[1:]
	default:
		// What is literal is taken off first, so that what follows it counts as the start: "a**" passes
		// slashes as "**" does.
		r.kind, r.text = isGlob, pattern[:literal]
		if r.glob = wildmatch.Path(pattern[literal:]); r.name {
			r.text, r.glob = "", wildmatch.Flat(pattern)
		}
	}
	return r
}

// matches reports whether a rule is for a path, given from the directory of its file on, without a slash at its end.
func (r *rule) matches(path, last string, isTree bool) bool {
	if r.dirOnly && !isTree {
		return false
	}
	if r.name {
		path = last
	}
	switch r.kind {
	case isLiteral:
		return path == r.text
	case isSuffix:
		return strings.HasSuffix(path, r.suffix)
	}
	rest, ok := strings.CutPrefix(path, r.text)
	return ok && r.glob.Match([]byte(rest))
}

// Text says whether a path is shown and searched as text, by its diff attribute: "-diff" and with it "binary" say
// that it is not. known is false where its content decides, with a driver ("diff=cpp") as without.
func (v Values) Text() (text, known bool) {
	switch v["diff"].State {
	case Set:
		return true, true
	case Unset:
		return false, true
	}
	return false, false
}

// Driver is the name that the diff attribute gives ("diff=cpp"), which chooses what makes headings of hunks; "" if it gives none.
func (v Values) Driver() string { return v["diff"].Text }
