package diff

import (
	"bytes"
	"encoding/binary"
	"math/bits"
	"sync"
)

// An Edit says that lines AStart up to AEnd of the old text give way to lines
// BStart up to BEnd of the new one. Lines count from 0; one of the two ranges
// may be empty.
type Edit struct {
	AStart, AEnd, BStart, BEnd int
}

// LineOptions say how to compare lines. The zero value is git's default.
type LineOptions struct {
	Whitespace Whitespace
	// Effort bounds the steps of one comparison: beyond it what is left is told
	// as changed, line by line, whether it is or not. 0 means DefaultEffort.
	Effort int
}

// DefaultEffort is a few seconds of work, and a dozen times what any pair of
// files took in the histories tried. Comparing n lines takes at most some n√n
// steps, usually a few n.
const DefaultEffort = 1 << 28

// Lines compares two texts and returns what has to be replaced in a to make b
// of it: no edit is empty, they ascend, and at least one line that is the same
// lies between any two. They are git's own choice among the many that would do:
// Myers's algorithm with the heuristics of xdiff, then groups of changed lines
// slid to where they read best.
//
// Work and memory grow with the number of lines, and with that of the changes.
func Lines(a, b *Text, o LineOptions) []Edit {
	w := works.Get().(*work)
	w.effort = o.Effort
	if w.effort <= 0 {
		w.effort = DefaultEffort
	}
	w.space = o.Whitespace
	w.a.reset(a)
	w.b.reset(b)

	first, last := commonEnds(a, b) // lines at the start and at the end that are the same
	w.mark(first, last)
	w.slide(&w.a, &w.b, last)
	w.slide(&w.b, &w.a, last)
	edits := w.edits()
	w.a.text, w.b.text = nil, nil
	w.table.forget()
	if len(w.table.slots) <= maxKeptSlots {
		works.Put(w)
	}
	return edits
}

// maxKeptSlots bounds the memory that is kept for the next comparison, to some
// ten megabytes.
const maxKeptSlots = 1 << 18

// work is the memory of one comparison, kept for the next one.
type work struct {
	a, b    side
	space   Whitespace
	table   classTable
	keys    []byte
	vectors []int32
	boxes   []box
	kept    [2]reduced
	effort  int
}

var works = sync.Pool{New: func() any { return new(work) }}

// side is what is known of one of the two texts.
type side struct {
	text *Text
	// flags has 1 for a line that is changed: that of line i at i+1, so that
	// there is a 0 before the first line and one behind the last.
	flags   []byte
	classes []int32 // of the lines that were interned; equal for equal lines
}

func (s *side) reset(t *Text) {
	s.text, s.flags, s.classes = t, zeroed(s.flags, t.Len()+2), s.classes[:0]
}

// same reports whether lines i and j of one side are the same.
func (w *work) same(s *side, i, j int) bool { return w.sameLine(s.text.Line(i), s.text.Line(j)) }

func (w *work) sameLine(x, y []byte) bool {
	if bytes.Equal(x, y) || w.space == ExactSpace {
		return bytes.Equal(x, y)
	}
	w.keys = w.space.appendKey(w.keys[:0], x)
	n := len(w.keys)
	w.keys = w.space.appendKey(w.keys, y)
	return bytes.Equal(w.keys[:n], w.keys[n:])
}

// zeroed returns n zeros, in the memory of b if they fit.
func zeroed(b []byte, n int) []byte {
	if cap(b) < n {
		return make([]byte, n+n/4)[:n]
	}
	b = b[:n]
	clear(b)
	return b
}

