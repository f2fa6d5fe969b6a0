package history

import (
	"context"

	"github.com/ingot-forge/ingot/git"
)

// Reachable reports which of the targets are reachable from the tips: commits
// through parents, other objects through trees and tags. It is one question to a
// Known: it stops as soon as all are found. To find that a commit is not
// reachable, it looks at the commits that are, from the tips down to its
// generation; for a tree or a blob, at every tree that no bitmap has. Targets
// that are not in the repository are not reachable. The answer holds true for
// those that are, and has no other entries.
func Reachable(
	ctx context.Context, objects git.Objects, f git.Format, tips, targets []git.ID, d Derived,
) (map[git.ID]bool, error) {
	missing, err := NewKnown(objects, f, tips, d).Missing(ctx, targets, nil)
	if err != nil {
		return nil, err
	}
	found := make(map[git.ID]bool, len(targets))
	for _, id := range targets {
		found[id] = true
	}
	for _, id := range missing {
		delete(found, id)
	}
	return found, nil
}
