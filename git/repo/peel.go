package repo

import (
	"context"
	"fmt"
	"time"

	"github.com/ingot-forge/ingot/git"
)

// MaxTagDepth is how many tags of tags Peel follows.
const MaxTagDepth = 100

// Peel follows annotated tags from id to what they finally point to, and
// returns that with its kind; the zero ID and id's own kind if id is no tag.
// staged, which may be nil, is searched besides snap. It fails with ErrOutOfDate when snap
// was opened longer ago than Config.Grace: what its refs reached, and id with it, may be about
// to be left out (see docs/decisions/0017-pruning.md). So a ref is moved only after Peel.
func (s *Store) Peel(ctx context.Context, snap *Snapshot, staged *Staged, id git.ID) (git.ID, git.Kind, error) {
	if age := s.config.Clock().Sub(snap.opened); age > s.config.Grace {
		return git.ID{}, 0, fmt.Errorf("the repository was looked at %v ago: %w", age.Round(time.Second), ErrOutOfDate)
	}
	objects, done, err := s.Preview(ctx, snap, staged)
	if err != nil {
		return git.ID{}, 0, err
	}
	defer done()
	target := id
	for range MaxTagDepth + 1 { // ids make cycles impossible, but not long chains
		kind, _, err := objects.Header(ctx, target)
		if err != nil {
			return git.ID{}, 0, err
		}
		if kind != git.KindTag {
			if target == id {
				return git.ID{}, kind, nil
			}
			return target, kind, nil
		}
		_, data, err := objects.Object(ctx, target)
		if err != nil {
			return git.ID{}, 0, err
		}
		tag, err := git.ParseTag(snap.state.Format, data)
		if err != nil {
			return git.ID{}, 0, fmt.Errorf("tag %s: %w", target, err)
		}
		target = tag.Target
	}
	return git.ID{}, 0, fmt.Errorf("tag %s: more than %d tags of tags", id, MaxTagDepth)
}

// Preview returns a snapshot of what snap will be once staged, which may be nil,
// is part of it. It holds packs until done is called, and snap has to stay open
// as long.
func (s *Store) Preview(ctx context.Context, snap *Snapshot, staged *Staged) (objects *Snapshot, done func(), err error) {
	if staged == nil {
		return snap, func() {}, nil
	}
	state := *snap.state
	state.Packs = append(state.Packs[:len(state.Packs):len(state.Packs)], staged.Pack)
	objects = s.snapshot(&state, snap.opened)
	return objects, objects.Close, nil
}

// Alone returns a snapshot of nothing but a staged pack, which may be nil: what a
// push brought itself. It holds packs until done is called.
func (s *Store) Alone(ctx context.Context, snap *Snapshot, staged *Staged) (objects *Snapshot, done func(), err error) {
	state := *snap.state
	state.Packs = nil
	return s.Preview(ctx, s.snapshot(&state, snap.opened), staged)
}
