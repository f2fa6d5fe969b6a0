package repo_test

import (
	"bytes"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/ingot-forge/ingot/git"
	"github.com/ingot-forge/ingot/git/commitgraph"
	"github.com/ingot-forge/ingot/git/repo"
)

// derive makes derived data be written for packs of any size.
func (w *world) derive(from int) *world {
	w.Helper()
	config := w.config()
	config.DeriveFrom = from
	config.Damaged = func(file string, err error) { w.damaged = append(w.damaged, fmt.Sprint(file, ": ", err)) }
	w.Store = repo.New(w.files, w.catalog, config)
	return w
}

func (w *world) has(file string) bool { w.Helper(); return slices.Contains(w.names(), file) }

// bare lays the repository out as one of stock git, derived data and all.
func (w *world) bare() *stock {
	w.Helper()
	s := newStock(w, w.format)
	packs, info := filepath.Join(s.dir, "objects/pack"), filepath.Join(s.dir, "objects/info")
	state := w.snapshot(w.id).State()
	bitmaps := 0
	var graphs []string
	move := func(file, to string) {
		if err := os.Rename(save(w, w.files, file, w.TempDir()), to); err != nil {
			w.Fatal(err)
		}
	}
	for _, p := range state.Packs {
		base := filepath.Join(packs, fmt.Sprintf("pack-%x", p.Checksum))
		move(repo.PackFile(p.Name), base+".pack")
		move(repo.IndexFile(p.Name), base+".idx")
		if w.has(repo.RevFile(p.Name)) {
			move(repo.RevFile(p.Name), base+".rev")
		}
		if w.has(repo.BitmapFile(p.Name)) {
			if bitmaps++; len(state.Packs) == 1 { // git knows no layers
				move(repo.BitmapFile(p.Name), base+".bitmap")
			}
		}
		if w.has(repo.GraphFile(p.Name)) {
			path := save(w, w.files, repo.GraphFile(p.Name), w.TempDir())
			data, err := os.ReadFile(path)
			if err != nil {
				w.Fatal(err)
			}
			graphs = append(graphs, fmt.Sprintf("%x", commitgraph.Checksum(w.format, data)))
			if err := os.MkdirAll(filepath.Join(info, "commit-graphs"), 0o777); err != nil {
				w.Fatal(err)
			}
			if err := os.Rename(path, filepath.Join(info, "commit-graphs", "graph-"+graphs[len(graphs)-1]+".graph")); err != nil {
				w.Fatal(err)
			}
		}
	}
	if graphs != nil {
		chain := strings.Join(graphs, "\n") + "\n"
		if err := os.WriteFile(filepath.Join(info, "commit-graphs/commit-graph-chain"), []byte(chain), 0o666); err != nil {
			w.Fatal(err)
		}
	}
	var refs strings.Builder
	for r := range state.Refs.All() {
		fmt.Fprintf(&refs, "create %s %s\n", r.Name, w.format.Hex(r.Target))
	}
	s.git(refs.String(), "update-ref", "--stdin")
	return s
}

