package repo_test

import (
	"bytes"
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

func TestSweep(t *testing.T) {
	w, s := newWorld(t, git.SHA1), newStock(t, git.SHA1)
	blobs := make([]git.ID, 5)
	for i := range blobs {
		blobs[i] = s.write(git.KindBlob, fmt.Sprint("blob ", i))
	}
	stage := func(i int) *repo.Staged {
		staged, err := w.ingest(w.id, s.packOf(blobs[i]))
		if err != nil {
			t.Fatal(err)
		}
		return staged
	}
	sweep := func(want ...*repo.Staged) {
		t.Helper()
		var names, removed []string
		for _, p := range want {
			names = append(names, repo.PackFile(p.Pack.Name), repo.IndexFile(p.Pack.Name))
		}
		var total int64
		n, size, err := w.Sweep(t.Context(), func(file string, bytes int64) { removed = append(removed, file); total += bytes })
		slices.Sort(names)
		slices.Sort(removed)
		if err != nil || n != len(names) || size != total || !slices.Equal(removed, names) {
			t.Errorf("Sweep removed %q (%d, %d bytes), %v; want %q", removed, n, size, err, names)
		}
	}
	other, err := w.files.Draft(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if err := other.Publish(t.Context(), "packs/notes.txt"); err != nil { // no pack: not ours to remove
		t.Fatal(err)
	}
	kept, lost := stage(0), stage(1)
	if _, err := w.Commit(t.Context(), w.change(w.id, kept, nil)); err != nil {
		t.Fatal(err)
	}
	sweep()
	w.clock.Add(23 * time.Hour)
	young := stage(2)
	sweep()
	w.clock.Add(2 * time.Hour)
	sweep(lost) // older than a day; young is not
	sweep()

	// A dropped pack stays as long as readers may still look for it.
	snap := w.snapshot(w.id)
	if _, err := w.Commit(t.Context(), &repo.Change{Repository: w.id, Drop: []string{kept.Pack.Name}}); err != nil {
		t.Fatal(err)
	}
	w.clock.Add(20 * time.Hour)
	sweep()
	if _, data, err := snap.Object(t.Context(), blobs[0]); err != nil || string(data) != "blob 0" {
		t.Errorf("a snapshot from before the drop: %q, %v", data, err)
	}
	w.clock.Add(5 * time.Hour)
	sweep(kept, young)
	if got := w.names(); !slices.Equal(got, []string{"packs/notes.txt"}) {
		t.Errorf("left: %q", got)
	}
}

// TestSweepInBatches has more packs than are asked about at once.
func TestSweepInBatches(t *testing.T) {
	w := newWorld(t, git.SHA1)
	const packs = 1203
	change := repo.Change{Repository: w.id}
	for i := range packs {
		row := repo.Pack{Name: fmt.Sprintf("%032x", i*7919), Bytes: 1, Objects: 1, Checksum: []byte{1}, Added: w.clock.Now()}
		for _, name := range []string{repo.PackFile(row.Name), repo.IndexFile(row.Name)} {
			d, err := w.files.Draft(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			if err := d.Publish(t.Context(), name); err != nil {
				t.Fatal(err)
			}
		}
		if i%3 == 0 {
			change.Add = append(change.Add, row)
		}
	}
	if _, err := w.Commit(t.Context(), &change); err != nil {
		t.Fatal(err)
	}
	w.clock.Add(48 * time.Hour)
	n, _, err := w.Sweep(t.Context(), nil)
	if want := 2 * (packs - len(change.Add)); n != want || err != nil {
		t.Errorf("Sweep = %d, %v, want %d", n, err, want)
	}
	if n := len(w.names()); n != 2*len(change.Add) {
		t.Errorf("%d files left, want %d", n, 2*len(change.Add))
	}
}

func TestSweepDrafts(t *testing.T) {
	w := newWorld(t, git.SHA1)
	if _, err := w.files.Draft(t.Context()); err != nil {
		t.Fatal(err)
	}
	w.clock.Add(25 * time.Hour)
	if _, err := w.files.Draft(t.Context()); err != nil {
		t.Fatal(err)
	}
	if n, _, err := w.Sweep(t.Context(), nil); n != 1 || err != nil || w.files.Drafts() != 1 {
		t.Errorf("Sweep = %d, %v; %d drafts left, want one", n, err, w.files.Drafts())
	}
}

// TestSlowPush: a push that dawdles between staging and committing is refused
// before the sweep may take its files, never after.
func TestSlowPush(t *testing.T) {
	s := newStock(t, git.SHA1)
	blob := s.write(git.KindBlob, "slow")
	for hours := range 30 {
		w := newWorld(t, git.SHA1)
		staged, err := w.ingest(w.id, s.packOf(blob), blob)
		if err != nil {
			t.Fatal(err)
		}
		change := w.change(w.id, staged, map[string]git.ID{"refs/x/slow": blob})
		w.clock.Add(time.Duration(hours) * time.Hour)
		if _, _, err := w.Sweep(t.Context(), nil); err != nil {
			t.Fatal(err)
		}
		_, err = w.Commit(t.Context(), change)
		if refused := errors.Is(err, repo.ErrOutOfDate); refused != (hours > 12) || (err != nil && !refused) {
			t.Errorf("committing after %d hours: %v", hours, err)
		}
		if hours == 12 && len(w.names()) != 2 {
			t.Errorf("files after %d hours: %q", hours, w.names())
		}
		w.clock.Add(1000 * time.Hour)
		if _, _, err := w.Sweep(t.Context(), nil); err != nil {
			t.Fatal(err)
		}
		if faults := w.faults(w.id); faults != nil {
			t.Errorf("after %d hours: %q", hours, faults)
		}
	}
}

// TestPushesBesideSweeps has pushers, a sweeper and readers at once, while time
// flies; the sweeper never takes what a commit was allowed to name. Time may fly
// between a staging and its commit, and while a sweep runs, but not by half a day
// within one commit: that much is taken for granted.
func TestPushesBesideSweeps(t *testing.T) {
	w, s := newWorld(t, git.SHA1), newStock(t, git.SHA1)
	const pushers, pushes = 3, 6
	packs := make([][][]byte, pushers)
	tips := make([][]git.ID, pushers)
	for p := range pushers {
		branch := fmt.Sprint("b", p)
		s.grow(branch, uint64(p), 1)
		for i := range pushes {
			old := s.resolve(branch)
			s.grow(branch, uint64(100*p+i), 1)
			tips[p] = append(tips[p], s.resolve(branch))
			revs := []string{branch}
			if i > 0 {
				revs = append(revs, "^"+old.String())
			}
			packs[p] = append(packs[p], s.pack(revs...))
		}
	}
	var done atomic.Bool
	var pushing, others sync.WaitGroup
	var committing sync.RWMutex // whoever has all of it moves the clock
	for p := range pushers {
		pushing.Go(func() {
			var at git.ID
			for i := 0; i < pushes && !done.Load(); {
				snap, err := w.Snapshot(t.Context(), w.id)
				if err != nil {
					t.Error(err)
					return
				}
				staged, err := w.Ingest(t.Context(), snap, bytes.NewReader(packs[p][i]), repo.IngestOptions{Tips: tips[p][i : i+1]})
				snap.Close()
				if err != nil && strings.Contains(err.Error(), "swept") {
					continue // the clock ran faster than the ingest
				}
				if err != nil {
					t.Errorf("Ingest: %v", err)
					return
				}
				committing.RLock()
				_, err = w.Commit(t.Context(), &repo.Change{Repository: w.id, Add: []repo.Pack{staged.Pack},
					Refs: []repo.RefUpdate{{Name: fmt.Sprint("refs/heads/b", p), Old: at, New: tips[p][i]}}})
				committing.RUnlock()
				if errors.Is(err, repo.ErrOutOfDate) { // too slow for this clock: again
					continue
				}
				if err != nil {
					t.Errorf("Commit: %v", err)
					return
				}
				at = tips[p][i]
				i++
			}
		})
	}
	others.Go(func() {
		for !done.Load() {
			committing.Lock()
			w.clock.Add(time.Hour)
			committing.Unlock()
			if _, _, err := w.Sweep(t.Context(), nil); err != nil {
				t.Errorf("Sweep: %v", err)
				return
			}
		}
	})
	others.Go(func() {
		for !done.Load() {
			snap, err := w.Snapshot(t.Context(), w.id)
			if err != nil {
				t.Error(err)
				return
			}
			for r := range snap.State().Refs.All() {
				if _, _, err := snap.Object(t.Context(), r.Target); err != nil {
					t.Errorf("%s: %v", r.Name, err)
					done.Store(true)
				}
			}
			snap.Close()
		}
	})
	pushing.Wait()
	done.Store(true)
	others.Wait()
	if faults := w.faults(w.id); faults != nil {
		t.Errorf("faults: %q", faults)
	}
	w.clock.Add(1000 * time.Hour)
	if _, _, err := w.Sweep(t.Context(), nil); err != nil {
		t.Fatal(err)
	}
	if n := len(w.names()); n != 2*pushers*pushes {
		t.Errorf("%d files left, want those of %d packs", n, pushers*pushes)
	}
	if faults := w.faults(w.id); faults != nil {
		t.Errorf("faults after the last sweep: %q", faults)
	}
}
