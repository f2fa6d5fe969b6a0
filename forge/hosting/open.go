package hosting

import (
	"context"
	"errors"
	"strings"

	"github.com/ingot-forge/ingot/forge"
)

// Handle is a repository that an actor was let into for an action. It holds
// nothing that needs closing, and is not for keeping: what was allowed a while
// ago may not be now.
type Handle struct {
	Repository *forge.Repository // as it was when opened; read only
	Role       forge.Role        // the actor's, as far as its credential lets it count
	Actor      *forge.Actor
	Action     forge.Action

	service *Service
}

// Open is the gate: it decides whether actor may do action (one of those on a
// repository) here. name may end in ".git". The error is
// NotFound for what the actor may not see, and Denied for what it may see but
// not do.
func (s *Service) Open(ctx context.Context, actor *forge.Actor, action forge.Action, owner, name string) (*Handle, error) {
	name = strings.TrimSuffix(name, ".git")
	if err := forge.CheckActor(actor, s.clock()); err != nil {
		return nil, err
	}
	if !forge.IsLogin(owner) || forge.CheckRepositoryName(name) != nil {
		return nil, forge.NoRepository(actor)
	}
	return s.open(ctx, actor, action, Which{Owner: owner, Name: name})
}

// OpenID is Open by id.
func (s *Service) OpenID(ctx context.Context, actor *forge.Actor,
	action forge.Action, id forge.RepositoryID) (*Handle, error) {
	if err := forge.CheckActor(actor, s.clock()); err != nil {
		return nil, err
	}
	if id <= 0 {
		return nil, forge.NoRepository(actor)
	}
	return s.open(ctx, actor, action, Which{ID: id})
}

// open does the same work for a repository that is not there and for one that
// may not be seen: one indexed read.
func (s *Service) open(ctx context.Context, actor *forge.Actor, action forge.Action, which Which) (*Handle, error) {
	r, granted, err := s.stores.Repositories.FindRepository(ctx, which, actor.UserID())
	if errors.Is(err, forge.ErrNoRow) {
		return nil, forge.NoRepository(actor)
	}
	if err != nil {
		return nil, err
	}
	role, err := forge.Permit(actor, action, r, granted, s.clock())
	if err != nil {
		return nil, err
	}
	return &Handle{Repository: r, Role: role, Actor: actor, Action: action, service: s}, nil
}

// Get returns the description of a repository that the actor may read.
func (s *Service) Get(ctx context.Context, actor *forge.Actor, owner, name string) (*forge.Repository, error) {
	h, err := s.Open(ctx, actor, forge.Read, owner, name)
	if err != nil {
		return nil, err
	}
	return h.Repository, nil
}
