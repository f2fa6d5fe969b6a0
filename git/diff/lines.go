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

// DefaultEffort is some seconds of work. Real files take less than a thousandth
// of it: comparing n lines takes at most n√n steps, usually a few n.
const DefaultEffort = 1 << 31

// Lines compares two texts and returns what has to be replaced in a to make b
// of it: no edit is empty, they ascend, and at least one line that is the same
// lies between any two. They are git's own choice among the many that would do:
// Myers's algorithm with the heuristics of xdiff, then groups of changed lines
// slid to where they read best.
//
// Work and memory grow with the number of lines, and with that of the changes.
func Lines(a, b *Text, o LineOptions) []Edit {
	w := works.Get().(*work)
	defer works.Put(w)
	w.effort = o.Effort
	if w.effort <= 0 {
		w.effort = DefaultEffort
	}
	w.a = side{text: a, flags: zeroed(w.a.flags, a.Len()+2), classes: w.a.classes[:0]}
	w.b = side{text: b, flags: zeroed(w.b.flags, b.Len()+2), classes: w.b.classes[:0]}

	var first, last int // lines at the start and at the end that are the same
	if o.Whitespace == ExactSpace {
		first, last = commonEnds(a, b)
		w.mark(first, last)
	} else {
		w.intern(o.Whitespace, 0, 0)
		w.a.byClass, w.b.byClass = true, true
		first, last = commonClasses(w.a.classes, w.b.classes)
		w.reduce(first, last)
	}
	w.slide(&w.a, &w.b, last)
	w.slide(&w.b, &w.a, last)
	edits := w.edits()
	w.a.text, w.b.text = nil, nil
	w.table.forget()
	return edits
}

// work is the memory of one comparison, kept for the next one.
type work struct {
	a, b    side
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
	byClass bool    // classes has all lines
}

// same reports whether lines i and j of one side are the same.
func (s *side) same(i, j int) bool {
	if s.byClass {
		return s.classes[i] == s.classes[j]
	}
	return bytes.Equal(s.text.Line(i), s.text.Line(j))
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

// mark flags the lines that are changed, between those at both ends that are
// known to be the same.
func (w *work) mark(first, last int) {
	endA, endB := w.a.text.Len()-last, w.b.text.Len()-last
	if first == endA || first == endB { // lines were only added, or only deleted
		fill(w.a.flags[first+1 : endA+1])
		fill(w.b.flags[first+1 : endB+1])
		return
	}
	w.intern(ExactSpace, first, last)
	w.reduce(first, last)
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

// commonClasses is commonEnds on classes.
func commonClasses(a, b []int32) (first, last int) {
	n := min(len(a), len(b))
	for first < n && a[first] == b[first] {
		first++
	}
	for last < n-first && a[len(a)-1-last] == b[len(b)-1-last] {
		last++
	}
	return first, last
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
