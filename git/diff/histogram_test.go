package diff_test

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/ingot-forge/ingot/git"
	"github.com/ingot-forge/ingot/git/diff"
)

// TestMergeLines compares with git diff without the heuristic of indentation.
func TestMergeLines(t *testing.T) {
	o, r := newOracle(t, git.SHA1), rand.New(rand.NewPCG(5, 8))
	var texts []string
	for i := range 40 {
		var b strings.Builder
		for range 10 + r.IntN(60) {
			fmt.Fprintf(&b, "%s\n", []string{"", "}", "\tx", fmt.Sprint(r.IntN(3 + i)), fmt.Sprint("\t", r.IntN(40))}[r.IntN(5)])
		}
		texts = append(texts, b.String())
	}
	// So frequent that the histogram gives up on it, with and without something rarer.
	texts = append(texts, strings.Repeat("a\nb\n", 80), strings.Repeat("b\na\n", 70)+"c\n", strings.Repeat("b\n", 66)+"c\n"+strings.Repeat("a\n", 66))
	var blobs []string
	for _, text := range texts {
		blobs = append(blobs, strings.TrimSpace(o.run(text, "hash-object", "-w", "--stdin")))
	}
	for i := range texts {
		for _, j := range []int{(i + 1) % len(texts), (i + 7) % len(texts)} {
			for _, algorithm := range []string{"myers", "histogram"} {
				var want []string
				for _, line := range strings.Split(o.run("", "diff", "-U0", "--no-indent-heuristic", "--diff-algorithm="+algorithm, blobs[i], blobs[j]), "\n") {
					if strings.HasPrefix(line, "@@ ") {
						want = append(want, strings.Join(strings.Fields(line)[1:3], " "))
					}
				}
				a, b := diff.TrimTail([]byte(texts[i]), []byte(texts[j]))
				var got []string
				for _, e := range diff.MergeLines(diff.NewText(a), diff.NewText(b), diff.MergeOptions{Histogram: algorithm == "histogram"}) {
					got = append(got, lineRange("-", e.AStart, e.AEnd)+" "+lineRange("+", e.BStart, e.BEnd))
				}
				if strings.Join(got, "\n") != strings.Join(want, "\n") {
					t.Errorf("%s of\n%q\n%q:\n got %q\nwant %q", algorithm, texts[i], texts[j], got, want)
				}
			}
		}
	}
}

// lineRange is a range as in the header of a hunk.
func lineRange(sign string, start, end int) string {
	switch end - start {
	case 0:
		return fmt.Sprintf("%s%d,0", sign, start)
	case 1:
		return fmt.Sprintf("%s%d", sign, end)
	}
	return fmt.Sprintf("%s%d,%d", sign, start+1, end-start)
}
