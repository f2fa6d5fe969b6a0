package hosting

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/ingot-forge/ingot/forge"
	"github.com/ingot-forge/ingot/git"
	"github.com/ingot-forge/ingot/git/history"
	"github.com/ingot-forge/ingot/git/repo"
)

// Snapshot opens what the repository holds, as of now. The caller closes it.
func (h *Handle) Snapshot(ctx context.Context) (*repo.Snapshot, error) {
	snap, err := h.service.stores.Git.Store.Snapshot(ctx, repo.ID(h.Repository.ID))
	if errors.Is(err, repo.ErrNoRepository) { // deleted since it was opened
		return nil, forge.NoRepository(h.Actor)
	}
	return snap, err
}

// Known returns what the actor may read of snap by its id: what the refs that it may see
// reach, and what was made lately by itself (see Keep). That an object is stored means nothing: see docs/decisions/0021-forks.md.
func (h *Handle) Known(ctx context.Context, snap *repo.Snapshot) (*history.Known, error) {
	return h.service.stores.Git.Reached(ctx, snap, unreadable)
}

// Ingest takes a pack in for a later Commit. The handle was opened for
// forge.Push.
func (h *Handle) Ingest(ctx context.Context, snap *repo.Snapshot,
	r io.Reader, o repo.IngestOptions) (*repo.Staged, error) {
	if err := h.needPush(); err != nil {
		return nil, err
	}
	if o.Unknown == nil {
		o.Unknown = h.service.stores.Git.Unknown(snap)
	}
	return h.service.stores.Git.Store.Ingest(ctx, snap, r, o)
}

// needPush keeps a handle that was opened for less from writing.
func (h *Handle) needPush() error {
	if h.Action != forge.Push {
		return fmt.Errorf("repository %d was opened to %s, not to push", h.Repository.ID, h.Action)
	}
	return nil
}

// Commit moves refs, making a staged pack (may be nil) part of the repository,
// with a push event as if they had been pushed. snap is what the caller worked
// from. why goes to the ref log. The handle was opened for forge.Push. A ref that
// is not at its Old is Conflict; a name or a target that cannot be is Invalid.
// After an error, save repo.ErrUnknown, the caller discards staged.
func (h *Handle) Commit(ctx context.Context, snap *repo.Snapshot,
	refs []repo.RefUpdate, staged *repo.Staged, why string) (version int64, err error) {
	if err := h.needPush(); err != nil {
		return 0, err
	}
	if err := h.checkTargets(ctx, snap, staged, refs); err != nil {
		return 0, err
	}
	return h.commit(ctx, snap, refs, staged, why)
}

// commit is Commit for targets that are known to be kept.
func (h *Handle) commit(ctx context.Context, snap *repo.Snapshot,
	refs []repo.RefUpdate, staged *repo.Staged, why string) (version int64, err error) {
	store := h.service.stores.Git.Store
	moves := make([]repo.RefUpdate, len(refs))
	for i, u := range refs {
		if u.Peeled, err = h.checkMove(ctx, snap, staged, u); err != nil {
			return 0, err
		}
		moves[i] = u
	}
	change := &repo.Change{Repository: repo.ID(h.Repository.ID), Refs: moves, Who: h.Actor.Login(), Why: why,
		Time: h.service.now(), Event: pushEvent(h.Actor, snap.State().Format, moves, nil, nil)}
	if staged != nil {
		change.Add = []repo.Pack{staged.Pack}
	}
	version, err = store.Commit(ctx, change)
	if err == nil && staged != nil {
		h.service.notePush(h.Repository.ID, len(snap.State().Packs))
	}
	return version, explainCommit(h.Actor, snap.State().Format, err)
}

// checkTargets refuses targets that are neither brought along nor reached by the refs there
// are: of those it is not told whether they are stored.
func (h *Handle) checkTargets(ctx context.Context, snap *repo.Snapshot, staged *repo.Staged, refs []repo.RefUpdate) error {
	var targets []git.ID
	for _, u := range refs {
		if !u.New.IsZero() {
			targets = append(targets, u.New)
		}
	}
	unmet, err := h.service.stores.Git.Unmet(ctx, snap, staged, targets)
	if err == nil && len(unmet) > 0 {
		err = errNoObject()
	}
	return err
}

func errNoObject() error {
	return forge.Invalidf("sha", forge.CodeMissing, "Object does not exist")
}

