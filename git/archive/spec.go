package archive

import (
	"bytes"
	"fmt"
	"path"
	"strings"
)

// spec is one pathspec: a path, which stands for a file or for all that lies in
// a directory, or a glob for whole paths, whose wildcards match slashes too.
type spec struct {
	text    string // as given
	literal string // up to the first wildcard; the whole path, without a slash at its end, if there is none
	glob    string // "" if there is no wildcard
	dirOnly bool   // a slash at the end: only a directory
}

// maxSpecs bounds the pathspecs, each of which is compared with every path, and
// maxSpec the length of one: a glob may cost its length for every byte of a path.
const (
	maxSpecs = 64
	maxSpec  = 4096
)

func parseSpecs(paths []string) ([]spec, error) {
	if len(paths) > maxSpecs {
		return nil, &PathError{paths[maxSpecs], fmt.Sprintf("is one too many: at most %d are taken", maxSpecs)}
	}
	var specs []spec
	for _, text := range paths {
		if len(text) > maxSpec {
			return nil, &PathError{text, fmt.Sprintf("is longer than %d bytes", maxSpec)}
		}
		if strings.HasPrefix(text, ":") {
			return nil, &PathError{text, "has magic, which is not supported"}
		}
		s := spec{text: text, dirOnly: strings.HasSuffix(text, "/")}
		if i := strings.IndexAny(text, "*?[\\"); i >= 0 {
			s.literal, s.glob = text[:i], text
		} else {
			s.literal = strings.TrimPrefix(path.Clean("/"+text), "/")
			if strings.Contains("/"+text+"/", "/../") {
				return nil, &PathError{text, "leads outside of the repository"}
			}
		}
		specs = append(specs, s)
	}
	return specs, nil
}

// matches reports whether the spec selects a path itself.
func (s *spec) matches(name []byte, isTree bool) bool {
	if s.glob != "" {
		return wild(s.glob, name)
	}
	switch {
	case s.literal == "":
		return true
	case len(name) == len(s.literal):
		return string(name) == s.literal && (isTree || !s.dirOnly)
	default:
		return len(name) > len(s.literal) && name[len(s.literal)] == '/' && string(name[:len(s.literal)]) == s.literal
	}
}

// leadsTo reports whether something below a directory may match.
func (s *spec) leadsTo(dir []byte) bool {
	if len(dir) < len(s.literal) {
		return strings.HasPrefix(s.literal, string(dir)) && (s.glob != "" || s.literal[len(dir)] == '/')
	}
	return s.glob != "" && bytes.HasPrefix(dir, []byte(s.literal))
}

func selected(specs []spec, name []byte, isTree bool) bool {
	for i := range specs {
		if specs[i].matches(name, isTree) || isTree && specs[i].leadsTo(name) {
			return true
		}
	}
	return false
}

// wild matches a glob of '*', '?', '[…]' and '\' against a whole name: unlike a
// plain path it does not stand for what lies in a directory. A failed '*' is tried again one byte
// later, and only the last one: the cost is at most the product of both lengths.
func wild(glob string, name []byte) bool {
	g, n := 0, 0
	star, mark := -1, 0
	for n < len(name) {
		if g < len(glob) && glob[g] == '*' {
			star, mark = g, n
			g++
			continue
		}
		if width := one(glob[g:], name[n]); width > 0 {
			g += width
			n++
			continue
		}
		if star < 0 {
			return false
		}
		mark++
		g, n = star+1, mark
	}
	return strings.Trim(glob[g:], "*") == ""
}

// one matches the first element of a glob against a byte and returns the
// element's length, 0 if it does not match.
func one(glob string, c byte) int {
	switch {
	case glob == "":
		return 0
	case glob[0] == '?':
		return 1
	case glob[0] == '\\' && len(glob) > 1:
		if glob[1] == c {
			return 2
		}
		return 0
	case glob[0] == '[':
		if end, ok := class(glob, c); end > 0 {
			if ok {
				return end
			}
			return 0
		}
	}
	if glob[0] == c {
		return 1
	}
	return 0
}

// class matches a bracket expression and returns its length, 0 if it is not closed.
func class(glob string, c byte) (end int, ok bool) {
	i := 1
	negated := i < len(glob) && (glob[i] == '!' || glob[i] == '^')
	if negated {
		i++
	}
	for first := true; i < len(glob) && (first || glob[i] != ']'); first = false {
		from, to := glob[i], glob[i]
		if i+2 < len(glob) && glob[i+1] == '-' && glob[i+2] != ']' {
			to = glob[i+2]
			i += 2
		}
		ok = ok || from <= c && c <= to
		i++
	}
	if i >= len(glob) {
		return 0, false
	}
	return i + 1, ok != negated
}
