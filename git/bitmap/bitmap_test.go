package bitmap_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/ingot-forge/ingot/git"
	"github.com/ingot-forge/ingot/git/bitmap"
)

var formats = []git.Format{git.SHA1, git.SHA256}

// TestGitReadsOurs lets stock git use files that Build made.
func TestGitReadsOurs(t *testing.T) {
	for _, f := range formats {
		t.Run(f.String(), func(t *testing.T) {
			x := generated(t, f, 7, 700)
			x.git("repack", "-adq")
			layer, file := x.onlyLayer()
			data := x.build(mustIndex(t, f, []bitmap.Layer{layer}), x.tips())
			if err := os.WriteFile(file+".bitmap", data, 0o444); err != nil {
				t.Fatal(err)
			}
			layer.File = mustOpen(t, f, data)
			index := mustIndex(t, f, []bitmap.Layer{layer})
			n := x.checkReaches(index)
			if n < 40 {
				t.Fatalf("%d bitmaps only", n)
			}
			tested := 0
			for i, id := range x.commits() {
				position, _ := index.Find(id)
				if index.Has(position) && i%20 == 0 { // a process each
					x.git("rev-list", "--test-bitmap", f.Hex(id))
					tested++
				}
			}
			for _, tip := range x.ids(x.git("for-each-ref", "--format=%(objectname)", "refs/heads")) {
				x.git("rev-list", "--test-bitmap", f.Hex(tip))
			}
			t.Logf("%d bitmaps, %d tried", n, tested)
			for _, what := range []string{"main", "b0 b1", "main b1 ^b0", "v1 ^light2", "main ^b0 ^v0"} {
				args := append([]string{"rev-list", "--use-bitmap-index", "--count", "--objects"}, strings.Fields(what)...)
				if got, want := string(x.git(args...)), fmt.Sprintln(len(x.difference(what))); got != want {
					t.Errorf("with bitmaps git counts %s in %s, not %s", got, what, want)
				}
			}
			clone := t.TempDir()
			stockGit(t, clone, nil, "clone", "-q", "--mirror", "file://"+x.dir, "c")
			stockGit(t, filepath.Join(clone, "c"), nil, "fsck", "--strict")
			sameLines(t, x.git("rev-list", "--all", "--objects", "--no-object-names"),
				stockGit(t, filepath.Join(clone, "c"), nil, "rev-list", "--all", "--objects", "--no-object-names"))
		})
	}
}

// difference returns what some refs reach and others (with ^) don't.
func (x *fixture) difference(refs string) map[git.ID]bool {
	x.t.Helper()
	found := map[git.ID]bool{}
	fields := strings.Fields(refs) // with ^ last
	for _, ref := range fields {
		name := strings.TrimPrefix(ref, "^")
		for id := range x.walk(x.ids(x.git("rev-parse", name))[0]) {
			if found[id] = name == ref; name != ref {
				delete(found, id)
			}
		}
	}
	return found
}

// sameLines compares lines in any order.
func sameLines(t *testing.T, a, b []byte) {
	t.Helper()
	x, y := sortedLines(a), sortedLines(b)
	if !slices.Equal(x, y) {
		t.Errorf("%d lines, not the same %d", len(y), len(x))
	}
}

