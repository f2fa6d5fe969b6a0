package code

import (
	"context"

	"github.com/ingot-forge/ingot/git"
	"github.com/ingot-forge/ingot/git/revlog"
)

// maxCompared bounds the commits that a comparison lists, in pages.
const maxCompared = 1 << 20

// Comparison is how a head relates to a base: git's base...head.
type Comparison struct {
	Base, Head    Commit
	MergeBase     Commit
	Ahead, Behind int

	view    *View
	commits []git.ID // that head has and base does not, the oldest first
}

// Compare relates two commits. Without a common ancestor it is NotFound.
func (v *View) Compare(ctx context.Context, base, head git.ID) (*Comparison, error) {
	commits, err := v.ancestry(ctx)
	if err != nil {
		return nil, err
	}
	nodes, err := commits.FindAll(ctx, []git.ID{base, head})
	if err != nil {
		return nil, err
	}
	bases, err := commits.MergeBases(ctx, nodes[0], nodes[1])
	if err != nil {
		return nil, err
	}
	if len(bases) == 0 {
		return nil, v.notFound("No common ancestor between %s and %s", v.Hex(base), v.Hex(head))
	}
	c := &Comparison{view: v}
	for _, one := range []struct {
		to *Commit
		id git.ID
	}{{&c.Base, base}, {&c.Head, head}, {&c.MergeBase, commits.ID(bases[0])}} {
		if *one.to, err = v.Read(ctx, one.id); err != nil {
			return nil, err
		}
	}
	if c.Ahead, c.Behind, err = commits.AheadBehind(ctx, nodes[1], nodes[0]); err != nil {
		return nil, err
	}
	walk := revlog.Options{Tips: []git.ID{head}, Not: []git.ID{base}, MaxCount: maxCompared}
	for one, err := range revlog.Walk(ctx, commits, walk) {
		if err != nil {
			return nil, err
		}
		c.commits = append(c.commits, one.ID)
	}
	for i, j := 0, len(c.commits)-1; i < j; i, j = i+1, j-1 {
		c.commits[i], c.commits[j] = c.commits[j], c.commits[i]
	}
	return c, nil
}

// Status is GitHub's word for the relation.
func (c *Comparison) Status() string {
	switch {
	case c.Ahead == 0 && c.Behind == 0:
		return "identical"
	case c.Behind == 0:
		return "ahead"
	case c.Ahead == 0:
		return "behind"
	}
	return "diverged"
}

// Commits returns some of the commits that only head has, from start up to end, the oldest first.
func (c *Comparison) Commits(ctx context.Context, start, end int) (page []Commit, err error) {
	end = min(end, len(c.commits))
	for _, id := range c.commits[min(start, end):end] {
		one, err := c.view.Read(ctx, id)
		if err != nil {
			return nil, err
		}
		page = append(page, one)
	}
	return page, nil
}

// Changes returns what differs between the merge base and head.
func (c *Comparison) Changes(ctx context.Context) (*Changes, error) {
	return c.view.compare(ctx, c.MergeBase.Tree, c.Head.Tree)
}

// AppendPatches appends the commits but merges as git format-patch --stdout does.
func (c *Comparison) AppendPatches(ctx context.Context, dst []byte) ([]byte, error) {
	var ids []git.ID
	for _, id := range c.commits {
		one, err := c.view.commit(ctx, id)
		if err != nil {
			return nil, err
		}
		if len(one.Parents) <= 1 {
			ids = append(ids, id)
		}
	}
	for i, id := range ids {
		if i > 0 {
			dst = append(dst, '\n')
		}
		one, err := c.view.Read(ctx, id)
		if err == nil {
			dst, err = c.view.AppendPatch(ctx, dst, one, i+1, len(ids))
		}
		if err != nil {
			return nil, err
		}
	}
	return dst, nil
}
