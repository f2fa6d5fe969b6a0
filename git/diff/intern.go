package diff

import (
	"bytes"
	"hash/maphash"
)

// classTable gives equal lines one number. Lines are compared where their
// hashes meet, and the hash has a secret seed, so nobody can make many meet.
type classTable struct {
	seed  maphash.Seed
	made  bool
	slots []int32 // class+1, by hash; 0: free
	all   []class
}

// class is a set of equal lines.
type class struct {
	hash uint64
	key  []byte
	n    [2]int32 // lines of it in either text
}

// reset empties the table and makes room for n lines.
func (t *classTable) reset(n int) {
	if !t.made {
		t.seed, t.made = maphash.MakeSeed(), true
	}
	size := 64
	for size < 2*n {
		size *= 2
	}
	if cap(t.slots) < size {
		t.slots = make([]int32, size)
	} else {
		t.slots = t.slots[:size]
		clear(t.slots)
	}
	t.all = t.all[:0]
}

// forget lets go of the texts.
func (t *classTable) forget() {
	clear(t.all)
	t.all = t.all[:0]
}

// find returns the slot of a key: that of its class, or a free one.
func (t *classTable) find(hash uint64, key []byte) *int32 {
	mask := uint64(len(t.slots) - 1)
	for i := hash & mask; ; i = (i + 1) & mask {
		slot := &t.slots[i]
		if *slot == 0 {
			return slot
		}
		if c := &t.all[*slot-1]; c.hash == hash && bytes.Equal(c.key, key) {
			return slot
		}
	}
}

// add returns the class of a line of one of the two texts.
func (t *classTable) add(key []byte, text int) int32 {
	hash := maphash.Bytes(t.seed, key)
	slot := t.find(hash, key)
	if *slot == 0 {
		t.all = append(t.all, class{hash: hash, key: key})
		*slot = int32(len(t.all))
	}
	t.all[*slot-1].n[text]++
	return *slot - 1
}

// intern gives the lines between the first and the last ones a class each, and
// counts how often each class occurs in all of both texts. The lines before and
// behind are the same on both sides, so they are looked at once.
func (w *work) intern(first, last int) {
	endA, endB := w.a.text.Len()-last, w.b.text.Len()-last
	w.table.reset(endA + endB - 2*first)
	w.keys = w.keys[:0]
	w.a.classes, w.b.classes = w.a.classes[:0], w.b.classes[:0]
	w.internLines(&w.a, first, endA, 0)
	w.internLines(&w.b, first, endB, 1)
	w.countSame(0, first)
	w.countSame(endA, w.a.text.Len())
}

func (w *work) internLines(s *side, start, end, text int) {
	for i := start; i < end; i++ {
		key := s.text.Line(i)
		if w.space != ExactSpace {
			from := len(w.keys)
			w.keys = w.space.appendKey(w.keys, key)
			key = w.keys[from:len(w.keys):len(w.keys)]
		}
		s.classes = append(s.classes, w.table.add(key, text))
	}
}

// countSame counts lines that are the same on both sides, if they have a class.
func (w *work) countSame(start, end int) {
	t := &w.table
	keys := w.keys[len(w.keys):] // those of classes have to stay
	for i := start; i < end; i++ {
		key := w.a.text.Line(i)
		if w.space != ExactSpace {
			keys = w.space.appendKey(keys[:0], key)
			key = keys
		}
		if slot := t.find(maphash.Bytes(t.seed, key), key); *slot != 0 {
			c := &t.all[*slot-1]
			c.n[0]++
			c.n[1]++
		}
	}
}
