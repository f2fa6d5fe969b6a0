package bitmap_test

import (
	"bytes"
	"context"
	"fmt"
	"slices"
	"sync"
	"testing"

	"github.com/ingot-forge/ingot/git"
	"github.com/ingot-forge/ingot/git/bitmap"
	"github.com/ingot-forge/ingot/git/commitgraph"
	"github.com/ingot-forge/ingot/git/pack"
)

// line is a repository in memory, in one pack: n commits one after the other on
// 1,000 files in 50 directories, each of which changes one file.
func line(t testing.TB, n int) (x *fixture, layer bitmap.Layer, commits []git.ID) {
	t.Helper()
	x, order, commits := lineObjects(t, n, 0)
	return x, x.inMemory(order, 0), commits
}

// lineObjects makes a line and returns its objects in order. Every so many commits, if not 0, one merges a
// commit that was forked off when history was half as long.
func lineObjects(t testing.TB, n, merges int) (x *fixture, order, commits []git.ID) {
	t.Helper()
	x = &fixture{t: t, format: git.SHA1, objects: git.Memory{}}
	hasher := git.NewHasher(git.SHA1)
	add := func(kind git.Kind, data []byte) git.ID {
		id, err := hasher.Hash(kind, data)
		if err != nil {
			t.Fatal(err)
		}
		if _, ok := x.objects[id]; !ok {
			order = append(order, id)
			x.objects[id] = struct {
				Kind git.Kind
				Data []byte
			}{kind, data}
		}
		return id
	}
	var dirs [50][]git.Entry
	var root []git.Entry
	file := func(dir, file, version int) {
		blob := add(git.KindBlob, fmt.Appendf(nil, "file %d of %d in version %d", file, dir, version))
		dirs[dir][file] = git.Entry{Mode: git.ModeBlob, Name: fmt.Sprintf("file%02d.c", file), ID: blob}
	}
	directory := func(i int) {
		root[i] = git.Entry{Mode: git.ModeTree, Name: fmt.Sprintf("dir%02d", i),
			ID: add(git.KindTree, git.AppendTree(git.SHA1, nil, dirs[i]))}
	}
	root = make([]git.Entry, len(dirs))
	for i := range dirs {
		dirs[i] = make([]git.Entry, 20)
		for j := range dirs[i] {
			file(i, j, 0)
		}
		directory(i)
	}
	for i := range n {
		file(i*7%50, i*3%20, i+1)
		directory(i * 7 % 50)
		tree := add(git.KindTree, git.AppendTree(git.SHA1, nil, root))
		commit := func(name string, parents ...git.ID) git.ID {
			who := git.Signature{Name: name, Email: "a@example.com", Seconds: int64(1e9 + i), Zone: "+0000"}
			return add(git.KindCommit, git.AppendCommit(git.SHA1, nil,
				&git.Commit{Tree: tree, Parents: parents, Author: who, Committer: who}))
		}
		parents := slices.Clone(commits[max(0, i-1):i])
		if merges > 0 && i%merges == merges-1 {
			parents = append(parents, commit("side", commits[i/2]))
		}
		commits = append(commits, commit("main", parents...))
	}
	return x, order, commits
}

// inMemory returns the layer of a pack that there is only the index of. Those of other numbers are other packs.
func (x *fixture) inMemory(order []git.ID, number byte) bitmap.Layer {
	x.t.Helper()
	var entries []pack.IndexEntry
	for i, id := range slices.Backward(order) { // newest first, as git packs them
		entries = append(entries, pack.IndexEntry{ID: id, Offset: int64(12 + 10*(len(order)-i))})
	}
	sum := bytes.Repeat([]byte{number}, x.format.Size())
	return newLayer(x.t, x.format, pack.AppendIndex(x.format, nil, entries, sum))
}

