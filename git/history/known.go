package history

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/ingot-forge/ingot/git"
)

// Known answers whether objects are reachable from tips: what somebody who may
// read the tips may read by id, and what a push may lean on. It may be asked many
// times and remembers what it has walked; it serves one goroutine.
type Known struct {
	source *source
	from   Tips
	tips   []git.ID // the first, and all once they are listed
	listed bool
	taken  int      // of the tips: how many are in cover, or in tags
	tags   []git.ID // tips that are tags and not yet followed: most questions are answered without
	cover  *cover   // of the other tips, as far as anybody asked
	walked int      // of cover.roots: how many were opened
	near   nearTrees
	err    error // what ended a walk in the middle, if anything did
}

// Tips are objects of any kind, from which others are reached. There may be a
// million, and one of them mostly answers.
type Tips struct {
	First []git.ID        // some that may well answer, looked at before all are listed
	All   func() []git.ID // asked at most once, when no cheaper way is left
	// Is reports whether an object is among them, or one that they peel to; nil: All is asked.
	Is func(id git.ID) bool
}

// NewKnown returns a Known of the tips, objects of any kind.
func NewKnown(objects git.Objects, f git.Format, tips []git.ID, d Derived) *Known {
	return NewKnownTips(objects, f, Tips{All: func() []git.ID { return tips }}, d)
}

// NewKnownTips is NewKnown for tips that are costly to list.
func NewKnownTips(objects git.Objects, f git.Format, tips Tips, d Derived) *Known {
	k := &Known{from: tips, tips: slices.Clone(tips.First), near: nearTrees{table: newIDTable()}}
	k.begin(&source{objects, f, d})
	return k
}

// begin starts from nothing, except that what is near stays known.
func (k *Known) begin(s *source) {
	k.source, k.taken, k.tags, k.walked = s, 0, nil, 0
	k.cover = newCover(s, newGraph(s), nil)
}

const (
	// someTips is how many tips are looked at first where there are bitmaps:
	// that of one branch has nearly everything.
	someTips = 16
	// freeTrees and idsPerTree bound how many trees near are opened for one
	// question before all that the tips reach is asked. What a push names beside
	// what it changes is all in one tree, so few trees answer for many ids.
	freeTrees  = 64
	idsPerTree = 4
)

// Missing returns those of ids that the tips do not reach (or that do not exist),
// in their order. near, which may be nil, are commits from whose trees to look
// first: an object that hangs from one of them that the tips reach is found
// without a walk of all. The order of cost: what is remembered, which with
// bitmaps is soon nearly all; the trees of near that ids does not name, since who
// names a tree does not change it; a tip; what the bitmaps have; all trees.
//
// An error of reading ends it for good: what was being walked would be taken for walked.
func (k *Known) Missing(ctx context.Context, ids, near []git.ID) ([]git.ID, error) {
	if k.err != nil {
		return nil, k.err
	}
	q := newQuestion(ids)
	err := k.answer(ctx, q, near)
	var damaged *bitmapError
	if errors.As(err, &damaged) {
		s := *k.source
		s.Bitmaps = nil
		k.begin(&s)
		err = k.answer(ctx, q, near)
	}
	if err != nil {
		k.err = err
		return nil, err
	}
	var missing []git.ID
	for _, id := range ids {
		if i, _ := q.ids.find(&id); q.states[i] != found {
			missing = append(missing, id)
		}
	}
	return missing, nil
}

func (k *Known) answer(ctx context.Context, q *question, near []git.ID) error {
	k.recall(q)
	from := newQuestion(near)
	k.recall(from)
	k.askTips(from)
	// A push names many objects beside a few that it changes: near answers for
	// nearly all, before each is asked for among the tips.
	if err := k.lookNear(ctx, q, from); err != nil {
		return err
	}
	if k.askTips(q); q.open == 0 {
		return nil
	}
	if from.open > 0 {
		if err := k.search(ctx, from); err != nil {
			return err
		}
		k.recall(q) // it may have met what is asked as well
		if err := k.lookNear(ctx, q, from); err != nil {
			return err
		}
	}
	return k.search(ctx, q)
}

// list lists the tips.
func (k *Known) list() []git.ID {
	if !k.listed {
		k.tips, k.listed = append(k.tips, k.from.All()...), true
	}
	return k.tips
}

// askTips answers what is a tip.
func (k *Known) askTips(q *question) {
	if k.from.Is == nil {
		for _, id := range k.list() {
			q.find(&id)
		}
		return
	}
	for i := uint32(0); i < q.ids.n && q.open > 0; i++ {
		if q.states[i] == open && k.from.Is(*q.ids.id(i)) {
			q.answer(i, found)
		}
	}
}

// recall answers what was met before.
func (k *Known) recall(q *question) {
	for i := uint32(0); i < q.ids.n && q.open > 0; i++ {
		if q.states[i] != open {
			continue
		}
		id := q.ids.id(i)
		if _, ok := k.near.table.find(id); ok || k.cover.has(id) {
			q.answer(i, found)
		}
	}
}

// search goes through what the tips reach until the question is answered.
func (k *Known) search(ctx context.Context, q *question) error {
	if err := q.sort(ctx, k.cover.commits.graph); err != nil {
		return err
	}
	for next := 0; q.open > 0; {
		more, err := k.step(ctx, q)
		if err != nil {
			return err
		}
		// Looking what has become known costs as much as there are
		// questions, so it is done when as much has.
		if !more || k.cover.taken >= next {
			k.recall(q)
			q.settle()
			next = k.cover.taken + q.open
		}
		if !more {
			break
		}
	}
	return nil
}

