package bitmap

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"sync"

	"github.com/ingot-forge/ingot/git"
	"github.com/ingot-forge/ingot/git/pack"
)

// Layer is a pack of a stack: its index and the order of its entries.
type Layer struct {
	Pack *pack.Index
	Rev  *pack.Rev
	File *File // that belongs to this pack on top of the layers below it; nil if it is to be built
}

// Index is a stack with its files. It may be used from several goroutines at once.
type Index struct {
	format  git.Format
	layers  []Layer
	starts  []int // by layer, and then the number of positions
	kinds   [git.KindTag + 1]Set
	entries map[uint32]entryPlace // by commit, as entries have it
	scratch sync.Pool             // of *Set, as long as all positions need
}

// entryPlace says where an entry is.
type entryPlace struct{ layer, entry uint32 }

// NewIndex joins layers, bottom first. A file whose stack is not that of the
// layers up to it, or whose counts don't fit, is git.ErrCorrupt. Where a layer
// has no file, the kinds of its objects are not known.
func NewIndex(f git.Format, layers []Layer) (*Index, error) {
	x := &Index{format: f, layers: layers, starts: make([]int, 1, len(layers)+1), entries: make(map[uint32]entryPlace)}
	for _, l := range layers {
		if l.Rev.Count() != l.Pack.Count() {
			return nil, corrupt("reverse index of %d objects for a pack of %d", l.Rev.Count(), l.Pack.Count())
		}
		n := x.Len() + l.Pack.Count()
		if n > maxPositions {
			return nil, fmt.Errorf("bitmap: a stack of %d objects is too large", n)
		}
		x.starts = append(x.starts, n)
	}
	for kind := range x.kinds {
		x.kinds[kind] = NewSet(x.Len())
	}
	x.scratch.New = func() any {
		s := NewSet(x.Len())
		return &s
	}
	for i, l := range layers {
		if l.File != nil {
			if err := x.add(i, l.File); err != nil {
				return nil, err
			}
		}
	}
	return x, nil
}

// add takes the file of a layer up.
func (x *Index) add(layer int, file *File) error {
	if len(file.stack) != layer+1 {
		return corrupt("file of a stack of %d packs is that of %d", layer+1, len(file.stack))
	}
	for i, sum := range file.stack {
		if !bytes.Equal(sum, x.layers[i].Pack.PackChecksum()) {
			return corrupt("pack %x of the stack is not %x", x.layers[i].Pack.PackChecksum(), sum)
		}
	}
	if n := x.layers[layer].Pack.Count(); file.hashes != nil && len(file.hashes) != 4*n {
		return corrupt("%d bytes of name hashes for %d objects", len(file.hashes), n)
	}
	end := x.Start(layer + 1)
	for i, bits := range file.kinds {
		known := x.kinds[kinds[i]]
		if err := bits.or(known[:words(end)]); err != nil {
			return err
		}
		if !known.fits(end) {
			return corrupt("kinds go beyond %d objects", end)
		}
	}
	for i, e := range file.entries {
		if int64(e.commit) >= int64(end) {
			return corrupt("entry %d is of object %d among %d", i, e.commit, end)
		}
		// Any of several is right. The lowest tends to be the smallest.
		if _, ok := x.entries[e.commit]; !ok {
			x.entries[e.commit] = entryPlace{uint32(layer), uint32(i)}
		}
	}
	return nil
}

// words is how many words of a set n positions fill.
func words(n int) int { return (n + 63) / 64 }

// Len is the number of positions.
func (x *Index) Len() int { return x.starts[len(x.starts)-1] }

// Find returns the position of an object.
func (x *Index) Find(id git.ID) (position int, ok bool) { return x.findIn(x.layers, id) }

// findIn finds an object in the lowest of some layers, which are from the bottom on.
func (x *Index) findIn(layers []Layer, id git.ID) (position int, ok bool) {
	for i, l := range layers {
		if at, ok := l.Pack.Find(id); ok {
			rank, ok := l.Rev.Rank(l.Pack.Offset(at))
			return x.starts[i] + rank, ok
		}
	}
	return 0, false
}

// layer returns the layer of a position.
func (x *Index) layer(position int) int {
	layer := len(x.layers) - 1
	for x.starts[layer] > position {
		layer--
	}
	return layer
}

// Place returns the layer of a position, and the object's place in the layer's index.
func (x *Index) Place(position int) (layer, at int) {
	layer = x.layer(position)
	return layer, x.layers[layer].Rev.Place(position - x.starts[layer])
}

// Start returns the position of the first entry of a layer; Start(number of layers) is Len().
func (x *Index) Start(layer int) int { return x.starts[layer] }

// ID returns the id of the object at a position.
func (x *Index) ID(position int) git.ID {
	layer, at := x.Place(position)
	return x.layers[layer].Pack.ID(at)
}

// Kind returns the kind of the object at a position (0 if the position is that
// of a repeated object).
func (x *Index) Kind(position int) git.Kind {
	for _, kind := range kinds {
		if x.kinds[kind].Has(position) {
			return kind
		}
	}
	return 0
}

// Kinds returns all positions of one kind. It is shared: read-only.
func (x *Index) Kinds(kind git.Kind) Set { return x.kinds[kind] }

// NameHash returns the hash of a path that the object at a position has (see
// git.NameHash); 0 for commits and tags, and where none is known.
func (x *Index) NameHash(position int) uint32 {
	layer, at := x.Place(position)
	file := x.layers[layer].File
	if file == nil || file.hashes == nil {
		return 0
	}
	return binary.BigEndian.Uint32(file.hashes[4*at:])
}

// Reaches adds to the set what the commit at a position reaches, itself
// included, and returns true, if there is a bitmap for it. into has room for Len()
// positions at least. A damaged bitmap is git.ErrCorrupt, and what into has is then undefined.
//
// It costs as much as the bitmap has words when compressed, and where it is XORed as much
// as all those that it is put together from (of Build's, at most twice as many words) and
// two passes over a set. It allocates nothing but, now and then, such a set.
func (x *Index) Reaches(position int, into Set) (ok bool, err error) {
	e, ok := x.entry(position)
	if !ok {
		return false, nil
	}
	scratch := x.scratch.Get().(*Set)
	defer x.scratch.Put(scratch)
	return true, x.or(e, into, *scratch)
}

// or adds the bitmap of an entry to into.
func (x *Index) or(e entryPlace, into, scratch Set) error {
	end := x.starts[e.layer+1]
	dst := into[:words(end)]
	// What the caller has beyond the end of this layer, in the last word, is its
	// own; what the bitmap has there is damage, and doesn't stay.
	var own, beyond uint64
	last := end / 64
	if end%64 != 0 {
		beyond = ^uint64(0) << (end % 64)
		own = dst[last] & beyond
		dst[last] &^= beyond
	}
	err := x.layers[e.layer].File.or(int(e.entry), dst, scratch[:len(dst)])
	if beyond != 0 {
		if err == nil && dst[last]&beyond != 0 {
			err = corrupt("a commit reaches beyond %d objects", end)
		}
		dst[last] = dst[last]&^beyond | own
	}
	if err != nil {
		return fmt.Errorf("layer %d, entry %d: %w", e.layer, e.entry, err)
	}
	return nil
}

// Has reports whether there is a bitmap for the commit at a position.
func (x *Index) Has(position int) bool {
	_, ok := x.entry(position)
	return ok
}

// entry finds the entry of the commit at a position.
func (x *Index) entry(position int) (entryPlace, bool) {
	layer, at := x.Place(position)
	e, ok := x.entries[uint32(x.starts[layer]+at)]
	return e, ok
}
