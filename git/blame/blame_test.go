package blame_test

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/ingot-forge/ingot/git"
	"github.com/ingot-forge/ingot/git/ancestry"
	"github.com/ingot-forge/ingot/git/blame"
	"github.com/ingot-forge/ingot/git/commitgraph"
	"github.com/ingot-forge/ingot/git/diff"
	"github.com/ingot-forge/ingot/git/gittest"
	"github.com/ingot-forge/ingot/git/treepath"
)

var histories = map[string]gittest.History{
	"plain":  {Seed: 21, Commits: 150},
	"ties":   {Seed: 22, Commits: 150, Ties: true},
	"skewed": {Seed: 23, Commits: 150, Skew: 100_000},
	"sha256": {Seed: 24, Commits: 150, Format: git.SHA256},
}

// eachHistory runs a test on every history, with a commit graph and without.
func eachHistory(t *testing.T, test func(t *testing.T, r *gittest.Repository, c *ancestry.Commits)) {
	for name, h := range histories {
		r := gittest.New(t, h.Format, gittest.Random(h))
		for _, g := range []struct {
			name  string
			graph *commitgraph.Graph
		}{{"graph", r.Graph(t)}, {"none", nil}} {
			t.Run(name+"/"+g.name, func(t *testing.T) {
				test(t, r, ancestry.New(r.Objects, r.Format, g.graph))
			})
		}
	}
}

// stock reads what git blame --incremental or --line-porcelain writes, but for who and when.
func stock(r *gittest.Repository, out string) (lines []string) {
	boundary := map[string]bool{}
	open := false // up to the path; --line-porcelain repeats all that for every line of a group
	for line := range strings.SplitSeq(out, "\n") {
		fields := strings.Fields(line)
		switch {
		case len(fields) == 4 && len(fields[0]) == r.Format.HexSize():
			lines, open = append(lines, strings.Join(fields, " ")), true
		case !open:
		case strings.HasPrefix(line, "previous "), strings.HasPrefix(line, "filename "):
			lines[len(lines)-1] += " " + line
			open = fields[0] != "filename"
		case line == "boundary":
			boundary[lines[len(lines)-1][:r.Format.HexSize()]] = true
		}
	}
	for i, line := range lines {
		if boundary[line[:r.Format.HexSize()]] {
			lines[i] += " boundary"
		}
	}
	return lines
}

func ours(r *gittest.Repository, entries []blame.Entry) (lines []string) {
	for _, e := range entries {
		line := fmt.Sprint(r.Format.Hex(e.Commit), " ", e.OrigLine+1, " ", e.Line+1, " ", e.Count)
		if p := e.Previous; p != nil {
			line += " previous " + r.Format.Hex(p.Commit) + " " + string(diff.AppendQuoted(nil, p.Path))
		}
		line += " filename " + string(diff.AppendQuoted(nil, e.Path))
		if e.Boundary {
			line += " boundary"
		}
		lines = append(lines, line)
	}
	return lines
}

func gather(t *testing.T, c *ancestry.Commits, o blame.Options) (entries []blame.Entry) {
	t.Helper()
	for e, err := range blame.Blame(context.Background(), c, o) {
		if err != nil {
			t.Fatal(err)
		}
		entries = append(entries, e)
	}
	return entries
}

