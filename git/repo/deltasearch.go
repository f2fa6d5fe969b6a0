package repo

import (
	"cmp"
	"context"
	"slices"

	"github.com/ingot-forge/ingot/git"
	"github.com/ingot-forge/ingot/git/pack"
)

const (
	// searchWindow is how many objects each one is compared with: git's default.
	searchWindow = 10
	// searchedChild bounds the chain of a new delta on which others, kept as they were stored,
	// depend: how long theirs are is not known.
	searchedChild = 20
	// leastSearched and mostSearched are the sizes of objects for which deltas are searched.
	leastSearched, mostSearched = 50, 8 << 20
	// windowBytes bounds the objects of the window, and deltaBytes the deltas kept from
	// searching until they are written: others are made again.
	windowBytes, deltaBytes = 64 << 20, 64 << 20
	// mostCandidates bounds the objects that one run looks at, 16 bytes each.
	mostCandidates = 4 << 20
	// searchedBytes is how much one run searches, in bytes of objects; searchedBytesAll where
	// somebody asked for all packs to be joined.
	searchedBytes, searchedBytesAll = 256 << 20, 16 << 30
)

// searched are the new deltas that a search has chosen. A nil *searched has none.
type searched struct {
	bases map[uint32]int32 // of an object by its number: its new base, or -1 for one to be whole
	ready map[uint32][]byte
	index *pack.DeltaIndex // of the base below
	of    int
}

// base returns the new base of an object; -1 if it is to be whole; ok is false if it stays
// as it is stored.
func (s *searched) base(number int) (base int, ok bool) {
	if s == nil {
		return 0, false
	}
	b, ok := s.bases[uint32(number)]
	return int(b), ok
}

// delta returns the delta that was chosen.
func (s *searched) delta(ctx context.Context, n *numbers, number, base int) ([]byte, error) {
	if d, ok := s.ready[uint32(number)]; ok {
		delete(s.ready, uint32(number))
		return d, nil
	}
	_, target, err := n.object(ctx, number)
	if err != nil {
		return nil, err
	}
	if s.index == nil || s.of != base {
		_, data, err := n.object(ctx, base)
		if err != nil {
			return nil, err
		}
		s.index, s.of = pack.NewDeltaIndex(data), base
	}
	return s.index.Create(nil, target, len(target)), nil
}

// search looks for deltas among objects that are stored whole, as git's
// pack-objects does: sorted by kind, name and size, each is compared with the few before it. Two
// from the same pack are not compared: whoever made it has done so.
//
// The objects of the tip are taken as bases only of each other, and stand before others of their
// name, so that older ones become deltas of them and a clone of depth 1 finds
// them ready. Those that are stored as deltas of others are made whole.
type search struct {
	*numbers
	names    []uint32
	tip      numberSet // may be nil
	commits  int       // how many there are, tags included
	bytes    int64     // to be searched
	progress func(done, total int)

	list   []candidate
	parent numberSet // objects that stored deltas start from
	found  *searched
	kept   int64 // bytes of found.ready
	window []windowed
	held   int64 // bytes of the window's objects
}

type candidate struct {
	number, name, size uint32
	kind               git.Kind
	tip, delta         bool // is of the tip; is stored as a delta
}

// windowed is a candidate with its content.
type windowed struct {
	candidate
	depth int
	data  []byte
	index *pack.DeltaIndex // made when it is first needed
}

// run chooses deltas for the candidates, which have been listed.
func (s *search) run(ctx context.Context) (*searched, error) {
	slices.SortFunc(s.list, compareCandidates)
	s.found = &searched{bases: make(map[uint32]int32), ready: make(map[uint32][]byte)}
	for n, c := range s.list {
		if c.delta {
			s.found.bases[c.number] = -1
		}
		if s.bytes -= int64(c.size); s.bytes < 0 {
			continue // but those of the tip are to be whole all the same
		}
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		if err := s.object(ctx, c); err != nil {
			return nil, err
		}
		if s.progress != nil {
			s.progress(n+1, len(s.list))
		}
	}
	s.list, s.window = nil, nil
	return s.found, nil
}

func compareCandidates(a, b candidate) int {
	if c := cmp.Or(cmp.Compare(a.kind, b.kind), cmp.Compare(a.name, b.name)); c != 0 {
		return c
	}
	if a.tip != b.tip {
		if a.tip {
			return -1
		}
		return 1
	}
	return cmp.Or(cmp.Compare(b.size, a.size), cmp.Compare(b.number, a.number)) // the newer first
}

