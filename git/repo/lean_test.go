package repo_test

import (
	"bytes"
	"context"
	"errors"
	"slices"
	"testing"

	"github.com/ingot-forge/ingot/git"
	"github.com/ingot-forge/ingot/git/repo"
)

// allowed is an IngestOptions.Unknown that knows some objects, and what it was asked.
type allowed struct {
	known map[git.ID]bool
	asked [][]git.ID
	near  [][]git.ID
}

func (a *allowed) unknown(_ context.Context, ids, near []git.ID) (unknown []git.ID, err error) {
	a.asked, a.near = append(a.asked, slices.Clone(ids)), append(a.near, near)
	for _, id := range ids {
		if !a.known[id] {
			unknown = append(unknown, id)
		}
	}
	return unknown, nil
}

func (s *stock) allow(revs ...string) *allowed {
	a := &allowed{known: make(map[git.ID]bool)}
	for _, id := range s.reachable(revs...) {
		a.known[id] = true
	}
	return a
}

// TestLeanOn pushes packs that lean on objects which the repository has but no ref
// reaches, and the same to one that does not have them: the errors are the same.
func TestLeanOn(t *testing.T) {
	s := newStock(t, git.SHA1)
	s.grow("main", 1, 5)
	main := s.resolve("main")
	s.git("", "branch", "public", "main")
	secretBlob := s.write(git.KindBlob, string(bytes.Repeat([]byte("secret\n"), 400)))
	secretTree := s.write(git.KindTree, s.entry("100644", "secret", secretBlob))
	secret := s.writeCommit(secretTree, main)
	s.git("", "branch", "secret", secret.String())
	full, lacking := newWorld(t, git.SHA1), newWorld(t, git.SHA1)
	for _, w := range []*world{full, lacking} {
		w.push(w.id, s.pack("public"), map[string]git.ID{"refs/heads/public": main})
	}
	full.push(full.id, s.pack("secret", "^public"), nil) // no ref: as if it was deleted
	tree := func(mode, name string, id git.ID) git.ID { return s.write(git.KindTree, s.entry(mode, name, id)) }
	tagOf := func(kind string, id git.ID) git.ID {
		return s.write(git.KindTag, "object "+id.String()+"\ntype "+kind+"\ntag x\ntagger "+someone+"\n\nx\n")
	}
	withBlob, withTree, asTree := tree("100644", "a", secretBlob), tree("40000", "a", secretTree), tree("40000", "a", secretBlob)
	s.git("", "branch", "delta", s.writeCommit(tree("100644", "secret", s.write(git.KindBlob,
		string(bytes.Repeat([]byte("secret\n"), 400))+"and more\n")), secret).String())
	cases := map[string]struct {
		pack []byte
		tips []git.ID
	}{
		"commit":             {pack: s.packOf(s.writeCommit(s.resolve("main^{tree}"), secret))},
		"second parent":      {pack: s.packOf(s.writeCommit(s.resolve("main^{tree}"), main, secret))},
		"root tree":          {pack: s.packOf(s.writeCommit(secretTree, main))},
		"blob in a tree":     {pack: s.packOf(withBlob, s.writeCommit(withBlob, main))},
		"tree in a tree":     {pack: s.packOf(withTree, s.writeCommit(withTree, main))},
		"blob as a tree":     {pack: s.packOf(asTree, s.writeCommit(asTree, main))},
		"blob as root tree":  {pack: s.packOf(s.writeCommit(secretBlob, main))},
		"tag of a commit":    {pack: s.packOf(tagOf("commit", secret))},
		"tag of a blob":      {pack: s.packOf(tagOf("blob", secretBlob))},
		"tag of another":     {pack: s.packOf(tagOf("tree", secretBlob))},
		"tip":                {pack: s.packOf(), tips: []git.ID{secret}},
		"tip that is a blob": {pack: s.packOf(), tips: []git.ID{secretBlob}},
		"thin delta":         {pack: s.pack("delta", "^secret")},
	}
	for name, c := range cases {
		ingest := func(w *world) error {
			staged, err := w.Ingest(t.Context(), w.snapshot(w.id), bytes.NewReader(c.pack),
				repo.IngestOptions{Tips: c.tips, Unknown: s.allow("public").unknown})
			if staged != nil {
				t.Errorf("%s: something was staged", name)
			}
			return err
		}
		got, want := ingest(full), ingest(lacking)
		if got == nil || want == nil || !errors.Is(got, git.ErrNotFound) || got.Error() != want.Error() {
			t.Errorf("%s: %v; where it is not stored: %v", name, got, want)
		}
		// Whoever may know of it may lean on it.
		a := s.allow("secret")
		if _, err := full.Ingest(t.Context(), full.snapshot(full.id), bytes.NewReader(c.pack),
			repo.IngestOptions{Tips: c.tips, Unknown: a.unknown}); errors.Is(err, git.ErrNotFound) {
			t.Errorf("%s: %v, for one who may", name, err)
		}
	}

	// Objects that are brought whole are taken, though they are stored.
	staged, err := full.Ingest(t.Context(), full.snapshot(full.id), bytes.NewReader(s.packOf(secret, secretTree, secretBlob)),
		repo.IngestOptions{Tips: []git.ID{secret}, Unknown: s.allow("public").unknown})
	if err != nil || staged.Pack.Objects != 3 {
		t.Errorf("objects sent again: %+v, %v", staged, err)
	}
	objects := git.Memory{}
	for _, id := range []git.ID{secret, secretTree, secretBlob, s.resolve("main:")} {
		kind, data, err := full.snapshot(full.id).Object(t.Context(), id)
		if err != nil {
			t.Fatal(err)
		}
		o := objects[id]
		o.Kind, o.Data = kind, data
		objects[id] = o
	}
	staged, err = full.Stage(t.Context(), full.snapshot(full.id), objects, repo.IngestOptions{Tips: []git.ID{secret}, Unknown: s.allow("public").unknown})
	if err != nil || staged == nil || staged.Pack.Objects != 3 {
		t.Errorf("objects made again: %+v, %v", staged, err)
	}
}

