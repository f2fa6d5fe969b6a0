package merge_test

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/ingot-forge/ingot/git"
	"github.com/ingot-forge/ingot/git/gittest"
	"github.com/ingot-forge/ingot/git/merge"
)

// file is one file of a tree; the content of a submodule is its id in hexadecimal.
type file struct {
	mode git.Mode
	data string
}

type files map[string]file

// text is a file of the given lines, each followed by a line feed.
func text(lines ...string) file { return file{git.ModeBlob, strings.Join(append(lines, ""), "\n")} }

// numbered is a file of n lines that start with a word.
func numbered(word string, n int) file {
	var b strings.Builder
	for i := range n {
		fmt.Fprintf(&b, "%s %d\n", word, i)
	}
	return file{git.ModeBlob, b.String()}
}

func (f file) with(old, new string) file {
	return file{f.mode, strings.Replace(f.data, old, new, 1)}
}

func (f file) as(m git.Mode) file { return file{m, f.data} }

// scenario is three trees to be merged.
type scenario struct {
	name               string
	base, ours, theirs files
}

// branch is the name of the branch that has one of the three trees of the i'th scenario.
func branch(side string, i int) string { return fmt.Sprintf("%s/%d", side, i) }

// store makes a repository of scenarios.
func store(t testing.TB, f git.Format, scenarios []scenario) *gittest.Repository {
	t.Helper()
	var s strings.Builder
	mark := 0
	commit := func(name string, fs files, parent int) int {
		mark++
		fmt.Fprintf(&s, "reset refs/heads/%s\ncommit refs/heads/%s\nmark :%d\ncommitter C <c@example.com> %d +0000\ndata 0\n",
			name, name, mark, 1_700_000_000+mark)
		if parent > 0 {
			fmt.Fprintf(&s, "from :%d\n", parent)
		}
		s.WriteString("deleteall\n")
		var paths []string
		for path := range fs {
			paths = append(paths, path)
		}
		slices.Sort(paths)
		for _, path := range paths {
			x := fs[path]
			if x.mode == git.ModeSubmodule {
				fmt.Fprintf(&s, "M %06o %s %s\n", x.mode, x.data, path)
				continue
			}
			fmt.Fprintf(&s, "M %06o inline %s\ndata %d\n%s\n", x.mode, path, len(x.data), x.data)
		}
		return mark
	}
	for i, x := range scenarios {
		base := commit(branch("base", i), x.base, 0)
		commit(branch("ours", i), x.ours, base)
		commit(branch("theirs", i), x.theirs, base)
	}
	return gittest.New(t, f, s.String())
}

// stock is what git merge-tree --write-tree -z --messages prints, or "" where it fails.
func stock(r *gittest.Repository, ours, theirs string, options ...string) string {
	args := append([]string{"-c", "core.abbrev=7"}, options...)
	out, errs, err := r.Try(nil, append(args, "merge-tree", "--write-tree", "-z", "--messages", ours, theirs)...)
	if err != nil && strings.TrimSpace(errs) != "" {
		return ""
	}
	out, _, _ = strings.Cut(out, "Recursive merging with submodules") // advice for a work tree
	return out
}

// render is what stock prints.
func render(f git.Format, r *merge.Result) string {
	var b strings.Builder
	b.WriteString(f.Hex(r.Tree) + "\x00")
	for _, c := range r.Conflicts {
		for i, v := range []merge.Version{c.Base, c.Ours, c.Theirs} {
			if v.Exists() {
				fmt.Fprintf(&b, "%06o %s %d\t%s\x00", v.Mode, f.Hex(v.ID), i+1, c.Path)
			}
		}
	}
	b.WriteString("\x00")
	for _, n := range r.Notes {
		fmt.Fprintf(&b, "%d\x00%s\x00%s\x00%s\n\x00", len(n.Paths), strings.Join(n.Paths, "\x00"), n.Topic, n.Text)
	}
	return b.String()
}

// readable makes what git prints fit for a message.
func readable(s string) string { return strings.ReplaceAll(s, "\x00", "\n\t") }

// treeOf returns the tree of a branch.
func treeOf(t testing.TB, r *gittest.Repository, name string) git.ID {
	t.Helper()
	c, err := git.ParseCommit(r.Format, r.Objects[r.ID(t, name)].Data)
	if err != nil {
		t.Fatal(err)
	}
	return c.Tree
}

// whole checks that every object of a result is in the repository or comes with it.
func whole(t testing.TB, r *gittest.Repository, result *merge.Result) {
	t.Helper()
	todo := []git.ID{result.Tree}
	for _, c := range result.Conflicts {
		for _, v := range []merge.Version{c.Base, c.Ours, c.Theirs} {
			if v.Exists() && v.Mode != git.ModeSubmodule {
				todo = append(todo, v.ID)
			}
		}
	}
	for len(todo) > 0 {
		id := todo[0]
		todo = todo[1:]
		o, ok := result.Objects[id]
		if !ok {
			if o, ok = r.Objects[id]; !ok {
				t.Errorf("%s is missing", id)
				continue
			}
		}
		if o.Kind != git.KindTree {
			continue
		}
		for e, err := range git.Entries(r.Format, o.Data) {
			if err != nil {
				t.Fatal(err)
			}
			if e.Mode != git.ModeSubmodule {
				todo = append(todo, e.ID)
			}
		}
	}
}

// compare merges the scenarios and compares with git.
func compare(t *testing.T, f git.Format, scenarios []scenario, o merge.Options, options ...string) (clean, failed int) {
	t.Helper()
	r := store(t, f, scenarios)
	for i, x := range scenarios {
		ours, theirs := branch("ours", i), branch("theirs", i)
		want := stock(r, ours, theirs, options...)
		if want == "" { // git 2.39 fails by an assertion of its own
			failed++
			continue
		}
		o.Ours, o.Theirs = ours, theirs
		o.Base = f.Hex(r.ID(t, branch("base", i)))[:7]
		result, err := merge.Trees(context.Background(), r.Objects, f,
			treeOf(t, r, branch("base", i)), treeOf(t, r, ours), treeOf(t, r, theirs), o)
		if err != nil {
			t.Errorf("%s: %v", x.name, err)
			continue
		}
		if result.Clean {
			clean++
		}
		whole(t, r, result)
		if got := render(f, result); got != want {
			t.Errorf("%s:\nbase   %v\nours   %v\ntheirs %v\n got\t%s\nwant\t%s", x.name, show(x.base), show(x.ours), show(x.theirs),
				readable(got), readable(want))
		}
	}
	return clean, failed
}

// show is a tree in few words.
func show(fs files) string {
	var out []string
	for path, f := range fs {
		out = append(out, fmt.Sprintf("%s:%o:%x", path, f.mode, len(f.data)))
	}
	slices.Sort(out)
	return strings.Join(out, " ")
}
