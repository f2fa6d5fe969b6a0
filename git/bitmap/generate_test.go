package bitmap_test

import (
	"bytes"
	"fmt"
	"io"
	"maps"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/ingot-forge/ingot/git"
)

// generator writes a random history as a stream for git fast-import: lines of work that fork,
// merge (also many at once), revert to earlier trees and start from nothing, with dates that sometimes lie.
type generator struct {
	rng    *rand.Rand
	out    bytes.Buffer
	format git.Format
	blobs  []int            // marks
	files  []map[string]int // of each commit: path to the mark of its blob, -1 for a submodule
	next   int              // mark
}

const (
	generatedBlobs = 150
	submodule      = -1
)

// generate returns a history of n commits, with marks from generatedBlobs+1 on. The last commits of
// lines of work are branches.
func generate(seed uint64, f git.Format, n int) io.Reader {
	g := &generator{rng: rand.New(rand.NewPCG(seed, 1)), format: f, next: 1}
	for i := range generatedBlobs {
		lines := strings.Repeat(fmt.Sprintf("line of text number %d\n", i%12), 20)
		fmt.Fprintf(&g.out, "blob\nmark :%d\n", g.next)
		g.data(fmt.Sprintf("%s%d %x\n", lines, i, g.rng.Uint64()))
		g.blobs = append(g.blobs, g.next)
		g.next++
	}
	tips := []int{} // commits, of lines of work
	for i := range n {
		var parents []int
		switch k := g.rng.IntN(40); {
		case i == 0 || k == 0: // a root
		case k < 8 && len(tips) > 1:
			for _, t := range g.rng.Perm(len(tips))[:min(len(tips), 2+g.rng.IntN(2)*g.rng.IntN(4))] {
				parents = append(parents, tips[t])
			}
		case k < 12: // fork
			parents = []int{g.rng.IntN(i)}
		default:
			parents = []int{tips[g.rng.IntN(len(tips))]}
		}
		g.commit(parents)
		if len(parents) > 0 {
			if at := slices.Index(tips, parents[0]); at >= 0 {
				tips = slices.Delete(tips, at, at+1)
			}
		}
		tips = append(tips, i)
	}
	for i, tip := range tips {
		fmt.Fprintf(&g.out, "reset refs/heads/b%d\nfrom :%d\n\n", i, generatedBlobs+1+tip)
	}
	fmt.Fprintf(&g.out, "reset refs/heads/main\nfrom :%d\n\n", generatedBlobs+n)
	fmt.Fprintf(&g.out, "reset refs/heads/work\nfrom :%d\n\n", generatedBlobs+1)
	g.out.WriteString("done\n")
	return &g.out
}

func (g *generator) data(s string) { fmt.Fprintf(&g.out, "data %d\n%s\n", len(s), s) }

// commit adds a commit whose parents are given by number.
func (g *generator) commit(parents []int) {
	i := len(g.files)
	files := map[string]int{}
	for _, p := range parents {
		maps.Copy(files, g.files[p])
	}
	if i > 0 && g.rng.IntN(12) == 0 {
		files = maps.Clone(g.files[g.rng.IntN(i)]) // a revert, more or less
	}
	for range 1 + g.rng.IntN(3) {
		depth := 1 + g.rng.IntN(4)
		var path []string
		for range depth {
			path = append(path, string(rune('a'+g.rng.IntN(4))))
		}
		path = append(path, fmt.Sprintf("file %d.c", g.rng.IntN(3)))
		switch g.rng.IntN(10) {
		case 0:
			delete(files, strings.Join(path, "/"))
		case 1:
			files["sub/"+path[0]] = submodule
		default:
			files[strings.Join(path, "/")] = g.blobs[g.rng.IntN(len(g.blobs))]
		}
	}
	seconds := 1_600_000_000 + 1000*i
	if g.rng.IntN(10) == 0 {
		seconds += g.rng.IntN(200_000) - 100_000
	}
	fmt.Fprintf(&g.out, "reset refs/heads/work\n\ncommit refs/heads/work\nmark :%d\n", g.next)
	fmt.Fprintf(&g.out, "committer C <c@example.com> %d +0000\n", seconds)
	g.data(fmt.Sprint("commit ", i))
	for at, p := range parents {
		fmt.Fprintf(&g.out, "%s :%d\n", [...]string{"from", "merge"}[min(at, 1)], generatedBlobs+1+p)
	}
	g.out.WriteString("deleteall\n")
	for _, path := range slices.Sorted(maps.Keys(files)) {
		if files[path] == submodule {
			fmt.Fprintf(&g.out, "M 160000 %s %s\n", strings.Repeat("12", g.format.Size()), path)
		} else {
			fmt.Fprintf(&g.out, "M %s :%d %s\n", [...]string{"100644", "100755", "120000"}[files[path]%3], files[path], path)
		}
	}
	g.out.WriteString("\n")
	g.files = append(g.files, files)
	g.next++
}

// generated makes a repository of a random history of n commits, with tags of all kinds.
func generated(t testing.TB, f git.Format, seed uint64, n int) *fixture {
	t.Helper()
	x := newFixture(t, f, generate(seed, f, n))
	rng := rand.New(rand.NewPCG(seed, 2))
	commits := x.commits()
	for i := range 6 {
		target := commits[rng.IntN(len(commits))]
		x.git("tag", fmt.Sprint("light", i), f.Hex(target))
		x.git("tag", "-a", "-m", "m", fmt.Sprint("v", i), f.Hex(target))
	}
	x.git("tag", "-a", "-m", "m", "v0-again", "v0")
	x.git("tag", "-a", "-m", "m", "v0-and-again", "v0-again")
	x.git("tag", "-a", "-m", "m", "tree", "main^{tree}")
	x.load()
	for id, o := range x.objects {
		if o.Kind == git.KindBlob {
			x.git("tag", "-a", "-m", "m", "of-blob", f.Hex(id))
			x.git("update-ref", "refs/tags/blob-itself", f.Hex(id))
			break
		}
	}
	x.load()
	return x
}

// commits returns all commits, in no particular but a fixed order.
func (x *fixture) commits() (ids []git.ID) {
	for id, o := range x.objects {
		if o.Kind == git.KindCommit {
			ids = append(ids, id)
		}
	}
	slices.SortFunc(ids, func(a, b git.ID) int { return bytes.Compare(a[:], b[:]) })
	return ids
}
