package repo_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/ingot-forge/ingot/git"
	"github.com/ingot-forge/ingot/git/repo"
)

func TestCommitRefusesWhatIsInvalid(t *testing.T) {
	w := newWorld(t, git.SHA1)
	a, long := git.ID{1}, git.ID{1, 31: 1}
	name := strings.Repeat("ab", 16)
	row := repo.Pack{Name: name, Bytes: 1, Objects: 1, Checksum: []byte{1}, Added: w.clock.Now()}
	refs := func(u ...repo.RefUpdate) repo.Change { return repo.Change{Refs: u} }
	with := func(change func(p *repo.Pack)) repo.Change {
		p := row
		change(&p)
		return repo.Change{Add: []repo.Pack{p}}
	}
	many := make([]repo.RefUpdate, 100_001)
	for i := range many {
		many[i] = repo.RefUpdate{Name: fmt.Sprintf("refs/heads/%d", i), New: a}
	}
	tests := map[string]repo.Change{
		"name git refuses":      refs(repo.RefUpdate{Name: "refs/heads/../x", New: a}),
		"name outside refs":     refs(repo.RefUpdate{Name: "heads/x", New: a}),
		"HEAD as a ref":         refs(repo.RefUpdate{Name: "HEAD", New: a}),
		"empty name":            refs(repo.RefUpdate{New: a}),
		"deep name":             refs(repo.RefUpdate{Name: "refs" + strings.Repeat("/a", 64), New: a}),
		"deleting a bad name":   refs(repo.RefUpdate{Name: "refs/heads/a..b", Old: a}),
		"a ref twice":           refs(repo.RefUpdate{Name: "refs/heads/x", New: a}, repo.RefUpdate{Name: "refs/heads/x", New: a}),
		"new of another format": refs(repo.RefUpdate{Name: "refs/heads/x", New: long}),
		"old of another format": refs(repo.RefUpdate{Name: "refs/heads/x", Old: long, New: a}),
		"peeled of another":     refs(repo.RefUpdate{Name: "refs/tags/x", New: a, Peeled: long}),
		"peeled but deleted":    refs(repo.RefUpdate{Name: "refs/tags/x", Old: a, Peeled: a}),
		"too many refs":         {Refs: many},
		"HEAD outside refs":     {Head: &repo.HeadUpdate{Old: "refs/heads/main", New: "main"}},
		"HEAD to a bad name":    {Head: &repo.HeadUpdate{Old: "refs/heads/main", New: "refs/heads/ "}},
		"pack name":             with(func(p *repo.Pack) { p.Name = "../" + name[3:] }),
		"pack name in capitals": with(func(p *repo.Pack) { p.Name = strings.ToUpper(name) }),
		"empty pack":            with(func(p *repo.Pack) { p.Objects = 0 }),
		"pack without checksum": with(func(p *repo.Pack) { p.Checksum = nil }),
		"a pack twice":          {Add: []repo.Pack{row, row}},
		"added and dropped":     {Add: []repo.Pack{row}, Drop: []string{name}},
		"bad name dropped":      {Drop: []string{"x"}},
		"long who":              {Who: strings.Repeat("x", repo.MaxLogText+1)},
		"long why":              {Why: strings.Repeat("x", repo.MaxLogText+1)},
	}
	for what, c := range tests {
		c.Repository = w.id
		if v, err := w.Commit(t.Context(), &c); !errors.Is(err, repo.ErrInvalid) {
			t.Errorf("%s: %d, %v", what, v, err)
		}
	}
	if s := w.snapshot(w.id).State(); s.Version != 0 {
		t.Errorf("something was committed: %+v", s)
	}
	ok := refs(repo.RefUpdate{Name: "refs" + strings.Repeat("/a", 63), New: a})
	ok.Repository, ok.Add = w.id, []repo.Pack{row}
	if _, err := w.Commit(t.Context(), &ok); err != nil {
		t.Errorf("a change within all limits: %v", err)
	}
	log, err := w.catalog.RefLog(t.Context(), w.id, "", 0, 10)
	if err != nil || len(log) != 1 || !log[0].Time.Equal(w.clock.Now()) {
		t.Errorf("a change without a time is dated %+v, %v", log, err)
	}
	if !ok.Time.IsZero() {
		t.Error("Commit wrote to the caller's change")
	}
	if _, err := w.Commit(t.Context(), &repo.Change{Repository: 999}); !errors.Is(err, repo.ErrNoRepository) {
		t.Errorf("no repository: %v", err)
	}
}

