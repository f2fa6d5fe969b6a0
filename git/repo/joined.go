package repo

import (
	"context"
	"fmt"
	"io"
	"iter"
	"math"

	"github.com/ingot-forge/ingot/git"
	"github.com/ingot-forge/ingot/git/pack"
)

const (
	// grownChain is the longest chain of deltas that joining makes by putting one
	// pack's chain on another's: git's own default. Without it, small pushes of thin
	// packs would grow a chain by one a push.
	grownChain = 50
	// keptChain is the longest chain that is kept where a pack has it by itself: what
	// git gc --aggressive made for long. Longer ones are broken.
	keptChain = 250
)

// What a joiner notes of an object besides the depth of its chain, 0 to keptChain.
const (
	unwritten = math.MaxUint8 - iota // not written yet
	pending                          // waits for its base to be written
	repeated                         // another stands for it
	leftOut                          // nothing reaches it
)

// joiner writes one pack of the objects of several. By itself it goes through the packs
// in order and through each by offset; sequence gives another order. Either
// way the base of a delta is written before the delta. An object that several packs have is taken from the first.
//
// So a delta's base is of the same pack as the delta or of one before it, and
// nothing that is joined can have deltas going in a circle: were
// there one in a stored pack, it is cut by writing an object whole.
//
// Stored streams are copied as they are, save where a chain would become
// too long, where a base is left out, and where search found a better delta.
//
// It holds 14 bytes an object: 10 GB of small objects have some 20 million.
type joiner struct {
	format git.Format
	numbers
	out      *pack.Writer
	sequence []uint32  // of the numbers to be written; nil: as they are stored
	search   *searched // new deltas; nil: none
	chain    []link    // scratch
	written  int       // objects
	dropped  int       // objects that another stands for
	left     int       // objects left out
	whole    int       // deltas written whole
	deltas   int       // objects stored whole that are deltas now
	progress func(done int)
}

// numbers gives the objects of several packs numbers, all in a row, and holds what is
// known of each.
type numbers struct {
	packs []*pack.Pack
	revs  []*pack.Rev
	start []int // number of the first object of each pack

	// Of each object: where it is written, 40 bits of it; of a repeated one low is
	// the number of the object that is taken for it.
	low   []uint32
	high  []uint8
	state []uint8
	crc   []uint32 // of the entry, once it is written
	byID  []uint32 // the numbers taken, by ascending id
}

// link is an entry that waits for its base.
type link struct {
	number int
	entry  pack.Entry
	base   int // number of the base's object, if the entry is a delta
}

func newJoiner(f git.Format, packs []*pack.Pack) (*joiner, error) {
	j := &joiner{format: f}
	j.packs, j.start, j.revs = packs, make([]int, len(packs)), make([]*pack.Rev, len(packs))
	total := 0
	for i, p := range packs {
		j.start[i] = total
		total += p.Index().Count()
		var err error
		if j.revs[i], err = p.Rev(); err != nil {
			return nil, err
		}
	}
	if int64(total) > math.MaxUint32 {
		return nil, fmt.Errorf("a pack cannot have %d objects", total)
	}
	j.low, j.high = make([]uint32, total), make([]uint8, total)
	j.state, j.crc = make([]uint8, total), make([]uint32, total)
	j.merge()
	j.dropped = total - len(j.byID)
	return j, nil
}

// objects is how many the joined pack has.
func (j *joiner) objects() int { return len(j.byID) - j.left }

// leaveOut leaves out the objects that are not live, a set of numbers.
func (j *joiner) leaveOut(live func(number int) bool) {
	for _, n := range j.byID {
		if !live(int(n)) {
			j.state[n] = leftOut
			j.left++
		}
	}
}

// write writes the pack to w, and returns its row, without name and time.
func (j *joiner) write(ctx context.Context, w io.Writer) (row Pack, err error) {
	if j.out, err = pack.NewWriter(w, j.format, j.objects()); err != nil {
		return Pack{}, err
	}
	j.out.SumEntries()
	if j.sequence != nil {
		err = j.writeSequence(ctx)
	} else {
		err = j.writeStored(ctx)
	}
	if err != nil {
		return Pack{}, err
	}
	sum, err := j.out.Close()
	if err != nil {
		return Pack{}, err
	}
	return Pack{Bytes: j.out.Offset(), Objects: int64(j.written), Checksum: sum}, nil
}

// writeIndex writes the index of what was written.
func (j *joiner) writeIndex(w io.Writer, checksum []byte) error {
	return pack.WriteIndex(w, j.format, j.indexEntries(), checksum)
}

func (j *joiner) indexEntries() iter.Seq[pack.IndexEntry] {
	return func(yield func(pack.IndexEntry) bool) {
		for _, n := range j.byID {
			if j.state[n] == leftOut {
				continue
			}
			if !yield(pack.IndexEntry{ID: j.id(int(n)), Offset: j.offset(int(n)), CRC: j.crc[n]}) {
				return
			}
		}
	}
}

// writeStored goes through the packs as they are.
func (j *joiner) writeStored(ctx context.Context) error {
	for i, p := range j.packs {
		for rank := range j.revs[i].Count() {
			number := j.start[i] + j.revs[i].Place(rank)
			if j.state[number] != unwritten {
				continue // another stands for it, or it was a base, or is left out
			}
			if err := ctx.Err(); err != nil {
				return err
			}
			e, err := p.EntryAt(ctx, rank)
			if err != nil {
				return err
			}
			if err := j.object(ctx, link{number: number, entry: e}); err != nil {
				return err
			}
		}
	}
	return nil
}

