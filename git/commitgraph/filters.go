package commitgraph

import (
	"cmp"
	"context"
	"fmt"
	"runtime"
	"slices"
	"sync"
	"sync/atomic"

	"github.com/ingot-forge/ingot/git"
)

const (
	// maxBuilders bounds the goroutines that compute filters, each with trees of its own.
	maxBuilders = 16
	// buildBatch is how many commits a goroutine takes at a time: many, since one finds
	// most of its trees among those of the one before.
	buildBatch = 256
)

// filters gives every new commit its filter.
func (b *builder) filters(ctx context.Context) error {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	order := b.byFirstParent()
	var taken atomic.Int64
	var done int
	var mu sync.Mutex // guards done, and keeps calls of progress apart
	var all sync.WaitGroup
	for range min(runtime.GOMAXPROCS(0), maxBuilders, (len(order)+buildBatch-1)/buildBatch) {
		all.Go(func() {
			d := newDiffer(b.objects, b.format)
			for {
				to := int(taken.Add(buildBatch))
				if to-buildBatch >= len(order) || ctx.Err() != nil {
					return
				}
				batch := order[to-buildBatch : min(to, len(order))]
				if err := b.filterBatch(ctx, d, batch); err != nil {
					cancel(err)
					return
				}
				if b.progress != nil {
					mu.Lock()
					done += len(batch)
					b.progress(done, len(order))
					mu.Unlock()
				}
			}
		})
	}
	all.Wait()
	return context.Cause(ctx)
}

// filterBatch gives some commits their filters, in one piece of memory.
func (b *builder) filterBatch(ctx context.Context, d *differ, batch []uint32) error {
	var made []byte
	sizes := make([]int, len(batch))
	for i, number := range batch {
		c := &b.commits[number]
		before := len(made)
		if filter := b.copiedFilter(c.id); filter != nil {
			made = append(made, filter...)
		} else {
			var old git.ID
			if parents := b.parentsOf(c); len(parents) > 0 {
				old = b.tree(parents[0])
			}
			keys, ok, err := d.changed(ctx, old, c.tree)
			if err != nil {
				return fmt.Errorf("commit %s: %w", b.format.Hex(c.id), err)
			}
			if ok {
				made = appendFilter(made, keys)
			} else {
				made = append(made, 0xff) // says yes to everything
			}
		}
		sizes[i] = len(made) - before
	}
	for i, number := range batch {
		b.commits[number].filter, made = made[:sizes[i]:sizes[i]], made[sizes[i]:]
	}
	return nil
}

// copiedFilter returns the filter of a commit from a graph to be copied from.
func (b *builder) copiedFilter(id git.ID) []byte {
	for _, g := range b.copied {
		if position, ok := g.Find(id); ok {
			l, at := g.layer(position)
			if filter := l.filter(at); len(filter) > 0 && l.hashes == filterHashes && l.bits == filterBits {
				return filter
			}
		}
	}
	return nil
}

// byFirstParent orders the commits so that most of them are followed by
// their first parents: newest first.
func (b *builder) byFirstParent() []uint32 {
	newest := make([]uint32, len(b.commits))
	for i := range newest {
		newest[i] = uint32(i)
	}
	slices.SortFunc(newest, func(x, y uint32) int {
		return cmp.Or(cmp.Compare(b.commits[y].generation, b.commits[x].generation), cmp.Compare(x, y))
	})
	order := make([]uint32, 0, len(newest))
	taken := make([]bool, len(newest))
	for _, number := range newest {
		for !taken[number] {
			taken[number] = true
			order = append(order, number)
			if parents := b.parentsOf(&b.commits[number]); len(parents) > 0 && parents[0] >= b.start {
				number = parents[0] - b.start
			}
		}
	}
	return order
}
