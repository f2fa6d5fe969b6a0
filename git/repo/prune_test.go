package repo_test

import (
	"bytes"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/ingot-forge/ingot/git"
	"github.com/ingot-forge/ingot/git/repo"
)

// TestCompactPrunes deletes a branch and compacts day after day.
func TestCompactPrunes(t *testing.T) {
	for _, all := range []bool{true, false} {
		w, s := newWorld(t, git.SHA1).derive(1), newStock(t, git.SHA1)
		s.grow("main", 1, 8)
		w.push(w.id, s.pack("main", "v1"), s.refs())
		w.compact(repo.CompactOptions{}) // main has bitmaps
		s.git("", "branch", "gone", "main")
		s.grow("gone", 2, 2)
		s.git("", "tag", "-d", "v2")
		w.push(w.id, s.pack("gone", "^main"), s.refs())
		gone := s.reachable("gone", "^main")
		s.grow("main", 3, 1)
		s.git("", "tag", "-d", "v3")
		w.push(w.id, s.pack("main", "^gone", "^v1"), s.refs())
		kept := s.reachable("--all", "^gone")
		s.git("", "update-ref", "-d", "refs/heads/gone")
		if _, err := w.Commit(t.Context(), w.change(w.id, nil, map[string]git.ID{"refs/heads/gone": {}})); err != nil {
			t.Fatal(err)
		}
		gone = append([]git.ID(nil), without(gone, kept)...)

		for hours := 0; hours <= 60; hours += 12 {
			w.push(w.id, s.packOf(s.write(git.KindBlob, fmt.Sprint(all, hours))), nil) // never named by a ref
			r := w.compact(repo.CompactOptions{All: all})
			if r.Unchecked != "" {
				t.Errorf("after %d hours: %v", hours, r)
			}
			snap := w.snapshot(w.id)
			for _, id := range gone {
				if has, err := snap.Has(t.Context(), id); err != nil || hours <= 48 && !has || all && hours > 48 && has {
					t.Fatalf("all %v: after %d hours object %s is there: %v, %v; %v", all, hours, id, has, err, r)
				}
			}
			if all && hours == 60 && r.Unreachable < int64(len(gone)) {
				t.Errorf("left out %d, want at least %d", r.Unreachable, len(gone))
			}
			w.sameAs(s)
			if faults := w.faults(w.id); faults != nil {
				t.Errorf("after %d hours: %q", hours, faults)
			}
			w.clock.Add(12 * time.Hour)
		}
	}
}

func without(ids, others []git.ID) (left []git.ID) {
	in := map[git.ID]bool{}
	for _, id := range others {
		in[id] = true
	}
	for _, id := range ids {
		if !in[id] {
			left = append(left, id)
		}
	}
	return left
}

// TestPruneBesideMissing has a ref to an object that is not there: what hangs from it cannot be
// told from what nothing reaches, so all stays.
func TestPruneBesideMissing(t *testing.T) {
	w, s := newWorld(t, git.SHA1), newStock(t, git.SHA1)
	s.grow("main", 1, 3)
	w.push(w.id, s.pack("main", "v1"), s.refs())
	lost := s.write(git.KindBlob, "unreachable")
	w.push(w.id, s.packOf(lost), nil)
	w.commitRaw(repo.Change{Refs: []repo.RefUpdate{{Name: "refs/heads/broken", New: s.write(git.KindBlob, "never pushed")}}})
	r := w.compact(repo.CompactOptions{All: true})
	if r.Unchecked == "" || r.Unreachable > 0 {
		t.Errorf("objects were looked for that nothing reaches: %v", r)
	}
	if has, err := w.snapshot(w.id).Has(t.Context(), lost); err != nil || !has {
		t.Errorf("an object that nothing reaches is there: %v, %v", has, err)
	}
}

// TestPruneEverything deletes the only ref.
func TestPruneEverything(t *testing.T) {
	w, s := newWorld(t, git.SHA1), newStock(t, git.SHA1)
	s.grow("main", 1, 2)
	s.git("", "tag", "-d", "v1")
	w.push(w.id, s.pack("main"), s.refs())
	if _, err := w.Commit(t.Context(), w.change(w.id, nil, map[string]git.ID{"refs/heads/main": {}})); err != nil {
		t.Fatal(err)
	}
	w.clock.Add(50 * time.Hour)
	if r := w.compact(repo.CompactOptions{All: true}); len(w.packs()) != 0 || !strings.Contains(r.String(), "became none") {
		t.Errorf("%v; packs: %+v", r, w.packs())
	}
}

