package diff_test

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/ingot-forge/ingot/git"
	"github.com/ingot-forge/ingot/git/diff"
)

// pairMaker makes n pairs of files.
type pairMaker struct {
	name string
	n    int
	make func(rng *rand.Rand) (a, b []string)
}

// TestHeuristicsEqualGit compares pairs of files made for one heuristic each, so
// that its constants matter.
func TestHeuristicsEqualGit(t *testing.T) {
	comparePairs(t, modes, []pairMaker{{"noise", 60, noise}, {"blanks", 150, blanks}, {"block", 30, block},
		{"spaces", 300, spaces}, {"tail", 20, tail}, {"far", 40, farSlide}})
}

// TestCostlyEqualGit is the same for pairs that take long.
func TestCostlyEqualGit(t *testing.T) {
	if testing.Short() {
		t.Skip("takes two seconds")
	}
	comparePairs(t, modes[:1], []pairMaker{{"costly", 16, costly}, {"moved", 12, moved}})
}

func comparePairs(t *testing.T, modes []mode, makers []pairMaker) {
	rng := rand.New(rand.NewPCG(20, 100))
	old, new := files{}, files{}
	for _, maker := range makers {
		for i := range maker.n {
			a, b := maker.make(rng)
			old.blob(fmt.Sprint(maker.name, i), strings.Join(a, ""))
			new.blob(fmt.Sprint(maker.name, i), strings.Join(b, ""))
		}
	}
	o := newOracle(t, git.SHA1)
	ids := o.store(old, new)
	m := o.objects()
	changes, _, err := diff.Changes(t.Context(), m, o.format, ids[0], ids[1], diff.ChangesOptions{})
	if err != nil {
		t.Fatal(err)
	}
	for _, mode := range modes {
		args := append([]string{"diff-tree", "-r", "-p", "--full-index", "--no-renames"}, strings.Fields(mode.args)...)
		equal(t, mode.args, patch(t, m, o.format, changes, mode.options), o.run("", append(args, ids[0].String(), ids[1].String())...))
	}
}

// costly texts have so many changes that git stops looking for the shortest
// script, between long runs that are the same.
func costly(rng *rand.Rand) (a, b []string) {
	n := 2000 + rng.IntN(4000)
	pool := n / (1 + rng.IntN(4))
	rate := 2 + rng.IntN(6)
	for len(a) < n {
		for range rng.IntN(400) { // changed, but nearly all lines are elsewhere, too
			line := fmt.Sprintln(rng.IntN(pool))
			if rng.IntN(rate) > 0 {
				a = append(a, line)
			}
			if rng.IntN(rate) > 0 {
				b = append(b, line)
			}
		}
		for range rng.IntN(60) {
			line := fmt.Sprintln(rng.IntN(pool))
			a, b = append(a, line), append(b, line)
		}
	}
	for range rng.IntN(4) { // move a block
		from, size := rng.IntN(len(b)), rng.IntN(600)
		moved := slices.Clone(b[from:min(from+size, len(b))])
		b = slices.Delete(b, from, min(from+size, len(b)))
		b = slices.Insert(b, rng.IntN(len(b)+1), moved...)
	}
	return a, b
}

// moved texts are so long, and have so many lines moved, that git looks for good
// snakes: its limit of cost is above 256 from 65,536 lines on.
func moved(rng *rand.Rand) (a, b []string) {
	const n = 40_000
	every := []int{8, 8, 16, 24}[rng.IntN(4)]
	far := []int{2, 10, 100, n}[rng.IntN(4)]
	for i := range n {
		a = append(a, fmt.Sprintln(i))
	}
	b = slices.Clone(a)
	for i := range b {
		if to := i + 1 + rng.IntN(far); to < n && rng.IntN(every) == 0 {
			b[i], b[to] = b[to], b[i]
		}
	}
	return a, b
}

// farSlide doubles a text that reads best when split about a hundred lines above
// its end.
func farSlide(rng *rand.Rand) (a, b []string) {
	n := 120 + rng.IntN(100)
	for i := range n {
		a = append(a, fmt.Sprintln("\t", i))
	}
	a[n-95-rng.IntN(11)] = "start of a block\n"
	return a, append(slices.Clone(a), a...)
}

