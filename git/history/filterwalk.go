package history

import (
	"context"
	"fmt"
	"math"

	"github.com/ingot-forge/ingot/git"
)

// treeFilter is a Filter made ready for a walk: its parts merged into what they
// let through together.
type treeFilter struct {
	commits, trees, blobs bool   // kinds let through
	depth                 uint32 // entries at this depth or below are not
	limit                 uint64 // nor are blobs of this size or larger
	sparse                *sparseSet
	seen                  map[uint64]struct{} // under sparse: pairs of tree and state looked at
}

const (
	noDepth = math.MaxUint32 // no object is so deep: there are fewer of them
	noLimit = math.MaxUint64
)

// MaxSparseBytes bounds the blob that sparse:oid names.
const MaxSparseBytes = 1 << 18

// setFilter makes the walk leave out what f does. It reads the patterns of
// sparse:oid.
func (w *treeWalk) setFilter(ctx context.Context, f *Filter) error {
	if f == nil {
		return nil
	}
	t := &treeFilter{commits: true, trees: true, blobs: true, depth: noDepth, limit: noLimit}
	var patterns []*patternList
	for _, part := range f.parts {
		switch part.choice {
		case byNone:
			t.blobs = false
		case byLimit:
			t.limit = min(t.limit, part.number)
		case byDepth:
			t.depth = uint32(min(uint64(t.depth), part.number))
		case byKind:
			t.commits = t.commits && part.kind == git.KindCommit
			t.trees = t.trees && part.kind == git.KindTree
			t.blobs = t.blobs && part.kind == git.KindBlob
		case bySparse:
			_, size, err := w.header(ctx, part.sparse)
			if err == nil && size > MaxSparseBytes {
				err = fmt.Errorf("%d bytes are over the limit of %d", size, MaxSparseBytes)
			}
			if err != nil {
				return fmt.Errorf("filter sparse:oid=%s: %w", part.sparse, err)
			}
			data, err := w.read(ctx, part.sparse, git.KindBlob)
			if err != nil {
				return fmt.Errorf("filter sparse:oid=%s: %w", part.sparse, err)
			}
			patterns = append(patterns, parsePatterns(data))
		}
	}
	if len(patterns) > 0 {
		t.sparse = newSparseSet(patterns)
		t.seen = make(map[uint64]struct{})
	}
	w.filter = t
	return nil
}

// descends reports whether anything at a depth can be let through.
func (f *treeFilter) descends(depth uint32) bool { return depth < f.depth && (f.trees || f.blobs) }

// revisits reports whether what the filter makes of an entry depends on more
// than the entry, so that it counts each time that it is met.
func (f *treeFilter) revisits() bool { return f.depth != noDepth || f.sparse != nil }

// root is the state of the sparse patterns in a root tree, named that in a tree
// wanted by name: nothing is included there before a pattern says so.
func (f *treeFilter) root() uint32 {
	if f.sparse == nil {
		return 0
	}
	return f.sparse.root
}

func (f *treeFilter) named() uint32 {
	if f.sparse == nil {
		return 0
	}
	return f.sparse.named
}

// enter tells what the sparse patterns make of an entry.
func (f *treeFilter) enter(state uint32, name []byte) (sparseEntry, error) {
	if f.sparse == nil {
		return sparseEntry{file: true}, nil
	}
	return f.sparse.enter(state, name)
}

// filterTree takes up a tree that the walk met, with the marks it had before.
func (w *treeWalk) filterTree(t pendingTree, before marks) {
	f := w.filter
	if t.depth > f.depth { // itself is one level above its entries
		return
	}
	w.marks[t.tree] |= markFound
	if f.trees && before&markSend == 0 {
		w.marks[t.tree] |= markSend
		w.found++
	}
	if !f.descends(t.depth) {
		return
	}
	if f.sparse == nil {
		if before&markWalked != 0 {
			return
		}
		w.marks[t.tree] |= markWalked
	} else {
		key := uint64(t.tree)<<32 | uint64(t.state)
		if _, ok := f.seen[key]; ok {
			return
		}
		f.seen[key] = struct{}{}
	}
	w.pending = append(w.pending, t)
}

// filterBlob reports whether a blob met in t is let through.
func (w *treeWalk) filterBlob(ctx context.Context, t pendingTree, name []byte, i uint32) (bool, error) {
	f := w.filter
	if !f.blobs || w.marks[i]&markBig != 0 {
		return false, nil
	}
	if f.sparse != nil {
		if e, err := f.sparse.enter(t.state, name); err != nil || !e.file {
			return false, err
		}
	}
	if f.limit == noLimit {
		return true, nil
	}
	_, size, err := w.header(ctx, *w.ids.id(i))
	if err != nil {
		return false, err
	}
	if uint64(size) >= f.limit {
		w.marks[i] |= markBig
		return false, nil
	}
	return true, nil
}
