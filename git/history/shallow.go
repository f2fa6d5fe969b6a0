package history

import (
	"context"
	"errors"

	"github.com/ingot-forge/ingot/git"
)

// Depth says how far a shallow fetch reaches, as the protocol's deepen lines do.
// Commits, and Since with Not, exclude each other.
type Depth struct {
	Commits  int      // deepen: at most so many commits along each line; 0 if not asked
	Relative bool     // deepen-relative: counted from the client's present boundary
	Since    int64    // deepen-since: seconds; 0 if not asked
	Not      []git.ID // deepen-not: not what these reach
	// Tips are the targets of the refs that the client may see. Of its shallow
	// commits, only those that these reach are deepened when Relative is set;
	// nil stands for the wants.
	Tips []git.ID
}

// Infinite is the Commits that asks for the whole history (git's 0x7fffffff,
// --unshallow).
const Infinite = 0x7fffffff

// ErrNothingSelected is returned by Shallow when Since and Not leave no commit.
var ErrNothingSelected = errors.New("no commits selected for shallow requests")

// Shallow computes the boundary of a shallow fetch: the commits to send as
// shallow and those of the client's shallow commits that no longer are, each
// once. It equals the answer of stock git (2.39) to the same request. Client
// commits that are not in the repository are ignored, wants that are no commits
// play no part.
func Shallow(
	ctx context.Context, objects git.Objects, f git.Format, wants, clientShallow []git.ID, d Depth, derived Derived,
) (boundary, unshallow []git.ID, err error) {
	s := &shallow{
		graph:  newGraph(&source{objects, f, derived}),
		client: make(map[uint32]bool, len(clientShallow)),
	}
	client, err := s.commits(ctx, clientShallow, true)
	if err != nil {
		return nil, nil, err
	}
	for _, i := range client {
		s.client[i] = true
	}
	wanted, err := s.commits(ctx, wants, false)
	if err != nil {
		return nil, nil, err
	}
	var inside func(i uint32) bool
	switch {
	case d.Commits >= Infinite:
		inside = func(uint32) bool { return true }
	case d.Commits > 0:
		inside, err = s.byDepth(ctx, wanted, client, d)
	case d.Since != 0 || len(d.Not) > 0:
		inside, err = s.byRange(ctx, wanted, d)
	default:
		return nil, nil, nil
	}
	if err != nil {
		return nil, nil, err
	}
	for _, i := range client {
		if inside(i) {
			unshallow = append(unshallow, *s.ids.id(i))
		}
	}
	return s.boundary, unshallow, nil
}

// shallow is one run of Shallow.
type shallow struct {
	*graph
	client   map[uint32]bool
	boundary []git.ID
}

// commits returns the commits that ids name, tags followed.
func (s *shallow) commits(ctx context.Context, ids []git.ID, lenient bool) ([]uint32, error) {
	p, err := s.peel(ctx, ids, lenient)
	return s.intern(p.commits), err
}

// bound adds a commit to the boundary unless it is on the client's.
func (s *shallow) bound(i uint32) {
	if !s.client[i] {
		s.boundary = append(s.boundary, *s.ids.id(i))
	}
}

// byDepth finds the commits that are d.Commits steps from the start, which
// counts as the first: they are the boundary, and what is nearer is inside.
func (s *shallow) byDepth(ctx context.Context, wanted, client []uint32, d Depth) (inside func(uint32) bool, err error) {
	start, limit := wanted, uint32(d.Commits)
	if d.Relative {
		limit++
		tips := wanted
		if d.Tips != nil {
			if tips, err = s.commits(ctx, d.Tips, true); err != nil {
				return nil, err
			}
		}
		if start, err = s.reached(ctx, tips, client); err != nil {
			return nil, err
		}
	}
	level := make([]uint32, 0, len(start))
	enter := func(i, depth uint32) {
		if n := &s.nodes[i]; n.depth == 0 {
			n.depth = depth
			level = append(level, i)
		}
	}
	for _, i := range start {
		enter(i, 1)
	}
	steps := 0
	for depth := uint32(1); depth < limit && len(level) > 0; depth++ {
		these := level
		level = nil
		for _, i := range these {
			if steps++; steps%checkEvery == 0 {
				if err := ctx.Err(); err != nil {
					return nil, err
				}
			}
			if err := s.parse(ctx, i); err != nil {
				return nil, err
			}
			for _, parent := range s.parents(i) {
				enter(parent, depth+1)
			}
		}
	}
	for _, i := range level {
		s.bound(i)
	}
	return func(i uint32) bool { depth := s.nodes[i].depth; return depth > 0 && depth < limit }, nil
}

