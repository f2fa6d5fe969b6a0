package repo_test

import (
	"bytes"
	"context"
	"errors"
	"maps"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/ingot-forge/ingot/git"
	"github.com/ingot-forge/ingot/git/repo"
)

// fault makes one write step go wrong. Steps are counted over files and
// catalogue together.
type fault struct {
	at    int  // the step; -1: none
	done  bool // it is carried out and reported lost, or else it is lost
	crash bool // nothing that comes after it is carried out, as if the process had died

	mu    sync.Mutex
	count int
	names []string
	dead  bool
}

var errLost = errors.New("power cut")

// step runs one write step, or not.
func (f *fault) step(name string, do func() error) error {
	f.mu.Lock()
	hit := f.count == f.at
	f.count++
	f.names = append(f.names, name)
	dead := f.dead
	if hit && f.crash {
		f.dead = true
	}
	f.mu.Unlock()
	switch {
	case dead:
		return errLost
	case !hit:
		return do()
	case f.done:
		if err := do(); err != nil {
			return err
		}
	}
	return errLost
}

type faultyFiles struct {
	repo.Files
	*fault
}

func (f faultyFiles) Draft(ctx context.Context) (d repo.Draft, err error) {
	err = f.step("draft", func() (err error) { d, err = f.Files.Draft(ctx); return err })
	if err != nil {
		return nil, err
	}
	return faultyDraft{d, f.fault}, nil
}

func (f faultyFiles) Delete(ctx context.Context, name string) error {
	return f.step("delete", func() error { return f.Files.Delete(ctx, name) })
}

func (f faultyFiles) SweepDrafts(ctx context.Context, before time.Time) (n int, err error) {
	err = f.step("sweep drafts", func() (err error) { n, err = f.Files.SweepDrafts(ctx, before); return err })
	return n, err
}

type faultyDraft struct {
	repo.Draft
	*fault
}

func (d faultyDraft) Write(p []byte) (n int, err error) {
	err = d.step("write", func() (err error) { n, err = d.Draft.Write(p); return err })
	return n, err
}

func (d faultyDraft) WriteAt(p []byte, off int64) (n int, err error) {
	err = d.step("write at", func() (err error) { n, err = d.Draft.WriteAt(p, off); return err })
	return n, err
}

func (d faultyDraft) Publish(ctx context.Context, name string) error {
	return d.step("publish", func() error { return d.Draft.Publish(ctx, name) })
}

func (d faultyDraft) Discard() error { return d.step("discard", d.Draft.Discard) }

type faultyCatalog struct {
	repo.Catalog
	*fault
}

func (c faultyCatalog) Commit(ctx context.Context, ch *repo.Change) (v int64, err error) {
	err = c.step("commit", func() (err error) { v, err = c.Catalog.Commit(ctx, ch); return err })
	if errors.Is(err, errLost) { // what a broken connection tells
		err = errors.Join(repo.ErrUnknown, err)
	}
	return v, err
}

// TestCrashTable makes every write step of a push, of a replacement of packs and
// of a sweep fail, in every way, and looks at what a restart finds.
func TestCrashTable(t *testing.T) {
	s := newStock(t, git.SHA1)
	s.grow("main", 1, 3)
	first, firstRefs := s.pack("main", "v1"), s.refs()
	s.git("", "update-ref", "refs/heads/old", "main")
	s.grow("main", 2, 3)
	thin := s.pack("main", "v2", "^old")
	s.git("", "update-ref", "-d", "refs/heads/old")
	secondRefs := s.refs()
	whole := s.packOf(s.reachable("--all")...)

	scenarios := map[string]crashScenario{
		"push":    {pack: thin, refs: secondRefs},
		"refs":    {pack: s.packOf(), refs: map[string]git.ID{"refs/heads/copy": firstRefs["refs/heads/main"], "refs/tags/v1": {}}},
		"replace": {pack: whole, refs: secondRefs, drop: true},
	}
	for name, sc := range scenarios {
		crashes(t, name, -1, first, firstRefs, sc)
		crashes(t, name+" in rows", 1<<10, first, firstRefs, sc) // of which some packs are too large
		crashes(t, name+" all in rows", 1<<20, first, firstRefs, sc)
	}
}

type crashScenario struct {
	pack []byte
	refs map[string]git.ID
	drop bool // the pack replaces those before it
}

