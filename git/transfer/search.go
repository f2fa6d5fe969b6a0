package transfer

import (
	"context"

	"github.com/ingot-forge/ingot/git"
	"github.com/ingot-forge/ingot/git/history"
	"github.com/ingot-forge/ingot/git/pack"
)

// search makes new deltas for what is not stored as one that can be sent: in
// a small fetch most objects are newer versions of what the client has, and
// whole they would cost ten times as much. What it tries as bases are objects with the
// same path, which the client has or which are in the pack before.
type search struct {
	snap   git.Objects
	bases  map[baseKey][]base
	budget int // bytes that may still be compared
}

const (
	// searchBudget bounds what one fetch spends on deltas: so many bytes take a
	// quarter of a second. A fetch that needs more is large anyway.
	searchBudget = 32 << 20
	// maxSearched is the largest object that a delta is made for.
	maxSearched = 4 << 20
	// minSearched is the smallest: below, a delta saves nothing.
	minSearched = 50
	// maxTried bounds the bases tried for one object, and kept for one path.
	maxTried = 10
	// maxMade bounds how many new deltas lean on each other, as git's
	// pack.depth does: clients undo them one by one.
	maxMade = 50
	// maxEdgeCommits and maxEdgeEntries bound what is read to learn the paths of
	// what the client has.
	maxEdgeCommits = 4096
	maxEdgeEntries = 1 << 18
)

// baseKey says which objects are versions of each other.
type baseKey struct {
	kind git.Kind
	name uint32 // history.NameHash of the path
}

// base is an object that deltas may lean on.
type base struct {
	id    git.ID
	item  int // in the pack that is sent; -1: the client has it
	depth int // new deltas below it
	index *pack.DeltaIndex
}

// newSearch prepares the search for a fetch that sends objects to a client which
// has the given ones.
func newSearch(ctx context.Context, snap git.Objects, f git.Format, objects []history.Object, has map[git.ID]bool) (*search, error) {
	s := &search{snap: snap, bases: make(map[baseKey][]base), budget: searchBudget}
	if len(has) == 0 {
		return s, nil
	}
	sent := make(map[git.ID]bool)
	for _, o := range objects {
		if o.Kind == git.KindCommit {
			sent[o.ID] = true
		}
	}
	var parents []git.ID
	seen := make(map[git.ID]bool)
	commits := 0
	for _, o := range objects { // newest first
		if o.Kind != git.KindCommit {
			continue
		}
		if commits++; commits > maxEdgeCommits {
			break
		}
		_, data, err := snap.Object(ctx, o.ID)
		if err != nil {
			return nil, err
		}
		_, parents, _, err = git.CommitLinks(f, data, parents[:0])
		if err != nil {
			return nil, err
		}
		for _, parent := range parents {
			if sent[parent] || seen[parent] {
				continue
			}
			seen[parent] = true
			if err := s.nameTrees(ctx, f, parent, has); err != nil {
				return nil, err
			}
		}
	}
	return s, nil
}

// nameTrees learns the paths of the objects in a commit's tree that the client
// is known to have; it looks only into trees that are among them.
func (s *search) nameTrees(ctx context.Context, f git.Format, commit git.ID, has map[git.ID]bool) error {
	kind, data, err := s.snap.Object(ctx, commit)
	if err != nil || kind != git.KindCommit {
		return err
	}
	root, _, _, err := git.CommitLinks(f, data, nil)
	if err != nil {
		return err
	}
	type named struct {
		id   git.ID
		path string
	}
	stack := []named{{id: root}}
	for entries := 0; len(stack) > 0; {
		t := stack[len(stack)-1]
		stack = stack[:len(stack)-1]
		if !has[t.id] || !s.add(baseKey{git.KindTree, history.NameHash(t.path)}, base{id: t.id, item: -1}) {
			continue
		}
		_, data, err := s.snap.Object(ctx, t.id)
		if err != nil {
			return err
		}
		for len(data) > 0 {
			mode, name, id, rest, err := git.NextEntry(f, data)
			if err != nil {
				return err
			}
			data = rest
			if entries++; entries > maxEdgeEntries {
				return nil
			}
			if !has[id] {
				continue
			}
			path := string(name)
			if t.path != "" {
				path = t.path + "/" + path
			}
			switch {
			case len(path) > maxPath:
			case mode.IsTree():
				stack = append(stack, named{id, path})
			default:
				s.add(baseKey{git.KindBlob, history.NameHash(path)}, base{id: id, item: -1})
			}
		}
	}
	return nil
}

// add keeps a base, in place of the oldest where there are enough. It reports
// whether it is new.
func (s *search) add(key baseKey, b base) bool {
	kept := s.bases[key]
	for i := range kept {
		if kept[i].id == b.id {
			return false
		}
	}
	if len(kept) == maxTried {
		copy(kept, kept[1:])
		kept = kept[:maxTried-1]
	}
	s.bases[key] = append(kept, b)
	return true
}

// best returns the smallest delta that makes an object out of a base, nil if none is
// below limit bytes.
func (s *search) best(ctx context.Context, key baseKey, data []byte, limit int) (delta []byte, from base, err error) {
	if len(data) < minSearched || len(data) > maxSearched || limit <= 0 || s.budget <= 0 {
		return nil, base{}, nil
	}
	kept := s.bases[key]
	for i := len(kept) - 1; i >= 0; i-- {
		b := &kept[i]
		if b.depth >= maxMade {
			continue
		}
		if b.index == nil {
			_, content, err := s.snap.Object(ctx, b.id)
			if err != nil {
				return nil, base{}, err
			}
			if len(content) > maxSearched {
				continue
			}
			b.index = pack.NewDeltaIndex(content)
			s.budget -= len(content)
		}
		s.budget -= len(data)
		if d := b.index.Create(nil, data, limit); d != nil {
			delta, from, limit = d, *b, len(d)-1
		}
		if limit <= 0 {
			break
		}
	}
	return delta, from, nil
}
