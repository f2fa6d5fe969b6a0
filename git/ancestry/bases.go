package ancestry

import (
	"context"
	"slices"
)

// MergeBases returns the best common ancestors of one and of a merge of the others, as
// git merge-base --all does: those from which no other common ancestor can be
// reached, newest first. With one other, they are those of the two.
func (c *Commits) MergeBases(ctx context.Context, one Node, others ...Node) ([]Node, error) {
	if len(others) == 0 || slices.Contains(others, one) {
		return []Node{one}, nil
	}
	p := &painter{Commits: c, done: stale}
	p.push(one, left)
	for _, n := range others {
		p.push(n, right)
	}
	var found []Node
	for p.open > 0 {
		n, colour, err := p.pop(ctx)
		if err != nil {
			return nil, err
		}
		if colour&sides == both {
			if colour&result == 0 {
				*p.colours.At(n) |= result
				found = append(found, n)
			}
			colour |= stale
		}
		if err := p.descend(ctx, n, colour); err != nil {
			return nil, err
		}
	}
	found = slices.DeleteFunc(found, func(n Node) bool { return *p.colours.At(n)&stale != 0 })
	c.sortByDate(found)
	// Where dates lie, some may reach others.
	found, err := c.Independent(ctx, found)
	if err != nil {
		return nil, err
	}
	return found, nil
}

func (c *Commits) sortByDate(nodes []Node) {
	slices.SortStableFunc(nodes, func(a, b Node) int {
		switch at, bt := c.Seconds(a), c.Seconds(b); {
		case at > bt:
			return -1
		case at < bt:
			return 1
		}
		return 0
	})
}

// OctopusBases returns the best common ancestors of all the commits, as git
// merge-base --octopus --all does.
func (c *Commits) OctopusBases(ctx context.Context, nodes []Node) ([]Node, error) {
	if len(nodes) == 0 {
		return nil, nil
	}
	bases := nodes[:1]
	for _, n := range nodes[1:] {
		var next []Node
		for _, b := range bases {
			found, err := c.MergeBases(ctx, n, b)
			if err != nil {
				return nil, err
			}
			next = append(next, found...)
		}
		if bases = unique(next); len(bases) > maxBases {
			bases = bases[:maxBases]
		}
	}
	return c.Independent(ctx, bases)
}

// maxBases bounds the bases that OctopusBases goes on with: histories criss-crossed on
// purpose would multiply them with every commit. Real ones have one or two.
const maxBases = 64

func unique(nodes []Node) []Node {
	var out []Node
	for _, n := range nodes {
		if !slices.Contains(out, n) {
			out = append(out, n)
		}
	}
	return out
}

// Independent returns those of the commits that no other of them reaches, each once, in
// their order: git merge-base --independent.
func (c *Commits) Independent(ctx context.Context, nodes []Node) ([]Node, error) {
	nodes = unique(nodes)
	if len(nodes) < 2 {
		return nodes, nil
	}
	// From the parents of all, down to the lowest: what is met is reached.
	floor := uint64(Unstored)
	wanted := map[Node]bool{}
	for _, n := range nodes {
		wanted[n] = true
		floor = min(floor, c.Rank(n))
	}
	left := len(wanted)
	err := c.below(ctx, nodes, floor, func(n Node) bool {
		if wanted[n] {
			wanted[n] = false
			left--
		}
		return left > 1
	})
	if err != nil {
		return nil, err
	}
	return slices.DeleteFunc(nodes, func(n Node) bool { return !wanted[n] }), nil
}

// below visits the commits that the parents of others reach, as long as visit returns
// true. It leaves out those that are known to rank below floor; the rank
// of a commit that the graph lacks says nothing.
func (c *Commits) below(ctx context.Context, nodes []Node, floor uint64, visit func(Node) bool) error {
	var seen Marks[bool]
	var queue Queue[uint64]
	var parents []Node
	var err error
	expand := func(n Node) error {
		if parents, err = c.AppendParents(ctx, parents[:0], n); err != nil {
			return err
		}
		for _, p := range parents {
			if at := seen.At(p); !*at {
				*at = true
				if rank := c.Rank(p); rank >= floor {
					queue.Push(p, rank)
				}
			}
		}
		return nil
	}
	for _, n := range nodes {
		if err := expand(n); err != nil {
			return err
		}
	}
	for steps := 1; queue.Len() > 0; steps++ {
		if steps%CheckEvery == 0 && ctx.Err() != nil {
			return ctx.Err()
		}
		n := queue.Pop()
		if !visit(n) {
			return nil
		}
		if err := expand(n); err != nil {
			return err
		}
	}
	return nil
}

// IsAncestor reports whether old is young or can be reached from it.
func (c *Commits) IsAncestor(ctx context.Context, old, young Node) (bool, error) {
	if old == young {
		return true, nil
	}
	found := false
	err := c.below(ctx, []Node{young}, min(c.Rank(old), Unstored), func(n Node) bool {
		found = n == old
		return !found
	})
	return found, err
}

// AheadBehind counts the commits that only one, and those that only other reaches: git
// rev-list --left-right --count one...other. It looks at those, and at what
// ranks above the lowest of them; where there is no commit graph to rank by, at everything.
func (c *Commits) AheadBehind(ctx context.Context, one, other Node) (ahead, behind int, err error) {
	if one == other {
		return 0, 0, nil
	}
	p := &painter{Commits: c, done: both}
	p.push(one, left)
	p.push(other, right)
	for p.open > 0 || p.queue.Len() > 0 && p.queue.Top() >= Unstored {
		n, colour, err := p.pop(ctx)
		if err != nil {
			return 0, 0, err
		}
		if err := p.descend(ctx, n, colour); err != nil {
			return 0, 0, err
		}
	}
	for _, n := range p.seen {
		switch *p.colours.At(n) & both {
		case left:
			ahead++
		case right:
			behind++
		}
	}
	return ahead, behind, nil
}
