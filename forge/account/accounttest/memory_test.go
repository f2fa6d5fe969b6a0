package accounttest_test

import (
	"testing"

	"github.com/ingot-forge/ingot/forge/account"
	"github.com/ingot-forge/ingot/forge/account/accounttest"
)

func TestMemory(t *testing.T) {
	accounttest.Run(t, func(*testing.T) account.Stores { return new(accounttest.Memory).Stores() })
}
