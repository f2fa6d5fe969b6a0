package ancestry_test

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
)

// histories are those that each test runs on.
var histories = map[string]gittest.History{
	"plain":  {Seed: 1, Commits: 120},
	"ties":   {Seed: 2, Commits: 120, Ties: true},
	"skewed": {Seed: 3, Commits: 120, Skew: 200_000},
}

// eachHistory runs a test on every history: with a commit graph, with one that lacks the newer half, and
// without.
func eachHistory(t *testing.T, test func(t *testing.T, r *gittest.Repository, c *ancestry.Commits)) {
	for name, h := range histories {
		r := gittest.New(t, git.SHA1, gittest.Random(h))
		all := r.Lines(t, "rev-list", "--all", "--topo-order")
		half := r.Graph(t, all[len(all)/2:]...)
		if n := half.Len(); n == 0 || n == len(all) {
			t.Fatalf("half a graph has %d commits of %d", n, len(all))
		}
		for _, g := range []struct {
			name  string
			graph *commitgraph.Graph
		}{{"graph", r.Graph(t)}, {"half", half}, {"none", nil}} {
			t.Run(name+"/"+g.name, func(t *testing.T) {
				test(t, r, ancestry.New(r.Objects, r.Format, g.graph))
			})
		}
	}
}

// some returns n random commits.
func some(t *testing.T, r *gittest.Repository, c *ancestry.Commits, random *rand.Rand, n int) ([]ancestry.Node, []string) {
	t.Helper()
	all := r.Lines(t, "rev-list", "--all")
	nodes, names := make([]ancestry.Node, n), make([]string, n)
	for i := range n {
		names[i] = all[random.IntN(len(all))]
		var err error
		if nodes[i], err = c.Find(context.Background(), r.Parse(t, names[i])); err != nil {
			t.Fatal(err)
		}
	}
	return nodes, names
}

// show lists commits as git does.
func show(r *gittest.Repository, c *ancestry.Commits, nodes []ancestry.Node) string {
	var b strings.Builder
	for _, n := range nodes {
		b.WriteString(r.Format.Hex(c.ID(n)) + "\n")
	}
	return b.String()
}

func TestMergeBases(t *testing.T) {
	ctx := context.Background()
	eachHistory(t, func(t *testing.T, r *gittest.Repository, c *ancestry.Commits) {
		random := rand.New(rand.NewPCG(1, 2))
		several := 0
		for i := range 40 {
			nodes, names := some(t, r, c, random, 2+i%2*random.IntN(3))
			found, err := c.MergeBases(ctx, nodes[0], nodes[1:]...)
			if err != nil {
				t.Fatal(err)
			}
			want, _, _ := r.Ask(append([]string{"merge-base", "--all"}, names...)...)
			if got := show(r, c, found); !sameCommits(c, got, want) {
				t.Errorf("merge-base --all %v:\n%swant\n%s", names, got, want)
			}
			if len(found) > 1 {
				several++
			}
			if found, err = c.OctopusBases(ctx, nodes); err != nil {
				t.Fatal(err)
			}
			want, _, _ = r.Ask(append([]string{"merge-base", "--octopus", "--all"}, names...)...)
			if got := show(r, c, found); !sameCommits(c, got, want) {
				t.Errorf("merge-base --octopus %v:\n%swant\n%s", names, got, want)
			}
			if found, err = c.Independent(ctx, nodes); err != nil {
				t.Fatal(err)
			}
			want, _, _ = r.Ask(append([]string{"merge-base", "--independent"}, names...)...)
			if got := show(r, c, found); got != want {
				t.Errorf("merge-base --independent %v:\n%swant\n%s", names, got, want)
			}
		}
		if several == 0 {
			t.Error("no two commits had several bases")
		}
	})
}

// sameCommits reports whether two lists are the same, but for the order of commits of the same date:
// in that, git's own answers with and without a commit graph differ.
func sameCommits(c *ancestry.Commits, got, want string) bool {
	a, b := strings.Fields(got), strings.Fields(want)
	if len(a) != len(b) || fmt.Sprint(sorted(a)) != fmt.Sprint(sorted(b)) {
		return false
	}
	for i := range a {
		if seconds(c, a[i]) != seconds(c, b[i]) {
			return false
		}
	}
	return true
}

func TestAheadBehind(t *testing.T) {
	ctx := context.Background()
	eachHistory(t, func(t *testing.T, r *gittest.Repository, c *ancestry.Commits) {
		random := rand.New(rand.NewPCG(1, 3))
		for range 40 {
			nodes, names := some(t, r, c, random, 2)
			ahead, behind, err := c.AheadBehind(ctx, nodes[0], nodes[1])
			if err != nil {
				t.Fatal(err)
			}
			// By its dates alone, stock git may count wrong; its sets it gets right.
			var want [2]int
			for i := range want {
				want[i] = len(without(reach(r, names[i]), reach(r, names[1-i])))
			}
			if got := [2]int{ahead, behind}; got != want {
				t.Errorf("%v: ahead and behind %v, want %v", names, got, want)
			}
			is, err := c.IsAncestor(ctx, nodes[0], nodes[1])
			if err != nil {
				t.Fatal(err)
			}
			if want := ahead == 0; is != want {
				t.Errorf("%v: ancestor %v, want %v", names, is, want)
			}
		}
	})
}

