package bitmap

import (
	"context"
	"fmt"
	"slices"

	"github.com/ingot-forge/ingot/git"
)

// Verify checks all files: their checksums, the kind of every object that is known, and every
// bitmap against a walk over what its commit reaches. It costs as much as to
// build them all anew. What is wrong is git.ErrCorrupt, and git.ErrNotFound where
// something that a commit with a bitmap reaches is not in the stack.
func (x *Index) Verify(ctx context.Context, objects git.Objects) error {
	for i, l := range x.layers {
		if l.File == nil {
			continue
		}
		if err := l.File.checkSum(); err != nil {
			return fmt.Errorf("layer %d: %w", i, err)
		}
	}
	if err := x.verifyKinds(); err != nil {
		return err
	}
	v := &verifier{filler: newFiller(newCommits(objects, x.format, x)), got: NewSet(x.Len())}
	v.hear = func(position int, kind git.Kind, _ uint32) { v.compareKind(position, kind) }
	tips, err := v.bitmapped(ctx)
	if err != nil {
		return err
	}
	open := func(err error) error { return err }
	if err := v.fill(ctx, v.chains(tips), open, v.compare); err != nil {
		return err
	}
	return v.wrong
}

// verifyKinds checks that every object has one kind, and none where it is repeated.
func (x *Index) verifyKinds() error {
	for i, l := range x.layers {
		if l.File == nil {
			continue
		}
		for position := x.Start(i); position < x.Start(i+1); position++ {
			n := 0
			for _, kind := range kinds {
				if x.kinds[kind].Has(position) {
					n++
				}
			}
			want := 1
			id := x.ID(position)
			if first, ok := x.Find(id); !ok || first != position {
				want = 0
			}
			if n != want {
				return corrupt("object %s at position %d has %d kinds, not %d", id, position, n, want)
			}
		}
	}
	return nil
}

// verifier makes all bitmaps anew and compares.
type verifier struct {
	*filler
	got Set
}

// bitmapped returns the commits that have a bitmap, the latest first.
func (v *verifier) bitmapped(ctx context.Context) ([]uint32, error) {
	positions := make([]int, 0, len(v.index.entries))
	for at := range v.index.entries {
		position, ok := v.index.position(at)
		if !ok {
			return nil, corrupt("an entry is of object %d, which has no position", at)
		}
		positions = append(positions, position)
	}
	slices.Sort(positions)
	tips := make([]uint32, len(positions))
	for i, position := range positions {
		tips[i] = v.at(position)
		if err := v.read(ctx, tips[i]); err != nil {
			return nil, err
		}
	}
	slices.SortStableFunc(tips, v.later)
	for _, tip := range tips {
		if err := v.load(ctx, tip); err != nil {
			return nil, err
		}
		if v.nodes[tip].flags&nodeOpen != 0 {
			return nil, fmt.Errorf("%w: bitmap: commit %s has one, but reaches what is not in the stack: %w",
				git.ErrCorrupt, v.id(tip), git.ErrNotFound)
		}
	}
	return tips, nil
}

// position is the inverse of how an entry names its commit.
func (x *Index) position(stored uint32) (int, bool) {
	layer := x.layer(int(stored))
	l := x.layers[layer]
	rank, ok := l.Rev.Rank(l.Pack.Offset(int(stored) - x.starts[layer]))
	return x.starts[layer] + rank, ok
}

// compare compares f.set with the bitmap of the commit.
func (v *verifier) compare(i uint32) error {
	clear(v.got)
	position := int(v.nodes[i].position)
	has, err := v.index.Reaches(position, v.got)
	if err != nil {
		return fmt.Errorf("commit %s: %w", v.id(i), err)
	}
	if !has || slices.Equal(v.got, v.set) {
		return nil
	}
	v.got.xor(v.set)
	for at := range v.index.Len() {
		if v.got.Has(at) {
			return corrupt("of commit %s is wrong about %d objects, %s first", v.id(i), v.got.Count(), v.index.ID(at))
		}
	}
	return nil
}
