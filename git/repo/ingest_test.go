package repo_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/ingot-forge/ingot/git"
	"github.com/ingot-forge/ingot/git/fsck"
	"github.com/ingot-forge/ingot/git/pack"
	"github.com/ingot-forge/ingot/git/repo"
)

var formats = []git.Format{git.SHA1, git.SHA256}

func TestIngestKeepsEveryObject(t *testing.T) {
	for _, f := range formats {
		t.Run(f.String(), func(t *testing.T) {
			s, w := newStock(t, f), newWorld(t, f)
			s.grow("main", 1, 40)
			w.push(w.id, s.pack("main", "v1"), s.refs())
			old := w.snapshot(w.id)
			before := s.all()
			s.grow("main", 2, 10)
			s.grow("side", 3, 10)
			w.push(w.id, s.pack("main", "side", "v2", "v3", "^v1"), s.refs()) // thin

			snap := w.snapshot(w.id)
			if n := len(snap.State().Packs); n != 2 {
				t.Errorf("%d packs", n)
			}
			equal(t, snap, s.all())
			equal(t, old, before)
			for name, target := range s.refs() {
				r, ok := snap.Ref(name)
				peeled := s.resolve(name + "^{}")
				if peeled == target {
					peeled = git.ID{}
				}
				if !ok || r != (repo.Ref{Name: name, Target: target, Peeled: peeled}) {
					t.Errorf("ref %+v, want %s at %s, peeled %s", r, name, target, peeled)
				}
			}
			if head, ok := snap.Ref("HEAD"); !ok || head.Name != "refs/heads/main" {
				t.Errorf("HEAD = %+v", head)
			}
			if faults := w.faults(w.id); faults != nil {
				t.Errorf("faults: %q", faults)
			}
			for _, p := range snap.State().Packs {
				verifyPack(t, s, w, p)
			}
		})
	}
}

// equal reads every object, and a few that are not there.
func equal(t *testing.T, snap *repo.Snapshot, want map[git.ID]object) {
	t.Helper()
	for id, o := range want {
		kind, data, err := snap.Object(t.Context(), id)
		if err != nil || kind != o.kind || string(data) != o.data {
			t.Fatalf("Object %s = %v, %d bytes, %v; want %v, %d bytes", id, kind, len(data), err, o.kind, len(o.data))
		}
		kind, size, err := snap.Header(t.Context(), id)
		if err != nil || kind != o.kind || size != int64(len(o.data)) {
			t.Fatalf("Header %s = %v, %d, %v; want %v, %d", id, kind, size, err, o.kind, len(o.data))
		}
		p, at, err := snap.Find(t.Context(), id)
		if err != nil || p.Index().ID(at) != id {
			t.Fatalf("Find %s = place %d, %v", id, at, err)
		}
		id[7] ^= 1
		if has, err := snap.Has(t.Context(), id); has || err != nil {
			t.Fatalf("Has of what is not there = %v, %v", has, err)
		}
		if _, _, err := snap.Object(t.Context(), id); !errors.Is(err, git.ErrNotFound) {
			t.Fatalf("Object of what is not there = %v", err)
		}
	}
}

// verifyPack has git look at the stored files.
func verifyPack(t *testing.T, s *stock, w *world, p repo.Pack) {
	t.Helper()
	if !regexp.MustCompile(`^[0-9a-f]{32}$`).MatchString(p.Name) {
		t.Errorf("pack name %q", p.Name)
	}
	if want := "packs/" + p.Name[:2] + "/pack-" + p.Name + ".idx"; repo.IndexFile(p.Name) != want {
		t.Errorf("IndexFile = %s, want %s", repo.IndexFile(p.Name), want)
	}
	dir := t.TempDir()
	packPath := save(t, w.files, repo.PackFile(p.Name), dir)
	idxPath := save(t, w.files, repo.IndexFile(p.Name), dir)
	s.git("", "verify-pack", "--object-format="+s.format.String(), idxPath)
	s.git("", "index-pack", "--object-format="+s.format.String(), "-o", dir+"/git.idx", packPath)
	ours, _ := os.ReadFile(idxPath)
	gits, _ := os.ReadFile(dir + "/git.idx")
	if !bytes.Equal(ours, gits) {
		t.Errorf("index differs from that of git index-pack")
	}
	info, _ := os.Stat(packPath)
	if info.Size() != p.Bytes || !p.Added.Equal(w.clock.Now()) {
		t.Errorf("row %+v of a file of %d bytes, staged at %v", p, info.Size(), w.clock.Now())
	}
}

