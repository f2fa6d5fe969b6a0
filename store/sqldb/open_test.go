package sqldb_test

import (
	"context"
	"database/sql"
	"errors"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/ingot-forge/ingot/forge"
	"github.com/ingot-forge/ingot/forge/account"
	"github.com/ingot-forge/ingot/forge/hosting"
	"github.com/ingot-forge/ingot/git"
	"github.com/ingot-forge/ingot/git/repo"
	"github.com/ingot-forge/ingot/store/sqldb"
)

// createOwner makes the user "owner", or finds the one that somebody else made
// at the same time.
func createOwner(ctx context.Context, db *sqldb.DB) (*account.Account, error) {
	a, err := db.Users().CreateUser(ctx, &account.Account{User: forge.User{Login: "owner", Created: made, Updated: made}})
	if forge.KindOf(err) == forge.Conflict {
		return db.Users().FindUser(ctx, "owner")
	}
	return a, err
}

func createFirst(ctx context.Context, db *sqldb.DB, owner forge.UserID) error {
	_, err := db.Repositories().CreateRepository(ctx, hosting.New{OwnerID: owner, Name: "first", DefaultBranch: "main", Created: made}, nil)
	if forge.KindOf(err) == forge.Conflict {
		return nil
	}
	return err
}

// What was written is there after closing and opening, under any spelling of
// the location, also one with the marks of a URL in it.
func TestReopen(t *testing.T) {
	for _, name := range []string{"ingot.db", "a b?mode=memory#%41.db", "sqlite:x.db"} {
		path := filepath.Join(t.TempDir(), name)
		db, err := sqldb.Open(t.Context(), path)
		if err != nil {
			t.Fatalf("Open(%q): %v", path, err)
		}
		addUser(t, db, "alice")
		if err := db.Close(); err != nil {
			t.Fatal(err)
		}
		db = open(t, "sqlite:"+path)
		if _, err := db.Users().FindUser(t.Context(), "alice"); err != nil {
			t.Errorf("%q: %v", name, err)
		}
		if found, err := filepath.Glob(filepath.Join(filepath.Dir(path), "*")); err != nil || len(found) == 0 || !strings.HasPrefix(found[0], path) {
			t.Errorf("database %q made files %q (%v)", path, found, err)
		}
	}
}

func TestLocationsRefused(t *testing.T) {
	for _, location := range []string{"", "postgres://host/db", "mysql://x", filepath.Join(t.TempDir(), "no", "such", "directory", "x.db"), t.TempDir()} {
		db, err := sqldb.Open(t.Context(), location)
		if err == nil {
			db.Close()
			t.Errorf("Open(%q) succeeds", location)
		}
	}
}

// The promises that SQLite keeps only when told to.
func TestSettings(t *testing.T) {
	path := filepath.Join(t.TempDir(), "ingot.db")
	db := open(t, path)
	for pragma, want := range map[string]string{"journal_mode": "wal", "foreign_keys": "1", "synchronous": "2"} {
		if got := db.WriterPragma(t, pragma); got != want {
			t.Errorf("%s = %q, want %q", pragma, got, want)
		}
	}
}

// A database of a newer program is refused, untouched.
func TestNewerSchema(t *testing.T) {
	path := filepath.Join(t.TempDir(), "ingot.db")
	open(t, path)
	raw, err := sql.Open("sqlite", path)
	if err != nil {
		t.Fatal(err)
	}
	defer raw.Close()
	if _, err := raw.Exec(`INSERT INTO schema_version (version, applied) VALUES (1000, 0)`); err != nil {
		t.Fatal(err)
	}
	db, err := sqldb.Open(t.Context(), path)
	if err == nil {
		db.Close()
	}
	if err == nil || !strings.Contains(err.Error(), "newer") {
		t.Errorf("Open of a newer schema: %v", err)
	}
}

