package revlog_test

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
	"github.com/ingot-forge/ingot/git/commitgraph"
	"github.com/ingot-forge/ingot/git/gittest"
	"github.com/ingot-forge/ingot/git/revlog"
	"github.com/ingot-forge/ingot/git/treepath"
)

var histories = map[string]gittest.History{
	"plain":  {Seed: 11, Commits: 150},
	"ties":   {Seed: 12, Commits: 150, Ties: true},
	"skewed": {Seed: 13, Commits: 150, Skew: 100_000},
	"sha256": {Seed: 14, Commits: 150, Format: git.SHA256},
}

// eachHistory runs a test on every history: with a commit graph, with one that lacks the newer half, and
// without.
func eachHistory(t *testing.T, test func(t *testing.T, r *gittest.Repository, h gittest.History, c *ancestry.Commits)) {
	for name, h := range histories {
		r := gittest.New(t, h.Format, gittest.Random(h))
		r.Stock(t, nil, "commit-graph", "write", "--reachable")
		all := r.Lines(t, "rev-list", "--all", "--topo-order")
		for _, g := range []struct {
			name  string
			graph *commitgraph.Graph
		}{{"graph", r.Graph(t)}, {"half", r.Graph(t, all[len(all)/2:]...)}, {"none", nil}} {
			t.Run(name+"/"+g.name, func(t *testing.T) {
				test(t, r, h, ancestry.New(r.Objects, r.Format, g.graph))
			})
		}
	}
}

// compare walks, and compares with what git log says.
func compare(t *testing.T, r *gittest.Repository, c *ancestry.Commits, o revlog.Options, args ...string) int {
	t.Helper()
	var got []string
	for commit, err := range revlog.Walk(context.Background(), c, o) {
		if err != nil {
			t.Fatalf("%v: %v", args, err)
		}
		line := r.Format.Hex(commit.ID)
		if len(o.Left) > 0 {
			line = map[bool]string{true: "<", false: ">"}[commit.Left] + line
		}
		for _, p := range commit.Parents {
			line += " " + r.Format.Hex(p)
		}
		got = append(got, fmt.Sprint(line, " ", r.Format.Hex(commit.Tree), " ", commit.Seconds))
	}
	format := "--format=%H %P %T %ct"
	if len(o.Left) > 0 {
		format = "--format=%m%H %P %T %ct"
	}
	out, errs, err := r.Ask(append([]string{"log", format}, args...)...)
	if err != nil {
		t.Fatalf("git log %v: %v: %s", args, err, errs)
	}
	want := strings.Split(strings.TrimSuffix(out, "\n"), "\n")
	if out == "" {
		want = nil
	}
	for i := range want { // a root has two spaces there
		want[i] = strings.Replace(want[i], "  ", " ", 1)
	}
	if !slices.Equal(got, want) {
		t.Errorf("log %v\ngot  %s\nwant %s", args, strings.Join(got, "\n     "), strings.Join(want, "\n     "))
	}
	return len(want)
}

// orders are git's options for ours.
var orders = map[revlog.Order]string{revlog.ByDate: "--date-order", revlog.Topo: "--topo-order",
	revlog.DateTopo: "--date-order", revlog.AuthorDateTopo: "--author-date-order"}

func orderArg(o revlog.Order) []string {
	if o == revlog.ByDate {
		return nil
	}
	return []string{orders[o]}
}

