package bitmap

import (
	"cmp"
	"slices"
)

const (
	// maxTips is for how many tips there are bitmaps, those of the latest commits.
	maxTips = 2048
	// maxBitmaps bounds a file. Tips, and commits where their lines part, always get theirs.
	maxBitmaps = 5120
	// denseChains are how many lines, those of the latest tips, have bitmaps close to each other.
	denseChains = 8
)

// chain is a line of first parents: from a tip down to where it comes to one that an
// earlier chain has, or that has a bitmap below or is covered by one, or to a root.
//
// Along a chain each bitmap is the one before it and what came in between, so all of them
// together cost one walk over the history. Commits beside the chains get no bitmaps: from
// there, one on a chain is as near as the place where they were forked off.
type chain struct {
	commits []uint32 // nodes, latest first
	onto    int64    // the node that it ends at; -1 if none
}

// latest sorts tips, and leaves out those that have a bitmap below.
func (c *commits) latest(tips []uint32) []uint32 {
	tips = slices.DeleteFunc(tips, func(i uint32) bool { return c.nodes[i].flags&nodeStored != 0 })
	slices.SortStableFunc(tips, c.later)
	return tips
}

// closed puts in the place of tips that are open (because a push has moved them beyond the stack, say)
// the closed commits nearest to them.
func (c *commits) closed(tips []uint32) (closed []uint32) {
	seen := make(map[uint32]bool)
	var pending []uint32
	for _, tip := range tips {
		for pending = append(pending, tip); len(pending) > 0; {
			i := pending[len(pending)-1]
			pending = pending[:len(pending)-1]
			if seen[i] {
				continue
			}
			seen[i] = true
			if c.nodes[i].flags&nodeOpen == 0 {
				closed = append(closed, i)
			} else {
				pending = append(pending, c.parentsOf(i)...)
			}
		}
	}
	return closed[:min(len(closed), maxTips)]
}

func (c *commits) later(a, b uint32) int { return cmp.Compare(c.nodes[b].seconds, c.nodes[a].seconds) }

// chains returns the lines of tips that are closed, of which each and each place where one comes
// to another is chosen. That a commit is not open says the same of all that it reaches.
func (c *commits) chains(tips []uint32) []chain {
	var chains []chain
	for _, tip := range tips {
		if c.nodes[tip].flags&nodeStored != 0 || c.nodes[tip].flags&nodeRead == 0 {
			continue // there is a bitmap, or one that covers it
		}
		c.nodes[tip].flags |= nodeChosen
		if c.nodes[tip].chain >= 0 {
			continue
		}
		line := chain{onto: -1}
		for i := tip; ; i = c.links[c.nodes[i].first] {
			if n := &c.nodes[i]; n.chain >= 0 || n.flags&nodeStored != 0 {
				line.onto = int64(i)
				n.flags |= nodeChosen
				break
			}
			if c.nodes[i].flags&nodeRead == 0 {
				break // a bitmap covers it, but it has none
			}
			c.nodes[i].chain = int32(len(chains))
			line.commits = append(line.commits, i)
			if c.nodes[i].parents == 0 {
				break
			}
		}
		chains = append(chains, line)
	}
	return chains
}

// space chooses commits along the chains, close to each other near the tip and ever farther apart
// behind it: whoever is some way behind has a bitmap within a small part of that way.
func (c *commits) space(chains []chain) {
	chosen := c.chosen()
	for k, line := range chains {
		tip, next := c.nodes[line.commits[0]].order, uint32(0)
		for _, i := range line.commits {
			n := &c.nodes[i]
			behind := tip - n.order
			if n.flags&nodeChosen == 0 {
				if behind < next || chosen >= maxBitmaps {
					continue
				}
				n.flags |= nodeChosen
				chosen++
			}
			next = behind + gap(behind, k < denseChains, len(c.order))
		}
	}
}

// gap returns how many commits lie between a bitmap so many commits behind the tip
// and the one before it, in a history of n commits.
func gap(behind uint32, dense bool, n int) uint32 {
	most := max(1000, uint32(n/1000))
	if dense {
		return min(max(behind/32, 1), most)
	}
	return min(max(behind/8, 64), most)
}

// chosen counts the commits that are to have a bitmap.
func (c *commits) chosen() (n int) {
	for i := range c.nodes {
		if c.nodes[i].flags&(nodeChosen|nodeStored) == nodeChosen {
			n++
		}
	}
	return n
}
