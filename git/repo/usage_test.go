package repo_test

import (
	"testing"

	"github.com/ingot-forge/ingot/git"
	"github.com/ingot-forge/ingot/git/repo"
)

func TestUsage(t *testing.T) {
	w, s := newWorld(t, git.SHA1).derive(1), newStock(t, git.SHA1)
	if u, err := w.Usage(t.Context(), w.id); err != nil || u != (repo.Usage{}) {
		t.Errorf("of an empty repository: %+v, %v", u, err)
	}
	w.pushEach(s, 4)
	before, err := w.Usage(t.Context(), w.id)
	if err != nil || before.Packs != 4 {
		t.Fatalf("of four pushes: %+v, %v", before, err)
	}
	w.compact(repo.CompactOptions{All: true})
	var files int64
	p := w.packs()[0]
	for _, name := range []string{repo.IndexFile(p.Name), repo.RevFile(p.Name), repo.BitmapFile(p.Name), repo.GraphFile(p.Name)} {
		f, err := w.files.Open(t.Context(), name)
		if err != nil {
			t.Fatal(err)
		}
		files += f.Size()
		f.Close()
	}
	want := repo.Usage{Packs: 1, Objects: p.Objects, Bytes: p.Bytes, Derived: files}
	if after, err := w.Usage(t.Context(), w.id); err != nil || after != want {
		t.Errorf("compacted: %+v, %v; want %+v", after, err, want)
	}
}