// stockVerifies has git check everything, derived data included; with bitmaps set there must be some.
func (w *world) stockVerifies(bitmaps bool) {
	w.Helper()
	s := w.bare()
	s.git("", "fsck", "--full", "--strict", "--no-dangling")
	graphs, err := filepath.Glob(filepath.Join(s.dir, "objects/info/commit-graphs/graph-*"))
	if err != nil || bitmaps && len(graphs) == 0 {
		w.Errorf("no commit graph: %v", err)
	}
	if len(graphs) > 0 {
		s.git("", "commit-graph", "verify")
	}
	packs, _ := filepath.Glob(filepath.Join(s.dir, "objects/pack/*.pack"))
	for _, p := range packs {
		base := strings.TrimSuffix(p, ".pack")
		s.git("", "verify-pack", base+".idx")
		out := filepath.Join(w.TempDir(), "gits.idx")
		s.git("", "index-pack", "--strict", "--rev-index", "-o", out, p)
		same(w, base+".idx", out)
		if _, err := os.Stat(base + ".rev"); err == nil {
			same(w, base+".rev", strings.TrimSuffix(out, ".idx")+".rev")
		} else if bitmaps {
			w.Errorf("no reverse index: %v", err)
		}
	}
	if !bitmaps || len(packs) != 1 {
		return
	}
	if _, err := os.Stat(strings.TrimSuffix(packs[0], ".pack") + ".bitmap"); err != nil {
		w.Fatal(err)
	}
	refs := strings.Fields(s.git("", "for-each-ref", "--format=%(refname)", "refs/heads"))
	for _, r := range refs {
		s.git("", "rev-list", "--test-bitmap", r)
	}
	if got, want := s.git("", "rev-list", "--count", "--objects", "--use-bitmap-index", "--all"), s.git("", "rev-list", "--count", "--objects", "--all"); got != want {
		w.Errorf("git counts %s objects by bitmaps, and %s without", got, want)
	}
}

func same(t testing.TB, ours, gits string) {
	t.Helper()
	a, err := os.ReadFile(ours)
	b, err2 := os.ReadFile(gits)
	if err := errors.Join(err, err2); err != nil || !bytes.Equal(a, b) {
		t.Errorf("%s is not what git makes (%d and %d bytes): %v", filepath.Base(ours), len(a), len(b), err)
	}
}

// layers returns how many packs the bitmaps cover, of how many.
func (w *world) layers() (bitmaps, packs int) {
	w.Helper()
	snap := w.snapshot(w.id)
	x, covered, err := snap.Bitmaps(w.Context())
	if err != nil {
		w.Fatal(err)
	}
	if (x == nil) != (len(covered) == 0) {
		w.Errorf("bitmaps %v of %d packs", x != nil, len(covered))
	}
	return len(covered), len(snap.State().Packs)
}

func TestCompactDerives(t *testing.T) {
	for _, f := range []git.Format{git.SHA1, git.SHA256} {
		t.Run(f.String(), func(t *testing.T) {
			w, s := newWorld(t, f).derive(1), newStock(t, f)
			w.pushEach(s, 1)
			if covered, _ := w.layers(); covered != 0 {
				t.Errorf("%d layers before anything was written", covered)
			}
			// The first pack gets what is derived, and stays as it is.
			first := w.packs()[0].Name
			r := w.compact(repo.CompactOptions{Least: 8})
			if r.Joined != 0 || r.Derived != 3 || r.Problems != nil || w.packs()[0].Name != first {
				t.Errorf("report: %+v", r)
			}
			if covered, packs := w.layers(); covered != 1 || packs != 1 {
				t.Errorf("%d layers of %d packs", covered, packs)
			}
			w.stockVerifies(true)
			if r := w.compact(repo.CompactOptions{}); r.Did() {
				t.Errorf("again: %+v", r)
			}

			for i := range 4 {
				w.pushMore(s, i, 3)
				w.compact(repo.CompactOptions{})
				if covered, packs := w.layers(); covered != packs {
					t.Errorf("%d layers of %d packs", covered, packs)
				}
				if faults := w.faults(w.id); faults != nil {
					t.Errorf("faults: %q", faults)
				}
				w.stockVerifies(true)
				w.sameAs(s)
			}
			w.compact(repo.CompactOptions{All: true})
			if covered, packs := w.layers(); covered != 1 || packs != 1 {
				t.Errorf("%d layers of %d packs", covered, packs)
			}
			w.stockVerifies(true)
			w.sameAs(s)
			if w.damaged != nil {
				t.Errorf("damaged: %q", w.damaged)
			}
			// Nothing derived outlives its pack.
			w.clock.Add(25 * time.Hour)
			if _, _, err := w.Sweep(t.Context(), nil); err != nil || len(w.names()) != 5 {
				t.Errorf("left: %q, %v", w.names(), err)
			}
		})
	}
}

