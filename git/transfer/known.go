package transfer

import (
	"context"

	"github.com/ingot-forge/ingot/git"
	"github.com/ingot-forge/ingot/git/history"
	"github.com/ingot-forge/ingot/git/repo"
)

// derived returns what walks may ask in place of the objects of a snapshot.
func derived(ctx context.Context, snap *repo.Snapshot) (history.Derived, error) {
	graph, err := snap.Graph(ctx)
	if err != nil {
		return history.Derived{}, err
	}
	bitmaps, _, err := snap.Bitmaps(ctx)
	return history.Derived{Graph: graph, Bitmaps: bitmaps, Header: snap.Header}, err
}

// known answers what the refs of a view reach. That an object is stored means
// nothing to anybody: packs keep what no ref reaches any more, and hold the objects of
// other repositories where those are forks. It serves one goroutine.
type known struct {
	snap *repo.Snapshot
	view view
}

// missing returns those of ids that the refs do not reach or that do not exist, in
// their order. near are commits from whose trees to look first. Most
// questions are about what refs point to; no tip is peeled and nothing walked for those.
func (k *known) missing(ctx context.Context, ids, near []git.ID) ([]git.ID, error) {
	left := k.view.notTips(ids)
	if len(left) == 0 {
		return nil, nil
	}
	from, err := derived(ctx, k.snap)
	if err != nil {
		return nil, err
	}
	reached, err := history.Reachable(ctx, k.snap, k.view.state.Format, k.view.tips(), left, from)
	if err != nil {
		return nil, err
	}
	var missing []git.ID
	for _, id := range left {
		if !reached[id] {
			missing = append(missing, id)
		}
	}
	return missing, nil
}

func (k *known) has(ctx context.Context, id git.ID) (bool, error) {
	missing, err := k.missing(ctx, []git.ID{id}, nil)
	return err == nil && len(missing) == 0, err
}

// Unknown returns the repo.IngestOptions.Unknown for what is taken in on top of
// snap: it may lean on whatever the refs of snap reach, and on nothing
// else. Refs that are hidden count: they are the repository's own, and what is
// merged here leans on them.
func (s *Server) Unknown(snap *repo.Snapshot) func(ctx context.Context, ids, near []git.ID) ([]git.ID, error) {
	k := &known{snap: snap, view: view{state: snap.State()}}
	return k.missing
}

// Unmet returns those of ids, the new targets of refs, that neither staged, which
// may be nil, brings nor snap's refs reach.
func (s *Server) Unmet(ctx context.Context, snap *repo.Snapshot, staged *repo.Staged, ids []git.ID) ([]git.ID, error) {
	missing, err := s.Unknown(snap)(ctx, ids, nil)
	if err != nil || len(missing) == 0 {
		return nil, err
	}
	brought, done, err := s.Store.Alone(ctx, snap, staged)
	if err != nil {
		return nil, err
	}
	defer done()
	left := missing[:0]
	for _, id := range missing {
		has, err := brought.Has(ctx, id)
		if err != nil {
			return nil, err
		}
		if !has {
			left = append(left, id)
		}
	}
	return left, nil
}
