package account

import (
	"context"
	"errors"
	"time"

	"github.com/ingot-forge/ingot/forge"
)

// NewUser is what a user starts with.
type NewUser struct {
	Login    string
	Password string // "": no signing in by password
	Name     string
	Email    string
	Admin    bool
}

// CreateUser makes an account. The actor must be allowed to forge.Operate.
func (s *Service) CreateUser(ctx context.Context, actor *forge.Actor, n NewUser) (*forge.User, error) {
	if err := forge.PermitUser(actor, forge.Operate, 0, false, s.clock()); err != nil {
		return nil, err
	}
	err := errors.Join(forge.CheckLogin(n.Login), checkProfile(n.Name, n.Email), checkPassword(actor, n.Password))
	if err != nil {
		return nil, firstOf(err)
	}
	now := s.now()
	a := &Account{User: forge.User{Login: n.Login, Name: n.Name, Email: n.Email, Admin: n.Admin, Created: now, Updated: now}}
	if n.Password != "" {
		if a.PasswordHash, err = s.hasher.hash(ctx, n.Password); err != nil {
			return nil, err
		}
	}
	made, err := s.stores.Users.CreateUser(ctx, a)
	if err != nil {
		return nil, err
	}
	return &made.User, nil
}

// firstOf returns the first of joined errors, with the fields of all.
func firstOf(joined error) error {
	var first *forge.Error
	for _, err := range joined.(interface{ Unwrap() []error }).Unwrap() {
		var e *forge.Error
		if !errors.As(err, &e) {
			return err
		}
		if first == nil {
			first = e
		} else {
			first.Fields = append(first.Fields, e.Fields...)
		}
	}
	return first
}

func checkProfile(name, email string) error {
	if err := forge.CheckLine("name", name, MaxTitle); err != nil {
		return err
	}
	if email == "" {
		return nil
	}
	return forge.CheckEmail(email)
}

// Owner returns a user by login, or forge.ErrNoRow. It is for the core itself,
// which asks on nobody's behalf.
func (s *Service) Owner(ctx context.Context, login string) (*forge.User, error) {
	if !forge.IsLogin(login) {
		return nil, forge.ErrNoRow
	}
	a, err := s.stores.Users.FindUser(ctx, login)
	if err != nil {
		return nil, err
	}
	return &a.User, nil
}

// FindUser returns a user by login as actor may see it: with e-mail and
// Suspended only for the user and for administrators. One that is not there is
// NotFound.
func (s *Service) FindUser(ctx context.Context, actor *forge.Actor, login string) (*forge.User, error) {
	a, err := s.find(ctx, actor, login)
	if err != nil {
		return nil, err
	}
	return s.show(actor, &a.User), nil
}

// UserByID is FindUser by id.
func (s *Service) UserByID(ctx context.Context, actor *forge.Actor, id forge.UserID) (*forge.User, error) {
	a, err := s.stores.Users.UserByID(ctx, id)
	if errors.Is(err, forge.ErrNoRow) {
		return nil, noUser(actor)
	}
	if err != nil {
		return nil, err
	}
	return s.show(actor, &a.User), nil
}

func (s *Service) show(actor *forge.Actor, u *forge.User) *forge.User {
	shown := *u
	if forge.PermitUser(actor, forge.ReadUser, u.ID, false, s.clock()) != nil {
		shown.Email, shown.Suspended = "", false
	}
	return &shown
}

// ListUsers returns up to limit (at most MaxPage) users with ids greater than
// after, ascending, as FindUser shows them.
func (s *Service) ListUsers(ctx context.Context, actor *forge.Actor,
	after forge.UserID, limit int) ([]*forge.User, error) {
	list, err := s.stores.Users.ListUsers(ctx, after, page(limit))
	if err != nil {
		return nil, err
	}
	for i, u := range list {
		list[i] = s.show(actor, u)
	}
	return list, nil
}

// UserEdit changes an account; nil fields stay.
type UserEdit struct {
	Name      *string
	Email     *string
	Admin     *bool // needs forge.Operate
	Suspended *bool // needs forge.Operate
}

// EditUser changes a user's account. Two edits at once: one is a Conflict.
func (s *Service) EditUser(ctx context.Context, actor *forge.Actor, login string, e UserEdit) (*forge.User, error) {
	a, err := s.permit(ctx, actor, forge.EditUser, login)
	if err != nil {
		return nil, err
	}
	if e.Admin != nil || e.Suspended != nil {
		if err := forge.PermitUser(actor, forge.Operate, 0, false, s.clock()); err != nil {
			return nil, err
		}
	}
	set(&a.Name, e.Name)
	set(&a.Email, e.Email)
	set(&a.Admin, e.Admin)
	set(&a.Suspended, e.Suspended)
	if err := checkProfile(a.Name, a.Email); err != nil {
		return nil, err
	}
	if err := s.update(ctx, actor, a); err != nil {
		return nil, err
	}
	return s.show(actor, &a.User), nil
}

func set[T any](field *T, value *T) {
	if value != nil {
		*field = *value
	}
}

// update stores a, which was read with its present Updated.
func (s *Service) update(ctx context.Context, actor *forge.Actor, a *Account) error {
	seen := a.Updated
	a.Updated = s.now()
	if !a.Updated.After(seen) {
		a.Updated = seen.Add(time.Microsecond) // so that no two versions have the same
	}
	err := s.stores.Users.UpdateUser(ctx, a, seen)
	if errors.Is(err, forge.ErrNoRow) {
		return noUser(actor)
	}
	return err
}

// SetPassword sets a user's password and ends all of the user's sessions. ""
// leaves the user without one.
func (s *Service) SetPassword(ctx context.Context, actor *forge.Actor, login, password string) error {
	a, err := s.permit(ctx, actor, forge.ManageSecrets, login)
	if err != nil {
		return err
	}
	if err := checkPassword(actor, password); err != nil {
		return err
	}
	a.PasswordHash = ""
	if password != "" {
		if a.PasswordHash, err = s.hasher.hash(ctx, password); err != nil {
			return err
		}
	}
	if err := s.update(ctx, actor, a); err != nil {
		return err
	}
	_, err = s.stores.Tokens.DeleteTokens(ctx, a.ID, TokenSelection{Sessions: true})
	return err
}
