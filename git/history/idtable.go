package history

import (
	"encoding/binary"
	"math/bits"
	"math/rand/v2"

	"github.com/ingot-forge/ingot/git"
)

// idTable numbers ids from 0 in the order in which they come. A walk over a
// large history asks it about a hundred million tree entries, so it is flat:
// nothing is allocated per id, and what a walk notes about an id goes into
// slices that the number indexes.
type idTable struct {
	// slots is an open-addressed hash table. A slot holds the upper half of an
	// id's hash and, below it, the id's number plus one; an empty one is 0.
	slots []uint64
	// chunks hold the ids by number; they are never moved, unlike one slice
	// that grows.
	chunks []*[chunkIDs]git.ID
	n      uint32
	seed   [2]uint64
}

const chunkIDs = 1 << 10

func newIDTable() idTable {
	return idTable{slots: make([]uint64, 1<<10), seed: [2]uint64{rand.Uint64(), rand.Uint64()}}
}

// hash mixes the first sixteen bytes of an id with the table's seed: ids can be
// chosen by whoever pushes, but not so that they collide here.
func (t *idTable) hash(id *git.ID) uint64 {
	hi, lo := bits.Mul64(binary.LittleEndian.Uint64(id[:8])^t.seed[0], binary.LittleEndian.Uint64(id[8:16])^t.seed[1])
	return hi ^ lo
}

// id returns the id of a number that the table gave.
func (t *idTable) id(i uint32) *git.ID { return &t.chunks[i/chunkIDs][i%chunkIDs] }

// find returns the number of id.
func (t *idTable) find(id *git.ID) (i uint32, ok bool) {
	h := t.hash(id)
	mask := uint64(len(t.slots) - 1)
	for at := h & mask; ; at = (at + 1) & mask {
		slot := t.slots[at]
		if slot == 0 {
			return 0, false
		}
		if slot>>32 == h>>32 {
			if i := uint32(slot) - 1; *t.id(i) == *id {
				return i, true
			}
		}
	}
}

// add returns the number of id, and whether it is new.
func (t *idTable) add(id *git.ID) (i uint32, fresh bool) {
	h := t.hash(id)
	mask := uint64(len(t.slots) - 1)
	at := h & mask
	for ; t.slots[at] != 0; at = (at + 1) & mask {
		slot := t.slots[at]
		if slot>>32 == h>>32 {
			if i := uint32(slot) - 1; *t.id(i) == *id {
				return i, false
			}
		}
	}
	i = t.n
	t.n++
	if i%chunkIDs == 0 {
		t.chunks = append(t.chunks, new([chunkIDs]git.ID))
	}
	*t.id(i) = *id
	t.slots[at] = h>>32<<32 | uint64(i+1)
	if int(t.n) > len(t.slots)/2 {
		t.grow()
	}
	return i, true
}

func (t *idTable) grow() {
	t.slots = make([]uint64, 2*len(t.slots))
	mask := uint64(len(t.slots) - 1)
	for i := range t.n {
		h := t.hash(t.id(i))
		at := h & mask
		for t.slots[at] != 0 {
			at = (at + 1) & mask
		}
		t.slots[at] = h>>32<<32 | uint64(i+1)
	}
}