// TestWeReadGits reads files that stock git wrote.
func TestWeReadGits(t *testing.T) {
	for _, f := range formats {
		x := generated(t, f, 11, 400)
		for _, config := range []string{"pack.writeBitmapLookupTable=true", "pack.writeBitmapHashCache=false", "core.pager="} {
			t.Run(f.String()+"/"+config, func(t *testing.T) {
				x := x.in(t)
				x.git("-c", config, "repack", "-adbq")
				layer, file := x.onlyLayer()
				data, err := os.ReadFile(file + ".bitmap")
				if err != nil {
					t.Fatal(err)
				}
				layer.File = mustOpen(t, f, data)
				if stack := layer.File.Stack(); len(stack) != 1 || !bytes.Equal(stack[0], layer.Pack.PackChecksum()) {
					t.Errorf("stack %x", stack)
				}
				index := mustIndex(t, f, []bitmap.Layer{layer})
				if n := x.checkReaches(index); n < 100 {
					t.Errorf("%d bitmaps only", n)
				}
				x.checkKinds(index)
				x.checkHashes(index, !strings.Contains(config, "HashCache"))
				if err := index.Verify(t.Context(), x.objects); err != nil {
					t.Error(err)
				}
				if same, all := bitmap.Reencode(layer.File, index.Len()); same != all || all < 10 {
					t.Errorf("of %d bitmaps that are not XORed, %d are encoded as git does", all, same)
				}
			})
		}
	}
}

// checkKinds compares the kinds of all positions.
func (x *fixture) checkKinds(index *bitmap.Index) {
	x.t.Helper()
	known := 0
	for id, o := range x.objects {
		position, ok := index.Find(id)
		if !ok {
			continue
		}
		known++
		if kind := index.Kind(position); kind != o.Kind {
			x.t.Fatalf("%s %s is said to be a %v", o.Kind, id, kind)
		}
		if !index.Kinds(o.Kind).Has(position) {
			x.t.Fatalf("%s %s is not among those", o.Kind, id)
		}
	}
	all := 0
	for kind := git.KindCommit; kind <= git.KindTag; kind++ {
		all += index.Kinds(kind).Count()
	}
	if all != known {
		x.t.Fatalf("%d objects have %d kinds", known, all)
	}
}

// checkHashes checks that every tree and blob that commits reach has the name hash of one of its
// paths, or 0 if there are none.
func (x *fixture) checkHashes(index *bitmap.Index, there bool) {
	x.t.Helper()
	type place struct {
		id   git.ID
		path string
	}
	seen := map[place]bool{}
	hashes := map[git.ID][]uint32{}
	var visit func(p place)
	visit = func(p place) {
		if seen[p] {
			return
		}
		seen[p] = true
		hashes[p.id] = append(hashes[p.id], nameHash(p.path))
		if x.objects[p.id].Kind != git.KindTree {
			return
		}
		for e, err := range git.Entries(x.format, x.objects[p.id].Data) {
			if err != nil {
				x.t.Fatal(err)
			}
			if e.Mode != git.ModeSubmodule {
				visit(place{e.ID, strings.TrimPrefix(p.path+"/"+e.Name, "/")})
			}
		}
	}
	for _, o := range x.objects {
		if o.Kind == git.KindCommit {
			tree, _, _, err := git.CommitLinks(x.format, o.Data, nil)
			if err != nil {
				x.t.Fatal(err)
			}
			visit(place{tree, ""})
		}
	}
	for id, o := range x.objects { // by name, without a path
		if o.Kind == git.KindTag {
			for _, target := range x.links(id) {
				hashes[target] = append(hashes[target], 0)
			}
		}
	}
	for id, o := range x.objects {
		position, ok := index.Find(id)
		if !ok {
			continue
		}
		got := index.NameHash(position)
		if !there && got != 0 {
			x.t.Fatalf("%s %s has the hash %#x", o.Kind, id, got)
		}
		if there && len(hashes[id]) > 0 && (o.Kind == git.KindTree || o.Kind == git.KindBlob) && !slices.Contains(hashes[id], got) {
			x.t.Fatalf("%s %s has the hash %#x, not one of %#x", o.Kind, id, got, hashes[id])
		}
	}
}

// nameHash is the definition in gitformat-bitmap(5).
func nameHash(path string) (h uint32) {
	for i := range len(path) {
		if !strings.ContainsRune(" \t\n\r", rune(path[i])) {
			h = h>>2 + uint32(path[i])<<24
		}
	}
	return h
}

