package hosting

import (
	"context"
	"errors"

	"github.com/ingot-forge/ingot/forge"
)

// SetCollaborator gives a user a role from forge.RoleRead to forge.RoleAdmin in
// a repository; RoleNone takes it away. The owner cannot be a collaborator.
func (s *Service) SetCollaborator(ctx context.Context, actor *forge.Actor,
	owner, name, login string, role forge.Role) error {
	h, err := s.Open(ctx, actor, forge.Administer, owner, name)
	if err != nil {
		return err
	}
	if role > forge.RoleAdmin {
		return forge.Invalidf("permission", forge.CodeInvalid, "Unknown role %s", role)
	}
	user, err := s.owner(ctx, actor, login)
	if err != nil {
		return err
	}
	if user.ID == h.Repository.OwnerID {
		return forge.Invalidf("username", forge.CodeInvalid, "The owner cannot be a collaborator")
	}
	payload := forge.MemberEvent{Actor: who(actor), Action: "edited", Member: user.ID, Login: user.Login, Role: role.String()}
	if role == forge.RoleNone {
		payload.Action, payload.Role = "removed", ""
	}
	_, err = s.stores.Collaborators.SetRole(ctx, h.Repository.ID, user.ID, role, s.now(), event(forge.EventMember, payload))
	if errors.Is(err, forge.ErrNoRow) {
		return forge.NoRepository(actor)
	}
	return err
}

// ListCollaborators returns collaborators with user ids greater than p.After,
// ascending; the owner is not among them. As on GitHub, who may push may see
// them.
func (s *Service) ListCollaborators(ctx context.Context, actor *forge.Actor,
	owner, name string, p Page) ([]Collaborator, error) {
	h, err := s.Open(ctx, actor, forge.ReadCollaborators, owner, name)
	if err != nil {
		return nil, err
	}
	return s.stores.Collaborators.ListCollaborators(ctx, h.Repository.ID, forge.UserID(p.After), p.limit())
}
