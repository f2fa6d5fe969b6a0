package pack

import (
	"cmp"
	"encoding/binary"
	"slices"
	"sort"
)

// Pieces says what an object consists of: ranges of another one, its origin, and
// text that is not in there. Deltas say so of an object and its base; Pieces
// says it across a chain of them, and of two objects of one origin it makes the delta
// from either to the other, without the content of the origin and without a search.
type Pieces struct {
	origin int // size of the origin
	size   int // of the object
	list   []piece
}

// piece is a range of an object. It is not empty.
type piece struct {
	at   int    // where it starts in the object
	n    int    // its length
	from int    // where it starts in the origin, if text is nil
	text []byte // what it says
}

func (p *piece) end() int { return p.at + p.n }

// maxPieces bounds a Pieces: a delta of a few bytes may copy all of its base, and the
// next one all of that, many times.
const maxPieces = 1 << 12

// NewPieces returns the pieces of an origin of some size: all of it.
func NewPieces(size int) *Pieces {
	p := &Pieces{origin: size, size: size}
	p.add(piece{n: size})
	return p
}

// Size returns the size of the object.
func (p *Pieces) Size() int { return p.size }

// Origin returns the size of the origin.
func (p *Pieces) Origin() int { return p.origin }

// add appends a piece behind the others.
func (p *Pieces) add(q piece) {
	if q.n == 0 {
		return
	}
	if n := len(p.list); n > 0 && q.text == nil {
		if last := &p.list[n-1]; last.text == nil && last.from+last.n == q.from {
			last.n += q.n
			return
		}
	}
	p.list = append(p.list, q)
}

// after returns the place of the piece that an offset of the object is in.
func (p *Pieces) after(offset int) int {
	return sort.Search(len(p.list), func(i int) bool { return p.list[i].end() > offset })
}

// Apply returns the pieces of what a delta makes of the object; it keeps the delta, which
// must not change. A delta that does not fit is git.ErrCorrupt. Where there would be too
// many pieces to be of use it returns nil.
func (p *Pieces) Apply(delta []byte) (*Pieces, error) {
	baseSize, size, ops, err := DeltaSizes(delta)
	if err != nil {
		return nil, err
	}
	if baseSize != int64(p.size) {
		return nil, corrupt("delta: made for a base of %d bytes, not %d", baseSize, p.size)
	}
	result := &Pieces{origin: p.origin, list: make([]piece, 0, len(p.list)+8)}
	for len(ops) > 0 {
		op := ops[0]
		ops = ops[1:]
		switch {
		case op >= 0x80:
			var off, n int
			if off, n, ops, err = copyOp(op, ops); err != nil {
				return nil, err
			}
			if off > p.size || n > p.size-off {
				return nil, corrupt("delta: copies %d bytes at %d of a base of %d", n, off, p.size)
			}
			for i := p.after(off); n > 0; i++ {
				q := p.list[i]
				skip := off - q.at
				k := min(n, q.n-skip)
				cut := piece{at: result.size, n: k, from: q.from + skip}
				if q.text != nil {
					cut.text = q.text[skip : skip+k]
				}
				result.add(cut)
				result.size += k
				off += k
				n -= k
				if len(result.list) > maxPieces {
					return nil, nil
				}
			}
		case op > 0:
			if int(op) > len(ops) {
				return nil, errDeltaInsert
			}
			result.add(piece{at: result.size, n: int(op), text: ops[:op]})
			result.size += int(op)
			ops = ops[op:]
		default:
			return nil, errDeltaReserved
		}
		if int64(result.size) > size {
			return nil, corrupt("delta: result exceeds the %d bytes announced", size)
		}
		if len(result.list) > maxPieces {
			return nil, nil
		}
	}
	if int64(result.size) != size {
		return nil, corrupt("delta: result is %d bytes short of the %d announced", size-int64(result.size), size)
	}
	return result, nil
}