// TestMissing takes each object in turn out of a pack.
func TestMissing(t *testing.T) {
	s := newStock(t, git.SHA1)
	s.grow("main", 1, 4)
	all := s.reachable("refs/heads/main", "refs/tags/v1")
	kinds := s.all()
	for i, missing := range all {
		w := newWorld(t, git.SHA1)
		staged, err := w.ingest(w.id, s.packOf(slices.Delete(slices.Clone(all), i, i+1)...), s.resolve("main"), s.resolve("v1"))
		if staged != nil {
			t.Fatalf("staged without %v %s", kinds[missing].kind, missing)
		}
		var m *repo.MissingError
		if !errors.As(err, &m) || m.ID != missing || !errors.Is(err, git.ErrNotFound) {
			t.Fatalf("without %v %s: %v", kinds[missing].kind, missing, err)
		}
		if missing == s.resolve("v1") { // only a tip names it
			if !m.From.IsZero() || m.Kind != 0 {
				t.Errorf("%+v", m)
			}
		} else {
			from := kinds[m.From]
			names := strings.Contains(from.data, missing.String()) || strings.Contains(from.data, string(missing[:20]))
			if !names || m.FromKind != from.kind || m.Kind != kinds[missing].kind {
				t.Errorf("%v %s is missing, error says: %v", kinds[missing].kind, missing, err)
			}
			want := fmt.Sprintf("%s %s names missing %s %s", from.kind, m.From, m.Kind, missing)
			if err.Error() != want {
				t.Errorf("error %q, want %q", err, want)
			}
		}
		if n := w.names(); n != nil || w.files.Drafts() != 0 {
			t.Errorf("left: %q and %d drafts", n, w.files.Drafts())
		}
	}
}

func TestTips(t *testing.T) {
	s, w := newStock(t, git.SHA1), newWorld(t, git.SHA1)
	s.grow("main", 1, 2)
	absent := git.ID{1, 2, 3}
	var m *repo.MissingError
	if _, err := w.ingest(w.id, s.pack("main"), s.resolve("main"), absent); !errors.As(err, &m) || m.ID != absent {
		t.Errorf("a tip that is nowhere: %v", err)
	}
	w.push(w.id, s.pack("main"), map[string]git.ID{"refs/heads/main": s.resolve("main")})
	empty := s.packOf()
	if staged, err := w.ingest(w.id, empty, s.resolve("main^")); staged != nil || err != nil {
		t.Errorf("an empty pack with a tip of the repository: %v, %v", staged, err)
	}
	if _, err := w.ingest(w.id, empty, absent); !errors.As(err, &m) || m.ID != absent {
		t.Errorf("an empty pack with a tip that is nowhere: %v", err)
	}
	if n := len(w.names()); n != 2 || w.files.Drafts() != 0 {
		t.Errorf("%d files and %d drafts, want the two of the first pack", n, w.files.Drafts())
	}
}

