package repo_test

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/ingot-forge/ingot/git"
	"github.com/ingot-forge/ingot/git/repo"
)

// noFiles fails the test when anything is asked of it.
type noFiles struct{ testing.TB }

func (f noFiles) fail(what string) error { f.Errorf("%s was called", what); return errLost }

func (f noFiles) Draft(context.Context) (repo.Draft, error)       { return nil, f.fail("Draft") }
func (f noFiles) Open(context.Context, string) (repo.File, error) { return nil, f.fail("Open") }
func (f noFiles) Delete(context.Context, string) error            { return f.fail("Delete") }
func (f noFiles) SweepDrafts(context.Context, time.Time) (int, error) {
	return 0, f.fail("SweepDrafts")
}
func (f noFiles) List(context.Context, string, func(repo.FileInfo) bool) error {
	return f.fail("List")
}

// A small push asks nothing of the files: not to be taken in, not to be thrown
// away, not to be read, checked or shared. Compaction makes a file of several,
// for the repository that is compacted.
func TestSmallPushesTouchNoFiles(t *testing.T) {
	for _, f := range []git.Format{git.SHA1, git.SHA256} {
		s := newStock(t, f)
		w := newWorldOf(t, f, 0) // the default
		files := w.Store
		w.Store = repo.New(noFiles{t}, w.catalog, w.config())
		t.Cleanup(func() { w.Store.Close() })
		old := ""
		for i := range 6 {
			s.grow("main", uint64(i), 2)
			w.push(w.id, s.pack("main", fmt.Sprint("v", i), old), s.refs())
			old = "^" + f.Hex(s.resolve("main"))
		}
		staged, err := w.ingest(w.id, s.pack("main"))
		if err != nil || !staged.Pack.InRow() {
			t.Fatalf("staged %+v, %v", staged, err)
		}
		if err := staged.Discard(t.Context()); err != nil {
			t.Error(err)
		}
		equal(t, w.snapshot(w.id), s.all())
		if faults := w.faults(w.id); faults != nil {
			t.Errorf("faults: %q", faults)
		}
		fork := w.create()
		change := repo.Change{Repository: fork, Add: w.snapshot(w.id).Share()}
		if _, err := w.Commit(t.Context(), &change); err != nil {
			t.Fatal(err)
		}
		equal(t, w.snapshot(fork), s.all())
		w.Store = files
		before := w.snapshot(w.id)
		if _, err := w.Compact(t.Context(), w.id, repo.CompactOptions{All: true}); err != nil {
			t.Error(err)
		}
		if packs := w.snapshot(w.id).State().Packs; len(packs) != 1 || packs[0].InRow() {
			t.Errorf("compacted: %d packs", len(packs))
		}
		equal(t, before, s.all()) // who holds the old state reads on
		equal(t, w.snapshot(w.id), s.all())
		equal(t, w.snapshot(fork), s.all())
		w.clock.Add(1000 * time.Hour)
		if n, _, err := w.Sweep(t.Context(), nil); n != 0 || err != nil {
			t.Errorf("Sweep removed %d files, %v", n, err)
		}
		equal(t, w.snapshot(w.id), s.all())
		equal(t, w.snapshot(fork), s.all())
	}
}