// counting counts what is asked of the catalogue, and how often the answer was new.
type counting struct {
	repo.Catalog
	loads, built atomic.Int64
}

func (c *counting) Load(ctx context.Context, id repo.ID, since *repo.State) (*repo.State, error) {
	s, err := c.Catalog.Load(ctx, id, since)
	c.loads.Add(1)
	if s != since {
		c.built.Add(1)
	}
	return s, err
}

func TestSnapshotsAreCurrentAndCheap(t *testing.T) {
	w := newWorld(t, git.SHA1)
	s := newStock(t, git.SHA1)
	s.grow("main", 1, 3)
	count := &counting{Catalog: w.catalog}
	here, there := repo.New(w.files, count, w.config()), w.Store // two nodes
	defer here.Close()
	open := func(store *repo.Store) *repo.State {
		t.Helper()
		snap, err := store.Snapshot(t.Context(), w.id)
		if err != nil {
			t.Fatal(err)
		}
		defer snap.Close()
		return snap.State()
	}
	for range 5 {
		open(here)
	}
	if l, b := count.loads.Load(), count.built.Load(); l != 5 || b != 1 {
		t.Errorf("five snapshots: %d loads, %d built a state", l, b)
	}
	w.push(w.id, s.pack("main"), map[string]git.ID{"refs/heads/main": s.resolve("main")})
	if a, b := open(here), open(there); a.Version != b.Version || a.Refs.Len() != 1 {
		t.Errorf("after a commit on another node: version %d, not %d", a.Version, b.Version)
	}
	if err := w.catalog.Remove(t.Context(), w.id, w.clock.Now()); err != nil {
		t.Fatal(err)
	}
	for _, store := range []*repo.Store{here, there} {
		if _, err := store.Snapshot(t.Context(), w.id); !errors.Is(err, repo.ErrNoRepository) {
			t.Errorf("snapshot of a repository that is gone: %v", err)
		}
	}
}

// opening counts open files.
type opening struct {
	repo.Files
	open, most atomic.Int64
}

type openedFile struct {
	repo.File
	by *opening
}

func (o *opening) Open(ctx context.Context, name string) (repo.File, error) {
	f, err := o.Files.Open(ctx, name)
	if err != nil {
		return nil, err
	}
	n := o.open.Add(1)
	for m := o.most.Load(); n > m && !o.most.CompareAndSwap(m, n); m = o.most.Load() {
	}
	return openedFile{f, o}, nil
}

func (f openedFile) Close() error { f.by.open.Add(-1); return f.File.Close() }

// View gives little at a time, as a source may.
func (f openedFile) View(ctx context.Context, off int64, n int) ([]byte, error) {
	return f.File.View(ctx, off, min(n, 1000))
}