// TestIsolation: what another repository has is missing here.
func TestIsolation(t *testing.T) {
	s, w := newStock(t, git.SHA1), newWorld(t, git.SHA1)
	s.grow("main", 1, 3)
	w.push(w.id, s.pack("main"), map[string]git.ID{"refs/heads/main": s.resolve("main")})
	other := w.create()
	var m *repo.MissingError
	if _, err := w.ingest(other, s.packOf(), s.resolve("main")); !errors.As(err, &m) {
		t.Errorf("a tip of another repository: %v", err)
	}
	next := s.writeCommit(s.resolve("main^{tree}"), s.resolve("main"))
	if _, err := w.ingest(other, s.packOf(next), next); !errors.As(err, &m) {
		t.Errorf("a commit on top of another repository's: %v", err)
	}
	s.git("", "update-ref", "refs/heads/old", "main~1")
	if _, err := w.ingest(other, s.pack("main", "^old"), s.resolve("main")); !errors.Is(err, git.ErrNotFound) {
		t.Errorf("a thin pack on bases of another repository: %v", err)
	}
	if _, err := w.ingest(w.id, s.packOf(next), next); err != nil {
		t.Errorf("in its own repository: %v", err)
	}
}

// TestWrongKinds links objects to others of the wrong kind, which are in the
// same pack or in the repository already.
func TestWrongKinds(t *testing.T) {
	s := newStock(t, git.SHA1)
	blob := s.write(git.KindBlob, "content")
	tree := s.write(git.KindTree, s.entry("100644", "file", blob))
	commit := s.writeCommit(tree)
	tag := func(target git.ID, kind git.Kind) git.ID {
		return s.write(git.KindTag, fmt.Sprintf("object %s\ntype %s\ntag name\ntagger %s\n\nmessage\n", target, kind, someone))
	}
	annotated := tag(commit, git.KindCommit)
	base := []git.ID{blob, tree, commit, annotated}
	tests := []struct {
		name       string
		object     git.ID
		want, kind git.Kind // zero: accepted
	}{
		{"file that is a commit", s.write(git.KindTree, s.entry("100644", "x", commit)), git.KindBlob, git.KindCommit},
		{"file that is a tree", s.write(git.KindTree, s.entry("100755", "x", tree)), git.KindBlob, git.KindTree},
		{"link that is a tag", s.write(git.KindTree, s.entry("120000", "x", annotated)), git.KindBlob, git.KindTag},
		{"directory that is a blob", s.write(git.KindTree, s.entry("40000", "x", blob)), git.KindTree, git.KindBlob},
		{"directory that is a commit", s.write(git.KindTree, s.entry("40000", "x", commit)), git.KindTree, git.KindCommit},
		{"one name right, one wrong", s.write(git.KindTree, s.entry("100644", "a", blob)+s.entry("40000", "b", blob)), git.KindTree, git.KindBlob},
		{"submodule that is a blob's id", s.write(git.KindTree, s.entry("160000", "x", blob)), 0, 0},
		{"submodule that is nothing here", s.write(git.KindTree, s.entry("160000", "x", git.ID{1})), 0, 0},
		{"commit of a blob", s.writeCommit(blob), git.KindTree, git.KindBlob},
		{"commit of a commit", s.writeCommit(commit), git.KindTree, git.KindCommit},
		{"parent that is a tree", s.writeCommit(tree, tree), git.KindCommit, git.KindTree},
		{"parent that is a tag", s.writeCommit(tree, annotated), git.KindCommit, git.KindTag},
		{"tag of a commit that is a tree", tag(tree, git.KindCommit), git.KindCommit, git.KindTree},
		{"tag of a blob that is a tag", tag(annotated, git.KindBlob), git.KindBlob, git.KindTag},
		{"tag of a tag", tag(annotated, git.KindTag), 0, 0},
		{"tag of a blob", tag(blob, git.KindBlob), 0, 0},
	}
	for _, test := range tests {
		for _, where := range []string{"in the pack", "in the repository"} {
			w := newWorld(t, git.SHA1)
			pack := s.packOf(append(base[:4:4], test.object)...)
			if where == "in the repository" {
				w.push(w.id, s.packOf(base...), map[string]git.ID{"refs/heads/main": commit})
				pack = s.packOf(test.object)
			}
			_, err := w.ingest(w.id, pack, test.object)
			var k *repo.KindError
			switch {
			case test.want == 0 && err != nil:
				t.Errorf("%s, %s: %v", test.name, where, err)
			case test.want != 0 && !errors.As(err, &k):
				t.Errorf("%s, %s: %v, want a *KindError", test.name, where, err)
			case test.want != 0 && (k.Want != test.want || k.Kind != test.kind || k.From.IsZero()):
				t.Errorf("%s, %s: %+v, want %v for a %v", test.name, where, k, test.want, test.kind)
			}
		}
	}
}