// Whatever the bound, a pack is in its row if it and its index are within it,
// in files if not, and whole.
func TestRowBound(t *testing.T) {
	s := newStock(t, git.SHA1)
	blob := s.write(git.KindBlob, strings.Repeat("abcdefghij", 30))
	data := s.packOf(blob)
	whole := len(data) + 8 + 1024 + 28 + 40
	for _, c := range []struct {
		bound int
		row   bool
	}{{whole, true}, {whole - 1, false}, {len(data), false}, {len(data) - 1, false}, {1, false}, {-1, false}, {repo.MaxRowBytes + 5, true}} {
		w := newWorldOf(t, git.SHA1, c.bound)
		w.push(w.id, data, map[string]git.ID{"refs/x/y": blob})
		row := w.snapshot(w.id).State().Packs[0]
		if row.InRow() != c.row || row.Bytes != int64(len(data)) || c.row != (len(w.names()) == 0) || w.files.Drafts() != 0 {
			t.Errorf("bound %d of %d bytes: in row %v, files %q", c.bound, whole, row.InRow(), w.names())
		}
		if c.row && !bytes.Equal(row.Data, data) {
			t.Errorf("bound %d: other bytes", c.bound)
		}
		equal(t, w.snapshot(w.id), s.all())
		if faults := w.faults(w.id); faults != nil {
			t.Errorf("bound %d: %q", c.bound, faults)
		}
	}
}

// All rows of a repository are in memory with its state. What nobody compacts goes
// to files in the end.
func TestRowsHaveRoom(t *testing.T) {
	s := newStock(t, git.SHA1)
	w := newWorldOf(t, git.SHA1, 2<<10)
	var bytes int64
	inRow := 0
	const pushes = 80
	for i := range pushes {
		blob := s.write(git.KindBlob, fmt.Sprint("content ", i))
		w.push(w.id, s.packOf(blob), map[string]git.ID{fmt.Sprint("refs/x/", i): blob})
	}
	for _, p := range w.snapshot(w.id).State().Packs {
		if p.InRow() {
			inRow++
			bytes += int64(len(p.Data) + len(p.Index))
		}
	}
	if inRow < 32 || inRow == pushes || bytes > 32*2<<10 {
		t.Errorf("%d of %d packs are in rows, with %d bytes", inRow, pushes, bytes)
	}
	equal(t, w.snapshot(w.id), s.all())
}

// A row whose bytes are damaged is found out as a damaged file is.
func TestDamagedRow(t *testing.T) {
	s := newStock(t, git.SHA1)
	blob := s.write(git.KindBlob, "content")
	for what, damage := range map[string]func(p *repo.Pack){
		"checksum":     func(p *repo.Pack) { p.Data[len(p.Data)-1] ^= 1 },
		"row of pack":  func(p *repo.Pack) { p.Data[0] ^= 1 },
		"row of pack ": func(p *repo.Pack) { p.Index[0] ^= 1 },
		"row says":     func(p *repo.Pack) { p.Bytes++ },
	} {
		w := newWorldOf(t, git.SHA1, 0)
		staged, err := w.ingest(w.id, s.packOf(blob))
		if err != nil {
			t.Fatal(err)
		}
		damage(&staged.Pack)
		w.commitRaw(repo.Change{Add: []repo.Pack{staged.Pack}})
		if faults := strings.Join(w.faults(w.id), "\n"); !strings.Contains(faults, strings.TrimSpace(what)) {
			t.Errorf("%s: %q", what, faults)
		}
	}
}

func TestCommitRefusesBadRows(t *testing.T) {
	w := newWorldOf(t, git.SHA1, 0)
	for what, p := range map[string]repo.Pack{
		"no index":  {Bytes: 1, Data: []byte{1}},
		"no data":   {Bytes: 1, Index: []byte{1}},
		"size":      {Bytes: 2, Data: []byte{1}, Index: []byte{1}},
		"too large": {Bytes: repo.MaxRowBytes, Data: make([]byte, repo.MaxRowBytes), Index: []byte{1}},
	} {
		p.Name, p.Objects, p.Checksum, p.Added = strings.Repeat("a", 32), 1, []byte{1}, w.clock.Now()
		_, err := w.Commit(t.Context(), &repo.Change{Repository: w.id, Add: []repo.Pack{p}})
		if err == nil || !strings.Contains(err.Error(), "limit") {
			t.Errorf("%s: %v", what, err)
		}
	}
}

