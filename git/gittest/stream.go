package gittest

import (
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"strings"

	"github.com/ingot-forge/ingot/git"
)

// Stream writes what git fast-import reads.
type Stream struct {
	strings.Builder
	mark int
}

// Commit starts a commit on a branch, whose parents are marks (none: an orphan), and
// returns its mark. author is "Name <address>".
func (s *Stream) Commit(branch, author string, authored, committed int64, message string, parents ...int) int {
	s.mark++
	fmt.Fprintf(s, "reset refs/heads/%s\ncommit refs/heads/%s\nmark :%d\nauthor %s %d +0100\ncommitter C <c@example.com> %d +0000\ndata %d\n%s\n",
		branch, branch, s.mark, author, authored, committed, len(message), message)
	for i, p := range parents {
		fmt.Fprintf(s, "%s :%d\n", []string{"from", "merge"}[min(i, 1)], p)
	}
	return s.mark
}

// File sets a file of the commit that was started.
func (s *Stream) File(mode, path, content string) {
	fmt.Fprintf(s, "M %s inline %q\ndata %d\n%s\n", mode, path, len(content), content)
}

// History shapes what Random makes.
type History struct {
	Seed    uint64
	Commits int
	// Skew is by how many seconds dates may lie. 0: every commit is newer than its parents, or,
	// if Ties is set, not older.
	Skew int
	Ties bool
	// Format is that of the repository.
	Format git.Format
}

// Random returns a stream with a random history: several roots and branches (b0 to b3), merges of
// two and more, criss-cross merges, renames, copies, reverts, files that become directories,
// links, submodules, names in all letters, commits that change nothing, and tags.
func Random(h History) string {
	g := &generator{Rand: rand.New(rand.NewPCG(h.Seed, 1)), history: h, now: 1_600_000_000}
	for range h.Commits {
		g.commit()
	}
	g.tags()
	return g.String()
}

type generator struct {
	Stream
	*rand.Rand
	history History
	now     int64
	commits []made
	heads   [4]int // places in commits, plus one
}

type made struct {
	mark  int
	files map[string]file
}

type file struct{ mode, content string }

// dirs and names make the paths, in all letters.
var (
	dirs  = []string{"", "src/", "src/core/", "doc/", "übung/größe/", "a b/"}
	names = []string{"main.c", "README", "日本語.txt", "x", "util.h", "Makefile"}
	// Authors are those of Random's commits.
	Authors = []string{"Ada L <ada@example.com>", "Ada Lovelace <ADA@example.com>", "Bob <bob@example.com>",
		"Bob <bob@home.example>", "bob <bob@example.com>", "Çelik Ö <co@example.com>"}
)

func (g *generator) commit() {
	branch := g.IntN(len(g.heads))
	parents := g.parents(branch)
	files := map[string]file{}
	if len(parents) > 0 {
		maps.Copy(files, g.commits[parents[0]].files)
	}
	if len(parents) > 1 { // a merge takes some files from each
		for _, p := range parents[1:] {
			other := g.commits[p].files
			for _, path := range slices.Sorted(maps.Keys(other)) {
				if g.IntN(2) == 0 {
					g.put(files, path, other[path])
				}
			}
		}
	}
	switch n := g.IntN(20); {
	case len(parents) > 1 && n < 16, n == 0: // nothing more
	case n == 1 && len(g.commits) > 2: // as it was
		files = maps.Clone(g.commits[g.IntN(len(g.commits))].files)
	default:
		for range 1 + g.IntN(3) {
			g.change(files)
		}
	}
	g.write(branch, parents, files)
}

// parents chooses what a commit on a branch comes from, by place.
func (g *generator) parents(branch int) (parents []int) {
	head := g.heads[branch] - 1
	switch {
	case head < 0 && (len(g.commits) == 0 || g.IntN(3) == 0):
		return nil // a root
	case head < 0:
		head = g.IntN(len(g.commits))
	}
	parents = []int{head}
	if g.IntN(4) == 0 {
		for range 1 + g.IntN(8)/6*g.IntN(3) + 0 {
			p := g.IntN(len(g.commits))
			if other := g.heads[g.IntN(len(g.heads))] - 1; other >= 0 && g.IntN(3) > 0 {
				p = other
			}
			if !slices.Contains(parents, p) {
				parents = append(parents, p)
			}
		}
	}
	return parents
}

func (g *generator) path() string { return dirs[g.IntN(len(dirs))] + names[g.IntN(len(names))] }

