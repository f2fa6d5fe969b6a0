package repo

import (
	"fmt"
	"math/bits"
	"slices"
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
		join  []int
		kept  int
	}{
		{"no packs", nil, false, nil, 0},
		{"one pack", []int64{5}, false, nil, 1},
		{"one pack, all", []int64{5}, true, nil, 1},
		{"a progression", []int64{1, 100, 10}, false, nil, 3},
		{"a progression, all", []int64{1, 100, 10}, true, []int{1, 2, 0}, 0},
		{"exactly twice", []int64{2, 1}, false, nil, 2},
		{"less than twice", []int64{19, 10}, false, []int{0, 1}, 0},
		{"odd, less than twice", []int64{3, 2}, false, []int{0, 1}, 0},
		{"equal ones, in the order they came", []int64{7, 7, 7}, false, []int{0, 1, 2}, 0},
		{"small ones under a large", []int64{1000, 3, 2, 4}, false, []int{3, 1, 2}, 1},
		{"many small ones outweigh the middle", []int64{1000, 10, 2, 2, 2}, false, []int{1, 2, 3, 4}, 1},
		{"many small ones outweigh the largest", []int64{10, 2, 2, 2}, false, []int{0, 1, 2, 3}, 0},
	} {
		join, kept := planCompaction(packsOf(c.sizes...), c.all)
		if !slices.Equal(join, c.join) || kept != c.kept {
			t.Errorf("%s: joins %v, keeps %d; want %v, %d", c.what, join, kept, c.join, c.kept)
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
			join, kept := planCompaction(packs, false)
			if join != nil {
				joined, rest := Pack{}, []Pack(nil)
				for i, p := range packs {
					if slices.Contains(join, i) {
						joined.Bytes += p.Bytes
					} else {
						rest = append(rest, p)
					}
				}
				written += joined.Bytes
				packs = append(rest, joined)
				if len(rest) != kept {
					t.Fatalf("kept %d, said %d", len(rest), kept)
				}
			}
			if most := bits.Len64(uint64(pushed)) + 1; len(packs) > most {
				t.Fatalf("%d packs of %d bytes, want at most %d", len(packs), pushed, most)
			}
			if again, _ := planCompaction(packs, false); again != nil {
				t.Fatalf("joins %v of what was just compacted: %v", again, packs)
			}
		}
		// Each byte moves into a pack half as large again: log₁.₅ is 1.71 log₂.
		if most := pushed * int64(2*bits.Len64(uint64(pushed))); written > most {
			t.Fatalf("%d bytes pushed, %d written again", pushed, written)
		}
	})
}
