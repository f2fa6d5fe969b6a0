package sqldb_test

import (
	"testing"
	"time"

	"github.com/ingot-forge/ingot/forge"
	"github.com/ingot-forge/ingot/git"
	"github.com/ingot-forge/ingot/git/repo"
)

// A dropped pack is remembered for MaxGrace, and no longer than until the next
// one is dropped after that, by a commit or with its repository.
func TestForgetDropped(t *testing.T) {
	db := newDB(t)
	owner := addUser(t, db, "owner")
	id := addRepository(t, db, owner, "r", git.SHA1)
	second := addRepository(t, db, owner, "second", git.SHA1)
	commit := func(c repo.Change) {
		t.Helper()
		if _, err := db.Catalog().Commit(t.Context(), &c); err != nil {
			t.Fatal(err)
		}
	}
	names := []string{"first", "next", "later", "last"}
	for _, name := range names[:3] {
		commit(repo.Change{Repository: id, Add: []repo.Pack{{Name: name, Bytes: 1, Objects: 1, Checksum: []byte{1}}}, Time: made})
	}
	commit(repo.Change{Repository: second, Add: []repo.Pack{{Name: "last", Bytes: 1, Objects: 1, Checksum: []byte{1}}}, Time: made})
	remembered := func(want ...string) {
		t.Helper()
		got, err := db.Catalog().Referenced(t.Context(), names, time.Time{})
		if err != nil {
			t.Fatal(err)
		}
		for _, name := range want {
			if !got[name] {
				t.Errorf("%q is forgotten", name)
			}
		}
		if len(got) != len(want) {
			t.Errorf("referenced are %v, want %q", got, want)
		}
	}
	commit(repo.Change{Repository: id, Drop: []string{"first"}, Time: made})
	commit(repo.Change{Repository: id, Drop: []string{"next"}, Time: made.Add(repo.MaxGrace)})
	remembered("first", "next", "later", "last")
	commit(repo.Change{Repository: id, Drop: []string{"later"}, Time: made.Add(repo.MaxGrace + time.Second)})
	remembered("next", "later", "last")
	err := db.Repositories().DeleteRepository(t.Context(), forge.RepositoryID(second), false, made.Add(2*repo.MaxGrace+time.Second), nil)
	if err != nil {
		t.Fatal(err)
	}
	remembered("later", "last")
}
