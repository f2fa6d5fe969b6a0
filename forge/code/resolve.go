package code

import (
	"context"
	"errors"
	"iter"
	"strings"

	"github.com/ingot-forge/ingot/forge"
	"github.com/ingot-forge/ingot/forge/hosting"
	"github.com/ingot-forge/ingot/git"
	"github.com/ingot-forge/ingot/git/revision"
)

// Limits of what is resolved.
const (
	maxCandidates = 256     // ids that start alike, of which the actor may know some
	maxSearched   = 1 << 16 // commits that a search for a message looks at
	maxMovements  = 10_000  // of a ref, for its state at some time
)

const (
	heads = "refs/heads/"
	tags  = "refs/tags/"
)

// Commit returns the commit that a name leads to: a branch, a tag, an id or the
// start of one, a full name of a ref, or git's syntax for what is near one. A
// branch comes before a tag of the same name, as on GitHub. "" is HEAD. What
// is not there is NotFound; a repository without commits is Conflict.
func (v *View) Commit(ctx context.Context, name string) (git.ID, error) {
	id, err := v.find(ctx, name, revision.Commitish)
	if err != nil {
		return git.ID{}, err
	}
	return v.peel(ctx, id, git.KindCommit)
}

// Tree returns the tree that a name leads to: of a commit, or a tree's id.
func (v *View) Tree(ctx context.Context, name string) (git.ID, error) {
	id, err := v.find(ctx, name, revision.Treeish)
	if err != nil {
		return git.ID{}, err
	}
	return v.peel(ctx, id, git.KindTree)
}

func (v *View) find(ctx context.Context, name string, want revision.Want) (git.ID, error) {
	if v.Empty() {
		return git.ID{}, errEmpty()
	}
	if name == "" {
		name = "HEAD"
	}
	if id, err := v.Format.Parse(name); err == nil {
		return id, v.mustKnow(ctx, id, name)
	}
	for _, full := range []string{name, heads + name, tags + name, "refs/" + name} {
		if full == name && name != "HEAD" && !strings.HasPrefix(name, "refs/") {
			continue
		}
		if r, ok := v.snap.Ref(full); ok && v.shows(r.Name) {
			return r.Target, nil
		}
	}
	found, err := v.resolve(ctx, name, want, false)
	return found.ID, err
}

// shows reports whether a ref is one that callers may see.
func (v *View) shows(ref string) bool { return len(hosting.Refs(v.State(), ref, "", 1)) > 0 }

func (v *View) mustKnow(ctx context.Context, id git.ID, name string) error {
	known, err := v.IsKnown(ctx, id)
	if err == nil && !known {
		err = v.noCommit(name)
	}
	return err
}

func (v *View) noCommit(name string) error {
	return v.notFound("No commit found for SHA: %.200s", name)
}

// peel follows tags, and for a tree commits, to an object of a kind.
func (v *View) peel(ctx context.Context, id git.ID, want git.Kind) (git.ID, error) {
	for range maxTagDepth {
		kind, data, err := v.snap.Object(ctx, id)
		switch {
		case err != nil:
			return git.ID{}, err
		case kind == want:
			return id, nil
		case kind == git.KindTag:
			tag, err := git.ParseTag(v.Format, data)
			if err != nil {
				return git.ID{}, err
			}
			id = tag.Target
		case kind == git.KindCommit && want == git.KindTree:
			commit, err := git.ParseCommit(v.Format, data)
			if err != nil {
				return git.ID{}, err
			}
			id = commit.Tree
		default:
			return git.ID{}, v.noCommit(v.Hex(id))
		}
	}
	return git.ID{}, v.notFound("Too many tags of tags")
}

const maxTagDepth = 100 // as repo.MaxTagDepth

// Resolve is git rev-parse --verify: it returns what an expression of
// gitrevisions(7) stands for, the ref log included, with its kind. Malformed and
// ambiguous ones are Invalid; what is not there, or may not be known, is NotFound.
func (v *View) Resolve(ctx context.Context, expression string) (git.ID, git.Kind, error) {
	found, err := v.resolve(ctx, expression, revision.Any, true)
	if err != nil {
		return git.ID{}, 0, err
	}
	if found.Mode == git.ModeSubmodule {
		return found.ID, git.KindCommit, nil // of another repository
	}
	if err := v.mustKnow(ctx, found.ID, expression); err != nil {
		return git.ID{}, 0, err
	}
	kind, _, err := v.snap.Header(ctx, found.ID)
	return found.ID, kind, err
}