func reach(r *gittest.Repository, name string) map[string]bool {
	out, _, _ := r.Ask("rev-list", name)
	set := map[string]bool{}
	for _, id := range strings.Fields(out) {
		set[id] = true
	}
	return set
}

func without(a, b map[string]bool) (left []string) {
	for id := range a {
		if !b[id] {
			left = append(left, id)
		}
	}
	return left
}

func TestErrors(t *testing.T) {
	ctx := context.Background()
	r := gittest.New(t, git.SHA1, gittest.Random(gittest.History{Seed: 4, Commits: 12}))
	c := ancestry.New(r.Objects, r.Format, nil)
	if _, err := c.Find(ctx, git.ID{1}); !errors.Is(err, git.ErrNotFound) {
		t.Errorf("a commit that is not there: %v", err)
	}
	tree := r.ID(t, "b0^{tree}")
	if _, err := c.Find(ctx, tree); !errors.Is(err, git.ErrCorrupt) {
		t.Errorf("a tree: %v", err)
	}
	n, err := c.Find(ctx, r.ID(t, "b0"))
	if err != nil {
		t.Fatal(err)
	}
	for _, o := range c.IDs([]ancestry.Node{n}) {
		delete(r.Objects, r.ID(t, "b0^"))
		if _, err := c.AppendParents(ctx, nil, n); !errors.Is(err, git.ErrNotFound) {
			t.Errorf("parents of %s, of which one is missing: %v", o, err)
		}
	}
}

func TestCancel(t *testing.T) {
	var s gittest.Stream
	last := s.Commit("main", "A <a@example.com>", 1, 1, "root")
	for i := range 3 * ancestry.CheckEvery {
		last = s.Commit("main", "A <a@example.com>", 1, int64(i), "next", last)
	}
	s.Commit("other", "A <a@example.com>", 1, 1, "root too")
	r := gittest.New(t, git.SHA1, s.String())
	ctx, cancel := context.WithCancel(context.Background())
	c := ancestry.New(r.Objects, r.Format, nil)
	nodes, err := c.FindAll(ctx, r.Tips)
	if err != nil {
		t.Fatal(err)
	}
	cancel()
	if _, err := c.MergeBases(ctx, nodes[0], nodes[1]); !errors.Is(err, context.Canceled) {
		t.Errorf("merge bases: %v", err)
	}
	if _, err := c.IsAncestor(ctx, nodes[1], nodes[0]); !errors.Is(err, context.Canceled) {
		t.Errorf("ancestor: %v", err)
	}
	if _, _, err := c.AheadBehind(ctx, nodes[0], nodes[1]); !errors.Is(err, context.Canceled) {
		t.Errorf("ahead and behind: %v", err)
	}
}
func sorted(list []string) []string {
	list = slices.Clone(list)
	slices.Sort(list)
	return list
}

func seconds(c *ancestry.Commits, hex string) int64 {
	id, err := git.SHA1.Parse(hex)
	if err != nil {
		panic(err)
	}
	n, err := c.Find(context.Background(), id)
	if err != nil {
		panic(err)
	}
	return c.Seconds(n)
}

func TestDescribe(t *testing.T) {
	eachHistory(t, func(t *testing.T, r *gittest.Repository, c *ancestry.Commits) {
		var tags []ancestry.Tag
		for _, line := range r.Lines(t, "for-each-ref", "--format=%(refname:short) %(objecttype) %(objectname) %(*objectname) %(taggerdate:unix)", "refs/tags") {
			fields := strings.Fields(line)
			tag := ancestry.Tag{Name: fields[0], Commit: r.Parse(t, fields[2])}
			if fields[1] == "tag" {
				tag.Annotated, tag.Commit = true, r.Parse(t, fields[3])
				fmt.Sscan(fields[4], &tag.Seconds)
			}
			tags = append(tags, tag)
		}
		random := rand.New(rand.NewPCG(1, 5))
		described := 0
		for i := range 30 {
			nodes, names := some(t, r, c, random, 1)
			o := ancestry.DescribeOptions{Lightweight: i%2 == 0, FirstParent: i%5 == 0}
			args := []string{"describe", "--long"}
			if o.Lightweight {
				args = append(args, "--tags")
			}
			if o.FirstParent {
				args = append(args, "--first-parent")
			}
			if i%3 == 0 {
				o.Candidates = 1 + random.IntN(4)
				args = append(args, fmt.Sprint("--candidates=", o.Candidates))
			}
			d, found, err := c.Describe(context.Background(), nodes[0], tags, o)
			if err != nil {
				t.Fatal(err)
			}
			got := ""
			if found {
				got = fmt.Sprint(d.Tag.Name, "-", d.Depth, "-g", names[0][:7], "\n")
				described++
			}
			if want, _, _ := r.Ask(append(args, names[0])...); got != want {
				t.Errorf("%v %s: %q, want %q", args, names[0], got, want)
			}
		}
		if described < 5 {
			t.Errorf("only %d commits had a tag", described)
		}
	})
}
