package bitmap

import (
	"context"
	"errors"
	"fmt"

	"github.com/ingot-forge/ingot/git"
	"github.com/ingot-forge/ingot/git/commitgraph"
)

// commits is the part of history that bitmaps are made for: what the tips reach, down to
// what the layers below have bitmaps for. It takes some 80 bytes a commit.
type commits struct {
	objects git.Objects
	format  git.Format
	index   *Index
	find    func(id git.ID) (position int, ok bool) // in index
	graph   *commitgraph.Graph                      // or nil
	// covered is what those commits reach that were met and have a bitmap in a layer below, up to
	// position end; nil if such bitmaps are not used.
	covered Set
	end     int

	nodes      []node
	links      []uint32         // the parents of all nodes, one after the other
	byPosition map[int32]uint32 // nodes
	outside    map[git.ID]uint32
	outsideIDs []git.ID
	order      []uint32 // nodes, parents first
	scratch    []git.ID
	links32    []uint32
}

// node is a commit.
type node struct {
	position int32 // outside of the stack -1-i, and outsideIDs has it at i
	tree     int32 // position of its root tree; -1 if that is not in the stack
	first    uint32
	parents  uint32 // so many links, from first on
	order    uint32 // its place in order, if nodeSeen
	chain    int32  // see chain; -1 if it is in none
	made     int32  // its bitmap; -1 if there is none yet
	flags    nodeFlags
	seconds  int64 // committer time
	date     int64 // like seconds, but greater than that of any parent
}

type nodeFlags uint8

const (
	nodeRead   nodeFlags = 1 << iota
	nodeSeen             // load has been there; if it is covered, it was not read
	nodeStored           // its bitmap is in a layer below; parents, tree and time are not read
	nodeOpen             // it reaches what is not in the stack
	nodeChosen           // is to have a bitmap
)

// absent reports whether an error says that an object can't be had, as opposed to one that
// has nothing to do with it.
func absent(err error) bool { return errors.Is(err, git.ErrNotFound) || errors.Is(err, git.ErrCorrupt) }

// node returns the number of a commit, which need not have been read.
func (c *commits) node(id git.ID) uint32 {
	position, ok := c.find(id)
	if ok {
		return c.at(position)
	}
	i, ok := c.outside[id]
	if !ok {
		i = c.add(int32(-1 - len(c.outsideIDs)))
		c.outside[id] = i
		c.outsideIDs = append(c.outsideIDs, id)
	}
	return i
}

// at returns the number of the commit at a position.
func (c *commits) at(position int) uint32 {
	i, ok := c.byPosition[int32(position)]
	if !ok {
		i = c.add(int32(position))
		c.byPosition[int32(position)] = i
	}
	return i
}

// id returns the id of a commit.
func (c *commits) id(i uint32) git.ID {
	if p := c.nodes[i].position; p < 0 {
		return c.outsideIDs[-1-p]
	} else {
		return c.index.ID(int(p))
	}
}

func (c *commits) add(position int32) uint32 {
	c.nodes = append(c.nodes, node{position: position, tree: -1, chain: -1, made: -1})
	return uint32(len(c.nodes) - 1)
}

// read learns what there is to know of a commit. One that is not there, or is none, is open.
func (c *commits) read(ctx context.Context, i uint32) error {
	n := &c.nodes[i]
	if n.flags&nodeRead != 0 {
		return nil
	}
	n.flags |= nodeRead
	if n.position < 0 {
		n.flags |= nodeOpen
	} else if c.below(int(n.position)) && c.index.Has(int(n.position)) {
		n.flags |= nodeStored
		return c.cover(int(n.position))
	}
	tree, parents, seconds, err := c.commit(ctx, c.id(i))
	if absent(err) {
		n.flags |= nodeOpen
		return nil
	}
	if err != nil {
		return err
	}
	first := len(c.links)
	for _, p := range parents {
		c.links = append(c.links, c.node(p))
	}
	n = &c.nodes[i] // not before: node may move them
	n.first, n.parents, n.seconds = uint32(first), uint32(len(parents)), seconds
	if position, ok := c.find(tree); ok {
		n.tree = int32(position)
	} else {
		n.flags |= nodeOpen
	}
	return nil
}

