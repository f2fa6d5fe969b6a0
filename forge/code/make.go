package code

import (
	"context"
	"strings"
	"time"

	"github.com/ingot-forge/ingot/forge"
	"github.com/ingot-forge/ingot/forge/hosting"
	"github.com/ingot-forge/ingot/git"
)

// MaxMessage is the longest message of a commit or tag that is made here, in bytes.
const MaxMessage = 1 << 20

// Person is who wrote or committed, and when.
type Person struct {
	Name, Email string
	When        time.Time // in the zone that is to be written
}

// signature checks a person. field is what the caller calls it.
func (p Person) signature(field string) (git.Signature, error) {
	for _, part := range []struct{ name, text string }{{"name", p.Name}, {"email", p.Email}} {
		of := field + "." + part.name
		if strings.TrimSpace(part.text) == "" {
			return git.Signature{}, forge.Invalidf(of, forge.CodeMissingField, "%s is missing", of)
		}
		if err := forge.CheckLine(of, part.text, 256); err != nil {
			return git.Signature{}, err
		}
		if strings.ContainsAny(part.text, "<>") {
			return git.Signature{}, forge.Invalidf(of, forge.CodeInvalid, "%s may not have angle brackets", of)
		}
	}
	if p.When.Unix() < 0 {
		return git.Signature{}, forge.Invalidf(field+".date", forge.CodeInvalid, "%s.date is before 1970", field)
	}
	return git.Signature{Name: strings.TrimSpace(p.Name), Email: strings.TrimSpace(p.Email), Seconds: p.When.Unix(),
		Zone: p.When.Format("-0700")}, nil
}

func checkMessage(message string) error {
	switch {
	case strings.TrimSpace(message) == "":
		return forge.Invalidf("message", forge.CodeMissingField, "message is missing")
	case len(message) > MaxMessage:
		return forge.Invalidf("message", forge.CodeInvalid, "message is longer than %d bytes", MaxMessage)
	case strings.IndexByte(message, 0) >= 0:
		return forge.Invalidf("message", forge.CodeInvalid, "message has a NUL")
	}
	return nil
}

// MakeBlob makes a blob by itself: see hosting.Handle.Keep.
func (v *View) MakeBlob(ctx context.Context, content []byte) (git.ID, error) {
	return v.make(ctx, func(b *builder) (git.ID, error) { return b.add(git.KindBlob, content) })
}

// MakeTree makes a tree by itself, of changes to another; base is the zero id for the empty one, or a tree
// that Tree returned.
func (v *View) MakeTree(ctx context.Context, base git.ID, changes []Change) (git.ID, error) {
	return v.make(ctx, func(b *builder) (git.ID, error) { return b.tree(ctx, base, changes) })
}

// NewCommit is a commit to be made by itself.
type NewCommit struct {
	Tree              git.ID
	Parents           []git.ID
	Author, Committer Person
	Message           string
	Signature         string // armoured; "" for none
}

const maxParents = 100

// MakeCommit makes a commit by itself. Tree and parents are objects that the actor may know.
func (v *View) MakeCommit(ctx context.Context, c NewCommit) (git.ID, error) {
	commit := git.Commit{Tree: c.Tree, Parents: c.Parents, Message: c.Message}
	var err error
	if err := checkMessage(c.Message); err != nil {
		return git.ID{}, err
	}
	if commit.Author, err = c.Author.signature("author"); err != nil {
		return git.ID{}, err
	}
	if commit.Committer, err = c.Committer.signature("committer"); err != nil {
		return git.ID{}, err
	}
	if err := v.named(ctx, "tree", c.Tree, git.KindTree); err != nil {
		return git.ID{}, err
	}
	if len(c.Parents) > maxParents {
		return git.ID{}, forge.Invalidf("parents", forge.CodeInvalid, "More than %d parents", maxParents)
	}
	for _, parent := range c.Parents {
		if err := v.named(ctx, "parents", parent, git.KindCommit); err != nil {
			return git.ID{}, err
		}
	}
	if c.Signature != "" {
		key := "gpgsig"
		if v.Format == git.SHA256 {
			key = "gpgsig-sha256"
		}
		if len(c.Signature) > MaxMessage || strings.IndexByte(c.Signature, 0) >= 0 {
			return git.ID{}, forge.Invalidf("signature", forge.CodeInvalid, "signature is not one")
		}
		commit.Headers = []git.Header{{Key: key, Value: strings.TrimRight(c.Signature, "\n")}}
	}
	return v.make(ctx, func(b *builder) (git.ID, error) {
		return b.add(git.KindCommit, git.AppendCommit(v.Format, nil, &commit))
	})
}