// cut makes a stack of packs of a history: each has what some commits (and at last all refs) reach
// and those of the packs below don't.
func (x *fixture) cut(rng *rand.Rand, n int) (layers []bitmap.Layer, tips [][]git.ID) {
	x.t.Helper()
	commits := x.ids(x.git("rev-list", "--all", "--topo-order", "--reverse"))
	for i := range n - 1 {
		var some []git.ID
		end := len(commits) * (i + 1) / n
		for range 1 + rng.IntN(6) {
			some = append(some, commits[rng.IntN(end)])
		}
		tips = append(tips, append(some, commits[end-1-rng.IntN(5)]))
	}
	tips = append(tips, x.tips())
	return x.packs(tips), tips
}

// packs makes a stack of what tips reach and those before them don't. They are thin packs completed,
// so they repeat objects.
func (x *fixture) packs(tips [][]git.ID) (layers []bitmap.Layer) {
	x.t.Helper()
	var not strings.Builder
	for _, some := range tips {
		list := not.String()
		for _, id := range some {
			list += x.format.Hex(id) + "\n"
			fmt.Fprintf(&not, "^%s\n", x.format.Hex(id))
		}
		packed := stockGit(x.t, x.dir, strings.NewReader(list), "pack-objects", "-q", "--revs", "--thin", "--stdout")
		file := filepath.Join(x.t.TempDir(), "p")
		stockGit(x.t, x.dir, bytes.NewReader(packed), "index-pack", "--stdin", "--fix-thin", file+".pack")
		layers = append(layers, x.layer(file))
	}
	return layers
}

func TestStacks(t *testing.T) {
	repeated, low := 0, 0
	for seed := range uint64(6) {
		f := formats[seed/4]
		x := generated(t, f, 100+seed, 150+50*int(seed%4))
		rng := rand.New(rand.NewPCG(seed, 3))
		for n := 1; n <= 4; n++ {
			name := fmt.Sprintf("seed %d, %d layers", seed, n)
			layers, tips := x.cut(rng, n)
			if seed%2 == 1 { // tips that lie above the stack for the moment
				for i := range tips {
					tips[i] = append(tips[i], x.tips()...)
				}
			}
			index := x.stack(layers, tips)
			count := 0
			for _, l := range layers {
				count += l.Pack.Count()
			}
			if index.Len() != count || index.Start(n) != count {
				t.Errorf("%s: %d positions, not %d", name, index.Len(), count)
			}
			without := slices.Clone(layers)
			without[n-1].File = nil
			before := mustIndex(t, f, without)
			bitmaps := x.checkReaches(index)
			x.checkKinds(index)
			x.checkHashes(index, true)
			for _, ids := range tips {
				for _, id := range ids {
					if p, ok := index.Find(id); x.objects[id].Kind == git.KindCommit && (!ok || !index.Has(p)) {
						t.Errorf("%s: tip %s has no bitmap", name, id)
					}
				}
			}
			for position := range index.Len() {
				layer, at := index.Place(position)
				if id := layers[layer].Pack.ID(at); id != index.ID(position) {
					t.Fatalf("%s: position %d is of %s, not %s", name, position, index.ID(position), id)
				}
				if first, ok := index.Find(index.ID(position)); !ok || first > position {
					t.Fatalf("%s: position %d is found at %d", name, position, first)
				} else if first < position {
					repeated++
					if kind := index.Kind(position); kind != 0 {
						t.Fatalf("%s: repeated object at %d has the kind %v", name, position, kind)
					}
				} else if index.Kind(position) == git.KindCommit && layer < n-1 && index.Has(position) && !before.Has(position) {
					low++
				}
			}
			if err := index.Verify(t.Context(), x.objects); err != nil {
				t.Errorf("%s: %v", name, err)
			}
			if !bytes.Equal(layers[n-1].File.Stack()[0], layers[0].Pack.PackChecksum()) {
				t.Errorf("%s: stack %x", name, layers[n-1].File.Stack())
			}
			t.Logf("%s: %d objects, %d bitmaps", name, index.Len(), bitmaps)
		}
	}
	if repeated == 0 || low == 0 {
		t.Errorf("%d repeated objects, %d new bitmaps of commits in lower layers", repeated, low)
	}
}

