package merge_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/ingot-forge/ingot/git"
	"github.com/ingot-forge/ingot/git/merge"
)

// counting counts what is read.
type counting struct {
	git.Objects
	n atomic.Int64
}

func (c *counting) Object(ctx context.Context, id git.ID) (git.Kind, []byte, error) {
	c.n.Add(1)
	return c.Objects.Object(ctx, id)
}

// TestCost checks that what nobody changed is not read, and what one side changed only as
// far as the other side's renames ask for it.
func TestCost(t *testing.T) {
	base := files{}
	for i := range 40 {
		for j := range 10 {
			base[fmt.Sprintf("d%d/e%d/f", i, j)] = numbered(fmt.Sprint(i, j), 20)
		}
	}
	with := func(changes files) files {
		fs := files{}
		for path, f := range base {
			fs[path] = f
		}
		for path, f := range changes {
			if fs[path] = f; f.mode == 0 {
				delete(fs, path)
			}
		}
		return fs
	}
	changed := func(i int) files {
		path := fmt.Sprintf("d%d/e1/f", i)
		return files{path: base[path].with(" 3\n", " three\n")}
	}
	scenarios := []scenario{
		{"apart", base, with(changed(1)), with(changed(2))},
		{"one file", base, with(changed(1)), with(files{"d1/e1/f": base["d1/e1/f"].with(" 17\n", " 18\n")})},
		{"renamed", base, with(changed(1)), with(files{"d1/e1/f": {}, "d3/e1/renamed": base["d1/e1/f"]})},
	}
	r := store(t, git.SHA1, scenarios)
	for i, most := range []int64{3, 12, 30} {
		c := &counting{Objects: r.Objects}
		result, err := merge.Trees(context.Background(), c, git.SHA1, treeOf(t, r, branch("base", i)),
			treeOf(t, r, branch("ours", i)), treeOf(t, r, branch("theirs", i)), merge.Options{})
		if err != nil || !result.Clean {
			t.Errorf("%s: %v, %v", scenarios[i].name, result, err)
		}
		if n := c.n.Load(); n > most {
			t.Errorf("%s: %d objects were read, want at most %d", scenarios[i].name, n, most)
		}
	}
}

// TestLostFiles has merges after which git 2.39 misses files that nobody deleted.
func TestLostFiles(t *testing.T) {
	f, g := numbered("f", 9), numbered("g", 9)
	for _, x := range []struct {
		scenario
		want []string
	}{
		// The directory to which a file goes along is the same on all sides, so it was not walked.
		{scenario{"into a directory left alone",
			files{"old/a": f, "old/b": g, "new/sub/keep": text("keep")},
			files{"new/a": f, "new/b": g, "new/sub/keep": text("keep")},
			files{"old/a": f, "old/b": g, "old/c": text("c"), "old/sub/d": text("d"), "new/sub/keep": text("keep")}},
			[]string{"new/a", "new/b", "new/c", "new/sub/d", "new/sub/keep"}},
		// In place of the directory that moved there is a file, which goes along.
		{scenario{"a file where a directory was",
			files{"a/x/c": text("c"), "a/f": f, "a/g": g},
			files{"a/x": text("x"), "a/f": f, "a/g": g},
			files{"new/x/c": text("c"), "new/f": f, "new/g": g}},
			[]string{"new/f", "new/g", "new/x/c", "new/x~ours"}},
	} {
		r := store(t, git.SHA1, []scenario{x.scenario})
		result, err := merge.Trees(context.Background(), r.Objects, git.SHA1, treeOf(t, r, "base/0"), treeOf(t, r, "ours/0"),
			treeOf(t, r, "theirs/0"), merge.Options{DirectoryRenames: merge.MoveAlong})
		if err != nil {
			t.Fatal(err)
		}
		if got := list(t, r.Objects, result); !slices.Equal(got, x.want) {
			t.Errorf("%s: %q, want %q; %v", x.name, got, x.want, result.Notes)
		}
	}
}

// list lists the files of a merged tree, whose other objects are in a repository.
func list(t *testing.T, objects git.Memory, r *merge.Result) (paths []string) {
	t.Helper()
	var walk func(dir string, id git.ID)
	walk = func(dir string, id git.ID) {
		o, ok := r.Objects[id]
		if !ok {
			o = objects[id]
		}
		for e, err := range git.Entries(git.SHA1, o.Data) {
			switch {
			case err != nil:
				t.Fatal(err)
			case e.Mode.IsTree():
				walk(dir+e.Name+"/", e.ID)
			default:
				paths = append(paths, dir+e.Name)
			}
		}
	}
	walk("", r.Tree)
	return paths
}

// made is a repository in memory.
type made struct {
	git.Memory
	t *testing.T
}

func (m made) put(kind git.Kind, data []byte) git.ID {
	id, err := git.NewHasher(git.SHA1).Hash(kind, data)
	if err != nil {
		m.t.Fatal(err)
	}
	o := m.Memory[id]
	o.Kind, o.Data = kind, data
	m.Memory[id] = o
	return id
}

