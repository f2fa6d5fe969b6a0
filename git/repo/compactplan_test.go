package repo

import (
	"fmt"
	"math/bits"
	"testing"

	"pgregory.net/rapid"
)

func packsOf(sizes ...int64) []Pack {
	packs := make([]Pack, len(sizes))
	for i, n := range sizes {
		packs[i] = Pack{Name: fmt.Sprint(i), Bytes: n}
	}
	return packs
}

func TestPlanCompaction(t *testing.T) {
	for _, c := range []struct {
		what  string
		sizes []int64
		all   bool
		kept  int
	}{
		{"no packs", nil, false, 0},
		{"one pack", []int64{5}, false, 1},
		{"one pack, all", []int64{5}, true, 0},
		{"a progression", []int64{100, 10, 1}, false, 3},
		{"a progression, all", []int64{100, 10, 1}, true, 0},
		{"exactly twice", []int64{2, 1}, false, 2},
		{"less than twice", []int64{19, 10}, false, 0},
		{"odd, less than twice", []int64{3, 2}, false, 0},
		{"equal ones", []int64{7, 7, 7}, false, 0},
		{"small ones on a large", []int64{1000, 3, 2, 4}, false, 1},
		{"many small ones outweigh the middle", []int64{1000, 10, 2, 2, 2}, false, 1},
		{"many small ones outweigh the largest", []int64{10, 2, 2, 2}, false, 0},
		{"a large one on small ones", []int64{1000, 4, 300}, false, 1},
		{"a large one on one as large", []int64{2000, 500, 100, 40, 70}, false, 2},
	} {
		if kept := planCompaction(packsOf(c.sizes...), c.all); kept != c.kept {
			t.Errorf("%s: keeps %d, want %d", c.what, kept, c.kept)
		}
	}
}

// TestPlanKeepsFewPacks pushes packs of any sizes and carries the plan out after any
// number of them.
func TestPlanKeepsFewPacks(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var packs []Pack
		pushed, written := int64(0), int64(0)
		for range rapid.IntRange(1, 300).Draw(t, "pushes") {
			p := packsOf(rapid.Int64Range(1, 1<<rapid.IntRange(0, 30).Draw(t, "bits")).Draw(t, "bytes"))
			packs, pushed = append(packs, p...), pushed+p[0].Bytes
			if rapid.IntRange(0, 3).Draw(t, "compact") > 0 {
				continue
			}
			if kept := planCompaction(packs, false); kept < len(packs) {
				joined := Pack{}
				for _, p := range packs[kept:] {
					joined.Bytes += p.Bytes
				}
				written += joined.Bytes
				packs = append(packs[:kept], joined)
			}
			if most := bits.Len64(uint64(pushed)) + 1; len(packs) > most {
				t.Fatalf("%d packs of %d bytes, want at most %d", len(packs), pushed, most)
			}
			if again := planCompaction(packs, false); again < len(packs) {
				t.Fatalf("joins from %d on what was just compacted: %v", again, packs)
			}
		}
		// Each byte moves into a pack half as large again, besides its first move: log₁.₅ is 1.71 log₂.
		if most := pushed * int64(2*bits.Len64(uint64(pushed))+1); written > most {
			t.Fatalf("%d bytes pushed, %d written again", pushed, written)
		}
	})
}

// TestPlanStep joins packs in steps.
func TestPlanStep(t *testing.T) {
	const gig = 1 << 30
	for _, c := range []struct {
		what  string
		sizes []int64
		from  int
	}{
		{"none", nil, 0},
		{"one", []int64{5}, 0},
		{"a few small ones", []int64{5, 6, 7}, 0},
		{"two that are large", []int64{9 * gig, 5 * gig}, 0},
		{"three that are large", []int64{9 * gig, 5 * gig, 5 * gig}, 1},
		{"small ones above a large", []int64{9 * gig, 7, 5}, 1},
		{"as much as a step takes", []int64{gig / 2, gig / 2, gig / 2}, 1},
	} {
		if from := planStep(packsOf(c.sizes...)); from != c.from {
			t.Errorf("%s: from %d, want %d", c.what, from, c.from)
		}
	}
	rapid.Check(t, func(t *rapid.T) {
		sizes := rapid.SliceOfN(rapid.Int64Range(1, 4*gig), 2, 2*mostJoined).Draw(t, "sizes")
		packs := packsOf(sizes...)
		total, written, steps := int64(0), int64(0), 0
		for _, p := range packs {
			total += p.Bytes
		}
		for ; len(packs) > 1; steps++ {
			from := planStep(packs)
			if n := len(packs) - from; n < 2 || n > mostJoined {
				t.Fatalf("a step of %d packs", n)
			}
			joined := Pack{}
			for _, p := range packs[from:] {
				joined.Bytes += p.Bytes
			}
			written += joined.Bytes
			packs = append(packs[:from], joined)
		}
		if written > 5*total {
			t.Fatalf("%d bytes were written in %d steps for %d", written, steps, total)
		}
	})
}
