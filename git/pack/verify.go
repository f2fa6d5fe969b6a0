package pack

import (
	"bytes"
	"context"
	"io"
	"math"
	"runtime"
	"slices"
	"sync"
	"sync/atomic"

	"github.com/ingot-forge/ingot/git"
)

const (
	// verifyMemory bounds the objects that Verify holds because deltas that
	// start from them are still to come. One object and its base may exceed it.
	verifyMemory = 64 << 20
	// verifyBatch is how many entries a goroutine takes at a time.
	verifyBatch = 64
	// progressEvery is how many objects are done between two calls of progress.
	progressEvery = 1024
)

// Verify reads everything: pack checksum, index, CRC of each entry, and the id
// of every object, which it gives to visit (may be nil). visit is called from
// several goroutines at once, and data is valid only during the call; a blob
// larger than StreamBytes that is not stored as a delta, nor a base of one,
// comes with nil data. progress (may be nil) hears the number of objects done,
// from one goroutine at a time. Damage is git.ErrCorrupt, content made to
// collide git.ErrCollision; the first fault ends it, as an error of visit does.
//
// Each object is made once: deltas are applied from their bases upwards, base by
// base on all cores.
func (p *Pack) Verify(ctx context.Context, visit func(id git.ID, kind git.Kind, data []byte) error, progress func(done, total int)) error {
	if err := p.index.Verify(p.src.Size()); err != nil {
		return err
	}
	if err := p.order.make(p); err != nil {
		return err
	}
	bare := *p
	bare.cache = nil // nothing of this is likely to be read again
	v := &verifier{Pack: &bare, visit: visit, progress: progress}
	first := newCrew(ctx)
	first.run(func() error { return v.checksum(first.ctx) })
	first.run(func() error { return v.scan(first.ctx) })
	if err := first.wait(); err != nil {
		return err
	}
	second := newCrew(ctx)
	workers := runtime.GOMAXPROCS(0)
	for range workers {
		second.run(func() error { return v.work(second.ctx, verifyMemory/int64(workers)) })
	}
	if err := second.wait(); err != nil {
		return err
	}
	if done := int(v.done.Load()); done < len(v.base) {
		return corrupt("pack: %d deltas have each other as bases", len(v.base)-done)
	}
	return nil
}

// verifier is one run of Verify. Entries go by their rank in the pack.
type verifier struct {
	*Pack
	visit    func(id git.ID, kind git.Kind, data []byte) error
	progress func(done, total int)

	base  []uint32 // that a delta starts from; noEntry for an object stored whole
	child []uint32 // first delta on an entry, then next of each
	next  []uint32

	taken atomic.Int64 // entries that a worker has taken
	done  atomic.Int64 // objects
	mu    sync.Mutex   // keeps calls of progress apart
}

const noEntry = math.MaxUint32

// checksum checks the trailer.
func (v *verifier) checksum(ctx context.Context) error {
	sum := newChecksum(v.format)
	if err := v.copyRange(ctx, sum, 0, v.end); err != nil {
		return err
	}
	trailer, err := v.read(ctx, v.end, int64(v.format.Size()))
	if err != nil {
		return err
	}
	if !bytes.Equal(sum.Sum(nil), trailer) {
		return corrupt("pack checksum does not match")
	}
	if !bytes.Equal(v.index.PackChecksum(), trailer) {
		return corrupt("index belongs to another pack")
	}
	return nil
}

// scan checks the CRC of each entry and finds out which deltas start from which
// base.
func (v *verifier) scan(ctx context.Context) error {
	n := v.index.Count()
	offsets := make([]int64, n)
	for r := range offsets {
		offsets[r] = v.order.offset(v.Pack, r)
	}
	if start := v.order.end(v.Pack, -1); start != packHead {
		return corrupt("pack: %d bytes belong to no entry", start-packHead)
	}
	v.base, v.child, v.next = make([]uint32, n), make([]uint32, n), make([]uint32, n)
	for r := range offsets {
		v.child[r] = noEntry
	}
	for r, offset := range offsets {
		s, err := v.stored(ctx, offset)
		if err != nil {
			return err
		}
		c := checked{w: io.Discard}
		e := Entry{Offset: offset, End: v.order.end(v.Pack, r), CRC: v.index.CRC(int(v.order.place[r]))}
		if err := c.copy(ctx, v.Pack, e, offset); err != nil {
			return err
		}
		v.base[r] = noEntry
		if !s.kind.IsDelta() {
			continue
		}
		base, err := v.baseOffset(&s)
		if err != nil {
			return err
		}
		b, ok := slices.BinarySearch(offsets, base)
		if !ok {
			return entryError(offset, corrupt("no entry starts at its base's offset %d", base))
		}
		v.base[r] = uint32(b)
		v.next[r] = v.child[b]
		v.child[b] = uint32(r)
	}
	return nil
}
