// Package code is what a repository holds, as people and programs work with it:
// files and directories at a commit, lists of commits, what a commit changed, how
// two branches compare, who wrote a line; and making commits out of edits.
//
// A View is a repository at one moment, opened by an actor who passed
// hosting.Open. Everything that takes an id from outside asks first whether the
// refs reach it: an object that is merely stored is answered like one that never
// was (docs/decisions/0021-forks.md). What is written goes through
// hosting.Handle.Commit, like a push.
package code

import (
	"context"
	"errors"

	"github.com/ingot-forge/ingot/forge"
	"github.com/ingot-forge/ingot/forge/hosting"
	"github.com/ingot-forge/ingot/git"
	"github.com/ingot-forge/ingot/git/ancestry"
	"github.com/ingot-forge/ingot/git/history"
	"github.com/ingot-forge/ingot/git/repo"
)

// View is a repository at one moment. It serves one goroutine.
type View struct {
	Handle *hosting.Handle
	Format git.Format

	snap    *repo.Snapshot
	known   *history.Known
	commits *ancestry.Commits
	turns   int // how many parts of the work lean on the one turn that it holds
	end     func()
}

// Open opens what the repository of a handle holds, as of now. The caller closes it.
func Open(ctx context.Context, h *hosting.Handle) (*View, error) {
	snap, err := h.Snapshot(ctx)
	if err != nil {
		return nil, err
	}
	return &View{Handle: h, Format: snap.State().Format, snap: snap}, nil
}

// Close ends the use of the view.
func (v *View) Close() { v.snap.Close() }

// Snapshot is what the view looks at.
func (v *View) Snapshot() *repo.Snapshot { return v.snap }

// State returns refs and HEAD.
func (v *View) State() *repo.State { return v.snap.State() }

// Hex writes an id.
func (v *View) Hex(id git.ID) string { return v.Format.Hex(id) }

// Empty reports whether there is no branch or tag at all.
func (v *View) Empty() bool { return len(hosting.Refs(v.State(), "refs/", "", 1)) == 0 }

// Turn waits until the actor may do heavy work, as hosting.Handle.Turn does. A view holds
// one turn at most, whatever calls what: who waits for a second one may hold up itself.
func (v *View) Turn(ctx context.Context) (done func(), err error) {
	if v.turns == 0 {
		if v.end, err = v.Handle.Turn(ctx); err != nil {
			return nil, err
		}
	}
	v.turns++
	return func() {
		if v.turns--; v.turns == 0 {
			v.end()
		}
	}, nil
}

// IsKnown reports whether the actor may know the objects of these ids: all of them are reached by refs.
func (v *View) IsKnown(ctx context.Context, ids ...git.ID) (bool, error) {
	done, err := v.Turn(ctx) // it may walk all of history
	if err != nil {
		return false, err
	}
	defer done()
	if v.known == nil {
		if v.known, err = v.Handle.Known(ctx, v.snap); err != nil {
			return false, err
		}
	}
	missing, err := v.known.Missing(ctx, ids, nil)
	return err == nil && len(missing) == 0, err
}

// ancestry returns the commits of the view.
func (v *View) ancestry(ctx context.Context) (*ancestry.Commits, error) {
	if v.commits == nil {
		graph, err := v.snap.Graph(ctx)
		if err != nil {
			return nil, err
		}
		v.commits = ancestry.New(v.snap, v.Format, graph)
	}
	return v.commits, nil
}

// Object reads an object that a caller names by its id; one that it may not know
// is NotFound, as one of another kind is.
func (v *View) Object(ctx context.Context, id git.ID, kind git.Kind) ([]byte, error) {
	if _, err := v.Size(ctx, id, kind); err != nil {
		return nil, err
	}
	_, data, err := v.snap.Object(ctx, id)
	return data, err
}

// Size returns the size of an object that a caller names by its id; it fails as Object does.
func (v *View) Size(ctx context.Context, id git.ID, kind git.Kind) (int64, error) {
	known, err := v.IsKnown(ctx, id)
	if err != nil {
		return 0, err
	}
	if !known {
		return 0, v.notFound("No %s found for SHA", kind)
	}
	is, size, err := v.snap.Header(ctx, id)
	if err == nil && is != kind {
		err = v.notFound("No %s found for SHA", kind)
	}
	return size, err
}

// commit reads a commit that was found by walking from a known one.
func (v *View) commit(ctx context.Context, id git.ID) (*git.Commit, error) {
	kind, data, err := v.snap.Object(ctx, id)
	if err != nil {
		return nil, err
	}
	if kind != git.KindCommit {
		return nil, errors.New(v.Hex(id) + " is no commit")
	}
	return git.ParseCommit(v.Format, data)
}

func (v *View) notFound(format string, args ...any) error {
	return forge.NotFoundf(v.Handle.Actor, format, args...)
}

// errEmpty is GitHub's answer about a repository that nothing was pushed to.
func errEmpty() error {
	return &forge.Error{Kind: forge.Conflict, Message: "Git Repository is empty."}
}

func isNotFound(err error) bool { return forge.KindOf(err) == forge.NotFound }
