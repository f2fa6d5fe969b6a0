package repo_test

import (
	"cmp"
	"fmt"
	"maps"
	"math/rand/v2"
	"runtime"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/ingot-forge/ingot/git"
	"github.com/ingot-forge/ingot/git/repo"
)

func number(n int) (id git.ID) {
	copy(id[:20], fmt.Sprintf("%020d", n))
	return id
}

// spread is an id that looks like a hash of n.
func spread(n int) (id git.ID) {
	r := rand.New(rand.NewPCG(uint64(n), 1))
	for i := range 20 {
		id[i] = byte(r.Uint32())
	}
	return id
}

// TestRefsModel makes random changes to Refs and to a map: whatever is asked of
// both is the same, also of the refs before the change.
func TestRefsModel(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		names := rapid.SampledFrom([]int{3, 40, 3000}).Draw(t, "names")
		model := map[string]repo.Ref{}
		var refs repo.Refs
		for range rapid.IntRange(1, 25).Draw(t, "changes") {
			before, was := refs, slices.Collect(refs.All())
			// Ranges of neighbours, so that whole chunks come and go.
			first, n := rapid.IntRange(0, names).Draw(t, "first"), rapid.SampledFrom([]int{0, 1, 5, 700, 3000}).Draw(t, "n")
			deletes := rapid.IntRange(0, 2).Draw(t, "deletes") == 0
			stride := rapid.IntRange(1, 9).Draw(t, "stride")
			var moved []repo.Ref
			for i := first; i < min(first+n*stride, names); i += stride {
				r := repo.Ref{Name: fmt.Sprintf("refs/heads/%05d", i)}
				if !deletes {
					r.Target = number(rapid.IntRange(1, 9).Draw(t, "target"))
					if i%7 == 0 && first%2 == 0 {
						r.Peeled = number(first + 1)
					}
				}
				moved = append(moved, r)
			}
			rand.Shuffle(len(moved), func(i, j int) { moved[i], moved[j] = moved[j], moved[i] })
			refs = refs.Change(moved)
			for _, r := range moved {
				if model[r.Name] = r; r.Target.IsZero() {
					delete(model, r.Name)
				}
			}
			sameRefs(t, refs, model)
			if !slices.Equal(slices.Collect(before.All()), was) {
				t.Fatalf("the refs before the change are others")
			}
		}
	})
}

func sameRefs(t *rapid.T, refs repo.Refs, model map[string]repo.Ref) {
	want := slices.SortedFunc(maps.Values(model), func(a, b repo.Ref) int { return cmp.Compare(a.Name, b.Name) })
	if got := slices.Collect(refs.All()); !slices.Equal(got, want) || refs.Len() != len(want) {
		t.Fatalf("%d refs, Len %d, want %d", len(got), refs.Len(), len(want))
	}
	if anew := repo.NewRefs(want...); !anew.Equal(refs) || anew.Len() > 0 && anew.Equal(repo.Refs{}) {
		t.Fatal("not equal to the same refs made anew")
	}
	name := fmt.Sprintf("refs/heads/%05d", rapid.IntRange(0, 3000).Draw(t, "asked"))
	if got, ok := refs.Find(name); got != model[name] || ok != (got.Name != "") {
		t.Fatalf("Find(%q) = %v, %v", name, got, ok)
	}
	prefix := name[:rapid.IntRange(0, len(name)).Draw(t, "prefix")]
	from := slices.DeleteFunc(slices.Clone(want), func(r repo.Ref) bool { return r.Name < prefix })
	if got := slices.Collect(refs.From(prefix)); !slices.Equal(got, from) {
		t.Fatalf("From(%q): %d refs, want %d", prefix, len(got), len(from))
	}
	under := slices.DeleteFunc(from, func(r repo.Ref) bool { return !strings.HasPrefix(r.Name, prefix) })
	if got := slices.Collect(refs.Prefix(prefix)); !slices.Equal(got, under) {
		t.Fatalf("Prefix(%q): %d refs, want %d", prefix, len(got), len(under))
	}
	if rapid.Bool().Draw(t, "pointing") {
		id := number(rapid.IntRange(0, 12).Draw(t, "id"))
		var there []string
		for _, r := range want {
			if r.Target == id || r.Peeled == id {
				there = append(there, r.Name)
			}
		}
		var got []string
		for r := range refs.PointingAt(id) {
			if r != model[r.Name] {
				t.Fatalf("PointingAt tells %v, it is %v", r, model[r.Name])
			}
			got = append(got, r.Name)
		}
		slices.Sort(got)
		if !slices.Equal(got, there) {
			t.Fatalf("PointingAt: %q, want %q", got, there)
		}
	}
}

