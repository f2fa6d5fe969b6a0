package disk_test

import (
	"testing"

	"github.com/ingot-forge/ingot/git/repo"
	"github.com/ingot-forge/ingot/git/repo/repotest"
)

func TestConformance(t *testing.T) {
	repotest.TestFiles(t, func(t *testing.T) repo.Files { return open(t, t.TempDir()) })
}
