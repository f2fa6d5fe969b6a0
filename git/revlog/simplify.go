package revlog

import (
	"context"
	"fmt"

	"github.com/ingot-forge/ingot/git"
	"github.com/ingot-forge/ingot/git/ancestry"
	"github.com/ingot-forge/ingot/git/commitgraph"
	"github.com/ingot-forge/ingot/git/treepath"
)

// simplify compares a commit with its parents (w.parents) where the paths are. If it is the same
// as one of them that counts, that one is the only parent left. It marks the commit as
// the same if it is so with all parents that count, or with all if none does.
//
// Parents count that are not excluded, as far as the walk has seen by now, or that are excluded by name.
func (w *walker) simplify(ctx context.Context, n ancestry.Node, at *mark) error {
	if len(w.parents) == 0 {
		differs, err := w.paths.differ(ctx, git.ID{}, w.Tree(n))
		if err == nil && !differs {
			*at |= same
		}
		return err
	}
	counting, countingChange, otherChange := 0, false, false
	for i, p := range w.parents {
		counts, err := w.counts(ctx, p)
		if err != nil {
			return err
		}
		if counts {
			counting++
		}
		if i == 1 && w.FirstParent {
			break
		}
		*w.marks.At(p) |= parsed
		differs := i > 0 || w.paths.mayChange(n)
		if differs {
			if differs, err = w.paths.differ(ctx, w.Tree(p), w.Tree(n)); err != nil {
				return err
			}
		}
		switch {
		case differs && counts:
			countingChange = true
		case differs:
			otherChange = true
		case counts && !w.FullHistory:
			w.parents[0] = p
			w.parents = w.parents[:1]
			*at |= same
			*w.kept.At(n) = int32(i + 1)
			return nil
		}
	}
	if counting > 0 && !countingChange || counting == 0 && !otherChange {
		*at |= same
	}
	return nil
}

// counts reports whether a parent counts when a commit is simplified.
func (w *walker) counts(ctx context.Context, p ancestry.Node) (bool, error) {
	at := *w.marks.At(p)
	switch {
	case at&bottom != 0 || w.not == nil && at&boring == 0:
		return true, nil
	case at&boring != 0:
		return false, nil
	case w.FullHistory && w.Order == ByDate: // git looks again in the end
		excluded, err := w.not.has(ctx, p)
		return !excluded, err
	}
	return true, nil
}

// paths are the files and directories to which a walk is limited.
type paths struct {
	*ancestry.Commits
	list []*path
}

type path struct {
	finder *treepath.Finder
	filter *commitgraph.Path
}

func newPaths(commits *ancestry.Commits, names []string) (*paths, error) {
	ps := &paths{Commits: commits}
	for _, name := range names {
		finder, err := newFinder(commits, name)
		if err != nil {
			return nil, err
		}
		ps.list = append(ps.list, &path{finder, commitgraph.NewPath(finder.Path())})
	}
	return ps, nil
}

// newFinder returns the finder of a path below the root.
func newFinder(commits *ancestry.Commits, name string) (*treepath.Finder, error) {
	if name == "" {
		return nil, fmt.Errorf("path %q: %w", name, treepath.ErrPath)
	}
	return treepath.New(commits.Objects(), commits.Format(), name)
}

// mayChange reports whether a commit may have changed any path against its first parent.
func (ps *paths) mayChange(n ancestry.Node) bool {
	for _, p := range ps.list {
		if ps.MayChange(n, p.filter) {
			return true
		}
	}
	return false
}

// differ reports whether two root trees differ at any path.
func (ps *paths) differ(ctx context.Context, a, b git.ID) (bool, error) {
	if a == b {
		return false, nil
	}
	for _, p := range ps.list {
		if differs, err := p.finder.Differ(ctx, a, b); differs || err != nil {
			return differs, err
		}
	}
	return false, nil
}
