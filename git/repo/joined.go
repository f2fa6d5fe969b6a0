package repo

import (
	"bytes"
	"container/heap"
	"context"
	"fmt"
	"io"
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
	// pending is the depth of an entry that waits for its base.
	pending = math.MaxUint8
)

// joiner writes one pack of the objects of several. It goes through the packs in
// order and through each by offset, and writes the base of a delta before the
// delta. An object that several packs have is taken from the first, so when a
// later pack's deltas start from it, it is written already. Thus every delta's base lies
// before it, and nothing that is joined can have deltas going in a circle: were
// there one in a stored pack, it is cut by writing an object whole.
//
// Stored streams are copied as they are; only an object whose chain would become
// too long is inflated.
type joiner struct {
	format git.Format
	packs  []*pack.Pack
	start  []int // number of the first object of each pack; all objects are numbered in a row

	// Of each object: 0, or the offset where it is written, or the complement of the
	// number of the object that is taken for it.
	at    []int64
	depth []uint8 // deltas below it, once it is written

	out      *pack.Writer
	entries  []pack.IndexEntry
	chain    []link // scratch
	dropped  int    // objects that another stands for
	whole    int    // deltas written whole
	progress func(done int)
}

// link is an entry that waits for its base.
type link struct {
	number int
	entry  pack.Entry
	base   int // number of the base's object, if the entry is a delta
}

func newJoiner(f git.Format, packs []*pack.Pack) (*joiner, error) {
	j := &joiner{format: f, packs: packs, start: make([]int, len(packs))}
	total := 0
	for i, p := range packs {
		j.start[i] = total
		total += p.Index().Count()
	}
	if int64(total) > math.MaxUint32 {
		return nil, fmt.Errorf("a pack cannot have %d objects", total)
	}
	j.at = make([]int64, total)
	j.depth = make([]uint8, total)
	j.findDuplicates()
	return j, nil
}

// findDuplicates merges the indexes, each of which is sorted.
func (j *joiner) findDuplicates() {
	var m merge
	for i, p := range j.packs {
		if p.Index().Count() > 0 {
			m = append(m, cursor{index: p.Index(), pack: i, id: p.Index().ID(0)})
		}
	}
	heap.Init(&m)
	var last git.ID
	kept := -1
	for len(m) > 0 {
		c := &m[0]
		number := j.start[c.pack] + c.at
		if kept >= 0 && c.id == last {
			j.at[number] = ^int64(kept)
			j.dropped++
		} else {
			kept, last = number, c.id
		}
		if c.at++; c.at < c.index.Count() {
			c.id = c.index.ID(c.at)
			heap.Fix(&m, 0)
		} else {
			heap.Pop(&m)
		}
	}
}

// cursor is a place in an index; merge is a heap of them, by id and then pack.
type cursor struct {
	index *pack.Index
	pack  int
	at    int
	id    git.ID
}

type merge []cursor

func (m merge) Len() int { return len(m) }
func (m merge) Less(a, b int) bool {
	if c := bytes.Compare(m[a].id[:], m[b].id[:]); c != 0 {
		return c < 0
	}
	return m[a].pack < m[b].pack
}
func (m merge) Swap(a, b int) { m[a], m[b] = m[b], m[a] }
func (m *merge) Push(c any)   { *m = append(*m, c.(cursor)) }
func (m *merge) Pop() any {
	last := len(*m) - 1
	c := (*m)[last]
	*m = (*m)[:last]
	return c
}

// objects is how many the joined pack has.
func (j *joiner) objects() int { return len(j.at) - j.dropped }

// write writes the pack and returns its row, without name and time, and its index.
func (j *joiner) write(ctx context.Context, w io.Writer) (row Pack, index []byte, err error) {
	if j.out, err = pack.NewWriter(w, j.format, j.objects()); err != nil {
		return Pack{}, nil, err
	}
	j.out.SumEntries()
	j.entries = make([]pack.IndexEntry, 0, j.objects())
	for i, p := range j.packs {
		if err := j.pack(ctx, i, p); err != nil {
			return Pack{}, nil, err
		}
	}
	sum, err := j.out.Close()
	if err != nil {
		return Pack{}, nil, err
	}
	index = pack.AppendIndex(j.format, nil, j.entries, sum)
	return Pack{Bytes: j.out.Offset(), Objects: int64(len(j.entries)), Checksum: sum}, index, nil
}

