package code

import (
	"context"

	"github.com/ingot-forge/ingot/git"
	"github.com/ingot-forge/ingot/git/revlog"
)

// lastBudget is how many commits are looked at between two looks at the context.
const lastBudget = 4096

// Last says which commit last changed a path.
type Last struct {
	Commit  git.ID
	Seconds int64 // committer time
}

// LastCommits finds for items, with paths from the root, the commit that git log -1 --
// path shows, in one walk for each directory that they lie in.
func (v *View) LastCommits(ctx context.Context, commit git.ID, items []Item) (map[string]Last, error) {
	commits, err := v.ancestry(ctx)
	if err != nil {
		return nil, err
	}
	wanted := map[string]map[string]bool{} // names by directory
	for i := range items {
		dir, name := split(items[i].Path)
		if wanted[dir] == nil {
			wanted[dir] = map[string]bool{}
		}
		wanted[dir][name] = true
	}
	last := make(map[string]Last, len(items))
	for dir, names := range wanted {
		walk, err := revlog.NewLastCommits(ctx, commits, commit, dir)
		if err != nil {
			return nil, err
		}
		for left := len(names); left > 0; {
			found, done, err := walk.Next(ctx, lastBudget)
			if err != nil {
				return nil, err
			}
			for _, l := range found {
				if !names[l.Name] {
					continue
				}
				left--
				path := l.Name
				if dir != "" {
					path = dir + "/" + l.Name
				}
				last[path] = Last{l.Commit, l.Seconds}
			}
			if done {
				break
			}
		}
	}
	return last, nil
}
