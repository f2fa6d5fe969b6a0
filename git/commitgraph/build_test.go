package commitgraph_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"math"
	"testing"
	"time"

	"github.com/ingot-forge/ingot/git"
	"github.com/ingot-forge/ingot/git/commitgraph"
)

// memory is a repository of objects made by hand.
type memory struct {
	git.Memory
	hasher *git.Hasher
}

func newMemory() *memory { return &memory{git.Memory{}, git.NewHasher(git.SHA1)} }

func (m *memory) add(t testing.TB, kind git.Kind, data []byte) git.ID {
	t.Helper()
	id, err := m.hasher.Hash(kind, data)
	if err != nil {
		t.Fatal(err)
	}
	o := m.Memory[id]
	o.Kind, o.Data = kind, data
	m.Memory[id] = o
	return id
}

func (m *memory) tree(t testing.TB, entries ...git.Entry) git.ID {
	t.Helper()
	return m.add(t, git.KindTree, git.AppendTree(git.SHA1, nil, entries))
}

func (m *memory) commit(t testing.TB, tree git.ID, seconds int64, parents ...git.ID) git.ID {
	t.Helper()
	who := git.Signature{Name: "A", Email: "a@example.com", Seconds: seconds, Zone: "+0000"}
	return m.add(t, git.KindCommit, git.AppendCommit(git.SHA1, nil, &git.Commit{Tree: tree, Parents: parents, Author: who, Committer: who}))
}

func (m *memory) layer(t testing.TB, below *commitgraph.Graph, tips ...git.ID) []byte {
	t.Helper()
	data, err := commitgraph.Build(context.Background(), m, git.SHA1, below, tips, commitgraph.BuildOptions{})
	if err != nil {
		t.Fatal(err)
	}
	return data
}

func (m *memory) build(t testing.TB, tips ...git.ID) *commitgraph.Graph {
	t.Helper()
	g, err := commitgraph.Open(git.SHA1, [][]byte{m.layer(t, nil, tips...)})
	if err != nil {
		t.Fatal(err)
	}
	if err := g.Verify(); err != nil {
		t.Fatal(err)
	}
	return g
}

func (r *repository) counted() *reads { return &reads{Objects: r.objects, kinds: map[git.Kind]int{}} }

// TestCopied builds one layer of three, and then again of what it and another have: nothing
// is computed twice, and the bytes are the same.
func TestCopied(t *testing.T) {
	r := varied(t, git.SHA1)
	layers := r.layers(t)
	chain := r.open(t, layers...)
	want := r.build(t, nil, r.tips)
	objects := r.counted()
	got, err := commitgraph.Build(context.Background(), objects, r.format, nil, r.tips,
		commitgraph.BuildOptions{Copied: []*commitgraph.Graph{r.open(t, layers[0]), chain}})
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(got, want) {
		t.Error("a layer copied from others is not the one that is computed")
	}
	if objects.kinds[git.KindCommit]+objects.kinds[git.KindTree] > 0 {
		t.Errorf("objects were read: %v", objects.kinds)
	}

	// The top two layers become one; the lowest stays.
	objects = r.counted()
	joined, err := commitgraph.Build(context.Background(), objects, r.format, r.open(t, layers[0]), r.tips,
		commitgraph.BuildOptions{Copied: []*commitgraph.Graph{chain}})
	if err != nil {
		t.Fatal(err)
	}
	if objects.kinds[git.KindTree] > 0 {
		t.Errorf("trees were read: %v", objects.kinds)
	}
	checkGraph(t, r, r.open(t, layers[0], joined))
}

