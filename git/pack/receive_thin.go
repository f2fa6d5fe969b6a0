package pack

import (
	"cmp"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"slices"
	"sync/atomic"

	"github.com/ingot-forge/ingot/git"
)

// resolveThin resolves the deltas whose base is not in the pack. Every base that
// is missing gets an entry behind those of the stream; complete stores the ones
// that were needed.
func (in *intake) resolveThin(ctx context.Context, done *atomic.Int64) error {
	var missing []*refGroup
	for i := range in.refs.groups {
		if g := &in.refs.groups[i]; !g.claimed.Load() {
			missing = append(missing, g)
		}
	}
	slices.SortFunc(missing, func(a, b *refGroup) int { return cmp.Compare(a.first, b.first) })
	roots := make([]uint32, len(missing))
	for i, g := range missing {
		roots[i] = in.add(0, 0)
		in.index[roots[i]].ID = g.base
	}
	// A missing base may turn out to be a delta of the same pack, whose own base
	// is missing. Writers that know no OfsDelta make such packs. They put bases
	// before their deltas, so one worker in the order of the stream finds it out
	// in time; others use RefDelta for what is not in the pack only.
	workers := in.Workers
	if in.deltas == in.refDeltas {
		workers = 1
	}
	return in.resolveFrom(ctx, roots, workers, done)
}

// foreign returns the content of entry e, the base of a thin pack: nil if it is
// not to be had, or is in the pack after all.
func (w *resolver) foreign(e uint32) ([]byte, error) {
	l := &w.links[e]
	id := w.index[e].ID
	again := l.kind != 0 // for rebuild
	if !again && !w.refs.wanted(&id) {
		return nil, nil
	}
	kind, data, err := w.Bases.Object(w.ctx, id)
	if errors.Is(err, git.ErrNotFound) && !again {
		return nil, nil
	}
	if err != nil {
		return nil, baseError(id, err)
	}
	if data == nil {
		data = []byte{} // an empty object, that is
	}
	if err := w.spend(int64(len(data))); err != nil {
		return nil, baseError(id, err)
	}
	if err := w.mayHold(int64(len(data))); err != nil {
		return nil, err
	}
	if again {
		return data, nil
	}
	// It is going to be stored under this id in one more place.
	if got, err := w.hash.Hash(kind, data); err != nil || got != id {
		return nil, baseError(id, cmp.Or(err, corrupt("its content hashes to %s", w.Format.Hex(got))))
	}
	w.adopt(e)
	if l.child == none {
		return nil, nil
	}
	l.kind = kind
	return data, nil
}

func baseError(id git.ID, err error) error {
	if err == nil {
		return nil
	}
	return fmt.Errorf("base %s of a thin pack: %w", id, err)
}

// unresolved is the error for n deltas whose base nobody has.
func (in *intake) unresolved(n int) error {
	var first *refGroup
	for i := range in.refs.groups {
		if g := &in.refs.groups[i]; !g.claimed.Load() && (first == nil || g.first < first.first) {
			first = g
		}
	}
	if first == nil { // can't be: every delta hangs, over others, under a whole object or a RefDelta
		return corrupt("pack has %d unresolved deltas", n)
	}
	return entryError(in.index[first.first].Offset, fmt.Errorf("%w: pack has %d unresolved deltas; base %s: %w",
		git.ErrCorrupt, n, in.Format.Hex(first.base), git.ErrNotFound))
}

// complete appends the bases that a thin pack's deltas needed, and mends count
// and trailer.
func (in *intake) complete(ctx context.Context) error {
	n := in.entries
	for e := in.entries; e < len(in.index); e++ {
		if in.links[e].kind == 0 {
			continue // turned out to be in the pack, or not to be needed
		}
		id := in.index[e].ID
		kind, data, err := in.Bases.Object(ctx, id)
		if err != nil {
			return baseError(id, err)
		}
		stored := Deflate(appendHead(nil, kind, int64(len(data))), data)
		if _, err := in.out.Write(stored); err != nil {
			return fmt.Errorf("store pack: %w", err)
		}
		in.index[n] = IndexEntry{ID: id, Offset: in.stored, CRC: crc32.ChecksumIEEE(stored)}
		in.stored += int64(len(stored))
		n++
	}
	in.index = in.index[:n]
	if n == in.entries {
		return nil
	}
	var count [4]byte
	binary.BigEndian.PutUint32(count[:], uint32(n))
	if _, err := in.out.WriteAt(count[:], countAt); err != nil {
		return fmt.Errorf("store pack: %w", err)
	}
	return in.sumAgain(ctx)
}

// sumAgain makes the trailer of what is in the draft.
func (in *intake) sumAgain(ctx context.Context) error {
	sum := git.NewChecksum(in.Format)
	block := make([]byte, min(in.stored, blockBytes))
	for at := int64(0); at < in.stored; at += int64(len(block)) {
		if err := ctx.Err(); err != nil {
			return err
		}
		block = block[:min(in.stored-at, int64(len(block)))]
		if err := readFull(in.out, block, at); err != nil {
			return err
		}
		sum.Write(block)
	}
	in.trailer = sum.Sum(nil)
	return nil
}
