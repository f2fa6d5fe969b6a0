package history

import (
	"context"
	"math/bits"

	"github.com/ingot-forge/ingot/git"
	"github.com/ingot-forge/ingot/git/bitmap"
)

// sets is one run of selectSets.
type sets struct {
	*missing
	has    *cover // what the client has; nil: nothing
	wanted *cover // what it wants and does not have
	named  peeled // trees and blobs wanted by name
	send   bitmap.Set
}

// selectSets selects by bitmaps. It returns nil if a walk costs less after all.
func (m *missing) selectSets(ctx context.Context) (*Selection, error) {
	s := &sets{missing: m}
	// Who wants a tree or a blob by name does not have it: see findTrees.
	s.named.trees = without(m.wants.trees, m.haves.trees)
	s.named.blobs = without(m.wants.blobs, m.haves.blobs)
	if err := s.coverCommits(ctx); err != nil {
		return nil, err
	}
	if len(m.haves.commits) > 0 {
		// Bitmaps may be far from what the client has, or from what it wants. Then
		// there may be fewer commits in between the two.
		if above := len(s.has.roots) + len(s.wanted.roots); above > m.few() {
			if all, err := m.findCommits(ctx, above); err != nil || all {
				return nil, err
			}
		}
	}
	if err := s.coverTrees(ctx); err != nil {
		return nil, err
	}
	if err := s.choose(ctx); err != nil {
		return nil, err
	}
	selected := &Selection{Send: s.send}
	var err error
	if selected.Objects, err = s.list(ctx); err != nil {
		return nil, err
	}
	if s.has != nil {
		if m.request.Thin {
			if selected.Bases, err = s.bases(ctx); err != nil {
				return nil, err
			}
		}
		selected.Has = s.has.set
	}
	selected.Count = s.send.Count() + len(selected.Objects)
	m.report(selected.Count)
	return selected, nil
}

// coverCommits takes up commits and tags.
func (s *sets) coverCommits(ctx context.Context) error {
	noBlobs := s.trees.filter != nil && !s.trees.filter.blobs
	if len(s.haves.commits)+len(s.haves.tags)+len(s.haves.trees)+len(s.haves.blobs) > 0 {
		s.has = newCover(s.source, s.graph, nil)
		s.has.noBlobs = noBlobs
		if err := s.has.reach(ctx, s.haves.commits); err != nil {
			return err
		}
		if err := s.has.addAll(s.haves.tags, git.KindTag); err != nil {
			return err
		}
	}
	s.wanted = newCover(s.source, s.graph, s.has)
	s.wanted.noBlobs = noBlobs
	if err := s.wanted.reach(ctx, s.wants.commits); err != nil {
		return err
	}
	return s.wanted.addAll(s.wants.tags, git.KindTag)
}

// coverTrees takes up what hangs from the commits, and what is named besides
// them.
func (s *sets) coverTrees(ctx context.Context) error {
	if f := s.trees.filter; !f.through(git.KindTree) && !f.through(git.KindBlob) {
		if err := s.wanted.addAll(s.named.trees, git.KindTree); err != nil {
			return err
		}
		return s.wanted.addAll(s.named.blobs, git.KindBlob)
	}
	if s.has != nil {
		if err := s.has.openRoots(ctx); err != nil {
			return err
		}
		if err := s.has.addNamed(ctx, s.haves); err != nil {
			return err
		}
	}
	if err := s.wanted.addNamed(ctx, s.named); err != nil {
		return err
	}
	return s.wanted.openRoots(ctx)
}

// addNamed takes up trees and blobs that are named by themselves.
func (c *cover) addNamed(ctx context.Context, named peeled) error {
	if err := c.addAll(named.blobs, git.KindBlob); err != nil {
		return err
	}
	for _, id := range named.trees {
		if err := c.root(ctx, id); err != nil {
			return err
		}
	}
	return nil
}

func (c *cover) addAll(ids []git.ID, kind git.Kind) error {
	for i := range ids {
		if _, err := c.add(&ids[i], kind, 0); err != nil {
			return err
		}
	}
	return nil
}

// through reports whether a filter, which may be nil, lets objects of a kind
// through wherever they are; those of a size may be left out yet.
func (f *treeFilter) through(kind git.Kind) bool {
	switch {
	case f == nil || kind == git.KindTag:
		return true
	case kind == git.KindCommit:
		return f.commits
	case kind == git.KindTree:
		return f.trees && f.depth > 0
	}
	return f.blobs && f.depth > 0
}

