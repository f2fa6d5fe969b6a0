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

// mode is a way to compare lines, with git's options for it.
type mode struct {
	args    string
	options diff.Options
}

var modes = []mode{
	{"-U3", diff.Options{Context: 3}},
	{"-U0", diff.Options{}},
	{"-U1 --inter-hunk-context=2", diff.Options{Context: 1, InterHunk: 2}},
	{"-U10", diff.Options{Context: 10}},
	{"-U3 -w", diff.Options{Context: 3, LineOptions: diff.LineOptions{Whitespace: diff.IgnoreAllSpace}}},
	{"-U3 -b", diff.Options{Context: 3, LineOptions: diff.LineOptions{Whitespace: diff.IgnoreSpaceChange}}},
	{"-U3 --ignore-space-at-eol", diff.Options{Context: 3, LineOptions: diff.LineOptions{Whitespace: diff.IgnoreSpaceAtEOL}}},
	{"-U3 --ignore-cr-at-eol", diff.Options{Context: 3, LineOptions: diff.LineOptions{Whitespace: diff.IgnoreCRAtEOL}}},
	{"-U3 --ignore-blank-lines", diff.Options{Context: 3, IgnoreBlankLines: true}},
	{"-U0 --ignore-blank-lines", diff.Options{IgnoreBlankLines: true}},
	{"-U2 -w --ignore-blank-lines", diff.Options{Context: 2, IgnoreBlankLines: true,
		LineOptions: diff.LineOptions{Whitespace: diff.IgnoreAllSpace}}},
}

// TestLinesEqualGit compares random pairs of files, of which each has a
// character of its own, in each mode.
func TestLinesEqualGit(t *testing.T) {
	rng := rand.New(rand.NewPCG(4, 2))
	old, new := files{}, files{}
	n := 600
	if testing.Short() {
		n = 300
	}
	for i := range n {
		a := randomFile(rng)
		old.blob(fmt.Sprintf("f%04d", i), a)
		new.blob(fmt.Sprintf("f%04d", i), mutate(rng, a))
	}
	o := newOracle(t, git.SHA1)
	ids := o.store(old, new)
	m := o.objects()
	changes, _, err := diff.Changes(t.Context(), m, o.format, ids[0], ids[1], diff.ChangesOptions{})
	if err != nil {
		t.Fatal(err)
	}
	for _, mode := range modes {
		args := append(strings.Fields(mode.args), "--no-renames", ids[0].String(), ids[1].String())
		want := o.run("", append([]string{"diff-tree", "-r", "-p", "--full-index"}, args...)...)
		equal(t, mode.args, patch(t, m, o.format, changes, mode.options), want)
		mode.options.Context, mode.options.InterHunk = 3, 0 // -U implies -p
		args = slices.DeleteFunc(args, func(arg string) bool { return strings.HasPrefix(arg, "-U") || strings.HasPrefix(arg, "--inter") })
		want = o.run("", append([]string{"diff-tree", "-r", "--numstat", "-z"}, args...)...)
		equal(t, "--numstat "+mode.args, numstat(t, m, o.format, changes, mode.options), want)
	}
}

// randomFile makes a file of lines that repeat more or less, as code does.
func randomFile(rng *rand.Rand) string {
	size := []int{0, 1, 3, 10, 40, 150, 600, 3000}[rng.IntN(8)]
	if size == 3000 && rng.IntN(4) > 0 {
		size = 60
	}
	words := 1 + rng.IntN(1+[]int{2, 8, 60, 2000}[rng.IntN(4)])
	var b strings.Builder
	for range rng.IntN(size + 1) {
		b.WriteString(randomLine(rng, words))
	}
	return ending(rng, b.String())
}

func randomLine(rng *rand.Rand, words int) string {
	switch rng.IntN(12) {
	case 0, 1:
		return "\n"
	case 2:
		return strings.Repeat(" ", rng.IntN(4)) + "\n"
	case 3:
		return strings.Repeat("\t", rng.IntN(3)) + "}\n"
	case 4:
		return fmt.Sprintf("func%d(a,  b) {\r\n", rng.IntN(words))
	case 5:
		return fmt.Sprintf("tïtle %d %s\n", rng.IntN(words), strings.Repeat("é", rng.IntN(50)))
	}
	space := strings.Repeat([]string{"\t", "    ", " "}[rng.IntN(3)], rng.IntN(4))
	return fmt.Sprintf("%sx = %d;%s\n", space, rng.IntN(words), strings.Repeat(" ", max(0, rng.IntN(6)-3)))
}

// ending takes the last line feed away, sometimes.
func ending(rng *rand.Rand, s string) string {
	if rng.IntN(4) == 0 {
		return strings.TrimSuffix(s, "\n")
	}
	return s
}

// mutate edits a file: lines go, come, move, double and change their spaces.
func mutate(rng *rand.Rand, s string) string {
	if rng.IntN(20) == 0 {
		return randomFile(rng)
	}
	lines := strings.SplitAfter(s, "\n")
	words := 1 + rng.IntN(200)
	for range 1 + rng.IntN(1+[]int{2, 10, len(lines)}[rng.IntN(3)]) {
		at := rng.IntN(len(lines))
		n := 1 + rng.IntN(min(len(lines)-at, 8))
		switch rng.IntN(6) {
		case 0:
			lines = append(lines[:at:at], lines[at+n:]...)
		case 1:
			lines = append(lines[:at:at], append([]string{randomLine(rng, words)}, lines[at:]...)...)
		case 2:
			lines = append(lines[:at:at], append(append([]string{}, lines[at:at+n]...), lines[at:]...)...)
		case 3:
			to := rng.IntN(len(lines))
			lines[at], lines[to] = lines[to], lines[at]
		case 4:
			lines[at] = strings.ReplaceAll(lines[at], " ", "  ")
		case 5:
			lines[at] = strings.ReplaceAll(strings.TrimRight(lines[at], "\r\n"), "\t", " ") + []string{"\n", "\r\n", " \n"}[rng.IntN(3)]
		}
		if len(lines) == 0 {
			lines = []string{""}
		}
	}
	return ending(rng, strings.Join(lines, ""))
}
