package merge_test

import (
	"fmt"
	"maps"
	"math/rand/v2"
	"os"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/ingot-forge/ingot/git"
	"github.com/ingot-forge/ingot/git/merge"
)

// TestRandom merges random edits of small trees, in which everything is moved about, and
// compares tree, conflicts and messages with git.
func TestRandom(t *testing.T) {
	n, seed := 120, uint64(1)
	if testing.Short() {
		n = 40
	}
	if v, err := strconv.Atoi(os.Getenv("MERGES")); err == nil { // more, by hand
		n = v
		seed = uint64(v)
	}
	for _, c := range []struct {
		format  git.Format
		o       merge.Options
		options []string
	}{
		{git.SHA1, merge.Options{}, nil},
		{git.SHA256, merge.Options{Style: merge.Diff3, DirectoryRenames: merge.MoveAlong},
			[]string{"-c", "merge.conflictStyle=diff3", "-c", "merge.directoryRenames=true"}},
		{git.SHA1, merge.Options{Style: merge.ZealousDiff3, DirectoryRenames: merge.LeaveBehind},
			[]string{"-c", "merge.conflictStyle=zdiff3", "-c", "merge.directoryRenames=false"}},
	} {
		seed++
		g := &mover{rand.New(rand.NewPCG(seed, 7))}
		var scenarios []scenario
		for i := range n {
			base := g.tree()
			scenarios = append(scenarios, scenario{fmt.Sprintf("random %d of %d", i, seed), base, g.edit(base), g.edit(base)})
		}
		clean, failed := compare(t, c.format, scenarios, c.o, c.options...)
		t.Logf("%d of %d merges are clean; at %d git fails", clean, n, failed)
		if clean < n/20 || clean > n*19/20 || failed > n/4 {
			t.Errorf("the random merges are not as they should be")
		}
	}
}

// mover makes trees and edits them.
type mover struct{ *rand.Rand }

func pick[T any](g *mover, from []T) T { return from[g.IntN(len(from))] }

var (
	dirNames  = []string{"", "a/", "b/", "a/x/", "a/y/", "b/x/", "c/", "c/x/y/", "a-b/", "a.b/"}
	fileNames = []string{"f", "g", "h", "i", "Makefile", "a", "b", "c", "x"}
)

func (g *mover) path() string { return pick(g, dirNames) + pick(g, fileNames) }

// put sets a file, and takes away what is in its way.
func (fs files) put(path string, f file) {
	for other := range fs {
		if strings.HasPrefix(other, path+"/") || strings.HasPrefix(path, other+"/") {
			delete(fs, other)
		}
	}
	fs[path] = f
}

func (g *mover) tree() files {
	fs := files{}
	for range 2 + g.IntN(14) {
		fs.put(g.path(), g.file())
	}
	return fs
}

func (g *mover) file() file {
	switch g.IntN(14) {
	case 0:
		return file{git.ModeSymlink, pick(g, fileNames)}
	case 1:
		return file{git.ModeExecutable, g.content()}
	case 2:
		return file{git.ModeBlob, ""}
	case 3:
		return file{git.ModeBlob, "bin\x00" + pick(g, fileNames) + strings.Repeat("x", 40)}
	}
	return file{git.ModeBlob, g.content()}
}

// content is a text like one of few, so that files are alike.
func (g *mover) content() string {
	word := pick(g, fileNames)
	var b strings.Builder
	for i := range 6 + g.IntN(8) {
		if g.IntN(10) == 0 {
			b.WriteString("}\n")
		}
		fmt.Fprintf(&b, "%s line %d\n", word, i)
	}
	return b.String()
}

func (g *mover) change(f file) file {
	if f.mode != git.ModeBlob && f.mode != git.ModeExecutable {
		return g.file()
	}
	lines := strings.SplitAfter(f.data, "\n")
	for range 1 + g.IntN(2) {
		at := g.IntN(len(lines))
		switch g.IntN(3) {
		case 0:
			lines = slices.Delete(lines, at, at+1)
		case 1:
			lines = slices.Insert(lines, at, fmt.Sprintf("new %d\n", g.IntN(3)))
		default:
			lines[at] = fmt.Sprintf("changed %d\n", g.IntN(3))
		}
		if len(lines) == 0 {
			return file{f.mode, ""}
		}
	}
	return file{f.mode, strings.Join(lines, "")}
}

func (g *mover) edit(base files) files {
	fs := maps.Clone(base)
	for range 1 + g.IntN(5) {
		paths := slices.Sorted(maps.Keys(fs))
		if len(paths) == 0 {
			fs.put(g.path(), g.file())
			continue
		}
		path := pick(g, paths)
		switch g.IntN(12) {
		case 0, 1, 2:
			fs[path] = g.change(fs[path])
		case 3:
			delete(fs, path)
		case 4, 5:
			fs.put(g.path(), g.file())
		case 6, 7:
			f := fs[path]
			delete(fs, path)
			if g.IntN(2) == 0 {
				f = g.change(f)
			}
			fs.put(g.path(), f)
		case 8, 9, 10:
			g.moveDirectory(fs, path)
		default:
			g.retype(fs, path)
		}
	}
	return fs
}

// moveDirectory moves what is in a directory, or most of it.
func (g *mover) moveDirectory(fs files, path string) {
	from := pick(g, dirNames[1:])
	if i := strings.LastIndexByte(path, '/'); i >= 0 {
		from = path[:i+1]
	}
	to := pick(g, dirNames)
	if g.IntN(3) == 0 {
		to = "new/"
	}
	for _, p := range slices.Sorted(maps.Keys(fs)) {
		if f, ok := fs[p]; ok && strings.HasPrefix(p, from) && g.IntN(8) > 0 {
			delete(fs, p)
			fs.put(to+p[len(from):], f)
		}
	}
}

func (g *mover) retype(fs files, path string) {
	f := fs[path]
	switch {
	case f.mode == git.ModeBlob && g.IntN(2) == 0:
		fs[path] = f.as(git.ModeExecutable)
	case f.mode == git.ModeExecutable:
		fs[path] = f.as(git.ModeBlob)
	case g.IntN(3) == 0:
		fs[path] = file{git.ModeSymlink, pick(g, fileNames)}
	case g.IntN(2) == 0:
		delete(fs, path)
		fs.put(path+"/"+pick(g, fileNames), g.file())
	default:
		fs[path] = g.file()
	}
}
