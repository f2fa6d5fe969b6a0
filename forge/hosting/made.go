package hosting

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/ingot-forge/ingot/forge"
	"github.com/ingot-forge/ingot/git"
	"github.com/ingot-forge/ingot/git/repo"
)

// Objects can be made one by one, as GitHub's API does it: blobs, then a tree of
// them, then a commit of the tree, and a branch at last. Until then no branch
// reaches them, so nobody may know them, nor would they be kept. So each has a
// ref of the server's own, "refs/ingot/made/<day>/<id>": neither listed nor
// fetched nor copied to forks, but what it reaches may be read by its id and be
// built upon. See docs/decisions/0026-code.md.
const made = own + "made/"

const (
	// madeFor is how many days an object that was made by itself is kept for the branch to come.
	madeFor = 7
	// madeSwept is how many refs that are older one call removes: more than it adds.
	madeSwept = 64
	// madeTries bounds how often what lost a race is tried again.
	madeTries = 5
)

// unreadable reports the refs that do not count for who reads by id.
func unreadable(name string) bool { return hidden(name) && !strings.HasPrefix(name, made) }

// Stage takes in objects that were made here, for a later Commit or Keep. They may
// lean on what the repository's refs reach, and on each other. nil: there was
// nothing new. The handle was opened for forge.Push.
func (h *Handle) Stage(ctx context.Context, snap *repo.Snapshot, objects git.Memory) (*repo.Staged, error) {
	if err := h.needPush(); err != nil {
		return nil, err
	}
	git := h.service.stores.Git
	return git.Store.Stage(ctx, snap, objects, repo.IngestOptions{Unknown: git.Unknown(snap)})
}

// Discard gives up what was staged; nil is nothing.
func (h *Handle) Discard(ctx context.Context, staged *repo.Staged) error {
	if staged == nil {
		return nil
	}
	return staged.Discard(context.WithoutCancel(ctx))
}

// Preview returns snap with staged, which may be nil, as part of it: see repo.Store.Preview.
func (h *Handle) Preview(ctx context.Context, snap *repo.Snapshot, staged *repo.Staged) (*repo.Snapshot, func(), error) {
	return h.service.stores.Git.Store.Preview(ctx, snap, staged)
}

// Keep makes a staged object, with all that it brings along, part of the
// repository without a branch or tag: for some days it may be read by its id and
// be built upon. staged may be nil if the object is reachable already. The
// handle was opened for forge.Push. Whatever happens, staged is dealt with.
func (h *Handle) Keep(ctx context.Context, snap *repo.Snapshot, staged *repo.Staged, id git.ID) error {
	if err := h.needPush(); err != nil {
		return err
	}
	err := h.checkTargets(ctx, snap, staged, []repo.RefUpdate{{New: id}})
	if err == nil {
		err = h.keep(ctx, snap, staged, id)
	}
	if err == nil || errors.Is(err, repo.ErrUnknown) {
		return err
	}
	return errors.Join(explainCommit(h.Actor, snap.State().Format, err), h.Discard(ctx, staged))
}

func (h *Handle) keep(ctx context.Context, snap *repo.Snapshot, staged *repo.Staged, id git.ID) error {
	store := h.service.stores.Git.Store
	peeled, _, err := store.Peel(ctx, snap, staged, id)
	if err != nil {
		return err
	}
	day := h.service.now().Unix() / (24 * 60 * 60)
	name := fmt.Sprintf("%s%d/%s", made, day, snap.State().Format.Hex(id))
	state := snap.State()
	for try := 0; ; try++ {
		change := &repo.Change{Repository: repo.ID(h.Repository.ID), Who: h.Actor.Login(), Why: "made", Time: h.service.now()}
		if _, there := state.Refs.Find(name); there && staged == nil {
			return nil
		} else if !there {
			change.Refs = append(change.Refs, repo.RefUpdate{Name: name, New: id, Peeled: peeled})
		}
		if staged != nil {
			change.Add = []repo.Pack{staged.Pack}
		}
		if try == 0 { // who sweeps with others at once loses the race
			change.Refs = append(change.Refs, outlived(state, day-madeFor)...)
		}
		_, err := store.Commit(ctx, change)
		var conflict *repo.Conflict
		if !errors.As(err, &conflict) || try == madeTries {
			if err == nil && staged != nil {
				h.service.notePush(h.Repository.ID, len(snap.State().Packs))
			}
			return err
		}
		now, err := h.Snapshot(ctx)
		if err != nil {
			return err
		}
		state = now.State()
		now.Close()
	}
}

// outlived removes some refs of objects that were made before a day.
func outlived(state *repo.State, day int64) []repo.RefUpdate {
	var old []repo.RefUpdate
	for r := range state.Refs.Prefix(made) {
		of, _, _ := strings.Cut(r.Name[len(made):], "/")
		if n, err := strconv.ParseInt(of, 10, 64); err != nil || n >= day || len(old) == madeSwept {
			break // days have five digits until 2243, so they ascend
		}
		old = append(old, repo.RefUpdate{Name: r.Name, Old: r.Target})
	}
	return old
}

// Turn waits until the actor may do heavy work on the repository: reading, or
// writing if the handle was opened for forge.Push. done ends it. Exhausted if it takes
// too long.
func (h *Handle) Turn(ctx context.Context) (done func(), err error) {
	if h.Action == forge.Push {
		return h.service.pushes.take(ctx, h.Actor)
	}
	return h.service.fetches.take(ctx, h.Actor)
}

// Now is the time by the service's clock, to the microsecond.
func (h *Handle) Now() time.Time { return h.service.now() }