// sure reports whether a client that filters so has all objects of a kind that
// its commits reach.
func (f *treeFilter) sure(kind git.Kind) bool {
	return f == nil || f.through(kind) && !f.revisits() && (kind != git.KindBlob || f.limit == noLimit)
}

// choose makes the set to send, and leaves in the other what the client is sure
// to have.
func (s *sets) choose(ctx context.Context) error {
	s.send = s.wanted.set
	if s.has != nil {
		subtract(s.send, s.has.set)
	}
	var back []int // wanted by name
	f := s.trees.filter
	if !f.through(git.KindCommit) {
		for i := range s.wants.commits {
			if at, ok := s.position(&s.wants.commits[i]); ok && s.send.Has(at) {
				back = append(back, at)
			}
		}
	}
	for _, kind := range []git.Kind{git.KindCommit, git.KindTree, git.KindBlob} {
		if !f.through(kind) {
			subtract(s.send, s.Bitmaps.Kinds(kind))
		}
		if s.has != nil && !f.sure(kind) {
			subtract(s.has.set, s.Bitmaps.Kinds(kind))
		}
	}
	if err := s.dropBig(ctx); err != nil {
		return err
	}
	for _, ids := range [][]git.ID{s.named.trees, s.named.blobs} {
		for i := range ids {
			if at, ok := s.position(&ids[i]); ok {
				back = append(back, at)
			}
		}
	}
	for _, at := range back {
		s.send.Add(at)
		if s.has != nil {
			s.has.set[at/64] &^= 1 << (at % 64)
		}
	}
	return nil
}

// subtract takes out of a what b has.
func subtract(a, b bitmap.Set) {
	for i := range min(len(a), len(b)) {
		a[i] &^= b[i]
	}
}

// dropBig takes the blobs over the filter's limit out of the set to send.
func (s *sets) dropBig(ctx context.Context) error {
	if f := s.trees.filter; f == nil || f.limit == noLimit || !f.through(git.KindBlob) {
		return nil
	}
	checked := 0
	for word, blobs := range s.Bitmaps.Kinds(git.KindBlob) {
		for left := s.send[word] & blobs; left != 0; left &= left - 1 {
			if checked++; checked%checkEvery == 0 {
				if err := ctx.Err(); err != nil {
					return err
				}
			}
			at := word*64 + bits.TrailingZeros64(left)
			if big, err := s.big(ctx, s.Bitmaps.ID(at)); err != nil {
				return err
			} else if big {
				s.send[word] &^= 1 << (at % 64)
			}
		}
	}
	return nil
}

// big reports whether the filter leaves a blob out for its size.
func (s *sets) big(ctx context.Context, id git.ID) (bool, error) {
	f := s.trees.filter
	if f == nil || f.limit == noLimit {
		return false, nil
	}
	_, size, err := s.header(ctx, id)
	return uint64(size) >= f.limit, err
}

// list returns the objects to send that have no position.
func (s *sets) list(ctx context.Context) ([]Object, error) {
	named := newIDTable()
	for _, ids := range [][]git.ID{s.wants.commits, s.named.trees, s.named.blobs} {
		for i := range ids {
			if _, ok := s.position(&ids[i]); !ok {
				named.add(&ids[i])
			}
		}
	}
	var list []Object
	w := s.wanted
	for i, kind := range w.kinds {
		id := w.table.id(uint32(i))
		if _, ok := named.find(id); !ok {
			if !s.trees.filter.through(kind) {
				continue
			}
			if kind == git.KindBlob {
				if big, err := s.big(ctx, *id); err != nil {
					return nil, err
				} else if big {
					continue
				}
			}
		}
		list = append(list, Object{ID: *id, Kind: kind, NameHash: w.hashes[i]})
	}
	if s.has == nil {
		return list, nil
	}
	// What is wanted by name is sent although it hangs from what is had.
	for _, ids := range [][]git.ID{s.named.trees, s.named.blobs} {
		for i := range ids {
			if n, ok := s.has.table.find(&ids[i]); ok {
				list = append(list, Object{ID: ids[i], Kind: s.has.kinds[n], NameHash: s.has.hashes[n]})
			}
		}
	}
	return list, nil
}