// pack writes what is to be taken from one pack.
func (j *joiner) pack(ctx context.Context, i int, p *pack.Pack) error {
	const head = 12 // of a pack: the first entry follows
	offset := int64(head)
	for range p.Index().Count() {
		if err := ctx.Err(); err != nil {
			return err
		}
		at, err := p.At(offset)
		if err != nil {
			return err
		}
		e, err := p.Entry(ctx, at)
		if err != nil {
			return err
		}
		offset = e.End
		if j.at[j.start[i]+at] != 0 {
			continue // another stands for it, or it was a base
		}
		if err := j.object(ctx, i, link{number: j.start[i] + at, entry: e}); err != nil {
			return err
		}
	}
	return nil
}

// object writes an object of pack i, and before it those that it is made from.
func (j *joiner) object(ctx context.Context, i int, top link) error {
	p := j.packs[i]
	j.chain = append(j.chain[:0], top)
	for {
		l := &j.chain[len(j.chain)-1]
		if !l.entry.Kind.IsDelta() {
			break
		}
		base, err := j.base(p, l.entry)
		if err != nil {
			return err
		}
		number := j.start[i] + base
		if j.at[number] < 0 {
			number = int(^j.at[number])
		}
		l.base = number
		if j.at[number] > 0 || j.depth[number] == pending || number == l.number {
			break
		}
		// Not written, so it is of this pack: the packs before are written whole.
		j.depth[l.number] = pending
		e, err := p.Entry(ctx, number-j.start[i])
		if err != nil {
			return err
		}
		j.chain = append(j.chain, link{number: number, entry: e})
	}
	for n := len(j.chain) - 1; n >= 0; n-- {
		if err := j.entry(ctx, i, j.chain[n]); err != nil {
			return err
		}
	}
	return nil
}

// base returns the place of a delta's base, which is in the same pack.
func (j *joiner) base(p *pack.Pack, e pack.Entry) (place int, err error) {
	if e.Kind == pack.OfsDelta {
		return p.At(e.Base)
	}
	place, ok := p.Index().Find(e.BaseID)
	if !ok {
		return 0, fmt.Errorf("%w: pack entry at offset %d: the delta's base %s is not in the pack",
			git.ErrCorrupt, e.Offset, j.format.Hex(e.BaseID))
	}
	return place, nil
}

// entry writes one entry, whose base, unless it is in a circle, is written.
func (j *joiner) entry(ctx context.Context, i int, l link) (err error) {
	p, at := j.packs[i], l.number-j.start[i]
	offset := j.out.Offset()
	depth := 0
	switch {
	case !l.entry.Kind.IsDelta():
		err = j.out.Copy(ctx, p, l.entry)
	case j.keeps(i, l.base):
		depth = int(j.depth[l.base]) + 1
		err = j.out.CopyDelta(ctx, p, l.entry, j.at[l.base], git.ID{})
	default:
		var kind git.Kind
		var data []byte
		if kind, data, err = p.Object(ctx, at); err == nil {
			err = j.out.Object(kind, data)
		}
		j.whole++
	}
	if err != nil {
		return err
	}
	j.at[l.number], j.depth[l.number] = offset, uint8(depth)
	j.entries = append(j.entries, pack.IndexEntry{ID: p.Index().ID(at), Offset: offset, CRC: j.out.EntryCRC()})
	if j.progress != nil {
		j.progress(len(j.entries))
	}
	return nil
}

// keeps reports whether a delta of pack i stays one, given its base.
func (j *joiner) keeps(i, base int) bool {
	if j.at[base] <= 0 {
		return false
	}
	most := keptChain
	if base < j.start[i] {
		most = grownChain
	}
	return int(j.depth[base]) < most
}