func TestFsckRefuses(t *testing.T) {
	s := newStock(t, git.SHA1)
	blob := s.write(git.KindBlob, "x")
	bad := s.write(git.KindBlob, "[submodule \"a\"]\n\tpath = a\n\turl = -option\n")
	tests := []struct {
		message string
		objects []git.ID
	}{
		{"hasDotgit", []git.ID{blob, s.write(git.KindTree, s.entry("40000", ".git", s.write(git.KindTree, ""))), s.write(git.KindTree, "")}},
		{"missingEmail", []git.ID{s.write(git.KindTree, ""), s.write(git.KindCommit, "tree 4b825dc642cb6eb9a060e54bf8d69288fbee4904\nauthor x\ncommitter x\n\n")}},
		{"gitmodulesUrl", []git.ID{bad, s.write(git.KindTree, s.entry("100644", ".gitmodules", bad))}},
	}
	for _, test := range tests {
		w := newWorld(t, git.SHA1)
		_, err := w.ingest(w.id, s.packOf(test.objects...))
		var p *fsck.Problem
		if !errors.As(err, &p) || p.Message != test.message {
			t.Errorf("want %s, got %v", test.message, err)
		}
		if n := w.names(); n != nil || w.files.Drafts() != 0 {
			t.Errorf("%s left %q and %d drafts", test.message, n, w.files.Drafts())
		}
	}

	// The blob is in the repository already, as a file like any other.
	w := newWorld(t, git.SHA1)
	w.push(w.id, s.packOf(bad), map[string]git.ID{"refs/x/bad": bad})
	var p *fsck.Problem
	if _, err := w.ingest(w.id, s.packOf(tests[2].objects[1])); !errors.As(err, &p) || p.Message != "gitmodulesUrl" {
		t.Errorf("blob stored earlier: %v, want gitmodulesUrl", err)
	}
}

// TestHugeBlobs: blobs that never are in memory whole are taken in, and refused
// by their size alone where fsck would have to read them.
func TestHugeBlobs(t *testing.T) {
	if testing.Short() {
		t.Skip("packs 100 MB")
	}
	s := newStock(t, git.SHA1)
	large := s.write(git.KindBlob, strings.Repeat("#\n", fsck.MaxAttributesSize/2+1))
	tree := s.write(git.KindTree, s.entry("100644", ".gitattributes", large))
	want := func(err error) {
		t.Helper()
		var p *fsck.Problem
		if !errors.As(err, &p) || p.Object != large || p.Message != "gitattributesLarge" {
			t.Errorf("got %v, want gitattributesLarge of %s", err, large)
		}
	}
	w := newWorld(t, git.SHA1)
	_, err := w.ingest(w.id, s.packOf(large, tree))
	want(err)
	w.push(w.id, s.packOf(large), map[string]git.ID{"refs/x/large": large})
	_, err = w.ingest(w.id, s.packOf(tree))
	want(err)
}

