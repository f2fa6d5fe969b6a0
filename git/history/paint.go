package history

import (
	"context"
	"math"
)

// painting says how paint tells that it is done.
type painting struct {
	// since, if not 0, counts commits older than it among what is had.
	since int64
	// patience returns how many commits in a row, all on the side that is had
	// and older than any found, may be looked at after walked others before
	// the walk ends.
	patience func(walked int) int
	// lastDate compares with the date of the commit found last, and not with
	// the oldest found: stock git's rule, where the answer must be the same.
	lastDate bool
}

// ownPatience is for answers that may be too large but should not be. If no
// commit is older than its parents, the first commit that is looked at in vain
// would do. Where dates lie, a commit that is had may be found to be so only
// through descendants that say they are older than all that was found; how far
// away they are, nobody knows without reading all history, so the walk looks a
// little further, by an eighth of the steps it took anyhow. The price of
// stopping early is commits sent that the client has, never one that it lacks.
// (Stock git goes on for 5 steps.)
func ownPatience(walked int) int { return 16 + walked/8 }

// stockPatience is stock git's.
func stockPatience(int) int { return 4 }

// paint returns the commits that are reachable from wants and not from haves,
// newest first. Whatever haves reach is painted boring as far as it was seen.
//
// It reads the commits that are newer than the oldest it returns, on both
// sides, and those that painting.patience adds. A commit among those returned
// that claims to be older than all others costs reading all that haves reach.
func (g *graph) paint(ctx context.Context, wants, haves []uint32, o painting) ([]uint32, error) {
	p := &painter{graph: g, painting: o, bound: math.MaxInt64}
	for _, i := range haves {
		if err := g.parse(ctx, i); err != nil {
			return nil, err
		}
		p.paintBoring(i)
	}
	for _, side := range [][]uint32{wants, haves} {
		for _, i := range side {
			if err := p.push(ctx, i); err != nil {
				return nil, err
			}
		}
	}
	if err := p.run(ctx); err != nil {
		return nil, err
	}
	kept := p.found[:0]
	for _, i := range p.found {
		if g.nodes[i].flags&commitBoring == 0 {
			kept = append(kept, i)
		}
	}
	return kept, nil
}

// painter is one run of paint.
type painter struct {
	*graph
	painting
	queue commitQueue
	open  int      // commits in the queue that are not boring
	found []uint32 // commits that were not boring when they were popped
	bound int64    // a date: what is newer may still reach what was found
	stack []uint32
}

func (p *painter) run(ctx context.Context) error {
	waited := 0
	for walked := 1; p.queue.len() > 0; walked++ {
		if walked%checkEvery == 0 {
			if err := ctx.Err(); err != nil {
				return err
			}
		}
		i := p.queue.pop()
		n := &p.nodes[i]
		n.flags |= commitPopped
		if n.flags&commitBoring == 0 {
			p.open--
			if p.since != 0 && n.seconds < p.since {
				p.paintBoring(i)
			}
		}
		boring, seconds := n.flags&commitBoring != 0, n.seconds
		for _, parent := range p.parents(i) {
			if err := p.push(ctx, parent); err != nil {
				return err
			}
		}
		if !boring {
			p.found = append(p.found, i)
			if p.lastDate || seconds < p.bound {
				p.bound = seconds
			}
			continue
		}
		if p.open > 0 || p.queue.len() > 0 && p.queue.top() >= p.bound {
			waited = 0
			continue
		}
		if waited++; waited > p.patience(walked-waited) {
			break
		}
	}
	return nil
}

// push puts a commit into the queue, once.
func (p *painter) push(ctx context.Context, i uint32) error {
	if p.nodes[i].flags&commitQueued != 0 {
		return nil
	}
	if err := p.parse(ctx, i); err != nil {
		return err
	}
	n := &p.nodes[i]
	n.flags |= commitQueued
	p.queue.push(i, n.seconds)
	if n.flags&commitBoring == 0 {
		p.open++
		return nil
	}
	// It may have been painted before its parents were known.
	for _, parent := range p.parents(i) {
		p.paintBoring(parent)
	}
	return nil
}

// paintBoring paints a commit, and whatever is known to hang from it.
func (p *painter) paintBoring(i uint32) {
	p.stack = append(p.stack[:0], i)
	for len(p.stack) > 0 {
		i := p.stack[len(p.stack)-1]
		p.stack = p.stack[:len(p.stack)-1]
		n := &p.nodes[i]
		if n.flags&commitBoring != 0 {
			continue
		}
		n.flags |= commitBoring
		if n.flags&(commitQueued|commitPopped) == commitQueued {
			p.open--
		}
		if n.flags&commitParsed != 0 {
			p.stack = append(p.stack, p.parents(i)...)
		}
	}
}
