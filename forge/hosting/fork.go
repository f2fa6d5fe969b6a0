package hosting

import (
	"context"
	"errors"
	"fmt"

	"github.com/ingot-forge/ingot/forge"
)

// ForkOptions say what a fork is to be.
type ForkOptions struct {
	Owner string // "": the actor
	// Name, if empty, is that of the parent, with a number behind it ("-1") if the owner has
	// that in use for something else.
	Name              string
	DefaultBranchOnly bool
}

// forkNames bounds the numbers tried.
const forkNames = 100

// Fork makes a repository that has what another one has, for the price of its
// rows in the catalogue: they share the packs. From then on neither sees what is
// done in the other. The actor must be allowed to read the one and to create the
// other, which is private if its parent is. Where the owner has a fork of that parent
// already, that one is returned. All of it becomes visible at once or not at all.
//
// A parent without branches is Denied. The own repository can be forked under another name only.
func (s *Service) Fork(ctx context.Context, actor *forge.Actor, owner, name string, o ForkOptions) (*forge.Repository, error) {
	h, err := s.Open(ctx, actor, forge.Read, owner, name)
	if err != nil {
		return nil, err
	}
	if o.Owner == "" {
		o.Owner = actor.Login()
	}
	user, err := s.owner(ctx, actor, o.Owner)
	if err != nil {
		return nil, err
	}
	if err := forge.PermitUser(actor, forge.CreateRepository, user.ID, h.Repository.Private, s.clock()); err != nil {
		return nil, err
	}
	if there, err := s.forkOf(ctx, h.Repository, user); there != nil || err != nil {
		return there, err
	}
	parent := h.Repository
	switch {
	case o.Name != "":
		if err := forge.CheckRepositoryName(o.Name); err != nil {
			return nil, err
		}
	case user.ID == parent.OwnerID:
		return nil, forge.Invalidf("name", forge.CodeMissingField, "A fork of an own repository needs a name of its own")
	}
	if err := h.mayFork(ctx, o); err != nil {
		return nil, err
	}
	return s.fork(ctx, h, user, o)
}

// fork makes a fork that the actor may make.
func (s *Service) fork(ctx context.Context, h *Handle, owner *forge.User, o ForkOptions) (*forge.Repository, error) {
	parent, numbered := h.Repository, o.Name == ""
	name := o.Name
	if numbered {
		name = parent.Name
	}
	for n := 1; ; n++ {
		if err := forge.CheckRepositoryName(name); err != nil {
			return nil, err // a number has made it too long
		}
		made, err := s.stores.Repositories.CreateRepository(ctx, New{OwnerID: owner.ID, Name: name, Description: parent.Description,
			Created: s.now(), Fork: &Forking{Parent: parent.ID, DefaultBranchOnly: o.DefaultBranchOnly, Event: event(forge.EventFork,
				forge.ForkEvent{Actor: who(h.Actor), Owner: owner.Login, Name: name})}},
			event(forge.EventRepository, forge.RepositoryEvent{Actor: who(h.Actor), Action: "created", Owner: owner.Login, Name: name}))
		var problem *forge.Error
		switch {
		case err == nil:
			return made, nil
		case errors.Is(err, forge.ErrNoRow): // deleted since it was opened
			return nil, forge.NoRepository(h.Actor)
		case !errors.As(err, &problem) || problem.Kind != forge.Conflict || len(problem.Fields) == 0:
			return nil, err
		case problem.Fields[0].Field == "parent": // another was faster
			there, findErr := s.forkOf(ctx, parent, owner)
			if there == nil && findErr == nil {
				return nil, err
			}
			return there, findErr
		case !numbered || n == forkNames:
			return nil, err
		}
		name = fmt.Sprintf("%s-%d", parent.Name, n)
	}
}

// forkOf returns the fork of a repository that an owner has, or nil.
func (s *Service) forkOf(ctx context.Context, parent *forge.Repository, owner *forge.User) (*forge.Repository, error) {
	found, err := s.stores.Repositories.ListRepositories(ctx, Listing{Owner: owner.ID, Parent: parent.ID, All: true, Limit: 1})
	if err != nil || len(found) == 0 {
		return nil, err
	}
	return found[0], nil
}

// mayFork refuses what there is nothing to fork of.
func (h *Handle) mayFork(ctx context.Context, o ForkOptions) error {
	snap, err := h.Snapshot(ctx)
	if err != nil {
		return err
	}
	defer snap.Close()
	if len(Refs(snap.State(), branches, "", 1)) == 0 {
		return forge.Deniedf(h.Actor, "The repository exists, but it contains no Git content. Empty repositories cannot be forked.")
	}
	if _, ok := snap.Ref("HEAD"); !ok && o.DefaultBranchOnly {
		return forge.Invalidf("default_branch_only", forge.CodeInvalid, "The repository's default branch does not exist")
	}
	return nil
}

// mayPublish keeps a fork of a private repository private: whoever may read that
// one has not been allowed to show it to all.
func (s *Service) mayPublish(ctx context.Context, r *forge.Repository) error {
	if r.Parent == 0 {
		return nil
	}
	parent, _, err := s.stores.Repositories.FindRepository(ctx, Which{ID: r.Parent}, 0)
	if errors.Is(err, forge.ErrNoRow) {
		return nil
	}
	if err == nil && parent.Private {
		err = forge.Invalidf("private", forge.CodeInvalid, "A fork of a private repository cannot be made public")
	}
	return err
}

// ListForks returns the direct forks of a repository that the actor may see,
// oldest first unless newest is set; then Page.After means those before.
func (s *Service) ListForks(ctx context.Context, actor *forge.Actor, owner, name string, newest bool, p Page) ([]*forge.Repository, error) {
	h, err := s.Open(ctx, actor, forge.Read, owner, name)
	if err != nil {
		return nil, err
	}
	return s.list(ctx, actor, Listing{Parent: h.Repository.ID, Newest: newest}, p)
}

// CountForks counts the direct forks of a repository, which the actor was let into, and the
// members of its network but the first: of both those that the actor's user may see.
func (s *Service) CountForks(ctx context.Context, actor *forge.Actor, r *forge.Repository) (forks, network int, err error) {
	return s.stores.Forks.CountForks(ctx, r, actor.UserID(), actor.IsAdmin())
}
