package bitmap

import (
	"cmp"
	"encoding/binary"
	"slices"

	"github.com/ingot-forge/ingot/git"
)

// writer puts finished bitmaps into a file.
type writer struct {
	*builder
	out     []byte
	entries []written
	places  []int32 // of the bitmaps made: which entry it is; -1 if not written yet
	set     Set
	base    Set
}

// written is an entry in the file.
type written struct {
	commit uint32 // as stored
	start  int
	back   int // 0, or how many entries back is the one that it is XORed with
	cost   int // bytes that it is put together from
}

// file returns the file of the bitmaps made.
func (b *builder) file() ([]byte, error) {
	w := &writer{builder: b, places: make([]int32, len(b.made)), set: NewSet(b.index.Len()), base: NewSet(b.index.Len())}
	w.head()
	for _, kind := range kinds {
		w.out = appendEWAH(w.out, b.kinds[kind])
	}
	if err := w.bitmaps(); err != nil {
		return nil, err
	}
	w.lookup()
	w.nameHashes()
	sum := git.NewChecksum(b.format)
	sum.Write(w.out)
	return sum.Sum(w.out), nil
}

func (w *writer) head() {
	layers := w.index.layers
	magic := magicPack
	if len(layers) > 1 {
		magic = magicLayer
	}
	w.out = append(w.out, magic...)
	w.out = binary.BigEndian.AppendUint16(w.out, version)
	w.out = binary.BigEndian.AppendUint16(w.out, flagClosed|flagHashes|flagLookup)
	w.out = binary.BigEndian.AppendUint32(w.out, uint32(len(w.made)))
	w.out = append(w.out, w.top.Pack.PackChecksum()...)
	if len(layers) == 1 {
		return
	}
	w.out = binary.BigEndian.AppendUint32(w.out, uint32(len(layers)-1))
	for _, l := range layers[:len(layers)-1] {
		w.out = append(w.out, l.Pack.PackChecksum()...)
	}
}

// bitmaps writes the entries by date, so that what resembles each other lies together: the
// base of an entry has to lie within 160 before it. Dates that are greater than those of all
// parents see to it that it does lie before.
func (w *writer) bitmaps() error {
	byDate := make([]int32, len(w.made))
	for i := range byDate {
		byDate[i], w.places[i] = int32(i), -1
	}
	slices.SortFunc(byDate, func(a, b int32) int {
		m, n := &w.nodes[w.made[a].commit], &w.nodes[w.made[b].commit]
		return cmp.Or(cmp.Compare(m.date, n.date), cmp.Compare(m.order, n.order))
	})
	for i, at := range byDate {
		before := int32(-1)
		if i > 0 {
			before = byDate[i-1]
		}
		bits, base, err := w.choose(at, before)
		if err != nil {
			return err
		}
		w.places[at] = int32(i)
		w.entry(at, bits, base)
	}
	return nil
}

// choose returns how the next entry, a bitmap made, is to be written: whole (base -1),
// XORed with the one that it was made from, or XORed with that of the entry before.
func (w *writer) choose(at, before int32) (bits []byte, base int32, err error) {
	m := &w.made[at]
	if m.base >= 0 && w.serves(m.base, len(m.bits), m.whole) {
		return m.bits, w.places[m.base], nil
	}
	if m.base < 0 && (before < 0 || !w.serves(before, 0, m.whole)) {
		return m.bits, -1, nil
	}
	if err := w.decode(w.set, at); err != nil {
		return nil, 0, err
	}
	if before >= 0 && w.serves(before, 0, m.whole) {
		if err := w.decode(w.base, before); err != nil {
			return nil, 0, err
		}
		w.base.xor(w.set)
		if bits = appendEWAH(nil, w.base); len(bits) < m.whole/2 && w.serves(before, len(bits), m.whole) {
			return bits, w.places[before], nil
		}
	}
	return appendEWAH(nil, w.set), -1, nil
}

// serves reports whether the next entry may be XORed with a bitmap that is written.
func (w *writer) serves(base int32, size, whole int) bool {
	place := int(w.places[base])
	return place >= 0 && len(w.entries)-place <= maxXOR && w.entries[place].cost+size <= costBound*whole
}

func (w *writer) entry(at int32, bits []byte, base int32) {
	e := written{commit: w.storedCommit(int(w.nodes[w.made[at].commit].position)), start: len(w.out), cost: len(bits)}
	if base >= 0 {
		e.back = len(w.entries) - int(base)
		e.cost += w.entries[base].cost
	}
	w.entries = append(w.entries, e)
	w.out = binary.BigEndian.AppendUint32(w.out, e.commit)
	w.out = append(w.out, byte(e.back), 0)
	w.out = append(w.out, bits...)
}

// storedCommit returns how an entry names the commit at a position.
func (w *writer) storedCommit(position int) uint32 {
	layer, at := w.index.Place(position)
	return uint32(w.index.Start(layer) + at)
}

func (w *writer) lookup() {
	rows := make([]int, len(w.entries)) // entries by commit
	for i := range rows {
		rows[i] = i
	}
	slices.SortFunc(rows, func(a, b int) int { return cmp.Compare(w.entries[a].commit, w.entries[b].commit) })
	rowOf := make([]uint32, len(rows))
	for row, i := range rows {
		rowOf[i] = uint32(row)
	}
	for _, i := range rows {
		e := &w.entries[i]
		w.out = binary.BigEndian.AppendUint32(w.out, e.commit)
		w.out = binary.BigEndian.AppendUint64(w.out, uint64(e.start))
		base := ^uint32(0)
		if e.back > 0 {
			base = rowOf[i-e.back]
		}
		w.out = binary.BigEndian.AppendUint32(w.out, base)
	}
}

func (w *writer) nameHashes() {
	for at := range w.top.Pack.Count() {
		w.out = binary.BigEndian.AppendUint32(w.out, w.hashes[w.ranks[at]])
	}
}
