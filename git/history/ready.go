package history

import (
	"cmp"
	"context"
	"errors"
	"math"
	"slices"

	"github.com/ingot-forge/ingot/git"
)

// ReadyToSend reports whether every want has a common commit, or a parent of
// one, among its ancestors (or is one), so that negotiation can end:
// upload-pack's ok_to_give_up. Like it, it does not look below commits older
// than the oldest common one, and wants that are no commits do not count.
// Without anything in common the answer is no.
func ReadyToSend(ctx context.Context, objects git.Objects, f git.Format, wants, common []git.ID, d Derived) (bool, error) {
	if len(common) == 0 {
		return false, nil
	}
	g := newGraph(&source{objects, f, d})
	oldest, floor := int64(math.MinInt64), uint64(noRank)
	for _, id := range common {
		// A common tag says nothing of the commit that it points to.
		kind, err := g.kind(ctx, id)
		if errors.Is(err, git.ErrNotFound) || err == nil && kind != git.KindCommit {
			continue
		}
		if err != nil {
			return false, err
		}
		i := g.node(id)
		if err := g.parse(ctx, i); err != nil {
			return false, err
		}
		g.nodes[i].flags |= commitListed
		floor = min(floor, g.floor(id))
		for _, parent := range g.parents(i) {
			g.nodes[parent].flags |= commitListed
			floor = min(floor, g.floor(*g.ids.id(parent)))
		}
		if seconds := g.nodes[i].seconds; oldest == math.MinInt64 || seconds < oldest {
			oldest = seconds
		}
	}
	wanted, err := g.peel(ctx, wants, false)
	if err != nil {
		return false, err
	}
	starts := g.intern(wanted.commits)
	for _, i := range starts {
		if err := g.parse(ctx, i); err != nil {
			return false, err
		}
	}
	// Oldest first, so that what one want finds below the oldest common commit
	// holds for another that comes to it.
	slices.SortStableFunc(starts, func(a, b uint32) int { return cmp.Compare(g.nodes[a].seconds, g.nodes[b].seconds) })
	for _, i := range starts {
		if ok, err := g.reachesListed(ctx, i, oldest, floor); err != nil || !ok {
			return false, err
		}
	}
	return true, nil
}

// reachesListed reports whether a commit reaches one that is listed, through
// commits not older than oldest. floor is the lowest of the listed commits'. What it learns stays in the nodes: commits
// that do are listed, too, and those that do not are popped, so that no commit
// is looked at twice however many starts there are.
func (g *graph) reachesListed(ctx context.Context, start uint32, oldest int64, floor uint64) (bool, error) {
	type frame struct {
		commit uint32
		next   uint32 // the parent to look at
	}
	stack := []frame{{commit: start}}
	for steps := 1; len(stack) > 0; steps++ {
		if steps%checkEvery == 0 {
			if err := ctx.Err(); err != nil {
				return false, err
			}
		}
		top := &stack[len(stack)-1]
		if g.nodes[top.commit].flags&commitListed != 0 {
			// So does each of its descendants on the stack.
			for _, f := range stack {
				g.nodes[f.commit].flags |= commitListed
			}
			break
		}
		if err := g.parse(ctx, top.commit); err != nil {
			return false, err
		}
		parents, n := g.parents(top.commit), &g.nodes[top.commit]
		if int(top.next) == len(parents) || n.rank < floor || top.commit != start && n.seconds < oldest {
			g.nodes[top.commit].flags |= commitPopped
			stack = stack[:len(stack)-1]
			continue
		}
		parent := parents[top.next]
		top.next++
		if f := g.nodes[parent].flags; f&commitPopped == 0 || f&commitListed != 0 {
			stack = append(stack, frame{commit: parent})
		}
	}
	return g.nodes[start].flags&commitListed != 0, nil
}
