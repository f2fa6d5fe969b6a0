package diff

import "math"

// box is a part of both reduced texts that is still to be compared.
type box struct {
	a, endA, b, endB int
	minimal          bool // find the shortest script, without heuristics
}

// split is where a box falls into two.
type split struct {
	a, b      int
	minimalLo bool
	minimalHi bool
}

// compare flags the lines of the reduced texts that are changed: Myers, "An
// O(ND) Difference Algorithm and its Variations" (1986), in linear space. A box
// is split where a path from its start meets one from its end; git gives up on
// finding the shortest one when that takes too long.
func (w *work) compare() {
	a, b := w.kept[0].classes, w.kept[1].classes
	diagonals := len(a) + len(b) + 3
	if cap(w.vectors) < 2*diagonals+2 {
		w.vectors = make([]int32, 2*diagonals+2)
	}
	s := splitter{
		a: a, b: b,
		forward:   w.vectors[:diagonals],
		backward:  w.vectors[diagonals : 2*diagonals+2],
		origin:    len(b) + 1,
		costLimit: max(roughRoot(diagonals), minCostLimit),
		effort:    w.effort,
	}
	w.boxes = append(w.boxes[:0], box{endA: len(a), endB: len(b)})
	for len(w.boxes) > 0 {
		x := w.boxes[len(w.boxes)-1]
		w.boxes = w.boxes[:len(w.boxes)-1]
		for x.a < x.endA && x.b < x.endB && a[x.a] == b[x.b] {
			x.a, x.b = x.a+1, x.b+1
		}
		for x.a < x.endA && x.b < x.endB && a[x.endA-1] == b[x.endB-1] {
			x.endA, x.endB = x.endA-1, x.endB-1
		}
		if x.a < x.endA && x.b < x.endB && s.effort > 0 {
			if at, ok := s.split(x); ok {
				w.boxes = append(w.boxes,
					box{at.a, x.endA, at.b, x.endB, at.minimalHi},
					box{x.a, at.a, x.b, at.b, at.minimalLo})
				continue
			}
		}
		for _, line := range w.kept[0].lines[x.a:x.endA] {
			w.a.flags[line+1] = 1
		}
		for _, line := range w.kept[1].lines[x.b:x.endB] {
			w.b.flags[line+1] = 1
		}
	}
	w.effort = s.effort
}

// splitter finds where boxes split. forward and backward have, for each
// diagonal (place in a minus place in b, plus origin), how far in a the path
// there has come.
type splitter struct {
	a, b              []int32
	forward, backward []int32
	origin            int
	costLimit         int
	effort            int
}

// The constants of git's heuristics.
const (
	snakeLength = 20  // lines in a row that are the same make a good snake
	snakeFactor = 4   // a path is good that has come so many times its cost
	snakeCost   = 256 // from this cost on, good paths are looked for
)

// front is the range of diagonals that a search has come to.
type front struct{ min, max int }

// widen extends a front by one diagonal to either side, or narrows it where it
// has come to the edge of the box. Diagonals next to it hold outside, which no
// path prefers.
func (f *front) widen(v []int32, lowest, highest int, outside int32) {
	if f.min > lowest {
		f.min--
		v[f.min-1] = outside
	} else {
		f.min++
	}
	if f.max < highest {
		f.max++
		v[f.max+1] = outside
	} else {
		f.max--
	}
}

// split finds where a box splits whose corners differ. It is not ok when the
// effort is spent.
func (s *splitter) split(x box) (at split, ok bool) {
	lowest, highest := s.origin+x.a-x.endB, s.origin+x.endA-x.b
	middleF, middleB := s.origin+x.a-x.b, s.origin+x.endA-x.endB
	odd := (middleF-middleB)&1 != 0
	f, r := front{middleF, middleF}, front{middleB, middleB}
	s.forward[middleF], s.backward[middleB] = int32(x.a), int32(x.endA)

	for cost := 1; ; cost++ {
		if s.effort -= f.max - f.min + r.max - r.min + 8; s.effort < 0 {
			return split{}, false
		}
		f.widen(s.forward, lowest, highest, -1)
		at, met, snake := s.advance(x, f, r, odd)
		if met {
			return at, true
		}
		r.widen(s.backward, lowest, highest, math.MaxInt32)
		at, met, snakeBack := s.retreat(x, f, r, !odd)
		if met {
			return at, true
		}
		if x.minimal {
			continue
		}
		if (snake || snakeBack) && cost > snakeCost {
			if at, ok := s.goodForward(x, f, middleF, cost); ok {
				return at, true
			}
			if at, ok := s.goodBackward(x, r, middleB, cost); ok {
				return at, true
			}
		}
		if cost >= s.costLimit {
			return s.furthest(x, f, r), true
		}
	}
}