// Delta appends to dst the delta that makes the object out of base, which has the same
// origin. It returns nil where that would exceed maxSize bytes, and for an empty object. content
// is asked for the object itself only if the delta has to say something of
// the origin that base does not have.
func (p *Pieces) Delta(dst []byte, base *Pieces, maxSize int, content func() ([]byte, error)) ([]byte, error) {
	if p.origin != base.origin {
		return nil, corrupt("delta: origins of %d and of %d bytes", p.origin, base.origin)
	}
	if p.size == 0 || base.size > deltaMaxReach {
		return nil, nil
	}
	steps, size, needed := p.steps(base)
	if size > maxSize {
		return nil, nil
	}
	var data []byte
	if needed {
		var err error
		if data, err = content(); err != nil {
			return nil, err
		}
		if len(data) != p.size {
			return nil, corrupt("delta: an object of %d bytes has %d in its pieces", len(data), p.size)
		}
	}
	dst = binary.AppendUvarint(dst, uint64(base.size))
	dst = binary.AppendUvarint(dst, uint64(p.size))
	insert := make([]byte, 0, deltaMaxInsert)
	for _, s := range steps {
		if s.copied {
			dst = appendInsert(dst, insert)
			insert = insert[:0]
			dst = appendCopy(dst, s.from, s.n)
			continue
		}
		text := s.text
		if text == nil {
			text = data[s.at:s.end()]
		}
		for len(text) > 0 { // texts that follow each other fill instructions together
			n := min(len(text), deltaMaxInsert-len(insert))
			insert = append(insert, text[:n]...)
			if text = text[n:]; len(insert) == deltaMaxInsert {
				dst = appendInsert(dst, insert)
				insert = insert[:0]
			}
		}
	}
	return appendInsert(dst, insert), nil
}

// deltaStep is one piece of an object in terms of a base.
type deltaStep struct {
	piece  // from is in the base if copied; else text, or if that is nil the content, is inserted
	copied bool
}

// steps returns what makes the object out of base, what that takes about, and whether the
// content of the object is needed for it.
func (p *Pieces) steps(base *Pieces) (steps []deltaStep, size int, needed bool) {
	const copySize = 5 // of a copy's instruction, about
	has := base.byOrigin()
	copied := func(at, n, from int) {
		if last := len(steps) - 1; last >= 0 && steps[last].copied && steps[last].from+steps[last].n == from {
			steps[last].n += n
			return
		}
		steps = append(steps, deltaStep{piece{at: at, n: n, from: from}, true})
		size += copySize
	}
	inserted := func(at, n int, text []byte) {
		needed = needed || text == nil
		steps = append(steps, deltaStep{piece: piece{at: at, n: n, text: text}})
		size += n
	}
	for _, q := range p.list {
		if q.text != nil {
			inserted(q.at, q.n, q.text)
			continue
		}
		i := sort.Search(len(has), func(i int) bool { return has[i].from+has[i].n > q.from })
		for q.n > 0 {
			if i == len(has) || has[i].from >= q.from+q.n {
				inserted(q.at, q.n, nil)
				break
			}
			if gap := has[i].from - q.from; gap > 0 {
				inserted(q.at, gap, nil)
				q.at, q.n, q.from = q.at+gap, q.n-gap, q.from+gap
			}
			skip := q.from - has[i].from
			n := min(q.n, has[i].n-skip)
			copied(q.at, n, has[i].at+skip)
			q.at, q.n, q.from = q.at+n, q.n-n, q.from+n
			i++
		}
	}
	return steps, size, needed
}

// byOrigin returns the pieces that are ranges of the origin, in its order, none of
// them over another.
func (p *Pieces) byOrigin() []piece {
	list := make([]piece, 0, len(p.list))
	for _, q := range p.list {
		if q.text == nil {
			list = append(list, q)
		}
	}
	slices.SortStableFunc(list, func(a, b piece) int {
		if a.from != b.from {
			return cmp.Compare(a.from, b.from)
		}
		return cmp.Compare(b.n, a.n)
	})
	kept, end := list[:0], 0
	for _, q := range list {
		if over := end - q.from; over > 0 {
			if over >= q.n {
				continue
			}
			q.at, q.n, q.from = q.at+over, q.n-over, q.from+over
		}
		end = q.from + q.n
		kept = append(kept, q)
	}
	return kept
}
