package hosting

import (
	"context"
	"errors"
	"strings"

	"github.com/ingot-forge/ingot/forge"
	"github.com/ingot-forge/ingot/git"
)

// NewRepository is what a repository starts with.
type NewRepository struct {
	Name          string
	Description   string
	Private       bool
	DefaultBranch string // without "refs/heads/"; "": the instance's default
	Format        git.Format
}

// Create makes an empty repository under owner's name; "" means the actor's own.
// Making it under another's is for administrators. A name that is in use is Conflict.
func (s *Service) Create(ctx context.Context, actor *forge.Actor, owner string, n NewRepository) (*forge.Repository, error) {
	if owner == "" {
		owner = actor.Login()
	}
	user, err := s.owner(ctx, actor, owner)
	if err != nil {
		return nil, err
	}
	if err := forge.PermitUser(actor, forge.CreateRepository, user.ID, n.Private, s.clock()); err != nil {
		return nil, err
	}
	return s.create(ctx, actor, user, n)
}

// owner returns the user under whose name things are. Users are public: that
// there is none may be told.
func (s *Service) owner(ctx context.Context, actor *forge.Actor, login string) (*forge.User, error) {
	if actor.IsAnonymous() && login == "" {
		return nil, forge.Deniedf(actor, "Requires authentication")
	}
	if !forge.IsLogin(login) {
		return nil, forge.NotFoundf(actor, "User not found")
	}
	user, err := s.stores.Owners.Owner(ctx, login)
	if errors.Is(err, forge.ErrNoRow) {
		return nil, forge.NotFoundf(actor, "User not found")
	}
	return user, err
}

// create makes a repository that the actor may make.
func (s *Service) create(ctx context.Context, actor *forge.Actor, owner *forge.User, n NewRepository) (*forge.Repository, error) {
	if n.DefaultBranch == "" {
		n.DefaultBranch = s.branch
	}
	if err := forge.CheckRepositoryName(n.Name); err != nil {
		return nil, err
	}
	if err := checkDescription(n.Description); err != nil {
		return nil, err
	}
	if err := checkBranch(n.DefaultBranch); err != nil {
		return nil, err
	}
	r, err := s.stores.Repositories.CreateRepository(ctx, New{OwnerID: owner.ID, Name: n.Name, Description: n.Description,
		Private: n.Private, DefaultBranch: n.DefaultBranch, Format: n.Format, Created: s.now()},
		event(forge.EventRepository, forge.RepositoryEvent{Actor: who(actor), Action: "created", Owner: owner.Login, Name: n.Name}))
	if errors.Is(err, forge.ErrNoRow) {
		return nil, forge.NotFoundf(actor, "User not found")
	}
	return r, err
}

func checkDescription(text string) error {
	return forge.CheckLine("description", text, forge.MaxDescription)
}

// checkBranch checks a branch's short name.
func checkBranch(name string) error {
	if err := git.CheckRefName(branches + name); err != nil || strings.HasPrefix(name, "-") {
		return forge.Invalidf("default_branch", forge.CodeInvalid, "Branch name is not valid")
	}
	return nil
}
