package hosting

import (
	"context"

	"github.com/ingot-forge/ingot/forge"
	"github.com/ingot-forge/ingot/git/repo"
)

// RenameBranch gives a branch another name, in one step with HEAD if it is the default
// branch; that takes a role that may Administer. The handle was opened for forge.Push. A name that is in
// use is Invalid, a branch that was moved meanwhile Conflict.
func (h *Handle) RenameBranch(ctx context.Context, snap *repo.Snapshot, old, name string) error {
	if err := h.needPush(); err != nil {
		return err
	}
	if err := checkBranch(name); err != nil {
		return forge.Invalidf("new_name", forge.CodeInvalid, "new_name is not a valid name of a branch")
	}
	was, there := snap.Ref(branches + old)
	if !there {
		return forge.NotFoundf(h.Actor, "Branch not found")
	}
	if _, taken := snap.Ref(branches + name); taken {
		return forge.Invalidf("new_name", forge.CodeAlreadyExists, "Branch %s exists already", name)
	}
	// The old name goes first: the new one may lie below it.
	moves := []repo.RefUpdate{{Name: branches + old, Old: was.Target}, {Name: branches + name, New: was.Target}}
	state := snap.State()
	change := &repo.Change{Repository: repo.ID(h.Repository.ID), Refs: moves, Who: h.Actor.Login(), Why: "rename", Time: h.service.now(),
		Event: pushEvent(h.Actor, state.Format, moves, nil, nil)}
	if state.Head == branches+old {
		if _, err := h.service.OpenID(ctx, h.Actor, forge.Administer, h.Repository.ID); err != nil {
			return err
		}
		change.Head = &repo.HeadUpdate{Old: state.Head, New: branches + name}
	}
	if _, _, err := h.service.stores.Git.Store.Peel(ctx, snap, nil, was.Target); err != nil {
		return err
	}
	_, err := h.service.stores.Git.Store.Commit(ctx, change)
	return explainCommit(h.Actor, state.Format, err)
}
