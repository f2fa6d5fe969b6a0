package commitgraph

import (
	"context"

	"github.com/ingot-forge/ingot/git"
)

// pending is the level of a commit whose parents are being looked at.
const pending = levelMax + 1

// generations computes the levels and corrected dates of the new commits: a
// commit's once all its parents have theirs, by a stack, for history is deep.
func (b *builder) generations(ctx context.Context) error {
	type frame struct{ number, next uint32 } // next: of its parents, to be looked at
	var stack []frame
	for root := range b.commits {
		if b.commits[root].level != 0 {
			continue
		}
		if err := ctx.Err(); err != nil {
			return err
		}
		b.commits[root].level = pending
		for stack = append(stack[:0], frame{number: uint32(root)}); len(stack) > 0; {
			top := &stack[len(stack)-1]
			c := &b.commits[top.number]
			waits := uint32(0) // for this parent, counted from 1
			parents := b.parentsOf(c)
			for ; int(top.next) < len(parents) && waits == 0; top.next++ {
				if p := parents[top.next]; p >= b.start {
					switch b.commits[p-b.start].level {
					case 0:
						waits = p - b.start + 1
					case pending: // ids are hashes: only a damaged graph that was copied has this
						return corrupt("commit %s is an ancestor of itself", b.format.Hex(c.id))
					}
				}
			}
			if waits > 0 {
				b.commits[waits-1].level = pending
				stack = append(stack, frame{number: waits - 1})
				continue
			}
			b.generation(c)
			stack = stack[:len(stack)-1]
		}
	}
	return nil
}

// generation computes the numbers of a commit whose parents have theirs.
func (b *builder) generation(c *newCommit) {
	level, date := uint32(0), uint64(0)
	for _, p := range b.parentsOf(c) {
		if p < b.start {
			level, date = max(level, b.below.Level(p)), max(date, b.below.Generation(p))
		} else {
			parent := &b.commits[p-b.start]
			level, date = max(level, parent.level), max(date, parent.generation)
		}
	}
	c.level = min(level+1, levelMax)
	c.generation = max(date+1, c.seconds)
}

// tree returns the root tree of a parent.
func (b *builder) tree(parent uint32) git.ID {
	if parent < b.start {
		return b.below.Tree(parent)
	}
	return b.commits[parent-b.start].tree
}
