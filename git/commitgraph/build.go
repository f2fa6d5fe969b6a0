package commitgraph

import (
	"context"
	"fmt"
	"slices"

	"github.com/ingot-forge/ingot/git"
)

// BuildOptions say how a layer is built.
type BuildOptions struct {
	// Copied are graphs that may have some of the commits already, with their filters: these are
	// copied instead of being computed.
	Copied []*Graph
	// Progress hears how many commits are done; may be nil.
	Progress func(done, total int)
}

// Build returns the bytes of a layer on top of below (nil: the first) with the
// commits that tips reach and that below does not have. Tips that are not
// commits are followed or ignored. Without new commits it returns nil, nil.
//
// The bytes of a first layer are those of git commit-graph write --reachable
// --changed-paths, except where a commit's time does not fit 34 bits: there it is
// the greatest that does, and git's is what remains without the higher bits. A commit, tree or tag that
// is not there is git.ErrNotFound.
func Build(ctx context.Context, objects git.Objects, f git.Format, below *Graph, tips []git.ID, o BuildOptions) ([]byte, error) {
	if below != nil && len(below.layers) == maxLayers {
		return nil, fmt.Errorf("commit graph of %d layers: no more fit on top", maxLayers)
	}
	b := &builder{objects: objects, format: f, below: below, copied: o.Copied, progress: o.Progress,
		known: make(map[git.ID]uint32)}
	if below != nil {
		b.start = uint32(below.Len())
	}
	if err := b.collect(ctx, tips); err != nil {
		return nil, err
	}
	if len(b.commits) == 0 {
		return nil, nil
	}
	if err := b.generations(ctx); err != nil {
		return nil, err
	}
	if err := b.filters(ctx); err != nil {
		return nil, err
	}
	return b.write(), nil
}

// builder is one run of Build. It numbers the new commits as it finds them.
type builder struct {
	objects  git.Objects
	format   git.Format
	below    *Graph
	start    uint32 // the first position of the new layer
	copied   []*Graph
	progress func(done, total int)

	commits []newCommit
	known   map[git.ID]uint32 // number of each new commit
	parents []uint32          // of all new commits: see newCommit
}

// newCommit is a commit of the layer. A parent is a position if it is less than
// builder.start; else its number is what exceeds that.
type newCommit struct {
	id, tree    git.ID
	seconds     uint64 // at most secondsMax
	first, last uint32 // in builder.parents
	level       uint32 // 0: not computed yet
	generation  uint64
	filter      []byte
}

// parentsOf returns the parents of a new commit, in order.
func (b *builder) parentsOf(c *newCommit) []uint32 { return b.parents[c.first:c.last] }

// collect finds the new commits.
func (b *builder) collect(ctx context.Context, tips []git.ID) error {
	for _, tip := range tips {
		if err := b.tip(ctx, tip); err != nil {
			return fmt.Errorf("tip %s: %w", b.format.Hex(tip), err)
		}
	}
	var parents []git.ID
	for n := 0; n < len(b.commits); n++ {
		if err := ctx.Err(); err != nil {
			return err
		}
		c := &b.commits[n]
		tree, ids, seconds, err := b.links(ctx, c.id, parents[:0])
		if err != nil {
			return fmt.Errorf("commit %s: %w", b.format.Hex(c.id), err)
		}
		parents = ids
		c.tree, c.seconds, c.first = tree, min(uint64(seconds), secondsMax), uint32(len(b.parents))
		for _, id := range parents {
			b.parents = append(b.parents, b.intern(id))
		}
		if int64(len(b.commits)) >= noParent-int64(b.start) || int64(len(b.parents)) >= edgeBit {
			return fmt.Errorf("commit graph: %d commits with %d parents are too many", len(b.commits), len(b.parents))
		}
		b.commits[n].last = uint32(len(b.parents))
	}
	return nil
}

// intern returns what stands for a commit among parents, and sees to it that it is read.
func (b *builder) intern(id git.ID) uint32 {
	if number, ok := b.known[id]; ok {
		return b.start + number
	}
	if b.below != nil {
		if position, ok := b.below.Find(id); ok {
			return position
		}
	}
	number := uint32(len(b.commits))
	b.known[id] = number
	b.commits = append(b.commits, newCommit{id: id})
	return b.start + number
}

// tip adds a commit, or the one that a chain of tags leads to.
func (b *builder) tip(ctx context.Context, id git.ID) error {
	for {
		if b.has(id) {
			b.intern(id)
			return nil
		}
		kind, data, err := b.objects.Object(ctx, id)
		if err != nil {
			return err
		}
		switch kind {
		case git.KindCommit:
			b.intern(id)
			return nil
		case git.KindTag:
			tag, err := git.ParseTag(b.format, data)
			if err != nil {
				return err
			}
			id = tag.Target
		default:
			return nil
		}
	}
}

// has reports whether id is known to be a commit.
func (b *builder) has(id git.ID) bool {
	if _, ok := b.known[id]; ok {
		return true
	}
	if b.below != nil {
		if _, ok := b.below.Find(id); ok {
			return true
		}
	}
	_, _, ok := b.copy(id)
	return ok
}

// copy finds a commit in the graphs to be copied from.
func (b *builder) copy(id git.ID) (from *Graph, position uint32, ok bool) {
	for _, g := range b.copied {
		if position, ok := g.Find(id); ok {
			return g, position, true
		}
	}
	return nil, 0, false
}

// links returns what a commit refers to, its parents appended to parents.
func (b *builder) links(ctx context.Context, id git.ID, parents []git.ID) (tree git.ID, _ []git.ID, seconds int64, err error) {
	if from, position, ok := b.copy(id); ok {
		positions, err := from.AppendParents(nil, position)
		if err != nil {
			return git.ID{}, nil, 0, err
		}
		for _, p := range positions {
			parents = append(parents, from.ID(p))
		}
		return from.Tree(position), parents, from.Seconds(position), nil
	}
	kind, data, err := b.objects.Object(ctx, id)
	if err != nil {
		return git.ID{}, nil, 0, err
	}
	if kind != git.KindCommit {
		return git.ID{}, nil, 0, fmt.Errorf("%w: it is a %s", git.ErrCorrupt, kind)
	}
	return git.CommitLinks(b.format, data, parents)
}

// sorted returns the numbers of the commits in the order of their ids.
func (b *builder) sorted() []uint32 {
	order := make([]uint32, len(b.commits))
	for i := range order {
		order[i] = uint32(i)
	}
	slices.SortFunc(order, func(x, y uint32) int { return compareIDs(&b.commits[x].id, &b.commits[y].id) })
	return order
}
