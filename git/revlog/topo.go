package revlog

import (
	"context"
	"fmt"

	"github.com/ingot-forge/ingot/git/ancestry"
)

// topo yields no commit before all its children, without reading history to
// its end first. Three walks go down by rank, each no further than the next needs: one meets commits,
// one counts for each how many children it has, one yields those that have none left.
type topo struct {
	*walker
	meet, count ancestry.Queue[uint64]
	counted     ancestry.Marks[bool]
	children    ancestry.Marks[uint32] // not yet yielded, plus one; 0: none known
	floor       uint64                 // down to where children are counted

	ready    ancestry.Queue[int64] // unless lifo
	lifo     []ancestry.Node
	followed ancestry.Marks[[2]uint32]
	arena    []ancestry.Node // the parents that simplifying left
}

func newTopo(ctx context.Context, w *walker) (*topo, error) {
	t := &topo{walker: w, floor: ancestry.Unstored}
	for _, n := range w.tips {
		rank := w.Rank(n)
		t.meet.Push(n, rank)
		t.count.Push(n, rank)
		*t.counted.At(n) = true
		*t.children.At(n) = 1
		t.floor = min(t.floor, rank)
	}
	if err := t.countTo(ctx, t.floor); err != nil {
		return nil, err
	}
	// The tips come in their order: the last in is the first out.
	for i := range w.tips {
		n := w.tips[i]
		if w.Order == Topo {
			n = w.tips[len(w.tips)-1-i]
		}
		if *t.children.At(n) == 1 {
			if err := t.release(ctx, n); err != nil {
				return nil, err
			}
		}
	}
	return t, nil
}

// meetTo expands all commits down to a rank.
func (t *topo) meetTo(ctx context.Context, rank uint64) error {
	for t.meet.Len() > 0 && t.meet.Top() >= min(rank, ancestry.Unstored) {
		if err := t.check(ctx); err != nil {
			return err
		}
		n := t.meet.Pop()
		if t.Since != 0 && t.Seconds(n) < t.Since {
			t.bore(n)
		}
		push := func(p ancestry.Node) { t.meet.Push(p, t.Rank(p)) }
		if err := t.expand(ctx, n, push); err != nil {
			return err
		}
		parents := t.walker.parents
		if t.FirstParent && len(parents) > 1 {
			parents = parents[:1]
		}
		if *t.marks.At(n)&boring != 0 {
			// expandBoring has used the scratch for others.
			var err error
			if parents, err = t.AppendParents(ctx, parents[:0], n); err != nil {
				return err
			}
			t.walker.parents = parents
		}
		from := len(t.arena)
		t.arena = append(t.arena, parents...)
		*t.followed.At(n) = [2]uint32{uint32(from), uint32(len(t.arena))}
	}
	return nil
}

// parentsOf returns what expanding a commit left of its parents.
func (t *topo) parentsOf(n ancestry.Node) []ancestry.Node {
	span := t.followed.At(n)
	return t.arena[span[0]:span[1]]
}

// countTo counts the children of all commits down to a rank.
func (t *topo) countTo(ctx context.Context, rank uint64) error {
	for t.count.Len() > 0 && t.count.Top() >= min(rank, ancestry.Unstored) {
		n := t.count.Pop()
		if err := t.meetTo(ctx, t.Rank(n)); err != nil {
			return err
		}
		for _, p := range t.parentsOf(n) {
			at := t.children.At(p)
			*at = max(*at, 1) + 1
			if seen := t.counted.At(p); !*seen {
				*seen = true
				t.count.Push(p, t.Rank(p))
			}
		}
	}
	return nil
}

// release makes a commit ready that has no children left.
func (t *topo) release(ctx context.Context, n ancestry.Node) error {
	switch t.Order {
	case Topo:
		t.lifo = append(t.lifo, n)
	case DateTopo:
		t.ready.Push(n, t.Seconds(n))
	case AuthorDateTopo:
		c, err := t.Read(ctx, n)
		if err != nil {
			return err
		}
		t.ready.Push(n, c.Author.Seconds)
	default:
		return fmt.Errorf("no order %d", t.Order)
	}
	return nil
}

func (t *topo) pop() (ancestry.Node, bool) {
	switch {
	case t.ready.Len() > 0:
		return t.ready.Pop(), true
	case len(t.lifo) > 0:
		n := t.lifo[len(t.lifo)-1]
		t.lifo = t.lifo[:len(t.lifo)-1]
		return n, true
	}
	return 0, false
}

// next returns the next commit.
func (t *topo) next(ctx context.Context) (ancestry.Node, error) {
	for {
		n, ok := t.pop()
		if !ok {
			return 0, errEnd
		}
		if t.Since != 0 && t.Seconds(n) < t.Since {
			continue
		}
		if err := t.yieldParents(ctx, n); err != nil {
			return 0, err
		}
		if *t.marks.At(n)&boring == 0 {
			return n, nil
		}
	}
}

// yieldParents takes a commit from the children of its parents.
func (t *topo) yieldParents(ctx context.Context, n ancestry.Node) error {
	for _, p := range t.parentsOf(n) {
		if *t.marks.At(p)&boring != 0 {
			continue
		}
		if rank := min(t.Rank(p), ancestry.Unstored); rank < t.floor {
			t.floor = rank
			if err := t.countTo(ctx, rank); err != nil {
				return err
			}
		}
		at := t.children.At(p)
		if *at--; *at == 1 {
			if err := t.release(ctx, p); err != nil {
				return err
			}
		}
	}
	return nil
}
