package mailmap

import (
	"cmp"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/ingot-forge/ingot/git"
)

// Contributor is somebody who wrote commits.
type Contributor struct {
	Name, Email string
	Commits     int
	First, Last int64 // the earliest and the latest author's date of them, in seconds
}

// Tally counts commits by author. The zero Tally is empty, and takes people by the names they give.
type Tally struct {
	Map    *Map
	people map[[2]string]*Contributor
}

// Add counts a commit.
func (t *Tally) Add(c *git.Commit) {
	encoding := ""
	for _, h := range c.Headers {
		if h.Key == "encoding" {
			encoding = h.Value
			break
		}
	}
	name, email := t.Map.Lookup(text(encoding, c.Author.Name), text(encoding, c.Author.Email))
	if t.people == nil {
		t.people = map[[2]string]*Contributor{}
	}
	key := [2]string{name, email}
	p := t.people[key]
	if p == nil {
		p = &Contributor{Name: name, Email: email, First: c.Author.Seconds, Last: c.Author.Seconds}
		t.people[key] = p
	}
	p.Commits++
	p.First, p.Last = min(p.First, c.Author.Seconds), max(p.Last, c.Author.Seconds)
}

// Contributors returns whom it counted: those with most commits first, else in the order of the bytes of
// their names.
func (t *Tally) Contributors() []Contributor {
	all := make([]Contributor, 0, len(t.people))
	for _, p := range t.people {
		all = append(all, *p)
	}
	slices.SortFunc(all, func(a, b Contributor) int {
		return cmp.Or(b.Commits-a.Commits, strings.Compare(a.Name+" <"+a.Email+">", b.Name+" <"+b.Email+">"))
	})
	return all
}

// text returns s, written in an encoding, in UTF-8. Latin-1 is the only other one that is known; what
// is in none of them stays as it is.
func text(encoding, s string) string {
	switch fold(encoding) {
	case "iso-8859-1", "iso8859-1", "iso_8859-1", "latin1", "latin-1", "l1":
	default:
		return s
	}
	var b strings.Builder
	for i := range len(s) {
		b.WriteString(string(rune(s[i])))
	}
	if !utf8.ValidString(b.String()) {
		return s
	}
	return b.String()
}
