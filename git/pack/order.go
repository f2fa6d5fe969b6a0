package pack

import (
	"sort"
	"sync"
)

// order is the reverse index of a pack: its entries by their offsets. It is
// made on first use; a pack whose objects are only read needs none.
type order struct {
	once  sync.Once
	err   error
	place []uint32 // in the index, of each entry by offset
	rank  []uint32 // by offset, of each place in the index
}

// make sees to it that the order is there, once for all goroutines.
func (o *order) make(p *Pack) error {
	o.once.Do(func() { o.err = o.sort(p) })
	return o.err
}

// sort is a radix sort of two bytes at a time, which for a million objects takes a
// tenth of the time of comparing them.
func (o *order) sort(p *Pack) error {
	x := p.index
	type item struct {
		offset int64
		place  uint32
	}
	items := make([]item, x.count)
	for at := range items {
		offset := x.Offset(at)
		if offset < packHead || offset >= p.end {
			return corrupt("index: object %x lies outside the pack, at offset %d", x.id(at), offset)
		}
		items[at] = item{offset, uint32(at)}
	}
	if len(items) < 1<<12 {
		sort.Slice(items, func(i, j int) bool { return items[i].offset < items[j].offset })
	} else {
		other := make([]item, len(items))
		for shift := 0; p.end>>shift > 0; shift += 16 {
			var start [1 << 16]uint32
			for i := range items {
				start[items[i].offset>>shift&0xffff]++
			}
			sum := uint32(0)
			for i, n := range start {
				start[i] = sum
				sum += n
			}
			for i := range items {
				d := items[i].offset >> shift & 0xffff
				other[start[d]] = items[i]
				start[d]++
			}
			items, other = other, items
		}
	}
	o.place = make([]uint32, len(items))
	o.rank = make([]uint32, len(items))
	for r, it := range items {
		if r > 0 && it.offset == items[r-1].offset {
			return corrupt("index: two objects at offset %d", it.offset)
		}
		o.place[r] = it.place
		o.rank[it.place] = uint32(r)
	}
	return nil
}

// find returns the rank of the entry at offset.
func (o *order) find(p *Pack, offset int64) (rank int, ok bool) {
	r := sort.Search(len(o.place), func(r int) bool { return o.offset(p, r) >= offset })
	return r, r < len(o.place) && o.offset(p, r) == offset
}

func (o *order) offset(p *Pack, rank int) int64 { return p.index.Offset(int(o.place[rank])) }

// end returns where the entry of a rank ends.
func (o *order) end(p *Pack, rank int) int64 {
	if rank+1 < len(o.place) {
		return o.offset(p, rank+1)
	}
	return p.end
}