// step does the next piece of a search, the cheapest first; more is false if
// nothing is left that could answer.
func (k *Known) step(ctx context.Context, q *question) (more bool, err error) {
	c := k.cover
	commits := c.commits.reaches(q.floor)
	// Without bitmaps a commit's trees are opened when it is met: what is asked
	// for is mostly near the tips.
	if q.others > 0 && k.walked < len(c.roots) && (c.Bitmaps == nil || !commits && k.listed && k.taken == len(k.tips)) {
		k.walked++
		return true, c.root(ctx, c.roots[k.walked-1])
	}
	switch {
	case commits:
		return true, c.step(ctx)
	case k.taken < len(k.tips):
		return true, k.takeTips(ctx)
	case !k.listed:
		k.list()
		return true, nil
	case len(k.tags) > 0:
		tags := k.tags
		k.tags = nil
		return true, k.follow(ctx, tags)
	}
	return false, nil
}

// takeTips adds tips to what is walked: all, or some more than before where
// bitmaps may make the others unnecessary.
func (k *Known) takeTips(ctx context.Context) error {
	end := len(k.tips)
	if k.source.Bitmaps != nil {
		end = min(end, max(someTips, 4*k.taken))
	}
	for ; k.taken < end; k.taken++ {
		id := k.tips[k.taken]
		kind, err := k.source.kind(ctx, id)
		if err != nil {
			return err
		}
		if kind == git.KindTag {
			k.tags = append(k.tags, id)
		} else if err := k.take(ctx, id, kind); err != nil {
			return err
		}
	}
	return nil
}

// take adds an object that is no tag to what is walked.
func (k *Known) take(ctx context.Context, id git.ID, kind git.Kind) error {
	switch kind {
	case git.KindCommit:
		return k.cover.start(ctx, []git.ID{id})
	case git.KindTree:
		k.cover.roots = append(k.cover.roots, id)
		return nil
	}
	_, err := k.cover.add(&id, kind, 0)
	return err
}

// follow takes what tags lead to, and the tags.
func (k *Known) follow(ctx context.Context, tags []git.ID) error {
	for _, id := range tags {
		for kind := git.KindTag; ; {
			if kind != git.KindTag {
				if err := k.take(ctx, id, kind); err != nil {
					return err
				}
				break
			}
			if fresh, err := k.cover.add(&id, kind, 0); err != nil {
				return err
			} else if !fresh {
				break
			}
			target, named, err := k.source.tagTarget(ctx, id)
			if err != nil {
				return err
			}
			if id = target; k.cover.has(&id) {
				break
			}
			if kind, err = k.source.kind(ctx, id); err != nil {
				return err
			}
			if kind != named {
				return wrongKind(id, kind, named)
			}
		}
	}
	return nil
}

// nearTrees are trees that are reached and of which some were opened, to find
// what hangs directly from them.
type nearTrees struct {
	table  idTable // what was met
	closed []git.ID
}

// lookNear opens the trees of those commits that are known to be reached.
func (k *Known) lookNear(ctx context.Context, q, from *question) error {
	g := k.cover.commits.graph
	for i := range from.ids.n {
		if q.open == 0 {
			return nil
		}
		id := *from.ids.id(i)
		if from.states[i] != found {
			continue
		}
		if kind, err := k.source.kind(ctx, id); err != nil {
			return err
		} else if kind != git.KindCommit {
			continue
		}
		n := g.node(id)
		if err := g.parse(ctx, n); err != nil {
			return err
		}
		if tree := &g.nodes[n].tree; k.near.met(tree, q) {
			k.near.closed = append(k.near.closed, *tree)
		}
	}
	return k.openNear(ctx, q)
}

// met notes an object as reached and reports whether it is new.
func (t *nearTrees) met(id *git.ID, q *question) (fresh bool) {
	if _, fresh = t.table.add(id); fresh {
		q.find(id)
	}
	return fresh
}

// openNear opens trees from the root on. One that is asked for itself is left
// closed: who names it did not change it, and asks for nothing in it.
func (k *Known) openNear(ctx context.Context, q *question) error {
	var kept []git.ID
	budget := freeTrees + int(q.ids.n)/idsPerTree
	at := 0
	for ; at < len(k.near.closed) && budget > 0 && q.open > 0; at++ {
		tree := k.near.closed[at]
		if _, asked := q.ids.find(&tree); asked {
			kept = append(kept, tree)
			continue
		}
		budget--
		if err := ctx.Err(); err != nil {
			return err
		}
		data, err := k.source.read(ctx, tree, git.KindTree)
		if err != nil {
			return err
		}
		err = eachEntry(k.source.format, data, func(mode git.Mode, _ []byte, id git.ID) error {
			if !isSubmodule(mode) && k.near.met(&id, q) && mode.IsTree() {
				k.near.closed = append(k.near.closed, id)
			}
			return nil
		})
		if err != nil {
			return fmt.Errorf("tree %s: %w", tree, err)
		}
	}
	k.near.closed = append(kept, k.near.closed[at:]...)
	return nil
}
