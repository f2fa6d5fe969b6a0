package repo_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/ingot-forge/ingot/git"
	"github.com/ingot-forge/ingot/git/pack"
	"github.com/ingot-forge/ingot/git/repo"
)

func (w *world) compact(o repo.CompactOptions) repo.CompactReport {
	w.Helper()
	r, err := w.Compact(w.Context(), w.id, o)
	if err != nil {
		w.Fatalf("Compact: %v", err)
	}
	return r
}

func (w *world) packs() []repo.Pack { w.Helper(); return w.snapshot(w.id).State().Packs }

// sameAs compares the objects that stock git reaches with the repository's.
func (w *world) sameAs(s *stock) {
	w.Helper()
	snap, all := w.snapshot(w.id), s.all()
	for _, id := range s.reachable("--all") {
		want := all[id]
		kind, data, err := snap.Object(w.Context(), id)
		if err != nil || kind != want.kind || string(data) != want.data {
			w.Errorf("object %s: %s of %d bytes, %v; want %s of %d", id, kind, len(data), err, want.kind, len(want.data))
		}
	}
}

// stockAccepts gives the repository's packs to git.
func (w *world) stockAccepts(s *stock) (verified string) {
	w.Helper()
	dir := w.TempDir()
	for _, p := range w.packs() {
		idx := save(w, w.files, repo.IndexFile(p.Name), dir)
		path := save(w, w.files, repo.PackFile(p.Name), dir)
		verified += s.git("", "verify-pack", "-v", idx)
		s.git("", "index-pack", "--strict", "-o", idx+".git", path)
		ours, err := os.ReadFile(idx)
		if err != nil {
			w.Fatal(err)
		}
		if gits, err := os.ReadFile(idx + ".git"); err != nil || !bytes.Equal(ours, gits) {
			w.Errorf("index of %s is not what git makes: %v", p.Name, err)
		}
	}
	return verified
}

// pushEach makes commits and pushes each by itself, thin.
func (w *world) pushEach(s *stock, commits int) {
	w.Helper()
	for i := range commits {
		revs := []string{"main"}
		if old, err := s.try("", "rev-parse", "--verify", "-q", "main"); err == nil {
			revs = append(revs, "^"+strings.TrimSpace(old))
		}
		s.grow("main", uint64(i), 1)
		w.push(w.id, s.pack(append(revs, fmt.Sprint("v", i))...), s.refs())
	}
}

func TestCompact(t *testing.T) {
	for _, f := range []git.Format{git.SHA1, git.SHA256} {
		t.Run(f.String(), func(t *testing.T) {
			w, s := newWorld(t, f), newStock(t, f)
			w.pushEach(s, 12)
			// The same objects once more, with other deltas: all are duplicates.
			w.push(w.id, s.packOf(s.reachable("--all")...), nil)
			before := w.snapshot(w.id)
			refs := before.State().Refs
			old := w.names()

			var last, most int
			r := w.compact(repo.CompactOptions{All: true, Progress: func(phase string, done, total int) {
				if phase == "verifying" {
					last, most = max(last, done), total
				}
			}})
			objects := len(s.reachable("--all"))
			if r.Joined != 13 || r.Kept != 0 || r.Objects-r.Duplicates != int64(objects) || r.Duplicates < int64(objects) {
				t.Errorf("report: %+v, of %d objects", r, objects)
			}
			if last != objects || most != last {
				t.Errorf("progress ended at %d of %d, want %d", last, most, objects)
			}
			packs := w.packs()
			if len(packs) != 1 || packs[0].Objects != int64(objects) || packs[0].Bytes != r.After || r.After >= r.Before {
				t.Fatalf("packs: %+v, report %+v", packs, r)
			}
			if now := w.snapshot(w.id).State(); !now.Refs.Equal(refs) || now.Version <= before.State().Version {
				t.Errorf("refs or version are wrong: %+v", now)
			}
			w.sameAs(s)
			w.stockAccepts(s)
			if faults := w.faults(w.id); faults != nil {
				t.Errorf("faults: %q", faults)
			}
			// A snapshot from before reads on, from files that stay for a while.
			w.clock.Add(23 * time.Hour)
			if n, _, err := w.Sweep(t.Context(), nil); n != 0 || err != nil {
				t.Errorf("swept %d files after 23 hours, %v", n, err)
			}
			for _, id := range s.reachable("--all") {
				if _, _, err := before.Object(t.Context(), id); err != nil {
					t.Errorf("snapshot from before: %v", err)
				}
			}
			w.clock.Add(2 * time.Hour)
			var removed []string
			if _, _, err := w.Sweep(t.Context(), func(file string, _ int64) { removed = append(removed, file) }); err != nil {
				t.Fatal(err)
			}
			slices.Sort(removed)
			if slices.Sort(old); !slices.Equal(removed, old) {
				t.Errorf("swept %q, want %q", removed, old)
			}
			w.sameAs(s)
			if r := w.compact(repo.CompactOptions{All: true}); r.Joined != 0 || r.Kept != 1 {
				t.Errorf("compacted what was compacted: %+v", r)
			}
		})
	}
}

