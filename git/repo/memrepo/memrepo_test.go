package memrepo_test

import (
	"context"
	"testing"

	"github.com/ingot-forge/ingot/git/repo"
	"github.com/ingot-forge/ingot/git/repo/memrepo"
	"github.com/ingot-forge/ingot/git/repo/repotest"
)

func TestFiles(t *testing.T) {
	repotest.TestFiles(t, func(*testing.T) repo.Files { return new(memrepo.Files) })
}

func TestCatalog(t *testing.T) {
	repotest.TestCatalog(t, func(*testing.T) repotest.CatalogFixture {
		c := new(memrepo.Catalog)
		return repotest.CatalogFixture{
			Catalog: c,
			Create:  c.Create,
			Remove:  c.Remove,
			Again:   func(*testing.T) repo.Catalog { return c },
			Events:  func(_ context.Context, id repo.ID) ([]repo.Event, error) { return c.Events(id), nil },
		}
	})
}