func TestOpenPacksAreSharedAndBounded(t *testing.T) {
	w, s := newWorld(t, git.SHA1), newStock(t, git.SHA1)
	files := &opening{Files: w.files}
	store := repo.New(files, w.catalog, repo.Config{Clock: w.clock.Now, OpenPacks: 3, RowBytes: -1})
	for i := range 8 { // eight packs, none of which needs another
		blob := s.write(git.KindBlob, fmt.Sprint("content ", i))
		w.push(w.id, s.packOf(blob), map[string]git.ID{fmt.Sprintf("refs/x/%d", i): blob})
	}
	fork := w.create()
	if _, err := w.Commit(t.Context(), &repo.Change{Repository: fork, Add: w.snapshot(w.id).Share()}); err != nil {
		t.Fatal(err)
	}
	objects := s.all()
	var wg sync.WaitGroup
	for i := range 6 {
		wg.Go(func() {
			for range 5 {
				snap, err := store.Snapshot(t.Context(), []repo.ID{w.id, fork}[i%2])
				if err != nil {
					t.Error(err)
					return
				}
				for id, o := range objects {
					if _, data, err := snap.Object(t.Context(), id); err != nil || string(data) != o.data {
						t.Errorf("Object = %q, %v", data, err)
					}
				}
				snap.Close()
			}
		})
	}
	wg.Wait()
	if most := files.most.Load(); most > 9 { // a pack file each, and one index while it is read
		t.Errorf("%d files were open at once; both repositories together have 8 packs", most)
	}
	if n := files.open.Load(); n > 3 {
		t.Errorf("%d files stay open, limit 3", n)
	}
	held, err := store.Snapshot(t.Context(), w.id)
	if err != nil {
		t.Fatal(err)
	}
	for id := range objects {
		if _, err := held.Has(t.Context(), id); err != nil {
			t.Error(err)
		}
	}
	if store.Close() == nil {
		t.Error("Close said nothing of an open snapshot")
	}
	held.Close()
	if err := store.Close(); err != nil || files.open.Load() != 0 {
		t.Errorf("Close = %v, %d files open", err, files.open.Load())
	}
}

// TestDerivedFilesAreBounded: what is kept open of many repositories with derived data is
// bounded, as their packs are, though each of them is small.
func TestDerivedFilesAreBounded(t *testing.T) {
	const repositories, openPacks = 60, 8
	w, s := newWorld(t, git.SHA1).derive(1), newStock(t, git.SHA1)
	s.grow("main", 1, 3)
	data, refs := s.pack("main", "v1"), s.refs()
	ids := []repo.ID{w.id}
	for len(ids) < repositories {
		ids = append(ids, w.create())
	}
	for _, id := range ids {
		w.push(id, data, refs)
		if _, err := w.Compact(t.Context(), id, repo.CompactOptions{}); err != nil {
			t.Fatal(err)
		}
	}
	files := &opening{Files: w.files}
	store := repo.New(files, w.catalog, repo.Config{Clock: w.clock.Now, OpenPacks: openPacks, DeriveFrom: 1, RowBytes: -1})
	most := int64(0)
	for _, id := range slices.Concat(ids, ids) {
		snap, err := store.Snapshot(t.Context(), id)
		if err != nil {
			t.Fatal(err)
		}
		bitmaps, _, err := snap.Bitmaps(t.Context())
		if err != nil || bitmaps == nil {
			t.Fatalf("bitmaps of %d: %v, %v", id, bitmaps, err)
		}
		if graph, err := snap.Graph(t.Context()); err != nil || graph == nil {
			t.Fatalf("graph of %d: %v, %v", id, graph, err)
		}
		if _, _, err := snap.Object(t.Context(), s.resolve("main")); err != nil {
			t.Fatal(err)
		}
		snap.Close()
		most = max(most, files.open.Load())
	}
	// Three files of a pack; bitmaps and graph of those that are idle, and of those that idle
	// stacks of either kind hold.
	if bound := int64(3*openPacks + 2*(openPacks+openPacks/2+openPacks/2)); most > bound {
		t.Errorf("%d files stay open, want at most %d for %d packs", most, bound, openPacks)
	}
	if err := store.Close(); err != nil || files.open.Load() != 0 {
		t.Errorf("Close = %v, %d files open", err, files.open.Load())
	}
}

// TestOpeningIsRetried: one caller's cancelled context is not another's failure.
func TestOpeningIsRetried(t *testing.T) {
	w, s := newWorld(t, git.SHA1), newStock(t, git.SHA1)
	blob := s.write(git.KindBlob, "x")
	w.push(w.id, s.packOf(blob), nil)
	snap := w.snapshot(w.id)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := snap.Has(ctx, blob); !errors.Is(err, context.Canceled) {
		t.Errorf("cancelled: %v", err)
	}
	if has, err := snap.Has(t.Context(), blob); !has || err != nil {
		t.Errorf("after a cancelled try: %v, %v", has, err)
	}
}

