package diff

import (
	"context"

	"github.com/ingot-forge/ingot/git"
)

// DefaultChanges is how many changes Changes gathers, unless told otherwise.
const DefaultChanges = 1 << 20

// ChangesOptions say what Changes gathers.
type ChangesOptions struct {
	TreeOptions
	Renames *RenameOptions // nil: files that moved are deleted and added
	Max     int            // changes, before renames are found; 0 means DefaultChanges
}

// Changes returns what differs between two trees, as git diff --raw does:
// Trees, gathered, and then Renames, if asked for. More changes than Max are a
// *LimitError. complete is as Renames has it.
func Changes(ctx context.Context, objects git.Objects, f git.Format, old, new git.ID, o ChangesOptions) (changes []Change, complete bool, err error) {
	setDefault(&o.Max, DefaultChanges)
	for c, err := range Trees(ctx, objects, f, old, new, o.TreeOptions) {
		if err != nil {
			return nil, false, err
		}
		if len(changes) == o.Max {
			return nil, false, &LimitError{"changes", int64(o.Max)}
		}
		changes = append(changes, c)
	}
	if o.Renames == nil {
		return changes, true, nil
	}
	return Renames(ctx, objects, f, changes, *o.Renames)
}