// pushMore pushes a number of commits, each by itself, and moves a few refs.
func (w *world) pushMore(s *stock, seed, commits int) {
	w.Helper()
	for n := range commits {
		old := s.git("", "rev-parse", "main")
		s.grow("main", uint64(1000+100*seed+n), 1)
		w.push(w.id, s.pack("main", fmt.Sprint("v", 1000+100*seed+n), "^"+strings.TrimSpace(old)), s.refs())
	}
}

// TestDerivedDamaged flips a byte of each derived file: it is done without, told, found by
// Check, and written anew by the next compaction.
func TestDerivedDamaged(t *testing.T) {
	for _, file := range []func(string) string{repo.RevFile, repo.BitmapFile, repo.GraphFile} {
		w, s := newWorld(t, git.SHA1).derive(1), newStock(t, git.SHA1)
		w.pushEach(s, 3)
		w.compact(repo.CompactOptions{All: true})
		name := file(w.packs()[0].Name)
		for at := range 15 {
			if err := w.files.Damage(name, func(data []byte) []byte { data[(at*7919)%len(data)] ^= 0x41; return data }); err != nil {
				t.Fatal(err)
			}
			w.damaged = nil
			w.derive(1) // a new store, which has nothing open
			if _, _, err := w.snapshot(w.id).Bitmaps(t.Context()); err != nil {
				t.Errorf("%s: Bitmaps: %v", name, err)
			}
			if _, err := w.snapshot(w.id).Graph(t.Context()); err != nil {
				t.Errorf("%s: Graph: %v", name, err)
			}
			w.sameAs(s)
			if len(w.damaged) == 0 {
				t.Errorf("%s: nothing was told of the damage at %d", name, at)
			}
			if faults := w.faults(w.id); len(faults) == 0 {
				t.Errorf("%s: Check finds nothing", name)
			}
			if r := w.compact(repo.CompactOptions{}); r.Derived == 0 || r.Problems != nil {
				t.Errorf("%s: not written anew: %+v", name, r)
			}
			if faults := w.faults(w.id); faults != nil {
				t.Fatalf("%s: faults after it was written anew: %q", name, faults)
			}
		}
		w.stockVerifies(true)
	}
}

// TestDerivedElsewhere has another node write what this one found missing.
func TestDerivedElsewhere(t *testing.T) {
	w, s := newWorld(t, git.SHA1).derive(1), newStock(t, git.SHA1)
	w.pushEach(s, 2)
	if covered, _ := w.layers(); covered != 0 {
		t.Fatal("there are bitmaps already")
	}
	config := w.config()
	config.DeriveFrom = 1
	other := repo.New(w.files, w.catalog, config)
	if _, err := other.Compact(t.Context(), w.id, repo.CompactOptions{}); err != nil {
		t.Fatal(err)
	}
	if err := other.Close(); err != nil {
		t.Error(err)
	}
	w.clock.Add(time.Minute)
	if covered, packs := w.layers(); covered != packs {
		t.Errorf("%d layers of %d packs", covered, packs)
	}
}