// advance takes each forward path one change and then as far as lines are the
// same. It reports whether one met a backward path, and whether one had a snake.
func (s *splitter) advance(x box, f, r front, mayMeet bool) (at split, met, snake bool) {
	a, b, v := s.a[:x.endA], s.b[:x.endB], s.forward
	for d := f.max; d >= f.min; d -= 2 {
		i := v[d+1]
		if v[d-1] >= i {
			i = v[d-1] + 1
		}
		from, j := int(i), int(i)-(d-s.origin)
		k := from
		// Unsigned, so that the compiler knows the bounds.
		for uint(k) < uint(len(a)) && uint(j) < uint(len(b)) && a[k] == b[j] {
			k, j = k+1, j+1
		}
		if k-from > snakeLength {
			snake = true
			s.effort -= k - from
		}
		v[d] = int32(k)
		if mayMeet && r.min <= d && d <= r.max && int(s.backward[d]) <= k {
			return split{a: k, b: j, minimalLo: true, minimalHi: true}, true, snake
		}
	}
	return split{}, false, snake
}

// retreat is advance for the backward paths.
func (s *splitter) retreat(x box, f, r front, mayMeet bool) (at split, met, snake bool) {
	a, b, v := s.a[x.a:], s.b[x.b:], s.backward
	for d := r.max; d >= r.min; d -= 2 {
		i := v[d-1]
		if i >= v[d+1] {
			i = v[d+1] - 1
		}
		from, j := int(i), int(i)-(d-s.origin)
		last, lastB := from-1-x.a, j-1-x.b
		for uint(last) < uint(len(a)) && uint(lastB) < uint(len(b)) && a[last] == b[lastB] {
			last, lastB = last-1, lastB-1
		}
		k := last + 1 + x.a
		j = lastB + 1 + x.b
		if from-k > snakeLength {
			snake = true
			s.effort -= from - k
		}
		v[d] = int32(k)
		if mayMeet && f.min <= d && d <= f.max && k <= int(s.forward[d]) {
			return split{a: k, b: j, minimalLo: true, minimalHi: true}, true, snake
		}
	}
	return split{}, false, snake
}

// goodForward looks for the forward path that has come furthest beyond a
// multiple of its cost, less its distance from the middle, and ends in a snake.
func (s *splitter) goodForward(x box, f front, middle, cost int) (at split, ok bool) {
	best := 0
	for d := f.max; d >= f.min; d -= 2 {
		i := int(s.forward[d])
		j := i - (d - s.origin)
		v := i - x.a + j - x.b - distance(d, middle)
		if v <= snakeFactor*cost || v <= best ||
			i < x.a+snakeLength || i >= x.endA || j < x.b+snakeLength || j >= x.endB {
			continue
		}
		if sameRun(s.a[i-snakeLength:i], s.b[j-snakeLength:j]) {
			best = v
			at = split{a: i, b: j, minimalLo: true}
		}
	}
	return at, best > 0
}

// goodBackward is goodForward for the backward paths.
func (s *splitter) goodBackward(x box, r front, middle, cost int) (at split, ok bool) {
	best := 0
	for d := r.max; d >= r.min; d -= 2 {
		i := int(s.backward[d])
		j := i - (d - s.origin)
		v := x.endA - i + x.endB - j - distance(d, middle)
		if v <= snakeFactor*cost || v <= best ||
			i <= x.a || i > x.endA-snakeLength || j <= x.b || j > x.endB-snakeLength {
			continue
		}
		if sameRun(s.a[i:i+snakeLength], s.b[j:j+snakeLength]) {
			best = v
			at = split{a: i, b: j, minimalHi: true}
		}
	}
	return at, best > 0
}

// furthest splits where any path has come furthest.
func (s *splitter) furthest(x box, f, r front) split {
	bestF, atF := -1, -1
	for d := f.max; d >= f.min; d -= 2 {
		i := min(int(s.forward[d]), x.endA)
		j := i - (d - s.origin)
		if x.endB < j {
			i, j = x.endB+(d-s.origin), x.endB
		}
		if bestF < i+j {
			bestF, atF = i+j, i
		}
	}
	bestB, atB := math.MaxInt, math.MaxInt
	for d := r.max; d >= r.min; d -= 2 {
		i := max(x.a, int(s.backward[d]))
		j := i - (d - s.origin)
		if j < x.b {
			i, j = x.b+(d-s.origin), x.b
		}
		if i+j < bestB {
			bestB, atB = i+j, i
		}
	}
	if x.endA+x.endB-bestB < bestF-(x.a+x.b) {
		return split{a: atF, b: bestF - atF, minimalLo: true}
	}
	return split{a: atB, b: bestB - atB, minimalHi: true}
}

func distance(a, b int) int { return max(a-b, b-a) }

func sameRun(a, b []int32) bool {
	for i := range a {
		if a[i] != b[i] {
			return false
		}
	}
	return true
}
