package history

import "context"

// painting says how paint tells that it is done.
type painting struct {
	// since, if not 0, counts commits older than it among what is had.
	since int64
	// patience returns how many commits in a row, all on the side that is had
	// and ranking below any found, may be looked at after walked others before
	// the walk ends. It is asked for only where the rank may lie.
	patience func(walked int) int
	// stock goes by dates alone, and compares with the date of the commit found
	// last and not with the oldest found: stock git's rules, where the answer
	// must be the same.
	stock bool
	// most, if not 0, ends the walk when more commits than that are found, or
	// stepsPerCommit times as many were looked at.
	most int
}

// stepsPerCommit is how many commits are looked at for the price of one whose
// trees are opened.
const stepsPerCommit = 128

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
// It looks at the commits that rank above the lowest it returns, on both
// sides, and those that painting.patience adds. A commit among those returned
// that claims to be older than all others, and is not in the stored graph, costs
// looking at all that haves reach. all is false if painting.most ended the walk.
func (g *graph) paint(ctx context.Context, wants, haves []uint32, o painting) (found []uint32, all bool, err error) {
	p := &painter{graph: g, painting: o, bound: noRank, recount: o.most}
	for _, i := range haves {
		if err := g.parse(ctx, i); err != nil {
			return nil, false, err
		}
		p.paintBoring(i)
	}
	for _, side := range [][]uint32{wants, haves} {
		for _, i := range side {
			if err := p.push(ctx, i); err != nil {
				return nil, false, err
			}
		}
	}
	if all, err = p.run(ctx); err != nil {
		return nil, false, err
	}
	p.drop()
	return p.found, all, nil
}

// painter is one run of paint.
type painter struct {
	*graph
	painting
	queue   commitQueue
	open    int      // commits in the queue that are not boring
	found   []uint32 // commits that were not boring when they were popped
	bound   uint64   // a key: what is above may still reach what was found
	recount int      // when there are more, count again how many are not boring
	stack   []uint32
}

// drop takes out of what was found what turned out to be boring.
func (p *painter) drop() {
	kept := p.found[:0]
	for _, i := range p.found {
		if p.nodes[i].flags&commitBoring == 0 {
			kept = append(kept, i)
		}
	}
	p.found = kept
}

// key is what the queue orders a commit by.
func (p *painter) key(i uint32) uint64 {
	if p.stock {
		return uint64(p.nodes[i].seconds)
	}
	return p.nodes[i].rank
}

func (p *painter) run(ctx context.Context) (all bool, err error) {
	waited := 0
	for walked := 1; p.queue.len() > 0; walked++ {
		if p.most > 0 && walked > p.most*stepsPerCommit {
			return false, nil
		}
		if walked%checkEvery == 0 {
			if err := ctx.Err(); err != nil {
				return false, err
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
		boring, key := n.flags&commitBoring != 0, p.key(i)
		for _, parent := range p.parents(i) {
			if err := p.push(ctx, parent); err != nil {
				return false, err
			}
		}
		if !boring {
			p.found = append(p.found, i)
			if p.stock || key < p.bound {
				p.bound = key
			}
			if p.tooMany() {
				return false, nil
			}
			continue
		}
		switch {
		case p.open > 0:
			waited = 0
		case p.queue.len() > 0 && !p.stock && p.queue.top() < unstored:
			return true, nil // no rank below lies: nothing that is left reaches what was found
		case p.queue.len() > 0 && p.queue.top() >= p.bound:
			waited = 0
		default:
			if waited++; waited > p.patience(walked-waited) {
				return true, nil
			}
		}
	}
	return true, nil
}

// tooMany reports whether more commits are found than was asked for.
func (p *painter) tooMany() bool {
	if p.most == 0 || len(p.found) <= p.recount {
		return false
	}
	p.drop()
	p.recount = max(p.most, 2*len(p.found))
	return len(p.found) > p.most
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
	p.queue.push(i, p.key(i))
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