func (v *View) resolve(ctx context.Context, expression string, want revision.Want, log bool) (revision.Found, error) {
	commits, err := v.ancestry(ctx)
	if err != nil {
		return revision.Found{}, err
	}
	// The resolver takes whole ids on trust, and what it finds near them
	// would tell that they are stored.
	base, _, _ := strings.Cut(expression, "^")
	base, _, _ = strings.Cut(base, "~")
	base, _, _ = strings.Cut(base, ":")
	if id, err := v.Format.Parse(base); err == nil {
		if err := v.mustKnow(ctx, id, base); err != nil {
			return revision.Found{}, err
		}
	}
	r := revision.Resolver{Commits: commits, Names: &names{v, log}, MaxSearch: maxSearched, Now: v.Handle.Now,
		Kind: func(ctx context.Context, id git.ID) (git.Kind, error) {
			kind, _, err := v.snap.Header(ctx, id)
			return kind, err
		}}
	found, err := r.Resolve(ctx, expression, want)
	var ambiguous *revision.AmbiguousError
	switch {
	case errors.As(err, &ambiguous):
		return found, forge.Invalidf("rev", forge.CodeInvalid, "%.200q is ambiguous: several objects start with it", expression)
	case errors.Is(err, revision.ErrSyntax):
		return found, forge.Invalidf("rev", forge.CodeInvalid, "%.200q is not a revision", expression)
	case errors.Is(err, git.ErrNotFound), errors.Is(err, revision.ErrKind):
		return found, v.noCommit(expression)
	}
	return found, err
}

// names are what a view calls its objects, as far as the actor may know.
type names struct {
	*View
	log bool
}

func (n *names) Ref(_ context.Context, name string) (git.ID, string, bool, error) {
	r, ok := n.snap.Ref(name)
	if !ok || !n.shows(r.Name) {
		return git.ID{}, "", false, nil
	}
	return r.Target, r.Name, true, nil
}

func (n *names) Refs(context.Context) iter.Seq2[revision.Ref, error] {
	return func(yield func(revision.Ref, error) bool) {
		for r := range n.State().Refs.All() {
			if n.shows(r.Name) && !yield(revision.Ref{Name: r.Name, ID: r.Target}, nil) {
				return
			}
		}
	}
}

// Prefix returns only what the actor may know: what else starts with the same
// digits does not make them ambiguous.
func (n *names) Prefix(ctx context.Context, digits string) ([]git.ID, error) {
	ids, err := n.snap.Prefix(ctx, digits, maxCandidates)
	if err != nil {
		return nil, err
	}
	var known []git.ID
	for _, id := range ids {
		ok, err := n.IsKnown(ctx, id)
		if err != nil {
			return nil, err
		}
		if ok {
			known = append(known, id)
		}
	}
	return known, nil
}

func (n *names) Log(ctx context.Context, ref string) (iter.Seq2[revision.Movement, error], bool) {
	if r, ok := n.snap.Ref(ref); !n.log || !ok || !n.shows(r.Name) {
		return nil, false
	} else if ref == "HEAD" {
		return nil, false // what HEAD pointed to before is not kept
	}
	return func(yield func(revision.Movement, error) bool) {
		for before, seen := int64(0), 0; seen < maxMovements; {
			page, err := n.Handle.RefLog(ctx, ref, before, hosting.MaxPage)
			if err != nil {
				yield(revision.Movement{}, err)
				return
			}
			for _, m := range page {
				if !yield(revision.Movement{Old: m.Old, New: m.New, Seconds: m.Time.Unix()}, nil) {
					return
				}
				before = m.Seq
			}
			if seen += len(page); len(page) < hosting.MaxPage {
				return
			}
		}
	}, true
}

// Upstream is nothing: branches here follow no others.
func (n *names) Upstream(context.Context, string) (string, error) { return "", nil }