// checkMove checks name and target of one update and peels it.
func (h *Handle) checkMove(ctx context.Context, snap *repo.Snapshot, staged *repo.Staged,
	u repo.RefUpdate) (peeled git.ID, err error) {
	if err := git.CheckRefName(u.Name); err != nil {
		return git.ID{}, forge.Invalidf("ref", forge.CodeInvalid, "%s", err)
	}
	if hidden(u.Name) {
		return git.ID{}, forge.Deniedf(h.Actor, "Reference %q is the server's own", u.Name)
	}
	if u.New.IsZero() {
		if u.Name == snap.State().Head {
			return git.ID{}, forge.Invalidf("ref", forge.CodeInvalid, "The default branch cannot be deleted")
		}
		return git.ID{}, nil
	}
	peeled, kind, err := h.service.stores.Git.Store.Peel(ctx, snap, staged, u.New)
	switch {
	case errors.Is(err, git.ErrNotFound):
		return git.ID{}, errNoObject()
	case err != nil:
		return git.ID{}, err
	case strings.HasPrefix(u.Name, branches) && (kind != git.KindCommit || !peeled.IsZero()):
		return git.ID{}, forge.Invalidf("sha", forge.CodeInvalid, "A branch must point to a commit")
	}
	return peeled, nil
}

// explainCommit turns the engine's reasons against a commit into the core's.
func explainCommit(actor *forge.Actor, f git.Format, err error) error {
	var conflict *repo.Conflict
	switch {
	case errors.As(err, &conflict) && len(conflict.Refs) > 0:
		r := conflict.Refs[0]
		if r.Blocker != "" {
			return forge.Conflictf("ref", forge.CodeInvalid, "Reference %q cannot be beside %q", r.Name, r.Blocker)
		}
		return forge.Conflictf("ref", forge.CodeInvalid, "Reference %q is at %s, not at %s",
			r.Name, f.Hex(r.Actual), f.Hex(r.Expected))
	case errors.Is(err, repo.ErrOutOfDate):
		return forge.Conflictf("", "", "Repository has changed meanwhile")
	case errors.Is(err, repo.ErrNoRepository):
		return forge.NoRepository(actor)
	}
	return err
}

// pushEvent makes the event of refs that moved together.
func pushEvent(actor *forge.Actor, f git.Format, moved []repo.RefUpdate, options []string, certificate []byte) *repo.Event {
	e := forge.PushEvent{Actor: who(actor), Options: options, Certificate: string(certificate),
		Refs: make([]forge.RefChange, len(moved))}
	for i, u := range moved {
		e.Refs[i] = forge.RefChange{Name: u.Name, Old: f.Hex(u.Old), New: f.Hex(u.New)}
	}
	return event(forge.EventPush, e)
}

// RefLog returns up to limit movements of a ref, or of all refs when ref is
// "", newest first: those with a Seq below before, unless that is 0.
func (h *Handle) RefLog(ctx context.Context, ref string, before int64, limit int) ([]repo.Movement, error) {
	limit = Page{Limit: limit}.limit()
	log := make([]repo.Movement, 0, limit)
	for {
		page, err := h.service.stores.RefLog.RefLog(ctx, repo.ID(h.Repository.ID), ref, before, MaxPage)
		if errors.Is(err, repo.ErrNoRepository) {
			return nil, forge.NoRepository(h.Actor)
		}
		if err != nil {
			return nil, err
		}
		for _, m := range page {
			before = m.Seq
			if !hidden(m.Ref) {
				log = append(log, m)
			}
			if len(log) == limit {
				return log, nil
			}
		}
		if len(page) < MaxPage {
			return log, nil
		}
	}
}

// Events returns up to limit events of the repository with Seq greater than
// after, ascending.
func (h *Handle) Events(ctx context.Context, after int64, limit int) ([]forge.Event, error) {
	return h.service.stores.Events.ListEvents(ctx, h.Repository.ID, after, Page{Limit: limit}.limit())
}

const branches = "refs/heads/"

// Refs returns up to limit refs of a state whose full names start with prefix,
// such as "refs/heads/" or "refs/tags/v1.", in order of name, that come after the
// full name after ("" for the first).
func Refs(state *repo.State, prefix, after string, limit int) []repo.Ref {
	var found []repo.Ref
	from := prefix
	if after >= prefix {
		from = after + "\x00" // the name that comes next
	}
	for r := range state.Refs.From(from) {
		if len(found) >= limit || !strings.HasPrefix(r.Name, prefix) {
			break
		}
		if !hidden(r.Name) {
			found = append(found, r)
		}
	}
	return found
}
