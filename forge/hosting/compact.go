package hosting

import (
	"context"
	"errors"
	"sync"

	"github.com/ingot-forge/ingot/forge"
	"github.com/ingot-forge/ingot/git/repo"
)

const (
	// compactFrom is how many packs have to be there to be joined before
	// CompactPushed joins them: joining two after every push would write more than the pushes do.
	compactFrom = 8
	// crowdedFrom is how many packs make it urgent: each push adds one, a lookup asks them in
	// turn, and a busy repository gets hundreds a second.
	crowdedFrom = 64
	// compactTries bounds how often Compact begins anew because another was faster.
	compactTries = 3
)

// Compact joins packs of a repository: see repo.Store.Compact, of which this is
// one, so that what the report says is left needs another. The actor must be allowed
// to forge.Operate.
func (s *Service) Compact(ctx context.Context, actor *forge.Actor, owner, name string,
	o repo.CompactOptions) (repo.CompactReport, error) {
	if err := forge.PermitUser(actor, forge.Operate, 0, false, s.clock()); err != nil {
		return repo.CompactReport{}, err
	}
	h, err := s.Open(ctx, actor, forge.Read, owner, name)
	if err != nil {
		return repo.CompactReport{}, err
	}
	var report repo.CompactReport
	for range compactTries {
		report, err = s.stores.Git.Store.Compact(ctx, repo.ID(h.Repository.ID), o)
		if !errors.Is(err, repo.ErrOutOfDate) {
			break
		}
	}
	if errors.Is(err, repo.ErrNoRepository) { // deleted since it was opened
		err = forge.NoRepository(actor)
	}
	return report, err
}

// CompactPushed joins packs of the repositories that this Service has taken pushes to since
// the last call, one after the other, where enough have come together, and writes derived data where
// they are due. report hears of each where there was something to do, or that failed; a failure
// ends nothing, and waits for the next push. The actor must be allowed to forge.Operate.
func (s *Service) CompactPushed(ctx context.Context, actor *forge.Actor,
	report func(r *forge.Repository, done repo.CompactReport, err error)) error {
	if err := forge.PermitUser(actor, forge.Operate, 0, false, s.clock()); err != nil {
		return err
	}
	for _, id := range s.pushed.take() {
		r, _, err := s.stores.Repositories.FindRepository(ctx, Which{ID: id}, 0)
		if errors.Is(err, forge.ErrNoRow) {
			continue
		}
		if err != nil {
			return err
		}
		for more := true; more; {
			done, err := s.Compact(ctx, actor, r.Owner, r.Name, repo.CompactOptions{Least: compactFrom})
			if ctx.Err() != nil {
				return ctx.Err()
			}
			if err != nil || done.Did() {
				report(r, done, err)
			}
			more = done.Left > 0
		}
	}
	return nil
}

// Crowded receives when a push finds so many packs that CompactPushed should not wait
// for its next regular turn.
func (s *Service) Crowded() <-chan struct{} { return s.crowded }

// notePush notes that a repository of so many packs was given another.
func (s *Service) notePush(id forge.RepositoryID, packs int) {
	s.pushed.note(id)
	if packs >= crowdedFrom {
		select {
		case s.crowded <- struct{}{}:
		default: // was told already
		}
	}
}

// noted are the repositories pushed to, each once.
type noted struct {
	mu  sync.Mutex
	ids map[forge.RepositoryID]struct{}
}

func (n *noted) note(id forge.RepositoryID) {
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.ids == nil {
		n.ids = make(map[forge.RepositoryID]struct{})
	}
	n.ids[id] = struct{}{}
}

func (n *noted) take() []forge.RepositoryID {
	n.mu.Lock()
	defer n.mu.Unlock()
	ids := make([]forge.RepositoryID, 0, len(n.ids))
	for id := range n.ids {
		ids = append(ids, id)
	}
	n.ids = nil
	return ids
}
