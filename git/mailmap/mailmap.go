// Package mailmap knows people by one name: it reads .mailmap files, as gitmailmap(5) describes them, and
// counts who wrote how many commits, as git shortlog -sne does.
//
//	Proper Name <commit@email>
//	<proper@email> <commit@email>
//	Proper Name <proper@email> <commit@email>
//	Proper Name <proper@email> Commit Name <commit@email>
//
// Addresses and names are compared without regard to the case of ASCII letters. Of two lines for the
// same, the later one counts.
package mailmap

import "strings"

// Map says who is who. The zero Map, and nil, change nothing.
type Map struct {
	byEmail map[string]*person
}

// person is what is known of an address.
type person struct {
	identity                     // whatever the name
	byName   map[string]identity // for some names
}

// identity is a proper name and address; what is empty stays as it was.
type identity struct{ name, email string }

// MaxLines bounds the lines of a file that are read; the rest is ignored.
const MaxLines = 1 << 18

// Parse reads a .mailmap file. Lines that are none are ignored, as git does.
func Parse(data []byte) *Map {
	m := &Map{byEmail: map[string]*person{}}
	lines := 0
	for line := range strings.Lines(string(data)) {
		if lines++; lines > MaxLines {
			break
		}
		m.add(strings.TrimSuffix(line, "\n"))
	}
	return m
}

func (m *Map) add(line string) {
	if strings.HasPrefix(line, "#") {
		return
	}
	name, email, rest, ok := nameAndEmail(line)
	if !ok || email == "" {
		return
	}
	oldName, oldEmail, _, ok := nameAndEmail(rest)
	proper := identity{name, email}
	if !ok { // one address: it stays
		proper.email, oldEmail = "", email
	}
	p := m.byEmail[fold(oldEmail)]
	if p == nil {
		p = &person{byName: map[string]identity{}}
		m.byEmail[fold(oldEmail)] = p
	}
	if oldName != "" {
		p.byName[fold(oldName)] = proper
		return
	}
	if proper.name != "" {
		p.name = proper.name
	}
	if proper.email != "" {
		p.email = proper.email
	}
}

// nameAndEmail reads "Name <address>" from the start of a line.
func nameAndEmail(line string) (name, email, rest string, ok bool) {
	name, rest, ok = strings.Cut(line, "<")
	if !ok {
		return "", "", "", false
	}
	if email, rest, ok = strings.Cut(rest, ">"); !ok {
		return "", "", "", false
	}
	return strings.Trim(name, " \t\r\n"), email, rest, true
}

// fold makes ASCII letters small.
func fold(s string) string {
	small := []byte(s) // not runes: there are old names in other encodings
	for i, c := range small {
		if 'A' <= c && c <= 'Z' {
			small[i] = c + 'a' - 'A'
		}
	}
	return string(small)
}

// Lookup returns the proper name and address of somebody.
func (m *Map) Lookup(name, email string) (properName, properEmail string) {
	if m == nil {
		return name, email
	}
	p := m.byEmail[fold(email)]
	if p == nil {
		return name, email
	}
	proper := p.identity
	if special, ok := p.byName[fold(name)]; ok {
		proper = special
	}
	if proper.name != "" {
		name = proper.name
	}
	if proper.email != "" {
		email = proper.email
	}
	return name, email
}
