package pack

import (
	"context"
	"math"
	"sync"

	"github.com/ingot-forge/ingot/git"
)

const (
	// maxChain is the longest chain of deltas that is followed. Git makes none
	// above 4,095; what is longer is a circle of RefDeltas, or made to waste time.
	maxChain = 10_000
	// deltaHead is as much of a delta as its two sizes can take.
	deltaHead = 20
	// keptScratch is the largest buffer kept for the next delta.
	keptScratch = 1 << 20
)

// Object returns kind and content of the object at a place. Chains of deltas
// are followed iteratively; a damaged one is git.ErrCorrupt naming the offset.
// The content is shared with the cache: read-only. It is held in memory whole:
// where that may be too much, ask Header first. The id is not recomputed:
// damage that zlib's checksum does not catch is found by Verify.
func (p *Pack) Object(ctx context.Context, at int) (git.Kind, []byte, error) {
	return p.object(ctx, p.index.Offset(at))
}

// object returns the object whose entry is at offset.
func (p *Pack) object(ctx context.Context, offset int64) (git.Kind, []byte, error) {
	if kind, data, ok := p.cache.get(p.number, offset); ok {
		return kind, data, nil
	}
	s, err := p.stored(ctx, offset)
	if err != nil {
		return 0, nil, err
	}
	if s.kind.IsDelta() {
		return p.resolve(ctx, &s)
	}
	return p.whole(ctx, &s)
}

// whole returns an object that is not stored as a delta.
func (p *Pack) whole(ctx context.Context, s *stored) (git.Kind, []byte, error) {
	if err := p.checkSize(s); err != nil {
		return 0, nil, err
	}
	data := make([]byte, s.size)
	if _, err := p.inflate(ctx, data, s); err != nil {
		return 0, nil, err
	}
	p.cache.put(p.number, s.offset, git.Kind(s.kind), data)
	return git.Kind(s.kind), data, nil
}

// scratch is what resolving needs besides its result, kept for the next time.
type scratch struct {
	chain      []stored
	delta      []byte
	base, next []byte // results in between take turns in them
}

var scratches = sync.Pool{New: func() any { return new(scratch) }}

func (w *scratch) free() {
	clear(w.chain)
	w.chain = w.chain[:0]
	for _, b := range []*[]byte{&w.delta, &w.base, &w.next} {
		if cap(*b) > keptScratch {
			*b = nil
		}
	}
	scratches.Put(w)
}

// resolve returns the object of the delta top. It goes down from base to base as
// far as one that is in the cache or stored whole, and then up again, applying
// one delta after the other.
func (p *Pack) resolve(ctx context.Context, top *stored) (git.Kind, []byte, error) {
	w := scratches.Get().(*scratch)
	defer w.free()
	w.chain = append(w.chain[:0], *top)
	var kind git.Kind
	var data []byte
	for {
		offset, err := p.baseOffset(&w.chain[len(w.chain)-1])
		if err != nil {
			return 0, nil, err
		}
		var ok bool
		if kind, data, ok = p.cache.get(p.number, offset); ok {
			break
		}
		s, err := p.stored(ctx, offset)
		if err != nil {
			return 0, nil, err
		}
		if !s.kind.IsDelta() {
			if kind, data, err = p.whole(ctx, &s); err != nil {
				return 0, nil, err
			}
			break
		}
		if len(w.chain) == maxChain {
			return 0, nil, entryError(top.offset, corrupt("more than %d deltas to its base", maxChain))
		}
		w.chain = append(w.chain, s)
	}
	for i := len(w.chain) - 1; i >= 0; i-- {
		s := &w.chain[i]
		delta, err := p.delta(ctx, s, w.delta)
		if err != nil {
			return 0, nil, err
		}
		w.delta = delta
		// The object asked for and its base are likely to be bases again: the
		// neighbours of an object in history are its neighbours in the chain.
		keep := i == 0 || i == 1 && p.cache != nil
		out := w.next[:0]
		if keep {
			out = nil
		}
		if data, err = ApplyDelta(out, data, delta, math.MaxInt64); err != nil {
			return 0, nil, entryError(s.offset, err)
		}
		if keep {
			p.cache.put(p.number, s.offset, kind, data)
		} else {
			w.base, w.next = data, w.base
		}
	}
	return kind, data, nil
}

// baseOffset returns where the base of a delta is.
func (p *Pack) baseOffset(s *stored) (int64, error) {
	if s.kind == OfsDelta {
		return s.base, nil
	}
	at, ok := p.index.Find(s.baseID)
	if !ok {
		return 0, entryError(s.offset, corrupt("the pack does not have the delta's base %s", p.format.Hex(s.baseID)))
	}
	return p.index.Offset(at), nil
}

// delta inflates the delta s, into buf if that is large enough.
func (p *Pack) delta(ctx context.Context, s *stored, buf []byte) ([]byte, error) {
	if err := p.checkSize(s); err != nil {
		return nil, err
	}
	if int64(cap(buf)) < s.size {
		buf = make([]byte, s.size+s.size/4)
	}
	buf = buf[:s.size]
	if _, err := p.inflate(ctx, buf, s); err != nil {
		return nil, err
	}
	return buf, nil
}

// Header returns kind and size of the object at a place, inflating no more than
// the head of a delta.
func (p *Pack) Header(ctx context.Context, at int) (git.Kind, int64, error) {
	offset := p.index.Offset(at)
	top, size := offset, int64(-1)
	for range maxChain {
		if kind, data, ok := p.cache.get(p.number, offset); ok {
			if size < 0 {
				size = int64(len(data))
			}
			return kind, size, nil
		}
		s, err := p.stored(ctx, offset)
		if err != nil {
			return 0, 0, err
		}
		if !s.kind.IsDelta() {
			if size < 0 {
				size = s.size
			}
			return git.Kind(s.kind), size, nil
		}
		if size < 0 {
			if size, err = p.resultSize(ctx, &s); err != nil {
				return 0, 0, err
			}
		}
		if offset, err = p.baseOffset(&s); err != nil {
			return 0, 0, err
		}
	}
	return 0, 0, entryError(top, corrupt("more than %d deltas to its base", maxChain))
}

// resultSize returns the size of what the delta s makes.
func (p *Pack) resultSize(ctx context.Context, s *stored) (int64, error) {
	var buf [deltaHead]byte
	dst := buf[:min(deltaHead, s.size)]
	filled := 0
	_, err := p.retry(ctx, s, deltaHead, func(src []byte) (n int, err error) {
		filled, n, err = inflateHead(dst, src)
		return n, err
	})
	if err != nil {
		return 0, err
	}
	_, size, _, err := DeltaSizes(dst[:filled])
	if err != nil && int64(filled) < s.size {
		// A match that goes on beyond the head hides part of it.
		delta, err := p.delta(ctx, s, nil)
		if err != nil {
			return 0, err
		}
		_, size, _, err = DeltaSizes(delta)
		if err != nil {
			return 0, entryError(s.offset, err)
		}
		return size, nil
	}
	if err != nil {
		return 0, entryError(s.offset, err)
	}
	return size, nil
}
