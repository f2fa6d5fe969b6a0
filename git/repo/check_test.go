package repo_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/ingot-forge/ingot/git"
	"github.com/ingot-forge/ingot/git/pack"
	"github.com/ingot-forge/ingot/git/repo"
)

// plant makes a pack part of a repository without any check of what is in it.
func (w *world) plant(data []byte, name string) repo.Pack {
	w.Helper()
	d, err := w.files.Draft(w.Context())
	if err != nil {
		w.Fatal(err)
	}
	r, err := pack.Receive(w.Context(), bytes.NewReader(data), d, pack.Options{Format: w.format})
	if err != nil {
		w.Fatal(err)
	}
	row := repo.Pack{Name: strings.Repeat(name, 32), Bytes: r.Bytes, Objects: int64(r.Objects), Checksum: r.Checksum, Added: w.clock.Now()}
	if err := d.Publish(w.Context(), repo.PackFile(row.Name)); err != nil {
		w.Fatal(err)
	}
	if d, err = w.files.Draft(w.Context()); err != nil {
		w.Fatal(err)
	}
	if _, err := d.Write(r.Index); err != nil {
		w.Fatal(err)
	}
	if err := d.Publish(w.Context(), repo.IndexFile(row.Name)); err != nil {
		w.Fatal(err)
	}
	return row
}

// commitRaw goes past the checks of Store.Commit.
func (w *world) commitRaw(c repo.Change) {
	w.Helper()
	c.Repository, c.Time = w.id, w.clock.Now()
	if _, err := w.catalog.Commit(w.Context(), &c); err != nil {
		w.Fatal(err)
	}
}

// one wants exactly one fault, which has all the parts.
func one(t *testing.T, what string, faults []string, parts ...string) {
	t.Helper()
	if len(faults) != 1 {
		t.Errorf("%s: %d faults: %q", what, len(faults), faults)
		return
	}
	for _, p := range parts {
		if !strings.Contains(faults[0], p) {
			t.Errorf("%s: fault %q does not say %q", what, faults[0], p)
		}
	}
}

func TestCheckFindsBrokenLinks(t *testing.T) {
	s := newStock(t, git.SHA1)
	blob := s.write(git.KindBlob, "content")
	tree := s.write(git.KindTree, s.entry("100644", "file", blob))
	commit := s.writeCommit(tree)
	child := s.writeCommit(tree, commit)
	wrong := s.write(git.KindTree, s.entry("40000", "dir", blob))
	bad := s.write(git.KindTree, s.entry("100644", "a/b", blob))
	empty := s.write(git.KindBlob, "")
	tests := []struct {
		name    string
		objects []git.ID
		parts   []string
	}{
		{"missing blob", []git.ID{tree, commit}, []string{"missing blob", blob.String(), tree.String()}},
		{"missing tree", []git.ID{blob, commit}, []string{"missing tree", tree.String(), commit.String()}},
		{"missing parent", []git.ID{blob, tree, child}, []string{"missing commit", commit.String(), child.String()}},
		{"wrong kind", []git.ID{blob, wrong}, []string{blob.String(), "as a tree, but it is a blob"}},
		{"malformed tree", []git.ID{blob, bad}, []string{bad.String(), "fullPathname"}},
		{"nothing", []git.ID{blob, tree, commit, child}, nil},
	}
	for _, test := range tests {
		w := newWorld(t, git.SHA1)
		w.commitRaw(repo.Change{Add: []repo.Pack{w.plant(s.packOf(test.objects...), "a"), w.plant(s.packOf(empty), "b")}})
		faults := w.faults(w.id)
		if test.parts == nil {
			if faults != nil {
				t.Errorf("%s: %q", test.name, faults)
			}
			continue
		}
		one(t, test.name, faults, test.parts...)

		// The same when it is read in passes; where the id and who names it fall
		// into different ones, only the id is told.
		for _, passes := range []int{2, 7, 256} {
			var again []string
			n, err := w.CheckInPasses(t.Context(), w.snapshot(w.id), passes, func(f string) { again = append(again, f) }, nil)
			if err != nil || n != len(again) {
				t.Fatalf("%s in %d passes: %d, %v", test.name, passes, n, err)
			}
			one(t, fmt.Sprintf("%s in %d passes", test.name, passes), again, test.parts[:2]...)
		}
	}
}