// TestBuildReadsOnlyNew builds a layer for a few commits on top of many.
func TestBuildReadsOnlyNew(t *testing.T) {
	r := varied(t, git.SHA1)
	below := r.open(t, r.build(t, nil, []git.ID{r.id(t, "main~3")}))
	objects := r.counted()
	var done []int
	data, err := commitgraph.Build(context.Background(), objects, r.format, below, []git.ID{r.id(t, "main")},
		commitgraph.BuildOptions{Progress: func(n, total int) { done = append(done, n, total) }})
	if err != nil {
		t.Fatal(err)
	}
	if g := r.open(t, r.build(t, nil, []git.ID{r.id(t, "main~3")}), data); g.Len() != below.Len()+3 {
		t.Errorf("%d commits on top of %d", g.Len()-below.Len(), below.Len())
	}
	if objects.kinds[git.KindCommit] > 4 || objects.kinds[git.KindTree] > 8 { // the tip is read to see what it is
		t.Errorf("read %v for 3 commits", objects.kinds)
	}
	if fmt.Sprint(done) != "[3 3]" {
		t.Errorf("progress %v, want [3 3]", done)
	}
	if data := r.build(t, r.open(t, r.build(t, nil, r.tips)), r.tips); data != nil {
		t.Errorf("%d bytes without a new commit", len(data))
	}
}

func TestTips(t *testing.T) {
	m := newMemory()
	ctx := context.Background()
	tree := m.tree(t)
	commit := m.commit(t, tree, 5)
	tag := m.add(t, git.KindTag, git.AppendTag(git.SHA1, nil, &git.Tag{Target: commit, TargetKind: git.KindCommit, Name: "a"}))
	tagTag := m.add(t, git.KindTag, git.AppendTag(git.SHA1, nil, &git.Tag{Target: tag, TargetKind: git.KindTag, Name: "b"}))
	treeTag := m.add(t, git.KindTag, git.AppendTag(git.SHA1, nil, &git.Tag{Target: tree, TargetKind: git.KindTree, Name: "c"}))
	if g := m.build(t, tagTag, treeTag, tree, commit, tag); g.Len() != 1 || g.ID(0) != commit {
		t.Errorf("%d commits, the first %s", g.Len(), g.ID(0))
	}
	if data, err := commitgraph.Build(ctx, m, git.SHA1, nil, []git.ID{tree, treeTag}, commitgraph.BuildOptions{}); data != nil || err != nil {
		t.Errorf("%d bytes of no commits, %v", len(data), err)
	}
	for name, c := range map[string]struct {
		tip  git.ID
		want error
	}{
		"no tip":          {git.ID{1}, git.ErrNotFound},
		"no parent":       {m.commit(t, tree, 6, git.ID{2}), git.ErrNotFound},
		"no tree":         {m.commit(t, git.ID{3}, 7), git.ErrNotFound},
		"a parent's kind": {m.commit(t, tree, 8, tree), git.ErrCorrupt},
		"a tree's kind":   {m.commit(t, commit, 9), git.ErrCorrupt},
		"a bad tree":      {m.commit(t, m.add(t, git.KindTree, []byte("100644 a")), 9), git.ErrCorrupt},
		"a bad commit":    {m.add(t, git.KindCommit, []byte("parent")), git.ErrCorrupt},
	} {
		if _, err := commitgraph.Build(ctx, m, git.SHA1, nil, []git.ID{c.tip}, commitgraph.BuildOptions{}); !errors.Is(err, c.want) {
			t.Errorf("%s: %v, want %v", name, err, c.want)
		}
	}
	stopped, cancel := context.WithCancel(ctx)
	cancel()
	if _, err := commitgraph.Build(stopped, m, git.SHA1, nil, []git.ID{commit}, commitgraph.BuildOptions{}); !errors.Is(err, context.Canceled) {
		t.Errorf("after the context ended: %v", err)
	}
}

// TestLongHistory has more commits than one goroutine takes at once, each on top of the other.
func TestLongHistory(t *testing.T) {
	m := newMemory()
	const commits = 3000
	var ids, parents []git.ID
	blob := m.add(t, git.KindBlob, nil)
	for i := range commits {
		tree := m.tree(t, git.Entry{Mode: git.ModeBlob, Name: fmt.Sprintf("file%d", i), ID: blob})
		ids = append(ids, m.commit(t, tree, int64(commits-i), parents...))
		parents = ids[i:]
	}
	g := m.build(t, ids[commits-1])
	for i, id := range ids {
		position, ok := g.Find(id)
		if !ok || g.Level(position) != uint32(i+1) || g.Generation(position) != uint64(commits+i) {
			t.Fatalf("commit %d: %v, level %d, generation %d", i, ok, g.Level(position), g.Generation(position))
		}
		for change, want := range map[int]bool{i: true, i - 1: i > 0} {
			if g.MayChange(position, commitgraph.NewPath(fmt.Sprintf("file%d", change))) != want && want {
				t.Fatalf("commit %d changed file %d, its filter says no", i, change)
			}
		}
	}
}