// named is Invalid unless the actor may know an object that a body names.
func (v *View) named(ctx context.Context, field string, id git.ID, kind git.Kind) error {
	_, err := v.Size(ctx, id, kind)
	if forge.KindOf(err) == forge.NotFound {
		return forge.Invalidf(field, forge.CodeInvalid, "%s: %s is not a %s of this repository", field, v.Hex(id), kind)
	}
	return err
}

// NewTag is an annotated tag to be made by itself.
type NewTag struct {
	Name, Message string
	Target        git.ID
	Kind          git.Kind
	Tagger        Person
}

// MakeTag makes an annotated tag; the ref that shows it is made apart.
func (v *View) MakeTag(ctx context.Context, t NewTag) (git.ID, error) {
	if git.CheckRefName(tags+t.Name) != nil || strings.HasPrefix(t.Name, "-") {
		return git.ID{}, forge.Invalidf("tag", forge.CodeInvalid, "tag is not a valid name")
	}
	if err := checkMessage(t.Message); err != nil {
		return git.ID{}, err
	}
	if err := v.named(ctx, "object", t.Target, t.Kind); err != nil {
		return git.ID{}, err
	}
	tagger, err := t.Tagger.signature("tagger")
	if err != nil {
		return git.ID{}, err
	}
	tag := git.Tag{Target: t.Target, TargetKind: t.Kind, Name: t.Name, Tagger: &tagger, Message: t.Message}
	return v.make(ctx, func(b *builder) (git.ID, error) {
		return b.add(git.KindTag, git.AppendTag(v.Format, nil, &tag))
	})
}

// make makes objects and keeps the one that build returns. The view shows it afterwards.
func (v *View) make(ctx context.Context, build func(*builder) (git.ID, error)) (git.ID, error) {
	done, err := v.Turn(ctx)
	if err != nil {
		return git.ID{}, err
	}
	defer done()
	b := newBuilder(v)
	id, err := build(b)
	if err != nil {
		return git.ID{}, err
	}
	staged, err := v.Handle.Stage(ctx, v.snap, b.objects)
	if err != nil {
		return git.ID{}, explain(err)
	}
	if err := v.Handle.Keep(ctx, v.snap, staged, id); err != nil {
		return git.ID{}, err
	}
	return id, v.reopen(ctx)
}

// reopen goes on with what the repository holds now.
func (v *View) reopen(ctx context.Context) error {
	snap, err := v.Handle.Snapshot(ctx)
	if err != nil {
		return err
	}
	v.snap.Close()
	v.snap, v.known, v.commits = snap, nil, nil
	return nil
}

// Author returns the person that an actor is in commits made here. The address is one that
// leads to nobody's mailbox: a user's own is private.
func Author(h *hosting.Handle, host string) Person {
	p := Person{Name: h.Actor.Login(), When: h.Now()}
	if u := h.Actor.User; u != nil {
		if u.Name != "" {
			p.Name = u.Name
		}
		p.Email = Noreply(u.ID, u.Login, host)
	} else {
		p.Name, p.Email = "Ingot", "noreply@"+host
	}
	return p
}
