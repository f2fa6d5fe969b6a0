package transfer

import (
	"bytes"
	"container/list"
	"context"
	"encoding/binary"
	"hash"

	"github.com/ingot-forge/ingot/git"
	"github.com/ingot-forge/ingot/git/pack"
	"github.com/ingot-forge/ingot/git/repo"
)

// recipe is what a pack that is sent consists of, in order: ranges of stored
// packs, and bytes made for it (headers, new deltas, the trailer). One goroutine
// makes it, a recipeWriter; any number of readers follow at their own speed,
// while it is being made and after. It is small where packs are large: a whole
// stored pack is one range.
//
// It is written down as operations, in blocks:
//
//	n<<1    n bytes      these bytes
//	n<<1|1  source from  n bytes of a stored pack from an offset on
//
// with all numbers as uvarints. No operation goes over the end of a block.
//
// Everything but what is said otherwise is guarded by recipes.mu.
type recipe struct {
	key     recipeKey
	needs   map[string]bool // packs that a reader's snapshot has to have; while it is being made, all there are
	sources []string        // names of the packs that ranges come from
	blocks  [][]byte        // never changed once here; nil if every reader is past it and it is not kept
	bytes   int64           // of the blocks that are there

	lines []string // finished lines of progress, for every reader
	now   string   // the one that is overwritten

	done bool  // nothing will be added
	err  error // why it will not become whole; implies done
	sent sent

	// outgrown is set once it is too large to be kept: nobody joins any more, and
	// it is made no faster than it is read.
	outgrown bool
	readers  map[*reader]bool
	idle     *list.Element // in recipes.idle
	changed  chan struct{} // closed, and replaced, whenever something here changes

	cancel   context.CancelFunc // ends its making
	finished chan struct{}      // closed when its maker is gone
}

const (
	// blockBytes is how long a block gets before readers see it, and blockSpan how
	// much of the pack it stands for.
	blockBytes = 32 << 10
	blockSpan  = 4 << 20
	// ownBlock is how long bytes are that get a block to themselves.
	ownBlock = 16 << 10
)

// recipeWriter makes a recipe. It also computes the checksum that ends the pack:
// every byte is looked at once, however many clients it goes to.
type recipeWriter struct {
	ctx    context.Context
	all    *recipes
	recipe *recipe
	snap   *repo.Snapshot
	format git.Format
	packs  []*pack.Pack // parallel to recipe.sources
	last   int          // source of the last range
	sum    hash.Hash
	offset int64 // in the pack
	block  []byte
	begun  int64 // offset at which block starts

	head []byte // scratch

	// What was said last is held back: what follows may continue it.
	literal  []byte
	from, to int64 // range of packs[last]
}

// newRecipeWriter starts the recipe of a pack.
func newRecipeWriter(ctx context.Context, all *recipes, r *recipe, f git.Format, snap *repo.Snapshot) *recipeWriter {
	return &recipeWriter{ctx: ctx, all: all, recipe: r, snap: snap, format: f, sum: git.NewChecksum(f)}
}

// bytes adds bytes that are made for this pack. It keeps none of p.
func (w *recipeWriter) bytes(p []byte) error {
	if err := w.flushRange(); err != nil {
		return err
	}
	w.offset += int64(len(p))
	w.literal = append(w.literal, p...)
	if len(w.literal) >= ownBlock {
		w.flushLiteral()
		return w.publish(false)
	}
	return nil
}

// stored adds a range of a stored pack.
func (w *recipeWriter) stored(p *pack.Pack, from, to int64) error {
	w.flushLiteral()
	if w.from == w.to || w.to != from || w.packs[w.last] != p {
		if err := w.flushRange(); err != nil {
			return err
		}
		w.last = w.source(p)
		w.from = from
	}
	w.to = to
	w.offset += to - from
	if w.to-w.from >= blockSpan {
		return w.flushRange()
	}
	return nil
}

// file makes a whole stored pack the one to be sent, trailer included: its
// bytes are not even looked at.
func (w *recipeWriter) file(p *pack.Pack) error {
	w.offset = p.Size()
	w.operation(w.source(p), 0, p.Size())
	return w.publish(true)
}

// close adds the trailer.
func (w *recipeWriter) close() error {
	if err := w.flushRange(); err != nil {
		return err
	}
	w.flushLiteral()
	sum := w.sum.Sum(nil)
	w.literal = append(w.literal, sum...)
	w.offset += int64(len(sum))
	w.flushLiteral()
	return w.publish(true)
}

// source returns the number of a pack among the recipe's.
func (w *recipeWriter) source(p *pack.Pack) int {
	if w.last < len(w.packs) && w.packs[w.last] == p {
		return w.last
	}
	for i, q := range w.packs {
		if q == p {
			return i
		}
	}
	name := w.snap.PackName(p)
	w.packs = append(w.packs, p)
	w.all.mu.Lock()
	w.recipe.sources = append(w.recipe.sources, name)
	w.all.mu.Unlock()
	return len(w.packs) - 1
}

func (w *recipeWriter) flushLiteral() {
	if len(w.literal) == 0 {
		return
	}
	w.sum.Write(w.literal)
	w.block = binary.AppendUvarint(w.block, uint64(len(w.literal))<<1)
	w.block = append(w.block, w.literal...)
	w.literal = w.literal[:0]
}

func (w *recipeWriter) flushRange() error {
	if w.from == w.to {
		return nil
	}
	if err := each(w.ctx, w.packs[w.last], w.from, w.to, func(p []byte) error {
		w.sum.Write(p)
		return nil
	}); err != nil {
		return err
	}
	w.operation(w.last, w.from, w.to-w.from)
	w.from = w.to
	return w.publish(false)
}

func (w *recipeWriter) operation(source int, from, n int64) {
	w.block = binary.AppendUvarint(w.block, uint64(n)<<1|1)
	w.block = binary.AppendUvarint(w.block, uint64(source))
	w.block = binary.AppendUvarint(w.block, uint64(from))
}

// publish shows readers what there is, if it is worth it or the last.
func (w *recipeWriter) publish(last bool) error {
	if len(w.block) == 0 || !last && len(w.block) < blockBytes && w.offset-w.begun < blockSpan {
		return nil
	}
	block := bytes.Clone(w.block)
	w.block, w.begun = w.block[:0], w.offset
	return w.all.add(w.ctx, w.recipe, block)
}

// each calls visit with the bytes of a stored pack from one offset to another.
func each(ctx context.Context, p *pack.Pack, from, to int64, visit func([]byte) error) error {
	for from < to {
		if err := ctx.Err(); err != nil {
			return err
		}
		v, err := p.View(ctx, from, int(min(to-from, viewBytes)))
		if err != nil {
			return err
		}
		if err := visit(v); err != nil {
			return err
		}
		from += int64(len(v))
	}
	return nil
}

// viewBytes is how much of a stored pack is asked for at once.
const viewBytes = 1 << 20

// operation is one decoded piece of a recipe.
type operation struct {
	literal []byte // or, if it is nil:
	source  int
	from, n int64
}

// nextOperation takes the first operation from a block, which this process wrote.
func nextOperation(block []byte) (o operation, rest []byte) {
	number := func() int64 {
		v, n := binary.Uvarint(block)
		block = block[n:]
		return int64(v)
	}
	head := number()
	n := head >> 1
	if head&1 == 0 {
		return operation{literal: block[:n:n]}, block[n:]
	}
	o.n = n
	o.source = int(number())
	o.from = number()
	return o, block
}
