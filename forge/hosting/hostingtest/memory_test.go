package hostingtest_test

import (
	"testing"

	"github.com/ingot-forge/ingot/forge"
	"github.com/ingot-forge/ingot/forge/hosting/hostingtest"
)

func TestMemory(t *testing.T) {
	hostingtest.Run(t, func(*testing.T) hostingtest.Fixture {
		m := hostingtest.NewMemory()
		return hostingtest.Fixture{Repositories: m, Forks: m, Collaborators: m, Events: m, Owners: m, Catalog: m,
			AddUser: func(_ *testing.T, login string) forge.UserID { return m.AddUser(forge.User{Login: login}).ID }}
	})
}
