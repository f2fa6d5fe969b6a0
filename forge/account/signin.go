package account

import (
	"context"
	"errors"
	"net/netip"
	"time"

	"github.com/ingot-forge/ingot/forge"
)

// badCredentials is the one answer to every proof that fails.
func badCredentials(from netip.Addr) error {
	return forge.Deniedf(forge.Anonymous(from), "Bad credentials")
}

// tooMany is the answer to one who has to wait.
func tooMany(wait time.Duration) error {
	wait = max(wait.Round(time.Second), time.Second)
	return forge.Exhaustedf(wait, "Too many failed sign-ins, try again in %d s", int(wait.Seconds()))
}

// SignIn proves a user by password. A wrong one and a user who does not exist,
// has no password or is suspended all give the same Denied error after the same
// work; too many of them, Exhausted.
func (s *Service) SignIn(ctx context.Context, login, password string, from netip.Addr) (*forge.Actor, error) {
	if len(password) > MaxPassword || len(login) > forge.MaxEmail {
		return nil, badCredentials(from)
	}
	place := "place " + forge.Network(from)
	who := "user " + forge.Fold(login) + " at " + forge.Network(from)
	if wait := s.guard.wait(s.clock(), place, who); wait > 0 {
		return nil, tooMany(wait)
	}
	a, err := s.stores.Users.FindUser(ctx, login)
	if errors.Is(err, forge.ErrNoRow) {
		a, err = &Account{}, nil
	}
	if err != nil {
		return nil, err
	}
	actor := &forge.Actor{User: &a.User, Credential: forge.Credential{Kind: forge.ByPassword}, Address: from}
	if !a.Suspended && s.proofs.has(s.clock(), a.PasswordHash, password) {
		s.guard.forgive(who)
		return actor, nil
	}
	done, err := s.hasher.turn(ctx)
	if err != nil {
		return nil, err
	}
	defer done()
	// Asked again: of many tries sent at once only as many as hash at once get
	// past the first ones' failures.
	if wait := s.guard.wait(s.clock(), place, who); wait > 0 {
		return nil, tooMany(wait)
	}
	ok, err := verify(password, a.PasswordHash)
	if err != nil {
		return nil, err
	}
	if !ok || a.Suspended {
		s.guard.fail(s.clock(), who, perUser)
		s.guard.fail(s.clock(), place, perPlace)
		return nil, badCredentials(from)
	}
	s.guard.forgive(who)
	s.proofs.add(s.clock(), a.PasswordHash, password)
	return actor, nil
}

// Basic proves a user by the two words of HTTP Basic authentication: a token in
// either place (the other word then does not count), or login and password.
func (s *Service) Basic(ctx context.Context, login, password string, from netip.Addr) (*forge.Actor, error) {
	switch {
	case looksLikeToken(password):
		return s.Token(ctx, password, from)
	case looksLikeToken(login):
		return s.Token(ctx, login, from)
	}
	return s.SignIn(ctx, login, password, from)
}
