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

// maxLikely bounds the tips that are looked at before all are listed.
const maxLikely = 16

// known answers what the refs of a view reach. That an object is stored means
// nothing to anybody: packs keep what no ref reaches any more, and hold the objects of
// other repositories where those are forks. It serves one goroutine.
type known struct {
	snap *repo.Snapshot
	view view
	// likely are ids that, if refs point to them, may well reach what is asked about: what a client wants.
	likely []git.ID
	deep   *history.Known // nil until what refs point to did not answer
}

// missing returns those of ids that the refs do not reach or that do not exist, in
// their order. near are commits from whose trees to look first. Most
// questions without are about what refs point to; nothing is opened for those.
func (k *known) missing(ctx context.Context, ids, near []git.ID) ([]git.ID, error) {
	left := ids
	if len(near) == 0 {
		left = k.view.notTips(ids)
	}
	if len(left) == 0 {
		return nil, nil
	}
	if k.deep == nil {
		var err error
		if k.deep, err = k.view.reached(ctx, k.snap, k.likely); err != nil {
			return nil, err
		}
	}
	return k.deep.Missing(ctx, left, near)
}

// reached returns what the visible refs of a snapshot reach. Those of the likely
// ids that are among their targets are looked at first, before a million refs are listed.
func (v view) reached(ctx context.Context, snap *repo.Snapshot, likely []git.ID) (*history.Known, error) {
	from, err := derived(ctx, snap)
	if err != nil {
		return nil, err
	}
	isTip := func(id git.ID) bool { return len(v.notTips([]git.ID{id})) == 0 }
	tips := history.Tips{All: v.tips, Is: isTip}
	if head, ok := v.find("HEAD"); ok {
		tips.First = append(tips.First, head.Target)
	}
	for _, id := range likely[:min(len(likely), maxLikely)] {
		if isTip(id) {
			tips.First = append(tips.First, id)
		}
	}
	return history.NewKnownTips(snap, v.state.Format, tips, from), nil
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

// Reached returns what the refs of snap reach, save those that hide, which may be
// nil, reports: what somebody who may see these may read by id.
func (s *Server) Reached(ctx context.Context, snap *repo.Snapshot, hide func(name string) bool) (*history.Known, error) {
	return view{snap.State(), hide}.reached(ctx, snap, nil)
}

// Unmet returns those of ids, the new targets of refs, that neither staged, which
// may be nil, brings nor snap's refs reach.
func (s *Server) Unmet(ctx context.Context, snap *repo.Snapshot, staged *repo.Staged, ids []git.ID) ([]git.ID, error) {
	if staged == nil || len(ids) == 0 {
		return s.Unknown(snap)(ctx, ids, nil)
	}
	brought, done, err := s.Store.Alone(ctx, snap, staged)
	if err != nil {
		return nil, err
	}
	defer done()
	var left []git.ID
	for _, id := range ids {
		has, err := brought.Has(ctx, id)
		if err != nil {
			return nil, err
		}
		if !has {
			left = append(left, id)
		}
	}
	return s.Unknown(snap)(ctx, left, nil)
}