func TestCheckFindsBrokenRefs(t *testing.T) {
	s := newStock(t, git.SHA1)
	s.grow("main", 1, 2)
	main, tag := s.resolve("main"), s.resolve("v1")
	tests := map[string]struct {
		change repo.Change
		part   string
	}{
		"target missing":    {repo.Change{Refs: []repo.RefUpdate{{Name: "refs/tags/x", New: git.ID{7}}}}, "missing object 07"},
		"branch to a tree":  {repo.Change{Refs: []repo.RefUpdate{{Name: "refs/heads/x", New: s.resolve("main^{tree}")}}}, `"refs/heads/x": a branch that`},
		"branch to a tag":   {repo.Change{Refs: []repo.RefUpdate{{Name: "refs/heads/x", New: tag, Peeled: main}}}, `"refs/heads/x": a branch that`},
		"tag not peeled":    {repo.Change{Refs: []repo.RefUpdate{{Name: "refs/tags/x", New: tag}}}, "peels to " + main.String()},
		"peeled wrongly":    {repo.Change{Refs: []repo.RefUpdate{{Name: "refs/tags/x", New: tag, Peeled: tag}}}, "peels to " + main.String()},
		"peeled but no tag": {repo.Change{Refs: []repo.RefUpdate{{Name: "refs/tags/x", New: main, Peeled: main}}}, "peels to 00"},
		"bad name":          {repo.Change{Refs: []repo.RefUpdate{{Name: "refs/heads/x..y", New: main}}}, `refs/heads/x..y`},
		"HEAD to a bad ref": {repo.Change{Head: &repo.HeadUpdate{Old: "refs/heads/main", New: "nowhere"}}, "HEAD: "},
	}
	for what, test := range tests {
		w := newWorld(t, git.SHA1)
		w.push(w.id, s.pack("main", "v1"), s.refs())
		w.commitRaw(test.change)
		one(t, what, w.faults(w.id), test.part)
	}
}

func TestCheckFindsDamage(t *testing.T) {
	s := newStock(t, git.SHA1)
	s.grow("main", 1, 6)
	data, refs := s.pack("main", "v1"), s.refs()
	fresh := func() (*world, repo.Pack) {
		w := newWorld(t, git.SHA1)
		w.push(w.id, data, refs)
		return w, w.snapshot(w.id).State().Packs[0]
	}
	w, row := fresh()
	if faults := w.faults(w.id); faults != nil {
		t.Fatalf("faults of a sound repository: %q", faults)
	}
	for _, file := range []string{repo.PackFile(row.Name), repo.IndexFile(row.Name)} {
		size := 0
		if err := w.files.Damage(file, func(b []byte) []byte { size = len(b); return b }); err != nil {
			t.Fatal(err)
		}
		for at := 0; at < size; at += 1 + size/150 {
			for what, change := range map[string]func([]byte) []byte{
				"bit flipped": func(b []byte) []byte { b[at] ^= 0x10; return b },
				"cut":         func(b []byte) []byte { return b[:at] },
			} {
				w, row := fresh()
				name := strings.Replace(repo.PackFile(row.Name), ".pack", file[strings.LastIndexByte(file, '.'):], 1)
				if err := w.files.Damage(name, change); err != nil {
					t.Fatal(err)
				}
				if faults := w.faults(w.id); faults == nil {
					t.Errorf("%s at %d of %s: no fault", what, at, name)
				} else if !strings.Contains(strings.Join(faults, "\n"), row.Name) {
					t.Errorf("%s at %d of %s: no fault names the pack: %q", what, at, name, faults)
				}
			}
		}
		w, row := fresh()
		name := strings.Replace(repo.PackFile(row.Name), ".pack", file[strings.LastIndexByte(file, '.'):], 1)
		if err := w.files.Delete(t.Context(), name); err != nil {
			t.Fatal(err)
		}
		one(t, "file gone", w.faults(w.id), row.Name, repo.ErrNoFile.Error())
	}
}