// TestLinksBesideUnchangedOnes pushes one commit on top of wide trees, whose
// unchanged entries are not looked up one by one.
func TestLinksBesideUnchangedOnes(t *testing.T) {
	s := newStock(t, git.SHA1)
	blob := s.write(git.KindBlob, "content")
	var ids [100]git.ID
	var b strings.Builder
	for i, hex := range strings.Fields(s.writeAll(len(ids))) {
		ids[i] = s.id(hex)
		b.WriteString(s.entry("100644", fmt.Sprintf("f%03d", i), ids[i]))
	}
	files := b.String()
	sub := s.write(git.KindTree, files)
	below := s.entry("40000", "sub", sub)
	root := s.write(git.KindTree, files+below)
	first := s.writeCommit(root)
	s.git("", "update-ref", "refs/heads/main", s.format.Hex(first))

	commit := func(rootEntries string, more ...git.ID) ([]git.ID, git.ID) {
		tree := s.write(git.KindTree, rootEntries)
		c := s.writeCommit(tree, first)
		return append(more, tree, c), c
	}
	changed := s.write(git.KindTree, files+s.entry("100644", "g", blob))
	wrong := s.write(git.KindTree, files+s.entry("100644", "g", first))
	swapped := s.write(git.KindTree, files+s.entry("40000", "g", ids[7]))
	absent := s.write(git.KindTree, files+s.entry("100644", "g", blob))
	tests := []struct {
		name    string
		root    string
		more    []git.ID
		missing git.ID
		kind    git.ID // of the wrong kind
	}{
		{"one file more below", files + s.entry("40000", "sub", changed), []git.ID{changed, blob}, git.ID{}, git.ID{}},
		{"directory gone", files + s.entry("100644", "g", blob), []git.ID{blob}, git.ID{}, git.ID{}},
		{"new blob missing", files + s.entry("40000", "sub", absent), []git.ID{absent}, blob, git.ID{}},
		{"new tree missing", files + s.entry("40000", "sub", changed), []git.ID{blob}, changed, git.ID{}},
		{"file that is a commit", files + s.entry("40000", "sub", wrong), []git.ID{wrong}, git.ID{}, first},
		{"known file as a directory", files + s.entry("40000", "sub", swapped), []git.ID{swapped}, git.ID{}, ids[7]},
		{"known directory as a file", files + s.entry("100644", "sub", sub), nil, git.ID{}, sub},
	}
	for _, test := range tests {
		w := newWorld(t, git.SHA1)
		w.push(w.id, s.pack("main"), map[string]git.ID{"refs/heads/main": first})
		objects, tip := commit(test.root, test.more...)
		_, err := w.ingest(w.id, s.packOf(objects...), tip)
		var m *repo.MissingError
		var k *repo.KindError
		switch {
		case !test.missing.IsZero():
			if !errors.As(err, &m) || m.ID != test.missing {
				t.Errorf("%s: %v", test.name, err)
			}
		case !test.kind.IsZero():
			if !errors.As(err, &k) || k.ID != test.kind {
				t.Errorf("%s: %v", test.name, err)
			}
		case err != nil:
			t.Errorf("%s: %v", test.name, err)
		}
	}
}

func TestIngestNotes(t *testing.T) {
	s, w := newStock(t, git.SHA1), newWorld(t, git.SHA1)
	tree := s.write(git.KindTree, "")
	// A tag without a tagger is an info, as in git's own oldest tags.
	tag := s.write(git.KindTag, fmt.Sprintf("object %s\ntype tree\ntag v0\n\nold\n", tree))
	var notes []string
	snap := w.snapshot(w.id)
	_, err := w.Ingest(t.Context(), snap, bytes.NewReader(s.packOf(tree, tag)), repo.IngestOptions{Note: func(n string) { notes = append(notes, n) }})
	if err != nil || len(notes) != 1 || !strings.Contains(notes[0], "missingTaggerEntry") {
		t.Errorf("notes %q, %v", notes, err)
	}
}