func TestBlame(t *testing.T) {
	eachHistory(t, func(t *testing.T, r *gittest.Repository, c *ancestry.Commits) {
		random := rand.New(rand.NewPCG(1, 2))
		all := r.Lines(t, "rev-list", "--all")
		blamed, moved := 0, 0
		for range 60 {
			name := all[random.IntN(len(all)/3)]
			var paths []string
			for _, line := range r.Lines(t, "ls-tree", "-r", "-z", name) {
				for line := range strings.SplitSeq(strings.TrimSuffix(line, "\x00"), "\x00") {
					if !strings.HasPrefix(line, "160000") {
						paths = append(paths, line[strings.IndexByte(line, '\t')+1:])
					}
				}
			}
			if len(paths) == 0 {
				continue
			}
			path := paths[random.IntN(len(paths))]
			o := blame.Options{Tip: r.Parse(t, name), Path: path}
			args := []string{"blame", "--root", "--incremental"}
			data := r.Stock(t, nil, "cat-file", "blob", name+":"+path)
			if lines := strings.Count(data, "\n"); lines > 8 && random.IntN(4) == 0 {
				o.Ranges = []blame.Range{{1, 3}, {5, 5 + random.IntN(lines-5) + 1}}
				for _, g := range o.Ranges {
					args = append(args, fmt.Sprintf("-L%d,%d", g.Start+1, g.End))
				}
			}
			if random.IntN(6) == 0 {
				o.FirstParent = true
				args = append(args, "--first-parent")
			}
			if random.IntN(6) == 0 && !strings.HasPrefix(t.Name(), "TestBlame/skewed") {
				not := all[random.IntN(len(all))]
				o.Not = []git.ID{r.Parse(t, not)}
				args = append(args, "^"+not)
			}
			args = append(args, name, "--", path)
			entries := gather(t, c, o)
			out, errs, err := r.Ask(args...)
			if err != nil {
				t.Errorf("git %v: %v: %s", args, err, errs)
				continue
			}
			want := stock(r, out)
			if got := ours(r, entries); !slices.Equal(got, want) {
				t.Errorf("%v\ngot  %s\nwant %s", args, strings.Join(got, "\n     "), strings.Join(want, "\n     "))
			}
			args[2] = "--line-porcelain"
			want = stock(r, r.Stock(t, nil, args...))
			if got := ours(r, blame.Sort(entries)); !slices.Equal(got, want) {
				t.Errorf("%v\ngot  %s\nwant %s", args, strings.Join(got, "\n     "), strings.Join(want, "\n     "))
			}
			for _, e := range entries {
				if blamed++; e.Path != path {
					moved++
				}
			}
		}
		if blamed < 150 || moved == 0 {
			t.Errorf("%d entries, %d from another name", blamed, moved)
		}
	})
}

func TestErrors(t *testing.T) {
	ctx := context.Background()
	var s gittest.Stream
	s.Commit("main", "A <a@example.com>", 1, 1, "root")
	s.File("644", "file", "one\ntwo\nthree")
	s.File("644", "empty", "")
	s.File("644", "dir/file", "x\n")
	r := gittest.New(t, git.SHA1, s.String())
	tip := r.ID(t, "main")
	first := func(o blame.Options) error {
		o.Tip = tip
		for _, err := range blame.Blame(ctx, ancestry.New(r.Objects, r.Format, nil), o) {
			return err
		}
		return nil
	}
	for path, want := range map[string]error{"none": git.ErrNotFound, "dir": git.ErrNotFound, "dir/none": git.ErrNotFound,
		"file/x": git.ErrNotFound, "": treepath.ErrPath, "a//b": treepath.ErrPath, "empty": nil, "dir/file": nil} {
		if err := first(blame.Options{Path: path}); !errors.Is(err, want) {
			t.Errorf("path %q: %v, want %v", path, err, want)
		}
	}
	for _, ranges := range [][]blame.Range{{{0, 4}}, {{-1, 1}}, {{2, 2}}, {{1, 2}, {0, 1}}, {{5, 6}}} {
		if err := first(blame.Options{Path: "file", Ranges: ranges}); !errors.Is(err, blame.ErrRange) {
			t.Errorf("lines %v: %v", ranges, err)
		}
	}
	var big *blame.TooBigError
	if err := first(blame.Options{Path: "file", MaxBytes: 12}); !errors.As(err, &big) || big.Size != 13 {
		t.Errorf("a file too big: %v", err)
	}
	cancelled, cancel := context.WithCancel(ctx)
	cancel()
	for _, err := range blame.Blame(cancelled, ancestry.New(r.Objects, r.Format, nil), blame.Options{Tip: tip, Path: "file"}) {
		if !errors.Is(err, context.Canceled) {
			t.Errorf("after the end: %v", err)
		}
	}
}
