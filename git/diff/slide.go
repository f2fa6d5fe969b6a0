package diff

import "bytes"

// A group of changed lines can be slid down when the line behind it is the same
// as its first, and up when the line before it is the same as its last: the
// result is as right as before. slide joins groups that so come to touch, and
// puts each where it reads best.

// group is a run of changed lines of one side: [start, end). Before the first
// line, behind the last, and between any two unchanged lines there is one,
// mostly empty; so both sides have as many, and they belong together in order.
type group struct{ start, end int }

// groupAt returns the group that starts at a line.
func (s *side) groupAt(start int) group {
	g := group{start, start}
	for s.flags[g.end+1] != 0 {
		g.end++
	}
	return g
}

// next moves on to the next group; it reports whether there is one.
func (s *side) next(g *group) bool {
	if g.end == s.text.Len() {
		return false
	}
	*g = s.groupAt(g.end + 1)
	return true
}

// previous moves back to the group before, which must exist.
func (s *side) previous(g *group) {
	g.end = g.start - 1
	for g.start = g.end; s.flags[g.start] != 0; g.start-- {
	}
}

// down slides a group by one line, and joins what it then touches.
func (w *work) down(s *side, g *group) bool {
	if g.end >= s.text.Len() || !w.same(s, g.start, g.end) {
		return false
	}
	s.flags[g.start+1], s.flags[g.end+1] = 0, 1
	g.start++
	for g.end++; s.flags[g.end+1] != 0; g.end++ {
	}
	return true
}

// up is down, backwards.
func (w *work) up(s *side, g *group) bool {
	if g.start == 0 || !w.same(s, g.start-1, g.end-1) {
		return false
	}
	g.start--
	g.end--
	s.flags[g.start+1], s.flags[g.end+1] = 1, 0
	for s.flags[g.start] != 0 {
		g.start--
	}
	return true
}

// slide moves the groups of s, of which none ends within the last lines. The
// groups of other stay where they are: other is walked along so that of each
// group its counterpart is known.
func (w *work) slide(s, other *side, last int) {
	first := s.firstChanged()
	if first < 0 {
		return
	}
	if start := other.firstChanged(); start >= 0 {
		first = min(first, start)
	}
	g, o := s.groupAt(first), other.groupAt(first)
	for w.effort > 0 {
		if g.start != g.end {
			w.place(s, other, &g, &o)
		}
		if g.start > s.text.Len()-last || !s.next(&g) {
			return
		}
		other.next(&o)
	}
}

// firstChanged is the first line that is flagged; -1 if there is none.
func (s *side) firstChanged() int { return bytes.IndexByte(s.flags[1:], 1) }

// place slides one group of changed lines to its best place.
func (w *work) place(s, other *side, g, o *group) {
	var size, earliest int
	var meets bool // somewhere on its way the group is beside a group of other
	for joined := true; joined && w.effort > 0; joined = size != g.end-g.start {
		size = g.end - g.start
		for w.up(s, g) {
			other.previous(o)
			w.effort--
		}
		earliest = g.end
		meets = o.start != o.end
		for w.down(s, g) {
			other.next(o)
			meets = meets || o.start != o.end
			w.effort--
		}
	}
	switch {
	case size != g.end-g.start: // the effort is spent
	case g.end == earliest: // it can't be slid
	case meets:
		// Lines that give way to others belong beside them: the last such place.
		for o.start == o.end && w.up(s, g) {
			other.previous(o)
		}
	default:
		for best := s.bestEnd(earliest, g.end, size); g.end > best && w.up(s, g); {
			other.previous(o)
		}
	}
}