// TestCompactAtRandom pushes, deletes refs and compacts at random, with the clock running.
func TestCompactAtRandom(t *testing.T) {
	seeds := 4
	if testing.Short() {
		seeds = 2
	}
	for seed := range seeds {
		rng := rand.New(rand.NewPCG(uint64(seed), 7))
		w, s := newWorldOf(t, git.SHA1, []int{-1, 0}[seed%2]).derive(1+rng.IntN(200)), newStock(t, git.SHA1)
		tips := map[string]string{}
		for step := range 25 {
			branch := fmt.Sprint("b", rng.IntN(3))
			switch n := rng.IntN(10); {
			case n < 6:
				var known []string
				for r := range w.snapshot(w.id).State().Refs.All() {
					known = append(known, "^"+r.Target.String())
				}
				s.grow(branch, uint64(1000*seed+step), 1+rng.IntN(3))
				s.git("", "tag", "-d", fmt.Sprint("v", 1000*seed+step))
				w.push(w.id, s.pack(append(known, branch)...), s.refs())
				tips[branch] = s.git("", "rev-parse", branch)
			case n == 6 && tips[branch] != "":
				delete(tips, branch)
				s.git("", "update-ref", "-d", "refs/heads/"+branch)
				if _, err := w.Commit(t.Context(), w.change(w.id, nil, map[string]git.ID{"refs/heads/" + branch: {}})); err != nil {
					t.Fatal(err)
				}
			case n == 7:
				w.clock.Add(time.Duration(rng.IntN(40)) * time.Hour)
				if _, _, err := w.Sweep(t.Context(), nil); err != nil {
					t.Fatal(err)
				}
			default:
				r := w.compact(repo.CompactOptions{All: rng.IntN(3) == 0})
				if r.Problems != nil {
					t.Fatalf("seed %d, step %d: %v", seed, step, r)
				}
				w.sameAs(s)
			}
			if t.Failed() {
				t.Fatalf("seed %d, step %d", seed, step)
			}
		}
		w.compact(repo.CompactOptions{All: true})
		w.sameAs(s)
		if faults := w.faults(w.id); faults != nil || w.damaged != nil {
			t.Errorf("seed %d: faults %q, damaged %q", seed, faults, w.damaged)
		}
		if len(w.packs()) == 1 {
			w.stockVerifies(false)
		}
	}
}

// TestDeriveCrashTable makes every write step of compactions that write derived data fail, in every
// way: of one that only writes these, and of one that joins packs as well.
func TestDeriveCrashTable(t *testing.T) {
	s := newStock(t, git.SHA1)
	s.grow("main", 1, 2)
	old := s.resolve("main")
	first, firstRefs := s.pack("main", "v1"), s.refs()
	s.grow("main", 2, 2)
	second, refs := s.pack("main", "v2", "^"+old.String()), s.refs()
	for _, joins := range []bool{false, true} {
		if joins && testing.Short() {
			break
		}
		run := func(f *fault) {
			w := newWorld(t, git.SHA1).derive(1)
			w.push(w.id, first, firstRefs)
			if joins {
				w.push(w.id, second, refs)
			}
			config := w.config()
			config.DeriveFrom = 1
			store := repo.New(faultyFiles{w.files, f}, faultyCatalog{w.catalog, f}, config)
			r, err := store.Compact(t.Context(), w.id, repo.CompactOptions{All: joins})
			if hit := f.at >= 0 && f.at < len(f.names); err == nil && hit && r.Problems == nil && f.names[f.at] != "discard" {
				t.Errorf("a lost %s went unnoticed: %v", f.names[f.at], r)
			}
			if closed := store.Close(); closed != nil {
				t.Error(closed)
			}
			w.derive(1)
			if faults := w.faults(w.id); faults != nil {
				t.Errorf("faults: %q", faults)
			}
			if r := w.compact(repo.CompactOptions{All: joins}); r.Problems != nil {
				t.Errorf("again: %v", r)
			}
			if covered, packs := w.layers(); covered != packs {
				t.Errorf("%d layers of %d packs", covered, packs)
			}
			w.clock.Add(25 * time.Hour)
			if _, _, err := w.Sweep(t.Context(), nil); err != nil {
				t.Error(err)
			}
			if n := len(w.names()); n != 5*len(w.packs()) || w.files.Drafts() != 0 {
				t.Errorf("%d drafts, files %q", w.files.Drafts(), w.names())
			}
			if faults := w.faults(w.id); faults != nil || w.damaged != nil {
				t.Errorf("faults after the second: %q, damaged %q", faults, w.damaged)
			}
		}
		none := &fault{at: -1}
		run(none)
		for step := range none.names {
			for _, f := range []*fault{{at: step}, {at: step, done: true}, {at: step, crash: true}, {at: step, done: true, crash: true}} {
				run(f)
				if t.Failed() {
					t.Fatalf("joins %v, step %d of %v, done %v, crash %v", joins, step, none.names, f.done, f.crash)
				}
			}
		}
	}
}
