package hosting

import (
	"context"

	"github.com/ingot-forge/ingot/forge"
)

// How many things are listed at once.
const (
	DefaultPage = 30
	MaxPage     = 100
)

// Page asks for up to Limit things (at most MaxPage; 0 means DefaultPage) that
// come after the one with the id After.
type Page struct {
	After int64
	Limit int
}

func (p Page) limit() int {
	if p.Limit <= 0 {
		return DefaultPage
	}
	return min(p.Limit, MaxPage)
}

// ListOwned returns the repositories of one owner that the actor may see.
func (s *Service) ListOwned(ctx context.Context, actor *forge.Actor, owner string, p Page) ([]*forge.Repository, error) {
	user, err := s.owner(ctx, actor, owner)
	if err != nil {
		return nil, err
	}
	return s.list(ctx, actor, Listing{Owner: user.ID}, p)
}

// ListOwn returns the repositories that the actor owns or collaborates in.
func (s *Service) ListOwn(ctx context.Context, actor *forge.Actor, p Page) ([]*forge.Repository, error) {
	if actor.User == nil {
		return nil, forge.Deniedf(actor, "Requires authentication")
	}
	return s.list(ctx, actor, Listing{Member: true}, p)
}

// ListVisible returns all repositories that the actor may see, public ones of
// all owners included.
func (s *Service) ListVisible(ctx context.Context, actor *forge.Actor, p Page) ([]*forge.Repository, error) {
	return s.list(ctx, actor, Listing{}, p)
}

// list asks the store for what the actor's user may see, and the gate's own
// rule about each: a credential may show less than its user could see.
func (s *Service) list(ctx context.Context, actor *forge.Actor, l Listing, p Page) ([]*forge.Repository, error) {
	if err := forge.CheckActor(actor, s.clock()); err != nil {
		return nil, err
	}
	l.Viewer, l.All = actor.UserID(), actor.IsAdmin()
	l.After, l.Limit = forge.RepositoryID(p.After), p.limit()
	var found []*forge.Repository
	for {
		rows, err := s.stores.Repositories.ListRepositories(ctx, l)
		if err != nil {
			return nil, err
		}
		for _, r := range rows {
			// That the store listed it means that the user has some role there.
			if _, err := forge.Permit(actor, forge.Read, r, forge.RoleRead, s.clock()); err == nil {
				found = append(found, r)
			}
			if len(found) == p.limit() {
				return found, nil
			}
			l.After = r.ID
		}
		if len(rows) < l.Limit {
			return found, nil
		}
	}
}
