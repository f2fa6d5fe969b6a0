package api

import (
	"encoding/base64"
	"fmt"
	"net/url"
	"strings"
	"time"

	"github.com/ingot-forge/ingot/forge"
	"github.com/ingot-forge/ingot/forge/code"
	"github.com/ingot-forge/ingot/git"
)

// opened is a repository that the caller was let into, as of now.
type opened struct {
	*code.View
	a    *api
	r    *request
	full string // "owner/name"
	url  string // of the API
	html string // of the pages

	people map[string]*simpleUser // by address, as far as they were looked up
}

// read opens the repository of the path for reading and calls use with it.
func (a *api) read(r *request, use func(*opened) (*result, error)) (*result, error) {
	return a.open(r, forge.Read, use)
}

// change opens it for pushing.
func (a *api) change(r *request, use func(*opened) (*result, error)) (*result, error) {
	return a.open(r, forge.Push, use)
}

func (a *api) open(r *request, action forge.Action, use func(*opened) (*result, error)) (*result, error) {
	owner, name := r.repository()
	handle, err := a.Hosting.Open(r.Context(), r.actor, action, owner, name)
	if err != nil {
		return nil, err
	}
	view, err := code.Open(r.Context(), handle)
	if err != nil {
		return nil, err
	}
	full := handle.Repository.FullName()
	o := &opened{View: view, a: a, r: r, full: full, url: a.base + "/repos/" + full, html: a.URL + "/" + full, people: map[string]*simpleUser{}}
	res, err := use(o)
	if err == nil && res.stream != nil {
		res.done = view.Close
		return res, nil
	}
	view.Close()
	return res, err
}

// id reads a whole id; field is what the caller calls it.
func (o *opened) id(text, field string) (git.ID, error) {
	id, err := o.Format.Parse(text)
	if err != nil {
		return id, forge.Invalidf(field, forge.CodeInvalid, "The %s parameter must be exactly %d characters and contain only [0-9a-f].", field, o.Format.HexSize())
	}
	return id, nil
}

// isID reports whether text is a whole id: what it names never changes.
func (o *opened) isID(text string) bool {
	_, err := o.Format.Parse(text)
	return err == nil
}

// nodeID is nodeID of an object in the repository.
func (o *opened) nodeID(kind string, id git.ID) string {
	return base64.StdEncoding.EncodeToString(fmt.Appendf(nil, "0%d:%s%d:%s", len(kind), kind, o.Handle.Repository.ID, o.Hex(id)))
}

// objectURL is the address of an object in the git part of the API.
func (o *opened) objectURL(kind git.Kind, id git.ID) string {
	return o.url + "/git/" + kind.String() + "s/" + o.Hex(id)
}

// escapePath escapes a path of files for an address, but for its slashes.
func escapePath(path string) string {
	parts := strings.Split(path, "/")
	for i, part := range parts {
		parts[i] = url.PathEscape(part)
	}
	return strings.Join(parts, "/")
}

// gitUser is who wrote, committed or tagged.
type gitUser struct {
	Name  string    `json:"name"`
	Email string    `json:"email"`
	Date  time.Time `json:"date"`
}

func signatureOf(s *git.Signature) gitUser {
	seconds := s.Seconds
	if seconds < 0 || seconds > maxDate {
		seconds = 0 // JSON has no date for it; git shows it so, too
	}
	return gitUser{s.Name, s.Email, time.Unix(seconds, 0).UTC()}
}

const maxDate = 253402300799 // the end of the year 9999

// personInput is an author, committer or tagger in a body.
type personInput struct {
	Name  string `json:"name"`
	Email string `json:"email"`
	Date  string `json:"date"`
}

// person completes what a body says of somebody by standard.
func (p *personInput) person(field string, standard code.Person) (code.Person, error) {
	if p == nil {
		return standard, nil
	}
	out := code.Person{Name: p.Name, Email: p.Email, When: standard.When}
	if p.Date != "" {
		when, err := time.Parse(time.RFC3339, p.Date)
		if err != nil {
			return out, forge.Invalidf(field+".date", forge.CodeInvalid, "%s.date is not a date as ISO 8601 has it", field)
		}
		out.When = when
	}
	return out, nil
}

// people of a commit to be made: the author is who asks unless the body says otherwise, the
// committer whoever the author is.
func (o *opened) authors(author, committer *personInput) (wrote, committed code.Person, err error) {
	if wrote, err = author.person("author", code.Author(o.Handle, o.a.host)); err != nil {
		return wrote, committed, err
	}
	committed, err = committer.person("committer", wrote)
	return wrote, committed, err
}

// user returns the user of this instance whom a commit's address means, or nil.
func (o *opened) user(email string) (*simpleUser, error) {
	if u, ok := o.people[email]; ok {
		return u, nil
	}
	o.people[email] = nil
	id, ok := code.FromNoreply(email, o.a.host)
	if !ok {
		return nil, nil
	}
	found, err := o.a.Accounts.UserByID(o.r.Context(), o.r.actor, id)
	if forge.KindOf(err) == forge.NotFound {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	u := o.a.simpleUser(found.Login, found.ID, found.Admin)
	o.people[email] = &u
	return &u, nil
}