func TestFork(t *testing.T) {
	w, s := newWorld(t, git.SHA1), newStock(t, git.SHA1)
	s.grow("main", 1, 5)
	w.push(w.id, s.pack("main", "v1"), s.refs())
	before := len(w.names())
	snap := w.snapshot(w.id)
	fork := w.create()
	c := repo.Change{Repository: fork, Add: snap.Share()}
	for r := range snap.State().Refs.All() {
		c.Refs = append(c.Refs, repo.RefUpdate{Name: r.Name, New: r.Target, Peeled: r.Peeled})
	}
	w.clock.Add(11 * time.Hour)
	if _, err := w.Commit(t.Context(), &c); err != nil {
		t.Fatal(err)
	}
	equal(t, w.snapshot(fork), s.all())
	if n := len(w.names()); n != before {
		t.Errorf("%d files before the fork, %d after", before, n)
	}
	w.clock.Add(2 * time.Hour)
	c.Repository = w.create()
	if _, err := w.Commit(t.Context(), &c); !errors.Is(err, repo.ErrOutOfDate) {
		t.Errorf("a fork of what was seen 13 hours ago: %v", err)
	}

	// The fork keeps its packs when the first repository goes, and takes in what
	// leans on them.
	if err := w.catalog.Remove(t.Context(), w.id, w.clock.Now()); err != nil {
		t.Fatal(err)
	}
	w.clock.Add(1000 * time.Hour)
	if n, _, err := w.Sweep(t.Context(), nil); n != 0 || err != nil {
		t.Errorf("Sweep = %d, %v", n, err)
	}
	s.git("", "update-ref", "refs/heads/old", "main")
	s.grow("main", 2, 3)
	w.push(fork, s.pack("main", "^old"), map[string]git.ID{"refs/heads/main": s.resolve("main")})
	if faults := w.faults(fork); faults != nil {
		t.Errorf("faults: %q", faults)
	}
}

func TestPeel(t *testing.T) {
	w, s := newWorld(t, git.SHA1), newStock(t, git.SHA1)
	blob := s.write(git.KindBlob, "x")
	chain := []git.ID{blob}
	for i := range repo.MaxTagDepth + 1 {
		kind := git.KindTag
		if i == 0 {
			kind = git.KindBlob
		}
		chain = append(chain, s.write(git.KindTag, fmt.Sprintf("object %s\ntype %s\ntag t%d\ntagger %s\n\nx\n", chain[i], kind, i, someone)))
	}
	staged, err := w.ingest(w.id, s.packOf(chain...))
	if err != nil {
		t.Fatal(err)
	}
	snap := w.snapshot(w.id)
	peel := func(staged *repo.Staged, id, want git.ID, kind git.Kind) {
		t.Helper()
		if got, k, err := w.Peel(t.Context(), snap, staged, id); got != want || k != kind || err != nil {
			t.Errorf("Peel %s = %s, %v, %v, want %s, %v", id, got, k, err, want, kind)
		}
	}
	peel(staged, blob, git.ID{}, git.KindBlob)
	peel(staged, chain[1], blob, git.KindBlob)
	peel(staged, chain[repo.MaxTagDepth], blob, git.KindBlob)
	if _, _, err := w.Peel(t.Context(), snap, staged, chain[repo.MaxTagDepth+1]); err == nil || errors.Is(err, git.ErrNotFound) {
		t.Errorf("a deeper tag: %v", err)
	}
	if _, _, err := w.Peel(t.Context(), snap, nil, blob); !errors.Is(err, git.ErrNotFound) {
		t.Errorf("staged objects without staged: %v", err)
	}
	if _, err := w.Commit(t.Context(), w.change(w.id, staged, nil)); err != nil {
		t.Fatal(err)
	}
	snap = w.snapshot(w.id)
	peel(nil, chain[2], blob, git.KindBlob)
}