func crashes(t *testing.T, name string, rowBytes int, first []byte, firstRefs map[string]git.ID, sc crashScenario) {
	t.Run(name, func(t *testing.T) {
		run := func(f *fault) (committed bool, w *world, left string) {
			w = newWorldOf(t, git.SHA1, rowBytes)
			w.push(w.id, first, firstRefs)
			before := w.snapshot(w.id).State()
			store := repo.New(faultyFiles{w.files, f}, faultyCatalog{w.catalog, f}, w.config())
			err := attempt(w, store, sc.pack, sc.refs, sc.drop)
			store.Close()

			restarted := repo.New(w.files, w.catalog, w.config())
			defer restarted.Close()
			w.Store = restarted
			after := w.snapshot(w.id).State()
			committed = after.Version != before.Version
			switch {
			case err == nil && !committed:
				t.Errorf("acknowledged and lost")
			case err != nil && committed && !errors.Is(err, repo.ErrUnknown):
				t.Errorf("refused by %v, yet committed", err)
			case !committed && !after.Refs.Equal(before.Refs):
				t.Errorf("refs moved without a commit")
			}
			left = settle(t, w, after)
			if !committed { // the client tries again
				if err := attempt(w, w.Store, sc.pack, sc.refs, sc.drop); err != nil {
					t.Errorf("second try: %v", err)
				}
				settle(t, w, w.snapshot(w.id).State())
			}
			now := w.snapshot(w.id)
			for ref, target := range sc.refs {
				if r, _ := now.Ref(ref); r.Target != target {
					t.Errorf("%s is at %s, want %s", ref, r.Target, target)
				}
			}
			return committed, w, left
		}
		none := &fault{at: -1}
		if committed, _, left := run(none); !committed || (left != "" && !sc.drop) {
			t.Fatalf("without a fault: committed=%v, left %q", committed, left)
		}
		if rowBytes == 1<<20 && !slices.Equal(none.names, []string{"commit"}) {
			t.Errorf("steps: %q, want only the commit", none.names)
		}
		for step, what := range none.names {
			for _, f := range []*fault{{at: step}, {at: step, done: true}, {at: step, crash: true}, {at: step, done: true, crash: true}} {
				committed, _, _ := run(f)
				if what == "commit" && committed != f.done {
					t.Errorf("step %d, %s, done %v: committed=%v", step, what, f.done, committed)
				}
				if t.Failed() {
					t.Fatalf("step %d of %v, done %v, crash %v", step, none.names, f.done, f.crash)
				}
			}
		}
	})
}

// attempt pushes once, as transfer does.
func attempt(w *world, store *repo.Store, pack []byte, refs map[string]git.ID, drop bool) error {
	ctx := w.Context()
	snap, err := store.Snapshot(ctx, w.id)
	if err != nil {
		return err
	}
	defer snap.Close()
	staged, err := store.Ingest(ctx, snap, bytes.NewReader(pack), repo.IngestOptions{})
	if err != nil {
		return err
	}
	c := &repo.Change{Repository: w.id}
	if staged != nil {
		c.Add = []repo.Pack{staged.Pack}
	}
	if drop {
		for _, p := range snap.State().Packs {
			c.Drop = append(c.Drop, p.Name)
		}
	}
	for _, name := range slices.Sorted(maps.Keys(refs)) {
		old, _ := snap.Ref(name)
		u := repo.RefUpdate{Name: name, Old: old.Target, New: refs[name]}
		if !u.New.IsZero() {
			if u.Peeled, _, err = store.Peel(ctx, snap, staged, u.New); err != nil {
				return err
			}
		}
		c.Refs = append(c.Refs, u)
	}
	_, err = store.Commit(ctx, c)
	return err
}

// settle checks the repository, sweeps once everything is old, and checks that
// the sweep left exactly the files of the packs. It returns what it removed.
func settle(t *testing.T, w *world, state *repo.State) (removed string) {
	t.Helper()
	if faults := w.faults(w.id); faults != nil {
		t.Errorf("faults: %q", faults)
	}
	w.clock.Add(25 * time.Hour)
	// The sweep may die as well; the next one goes on.
	for step := range 3 {
		f := &fault{at: step, done: step == 1, crash: true}
		store := repo.New(faultyFiles{w.files, f}, w.catalog, w.config())
		if _, _, err := store.Sweep(t.Context(), nil); err != nil && !errors.Is(err, errLost) {
			t.Errorf("Sweep: %v", err)
		}
		if faults := w.faults(w.id); faults != nil {
			t.Errorf("faults after half a sweep: %q", faults)
		}
	}
	if _, _, err := w.Sweep(t.Context(), func(file string, _ int64) { removed += file + " " }); err != nil {
		t.Errorf("Sweep: %v", err)
	}
	var want []string
	for _, p := range state.Packs {
		if p.InRow() {
			continue
		}
		want = append(want, repo.PackFile(p.Name), repo.IndexFile(p.Name))
	}
	slices.Sort(want)
	if got := w.names(); !slices.Equal(got, want) || w.files.Drafts() != 0 {
		t.Errorf("after the sweep: %d drafts and\n     %q\nwant %q", w.files.Drafts(), got, want)
	}
	if faults := w.faults(w.id); faults != nil {
		t.Errorf("faults after the sweep: %q", faults)
	}
	return removed
}

// TestFaultsAreNoticed keeps the crash table honest: a fault does make a push fail.
func TestFaultsAreNoticed(t *testing.T) {
	s := newStock(t, git.SHA1)
	blob := s.write(git.KindBlob, "x")
	for _, what := range []string{"draft", "write", "publish", "commit"} {
		probe := &fault{at: -1}
		fail := func(f *fault) error {
			w := newWorld(t, git.SHA1)
			store := repo.New(faultyFiles{w.files, f}, faultyCatalog{w.catalog, f}, w.config())
			defer store.Close()
			return attempt(w, store, s.packOf(blob), map[string]git.ID{"refs/x/y": blob}, false)
		}
		if err := fail(probe); err != nil {
			t.Fatal(err)
		}
		at := slices.Index(probe.names, what)
		if err := fail(&fault{at: at}); at < 0 || !errors.Is(err, errLost) {
			t.Errorf("%s lost at step %d: %v", what, at, err)
		}
	}
}
