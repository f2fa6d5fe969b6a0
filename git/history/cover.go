package history

import (
	"context"
	"fmt"

	"github.com/ingot-forge/ingot/git"
	"github.com/ingot-forge/ingot/git/bitmap"
	"github.com/ingot-forge/ingot/git/lasttree"
)

// cover finds all that some objects reach: a set of the positions that bitmaps
// give, and a table of the objects that have none. What a commit with a stored
// bitmap reaches is taken as a whole; other commits are gone through, and then
// their trees. What is in the set or the table is there with all that hangs
// from it, or its tree waits to be opened, so nothing is looked at twice.
type cover struct {
	*source
	below   *cover // what it has counts as had: it is left out; may be nil
	commits visit
	roots   []git.ID // trees of the commits gone through, in that order
	last    *lasttree.Trees[struct{}]
	noBlobs bool // blobs are left out

	set    bitmap.Set // nil without bitmaps
	table  idTable
	kinds  []git.Kind // by number in the table
	hashes []uint32   // by number in the table: NameHash of the path where it was first met

	pending []coverTree
	opened  int // trees
	taken   int // how much was added: a measure of what has become known
}

// coverTree is a tree to be opened.
type coverTree struct {
	id     git.ID
	prefix uint32 // hash of its path with a slash behind
}

// takenByBitmap is what a bitmap counts for in cover.taken.
const takenByBitmap = 1 << 12

// newCover returns an empty cover. g may have been used in walks that are over.
func newCover(s *source, g *graph, below *cover) *cover {
	g.forget()
	c := &cover{source: s, below: below, commits: visit{graph: g}, table: newIDTable()}
	if c.Bitmaps != nil {
		c.set = bitmap.NewSet(c.Bitmaps.Len())
	}
	if below != nil {
		c.last = below.last // what was taken up there is had here
	} else {
		c.last = new(lasttree.Trees[struct{}])
	}
	return c
}

// position is where bitmaps have an object.
func (s *source) position(id *git.ID) (int, bool) {
	if s.Bitmaps == nil {
		return 0, false
	}
	return s.Bitmaps.Find(*id)
}

// has reports whether an object has been met.
func (c *cover) has(id *git.ID) bool {
	if c.taken == 0 {
		return false
	}
	if at, ok := c.position(id); ok {
		return c.set.Has(at)
	}
	_, ok := c.table.find(id)
	return ok
}

// add takes up an object that is named as being of a kind, and reports whether
// it is new. hash is that of its path.
func (c *cover) add(id *git.ID, kind git.Kind, hash uint32) (fresh bool, err error) {
	if at, ok := c.position(id); ok {
		if c.below != nil && c.below.set.Has(at) || !c.set.Add(at) {
			return false, nil
		}
		if is := c.Bitmaps.Kind(at); is != kind {
			return false, wrongKind(*id, is, kind)
		}
		c.taken++
		return true, nil
	}
	if c.below != nil {
		if _, ok := c.below.table.find(id); ok {
			return false, nil
		}
	}
	i, fresh := c.table.add(id)
	if fresh {
		c.kinds = append(c.kinds, kind)
		c.hashes = append(c.hashes, hash)
		c.taken++
	} else if is := c.kinds[i]; is != kind {
		return false, fmt.Errorf("%w: object %s is named as a %s and as a %s", git.ErrCorrupt, *id, is, kind)
	}
	return fresh, nil
}

// start adds commits to those that step goes through.
func (c *cover) start(ctx context.Context, commits []git.ID) error {
	for _, id := range commits {
		if err := c.commits.push(ctx, c.commits.node(id)); err != nil {
			return err
		}
	}
	return nil
}

// reach goes through all that the commits reach, but for the trees in roots.
func (c *cover) reach(ctx context.Context, commits []git.ID) error {
	if err := c.start(ctx, commits); err != nil {
		return err
	}
	for c.commits.reaches(anyRank) {
		if err := c.step(ctx); err != nil {
			return err
		}
	}
	return nil
}

// step takes up the next commit: the highest in rank, so that one that another
// one's bitmap has is met after it, and costs nothing.
func (c *cover) step(ctx context.Context) error {
	i, err := c.commits.pop(ctx)
	if err != nil {
		return err
	}
	id := c.commits.ids.id(i)
	if at, ok := c.position(id); ok {
		if c.set.Has(at) || c.below != nil && c.below.set.Has(at) {
			return nil
		}
		ok, err := c.Bitmaps.Reaches(at, c.set)
		if err != nil {
			return &bitmapError{err}
		}
		if ok {
			c.taken += takenByBitmap
			return nil
		}
	}
	if fresh, err := c.add(id, git.KindCommit, 0); err != nil || !fresh {
		return err
	}
	c.roots = append(c.roots, c.commits.nodes[i].tree)
	return c.commits.pushAll(ctx, c.commits.parents(i))
}

// openRoots goes through the trees of the commits that were gone through.
func (c *cover) openRoots(ctx context.Context) error {
	for _, id := range c.roots {
		if err := c.root(ctx, id); err != nil {
			return err
		}
	}
	c.roots = c.roots[:0]
	return nil
}

// root takes up a tree that is at no path, with all that hangs from it.
func (c *cover) root(ctx context.Context, id git.ID) error {
	if fresh, err := c.add(&id, git.KindTree, 0); err != nil || !fresh {
		return err
	}
	c.pending = append(c.pending, coverTree{id: id})
	for n := len(c.pending); n > 0; n = len(c.pending) {
		next := c.pending[n-1]
		c.pending = c.pending[:n-1]
		if err := c.open(ctx, next); err != nil {
			return err
		}
	}
	return nil
}

// open takes up the entries of a tree.
func (c *cover) open(ctx context.Context, t coverTree) error {
	if c.opened++; c.opened%checkEvery == 0 {
		if err := ctx.Err(); err != nil {
			return err
		}
	}
	data, err := c.read(ctx, t.id, git.KindTree)
	if err != nil {
		return err
	}
	before := len(c.pending)
	err = c.last.Each(c.format, t.prefix, data, struct{}{}, nil, func(mode git.Mode, name []byte, id git.ID) error {
		hash := git.NameHash(t.prefix, name)
		switch {
		case mode.IsTree():
			fresh, err := c.add(&id, git.KindTree, hash)
			if fresh {
				c.pending = append(c.pending, coverTree{id, git.NameHash(hash, "/")})
			}
			return err
		case !isSubmodule(mode) && !c.noBlobs:
			_, err := c.add(&id, git.KindBlob, hash)
			return err
		}
		return nil
	})
	if err != nil {
		return fmt.Errorf("tree %s: %w", t.id, err)
	}
	// The first subtree is to be opened first, so it goes on top.
	added := c.pending[before:]
	for i, j := 0, len(added)-1; i < j; i, j = i+1, j-1 {
		added[i], added[j] = added[j], added[i]
	}
	return nil
}

// bitmapError marks an error of the stored bitmaps: who meets it does without
// them, and nobody outside hears of it.
type bitmapError struct{ error }

func (e *bitmapError) Unwrap() error { return e.error }
