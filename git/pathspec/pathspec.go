// Package pathspec says which paths of a tree are meant: files and directories, which stand for
// all that lies in them, or globs, where '*' passes slashes. It is git's pathspec without magic.
package pathspec

import (
	"bytes"
	"fmt"
	"path"
	"strings"

	"github.com/ingot-forge/ingot/git/wildmatch"
)

// The bounds of pathspecs, each of which is compared with every path: a glob may cost its length for every byte of
// a path.
const (
	MaxSpecs = 64
	MaxBytes = 4096 // of one
)

// Error says what is wrong with a pathspec.
type Error struct{ Path, Fault string }

func (e *Error) Error() string { return fmt.Sprintf("pathspec %.200q %s", e.Path, e.Fault) }

// Specs are parsed pathspecs. None at all mean everything. They may be used from several goroutines
// at once.
type Specs []spec

// spec is one pathspec.
type spec struct {
	text    string
	literal string          // what every match starts with; the whole path, without a slash at its end, if there is no glob
	glob    *wildmatch.Glob // nil if there is no wildcard
	dirOnly bool            // a slash at the end: only a directory
}

// Parse parses pathspecs; errors are *Error.
func Parse(paths []string) (Specs, error) {
	if len(paths) > MaxSpecs {
		return nil, &Error{paths[MaxSpecs], fmt.Sprintf("is one too many: at most %d are taken", MaxSpecs)}
	}
	var specs Specs
	for _, text := range paths {
		if len(text) > MaxBytes {
			return nil, &Error{text, fmt.Sprintf("is longer than %d bytes", MaxBytes)}
		}
		if strings.HasPrefix(text, ":") {
			return nil, &Error{text, "has magic, which is not supported"}
		}
		if text == "" {
			return nil, &Error{text, "is empty"}
		}
		s := spec{text: text, dirOnly: strings.HasSuffix(text, "/")}
		if wildmatch.Special(text) {
			s.literal, s.glob = text[:wildmatch.Literal(text)], wildmatch.Flat(text)
		} else {
			s.literal = strings.TrimPrefix(path.Clean("/"+text), "/")
			if strings.Contains("/"+text+"/", "/../") {
				return nil, &Error{text, "leads outside of the repository"}
			}
		}
		specs = append(specs, s)
	}
	return specs, nil
}

// Text returns a pathspec as it was given.
func (s Specs) Text(i int) string { return s[i].text }

// Match reports whether a pathspec selects a path itself. isTree says that it is a directory.
func (s Specs) Match(i int, name []byte, isTree bool) bool { return s[i].matches(name, isTree) }

// Select reports whether any pathspec selects a path, or, if it is a directory, may select
// something below it.
func (s Specs) Select(name []byte, isTree bool) bool {
	for i := range s {
		if s[i].matches(name, isTree) || isTree && s[i].leadsTo(name) {
			return true
		}
	}
	return len(s) == 0
}

func (s *spec) matches(name []byte, isTree bool) bool {
	switch {
	case s.glob != nil:
		return s.glob.Match(name) || under(name, s.text)
	case s.literal == "":
		return true
	case len(name) == len(s.literal):
		return string(name) == s.literal && (isTree || !s.dirOnly)
	}
	return under(name, s.literal)
}

// under reports whether a path is a directory's, or lies in it. Git takes a glob for the name of one, too.
func under(name []byte, dir string) bool {
	return len(name) >= len(dir) && string(name[:len(dir)]) == dir && (len(name) == len(dir) || name[len(dir)] == '/')
}

// leadsTo reports whether something below a directory may match.
func (s *spec) leadsTo(dir []byte) bool {
	if len(dir) < len(s.literal) {
		return strings.HasPrefix(s.literal, string(dir)) && (s.glob != nil || s.literal[len(dir)] == '/')
	}
	return s.glob != nil && bytes.HasPrefix(dir, []byte(s.literal))
}
