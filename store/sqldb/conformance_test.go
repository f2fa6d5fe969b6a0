package sqldb_test

import (
	"context"
	"path/filepath"
	"strconv"
	"testing"
	"time"

	"github.com/ingot-forge/ingot/forge"
	"github.com/ingot-forge/ingot/forge/account"
	"github.com/ingot-forge/ingot/forge/account/accounttest"
	"github.com/ingot-forge/ingot/forge/hosting"
	"github.com/ingot-forge/ingot/forge/hosting/hostingtest"
	"github.com/ingot-forge/ingot/git"
	"github.com/ingot-forge/ingot/git/repo"
	"github.com/ingot-forge/ingot/git/repo/repotest"
	"github.com/ingot-forge/ingot/store/sqldb"
)

func open(t testing.TB, path string) *sqldb.DB {
	t.Helper()
	db, err := sqldb.Open(t.Context(), path)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := db.Close(); err != nil {
			t.Error(err)
		}
	})
	return db
}

func newDB(t testing.TB) *sqldb.DB {
	t.Helper()
	return open(t, filepath.Join(t.TempDir(), "ingot.db"))
}

var made = time.Date(2026, 11, 22, 10, 20, 30, 0, time.UTC)

func addUser(t testing.TB, db *sqldb.DB, login string) forge.UserID {
	t.Helper()
	a, err := db.Users().CreateUser(context.Background(), &account.Account{User: forge.User{Login: login, Created: made, Updated: made}})
	if err != nil {
		t.Fatal(err)
	}
	return a.ID
}

func addRepository(t testing.TB, db *sqldb.DB, owner forge.UserID, name string, format git.Format) repo.ID {
	t.Helper()
	r, err := db.Repositories().CreateRepository(context.Background(),
		hosting.New{OwnerID: owner, Name: name, DefaultBranch: "main", Format: format, Created: made}, nil)
	if err != nil {
		t.Fatal(err)
	}
	return repo.ID(r.ID)
}

func TestCatalogConformance(t *testing.T) {
	repotest.TestCatalog(t, func(t *testing.T) repotest.CatalogFixture {
		path := filepath.Join(t.TempDir(), "ingot.db")
		db := open(t, path)
		owner := addUser(t, db, "owner")
		n := 0
		return repotest.CatalogFixture{
			Catalog: db.Catalog(),
			Create: func(_ context.Context, f git.Format) (repo.ID, error) {
				n++
				return addRepository(t, db, owner, "r"+strconv.Itoa(n), f), nil
			},
			Remove: func(ctx context.Context, id repo.ID, at time.Time) error {
				return db.Repositories().DeleteRepository(ctx, forge.RepositoryID(id), false, at, nil)
			},
			Events: func(ctx context.Context, id repo.ID) ([]repo.Event, error) {
				var events []repo.Event
				list, err := db.Events().ListEvents(ctx, forge.RepositoryID(id), 0, 1000)
				for _, e := range list {
					events = append(events, repo.Event{Kind: string(e.Kind), Payload: e.Payload})
				}
				return events, err
			},
			Again: func(t *testing.T) repo.Catalog { return open(t, path).Catalog() },
		}
	})
}

func TestAccountConformance(t *testing.T) {
	accounttest.Run(t, func(t *testing.T) account.Stores {
		db := newDB(t)
		return account.Stores{Users: db.Users(), Tokens: db.Tokens(), Keys: db.Keys(), Secrets: db.Secrets()}
	})
}

func TestHostingConformance(t *testing.T) {
	hostingtest.Run(t, func(t *testing.T) hostingtest.Fixture {
		db := newDB(t)
		return hostingtest.Fixture{
			Repositories: db.Repositories(), Forks: db.Repositories(), Collaborators: db.Collaborators(), Events: db.Events(), Owners: db.Users(),
			Catalog: db.Catalog(),
			AddUser: func(t *testing.T, login string) forge.UserID { return addUser(t, db, login) },
		}
	})
}
