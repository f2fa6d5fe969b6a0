package sqldb_test

import (
	"fmt"
	"testing"

	"github.com/ingot-forge/ingot/forge"
	"github.com/ingot-forge/ingot/git"
	"github.com/ingot-forge/ingot/git/repo"
)

// The bytes of packs take room as long as their rows are there, and no longer; what
// they took is used again.
func TestRowBytesAreFreed(t *testing.T) {
	db := newDB(t)
	owner := addUser(t, db, "owner")
	a := addRepository(t, db, owner, "a", git.SHA1)
	b := addRepository(t, db, owner, "b", git.SHA1)
	const rounds, packs, size = 6, 16, 32 << 10
	var pages []int
	for round := range rounds {
		var add []repo.Pack
		var drop []string
		for i := range packs {
			name := fmt.Sprintf("pack-%d-%d", round, i)
			add = append(add, repo.Pack{Name: name, Bytes: 1, Objects: 1, Checksum: []byte{1}, Data: make([]byte, size), Index: make([]byte, size)})
			drop = append(drop, name)
		}
		for _, ch := range []repo.Change{{Repository: a, Add: add}, {Repository: b, Add: add[:1]}, {Repository: a, Drop: drop}} {
			ch.Time = made
			if _, err := db.Catalog().Commit(t.Context(), &ch); err != nil {
				t.Fatal(err)
			}
		}
		if n := db.CountRows(t, "pack_bytes"); n != round+1 {
			t.Errorf("%d packs have bytes, want only the %d of the other repository", n, round+1)
		}
		pages = append(pages, db.PageCount(t))
	}
	// A round has some 256 pages. One that is not dropped takes 16.
	if grown := pages[rounds-1] - pages[0]; grown > rounds*20 {
		t.Errorf("pages after each round: %v", pages)
	}
	if err := db.Repositories().DeleteRepository(t.Context(), forge.RepositoryID(b), false, made, nil); err != nil {
		t.Fatal(err)
	}
	if n := db.CountRows(t, "pack_bytes"); n != 0 {
		t.Errorf("%d packs have bytes after their repository is gone", n)
	}
}