// TestSpacing looks at where the bitmaps are on a long line.
func TestSpacing(t *testing.T) {
	x, layer, commits := line(t, 3000)
	data := x.build(mustIndex(t, x.format, []bitmap.Layer{layer}), commits[len(commits)-1:])
	layer.File = mustOpen(t, x.format, data)
	index := mustIndex(t, x.format, []bitmap.Layer{layer})
	chosen, gap := 0, 0
	for behind := range commits {
		position, _ := index.Find(commits[len(commits)-1-behind])
		if gap++; !index.Has(position) {
			if gap > 1+behind/20 {
				t.Fatalf("no bitmap from %d to %d commits behind the tip", behind-gap, behind)
			}
			continue
		}
		gap = 0
		chosen++
		if chosen%20 > 0 {
			continue
		}
		set := bitmap.NewSet(index.Len())
		if _, err := index.Reaches(position, set); err != nil {
			t.Fatal(err)
		}
		if want := x.walk(commits[len(commits)-1-behind]); set.Count() != len(want) {
			t.Errorf("%d behind: %d objects, not %d", behind, set.Count(), len(want))
		}
	}
	if chosen < 100 || chosen > 300 {
		t.Errorf("%d bitmaps for %d commits", chosen, len(commits))
	}
	plain := chosen * index.Len() / 8
	t.Logf("%d bitmaps of %d objects in %d bytes, %d uncompressed", chosen, index.Len(), len(data)-4*index.Len(), plain)
	if bits := len(data) - 4*index.Len(); bits > plain/4 {
		t.Errorf("%d bytes for %d bitmaps of %d objects", bits, chosen, index.Len())
	}
}

// commitless has no commits to read.
type commitless struct{ git.Memory }

func (o commitless) Object(ctx context.Context, id git.ID) (git.Kind, []byte, error) {
	kind, data, err := o.Memory.Object(ctx, id)
	if kind == git.KindCommit {
		return 0, nil, fmt.Errorf("commit %s is read", id)
	}
	return kind, data, err
}