// put sets a file, and takes away what is in its way.
func (g *generator) put(files map[string]file, path string, f file) {
	maps.DeleteFunc(files, func(other string, _ file) bool {
		return strings.HasPrefix(other, path+"/") || strings.HasPrefix(path, other+"/")
	})
	files[path] = f
}

func (g *generator) change(files map[string]file) {
	paths := slices.Sorted(maps.Keys(files))
	if len(paths) < 6 {
		g.put(files, g.path(), g.fresh())
		return
	}
	path := paths[g.IntN(len(paths))]
	switch f := files[path]; g.IntN(12) {
	case 0:
		g.put(files, g.path(), g.fresh())
	case 1:
		delete(files, path)
	case 2: // moved, perhaps with changes
		delete(files, path)
		g.put(files, g.path(), g.edit(f, g.IntN(2)))
	case 3: // copied
		g.put(files, g.path(), g.edit(f, g.IntN(2)))
	case 4:
		modes := map[string]string{"100644": "100755", "100755": "100644"}
		if mode, ok := modes[f.mode]; ok {
			files[path] = file{mode, f.content}
		}
	case 5:
		if g.IntN(3) == 0 {
			g.put(files, "vendor", file{"160000", ""})
			break
		}
		g.put(files, path, file{"120000", "target"})
	case 6: // a file becomes a directory
		g.put(files, path+"/inner", f)
	default:
		files[path] = g.edit(f, 1+g.IntN(3))
	}
}

func (g *generator) fresh() file {
	var b strings.Builder
	for range 5 + g.IntN(25) {
		b.WriteString(g.line())
	}
	return file{"100644", b.String()}
}

func (g *generator) line() string {
	if g.IntN(4) == 0 {
		return []string{"}\n", "\n", "\treturn 0;\n", "{\n"}[g.IntN(4)]
	}
	return fmt.Sprintf("line %d of some text\n", g.IntN(400))
}

// edit changes some lines of a file.
func (g *generator) edit(f file, edits int) file {
	if f.mode == "120000" || f.mode == "160000" {
		return f
	}
	lines := strings.SplitAfter(f.content, "\n")
	for range edits {
		at := g.IntN(len(lines))
		switch g.IntN(4) {
		case 0:
			lines = slices.Delete(lines, at, min(at+1+g.IntN(3), len(lines)))
			if len(lines) == 0 {
				lines = []string{g.line()}
			}
		case 1:
			lines[at] = g.line()
		default:
			for range 1 + g.IntN(3) {
				lines = slices.Insert(lines, at, g.line())
			}
		}
	}
	return file{f.mode, strings.Join(lines, "")}
}

func (g *generator) write(branch int, parents []int, files map[string]file) {
	step := 1 + g.Int64N(5000)
	if g.history.Ties && g.IntN(2) == 0 {
		step = 0
	}
	g.now += step
	committed := g.now
	if g.history.Skew > 0 {
		committed += int64(g.IntN(2*g.history.Skew) - g.history.Skew)
	}
	var marks []int
	for _, p := range parents {
		marks = append(marks, g.commits[p].mark)
	}
	author := Authors[g.IntN(len(Authors))]
	message := fmt.Sprintf("%s: change %d\n\nBecause of number %d.\n", names[g.IntN(len(names))], len(g.commits), g.IntN(50))
	mark := g.Commit(fmt.Sprintf("b%d", branch), author, committed-g.Int64N(100_000), committed, message, marks...)
	g.WriteString("deleteall\n")
	for _, path := range slices.Sorted(maps.Keys(files)) {
		if f := files[path]; f.mode == "160000" {
			fmt.Fprintf(g, "M 160000 %0*d %q\n", g.history.Format.HexSize(), 1+mark%3, path)
		} else {
			g.File(f.mode, path, f.content)
		}
	}
	g.commits = append(g.commits, made{mark, files})
	g.heads[branch] = len(g.commits)
}

// tags names some commits: annotated ones v…, others light….
func (g *generator) tags() {
	for i := 0; i < len(g.commits); i += 1 + g.IntN(12) {
		mark := g.commits[i].mark
		if g.IntN(2) == 0 {
			fmt.Fprintf(g, "reset refs/tags/light-%d\nfrom :%d\n\n", i, mark)
			continue
		}
		fmt.Fprintf(g, "tag v%d\nfrom :%d\ntagger T <t@example.com> %d +0000\ndata 3\nv%d\n", i, mark, g.now+g.Int64N(100), i%10)
	}
}