func (m made) tree(entries ...git.Entry) git.ID {
	return m.put(git.KindTree, git.AppendTree(git.SHA1, nil, entries))
}

func TestHostile(t *testing.T) {
	m := made{git.Memory{}, t}
	blob := m.put(git.KindBlob, []byte("x\n"))
	// A tree that holds itself, as it were, eight times over at each of thirty levels.
	bomb := func(leaf string) git.ID {
		id := m.tree(git.Entry{Mode: git.ModeBlob, Name: leaf, ID: blob})
		for range 30 {
			var entries []git.Entry
			for i := range 8 {
				entries = append(entries, git.Entry{Mode: git.ModeTree, Name: fmt.Sprint(i), ID: id})
			}
			id = m.tree(entries...)
		}
		return id
	}
	deep := func(leaf string) git.ID {
		id := m.tree(git.Entry{Mode: git.ModeBlob, Name: leaf, ID: blob})
		for range 3000 {
			id = m.tree(git.Entry{Mode: git.ModeTree, Name: "dd", ID: id})
		}
		return id
	}
	raw := func(entries ...string) git.ID {
		var b strings.Builder
		for _, e := range entries {
			b.WriteString(e + "\x00" + string(blob[:20]))
		}
		return m.put(git.KindTree, []byte(b.String()))
	}
	in := func(id git.ID) git.ID { return m.tree(git.Entry{Mode: git.ModeTree, Name: "a", ID: id}) }
	fine := m.tree(git.Entry{Mode: git.ModeBlob, Name: "f", ID: blob})
	limit := (*merge.LimitError)(nil)
	isLimit := func(err error) bool { return errors.As(err, &limit) }
	isCorrupt := func(err error) bool { return errors.Is(err, git.ErrCorrupt) }
	isMissing := func(err error) bool { return errors.Is(err, git.ErrNotFound) }
	missing := blob
	missing[0]++
	for _, x := range []struct {
		name               string
		base, ours, theirs git.ID
		want               func(error) bool
	}{
		{"many paths", bomb("a"), bomb("b"), bomb("c"), isLimit},
		{"long paths", deep("a"), deep("b"), deep("c"), isLimit},
		{"a name twice", fine, raw("100644 a", "100644 a"), raw("100644 b"), isCorrupt},
		{"a name as file and directory", fine, raw("100644 a", "100644 a.b", "40000 a"), raw("100644 b"), isCorrupt},
		{"a tree that is a blob", fine, blob, raw("100644 b"), isCorrupt},
		{"a directory that is a blob", in(fine), raw("40000 a"), in(bomb("a")), isCorrupt},
		{"a broken tree", fine, m.put(git.KindTree, []byte("100644 a")), raw("100644 b"), isCorrupt},
		{"a missing tree", fine, missing, raw("100644 b"), isMissing},
	} {
		_, err := merge.Trees(context.Background(), m.Memory, git.SHA1, x.base, x.ours, x.theirs, merge.Options{Paths: 20_000})
		if err == nil || !x.want(err) {
			t.Errorf("%s: %v", x.name, err)
		}
	}
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if _, err := merge.Trees(ctx, m.Memory, git.SHA1, fine, bomb("a"), bomb("b"), merge.Options{}); !errors.Is(err, context.Canceled) {
		t.Errorf("cancelled: %v", err)
	}
}

func TestRenameLimit(t *testing.T) {
	base, ours, theirs := files{}, files{}, files{}
	for i := range 10 {
		f := numbered(fmt.Sprint("file", i), 20)
		base[fmt.Sprint("a", i)] = f
		ours[fmt.Sprint("b", i)] = f.with(" 1\n", " one\n")
		theirs[fmt.Sprint("a", i)] = f.with(" 19\n", " nineteen\n")
	}
	scenarios := []scenario{{"many renames", base, ours, theirs}}
	r := store(t, git.SHA1, scenarios)
	for _, limit := range []int{5, 10} {
		result, err := merge.Trees(context.Background(), r.Objects, git.SHA1, treeOf(t, r, "base/0"), treeOf(t, r, "ours/0"),
			treeOf(t, r, "theirs/0"), merge.Options{Ours: "ours/0", Theirs: "theirs/0", RenameLimit: limit})
		if err != nil {
			t.Fatal(err)
		}
		if skipped := limit < 10; result.RenamesSkipped != skipped || result.Clean == skipped {
			t.Errorf("limit %d: skipped %v, clean %v", limit, result.RenamesSkipped, result.Clean)
		}
		out, _, _ := r.Try(nil, "-c", fmt.Sprint("merge.renameLimit=", limit), "merge-tree", "--write-tree", "-z", "--messages", "ours/0", "theirs/0")
		if got := render(git.SHA1, result); got != out {
			t.Errorf("limit %d:\n got\t%s\nwant\t%s", limit, readable(got), readable(out))
		}
	}
}