// TestTimes has commits whose times don't fit the format.
func TestTimes(t *testing.T) {
	m := newMemory()
	tree := m.tree(t)
	var last []git.ID
	var ids []git.ID
	times := []int64{1<<34 - 1, 1 << 34, math.MaxInt64, 0, -7, 1<<35 + 3}
	for _, seconds := range times {
		ids = append(ids, m.commit(t, tree, seconds, last...))
		last = ids[len(ids)-1:]
	}
	g := m.build(t, last...)
	for i, want := range []int64{1<<34 - 1, 1<<34 - 1, 1<<34 - 1, 0, 0, 1<<34 - 1} {
		position, _ := g.Find(ids[i])
		if got := g.Seconds(position); got != want {
			t.Errorf("commit of %d: %d seconds, want %d", times[i], got, want)
		}
		if got, want := g.Generation(position), uint64(1<<34-1+i); got != want {
			t.Errorf("commit of %d: generation %d, want %d", times[i], got, want)
		}
	}
}

// TestTooManyPaths has trees that can be stored in a few bytes and never be walked.
func TestTooManyPaths(t *testing.T) {
	m := newMemory()
	bomb, deep := m.tree(t), m.tree(t)
	blob := m.add(t, git.KindBlob, nil)
	for i := range 30 {
		var entries []git.Entry
		for n := range 10 {
			entries = append(entries, git.Entry{Mode: git.ModeTree, Name: fmt.Sprintf("%d-%d", i, n), ID: bomb})
		}
		bomb = m.tree(t, entries...)
	}
	long := string(bytes.Repeat([]byte{'x'}, 4000))
	for range 3000 {
		deep = m.tree(t, git.Entry{Mode: git.ModeTree, Name: long, ID: deep})
	}
	file := git.Entry{Mode: git.ModeBlob, Name: "file", ID: blob}
	full, longFull := m.tree(t, file), m.tree(t, file)
	for i := range 3000 {
		full = m.tree(t, git.Entry{Mode: git.ModeTree, Name: "d", ID: full})
		if i < 170 { // as many as the bound on paths lets through
			longFull = m.tree(t, git.Entry{Mode: git.ModeTree, Name: long, ID: longFull}, file)
		}
	}
	start := time.Now()
	for name, tree := range map[string]git.ID{"wide": bomb, "deep": deep, "deep with a file": full, "long with files": longFull} {
		if g := m.build(t, m.commit(t, tree, 1)); !g.MayChange(0, commitgraph.NewPath("any/thing")) {
			t.Errorf("%s: the filter says no", name)
		}
	}
	if took := time.Since(start); took > 20*time.Second {
		t.Errorf("took %s", took)
	}
}

// TestOddModes has entries whose modes only git's readers take for the same.
func TestOddModes(t *testing.T) {
	m := newMemory()
	blob := m.add(t, git.KindBlob, nil)
	before := m.tree(t, git.Entry{Mode: git.ModeGroupWrite, Name: "a", ID: blob}, git.Entry{Mode: git.ModeBlob, Name: "b", ID: blob})
	after := m.tree(t, git.Entry{Mode: git.ModeBlob, Name: "a", ID: blob}, git.Entry{Mode: git.ModeExecutable, Name: "b", ID: blob})
	root := m.commit(t, before, 1)
	g := m.build(t, m.commit(t, after, 2, root))
	position, _ := g.Find(root)
	position = 1 - position
	for path, want := range map[string]bool{"a": false, "b": true} {
		if got := g.MayChange(position, commitgraph.NewPath(path)); got != want {
			t.Errorf("MayChange(%q) = %v, want %v", path, got, want)
		}
	}
}

