package merge_test

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/ingot-forge/ingot/git"
	"github.com/ingot-forge/ingot/git/ancestry"
	"github.com/ingot-forge/ingot/git/gittest"
	"github.com/ingot-forge/ingot/git/merge"
)

// TestCommits merges commits of random histories, many of which have several merge
// bases, and compares with git.
func TestCommits(t *testing.T) {
	seeds, pairs := 3, 40
	if testing.Short() {
		seeds, pairs = 1, 30
	}
	several, unrelated := 0, 0
	for seed := range seeds {
		r := gittest.New(t, git.SHA1, gittest.Random(gittest.History{Seed: uint64(seed), Commits: 120, Ties: seed%2 == 1}))
		ids := r.Lines(t, "rev-list", "--all")
		commits := ancestry.New(r.Objects, r.Format, nil)
		if seed%2 == 0 {
			commits = ancestry.New(r.Objects, r.Format, r.Graph(t))
		}
		random := rand.New(rand.NewPCG(uint64(seed), 1))
		for range pairs {
			ours, theirs := ids[random.IntN(len(ids))], ids[random.IntN(len(ids))]
			result, err := merge.Commits(context.Background(), commits, r.Parse(t, ours), r.Parse(t, theirs),
				merge.Options{Ours: ours, Theirs: theirs})
			want := stock(r, ours, theirs)
			if errors.Is(err, merge.ErrUnrelated) {
				unrelated++
				if want != "" {
					t.Errorf("%s and %s are not unrelated", ours, theirs)
				}
				continue
			}
			if err != nil {
				t.Errorf("%s and %s: %v", ours, theirs, err)
				continue
			}
			whole(t, r, result)
			if strings.Count(r.Stock(t, nil, "merge-base", "--all", ours, theirs), "\n") > 1 {
				several++
			}
			if got := render(r.Format, result); got != want {
				t.Errorf("seed %d: %s and %s:\n got\t%s\nwant\t%s", seed, ours, theirs, readable(got), readable(want))
			}
		}
	}
	t.Logf("%d of %d have several bases, %d are unrelated", several, seeds*pairs, unrelated)
	if several == 0 {
		t.Error("none has several bases")
	}
}

// TestCrissCross merges two branches that merged each other again and again, with
// conflicts in what they merged, so that bases have to be merged on several levels.
func TestCrissCross(t *testing.T) {
	for _, style := range []string{"merge", "diff3"} {
		var s gittest.Stream
		lines := func(x string) string {
			return "1\n2\n3\n4\n" + x + "\n5\n6\n7\n8\n"
		}
		now := int64(1_700_000_000)
		commit := func(branch string, content string, parents ...int) int {
			now++
			m := s.Commit(branch, "A <a@example.com>", now, now, branch, parents...)
			s.File("100644", "f", lines(content))
			s.File("100644", "only-"+branch, content+"\n")
			return m
		}
		root := commit("a", "root")
		a, b := commit("a", "a0", root), commit("b", "b0", root)
		for i := range 4 {
			a, b = commit("a", fmt.Sprint("a", i+1), a, b), commit("b", fmt.Sprint("b", i+1), b, a)
		}
		r := gittest.New(t, git.SHA1, s.String())
		o := merge.Options{Ours: "a", Theirs: "b"}
		if style == "diff3" {
			o.Style = merge.Diff3
		}
		commits := ancestry.New(r.Objects, r.Format, nil)
		result, err := merge.Commits(context.Background(), commits, r.ID(t, "a"), r.ID(t, "b"), o)
		if err != nil {
			t.Fatal(err)
		}
		whole(t, r, result)
		if got, want := render(r.Format, result), stock(r, "a", "b", "-c", "merge.conflictStyle="+style); got != want {
			t.Errorf("got %s\nwant %s", readable(got), readable(want))
		}
		o.Bases = 2
		limit := (*merge.LimitError)(nil)
		if _, err := merge.Commits(context.Background(), commits, r.ID(t, "a"), r.ID(t, "b"), o); !errors.As(err, &limit) {
			t.Errorf("beyond the limit of bases: %v", err)
		}
	}
}

func TestUnrelated(t *testing.T) {
	var s gittest.Stream
	for _, name := range []string{"a", "b"} {
		s.Commit(name, "A <a@example.com>", 1, 1, name)
		s.File("100644", name, name)
		s.File("100644", "f", "1\n"+name+"\n2\n")
	}
	r := gittest.New(t, git.SHA1, s.String())
	commits := ancestry.New(r.Objects, r.Format, nil)
	o := merge.Options{Ours: "a", Theirs: "b"}
	if _, err := merge.Commits(context.Background(), commits, r.ID(t, "a"), r.ID(t, "b"), o); !errors.Is(err, merge.ErrUnrelated) {
		t.Errorf("unrelated: %v", err)
	}
	o.Unrelated = true
	result, err := merge.Commits(context.Background(), commits, r.ID(t, "a"), r.ID(t, "b"), o)
	if err != nil {
		t.Fatal(err)
	}
	out, _, _ := r.Try(nil, "merge-tree", "--write-tree", "--allow-unrelated-histories", "-z", "--messages", "a", "b")
	if got := render(r.Format, result); got != out {
		t.Errorf("got %s\nwant %s", readable(got), readable(out))
	}
}