// A draft is read and mended while it grows out of memory.
func TestDraftOutgrowsMemory(t *testing.T) {
	w := newWorld(t, git.SHA1)
	d := w.Store.NewDraft(t.Context(), 100)
	if n, err := d.ReadAt(make([]byte, 1), 0); n != 0 || err != io.EOF {
		t.Errorf("empty: %d, %v", n, err)
	}
	var want []byte
	var wg sync.WaitGroup
	for i := range 40 {
		p := bytes.Repeat([]byte{byte('a' + i)}, 7)
		if n, err := d.Write(p); n != 7 || err != nil {
			t.Fatal(n, err)
		}
		want = append(want, p...)
		at := int64(i * 7)
		if n, err := d.WriteAt([]byte{'!'}, at); n != 1 || err != nil {
			t.Fatalf("WriteAt %d: %d, %v", at, n, err)
		}
		want[at] = '!'
		if n, err := d.WriteAt([]byte("xx"), int64(len(want)-1)); err == nil {
			t.Errorf("WriteAt past the end of %d: %d", len(want), n)
		}
		seen := slices.Clone(want)
		wg.Go(func() {
			got := make([]byte, len(seen))
			if n, err := d.ReadAt(got, 0); n != len(got) || err != nil && err != io.EOF || !bytes.Equal(got[:at], seen[:at]) {
				t.Errorf("ReadAt of %d: %d, %v", len(got), n, err)
			}
		})
		if drafts, in := w.files.Drafts(), len(want) <= 100; (drafts == 0) != in {
			t.Errorf("%d bytes, %d drafts", len(want), drafts)
		}
	}
	wg.Wait()
	if err := d.Publish(t.Context(), "x/y"); err != nil {
		t.Fatal(err)
	}
	file, err := w.files.Open(t.Context(), "x/y")
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	if got, err := file.View(t.Context(), 0, len(want)); err != nil || !bytes.Equal(got, want) {
		t.Errorf("published %q, %v", got, err)
	}
}

// States are kept by their bytes, too: those used last, and at least one.
func TestStateBytes(t *testing.T) {
	w := newWorldOf(t, git.SHA1, 0)
	loads := &countingCatalog{Catalog: w.catalog}
	c := w.config()
	c.StateBytes = 400_000
	w.Store = repo.New(w.files, loads, c)
	big := func() repo.ID {
		id := w.create()
		var ch repo.Change
		for i := range 2000 { // of some 140,000 bytes
			ch.Refs = append(ch.Refs, repo.RefUpdate{Name: fmt.Sprintf("refs/heads/%04d", i), New: number(1)})
		}
		ch.Repository, ch.Time = id, w.clock.Now()
		if _, err := w.catalog.Commit(t.Context(), &ch); err != nil {
			t.Fatal(err)
		}
		return id
	}
	var all []repo.ID
	for range 8 {
		all = append(all, big())
	}
	kept := func(id repo.ID) bool {
		before := loads.current
		w.snapshot(id)
		return loads.current > before
	}
	for _, id := range all {
		w.snapshot(id)
	}
	if !kept(all[7]) || !kept(all[6]) || kept(all[0]) {
		t.Error("not those used last are kept")
	}
	if !kept(all[0]) || !kept(all[6]) || kept(all[7]) {
		t.Error("what was just used is not kept")
	}
	c.StateBytes = 1
	w.Store = repo.New(w.files, loads, c)
	w.snapshot(all[0])
	if !kept(all[0]) {
		t.Error("a state that is larger than the bound is loaded each time")
	}
	w.snapshot(all[1])
	if kept(all[0]) {
		t.Error("two states are kept beyond the bound")
	}
}

// countingCatalog counts the loads that found since to be current.
type countingCatalog struct {
	repo.Catalog
	current int
}

func (c *countingCatalog) Load(ctx context.Context, id repo.ID, since *repo.State) (*repo.State, error) {
	s, err := c.Catalog.Load(ctx, id, since)
	if since != nil && s == since {
		c.current++
	}
	return s, err
}
