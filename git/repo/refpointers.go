package repo

import (
	"cmp"
	"encoding/binary"
	"iter"
	"slices"
	"sync"
	"sync/atomic"

	"github.com/ingot-forge/ingot/git"
)

// pointers finds refs by what they point to. It is sorted once for a list of
// refs, when first asked, and then serves the lists that are made from that one
// for as long as little has moved: what it finds is looked up again by name.
type pointers struct {
	sorted atomic.Pointer[sortedPointers]
	once   sync.Once
	moved  []Ref // since sorted was made
}

type sortedPointers struct {
	of   []*refChunk
	list []pointer
}

// pointer is a ref that points, or peels, to an id with that key.
type pointer struct {
	key       uint64
	chunk, at uint32
}

const (
	pointerBytes = 16
	// mostMoved is how many moves a search walks past before it pays to sort anew. The
	// chunks that were replaced are kept as long.
	mostMoved = 512
)

func keyOf(id git.ID) uint64 { return binary.BigEndian.Uint64(id[:8]) }

// PointingAt walks the refs whose Target or Peeled is id, in no order, each once.
func (r Refs) PointingAt(id git.ID) iter.Seq[Ref] {
	return func(yield func(Ref) bool) {
		if r.list == nil || id.IsZero() {
			return
		}
		p := &r.list.pointers
		sorted := p.of(r.list)
		seen := func(name string) bool { return false }
		if len(p.moved) > 0 {
			told := make(map[string]bool)
			seen = func(name string) bool { was := told[name]; told[name] = true; return was }
		}
		// A ref that moved here and was here before is found by both loops.
		now := func(name string) (Ref, bool) {
			ref, ok := r.Find(name)
			return ref, ok && (ref.Target == id || ref.Peeled == id) && !seen(name)
		}
		for _, m := range slices.Backward(p.moved) {
			if m.Target != id && m.Peeled != id {
				continue
			}
			if ref, ok := now(m.Name); ok && !yield(ref) {
				return
			}
		}
		key := keyOf(id)
		at, _ := slices.BinarySearchFunc(sorted.list, key, func(q pointer, key uint64) int { return cmp.Compare(q.key, key) })
		for _, q := range sorted.list[at:] {
			if q.key != key {
				return
			}
			c := sorted.of[q.chunk]
			if c.targets[q.at] != id && (c.peeled == nil || c.peeled[q.at] != id) {
				continue
			}
			if ref, ok := now(c.name(int(q.at))); ok && !yield(ref) {
				return
			}
		}
	}
}

// of returns the pointers, sorted now if they were not yet.
func (p *pointers) of(l *refList) *sortedPointers {
	p.once.Do(func() {
		if p.sorted.Load() == nil {
			p.sorted.Store(sortPointers(l))
		}
	})
	return p.sorted.Load()
}

func sortPointers(l *refList) *sortedPointers {
	s := &sortedPointers{of: l.chunks, list: make([]pointer, 0, l.count)}
	for n, c := range l.chunks {
		for i, id := range c.targets {
			s.list = append(s.list, pointer{keyOf(id), uint32(n), uint32(i)})
			if c.peeled == nil || c.peeled[i].IsZero() {
				continue
			}
			// One pointer, if both ids have one key, as where they are the same.
			if key := keyOf(c.peeled[i]); key != keyOf(id) {
				s.list = append(s.list, pointer{key, uint32(n), uint32(i)})
			}
		}
	}
	slices.SortFunc(s.list, func(a, b pointer) int { return cmp.Compare(a.key, b.key) })
	return s
}

// follow takes over what was sorted for the list that this one is made from.
func (p *pointers) follow(from Refs, moved []Ref) {
	if from.list == nil {
		return
	}
	before := &from.list.pointers
	sorted := before.sorted.Load()
	if sorted == nil || len(before.moved)+len(moved) > mostMoved {
		return
	}
	p.sorted.Store(sorted)
	p.moved = slices.Concat(before.moved, moved)
}
