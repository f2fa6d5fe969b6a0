package code

import (
	"context"
	"strings"
	"time"

	"github.com/ingot-forge/ingot/forge"
	"github.com/ingot-forge/ingot/git"
	"github.com/ingot-forge/ingot/git/repo"
)

// CreateRef makes a ref by its full name.
func (v *View) CreateRef(ctx context.Context, name string, target git.ID) error {
	if !strings.HasPrefix(name, "refs/") || strings.Count(name, "/") < 2 {
		return forge.Invalidf("ref", forge.CodeInvalid, "Reference name must start with 'refs/' and have at least two slashes")
	}
	if _, there := v.snap.Ref(name); there && v.shows(name) {
		return &forge.Error{Kind: forge.Invalid, Message: "Reference already exists"}
	}
	if err := v.move(ctx, repo.RefUpdate{Name: name, New: target}, "create"); err != nil {
		return err
	}
	return v.reopen(ctx)
}

// UpdateRef moves a ref. Without force its old commit has to be an ancestor of the new one.
func (v *View) UpdateRef(ctx context.Context, name string, target git.ID, force bool) error {
	r, there := v.snap.Ref(name)
	if !there || name == "HEAD" || !v.shows(name) {
		return errNoRef()
	}
	if !force && r.Target != target {
		if known, err := v.IsKnown(ctx, target); err != nil {
			return err
		} else if !known {
			return forge.Invalidf("sha", forge.CodeMissing, "Object does not exist")
		}
		forward, err := v.isForward(ctx, r.Target, target)
		if err != nil {
			return err
		}
		if !forward {
			return &forge.Error{Kind: forge.Invalid, Message: "Update is not a fast forward"}
		}
	}
	if err := v.move(ctx, repo.RefUpdate{Name: name, Old: r.Target, New: target}, "update"); err != nil {
		return err
	}
	return v.reopen(ctx)
}

// isForward reports whether both are commits, and the new one comes after the old.
func (v *View) isForward(ctx context.Context, old, next git.ID) (bool, error) {
	for _, id := range []git.ID{old, next} {
		if kind, _, err := v.snap.Header(ctx, id); err != nil || kind != git.KindCommit {
			return false, err
		}
	}
	commits, err := v.ancestry(ctx)
	if err != nil {
		return false, err
	}
	nodes, err := commits.FindAll(ctx, []git.ID{old, next})
	if err != nil {
		return false, err
	}
	return commits.IsAncestor(ctx, nodes[0], nodes[1])
}

// DeleteRef removes a ref.
func (v *View) DeleteRef(ctx context.Context, name string) error {
	r, there := v.snap.Ref(name)
	if !there || name == "HEAD" || !v.shows(name) {
		return errNoRef()
	}
	return v.move(ctx, repo.RefUpdate{Name: name, Old: r.Target}, "delete")
}

func errNoRef() error { return &forge.Error{Kind: forge.Invalid, Message: "Reference does not exist"} }

func (v *View) move(ctx context.Context, u repo.RefUpdate, why string) error {
	_, err := v.Handle.Commit(ctx, v.snap, []repo.RefUpdate{u}, nil, why)
	return err
}

// RenameBranch gives a branch another name; HEAD goes along.
func (v *View) RenameBranch(ctx context.Context, old, name string) error {
	if _, there := v.snap.Ref(heads + old); !there {
		return v.notFound("Branch not found")
	}
	if err := v.Handle.RenameBranch(ctx, v.snap, old, name); err != nil {
		return err
	}
	return v.reopen(ctx)
}

// Restore points a ref at what it was at a time: see hosting.Handle.Restore.
func (v *View) Restore(ctx context.Context, ref string, at time.Time) (git.ID, error) {
	id, err := v.Handle.Restore(ctx, v.snap, ref, at)
	if err != nil {
		return id, err
	}
	return id, v.reopen(ctx)
}