// TestBrokenStreams cuts and damages a pack everywhere.
func TestBrokenStreams(t *testing.T) {
	s, w := newStock(t, git.SHA1), newWorld(t, git.SHA1)
	s.grow("main", 1, 2)
	data := s.pack("main")
	broken := errors.New("cable cut")
	snap := w.snapshot(w.id)
	for n := 0; n < len(data); n += 1 + len(data)/50 {
		for _, end := range []error{nil, broken} {
			var r io.Reader = bytes.NewReader(data[:n])
			if end != nil {
				r = io.MultiReader(r, iotest.ErrReader(end))
			}
			staged, err := w.Ingest(t.Context(), snap, r, repo.IngestOptions{})
			if staged != nil || err == nil || (end != nil && !errors.Is(err, end)) {
				t.Errorf("cut after %d bytes by %v: %v", n, end, err)
			}
		}
		damaged := bytes.Clone(data)
		damaged[n] ^= 0x40
		if staged, err := w.Ingest(t.Context(), snap, bytes.NewReader(damaged), repo.IngestOptions{}); staged != nil || err == nil {
			t.Errorf("bit flipped at %d: accepted", n)
		}
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := w.Ingest(ctx, snap, bytes.NewReader(data), repo.IngestOptions{}); !errors.Is(err, context.Canceled) {
		t.Errorf("cancelled: %v", err)
	}
	if n := w.names(); n != nil || w.files.Drafts() != 0 {
		t.Errorf("left: %q and %d drafts", n, w.files.Drafts())
	}
}

// TestNamesNobodySent: ids that compress are no objects' ids, and are refused
// before they fill the memory.
func TestNamesNobodySent(t *testing.T) {
	s, w := newStock(t, git.SHA1), newWorld(t, git.SHA1)
	var tree strings.Builder
	for i := range 150_000 {
		var id git.ID
		copy(id[:], fmt.Sprintf("%020d", i))
		tree.WriteString(s.entry("100644", fmt.Sprintf("%06d", i), id))
	}
	_, err := w.ingest(w.id, s.packOf(s.write(git.KindTree, tree.String())))
	var limit *pack.LimitError
	if !errors.As(err, &limit) || limit.Limit != "ids named by objects" {
		t.Errorf("got %v", err)
	}
}

func TestStage(t *testing.T) {
	for _, f := range formats {
		w := newWorld(t, f)
		h := git.NewHasher(f)
		objects := git.Memory{}
		add := func(kind git.Kind, data []byte) git.ID {
			id, err := h.Hash(kind, data)
			if err != nil {
				t.Fatal(err)
			}
			o := objects[id]
			o.Kind, o.Data = kind, data
			objects[id] = o
			return id
		}
		who := git.Signature{Name: "A", Email: "a@example.com", Seconds: 1700000000, Zone: "+0000"}
		blob := add(git.KindBlob, []byte("hello\n"))
		tree := add(git.KindTree, git.AppendTree(f, nil, []git.Entry{{Mode: git.ModeBlob, Name: "greeting", ID: blob}}))
		commit := add(git.KindCommit, git.AppendCommit(f, nil, &git.Commit{Tree: tree, Author: who, Committer: who, Message: "first\n"}))

		snap := w.snapshot(w.id)
		staged, err := w.Stage(t.Context(), snap, objects, repo.IngestOptions{Tips: []git.ID{commit}})
		if err != nil {
			t.Fatal(err)
		}
		if _, err := w.Commit(t.Context(), w.change(w.id, staged, map[string]git.ID{"refs/heads/main": commit})); err != nil {
			t.Fatal(err)
		}
		want := map[git.ID]object{}
		for id, o := range objects {
			want[id] = object{o.Kind, string(o.Data)}
		}
		equal(t, w.snapshot(w.id), want)

		snap = w.snapshot(w.id)
		if again, err := w.Stage(t.Context(), snap, objects, repo.IngestOptions{Tips: []git.ID{commit}}); again != nil || err != nil {
			t.Errorf("staging what is there: %+v, %v", again, err)
		}
		lone := git.Memory{}
		o := objects[commit]
		o.Data = bytes.Replace(o.Data, []byte("first"), []byte("other"), 1)
		lone[commit] = o // not its id, and nothing of what it names
		empty := newWorld(t, f)
		if _, err := empty.Stage(t.Context(), empty.snapshot(empty.id), lone, repo.IngestOptions{Tips: slices.Collect(maps.Keys(lone))}); !errors.Is(err, git.ErrNotFound) {
			t.Errorf("staging what names missing objects: %v", err)
		}
	}
}
