package hosting

import (
	"context"
	"errors"
	"time"

	"github.com/ingot-forge/ingot/forge"
	"github.com/ingot-forge/ingot/git/repo"
)

// Edit changes a repository's description; nil fields stay.
type Edit struct {
	Name          *string
	Description   *string
	Private       *bool
	Archived      *bool
	DefaultBranch *string // an existing branch, unless the repository has none
}

// Edit changes a repository. An archived one must be brought back (Archived
// false) to change anything else. Two edits at once: one is a Conflict.
func (s *Service) Edit(ctx context.Context, actor *forge.Actor, owner, name string, e Edit) (*forge.Repository, error) {
	h, err := s.Open(ctx, actor, forge.Administer, owner, name)
	if err != nil {
		return nil, err
	}
	if h.Repository.Archived && (e.Archived == nil || *e.Archived) {
		return nil, forge.Deniedf(actor, "Repository was archived so is read-only")
	}
	next := *h.Repository
	changed, err := e.apply(&next)
	if err == nil && h.Repository.Private && !next.Private {
		err = s.mayPublish(ctx, &next)
	}
	if err != nil {
		return nil, err
	}
	// HEAD is the engine's, so it is a commit of its own, and comes first: it
	// is what may be refused for the repository's content.
	if e.DefaultBranch != nil && *e.DefaultBranch != next.DefaultBranch {
		if err := h.moveHead(ctx, *e.DefaultBranch); err != nil {
			return nil, err
		}
		next.DefaultBranch = *e.DefaultBranch
		next.Version++
	}
	if len(changed) == 0 {
		return &next, nil
	}
	next.Updated = s.now()
	if !next.Updated.After(h.Repository.Updated) {
		next.Updated = h.Repository.Updated.Add(time.Microsecond) // so that no two versions have the same
	}
	payload := forge.RepositoryEvent{Actor: who(actor), Action: actionOf(h.Repository, &next), Owner: next.Owner,
		Name: next.Name, Changed: changed}
	if next.Name != h.Repository.Name {
		payload.OldName = h.Repository.Name
	}
	err = s.stores.Repositories.UpdateRepository(ctx, &next, h.Repository.Updated, event(forge.EventRepository, payload))
	if errors.Is(err, forge.ErrNoRow) {
		return nil, forge.NoRepository(actor)
	}
	if err != nil {
		return nil, err
	}
	return &next, nil
}

// apply writes the fields that differ into r and names them.
func (e Edit) apply(r *forge.Repository) (changed []string, err error) {
	if e.Name != nil && *e.Name != r.Name {
		if err := forge.CheckRepositoryName(*e.Name); err != nil {
			return nil, err
		}
		r.Name = *e.Name
		changed = append(changed, "name")
	}
	if e.Description != nil && *e.Description != r.Description {
		if err := checkDescription(*e.Description); err != nil {
			return nil, err
		}
		r.Description = *e.Description
		changed = append(changed, "description")
	}
	if e.Private != nil && *e.Private != r.Private {
		r.Private = *e.Private
		changed = append(changed, "private")
	}
	if e.Archived != nil && *e.Archived != r.Archived {
		r.Archived = *e.Archived
		changed = append(changed, "archived")
	}
	if e.DefaultBranch != nil {
		return changed, checkBranch(*e.DefaultBranch)
	}
	return changed, nil
}

// actionOf is GitHub's word for an edit; of several changes the weightiest.
func actionOf(old, next *forge.Repository) string {
	switch {
	case old.Private && !next.Private:
		return "publicized"
	case !old.Private && next.Private:
		return "privatized"
	case !old.Archived && next.Archived:
		return "archived"
	case old.Archived && !next.Archived:
		return "unarchived"
	case old.Name != next.Name:
		return "renamed"
	}
	return "edited"
}

// moveHead points HEAD at another branch.
func (h *Handle) moveHead(ctx context.Context, branch string) error {
	snap, err := h.Snapshot(ctx)
	if err != nil {
		return err
	}
	defer snap.Close()
	state := snap.State()
	if _, ok := snap.Ref(branches + branch); !ok && len(Refs(state, branches, "", 1)) > 0 {
		return forge.Invalidf("default_branch", forge.CodeInvalid, "The branch %s was not found", branch)
	}
	payload := forge.RepositoryEvent{Actor: who(h.Actor), Action: "edited", Owner: h.Repository.Owner, Name: h.Repository.Name,
		Changed: []string{"default_branch"}}
	_, err = h.service.stores.Git.Store.Commit(ctx, &repo.Change{Repository: repo.ID(h.Repository.ID), Who: h.Actor.Login(),
		Why: "default branch", Time: h.service.now(), Head: &repo.HeadUpdate{Old: state.Head, New: branches + branch},
		Event: event(forge.EventRepository, payload)})
	return explainCommit(h.Actor, state.Format, err)
}

// Delete removes a repository for good.
func (s *Service) Delete(ctx context.Context, actor *forge.Actor, owner, name string) error {
	h, err := s.Open(ctx, actor, forge.Delete, owner, name)
	if err != nil {
		return err
	}
	return s.remove(ctx, actor, h.Repository, false)
}

func (s *Service) remove(ctx context.Context, actor *forge.Actor, r *forge.Repository, unused bool) error {
	err := s.stores.Repositories.DeleteRepository(ctx, r.ID, unused, s.now(), event(forge.EventRepository,
		forge.RepositoryEvent{Actor: who(actor), Action: "deleted", Owner: r.Owner, Name: r.Name}))
	if errors.Is(err, forge.ErrNoRow) {
		return forge.NoRepository(actor)
	}
	return err
}