// TestCompactManyPushes pushes 300 thin packs, each upon the one before.
func TestCompactManyPushes(t *testing.T) {
	w, s := newWorld(t, git.SHA1), newStock(t, git.SHA1)
	var in strings.Builder
	for n := range 300 {
		// One file that changes a little each time: the longest chain there can be.
		var text strings.Builder
		for line := range 60 {
			fmt.Fprintf(&text, "line %d as of %d\n", line, (n+60-line)/60)
		}
		fmt.Fprintf(&in, "commit refs/heads/main\ncommitter C <c@example.com> %d +0000\ndata 1\nm\nM 100644 inline f\ndata %d\n%s\n",
			1700000000+n, text.Len(), text.String())
	}
	s.git(in.String(), "fast-import", "--quiet")
	whole := int64(0)
	revs := []string{""}
	for hex := range strings.Lines(s.git("", "rev-list", "--reverse", "main")) {
		revs[0] = strings.TrimSpace(hex)
		w.push(w.id, s.pack(revs...), map[string]git.ID{"refs/heads/main": s.id(hex)})
		revs = []string{"", "^" + revs[0]}
		whole += w.compact(repo.CompactOptions{Least: 8}).Whole
		if packs := len(w.packs()); packs > 8+8 {
			t.Fatalf("%d packs", packs)
		}
	}
	w.compact(repo.CompactOptions{})
	if packs := len(w.packs()); packs > 8 {
		t.Errorf("%d packs left", packs)
	}
	w.compact(repo.CompactOptions{All: true})
	w.sameAs(s)
	longest := 0
	for line := range strings.Lines(w.stockAccepts(s)) {
		if n, ok := strings.CutPrefix(line, "chain length = "); ok {
			depth, _, _ := strings.Cut(n, ":")
			longest, _ = strconv.Atoi(depth)
		}
	}
	// Each was at most a handful long as it came.
	if longest < 20 || longest > 100 || whole == 0 {
		t.Errorf("the longest chain is %d, %d deltas were made whole", longest, whole)
	}
	if faults := w.faults(w.id); faults != nil {
		t.Errorf("faults: %q", faults)
	}
}

