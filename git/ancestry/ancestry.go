// Package ancestry tells how commits are related: who is whose parent, which is
// an ancestor of which, where two lines of history part (MergeBases), how far
// apart they are (AheadBehind), and which tag is nearest (Describe).
//
// Commits is the ground on which those and other walks stand. It numbers the
// commits that it meets, and knows their parents, trees and times: from the
// commit graph as far as there is one, and by reading the commits otherwise.
// The answers are the same either way.
//
// What always holds: dates say only where to look first, never what is right;
// nothing recurses on what a repository says; every walk ends when its context does.
package ancestry

import (
	"context"
	"fmt"

	"github.com/ingot-forge/ingot/git"
	"github.com/ingot-forge/ingot/git/commitgraph"
)

// Commits are the commits of a repository, as far as they were met. It serves one
// goroutine, and any number of walks one after the other, which then share what was read.
type Commits struct {
	objects git.Objects
	format  git.Format
	graph   *commitgraph.Graph // may be nil
	stored  uint32             // commits in graph

	// What the graph does not have.
	nodes  map[git.ID]Node
	others []commit
	ids    []git.ID // scratch
	at     []uint32 // scratch
}

// Node is the number by which Commits knows a commit: its position in the commit
// graph, or above those, in the order of reading.
type Node uint32

// commit is what a commit that was read says.
type commit struct {
	id, tree git.ID
	seconds  int64
	parents  []git.ID
	nodes    []Node // of the parents, once they are read
}

// New returns the commits of a repository. graph may be nil.
func New(objects git.Objects, f git.Format, graph *commitgraph.Graph) *Commits {
	c := &Commits{objects: objects, format: f, graph: graph, nodes: map[git.ID]Node{}}
	if graph != nil {
		c.stored = uint32(graph.Len())
	}
	return c
}

// Format is the format of the ids.
func (c *Commits) Format() git.Format { return c.format }

// Objects is where the commits are read.
func (c *Commits) Objects() git.Objects { return c.objects }

// Find returns the node of a commit. An object that is not there is git.ErrNotFound, one that
// is no commit git.ErrCorrupt.
func (c *Commits) Find(ctx context.Context, id git.ID) (Node, error) {
	if n, ok := c.nodes[id]; ok {
		return n, nil
	}
	if c.graph != nil {
		if at, ok := c.graph.Find(id); ok {
			return Node(at), nil
		}
	}
	data, err := c.read(ctx, id)
	if err != nil {
		return 0, err
	}
	tree, parents, seconds, err := git.CommitLinks(c.format, data, c.ids[:0])
	if err != nil {
		return 0, fmt.Errorf("commit %s: %w", id, err)
	}
	c.ids = parents
	n := Node(c.stored + uint32(len(c.others)))
	c.others = append(c.others, commit{id: id, tree: tree, seconds: seconds, parents: append([]git.ID(nil), parents...)})
	c.nodes[id] = n
	return n, nil
}

func (c *Commits) read(ctx context.Context, id git.ID) ([]byte, error) {
	kind, data, err := c.objects.Object(ctx, id)
	if err != nil {
		return nil, fmt.Errorf("commit %s: %w", id, err)
	}
	if kind != git.KindCommit {
		return nil, fmt.Errorf("%w: %s is a %s, not a commit", git.ErrCorrupt, id, kind)
	}
	return data, nil
}

// FindAll returns the nodes of several commits.
func (c *Commits) FindAll(ctx context.Context, ids []git.ID) ([]Node, error) {
	nodes := make([]Node, len(ids))
	for i, id := range ids {
		n, err := c.Find(ctx, id)
		if err != nil {
			return nil, err
		}
		nodes[i] = n
	}
	return nodes, nil
}

// Read decodes a commit whole.
func (c *Commits) Read(ctx context.Context, n Node) (*git.Commit, error) {
	id := c.ID(n)
	data, err := c.read(ctx, id)
	if err != nil {
		return nil, err
	}
	decoded, err := git.ParseCommit(c.format, data)
	if err != nil {
		return nil, fmt.Errorf("commit %s: %w", id, err)
	}
	return decoded, nil
}

// ID returns the id of a commit.
func (c *Commits) ID(n Node) git.ID {
	if uint32(n) < c.stored {
		return c.graph.ID(uint32(n))
	}
	return c.others[uint32(n)-c.stored].id
}

// IDs returns the ids of several commits.
func (c *Commits) IDs(nodes []Node) []git.ID {
	ids := make([]git.ID, len(nodes))
	for i, n := range nodes {
		ids[i] = c.ID(n)
	}
	return ids
}

// Tree returns the root tree of a commit.
func (c *Commits) Tree(n Node) git.ID {
	if uint32(n) < c.stored {
		return c.graph.Tree(uint32(n))
	}
	return c.others[uint32(n)-c.stored].tree
}

// Seconds returns the committer time of a commit.
func (c *Commits) Seconds(n Node) int64 {
	if uint32(n) < c.stored {
		return c.graph.Seconds(uint32(n))
	}
	return c.others[uint32(n)-c.stored].seconds
}

// AppendParents appends the parents of a commit, in order.
func (c *Commits) AppendParents(ctx context.Context, dst []Node, n Node) ([]Node, error) {
	if uint32(n) < c.stored {
		at, err := c.graph.AppendParents(c.at[:0], uint32(n))
		if err != nil {
			return dst, err
		}
		c.at = at
		for _, p := range at {
			dst = append(dst, Node(p))
		}
		return dst, nil
	}
	i := uint32(n) - c.stored
	if c.others[i].nodes == nil && len(c.others[i].parents) > 0 {
		nodes, err := c.FindAll(ctx, c.others[i].parents)
		if err != nil {
			return dst, fmt.Errorf("parents of %s: %w", c.others[i].id, err)
		}
		c.others[i].nodes = nodes
	}
	return append(dst, c.others[i].nodes...), nil
}

// MayChange reports whether a commit may have changed a path against its first
// parent. false is certain.
func (c *Commits) MayChange(n Node, p *commitgraph.Path) bool {
	return uint32(n) >= c.stored || c.graph.MayChange(uint32(n), p)
}

// Unstored is the least rank of a commit that the commit graph does not have.
const Unstored = 1 << 63

// Rank is a number that is greater than those of all ancestors, for commits that the
// commit graph has. The others rank above these, by date, which may lie.
func (c *Commits) Rank(n Node) uint64 {
	if uint32(n) < c.stored {
		return min(c.graph.Generation(uint32(n)), Unstored-1)
	}
	return Unstored | uint64(max(0, c.Seconds(n)))
}

// CheckEvery is how many steps walks take between two looks at their context.
const CheckEvery = 256

// Marks notes something of each commit. What was not noted is the zero T.
type Marks[T any] struct{ pages []*[marksPage]T }

const marksPage = 256

// At returns where the mark of a commit is kept.
func (m *Marks[T]) At(n Node) *T {
	page := int(n / marksPage)
	if page >= len(m.pages) {
		m.pages = append(m.pages, make([]*[marksPage]T, page+1-len(m.pages))...)
	}
	if m.pages[page] == nil {
		m.pages[page] = new([marksPage]T)
	}
	return &m.pages[page][n%marksPage]
}