// TestGraph builds with a commit graph, which answers for the commits.
func TestGraph(t *testing.T) {
	f := git.SHA1
	x := generated(t, f, 61, 150)
	x.git("repack", "-adq")
	layer, _ := x.onlyLayer()
	index := mustIndex(t, f, []bitmap.Layer{layer})
	without := x.build(index, x.tips())
	data, err := commitgraph.Build(t.Context(), x.objects, f, nil, x.tips(), commitgraph.BuildOptions{})
	if err != nil {
		t.Fatal(err)
	}
	graph, err := commitgraph.Open(f, [][]byte{data})
	if err != nil {
		t.Fatal(err)
	}
	headers, steps := 0, 0
	with, err := bitmap.Build(t.Context(), commitless{x.objects}, f, index, bitmap.BuildOptions{
		Tips:  x.tips(),
		Graph: graph,
		Header: func(ctx context.Context, id git.ID) (git.Kind, int64, error) {
			headers++
			kind, data, err := x.objects.Object(ctx, id)
			return kind, int64(len(data)), err
		},
		Progress: func(done, total int) {
			if steps++; done != steps || done > total {
				t.Errorf("%d of %d done after %d", done, total, steps)
			}
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(with, without) {
		t.Error("with a commit graph the file differs")
	}
	if headers == 0 || steps < 50 {
		t.Errorf("Header was asked %d times, Progress heard %d", headers, steps)
	}
}

// TestReachesAllocates nothing.
func TestReachesAllocates(t *testing.T) {
	x, layer, commits := line(t, 300)
	layer.File = mustOpen(t, x.format, x.build(mustIndex(t, x.format, []bitmap.Layer{layer}), commits[len(commits)-1:]))
	index := mustIndex(t, x.format, []bitmap.Layer{layer})
	set := bitmap.NewSet(index.Len())
	for _, id := range commits[len(commits)-40:] {
		if n := testing.AllocsPerRun(100, func() {
			position, _ := index.Find(id)
			if _, err := index.Reaches(position, set); err != nil {
				t.Fatal(err)
			}
		}); n >= 1 {
			t.Fatalf("%v allocations", n)
		}
	}
}

// TestManyAtOnce asks from several goroutines.
func TestManyAtOnce(t *testing.T) {
	x, layer, commits := line(t, 200)
	layer.File = mustOpen(t, x.format, x.build(mustIndex(t, x.format, []bitmap.Layer{layer}), commits[len(commits)-1:]))
	index := mustIndex(t, x.format, []bitmap.Layer{layer})
	counts := make([]int, index.Len())
	count := func(position int) int {
		set := bitmap.NewSet(index.Len())
		if _, err := index.Reaches(position, set); err != nil {
			t.Error(err)
		}
		return set.Count()
	}
	for position := range counts {
		counts[position] = count(position)
	}
	var group sync.WaitGroup
	for range 4 {
		group.Go(func() {
			for position, want := range counts {
				if got := count(position); got != want {
					t.Errorf("position %d reaches %d, and now %d", position, want, got)
				}
			}
		})
	}
	group.Wait()
}

func BenchmarkReaches(b *testing.B) {
	x, layer, commits := line(b, 3000)
	layer.File = mustOpen(b, x.format, x.build(mustIndex(b, x.format, []bitmap.Layer{layer}), commits[len(commits)-1:]))
	index := mustIndex(b, x.format, []bitmap.Layer{layer})
	var chosen []int
	for _, id := range commits {
		if position, _ := index.Find(id); index.Has(position) {
			chosen = append(chosen, position)
		}
	}
	set := bitmap.NewSet(index.Len())
	b.ReportAllocs()
	for i := 0; b.Loop(); i++ {
		if _, err := index.Reaches(chosen[i%len(chosen)], set); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkBuild(b *testing.B) {
	x, layer, commits := line(b, 3000)
	index := mustIndex(b, x.format, []bitmap.Layer{layer})
	for b.Loop() {
		x.build(index, commits[len(commits)-1:])
	}
}

// TestLayerReadsLittle builds a layer of few commits on top of many: what lies below is not walked,
// although all over it there are commits without a bitmap, from which others were forked off.
func TestLayerReadsLittle(t *testing.T) {
	f := git.SHA1
	x, order, commits := lineObjects(t, 1500, 5)
	tips := [][]git.ID{commits[len(commits)-60 : len(commits)-59], commits[len(commits)-1:]}
	old := x.walk(tips[0][0])
	var parts [2][]git.ID
	for _, id := range order {
		at := 1
		if old[id] {
			at = 0
		}
		parts[at] = append(parts[at], id)
	}
	layers := []bitmap.Layer{x.inMemory(parts[0], 0), x.inMemory(parts[1], 1)}
	low := mustIndex(t, f, layers[:1])
	position, _ := low.Find(tips[0][0])
	// Whether the branch has moved on by then makes no difference.
	for _, tip := range [][]git.ID{tips[1], tips[0]} {
		layers[0].File = mustOpen(t, f, x.build(low, tip))
		if !mustIndex(t, f, layers[:1]).Has(position) {
			t.Error("no bitmap for the last commit of the stack")
		}
	}
	objects := counting{x.objects, map[git.Kind]int{}}
	data, err := bitmap.Build(t.Context(), objects, f, mustIndex(t, f, layers), bitmap.BuildOptions{Tips: tips[1]})
	if err != nil {
		t.Fatal(err)
	}
	if n := objects.reads[git.KindCommit]; n > 80 { // 59, 12 that they merge, the tip to see what it is
		t.Errorf("%d commits read", n)
	}
	if n := objects.reads[git.KindTree]; n > 150 { // two for each of the line
		t.Errorf("%d trees read", n)
	}
	layers[1].File = mustOpen(t, f, data)
	index := mustIndex(t, f, layers)
	for _, id := range commits[len(commits)-60:] {
		position, _ := index.Find(id)
		set := bitmap.NewSet(index.Len())
		if ok, err := index.Reaches(position, set); err != nil {
			t.Fatal(err)
		} else if want := x.walk(id); ok && set.Count() != len(want) {
			t.Errorf("%s reaches %d objects, not %d", id, set.Count(), len(want))
		}
	}
	if err := index.Verify(t.Context(), x.objects); err != nil {
		t.Error(err)
	}
}

// counting counts which objects are read.
type counting struct {
	git.Memory
	reads map[git.Kind]int
}

func (o counting) Object(ctx context.Context, id git.ID) (git.Kind, []byte, error) {
	kind, data, err := o.Memory.Object(ctx, id)
	o.reads[kind]++
	return kind, data, err
}