// noise has frequent lines among lines of one text only.
func noise(rng *rand.Rand) (a, b []string) {
	for i := range 500 {
		switch {
		case rng.IntN(60) == 0:
			line := fmt.Sprintln("both", rng.IntN(9))
			a, b = append(a, line), append(b, line)
		case rng.IntN(4) == 0:
			a = append(a, fmt.Sprintln("frequent", rng.IntN(2)))
		default:
			a = append(a, fmt.Sprintln("old", i))
		}
		if rng.IntN(4) == 0 {
			b = append(b, fmt.Sprintln("frequent", rng.IntN(2)))
		} else {
			b = append(b, fmt.Sprintln("new", i))
		}
	}
	return a, b
}

// blanks doubles a part of a text with long runs of blank lines and deep
// indentation, which can be slid.
func blanks(rng *rand.Rand) (a, b []string) {
	for range 1 + rng.IntN(6) {
		for range rng.IntN(30) {
			a = append(a, []string{"\n", "  \n", "\t\r\n"}[rng.IntN(3)])
		}
		a = append(a, strings.Repeat(" ", []int{0, 2, 4, 8, 198, 199, 200, 201, 207}[rng.IntN(9)])+[]string{"", "\t"}[rng.IntN(2)]+"x\n")
	}
	return a, doubled(rng, a)
}

// block doubles a long part of a text of blocks.
func block(rng *rand.Rand) (a, b []string) {
	for range 200 + rng.IntN(100) {
		a = append(a, strings.Repeat("\t", rng.IntN(4))+fmt.Sprintln(rng.IntN(1000)))
		if rng.IntN(8) == 0 {
			a = append(a, "\n")
		}
	}
	return a, doubled(rng, a)
}

func doubled(rng *rand.Rand, a []string) []string {
	from := rng.IntN(len(a))
	to := from + 1 + rng.IntN(len(a)-from)
	return slices.Insert(slices.Clone(a), to, a[from:to]...)
}

// spaces are few lines that differ in white space mostly.
func spaces(rng *rand.Rand) (a, b []string) {
	line := func() string {
		return []string{"a\n", " a\n", "a \n", "a\r\n", "b\n", "b b\n", "b  b\n", "\n", " \n"}[rng.IntN(9)]
	}
	for range rng.IntN(7) {
		a = append(a, line())
	}
	b = slices.Clone(a)
	for range 1 + rng.IntN(4) {
		switch at := rng.IntN(len(b) + 1); {
		case rng.IntN(2) == 0:
			b = slices.Insert(b, at, line())
		case at < len(b):
			b[at] = line()
		}
	}
	if len(b) > 0 && rng.IntN(3) == 0 {
		b[len(b)-1] = strings.TrimSuffix(b[len(b)-1], "\n")
	}
	return a, b
}

// tail ends in long lines that differ at their start, or in many that do not.
func tail(rng *rand.Rand) (a, b []string) {
	long := strings.Repeat("x", 1000+rng.IntN(3000)) + []string{"\n", ""}[rng.IntN(2)]
	a, b = []string{"start\n", "1" + long}, []string{"start\n", "2" + long}
	if rng.IntN(2) == 0 {
		a, b = nil, nil
		for range 40 {
			a = append(a, fmt.Sprintln("frequent", rng.IntN(3)))
			b = append(b, fmt.Sprintln("frequent", rng.IntN(3)))
		}
		for range rng.IntN(2000) {
			line := fmt.Sprintln("frequent", rng.IntN(9))
			a, b = append(a, line), append(b, line)
		}
	}
	return a, b
}

// TestManyAlternatives moves files that many others are the same as.
func TestManyAlternatives(t *testing.T) {
	rng := rand.New(rand.NewPCG(5, 5))
	o := newOracle(t, git.SHA1)
	old, new := files{}, files{}
	for i := range 260 {
		f := file{[]git.Mode{git.ModeBlob, git.ModeExecutable, git.ModeSymlink}[rng.IntN(3)], fmt.Sprint(rng.IntN(2))}
		old[fmt.Sprintf("a%d/%d", rng.IntN(4), i)] = f
		if rng.IntN(3) > 0 {
			new[fmt.Sprintf("b%d/%d", rng.IntN(4), 260-i+rng.IntN(9))] = f
		}
	}
	ids := o.store(old, new)
	m := o.objects()
	for _, mode := range renameModes {
		changes, _, err := diff.Changes(t.Context(), m, o.format, ids[0], ids[1], diff.ChangesOptions{
			TreeOptions: diff.TreeOptions{Unchanged: mode.harder}, Renames: &mode.options})
		if err != nil {
			t.Fatal(err)
		}
		args := append([]string{"diff-tree", "-r", "--no-abbrev", ids[0].String(), ids[1].String()}, strings.Fields(mode.args)...)
		equal(t, mode.args, raw(o.format, changes), o.run("", args...))
	}
}