// below reports whether a commit may have a bitmap that serves.
func (c *commits) below(position int) bool { return c.covered != nil && position < c.end }

// cover notes what a commit reaches that has a bitmap.
func (c *commits) cover(position int) error {
	if c.covered.Has(position) {
		return nil
	}
	_, err := c.index.Reaches(position, c.covered)
	return err
}

func (c *commits) commit(ctx context.Context, id git.ID) (tree git.ID, parents []git.ID, seconds int64, err error) {
	parents = c.scratch[:0]
	defer func() { c.scratch = parents[:0] }()
	if c.graph != nil {
		if at, ok := c.graph.Find(id); ok {
			if c.links32, err = c.graph.AppendParents(c.links32[:0], at); err != nil {
				return tree, nil, 0, err
			}
			for _, p := range c.links32 {
				parents = append(parents, c.graph.ID(p))
			}
			return c.graph.Tree(at), parents, c.graph.Seconds(at), nil
		}
	}
	kind, data, err := c.objects.Object(ctx, id)
	if err != nil {
		return tree, nil, 0, err
	}
	if kind != git.KindCommit {
		return tree, nil, 0, fmt.Errorf("%w: %s is a %s, not a commit", git.ErrCorrupt, id, kind)
	}
	return git.CommitLinks(c.format, data, parents)
}

// parentsOf returns the parents of a commit that was read.
func (c *commits) parentsOf(i uint32) []uint32 {
	n := &c.nodes[i]
	return c.links[n.first : n.first+n.parents]
}

// load reads what a commit reaches and puts it in order. First parents come
// before others, so of a line of first parents the difference between two places in the
// order is how many commits the line took up in between.
//
// It goes down to commits that have a bitmap, and does not go through what such bitmaps
// cover, which it meets where something was forked off from older history.
func (c *commits) load(ctx context.Context, tip uint32) error {
	type frame struct {
		node uint32
		next int // parent
	}
	var frames []frame
	enter := func(i uint32) error {
		if c.nodes[i].flags&nodeSeen != 0 {
			return nil
		}
		n := &c.nodes[i]
		n.flags |= nodeSeen
		if at := int(n.position); n.flags&nodeRead == 0 && at >= 0 && c.below(at) && c.covered.Has(at) && !c.index.Has(at) {
			c.leave(i)
			return nil
		}
		frames = append(frames, frame{node: i})
		return c.read(ctx, i)
	}
	if err := enter(tip); err != nil {
		return err
	}
	for len(frames) > 0 {
		if len(c.order)%checkEvery == 0 {
			if err := ctx.Err(); err != nil {
				return err
			}
		}
		top := &frames[len(frames)-1]
		i := top.node
		if parents := c.parentsOf(i); top.next < len(parents) {
			p := parents[top.next]
			top.next++
			if err := enter(p); err != nil {
				return err
			}
			continue
		}
		frames = frames[:len(frames)-1]
		c.leave(i)
	}
	return nil
}

// leave settles what depends on the parents.
func (c *commits) leave(i uint32) {
	n := &c.nodes[i]
	n.date = n.seconds
	for _, p := range c.parentsOf(i) {
		n.date = max(n.date, c.nodes[p].date+1)
		n.flags |= c.nodes[p].flags & nodeOpen
	}
	n.order = uint32(len(c.order))
	c.order = append(c.order, i)
}

func newCommits(objects git.Objects, f git.Format, x *Index) *commits {
	return &commits{objects: objects, format: f, index: x, find: x.Find,
		byPosition: make(map[int32]uint32), outside: make(map[git.ID]uint32)}
}

// checkEvery is how many steps a walk takes between two looks at its context.
const checkEvery = 256
