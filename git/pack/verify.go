package pack

import (
	"bytes"
	"context"
	"errors"
	"io"
	"math"
	"runtime"
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
func (p *Pack) Verify(ctx context.Context, visit func(id git.ID, kind git.Kind, data []byte) error,
	progress func(done, total int)) error {
	return p.VerifyAll(ctx, visit, func(err error) error { return err }, progress)
}

// VerifyAll is Verify that goes on after damage. fault hears of every error that
// is git.ErrCorrupt or git.ErrCollision, one at a time; what it returns, unless
// nil, ends VerifyAll. An object that is damaged is told once, those made from it
// are not visited, and their number comes last. A damaged index ends it, since
// nothing that it says can be relied on.
func (p *Pack) VerifyAll(ctx context.Context, visit func(id git.ID, kind git.Kind, data []byte) error,
	fault func(error) error, progress func(done, total int)) error {
	if err := p.index.Verify(p.src.Size()); err != nil {
		return err
	}
	bare := *p
	bare.cache = nil        // nothing of this is likely to be read again
	bare.order = new(order) // a stored one is not to be relied on here
	if err := bare.order.make(&bare); err != nil {
		return err
	}
	v := &verifier{Pack: &bare, visit: visit, fault: fault, progress: progress}
	first := newCrew(ctx)
	first.run(func() error { return v.damaged(v.checksum(first.ctx)) })
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
	switch rest := len(v.state) - int(v.done.Load()) - v.bad; {
	case rest == 0:
		return nil
	case v.bad > 0:
		return v.damaged(corrupt("pack: %d objects are made from damaged ones", rest))
	default:
		return v.damaged(corrupt("pack: %d deltas have each other as bases", rest))
	}
}

// verifier is one run of Verify. Entries go by their rank in the pack.
type verifier struct {
	*Pack
	visit    func(id git.ID, kind git.Kind, data []byte) error
	fault    func(error) error
	progress func(done, total int)

	state []uint8  // entryWhole, entryDelta or entryDamaged
	child []uint32 // first delta on an entry, then next of each
	next  []uint32

	taken atomic.Int64 // entries that a worker has taken
	done  atomic.Int64 // objects

	mu  sync.Mutex // guards bad, and keeps calls of fault apart, and those of progress
	bad int        // objects that fault was told of
}

const noEntry = math.MaxUint32

const (
	entryWhole = iota
	entryDelta
	entryDamaged
)

// damaged tells fault of err, if that is damage, and returns the error that ends
// the run, if any.
func (v *verifier) damaged(err error) error {
	if err == nil || !errors.Is(err, git.ErrCorrupt) && !errors.Is(err, git.ErrCollision) {
		return err
	}
	v.mu.Lock()
	defer v.mu.Unlock()
	return v.fault(err)
}

// damagedObject is damaged for what is wrong with one object.
func (v *verifier) damagedObject(err error) error {
	if err := v.damaged(err); err != nil {
		return err
	}
	v.mu.Lock()
	defer v.mu.Unlock()
	v.bad++
	return nil
}

// checksum checks the trailer.
func (v *verifier) checksum(ctx context.Context) error {
	sum := git.NewChecksum(v.format)
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
	if start := v.order.end(v.Pack, -1); start != packHead {
		if err := v.damaged(corrupt("pack: %d bytes belong to no entry", start-packHead)); err != nil {
			return err
		}
	}
	v.state, v.child, v.next = make([]uint8, n), make([]uint32, n), make([]uint32, n)
	for r := range n {
		v.child[r] = noEntry
	}
	for r := range n {
		b, err := v.entry(ctx, r)
		switch {
		case err != nil:
			v.state[r] = entryDamaged
			if err := v.damagedObject(err); err != nil {
				return err
			}
		case b != noEntry:
			v.state[r] = entryDelta
			v.next[r] = v.child[b]
			v.child[b] = uint32(r)
		}
	}
	return nil
}

// entry checks the CRC of the entry with a rank and returns its base, or noEntry.
func (v *verifier) entry(ctx context.Context, rank int) (base uint32, err error) {
	offset := v.order.Offset(rank)
	s, err := v.stored(ctx, offset)
	if err != nil {
		return 0, err
	}
	c := checked{w: io.Discard}
	e := Entry{Offset: offset, End: v.order.end(v.Pack, rank), CRC: v.index.CRC(v.order.Place(rank))}
	if err := c.copy(ctx, v.Pack, e, offset); err != nil {
		return 0, err
	}
	if !s.kind.IsDelta() {
		return noEntry, nil
	}
	from, err := v.baseOffset(&s)
	if err != nil {
		return 0, err
	}
	b, ok := v.order.Rank(from)
	if !ok {
		return 0, entryError(offset, corrupt("no entry starts at its base's offset %d", from))
	}
	return uint32(b), nil
}
