package merge

import (
	"bytes"

	"github.com/ingot-forge/ingot/git/diff"
)

// weave merges two texts that come from a third one.
type weave struct {
	o                  TextOptions
	base, ours, theirs *diff.Text
	places             []place
	conflicts          int // set by write
	out                []byte
}

// place is where something changed: lines of base give way to those of a side, or
// of both.
type place struct {
	take               take
	base, ours, theirs lines
}

// lines is a range of the lines of a text.
type lines struct{ start, end int }

func (l lines) len() int { return l.end - l.start }

// take says whose lines are taken.
type take uint8

const (
	takeNone   take = 0 // it is a conflict
	takeOurs   take = 1
	takeTheirs take = 2
	takeBoth   take = takeOurs | takeTheirs
	takeSame   take = 4 // both have the same lines
)

// textEffort bounds the steps of one comparison, to half a second or so. Beyond it more
// is in conflict than need be. Real files take less than a hundredth of it.
const textEffort = 1 << 28

func (w *weave) edits(a, b *diff.Text) []diff.Edit {
	return diff.MergeLines(a, b, diff.MergeOptions{Histogram: !w.o.FileMerge, Effort: textEffort})
}

// join puts the edits of both sides in order. Those that overlap or touch are in
// conflict, unless they are the same.
func (w *weave) join(ours, theirs []diff.Edit) {
	shiftOurs, shiftTheirs := 0, 0 // how far lines of a side are from those of base, behind what is done
	for len(ours) > 0 || len(theirs) > 0 {
		switch {
		case len(theirs) == 0 || len(ours) > 0 && ours[0].AEnd < theirs[0].AStart:
			e := ours[0]
			w.add(takeOurs, lines{e.AStart, e.AEnd}, lines{e.BStart, e.BEnd},
				lines{e.AStart + shiftTheirs, e.AEnd + shiftTheirs})
			ours, shiftOurs = ours[1:], e.BEnd-e.AEnd
		case len(ours) == 0 || theirs[0].AEnd < ours[0].AStart:
			e := theirs[0]
			w.add(takeTheirs, lines{e.AStart, e.AEnd}, lines{e.AStart + shiftOurs, e.AEnd + shiftOurs},
				lines{e.BStart, e.BEnd})
			theirs, shiftTheirs = theirs[1:], e.BEnd-e.AEnd
		default:
			x, y := ours[0], theirs[0]
			if !w.same(x, y) {
				start, end := min(x.AStart, y.AStart), max(x.AEnd, y.AEnd)
				w.add(takeNone, lines{start, end},
					lines{x.BStart + start - x.AStart, x.BEnd + end - x.AEnd},
					lines{y.BStart + start - y.AStart, y.BEnd + end - y.AEnd})
			}
			if x.AEnd >= y.AEnd {
				theirs, shiftTheirs = theirs[1:], y.BEnd-y.AEnd
			}
			if y.AEnd >= x.AEnd {
				ours, shiftOurs = ours[1:], x.BEnd-x.AEnd
			}
		}
	}
}

// same reports whether both sides did the same.
func (w *weave) same(x, y diff.Edit) bool {
	return x.AStart == y.AStart && x.AEnd == y.AEnd && x.BEnd-x.BStart == y.BEnd-y.BStart &&
		bytes.Equal(w.ours.Lines(x.BStart, x.BEnd), w.theirs.Lines(y.BStart, y.BEnd))
}

// add appends a place, or lets the last one grow if it reaches so far.
func (w *weave) add(t take, base, ours, theirs lines) {
	if n := len(w.places); n > 0 {
		last := &w.places[n-1]
		if ours.start <= last.ours.end || theirs.start <= last.theirs.end {
			if t != last.take {
				last.take = takeNone
			}
			last.base.end, last.ours.end, last.theirs.end = base.end, ours.end, theirs.end
			return
		}
	}
	w.places = append(w.places, place{t, base, ours, theirs})
}

// refine makes the conflicts smaller.
func (w *weave) refine() {
	switch w.o.Style {
	case Diff3: // what is the same in both sides may still differ from base, which is shown
	case ZealousDiff3:
		for i := range w.places {
			if p := &w.places[i]; p.take == takeNone {
				w.trim(p)
			}
		}
	default:
		w.split()
		w.simplify()
	}
}

// trim cuts off the lines that both sides of a conflict start or end with.
func (w *weave) trim(p *place) {
	for p.ours.len() > 0 && p.theirs.len() > 0 &&
		bytes.Equal(w.ours.Line(p.ours.start), w.theirs.Line(p.theirs.start)) {
		p.ours.start++
		p.theirs.start++
	}
	for p.ours.len() > 0 && p.theirs.len() > 0 &&
		bytes.Equal(w.ours.Line(p.ours.end-1), w.theirs.Line(p.theirs.end-1)) {
		p.ours.end--
		p.theirs.end--
	}
}

// split compares the two sides of each conflict, and leaves of it what differs.
func (w *weave) split() {
	var places []place
	for _, p := range w.places {
		if p.take != takeNone || p.ours.len() == 0 || p.theirs.len() == 0 {
			places = append(places, p)
			continue
		}
		edits := w.edits(
			diff.NewText(w.ours.Lines(p.ours.start, p.ours.end)),
			diff.NewText(w.theirs.Lines(p.theirs.start, p.theirs.end)))
		if len(edits) == 0 {
			p.take = takeSame
			places = append(places, p)
		}
		for _, e := range edits {
			places = append(places, place{
				base:   p.base,
				ours:   lines{p.ours.start + e.AStart, p.ours.start + e.AEnd},
				theirs: lines{p.theirs.start + e.BStart, p.theirs.start + e.BEnd},
			})
		}
	}
	w.places = places
}

// maxBetween is how many lines between two conflicts take no more room as part
// of one than the markers of two.
const maxBetween = 3

// simplify joins conflicts that are next to each other.
func (w *weave) simplify() {
	if len(w.places) == 0 {
		return
	}
	kept := w.places[:1]
	for _, p := range w.places[1:] {
		last := &kept[len(kept)-1]
		if last.take == takeNone && p.take == takeNone && w.isLittle(last.ours.end, p.ours.start) {
			last.ours.end, last.theirs.end = p.ours.end, p.theirs.end
		} else {
			kept = append(kept, p)
		}
	}
	w.places = kept
}

func (w *weave) isLittle(start, end int) bool {
	return end-start <= maxBetween || w.o.FileMerge && bytes.IndexFunc(w.ours.Lines(start, end), isAlnum) < 0
}

// isAlnum is C's, for bytes.
func isAlnum(r rune) bool {
	return '0' <= r && r <= '9' || 'A' <= r && r <= 'Z' || 'a' <= r && r <= 'z'
}
