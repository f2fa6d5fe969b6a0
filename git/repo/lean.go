package repo

import (
	"context"
	"sync"

	"github.com/ingot-forge/ingot/git"
)

// What a pushed pack may lean on, that is name without bringing it, is less than
// what the snapshot stores: packs hold objects that no ref reaches any more, and
// those of forks hold each other's. Whoever knows such an id could ask
// for its content by a commit that names it, or take it out of a delta. So
// everything outside the pack is asked about by IngestOptions.Unknown before
// anything is done with it, and what may not be leaned on is as if it were not there.

// admitTops asks about the commits and tags outside the pack and the tips, and
// returns those that are as good as missing.
func (in *ingest) admitTops(ctx context.Context) (alien map[git.ID]bool, err error) {
	if in.options.Unknown == nil {
		return nil, nil
	}
	const tops = 1<<git.KindCommit | 1<<git.KindTag
	var ids []git.ID
	_ = in.links.ledger.each(func(n *note) error {
		if n.kind == 0 && n.named&tops != 0 {
			ids = append(ids, n.id)
		}
		return nil
	})
	for _, tip := range in.options.Tips {
		if n := in.links.ledger.find(tip); n == nil || n.kind == 0 && n.named&tops == 0 {
			ids = append(ids, tip)
		}
	}
	return in.unknown(ctx, ids, nil)
}

// admitRest asks about the trees and blobs outside the pack that compare did not
// meet. parents are commits outside the pack.
func (in *ingest) admitRest(ctx context.Context, parents []git.ID) error {
	if in.options.Unknown == nil {
		return nil
	}
	const rest = 1<<git.KindTree | 1<<git.KindBlob
	var ids []git.ID
	_ = in.links.ledger.each(func(n *note) error {
		if n.kind == 0 && !n.alien && n.named&rest&^n.known != 0 {
			ids = append(ids, n.id)
		}
		return nil
	})
	_, err := in.unknown(ctx, ids, parents)
	return err
}

// unknown asks, and notes the answer.
func (in *ingest) unknown(ctx context.Context, ids, near []git.ID) (alien map[git.ID]bool, err error) {
	if len(ids) == 0 {
		return nil, nil
	}
	found, err := in.options.Unknown(ctx, ids, near)
	if err != nil {
		return nil, err
	}
	alien = make(map[git.ID]bool, len(found))
	for _, id := range found {
		alien[id] = true
		if n := in.links.ledger.find(id); n != nil {
			n.alien = true
		}
	}
	return alien, nil
}

// bases returns what the deltas of the pack may start from besides its own objects.
func (in *ingest) bases() git.Objects {
	if in.options.Unknown == nil {
		return in.snap
	}
	return &admittedBases{ingest: in}
}

// admittedBases is the snapshot without what may not be leaned on. It is asked before a
// base is read: that a delta does not fit its base would tell of the base.
type admittedBases struct {
	*ingest

	mu       sync.Mutex // guards all below; Unknown serves one goroutine
	admitted map[git.ID]bool
	near     []git.ID // commits that the pack names outside of it, as far as is known
}

// Object implements git.Objects.
func (b *admittedBases) Object(ctx context.Context, id git.ID) (git.Kind, []byte, error) {
	if err := b.admit(ctx, id); err != nil {
		return 0, nil, err
	}
	return b.snap.Object(ctx, id)
}

func (b *admittedBases) admit(ctx context.Context, id git.ID) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.admitted[id] {
		return nil
	}
	if b.admitted == nil {
		// Commits are seldom deltas, so nearly all have been seen by now.
		b.admitted, b.near = make(map[git.ID]bool), b.links.ledger.commitsSoFar()
	}
	found, err := b.options.Unknown(ctx, []git.ID{id}, b.near)
	switch {
	case err != nil:
		return err
	case len(found) > 0:
		return git.NotFound(id)
	}
	b.admitted[id] = true
	return nil
}

// commitsSoFar returns the commits that were named and not seen, while others
// go on noting.
func (l *ledger) commitsSoFar() (ids []git.ID) {
	for i := range l.shards {
		s := &l.shards[i]
		s.mu.Lock()
		for place := range s.count {
			if n := s.at(place); n.kind == 0 && n.named == 1<<git.KindCommit {
				ids = append(ids, n.id)
			}
		}
		s.mu.Unlock()
	}
	return ids
}