// What is damaged in one place does not hide what is wrong elsewhere.
func TestCheckGoesOn(t *testing.T) {
	s := newStock(t, git.SHA1)
	blob, other := s.write(git.KindBlob, "content"), s.write(git.KindBlob, "other")
	tree := s.write(git.KindTree, s.entry("100644", "file", blob)) // which is missing
	w := newWorld(t, git.SHA1)
	row := w.plant(s.packOf(other, tree), "a")
	if err := w.files.Damage(repo.PackFile(row.Name), func(b []byte) []byte {
		b[bytes.Index(b, []byte{0x78})+3] ^= 0x40 // in the first stream, that of the blob
		return b
	}); err != nil {
		t.Fatal(err)
	}
	w.commitRaw(repo.Change{Add: []repo.Pack{row}, Refs: []repo.RefUpdate{{Name: "refs/tags/x", New: git.ID{7}}}})
	told := strings.Join(w.faults(w.id), "\n")
	for _, part := range []string{"checksum does not match", "offset 12:", "missing blob " + blob.String(), "missing object 07"} {
		if !strings.Contains(told, part) {
			t.Errorf("no fault says %q:\n%s", part, told)
		}
	}
}

func TestCheckComparesRows(t *testing.T) {
	s := newStock(t, git.SHA1)
	blob := s.write(git.KindBlob, "x")
	for what, change := range map[string]func(p *repo.Pack){
		"bytes":    func(p *repo.Pack) { p.Bytes++ },
		"objects":  func(p *repo.Pack) { p.Objects++ },
		"checksum": func(p *repo.Pack) { p.Checksum = slices.Clone(p.Checksum); p.Checksum[3]++ },
	} {
		w := newWorld(t, git.SHA1)
		row := w.plant(s.packOf(blob), "c")
		change(&row)
		w.commitRaw(repo.Change{Add: []repo.Pack{row}})
		one(t, what, w.faults(w.id), row.Name, what, "row says")
	}
}

func TestCheckProgressAndContext(t *testing.T) {
	s := newStock(t, git.SHA1)
	s.grow("main", 1, 5)
	w := newWorld(t, git.SHA1)
	w.push(w.id, s.pack("main", "v1"), s.refs())
	s.git("", "update-ref", "refs/heads/old", "main")
	s.grow("main", 2, 5)
	w.push(w.id, s.pack("main", "^old"), map[string]git.ID{"refs/heads/main": s.resolve("main")})
	snap := w.snapshot(w.id)
	want := 0
	for _, p := range snap.State().Packs {
		want += int(p.Objects)
	}
	for _, passes := range []int{1, 3} {
		last, total := 0, 0
		_, err := w.CheckInPasses(t.Context(), snap, passes, func(f string) { t.Error(f) }, func(d, n int) {
			if d < last {
				t.Errorf("progress went from %d to %d", last, d)
			}
			last, total = d, n
		})
		if err != nil || last != want*passes || total != want*passes {
			t.Errorf("%d passes over %d objects: progress ended at %d of %d, %v", passes, want, last, total, err)
		}
	}
	ctx, cancel := context.WithCancel(t.Context())
	n, err := w.Check(ctx, w.id, func(f string) { t.Error(f) }, func(int, int) { cancel() })
	if !errors.Is(err, context.Canceled) || n != 0 {
		t.Errorf("cancelled: %d, %v", n, err)
	}
	if _, err := w.Check(t.Context(), 99, func(string) {}, nil); !errors.Is(err, repo.ErrNoRepository) {
		t.Errorf("no repository: %v", err)
	}
}