// Walks that stop early, and refs that are none.
func TestRefsEdges(t *testing.T) {
	var none repo.Refs
	if _, ok := none.Find(""); ok || none.Len() != 0 || none.Bytes() != 0 || !none.Equal(none.Change(nil)) ||
		none.Change([]repo.Ref{{Name: "gone"}}) != none {
		t.Error("the zero Refs are not none")
	}
	for range none.PointingAt(number(1)) {
		t.Error("nothing points anywhere")
	}
	refs := repo.NewRefs(repo.Ref{Name: "b", Target: number(1)}, repo.Ref{Name: "a", Target: number(1)},
		repo.Ref{Name: "b", Target: number(2), Peeled: number(1)})
	if got, want := refs.String(), fmt.Sprint([]repo.Ref{{Name: "a", Target: number(1)},
		{Name: "b", Target: number(2), Peeled: number(1)}}); got != want {
		t.Errorf("refs %s, want %s", got, want)
	}
	for walk, seq := range map[string]func(func(repo.Ref) bool){"All": refs.All(), "From": refs.From("a"),
		"Prefix": refs.Prefix(""), "PointingAt": refs.PointingAt(number(1))} {
		n := 0
		for range seq {
			n++
			break
		}
		if n != 1 {
			t.Errorf("%s: %d rounds", walk, n)
		}
	}
}

func TestRefsBuilderOrder(t *testing.T) {
	for _, second := range []string{"refs/a", "refs/b", ""} {
		var b repo.RefsBuilder
		if err := b.Add([]byte("refs/b"), number(1), git.ID{}); err != nil {
			t.Fatal(err)
		}
		if err := b.Add([]byte(second), number(1), git.ID{}); err == nil || !strings.Contains(err.Error(), "out of order") {
			t.Errorf("%q after refs/b: %v", second, err)
		}
	}
}

// million are 1,000,000 refs with names of 30 bytes.
func million(t testing.TB) repo.Refs {
	t.Helper()
	const n = 1_000_000
	var b repo.RefsBuilder
	var name []byte
	for i := range n {
		name = fmt.Appendf(name[:0], "refs/heads/topic/%03d/%07d-x", i/4000, i)
		if err := b.Add(name, spread(i), git.ID{}); err != nil {
			t.Fatal(err)
		}
	}
	return b.Refs()
}

// A million refs take 120 MB at most, with all that is kept to find them.
func TestMillionRefsMemory(t *testing.T) {
	if testing.Short() {
		t.Skip("makes a million refs")
	}
	heap := func() int64 {
		var m runtime.MemStats
		runtime.GC()
		runtime.ReadMemStats(&m)
		return int64(m.HeapAlloc)
	}
	before := heap()
	refs := million(t)
	for range refs.PointingAt(number(1)) {
		t.Error("found")
	}
	took := heap() - before
	if told := refs.Bytes(); took > 120_000_000 || told < took*9/10 || told > took*11/10 {
		t.Errorf("a million refs take %d bytes, Bytes says %d", took, told)
	}
	t.Logf("%d bytes", took)
	runtime.KeepAlive(refs)
}

// What is done for each request allocates nothing, whatever the number of refs.
func TestRefsAllocate(t *testing.T) {
	var list []repo.Ref
	for i := range 5000 {
		list = append(list, repo.Ref{Name: fmt.Sprintf("refs/heads/%05d", i), Target: spread(i)})
	}
	refs := repo.NewRefs(list...)
	for range refs.PointingAt(spread(1)) { // sorts
		break
	}
	n := 0
	if a := testing.AllocsPerRun(10, func() {
		for range refs.All() {
			n++
		}
		for range refs.Prefix("refs/heads/04") {
			n++
		}
		if _, ok := refs.Find("refs/heads/01234"); ok {
			n++
		}
		for range refs.PointingAt(spread(77)) {
			n++
		}
	}); a > 8 {
		t.Errorf("%v allocations for walks over %d refs", a, n)
	}
}

func BenchmarkMillionRefs(b *testing.B) {
	refs := million(b)
	for range refs.PointingAt(number(1)) {
		b.Error("found")
	}
	name := func(i int) string { i %= 1_000_000; return fmt.Sprintf("refs/heads/topic/%03d/%07d-x", i/4000, i) }
	b.Run("Change", func(b *testing.B) {
		now := refs
		for i := 0; b.Loop(); i++ {
			now = now.Change([]repo.Ref{{Name: name(i * 7919), Target: spread(i)}})
		}
	})
	b.Run("Create", func(b *testing.B) {
		now := refs
		for i := 0; b.Loop(); i++ {
			now = now.Change([]repo.Ref{{Name: name(i*7919) + "y", Target: spread(i)}})
		}
	})
	b.Run("Find", func(b *testing.B) {
		for i := 0; b.Loop(); i++ {
			refs.Find(name(i * 7919))
		}
	})
	b.Run("PointingAt", func(b *testing.B) {
		for i := 0; b.Loop(); i++ {
			for range refs.PointingAt(spread(i % 1_000_000)) {
			}
		}
	})
	b.Run("All", func(b *testing.B) {
		for b.Loop() {
			for range refs.All() {
			}
		}
	})
}
