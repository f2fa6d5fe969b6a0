package pack

import (
	"cmp"
	"encoding/binary"
	"math/bits"
	"slices"
	"sync"
)

// order is the reverse index of a pack, opened or made on first use: a pack whose
// objects are only read needs none.
type order struct {
	once sync.Once
	err  error
	*Rev // once it is there
}

// make sees to it that the order is there, once for all goroutines.
func (o *order) make(p *Pack) error {
	o.once.Do(func() {
		if o.Rev == nil {
			o.Rev, o.err = NewRev(p.index)
		}
		if o.err == nil && o.Count() > 0 && o.Offset(o.Count()-1) >= p.end {
			last := o.Count() - 1
			o.err = corrupt("index: object %x lies outside the pack, at offset %d", p.index.id(o.Place(last)), o.Offset(last))
		}
	})
	return o.err
}

// end returns where the entry of a rank ends; that of -1 is the pack's header.
func (o *order) end(p *Pack, rank int) int64 {
	if rank+1 < o.Count() {
		return o.Offset(rank + 1)
	}
	return p.end
}

// placesByOffset returns the places of x by ascending offset, 4 bytes each.
func placesByOffset(x *Index) ([]byte, error) {
	highest := int64(0)
	for at := range x.count {
		offset := x.Offset(at)
		if offset < packHead {
			return nil, corrupt("index: object %x lies outside the pack, at offset %d", x.id(at), offset)
		}
		highest = max(highest, offset)
	}
	if bits.Len64(uint64(highest))+bits.Len(uint(x.count)) > 64 {
		return comparedPlaces(x)
	}
	return sortedPlaces(x, highest)
}

// sortedPlaces sorts numbers whose higher bits are an offset and whose lower
// ones the place.
func sortedPlaces(x *Index, highest int64) ([]byte, error) {
	shift := bits.Len(uint(x.count))
	keys := make([]uint64, x.count)
	for at := range keys {
		keys[at] = uint64(x.Offset(at))<<shift | uint64(at)
	}
	if len(keys) < 1<<12 {
		slices.Sort(keys)
	} else {
		keys = radixSort(keys, shift, shift+bits.Len64(uint64(highest)))
	}
	places := make([]byte, 4*len(keys))
	for rank, key := range keys {
		if rank > 0 && key>>shift == keys[rank-1]>>shift {
			return nil, corrupt("index: two objects at offset %d", key>>shift)
		}
		binary.BigEndian.PutUint32(places[4*rank:], uint32(key&(1<<shift-1)))
	}
	return places, nil
}

// radixSort sorts by the bits from one to before another, two bytes at a time: for
// a million objects a third of the time of comparing them. It returns keys or a copy.
func radixSort(keys []uint64, from, to int) []uint64 {
	other := make([]uint64, len(keys))
	for shift := from; shift < to; shift += 16 {
		var start [1 << 16]uint32
		for _, k := range keys {
			start[k>>shift&0xffff]++
		}
		sum := uint32(0)
		for i, n := range start {
			start[i] = sum
			sum += n
		}
		for _, k := range keys {
			d := k >> shift & 0xffff
			other[start[d]] = k
			start[d]++
		}
		keys, other = other, keys
	}
	return keys
}

// comparedPlaces is sortedPlaces for offsets that leave no bits for the place,
// which no pack of this world has.
func comparedPlaces(x *Index) ([]byte, error) {
	order := make([]uint32, x.count)
	for at := range order {
		order[at] = uint32(at)
	}
	slices.SortFunc(order, func(a, b uint32) int { return cmp.Compare(x.Offset(int(a)), x.Offset(int(b))) })
	places := make([]byte, 0, 4*len(order))
	for rank, at := range order {
		if rank > 0 && x.Offset(int(at)) == x.Offset(int(order[rank-1])) {
			return nil, corrupt("index: two objects at offset %d", x.Offset(int(at)))
		}
		places = binary.BigEndian.AppendUint32(places, at)
	}
	return places, nil
}
