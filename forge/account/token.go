package account

import (
	"context"
	"errors"
	"net/netip"
	"time"

	"github.com/ingot-forge/ingot/forge"
)

// Token proves a user by token. One that is unknown, expired, or of a suspended
// user is Denied. A good one is never made to wait for the failures of others at
// its address: it cannot be guessed.
func (s *Service) Token(ctx context.Context, token string, from netip.Addr) (*forge.Actor, error) {
	t, user, err := s.lookUp(ctx, tokenPrefix, token, from)
	if err != nil {
		return nil, err
	}
	return &forge.Actor{User: user, Address: from, Credential: forge.Credential{Kind: forge.ByToken, ID: t.ID,
		Expires: t.Expires, Scopes: t.Scopes, Only: t.Only}}, nil
}

// lookUp finds the live token or session of a secret. The prefix is part of what
// is hashed, so a session never passes for a token, nor the other way round.
func (s *Service) lookUp(ctx context.Context, prefix, secret string, from netip.Addr) (*Token, *forge.User, error) {
	if !wellFormed(prefix, secret) {
		return nil, nil, s.failed(from)
	}
	t, user, err := s.stores.Tokens.FindToken(ctx, hashOf(secret))
	switch {
	case errors.Is(err, forge.ErrNoRow):
		return nil, nil, s.failed(from)
	case err != nil:
		return nil, nil, err
	}
	now := s.now()
	if user.Suspended || !t.Expires.IsZero() && !now.Before(t.Expires) {
		return nil, nil, s.failed(from)
	}
	if now.Sub(t.Used) >= UsedEvery {
		// Not worth failing the request for.
		_ = s.stores.Tokens.TouchToken(ctx, t.ID, now)
	}
	return t, user, nil
}

// failed counts a failed proof that is not about a named user.
func (s *Service) failed(from netip.Addr) error {
	place := "place " + forge.Network(from)
	now := s.clock()
	if wait := s.guard.wait(now, place); wait > 0 {
		return tooMany(wait)
	}
	s.guard.fail(now, place, perPlace)
	return badCredentials(from)
}

// NewToken is what a token is to be.
type NewToken struct {
	Name    string // what it is for
	Scopes  forge.Scopes
	Only    forge.RepositoryID // the one repository it counts for; 0 for all
	Expires time.Time          // zero for never
}

// CreateToken makes a token for a user and returns it; it cannot be read again.
// No token can make tokens.
func (s *Service) CreateToken(ctx context.Context, actor *forge.Actor,
	login string, n NewToken) (token string, _ *Token, err error) {
	a, err := s.permit(ctx, actor, forge.ManageSecrets, login)
	if err != nil {
		return "", nil, err
	}
	if err := forge.CheckLine("name", n.Name, MaxTitle); err != nil {
		return "", nil, err
	}
	now := s.now()
	if !n.Expires.IsZero() && !n.Expires.After(now) {
		return "", nil, forge.Invalidf("expires_at", forge.CodeInvalid, "Expiry is in the past")
	}
	have, err := s.stores.Tokens.ListTokens(ctx, a.ID, false, 0, MaxTokens)
	if err != nil {
		return "", nil, err
	}
	if len(have) >= MaxTokens {
		return "", nil, forge.Invalidf("", "", "User has %d tokens already, the most there can be", MaxTokens)
	}
	t := &Token{UserID: a.ID, Name: n.Name, Scopes: n.Scopes, Only: n.Only, Created: now,
		Expires: n.Expires.UTC().Truncate(time.Microsecond)}
	return s.issue(ctx, tokenPrefix, t)
}

// issue stores t under a fresh secret.
func (s *Service) issue(ctx context.Context, prefix string, t *Token) (string, *Token, error) {
	secret := newSecret(prefix)
	t.Hint = hint(secret)
	id, err := s.stores.Tokens.CreateToken(ctx, t, hashOf(secret))
	if err != nil {
		return "", nil, err
	}
	t.ID = id
	return secret, t, nil
}

// ListTokens returns up to limit of a user's tokens, or sessions, with ids
// greater than after, ascending.
func (s *Service) ListTokens(ctx context.Context, actor *forge.Actor,
	login string, sessions bool, after int64, limit int) ([]*Token, error) {
	a, err := s.permit(ctx, actor, forge.ManageSecrets, login)
	if err != nil {
		return nil, err
	}
	return s.stores.Tokens.ListTokens(ctx, a.ID, sessions, after, page(limit))
}

// DeleteToken revokes a token or ends a session: the next request with it is
// refused, on every node.
func (s *Service) DeleteToken(ctx context.Context, actor *forge.Actor, login string, id int64) error {
	a, err := s.permit(ctx, actor, forge.ManageSecrets, login)
	if err != nil {
		return err
	}
	n := 0
	if id > 0 {
		n, err = s.stores.Tokens.DeleteTokens(ctx, a.ID, TokenSelection{ID: id})
	}
	if err == nil && n == 0 {
		return forge.NotFoundf(actor, "Token not found")
	}
	return err
}