// TestLeanCheaply: what is asked about a push is its parent, not all that its trees name.
func TestLeanCheaply(t *testing.T) {
	s, w := newStock(t, git.SHA1), newWorld(t, git.SHA1)
	var listing string
	for i, id := range bytes.Fields([]byte(s.writeAll(300))) {
		listing += "100644 blob " + string(id) + "\tdir/file" + string(rune('a'+i%26)) + string(rune('a'+i/26)) + "\n"
	}
	s.git(listing, "update-index", "--add", "--index-info")
	first := s.writeCommit(s.id(s.git("", "write-tree")))
	s.git("", "branch", "first", first.String())
	whole := s.allow("first")
	staged, err := w.Ingest(t.Context(), w.snapshot(w.id), bytes.NewReader(s.pack("first")), repo.IngestOptions{Unknown: whole.unknown})
	if err != nil || len(whole.asked) != 0 {
		t.Fatalf("of a whole push was asked %d times, %v", len(whole.asked), err)
	}
	if _, err := w.Commit(t.Context(), w.change(w.id, staged, map[string]git.ID{"refs/heads/main": first})); err != nil {
		t.Fatal(err)
	}
	s.git("100644 blob "+s.write(git.KindBlob, "new\n").String()+"\tdir/filenew\n", "update-index", "--add", "--index-info")
	next := s.writeCommit(s.id(s.git("", "write-tree")), first)
	s.git("", "branch", "next", next.String())
	pack := s.packOf(next, s.resolve("next:"), s.resolve("next:dir"), s.resolve("next:dir/filenew"))
	small := s.allow("first")
	if _, err := w.Ingest(t.Context(), w.snapshot(w.id), bytes.NewReader(pack), repo.IngestOptions{Tips: []git.ID{next}, Unknown: small.unknown}); err != nil {
		t.Fatal(err)
	}
	if len(small.asked) != 1 || !slices.Equal(small.asked[0], []git.ID{first}) {
		t.Errorf("asked about %v, want the parent", small.asked)
	}
	thin := s.allow("first")
	if _, err := w.Ingest(t.Context(), w.snapshot(w.id), bytes.NewReader(s.pack("next", "^first")), repo.IngestOptions{Unknown: thin.unknown}); err != nil {
		t.Fatal(err)
	}
	for i, ids := range thin.asked {
		if len(ids) != 1 || ids[0] != first && !slices.Equal(thin.near[i], []git.ID{first}) {
			t.Errorf("asked about %v near %v", ids, thin.near[i])
		}
	}
}