// mark flags the lines that are changed, given how many at both ends are the
// same byte for byte.
func (w *work) mark(first, last int) {
	endA, endB := w.a.text.Len()-last, w.b.text.Len()-last
	if first == endA && first == endB {
		return
	}
	if (first == endA || first == endB) && !w.continues(first) { // lines were only added, or only deleted
		fill(w.a.flags[first+1 : endA+1])
		fill(w.b.flags[first+1 : endB+1])
		return
	}
	w.intern(first, last)
	a, b := w.a.classes, w.b.classes
	same := commonStart(a, b)
	if last > 0 && same == min(len(a), len(b)) {
		// What is the same at the start but for white space may reach into what
		// was taken for the end, and the start comes first.
		w.intern(first, 0)
		a, b = w.a.classes, w.b.classes
		same = commonStart(a, b)
	}
	a, b = a[same:], b[same:]
	for len(a) > 0 && len(b) > 0 && a[len(a)-1] == b[len(b)-1] {
		a, b = a[:len(a)-1], b[:len(b)-1]
	}
	w.reduce(a, b, first+same)
}

// continues reports whether the line at is the same on both sides.
func (w *work) continues(at int) bool {
	return w.space != ExactSpace && at < w.a.text.Len() && at < w.b.text.Len() &&
		w.sameLine(w.a.text.Line(at), w.b.text.Line(at))
}

func fill(flags []byte) {
	for i := range flags {
		flags[i] = 1
	}
}

// edits reads the flags.
func (w *work) edits() []Edit {
	a, b := w.a.flags[1:], w.b.flags[1:]
	edits := make([]Edit, 0, 8)
	for i, j := 0, 0; ; {
		// Lines that are not flagged come in pairs.
		di, dj := bytes.IndexByte(a[i:], 1), bytes.IndexByte(b[j:], 1)
		if di < 0 && dj < 0 {
			return edits
		}
		if di < 0 || dj >= 0 && dj < di {
			di = dj
		}
		e := Edit{AStart: i + di, BStart: j + di}
		for i = e.AStart; a[i] != 0; i++ {
		}
		for j = e.BStart; b[j] != 0; j++ {
		}
		e.AEnd, e.BEnd = i, j
		edits = append(edits, e)
	}
}

// commonEnds counts the lines that two texts start and end with alike.
func commonEnds(a, b *Text) (first, last int) {
	n := commonPrefix(a.data, b.data)
	first = min(a.linesWithin(n), b.linesWithin(n))
	restA, restB := a.data[a.start(first):], b.data[b.start(first):]
	m := commonSuffix(restA, restB)
	last = min(a.linesFrom(len(a.data)-m), b.linesFrom(len(b.data)-m))
	return first, last
}

// commonStart counts the classes that both lists start with.
func commonStart(a, b []int32) int {
	n := 0
	for n < min(len(a), len(b)) && a[n] == b[n] {
		n++
	}
	return n
}

// commonPrefix returns how many bytes a and b start with alike.
func commonPrefix(a, b []byte) int {
	n := min(len(a), len(b))
	i := 0
	for i+256 <= n && string(a[i:i+256]) == string(b[i:i+256]) {
		i += 256
	}
	for ; i+8 <= n; i += 8 {
		if x := binary.LittleEndian.Uint64(a[i:]) ^ binary.LittleEndian.Uint64(b[i:]); x != 0 {
			return i + bits.TrailingZeros64(x)/8
		}
	}
	for i < n && a[i] == b[i] {
		i++
	}
	return i
}

// commonSuffix returns how many bytes a and b end with alike.
func commonSuffix(a, b []byte) int {
	n := min(len(a), len(b))
	a, b = a[len(a)-n:], b[len(b)-n:]
	i := n
	for i >= 256 && string(a[i-256:i]) == string(b[i-256:i]) {
		i -= 256
	}
	for ; i >= 8; i -= 8 {
		if x := binary.LittleEndian.Uint64(a[i-8:]) ^ binary.LittleEndian.Uint64(b[i-8:]); x != 0 {
			return n - i + bits.LeadingZeros64(x)/8
		}
	}
	for i > 0 && a[i-1] == b[i-1] {
		i--
	}
	return n - i
}