func TestWalk(t *testing.T) {
	eachHistory(t, func(t *testing.T, r *gittest.Repository, h gittest.History, c *ancestry.Commits) {
		random := rand.New(rand.NewPCG(1, 2))
		all := r.Lines(t, "rev-list", "--all")
		paths := r.Lines(t, "log", "--all", "--format=", "--name-only", "-z")
		paths = strings.Split(strings.Trim(strings.Join(paths, "\x00"), "\x00"), "\x00")
		shown := 0
		for i := range 80 {
			o := revlog.Options{Order: revlog.Order(i % 4)}
			args := orderArg(o.Order)
			var names []string
			for range 1 + random.IntN(2) {
				names = append(names, all[random.IntN(len(all)/4)])
			}
			for _, name := range names {
				o.Tips = append(o.Tips, r.Parse(t, name))
			}
			// By date alone, git may err on what is excluded where dates lie.
			if random.IntN(3) == 0 && (h.Skew == 0 || o.Order != revlog.ByDate && i%2 == 1) {
				not := all[len(all)/4+random.IntN(len(all)*3/4)]
				o.Not = []git.ID{r.Parse(t, not)}
				names = append(names, "^"+not)
			}
			// Authors' dates with first parents git gets right only without a commit graph.
			if random.IntN(6) == 0 && o.Order != revlog.AuthorDateTopo {
				o.FirstParent = true
				args = append(args, "--first-parent")
			}
			if random.IntN(6) == 0 {
				o.MaxParents = 1
				args = append(args, "--no-merges")
			} else if random.IntN(6) == 0 {
				o.MinParents = 2
				args = append(args, "--merges")
			}
			if random.IntN(6) == 0 {
				o.Skip, o.MaxCount = random.IntN(4), 1+random.IntN(6)
				args = append(args, fmt.Sprint("--skip=", o.Skip), fmt.Sprint("-n", o.MaxCount))
			}
			if random.IntN(6) == 0 && h.Skew == 0 {
				o.Since = seconds(t, r, all[random.IntN(len(all))])
				args = append(args, fmt.Sprint("--since=", o.Since))
			}
			if random.IntN(6) == 0 {
				o.Until = seconds(t, r, all[random.IntN(len(all))])
				args = append(args, fmt.Sprint("--until=", o.Until))
			}
			if i%2 == 0 {
				for range 1 + random.IntN(2) {
					path := paths[random.IntN(len(paths))]
					for strings.Contains(path, "/") && random.IntN(2) == 0 {
						path = path[:strings.LastIndexByte(path, '/')]
					}
					if random.IntN(8) == 0 {
						path += "/"
					}
					o.Paths = append(o.Paths, path)
				}
				if random.IntN(4) == 0 {
					o.FullHistory = true
					args = append(args, "--full-history")
				}
			}
			args = append(args, names...)
			shown += compare(t, r, c, o, append(append(args, "--"), o.Paths...)...)
		}
		if shown < 1000 {
			t.Errorf("only %d commits were shown", shown)
		}
	})
}

func seconds(t *testing.T, r *gittest.Repository, name string) int64 {
	t.Helper()
	c, err := git.ParseCommit(r.Format, r.Objects[r.Parse(t, name)].Data)
	if err != nil {
		t.Fatal(err)
	}
	return c.Committer.Seconds
}

func TestSymmetric(t *testing.T) {
	eachHistory(t, func(t *testing.T, r *gittest.Repository, h gittest.History, c *ancestry.Commits) {
		random := rand.New(rand.NewPCG(1, 4))
		all := r.Lines(t, "rev-list", "--all")
		for i := range 30 {
			a, b := all[random.IntN(len(all))], all[random.IntN(len(all))]
			o := revlog.Options{Order: revlog.Topo}
			if h.Skew == 0 {
				o.Order = revlog.Order(i % 4)
			}
			if err := o.Symmetric(context.Background(), c, r.Parse(t, a), r.Parse(t, b)); err != nil {
				t.Fatal(err)
			}
			compare(t, r, c, o, append(orderArg(o.Order), "--left-right", a+"..."+b)...)
		}
	})
}

func TestKeep(t *testing.T) {
	eachHistory(t, func(t *testing.T, r *gittest.Repository, h gittest.History, c *ancestry.Commits) {
		o := revlog.Options{Tips: []git.ID{r.ID(t, "b0")}, Keep: func(c *git.Commit) bool {
			return strings.Contains(c.Author.Email, "bob") && strings.Contains(c.Message, "README")
		}}
		if compare(t, r, c, o, "b0", "--author=bob", "--grep=README", "--all-match") == 0 {
			t.Error("nothing was found")
		}
	})
}

func TestFollow(t *testing.T) {
	eachHistory(t, func(t *testing.T, r *gittest.Repository, h gittest.History, c *ancestry.Commits) {
		renamed := 0
		for _, branch := range []string{"b0", "b1", "b2"} {
			for _, path := range r.Lines(t, "-c", "core.quotePath=false", "ls-tree", "-r", "--name-only", branch) {
				o := revlog.Options{Tips: []git.ID{r.ID(t, branch)}, Paths: []string{path}, Follow: true}
				compare(t, r, c, o, "--follow", branch, "--", path)
				for commit := range revlog.Walk(context.Background(), c, o) {
					if commit.Path != path {
						renamed++
						break
					}
				}
			}
		}
		if renamed == 0 {
			t.Error("no file was ever renamed")
		}
	})
}