// Whoever gives up waiting for a turn gets its context's error, has changed
// nothing, and is in nobody's way.
func TestGivingUpTheTurn(t *testing.T) {
	db := newDB(t)
	id := addRepository(t, db, addUser(t, db, "owner"), "r", git.SHA1)
	release := db.HoldTurn(t)
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Millisecond)
	defer cancel()
	_, err := db.Catalog().Commit(ctx, &repo.Change{Repository: id, Time: made})
	if !errors.Is(err, context.DeadlineExceeded) || errors.Is(err, repo.ErrUnknown) {
		t.Errorf("Commit that waited in vain: %v", err)
	}
	if s, err := db.Catalog().Load(t.Context(), id, nil); err != nil || s.Version != 0 {
		t.Errorf("reading while somebody writes: version %v, %v", s, err)
	}
	release()
	if err := db.HeldError(); err != nil {
		t.Error(err)
	}
	if v, err := db.Catalog().Commit(t.Context(), &repo.Change{Repository: id, Time: made}); v != 1 || err != nil {
		t.Errorf("Commit afterwards: version %d, %v", v, err)
	}
}

// A panic, which whoever serves a request recovers from, undoes what was begun
// and passes the turn on.
func TestPanicInTurn(t *testing.T) {
	db := newDB(t)
	addUser(t, db, "alice")
	func() {
		defer func() {
			if r := recover(); r != "fault" {
				t.Errorf("recovered %v", r)
			}
		}()
		db.PanicInTurn(t, "fault")
	}()
	addUser(t, db, "bob")
	users, err := db.Users().ListUsers(t.Context(), 0, 10)
	if err != nil || len(users) != 2 {
		t.Errorf("%d users, %v, want both", len(users), err)
	}
}

// More callers than connections, in all the ways to use one: nobody waits for
// somebody who waits for him.
func TestManyAtOnce(t *testing.T) {
	db := newDB(t)
	owner := addUser(t, db, "owner")
	id := addRepository(t, db, owner, "r", git.SHA1)
	ctx := t.Context()
	var wg sync.WaitGroup
	for range 64 {
		wg.Go(func() {
			for range 5 {
				_, err1 := db.Catalog().Commit(ctx, &repo.Change{Repository: id, Time: made})
				_, err2 := db.Catalog().Load(ctx, id, nil)
				_, err3 := db.Catalog().RefLog(ctx, id, "", 0, 10)
				_, _, err4 := db.Repositories().FindRepository(ctx, hosting.Which{ID: forge.RepositoryID(id)}, owner)
				if err := errors.Join(err1, err2, err3, err4); err != nil {
					t.Error(err)
					return
				}
			}
		})
	}
	wg.Wait()
}

// Errors may end up before strangers: no statement, no path.
func TestErrorsTellNothing(t *testing.T) {
	path := filepath.Join(t.TempDir(), "ingot.db")
	db := open(t, path)
	id := addRepository(t, db, addUser(t, db, "owner"), "r", git.SHA1)
	raw, err := sql.Open("sqlite", path)
	if err != nil {
		t.Fatal(err)
	}
	defer raw.Close()
	for _, table := range []string{"refs", "ref_log", "tokens"} {
		if _, err := raw.Exec(`DROP TABLE ` + table); err != nil {
			t.Fatal(err)
		}
	}
	_, err1 := db.Catalog().Load(t.Context(), id, nil)
	_, err2 := db.Catalog().Commit(t.Context(), &repo.Change{Repository: id, Refs: []repo.RefUpdate{{Name: "refs/heads/a", New: object(1)}}})
	_, _, err3 := db.Tokens().FindToken(t.Context(), account.Hash{1})
	for _, err := range []error{err1, err2, err3} {
		if err == nil {
			t.Fatal("no error without the table")
		}
		for _, secret := range []string{"SELECT", "INSERT", "WHERE", filepath.Dir(path)} {
			if strings.Contains(err.Error(), secret) {
				t.Errorf("error tells %q: %v", secret, err)
			}
		}
	}
}