// candidates lists the objects that are stored whole and worth a delta, and those of the tip
// that are deltas of others.
func (s *search) candidates(ctx context.Context) error {
	s.parent = newNumberSet(len(s.state))
	for i, p := range s.packs {
		for rank := range s.revs[i].Count() {
			number := s.start[i] + s.revs[i].Place(rank)
			if s.state[number] != unwritten {
				continue
			}
			if err := ctx.Err(); err != nil {
				return err
			}
			e, err := p.EntryAt(ctx, rank)
			if err != nil {
				return err
			}
			c := candidate{number: uint32(number), name: s.names[number], kind: git.Kind(e.Kind), size: uint32(min(e.Size, mostSearched+1))}
			c.tip = s.tip != nil && s.tip.has(number)
			if e.Kind.IsDelta() {
				base, err := s.storedBase(number, e)
				if err != nil {
					return err
				}
				s.parent.add(base)
				gone := s.state[base] == leftOut
				if !gone && (!c.tip || s.tip.has(base)) {
					continue
				}
				kind, size, err := p.Header(ctx, s.revs[i].Place(rank))
				if err != nil {
					return err
				}
				c.kind, c.size, c.delta = kind, uint32(min(size, mostSearched+1)), true
			}
			if len(s.list) < mostCandidates && (c.delta || c.size >= leastSearched) && c.size <= mostSearched {
				s.list = append(s.list, c)
			}
		}
	}
	return nil
}

// object compares one object with those in the window, and puts it there.
func (s *search) object(ctx context.Context, c candidate) error {
	w := windowed{candidate: c}
	best, delta := -1, []byte(nil)
	for k := len(s.window) - 1; k >= 0; k-- {
		base := &s.window[k]
		if !s.comparable(&w, base) {
			continue
		}
		if err := s.load(ctx, &w, base); err != nil {
			return err
		}
		if d := s.try(&w, base, delta); d != nil {
			best, delta, w.depth = int(base.number), d, base.depth+1
		}
	}
	if delta != nil {
		s.found.bases[c.number] = int32(best)
		if s.kept+int64(len(delta)) <= deltaBytes {
			s.found.ready[c.number] = slices.Clip(delta)
			s.kept += int64(cap(delta))
		}
	}
	s.enter(w)
	return nil
}

// load reads objects, most of which are never compared if all came in one pack.
func (s *search) load(ctx context.Context, objects ...*windowed) (err error) {
	for _, w := range objects {
		if w.data == nil {
			if _, w.data, err = s.numbers.object(ctx, int(w.number)); err != nil {
				return err
			}
		}
	}
	return nil
}

// comparable reports whether one may become a delta of the other, and might be worth it.
func (s *search) comparable(target, base *windowed) bool {
	most := grownChain
	if s.parent.has(int(target.number)) {
		most = searchedChild
	}
	switch {
	case target.kind != base.kind, base.depth >= most:
		return false
	case target.tip && !base.tip:
		return false
	case target.size < base.size/32:
		return false
	}
	if target.tip != base.tip || target.delta || base.delta {
		return true // whoever made the pack had other things in mind
	}
	a, _ := s.locate(int(target.number))
	b, _ := s.locate(int(base.number))
	return a != b
}

// try returns the delta of target from base if it is better than the one that there is.
func (s *search) try(target, base *windowed, have []byte) []byte {
	size := int(target.size)
	most, depth := size/2-20, 0 // what a delta must be below to be worth it, at that depth
	if have != nil {
		most, depth = len(have)-1, target.depth-1
	}
	// The deeper the chain, the more it has to gain.
	most = most * (grownChain - base.depth) / max(grownChain-depth, 1)
	if grown := size - int(base.size); most <= 0 || grown >= most {
		return nil
	}
	if base.index == nil {
		base.index = pack.NewDeltaIndex(base.data)
	}
	return base.index.Create(nil, target.data, most)
}

// enter puts an object into the window, in the place of the oldest.
func (s *search) enter(w windowed) {
	s.window = append(s.window, w)
	s.held += int64(w.size)
	for len(s.window) > searchWindow || s.held > windowBytes && len(s.window) > 1 {
		s.held -= int64(s.window[0].size)
		s.window = slices.Delete(s.window, 0, 1)
	}
}
