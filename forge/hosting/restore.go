package hosting

import (
	"context"
	"time"

	"github.com/ingot-forge/ingot/forge"
	"github.com/ingot-forge/ingot/git"
	"github.com/ingot-forge/ingot/git/repo"
)

// maxRestored bounds the movements that are looked through for what a ref was.
const maxRestored = 100_000

// Restore points a ref, deleted or not, at what it pointed to at a time, by the ref log. What
// no ref reaches any more is restored only as long as it is kept for certain:
// after that it is Conflict. A time at which the ref was not there is Invalid. The
// handle was opened for forge.Push.
func (h *Handle) Restore(ctx context.Context, snap *repo.Snapshot, ref string, at time.Time) (git.ID, error) {
	if err := h.needPush(); err != nil {
		return git.ID{}, err
	}
	was, left, err := h.valueAt(ctx, ref, at)
	if err != nil {
		return git.ID{}, err
	}
	now, _ := snap.Ref(ref)
	if was.IsZero() {
		return git.ID{}, forge.Invalidf("at", forge.CodeInvalid, "There was no %.200q then", ref)
	}
	if now.Target == was {
		return was, nil
	}
	move := []repo.RefUpdate{{Name: ref, Old: now.Target, New: was}}
	if err := h.checkTargets(ctx, snap, nil, move); err != nil {
		// See docs/decisions/0017-pruning.md: what a ref had within twice Grace is
		// there with all that it reaches. One Grace is left for this commit.
		if kept := h.service.stores.Git.Store.Grace(); forge.KindOf(err) != forge.Invalid || h.service.now().Sub(left) >= kept {
			if forge.KindOf(err) == forge.Invalid {
				err = forge.Conflictf("", "", "What %.200q was then is not kept any more", ref)
			}
			return git.ID{}, err
		}
	}
	_, err = h.commit(ctx, snap, move, nil, "restore")
	return was, err
}

// valueAt returns what a ref was at a time, and when it last left that value.
func (h *Handle) valueAt(ctx context.Context, ref string, at time.Time) (was git.ID, left time.Time, err error) {
	var later []repo.Movement
	for before := int64(0); len(later) < maxRestored; {
		page, err := h.RefLog(ctx, ref, before, MaxPage)
		if err != nil {
			return was, left, err
		}
		for _, m := range page {
			if !m.Time.After(at) {
				return m.New, lastLeft(later, m.New), nil
			}
			later = append(later, m)
			before = m.Seq
		}
		if len(page) < MaxPage {
			return was, left, nil
		}
	}
	return was, left, nil
}

// lastLeft returns when the newest of some movements, newest first, left a value.
func lastLeft(movements []repo.Movement, value git.ID) time.Time {
	for _, m := range movements {
		if m.Old == value {
			return m.Time
		}
	}
	return time.Time{}
}