// deltaPack makes a pack of one whole object and deltas, each of which starts
// from the one before it or, backwards, is stored before it and names it by id.
func deltaPack(t *testing.T, backwards bool, contents ...string) []byte {
	t.Helper()
	var b bytes.Buffer
	p, err := pack.NewWriter(&b, git.SHA1, len(contents))
	if err != nil {
		t.Fatal(err)
	}
	write := func(i int) {
		if i == 0 {
			err = errors.Join(err, p.Object(git.KindBlob, []byte(contents[0])))
			return
		}
		base := []byte(contents[i-1])
		delta := insertAll(len(base), contents[i])
		err = errors.Join(err, p.Delta(delta, -1, blobID(t, contents[i-1])))
	}
	for i := range contents {
		if backwards {
			i = len(contents) - 1 - i
		}
		write(i)
	}
	_, closed := p.Close()
	if err := errors.Join(err, closed); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// insertAll is a delta that takes nothing from its base.
func insertAll(base int, content string) []byte {
	if base > 127 || len(content) > 127 {
		panic("too long for a delta this simple")
	}
	return append([]byte{byte(base), byte(len(content)), byte(len(content))}, content...)
}

// TestCompactDeltasOfEachOther has pairs of packs in which the same objects start
// from each other in opposite directions.
func TestCompactDeltasOfEachOther(t *testing.T) {
	a, b, c, d := "first text", "second text, longer", "third", "fourth, and last"
	for i, packs := range [][][]byte{
		{deltaPack(t, false, a, b), deltaPack(t, false, b, a)},
		{deltaPack(t, true, a, b), deltaPack(t, true, b, a)},
		{deltaPack(t, true, a, b, c), deltaPack(t, true, b, c, a), deltaPack(t, true, c, a, b)},
		{deltaPack(t, true, a, b, c, d), deltaPack(t, true, d, c, b, a), deltaPack(t, false, c, d), deltaPack(t, false, a)},
		{deltaPack(t, false, a), deltaPack(t, true, a, b), deltaPack(t, true, a, b, c), deltaPack(t, true, a, b, c, d)},
	} {
		w, s := newWorld(t, git.SHA1), newStock(t, git.SHA1)
		for _, p := range packs {
			w.push(w.id, p, nil)
		}
		before := w.snapshot(w.id)
		refs := map[string]git.ID{}
		for n, text := range []string{a, b, c, d} {
			if has, _ := before.Has(t.Context(), blobID(t, text)); has {
				refs[fmt.Sprint("refs/x/", n)] = blobID(t, text)
			}
		}
		if _, err := w.Commit(t.Context(), w.change(w.id, nil, refs)); err != nil {
			t.Fatal(err)
		}
		r := w.compact(repo.CompactOptions{All: true})
		if r.Joined != len(packs) || r.Duplicates == 0 || r.Whole != 0 || len(w.packs()) != 1 {
			t.Errorf("case %d: %+v", i, r)
		}
		w.stockAccepts(s)
		after := w.snapshot(w.id)
		for _, text := range []string{a, b, c, d} {
			id := blobID(t, text)
			had, _ := before.Has(t.Context(), id)
			_, data, err := after.Object(t.Context(), id)
			if had && (err != nil || string(data) != text) || !had && !errors.Is(err, git.ErrNotFound) {
				t.Errorf("case %d: %q is %q, %v", i, text, data, err)
			}
		}
		if faults := w.faults(w.id); faults != nil {
			t.Errorf("case %d: faults %q", i, faults)
		}
	}
}

// TestCompactBesidePushes has pushers and compactors at once.
func TestCompactBesidePushes(t *testing.T) {
	w, s := newWorld(t, git.SHA1), newStock(t, git.SHA1)
	const pushers, pushes = 3, 8
	packs := make([][][]byte, pushers)
	tips := make([][]git.ID, pushers)
	for p := range pushers {
		branch := fmt.Sprint("b", p)
		for i := range pushes {
			revs := []string{branch}
			if i > 0 {
				revs = append(revs, "^"+s.resolve(branch).String())
			}
			s.grow(branch, uint64(100*p+i), 1)
			tips[p] = append(tips[p], s.resolve(branch))
			packs[p] = append(packs[p], s.pack(revs...))
			s.git("", "tag", "-d", fmt.Sprint("v", 100*p+i)) // no ref of ours will reach it
		}
	}
	var done atomic.Bool
	var pushing, others sync.WaitGroup
	for p := range pushers {
		pushing.Go(func() {
			var at git.ID
			for i := range pushes {
				snap, err := w.Snapshot(t.Context(), w.id)
				if err != nil {
					t.Error(err)
					return
				}
				staged, err := w.Ingest(t.Context(), snap, bytes.NewReader(packs[p][i]), repo.IngestOptions{Tips: tips[p][i : i+1]})
				snap.Close()
				if err != nil {
					t.Errorf("Ingest: %v", err)
					return
				}
				if _, err := w.Commit(t.Context(), &repo.Change{Repository: w.id, Add: []repo.Pack{staged.Pack},
					Refs: []repo.RefUpdate{{Name: fmt.Sprint("refs/heads/b", p), Old: at, New: tips[p][i]}}}); err != nil {
					t.Errorf("Commit: %v", err)
					return
				}
				at = tips[p][i]
			}
		})
	}
	var joined, lost atomic.Int32
	for _, all := range []bool{false, true} {
		others.Go(func() {
			for !done.Load() {
				r, err := w.Compact(t.Context(), w.id, repo.CompactOptions{All: all})
				switch {
				case errors.Is(err, repo.ErrOutOfDate):
					lost.Add(1)
				case err != nil:
					t.Errorf("Compact: %v", err)
					return
				default:
					joined.Add(int32(r.Joined))
				}
			}
		})
	}
	pushing.Wait()
	done.Store(true)
	others.Wait()
	w.compact(repo.CompactOptions{All: true})
	t.Logf("%d packs joined, %d races lost", joined.Load(), lost.Load())
	for p := range pushers {
		if r, _ := w.snapshot(w.id).Ref(fmt.Sprint("refs/heads/b", p)); r.Target != tips[p][pushes-1] {
			t.Errorf("branch %d is at %s, want %s", p, r.Target, tips[p][pushes-1])
		}
	}
	w.sameAs(s)
	w.stockAccepts(s)
	if faults := w.faults(w.id); faults != nil {
		t.Errorf("faults: %q", faults)
	}
	// What the losers wrote is gone already; the rest goes with time.
	w.clock.Add(25 * time.Hour)
	if _, _, err := w.Sweep(t.Context(), nil); err != nil {
		t.Fatal(err)
	}
	if n := len(w.names()); n != 2 {
		t.Errorf("%d files left, want those of one pack", n)
	}
}

// TestCompactLosesRace drops a pack from under a compaction.
func TestCompactLosesRace(t *testing.T) {
	w, s := newWorld(t, git.SHA1), newStock(t, git.SHA1)
	w.pushEach(s, 4)
	files := w.names()
	once := sync.OnceFunc(func() { w.compact(repo.CompactOptions{All: true}) })
	_, err := w.Compact(t.Context(), w.id, repo.CompactOptions{All: true, Progress: func(string, int, int) { once() }})
	if !errors.Is(err, repo.ErrOutOfDate) {
		t.Errorf("Compact: %v, want ErrOutOfDate", err)
	}
	if n := len(w.names()); n != len(files)+2 || w.files.Drafts() != 0 || len(w.packs()) != 1 {
		t.Errorf("%d files, %d drafts, want %d and none", n, w.files.Drafts(), len(files)+2)
	}
	w.sameAs(s)
}

// TestCompactCancelled ends a compaction at every step of its progress.
func TestCompactCancelled(t *testing.T) {
	w, s := newWorld(t, git.SHA1), newStock(t, git.SHA1)
	w.pushEach(s, 3)
	files, state := w.names(), w.snapshot(w.id).State()
	for _, at := range []int{1, 2, 7, 20, 40, 55} {
		ctx, cancel := context.WithCancel(t.Context())
		calls := 0
		_, err := w.Compact(ctx, w.id, repo.CompactOptions{All: true, Progress: func(string, int, int) {
			if calls++; calls >= at {
				cancel()
			}
		}})
		cancel()
		if !errors.Is(err, context.Canceled) {
			t.Errorf("cancelled at %d: %v", at, err)
		}
		if got := w.names(); !slices.Equal(got, files) || w.files.Drafts() != 0 {
			t.Errorf("cancelled at %d: %d drafts, files %q", at, w.files.Drafts(), got)
		}
		if now := w.snapshot(w.id).State(); now.Version != state.Version {
			t.Errorf("cancelled at %d: version %d", at, now.Version)
		}
	}
}

// TestCompactDamaged flips bytes of packs and indexes: either it fails and changes
// nothing, or what was hit does not matter.
func TestCompactDamaged(t *testing.T) {
	s := newStock(t, git.SHA1)
	s.grow("main", 1, 3)
	old := s.resolve("main")
	first := s.pack("main", "v1")
	s.grow("main", 2, 3)
	second := s.pack("main", "v2", "^"+old.String())
	for n := range 60 {
		w := newWorld(t, git.SHA1)
		w.push(w.id, first, nil)
		w.push(w.id, second, nil)
		before := w.snapshot(w.id).State()
		file := repo.PackFile(before.Packs[n%2].Name)
		if n%3 == 0 {
			file = repo.IndexFile(before.Packs[n%2].Name)
		}
		if err := w.files.Damage(file, func(data []byte) []byte { data[(n*7919+13)%len(data)] ^= 0x41; return data }); err != nil {
			t.Fatal(err)
		}
		_, err := repo.New(w.files, w.catalog, w.config()).Compact(t.Context(), w.id, repo.CompactOptions{All: true})
		if err != nil {
			if now := w.snapshot(w.id).State(); now.Version != before.Version || len(w.names()) != 4 {
				t.Errorf("damage %d of %s: %v, and it changed something: %q", n, file, err, w.names())
			}
			continue
		}
		if faults := w.faults(w.id); faults != nil {
			t.Errorf("damage %d of %s was carried on: %q", n, file, faults)
		}
	}
}

// TestCompactCrashTable makes every write step of a compaction fail, in every way,
// and looks at what a restart finds.
func TestCompactCrashTable(t *testing.T) {
	s := newStock(t, git.SHA1)
	s.grow("main", 1, 2)
	old := s.resolve("main")
	first := s.pack("main", "v1")
	s.grow("main", 2, 2)
	second := s.pack("main", "v2", "^"+old.String())
	run := func(f *fault) (committed bool) {
		w := newWorld(t, git.SHA1)
		w.push(w.id, first, nil)
		w.push(w.id, second, s.refs())
		before := w.snapshot(w.id).State()
		store := repo.New(faultyFiles{w.files, f}, faultyCatalog{w.catalog, f}, w.config())
		_, err := store.Compact(t.Context(), w.id, repo.CompactOptions{All: true})
		if closed := store.Close(); closed != nil {
			t.Error(closed)
		}
		restarted := repo.New(w.files, w.catalog, w.config())
		defer restarted.Close()
		w.Store = restarted
		after := w.snapshot(w.id).State()
		committed = after.Version != before.Version
		switch {
		case err == nil && !committed:
			t.Errorf("reported and lost")
		case err != nil && committed && !errors.Is(err, repo.ErrUnknown):
			t.Errorf("refused by %v, yet committed", err)
		case committed != (len(after.Packs) == 1) || !after.Refs.Equal(before.Refs):
			t.Errorf("neither before nor after: %+v", after)
		}
		settle(t, w, after)
		w.sameAs(s)
		if r := w.compact(repo.CompactOptions{All: true}); (r.Joined == 2) == committed {
			t.Errorf("again: %+v", r)
		}
		settle(t, w, w.snapshot(w.id).State())
		w.sameAs(s)
		return committed
	}
	none := &fault{at: -1}
	if !run(none) {
		t.Fatal("without a fault nothing was committed")
	}
	for step, what := range none.names {
		for _, f := range []*fault{{at: step}, {at: step, done: true}, {at: step, crash: true}, {at: step, done: true, crash: true}} {
			committed := run(f)
			if what == "commit" && committed != f.done {
				t.Errorf("commit, done %v: committed=%v", f.done, committed)
			}
			if t.Failed() {
				t.Fatalf("step %d of %v, done %v, crash %v", step, none.names, f.done, f.crash)
			}
		}
	}
}

func blobID(t *testing.T, content string) git.ID {
	t.Helper()
	id, err := git.NewHasher(git.SHA1).Hash(git.KindBlob, []byte(content))
	if err != nil {
		t.Fatal(err)
	}
	return id
}
