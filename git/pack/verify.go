package pack

import (
	"context"

	"github.com/ingot-forge/ingot/git"
)

// Verify reads everything.
func (p *Pack) Verify(ctx context.Context, visit func(id git.ID, kind git.Kind, data []byte) error, progress func(done, total int)) error {
	panic("contract")
}