func TestLastCommits(t *testing.T) {
	ctx := context.Background()
	eachHistory(t, func(t *testing.T, r *gittest.Repository, h gittest.History, c *ancestry.Commits) {
		for _, branch := range []string{"b0", "b1", "b2", "b3"} {
			for _, directory := range []string{"", "src", "übung/größe"} {
				if out, _, err := r.Try(nil, "cat-file", "-t", branch+":"+directory); err != nil || out != "tree\n" {
					continue
				}
				l, err := revlog.NewLastCommits(ctx, c, r.ID(t, branch), directory)
				if err != nil {
					t.Fatal(err)
				}
				got := map[string]string{}
				for done := false; !done; {
					var found []revlog.Last
					if found, done, err = l.Next(ctx, 7); err != nil {
						t.Fatal(err)
					}
					for _, f := range found {
						got[f.Name] = r.Format.Hex(f.Commit)
					}
				}
				for _, name := range l.Names() {
					path := strings.TrimPrefix(directory+"/"+name, "/")
					want, _, err := r.Ask("log", "-1", "--format=%H", branch, "--", path)
					if err != nil {
						t.Fatal(err)
					}
					if want = strings.TrimSpace(want); got[name] != want {
						t.Errorf("%s:%s was last changed by %q, want %q", branch, path, got[name], want)
					}
				}
				if len(got) != len(l.Names()) {
					t.Errorf("%s:%s: %d of %d entries", branch, directory, len(got), len(l.Names()))
				}
			}
		}
	})
}

func TestLazy(t *testing.T) {
	r := gittest.New(t, git.SHA1, gittest.Random(gittest.History{Seed: 5, Commits: 400}))
	reads := &counting{Memory: r.Objects}
	c := ancestry.New(reads, r.Format, nil)
	for range revlog.Walk(context.Background(), c, revlog.Options{Tips: []git.ID{r.ID(t, "b0")}, MaxCount: 5}) {
	}
	if reads.n > 30 {
		t.Errorf("five commits of four hundred took %d reads", reads.n)
	}
	reads.n = 0
	c = ancestry.New(reads, r.Format, r.Graph(t))
	for range revlog.Walk(context.Background(), c, revlog.Options{Tips: []git.ID{r.ID(t, "b0")}, Order: revlog.Topo}) {
	}
	if reads.n != 0 {
		t.Errorf("with a commit graph, %d objects were read", reads.n)
	}
}

// counting counts what is read.
type counting struct {
	git.Memory
	n int
}

func (c *counting) Object(ctx context.Context, id git.ID) (git.Kind, []byte, error) {
	c.n++
	return c.Memory.Object(ctx, id)
}

func TestErrors(t *testing.T) {
	ctx := context.Background()
	r := gittest.New(t, git.SHA1, gittest.Random(gittest.History{Seed: 6, Commits: 30}))
	tip, tree := r.ID(t, "b0"), r.ID(t, "b0^{tree}")
	first := func(o revlog.Options) error {
		for _, err := range revlog.Walk(ctx, ancestry.New(r.Objects, r.Format, nil), o) {
			return err
		}
		return nil
	}
	for _, path := range []string{"", "/", "a//b", "/a", "a\x00b", strings.Repeat("a/", 4000) + "a"} {
		if err := first(revlog.Options{Tips: []git.ID{tip}, Paths: []string{path}}); !errors.Is(err, treepath.ErrPath) {
			t.Errorf("path %.10q: %v", path, err)
		}
	}
	if err := first(revlog.Options{Tips: []git.ID{tree}}); !errors.Is(err, git.ErrCorrupt) {
		t.Errorf("a tree for a tip: %v", err)
	}
	if err := first(revlog.Options{Tips: []git.ID{tip}, Not: []git.ID{{1}}}); !errors.Is(err, git.ErrNotFound) {
		t.Errorf("a tip that is not there: %v", err)
	}
	if err := first(revlog.Options{Tips: []git.ID{tip}, Follow: true}); err == nil {
		t.Error("nothing to follow, and no error")
	}
	if _, err := revlog.NewLastCommits(ctx, ancestry.New(r.Objects, r.Format, nil), tip, "no/where"); !errors.Is(err, git.ErrNotFound) {
		t.Errorf("no directory: %v", err)
	}
	delete(r.Objects, tree)
	if err := first(revlog.Options{Tips: []git.ID{tip}, Paths: []string{"x"}}); !errors.Is(err, git.ErrNotFound) {
		t.Errorf("a tree that is missing: %v", err)
	}
	cancelled, cancel := context.WithCancel(ctx)
	cancel()
	n := 0
	for _, err := range revlog.Walk(cancelled, ancestry.New(r.Objects, r.Format, nil), revlog.Options{Tips: r.Tips[:1]}) {
		if n++; err != nil && !errors.Is(err, context.Canceled) {
			t.Error(err)
		}
	}
	if n > ancestry.CheckEvery {
		t.Errorf("%d commits after the end", n)
	}
}