// reached returns those of the commits that the tips reach.
func (s *shallow) reached(ctx context.Context, tips, commits []uint32) ([]uint32, error) {
	// A graph of its own: what this walk finds says nothing of depths.
	walk := visit{graph: newGraph(s.source)}
	left, floor := 0, uint64(noRank)
	for _, i := range commits {
		id := *s.ids.id(i)
		if n := &walk.nodes[walk.node(id)]; n.flags&commitListed == 0 {
			n.flags |= commitListed
			left++
			floor = min(floor, s.floor(id))
		}
	}
	for _, tip := range tips {
		if err := walk.push(ctx, walk.node(*s.ids.id(tip))); err != nil {
			return nil, err
		}
	}
	for left > 0 && walk.reaches(floor) {
		i, err := walk.pop(ctx)
		if err != nil {
			return nil, err
		}
		if walk.nodes[i].flags&commitListed != 0 {
			left--
		}
		if err := walk.pushAll(ctx, walk.parents(i)); err != nil {
			return nil, err
		}
	}
	var found []uint32
	for _, i := range commits {
		if walk.nodes[walk.node(*s.ids.id(i))].flags&commitPopped != 0 {
			found = append(found, i)
		}
	}
	return found, nil
}

// byRange selects commits as git-rev-list(1) does with --max-age and --not. The
// boundary is made of those that have a parent outside the selection; the
// others are inside.
func (s *shallow) byRange(ctx context.Context, wanted []uint32, d Depth) (inside func(uint32) bool, err error) {
	not, err := s.commits(ctx, d.Not, false)
	if err != nil {
		return nil, err
	}
	// When dates lie, the two differ: with Not, a commit that an old one reaches
	// is out; without, it is in if there is a way to it that meets no old one.
	var selected []uint32
	if len(not) > 0 {
		selected, _, err = s.paint(ctx, wanted, not, painting{since: d.Since, patience: stockPatience, stock: true})
	} else {
		selected, err = s.since(ctx, wanted, d.Since)
	}
	if err != nil {
		return nil, err
	}
	if len(selected) == 0 {
		return nil, ErrNothingSelected
	}
	for _, i := range selected {
		s.nodes[i].flags |= commitListed
	}
	within := make(map[uint32]bool)
	for _, i := range selected {
		whole := true
		for _, parent := range s.parents(i) {
			whole = whole && s.nodes[parent].flags&commitListed != 0
		}
		if !whole {
			s.bound(i)
		} else if s.client[i] {
			within[i] = true
		}
	}
	return func(i uint32) bool { return within[i] }, nil
}

// since returns the commits that the wanted ones reach through none that is
// older than seconds.
func (s *shallow) since(ctx context.Context, wanted []uint32, seconds int64) ([]uint32, error) {
	var selected []uint32
	for todo := wanted; len(todo) > 0; {
		i := todo[len(todo)-1]
		todo = todo[:len(todo)-1]
		if s.nodes[i].flags&commitQueued != 0 {
			continue
		}
		s.nodes[i].flags |= commitQueued
		if err := s.parse(ctx, i); err != nil {
			return nil, err
		}
		if s.nodes[i].seconds < seconds {
			continue
		}
		selected = append(selected, i)
		todo = append(todo, s.parents(i)...)
		if len(selected)%checkEvery == 0 {
			if err := ctx.Err(); err != nil {
				return nil, err
			}
		}
	}
	return selected, nil
}
