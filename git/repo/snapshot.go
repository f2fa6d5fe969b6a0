package repo

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync/atomic"
	"time"

	"github.com/ingot-forge/ingot/git"
	"github.com/ingot-forge/ingot/git/pack"
)

// Snapshot opens the current version of a repository. The caller closes it. It
// costs one indexed read of the catalogue as long as nothing has changed; packs
// are opened when an object is first looked for in them.
func (s *Store) Snapshot(ctx context.Context, id ID) (*Snapshot, error) {
	opened := s.config.Clock()
	state, err := s.load(ctx, id)
	if err != nil {
		return nil, err
	}
	return s.snapshot(state, opened), nil
}

func (s *Store) snapshot(state *State, opened time.Time) *Snapshot {
	return &Snapshot{store: s, state: state, opened: opened, packs: make([]atomic.Pointer[heldPack], len(state.Packs))}
}

// load returns the current state.
func (s *Store) load(ctx context.Context, id ID) (*State, error) {
	since := s.states.recent(id)
	state, err := s.catalog.Load(ctx, id, since)
	if err != nil {
		if errors.Is(err, ErrNoRepository) {
			s.states.forget(id)
		}
		return nil, err
	}
	if since != nil && state.Version < since.Version {
		s.states.forget(id)
	}
	s.states.keep(state)
	return state, nil
}

// Snapshot is one version of a repository, unaffected by later changes. It
// implements git.Objects and may be used from several goroutines at once. One
// that stays open for longer than Config.Grace may find that packs which the
// repository dropped meanwhile are swept; reading then fails with ErrNoFile.
type Snapshot struct {
	store  *Store
	state  *State
	opened time.Time // before the state was loaded
	packs  []atomic.Pointer[heldPack]
	hit    atomic.Int32 // place of the pack that had the last object

	derived snapshotDerived
}

// Close ends the use of the snapshot; what it returned must not be used after.
func (s *Snapshot) Close() {
	s.closeDerived()
	for i := range s.packs {
		if p := s.packs[i].Swap(nil); p != nil {
			s.store.packs.release(p)
		}
	}
}

// State returns refs, HEAD and packs.
func (s *Snapshot) State() *State { return s.state }

// Ref returns a ref by its full name, "HEAD" included (then under the name that HEAD points to).
func (s *Snapshot) Ref(name string) (Ref, bool) {
	if name == "HEAD" {
		name = s.state.Head
	}
	return s.state.Refs.Find(name)
}

// Share returns the packs for the Add of a change to another repository, which
// then has the same objects without a byte being copied (a fork). Everything
// in the packs becomes part of that repository, also what no ref reaches.
func (s *Snapshot) Share() []Pack {
	packs := slices.Clone(s.state.Packs)
	for i := range packs {
		packs[i].Added = s.opened // when this repository was last known to have them
	}
	return packs
}

// Object implements git.Objects over all packs.
func (s *Snapshot) Object(ctx context.Context, id git.ID) (git.Kind, []byte, error) {
	p, at, err := s.nearest(ctx, id)
	if err != nil {
		return 0, nil, err
	}
	kind, data, err := p.Object(ctx, at)
	if err != nil {
		return 0, nil, fmt.Errorf("object %s: %w", id, err)
	}
	return kind, data, nil
}

// Has reports whether the packs have id.
func (s *Snapshot) Has(ctx context.Context, id git.ID) (bool, error) {
	_, _, err := s.nearest(ctx, id)
	if errors.Is(err, git.ErrNotFound) {
		return false, nil
	}
	return err == nil, err
}

// Header returns kind and size of an object without inflating it whole.
func (s *Snapshot) Header(ctx context.Context, id git.ID) (git.Kind, int64, error) {
	p, at, err := s.nearest(ctx, id)
	if err != nil {
		return 0, 0, err
	}
	kind, size, err := p.Header(ctx, at)
	if err != nil {
		return 0, 0, fmt.Errorf("object %s: %w", id, err)
	}
	return kind, size, nil
}

// Find returns the opened pack that has id and its place there. The order in which
// packs are searched, newest first, is fixed, so within a snapshot an id always has one
// place.
func (s *Snapshot) Find(ctx context.Context, id git.ID) (p *pack.Pack, at int, err error) {
	return s.find(ctx, id, -1)
}

// nearest is Find for callers who want the content, which is the same wherever
// it is stored: it looks first where the last object was. Objects that are read
// together tend to have come together.
func (s *Snapshot) nearest(ctx context.Context, id git.ID) (*pack.Pack, int, error) {
	return s.find(ctx, id, int(s.hit.Load()))
}

// find searches pack first, if it is one, and then all others.
//
// It costs one probe of an index, some 100 ns, for each pack in the way, and an id
// that is nowhere opens every pack. Compact keeps them few.
func (s *Snapshot) find(ctx context.Context, id git.ID, first int) (*pack.Pack, int, error) {
	n := len(s.packs)
	if first < 0 || first >= n {
		first = n - 1
	}
	for i := -1; i < n; i++ {
		place := n - 1 - i
		if i < 0 {
			place = first
		} else if place == first {
			continue
		}
		if place < 0 { // no packs at all
			break
		}
		p, err := s.pack(ctx, place)
		if err != nil {
			return nil, 0, err
		}
		if at, ok := p.Index().Find(id); ok {
			if place != first {
				s.hit.Store(int32(place))
			}
			return p, at, nil
		}
	}
	return nil, 0, git.NotFound(id)
}

// pack returns the pack at a place of State.Packs, opened.
func (s *Snapshot) pack(ctx context.Context, place int) (*pack.Pack, error) {
	if p := s.packs[place].Load(); p != nil {
		return p.value, nil
	}
	p, err := s.store.packs.acquire(ctx, s.state.Format, &s.state.Packs[place])
	if err != nil {
		return nil, err
	}
	if !s.packs[place].CompareAndSwap(nil, p) { // another goroutine was faster; it is the same pack
		s.store.packs.release(p)
	}
	return p.value, nil
}

// rowRoom returns how large a pack may be that is added in its row: Config.RowBytes,
// but all such packs of a repository are in memory with its state, so together they have
// a bound; compaction makes a file of them long before.
func (s *Snapshot) rowRoom(rowBytes int) int {
	const packs = 32 // of the largest
	room := packs * int64(rowBytes)
	for i := range s.state.Packs {
		room -= s.state.Packs[i].rowBytes()
	}
	return int(min(max(room, 0), int64(rowBytes)))
}

// objectCount is how many objects the packs have, as their rows say; objects in
// several packs count several times.
func (s *Snapshot) objectCount() (n int64) {
	for _, p := range s.state.Packs {
		n += p.Objects
	}
	return n
}
