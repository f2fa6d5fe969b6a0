package revlog

import (
	"context"

	"github.com/ingot-forge/ingot/git/ancestry"
)

// excluded answers whether commits are reachable from given ones. It goes down
// only as far as the commits it is asked about rank: what the commit graph lacks it visits whole.
type excluded struct {
	*ancestry.Commits
	queue   ancestry.Queue[uint64]
	reached ancestry.Marks[bool]
	parents []ancestry.Node
	steps   int
}

func newExcluded(commits *ancestry.Commits, from []ancestry.Node) *excluded {
	e := &excluded{Commits: commits}
	for _, n := range from {
		e.reach(n)
	}
	return e
}

func (e *excluded) reach(n ancestry.Node) {
	if at := e.reached.At(n); !*at {
		*at = true
		e.queue.Push(n, e.Rank(n))
	}
}

// has reports whether a commit is excluded.
func (e *excluded) has(ctx context.Context, n ancestry.Node) (yes bool, err error) {
	at := e.reached.At(n)
	floor := min(e.Rank(n), ancestry.Unstored)
	for !*at && e.queue.Len() > 0 && e.queue.Top() >= floor {
		if e.steps++; e.steps%ancestry.CheckEvery == 0 && ctx.Err() != nil {
			return false, ctx.Err()
		}
		if e.parents, err = e.AppendParents(ctx, e.parents[:0], e.queue.Pop()); err != nil {
			return false, err
		}
		for _, p := range e.parents {
			e.reach(p)
		}
	}
	return *at, nil
}