// TestLongPath looks up paths that cost nothing much.
func TestLongPath(t *testing.T) {
	m := newMemory()
	g := m.build(t, m.commit(t, m.tree(t), 1))
	for _, path := range []string{"/", "//", "a//b", "/a", "a/", string(bytes.Repeat([]byte("a/"), 1<<16))} {
		if g.MayChange(0, commitgraph.NewPath(path)) {
			t.Errorf("%.20q: a commit without any path may have changed it", path)
		}
	}
}

// TestDamagedCopy builds from a graph in which a commit is its own ancestor.
func TestDamagedCopy(t *testing.T) {
	m := newMemory()
	tree := m.tree(t)
	root := m.commit(t, tree, 1)
	tip := m.commit(t, tree, 2, root)
	data, err := commitgraph.Build(context.Background(), m, git.SHA1, nil, []git.ID{tip}, commitgraph.BuildOptions{})
	if err != nil {
		t.Fatal(err)
	}
	none := bytes.Index(data, []byte{0x70, 0, 0, 0, 0x70, 0, 0, 0}) // the parents of root
	copy(data[none:], []byte{0, 0, 0, 0, 0, 0, 0, 1})               // both
	g, err := commitgraph.Open(git.SHA1, [][]byte{data})
	if err != nil {
		t.Fatal(err)
	}
	_, err = commitgraph.Build(context.Background(), m, git.SHA1, nil, []git.ID{tip},
		commitgraph.BuildOptions{Copied: []*commitgraph.Graph{g}})
	if !errors.Is(err, git.ErrCorrupt) {
		t.Errorf("%v, want git.ErrCorrupt", err)
	}
}

// FuzzTrees compares trees of any bytes.
func FuzzTrees(f *testing.F) {
	m := newMemory()
	blob := m.add(f, git.KindBlob, nil)
	dir := m.tree(f, git.Entry{Mode: git.ModeBlob, Name: "in", ID: blob})
	for _, entries := range [][]git.Entry{
		{{Mode: git.ModeBlob, Name: "a", ID: blob}, {Mode: git.ModeTree, Name: "b", ID: dir}},
		{{Mode: git.ModeTree, Name: "a", ID: dir}, {Mode: git.ModeSubmodule, Name: "b", ID: blob}},
		nil,
	} {
		f.Add(m.Memory[m.tree(f, entries...)].Data, m.Memory[dir].Data)
	}
	f.Fuzz(func(t *testing.T, before, after []byte) {
		m := newMemory()
		m.add(t, git.KindBlob, nil)
		m.tree(t, git.Entry{Mode: git.ModeBlob, Name: "in", ID: blob})
		root := m.commit(t, m.add(t, git.KindTree, before), 1)
		tip := m.commit(t, m.add(t, git.KindTree, after), 2, root)
		data, err := commitgraph.Build(context.Background(), m, git.SHA1, nil, []git.ID{tip}, commitgraph.BuildOptions{})
		if err != nil {
			if !errors.Is(err, git.ErrCorrupt) && !errors.Is(err, git.ErrNotFound) {
				t.Fatal(err)
			}
			return
		}
		g, err := commitgraph.Open(git.SHA1, [][]byte{data})
		if err != nil {
			t.Fatal(err)
		}
		for name := range entriesOf(after) {
			if _, had := entriesOf(before)[name]; !had && !bytes.ContainsRune([]byte(name), '/') {
				position, _ := g.Find(tip)
				if !g.MayChange(position, commitgraph.NewPath(name)) {
					t.Errorf("%q is new, the filter says no", name)
				}
			}
		}
	})
}

// entriesOf returns the entries of a tree that are no directories, by name.
func entriesOf(data []byte) map[string]git.Entry {
	entries := map[string]git.Entry{}
	for e, err := range git.Entries(git.SHA1, data) {
		if err == nil && !e.Mode.IsTree() {
			entries[e.Name] = e
		}
	}
	return entries
}
