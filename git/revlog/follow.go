package revlog

import (
	"context"

	"github.com/ingot-forge/ingot/git"
	"github.com/ingot-forge/ingot/git/ancestry"
	"github.com/ingot-forge/ingot/git/commitgraph"
	"github.com/ingot-forge/ingot/git/diff"
	"github.com/ingot-forge/ingot/git/treepath"
)

// follower knows where a file is as the walk goes back. Like git's it has one name at
// a time, whatever line of history the walk is on.
type follower struct {
	*ancestry.Commits
	name   string
	finder *treepath.Finder
	filter *commitgraph.Path
}

func newFollower(commits *ancestry.Commits, name string) (*follower, error) {
	f := &follower{Commits: commits}
	return f, f.use(name)
}

func (f *follower) use(name string) (err error) {
	if f.finder, err = newFinder(f.Commits, name); err == nil {
		f.name, f.filter = f.finder.Path(), commitgraph.NewPath(f.finder.Path())
	}
	return err
}

// step reports whether a commit changed the file, and where it was in this commit. If the commit
// made it from another one, that is the file to look for from then on.
func (f *follower) step(ctx context.Context, n ancestry.Node, parents []ancestry.Node, first bool) (
	changed bool, name string, err error) {
	var old git.ID
	if len(parents) > 0 {
		if len(parents) > 1 && !first || !f.MayChange(n, f.filter) {
			return false, "", nil
		}
		old = f.Tree(parents[0])
	}
	tree := f.Tree(n)
	if changed, err = f.finder.Differ(ctx, old, tree); err != nil || !changed {
		return false, "", err
	}
	name = f.name
	was, err := f.finder.Find(ctx, old)
	if err != nil {
		return false, "", err
	}
	is, err := f.finder.Find(ctx, tree)
	if err != nil {
		return false, "", err
	}
	// Git looks no further where a directory gave way to the file.
	if is.Exists() && !is.IsTree() && !was.Exists() && !old.IsZero() {
		origin, err := f.origin(ctx, old, tree)
		if err != nil {
			return false, "", err
		}
		if origin != "" {
			if err := f.use(origin); err != nil {
				return false, "", err
			}
		}
	}
	return true, name, nil
}

// origin returns the path in old of the file from which the one that is new in tree was made;
// "" if there is none.
func (f *follower) origin(ctx context.Context, old, tree git.ID) (string, error) {
	changes, _, err := diff.Changes(ctx, f.Objects(), f.Format(), old, tree,
		diff.ChangesOptions{TreeOptions: diff.TreeOptions{Unchanged: true}})
	if err != nil {
		return "", err
	}
	candidates := changes[:0]
	for _, c := range changes {
		if c.Status != diff.Added || c.New.Path == f.name {
			candidates = append(candidates, c)
		}
	}
	changes, _, err = diff.Renames(ctx, f.Objects(), f.Format(), candidates, diff.RenameOptions{Copies: true})
	if err != nil {
		return "", err
	}
	for _, c := range changes {
		if (c.Status == diff.Renamed || c.Status == diff.Copied) && c.New.Path == f.name {
			return c.Old.Path, nil
		}
	}
	return "", nil
}