// TestPruneBesidePush has a push lean on a branch that is deleted while it is under way, and
// compactions before it commits, however slow it is: it is refused, or finds all it leans on.
func TestPruneBesidePush(t *testing.T) {
	s := newStock(t, git.SHA1)
	s.grow("main", 1, 3)
	s.git("", "branch", "other", "main")
	base := s.pack("main", "v1")
	refs := s.refs()
	s.grow("other", 2, 2)
	s.git("", "tag", "-d", "v2")
	onOther := s.pack("other", "^main")
	other := s.resolve("other")
	s.git("", "branch", "new", "other")
	s.grow("new", 3, 1)
	s.git("", "tag", "-d", "v3")
	onNew := s.pack("new", "^other")
	tip := s.resolve("new")
	refused, done := 0, 0
	hours := []time.Duration{0, 11, 13, 23, 30}
	for _, upload := range hours {
		for _, wait := range hours {
			w := newWorld(t, git.SHA1)
			w.push(w.id, base, refs)
			w.push(w.id, onOther, map[string]git.ID{"refs/heads/other": other})
			snap := w.snapshot(w.id) // the push begins
			if _, err := w.Commit(t.Context(), w.change(w.id, nil, map[string]git.ID{"refs/heads/other": {}})); err != nil {
				t.Fatal(err)
			}
			night := func(pause time.Duration) {
				for passed := time.Duration(0); passed < pause; passed++ {
					w.clock.Add(time.Hour)
				}
				w.push(w.id, s.packOf(s.write(git.KindBlob, fmt.Sprint(w.clock.Now()))), nil)
				w.compact(repo.CompactOptions{All: true})
				if _, _, err := w.Sweep(t.Context(), nil); err != nil {
					t.Fatal(err)
				}
			}
			night(upload)
			err := func() error {
				staged, err := w.Ingest(t.Context(), snap, bytes.NewReader(onNew), repo.IngestOptions{Tips: []git.ID{tip}})
				if err != nil {
					return err
				}
				peeled, _, err := w.Peel(t.Context(), snap, staged, tip)
				if err != nil {
					return err
				}
				night(wait)
				_, err = w.Commit(t.Context(), &repo.Change{Repository: w.id, Add: []repo.Pack{staged.Pack},
					Refs: []repo.RefUpdate{{Name: "refs/heads/new", New: tip, Peeled: peeled}}})
				return err
			}()
			switch {
			case err == nil:
				done++
			case errors.Is(err, repo.ErrOutOfDate) || errors.Is(err, git.ErrNotFound) || errors.Is(err, repo.ErrNoFile):
				refused++
			default:
				t.Errorf("uploaded for %d hours, waited for %d: %v", upload, wait, err)
			}
			if err == nil && (upload > 24 || wait > 12) {
				t.Errorf("uploaded for %d hours, waited for %d, and was taken", upload, wait)
			}
			for range 5 {
				if faults := w.faults(w.id); faults != nil {
					t.Fatalf("uploaded for %d hours, waited for %d, %v: %q", upload, wait, err, faults)
				}
				night(13)
			}
		}
	}
	if done == 0 || refused == 0 {
		t.Errorf("%d pushes done, %d refused", done, refused)
	}
}

// TestTipNeedsNothingElse: after everything is joined, what the current branch's tip
// has is whole, or a delta of what it has as well.
func TestTipNeedsNothingElse(t *testing.T) {
	w, s := newWorld(t, git.SHA1), newStock(t, git.SHA1)
	w.pushEach(s, 25)
	w.push(w.id, s.packOf(), map[string]git.ID{"refs/heads/main": s.resolve("main")})
	r := w.compact(repo.CompactOptions{All: true})
	if r.Deltas == 0 {
		t.Errorf("no object became a delta: %+v", r)
	}
	tip := map[string]bool{}
	for line := range strings.Lines(s.git("", "ls-tree", "-r", "-t", "main")) {
		tip[strings.Fields(line)[2]] = true
	}
	tip[strings.TrimSpace(s.git("", "rev-parse", "main^{tree}"))] = true
	deltas := 0
	for line := range strings.Lines(w.stockAccepts(s)) {
		f := strings.Fields(line)
		if len(f) == 7 && tip[f[0]] {
			if deltas++; !tip[f[6]] {
				t.Errorf("%s of the tip is a delta of %s, which is not", f[0], f[6])
			}
		}
	}
	t.Logf("%d objects in the tip, %d of them deltas; %v", len(tip), deltas, r)
	if again := w.compact(repo.CompactOptions{All: true}); again.Did() {
		t.Errorf("again: %v", again)
	}
}
