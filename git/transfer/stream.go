package transfer

import (
	"context"
	"fmt"
	"io"

	"github.com/ingot-forge/ingot/git/pack"
	"github.com/ingot-forge/ingot/git/repo"
	"github.com/ingot-forge/ingot/git/wire"
)

const (
	// batchBytes is how much goes to the client at once, and batchPieces in how
	// many pieces at most: one system call takes 1,024, frame heads included.
	batchBytes  = 1 << 20
	batchPieces = 480
	// gatherBelow is up to which size pieces are copied together: a piece of its
	// own costs the system more than so many bytes cost to copy.
	gatherBelow = 2 << 10
	gatherBytes = 64 << 10
)

// stream sends what a recipe says to w and returns what it came to. All it
// holds in memory is a batch of pieces, and the small ones among them.
func stream(ctx context.Context, snap *repo.Snapshot, d *reader, w wire.VectorWriter, tell func(string)) (sent, error) {
	b := batch{w: w}
	var packs []*pack.Pack
	for {
		if !d.ready() { // what is there need not wait
			if err := b.flush(); err != nil {
				return sent{}, err
			}
		}
		block, err := d.next(ctx, tell)
		if err == io.EOF {
			if err := b.flush(); err != nil {
				return sent{}, err
			}
			all := d.result()
			tell(all.String())
			return all, nil
		}
		if err != nil {
			return sent{}, err
		}
		for len(block) > 0 {
			var o operation
			if o, block = nextOperation(block); o.literal != nil {
				if err := b.add(o.literal); err != nil {
					return sent{}, err
				}
				continue
			}
			for len(packs) <= o.source {
				packs = append(packs, nil)
			}
			if packs[o.source] == nil {
				name := d.source(o.source)
				if packs[o.source], err = snap.Pack(ctx, name); err == nil && packs[o.source] == nil {
					err = fmt.Errorf("pack %s is not in the snapshot", name)
				}
				if err != nil {
					return sent{}, err
				}
			}
			if err := each(ctx, packs[o.source], o.from, o.from+o.n, b.add); err != nil {
				return sent{}, err
			}
		}
	}
}

// batch gathers pieces. It keeps them until flush, so they must not change.
type batch struct {
	w     wire.VectorWriter
	vecs  [][]byte
	bytes int
	small []byte // copies of small pieces; its capacity never changes
	tail  bool   // the last piece is at the end of small
}

func (b *batch) add(p []byte) error {
	if len(p) < gatherBelow {
		return b.gather(p)
	}
	b.vecs = append(b.vecs, p)
	b.tail = false
	return b.added(len(p))
}

func (b *batch) gather(p []byte) error {
	if len(p) > cap(b.small)-len(b.small) {
		if err := b.flush(); err != nil {
			return err
		}
		if b.small == nil {
			b.small = make([]byte, 0, gatherBytes)
		}
	}
	at := len(b.small)
	b.small = append(b.small, p...)
	if b.tail {
		last := &b.vecs[len(b.vecs)-1]
		*last = (*last)[:len(*last)+len(p)]
	} else {
		b.vecs = append(b.vecs, b.small[at:])
		b.tail = true
	}
	return b.added(len(p))
}

func (b *batch) added(n int) error {
	if b.bytes += n; b.bytes >= batchBytes || len(b.vecs) >= batchPieces {
		return b.flush()
	}
	return nil
}

func (b *batch) flush() error {
	if b.bytes == 0 {
		return nil
	}
	_, err := b.w.WriteVectors(b.vecs)
	clear(b.vecs)
	b.vecs, b.small, b.bytes, b.tail = b.vecs[:0], b.small[:0], 0, false
	return err
}