// writeSequence goes through the packs in the given order.
func (j *joiner) writeSequence(ctx context.Context) error {
	for _, n := range j.sequence {
		number := int(n)
		if j.state[number] != unwritten {
			continue
		}
		if err := ctx.Err(); err != nil {
			return err
		}
		i, at := j.locate(number)
		e, err := j.packs[i].Entry(ctx, at)
		if err != nil {
			return err
		}
		if err := j.object(ctx, link{number: number, entry: e}); err != nil {
			return err
		}
	}
	return nil
}

// object writes an object, and before it those that it is made from.
func (j *joiner) object(ctx context.Context, top link) error {
	j.chain = append(j.chain[:0], top)
	for {
		l := &j.chain[len(j.chain)-1]
		base, ok, err := j.base(l)
		if err != nil {
			return err
		}
		l.base = base
		if !ok || j.state[base] != unwritten || base == l.number {
			break
		}
		j.state[l.number] = pending
		i, at := j.locate(base)
		e, err := j.packs[i].Entry(ctx, at)
		if err != nil {
			return err
		}
		j.chain = append(j.chain, link{number: base, entry: e})
	}
	for n := len(j.chain) - 1; n >= 0; n-- {
		if err := j.entry(ctx, &j.chain[n]); err != nil {
			return err
		}
	}
	return nil
}

// base returns the number of what the object is to be made from; ok is false if it is
// to be whole, or if its stored base is left out.
func (j *joiner) base(l *link) (number int, ok bool, err error) {
	if base, chosen := j.search.base(l.number); chosen {
		return base, base >= 0, nil
	}
	if !l.entry.Kind.IsDelta() {
		return 0, false, nil
	}
	number, err = j.storedBase(l.number, l.entry)
	return number, err == nil && j.state[number] != leftOut, err
}

// storedBase returns the number of the object taken for a stored delta's base, which is in
// the same pack.
func (n *numbers) storedBase(number int, e pack.Entry) (int, error) {
	i, _ := n.locate(number)
	p := n.packs[i]
	if e.Kind == pack.OfsDelta {
		place, err := p.At(e.Base)
		if err != nil {
			return 0, err
		}
		return n.taken(n.start[i] + place), nil
	}
	place, ok := p.Index().Find(e.BaseID)
	if !ok {
		return 0, fmt.Errorf("%w: pack entry at offset %d: the delta's base %s is not in the pack",
			git.ErrCorrupt, e.Offset, e.BaseID)
	}
	return n.taken(n.start[i] + place), nil
}

// entry writes one entry, whose base, unless it is in a circle, is written.
func (j *joiner) entry(ctx context.Context, l *link) (err error) {
	i, _ := j.locate(l.number)
	p := j.packs[i]
	offset := j.out.Offset()
	depth := 0
	_, chosen := j.search.base(l.number)
	switch {
	case chosen:
		depth, err = j.searchedEntry(ctx, l)
	case !l.entry.Kind.IsDelta():
		err = j.out.Copy(ctx, p, l.entry)
	case j.keeps(i, l.base):
		depth = int(j.state[l.base]) + 1
		err = j.out.CopyDelta(ctx, p, l.entry, j.offset(l.base), git.ID{})
	default:
		err = j.wholeEntry(ctx, l)
		j.whole++
	}
	if err != nil {
		return err
	}
	j.low[l.number], j.high[l.number] = uint32(offset), uint8(offset>>32)
	j.state[l.number], j.crc[l.number] = uint8(depth), j.out.EntryCRC()
	j.written++
	if offset>>40 != 0 {
		return fmt.Errorf("a pack cannot be larger than a terabyte here: %d bytes", offset)
	}
	if j.progress != nil {
		j.progress(j.written)
	}
	return nil
}

// wholeEntry writes an object that is stored as a delta whole.
func (j *joiner) wholeEntry(ctx context.Context, l *link) error {
	i, at := j.locate(l.number)
	kind, data, err := j.packs[i].Object(ctx, at)
	if err != nil {
		return err
	}
	return j.out.Object(kind, data)
}

// searchedEntry writes an object as the delta that was found for it, or whole.
func (j *joiner) searchedEntry(ctx context.Context, l *link) (depth int, err error) {
	base, _ := j.search.base(l.number)
	if base >= 0 && j.state[base] < grownChain {
		delta, err := j.search.delta(ctx, &j.numbers, l.number, base)
		if err != nil {
			return 0, err
		}
		if delta != nil {
			if !l.entry.Kind.IsDelta() {
				j.deltas++
			}
			return int(j.state[base]) + 1, j.out.Delta(delta, j.offset(base), git.ID{})
		}
	}
	if !l.entry.Kind.IsDelta() {
		i, _ := j.locate(l.number)
		return 0, j.out.Copy(ctx, j.packs[i], l.entry)
	}
	j.whole++
	return 0, j.wholeEntry(ctx, l)
}

// keeps reports whether a delta of pack i stays one, given its base.
func (j *joiner) keeps(i, base int) bool {
	most := keptChain
	if base < j.start[i] {
		most = grownChain
	}
	return int(j.state[base]) < most // what is not written counts more
}