// TestOpen leaves objects out of a pack.
func TestOpen(t *testing.T) {
	f := git.SHA1
	x := generated(t, f, 21, 250)
	rng := rand.New(rand.NewPCG(21, 4))
	for range 12 {
		var list strings.Builder
		for id := range x.objects {
			if rng.IntN(500) > 0 {
				fmt.Fprintln(&list, f.Hex(id))
			}
		}
		file := filepath.Join(t.TempDir(), "p")
		sum := stockGit(t, x.dir, strings.NewReader(list.String()), "pack-objects", "-q", file)
		layer := x.layer(file + "-" + string(bytes.TrimSpace(sum)))
		index := mustIndex(t, f, []bitmap.Layer{layer})
		data := x.build(index, x.tips())
		if !bytes.Equal(data, x.build(index, x.tips())) {
			t.Error("built twice, it differs")
		}
		layer.File = mustOpen(t, f, data)
		index = mustIndex(t, f, []bitmap.Layer{layer})
		n := x.checkReaches(index)
		for _, tip := range x.tips() {
			closed := x.objects[tip].Kind == git.KindCommit
			for id := range x.walk(tip) {
				if _, ok := index.Find(id); !ok {
					closed = false
				}
			}
			if p, ok := index.Find(tip); closed && (!ok || !index.Has(p)) {
				t.Errorf("tip %s has no bitmap", tip)
			}
		}
		if err := index.Verify(t.Context(), x.objects); err != nil {
			t.Error(err)
		}
		t.Logf("%d of %d objects, %d bitmaps", layer.Pack.Count(), len(x.objects), n)
	}
}

// TestUnreadable lets objects be in the pack but not to be had.
func TestUnreadable(t *testing.T) {
	f := git.SHA1
	x := generated(t, f, 31, 200)
	x.git("repack", "-adq")
	layer, _ := x.onlyLayer()
	index := mustIndex(t, f, []bitmap.Layer{layer})
	all := x.objects
	for _, kind := range []git.Kind{git.KindCommit, git.KindTree, git.KindTag} {
		x.objects = git.Memory{}
		left := 0
		for id, o := range all {
			if o.Kind == kind && (id[0]%16 == 3 || kind == git.KindTag) {
				left++
				if id[1]%2 == 0 { // and some are what they are not
					o.Kind = git.KindBlob
					x.objects[id] = o
				}
				continue
			}
			x.objects[id] = o
		}
		data := x.build(index, x.tips())
		x.objects = all
		l := layer
		l.File = mustOpen(t, f, data)
		n := x.checkReaches(mustIndex(t, f, []bitmap.Layer{l}))
		t.Logf("without %d of kind %s: %d bitmaps", left, kind, n)
	}
	failing := errors.New("disk on fire")
	_, err := bitmap.Build(t.Context(), objectsFunc(func(git.ID) error { return failing }, all), f, index,
		bitmap.BuildOptions{Tips: x.tips()})
	if !errors.Is(err, failing) {
		t.Errorf("%v", err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := bitmap.Build(ctx, all, f, index, bitmap.BuildOptions{Tips: x.tips()}); !errors.Is(err, context.Canceled) {
		t.Errorf("%v", err)
	}
}

// failingObjects has objects, but for an error.
type failingObjects struct {
	git.Memory
	fail func(id git.ID) error
}

func objectsFunc(fail func(id git.ID) error, m git.Memory) git.Objects {
	return failingObjects{m, fail}
}

func (o failingObjects) Object(ctx context.Context, id git.ID) (git.Kind, []byte, error) {
	if err := o.fail(id); err != nil {
		return 0, nil, err
	}
	return o.Memory.Object(ctx, id)
}

func sortedLines(b []byte) []string {
	lines := strings.Split(string(b), "\n")
	slices.Sort(lines)
	return lines
}
