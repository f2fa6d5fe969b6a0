package diff

// reduced is one text without the lines that need no comparing.
type reduced struct {
	classes []int32
	lines   []int32 // where each of them is in the text
	fates   []byte  // scratch
}

// What the number of its occurrences in the other text says of a line.
const (
	unmatched = iota // there is none: it is changed
	matched
	frequent // there are so many that the line says little
)

// The constants of git's heuristics.
const (
	maxFrequent  = 1024 // occurrences from which a line is frequent in any text
	fateWindow   = 100  // lines looked at on either side of a frequent one
	fateWeight   = 4    // a frequent line goes among less than so many unmatched to one frequent
	minCostLimit = 256
)

// reduce flags what can be told line by line, and compares the rest. a and b are
// the classes of the lines from first on.
func (w *work) reduce(a, b []int32, first int) {
	w.kept[0].keep(a, &w.table, 1, roughRoot(w.a.text.Len()), w.a.flags[first+1:], first)
	w.kept[1].keep(b, &w.table, 0, roughRoot(w.b.text.Len()), w.b.flags[first+1:], first)
	w.compare()
}

// keep takes the lines that are to be compared and flags the others.
func (r *reduced) keep(classes []int32, t *classTable, other int, limit int, flags []byte, offset int) {
	limit = min(limit, maxFrequent)
	r.fates = r.fates[:0]
	for _, c := range classes {
		fate := byte(matched)
		if n := int(t.all[c].n[other]); n == 0 {
			fate = unmatched
		} else if n >= limit {
			fate = frequent
		}
		r.fates = append(r.fates, fate)
	}
	r.classes, r.lines = r.classes[:0], r.lines[:0]
	for i, fate := range r.fates {
		if fate == matched || fate == frequent && !r.isNoise(i) {
			r.classes = append(r.classes, classes[i])
			r.lines = append(r.lines, int32(offset+i))
		} else {
			flags[i] = 1
		}
	}
}

// isNoise reports whether a frequent line stands among unmatched ones: on both
// sides the run of lines that are not matched has some that are unmatched, and
// these outweigh the frequent ones.
func (r *reduced) isNoise(at int) bool {
	unmatchedBefore, frequentBefore := 0, 1
	for i := at - 1; i >= max(0, at-fateWindow) && r.fates[i] != matched; i-- {
		if r.fates[i] == unmatched {
			unmatchedBefore++
		} else {
			frequentBefore++
		}
	}
	if unmatchedBefore == 0 {
		return false
	}
	unmatchedBehind, frequentBehind := 0, 1
	for i := at + 1; i <= min(len(r.fates)-1, at+fateWindow) && r.fates[i] != matched; i++ {
		if r.fates[i] == unmatched {
			unmatchedBehind++
		} else {
			frequentBehind++
		}
	}
	if unmatchedBehind == 0 {
		return false
	}
	allFrequent := frequentBefore + frequentBehind
	return allFrequent*fateWeight < allFrequent+unmatchedBefore+unmatchedBehind
}

// roughRoot is the power of two that git takes for the square root of n.
func roughRoot(n int) int {
	root := 1
	for ; n > 0; n >>= 2 {
		root <<= 1
	}
	return root
}
