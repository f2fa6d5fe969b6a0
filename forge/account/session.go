package account

import (
	"context"
	"net/netip"
	"strings"
	"time"

	"github.com/ingot-forge/ingot/forge"
)

// SessionLife is how long a sign-in on the web pages lasts.
const SessionLife = 30 * 24 * time.Hour

// keepExpired is how long expired tokens and sessions stay listed.
const keepExpired = 30 * 24 * time.Hour

// Session proves a user by the secret of a session.
func (s *Service) Session(ctx context.Context, secret string, from netip.Addr) (*forge.Actor, error) {
	t, user, err := s.lookUp(ctx, sessionPrefix, secret, from)
	if err != nil {
		return nil, err
	}
	return &forge.Actor{User: user, Address: from,
		Credential: forge.Credential{Kind: forge.BySession, ID: t.ID, Expires: t.Expires}}, nil
}

// StartSession begins a session for a user who has signed in by password in
// this request, and returns its secret, fresh for every session. browser is what
// the browser calls itself, shown to the user in the list of sessions.
func (s *Service) StartSession(ctx context.Context, actor *forge.Actor,
	browser string) (secret string, _ *Token, err error) {
	if actor.User == nil || actor.Credential.Kind != forge.ByPassword {
		return "", nil, forge.Deniedf(actor, "Must sign in with a password to start a session")
	}
	now := s.now()
	_, err = s.stores.Tokens.DeleteTokens(ctx, actor.User.ID, TokenSelection{Expired: now.Add(-keepExpired)})
	if err != nil {
		return "", nil, err
	}
	return s.issue(ctx, sessionPrefix, &Token{UserID: actor.User.ID, Session: true, Name: printable(browser),
		Created: now, Expires: now.Add(SessionLife)})
}

// EndSession ends the session that actor came by.
func (s *Service) EndSession(ctx context.Context, actor *forge.Actor) error {
	if actor.User == nil || actor.Credential.Kind != forge.BySession {
		return forge.Invalidf("", "", "Not signed in")
	}
	_, err := s.stores.Tokens.DeleteTokens(ctx, actor.User.ID, TokenSelection{ID: actor.Credential.ID})
	return err
}

// printable makes a line of at most MaxTitle bytes out of what a browser sends.
func printable(s string) string {
	s = strings.Map(func(r rune) rune {
		if r < ' ' || r > '~' {
			return '?'
		}
		return r
	}, s[:min(len(s), MaxTitle)])
	return s[:min(len(s), MaxTitle)]
}
