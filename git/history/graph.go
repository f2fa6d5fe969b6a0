package history

import (
	"context"
	"fmt"

	"github.com/ingot-forge/ingot/git"
)

// commitSource tells what a walk needs to know of a commit. It stands between
// the walks and the objects so that derived data (a commit graph) can answer in
// their place.
type commitSource interface {
	// commit returns a commit's root tree, its parents appended to parents,
	// and its committer time.
	commit(ctx context.Context, id git.ID, parents []git.ID) (tree git.ID, _ []git.ID, seconds int64, err error)
}

// objectCommits is the commitSource that decodes the commits themselves.
type objectCommits struct {
	objects git.Objects
	format  git.Format
}

func (c objectCommits) commit(ctx context.Context, id git.ID, parents []git.ID) (git.ID, []git.ID, int64, error) {
	data, err := read(ctx, c.objects, id, git.KindCommit)
	if err != nil {
		return git.ID{}, nil, 0, err
	}
	tree, parents, seconds, err := git.CommitLinks(c.format, data, parents)
	if err != nil {
		return git.ID{}, nil, 0, fmt.Errorf("commit %s: %w", id, err)
	}
	return tree, parents, seconds, nil
}

// graph is the part of history that a walk has seen. Commits are numbered in
// the order in which they were first named; nodes holds what is known of each.
type graph struct {
	source  commitSource
	ids     idTable
	nodes   []commitNode
	links   []uint32 // the parents of all parsed commits, one after the other
	scratch []git.ID
}

type commitNode struct {
	tree    git.ID
	seconds int64
	first   uint32 // where its parents start in links
	parents uint32 // how many they are
	depth   uint32 // Shallow's: how many commits from a want; 0 if not reached
	flags   commitFlags
}

type commitFlags uint8

const (
	commitParsed commitFlags = 1 << iota
	commitCut                // its parents do not count
	commitQueued             // is or was in the queue
	commitPopped             // was taken out of the queue
	commitBoring             // reachable from what is had
	commitEdge               // already listed as one at the edge
	commitListed             // Shallow's and ReadyToSend's own
)

func newGraph(source commitSource) *graph {
	return &graph{source: source, ids: newIDTable()}
}

// node returns the number of a commit, which need not have been read.
func (g *graph) node(id git.ID) uint32 {
	i, fresh := g.ids.add(&id)
	if fresh {
		g.nodes = append(g.nodes, commitNode{})
	}
	return i
}

func (g *graph) intern(ids []git.ID) []uint32 {
	nodes := make([]uint32, len(ids))
	for i, id := range ids {
		nodes[i] = g.node(id)
	}
	return nodes
}

// cut makes the given commits have no parents. It comes before they are read.
func (g *graph) cut(ids []git.ID) {
	for _, id := range ids {
		g.nodes[g.node(id)].flags |= commitCut
	}
}

// parse reads a commit unless that was done before.
func (g *graph) parse(ctx context.Context, i uint32) error {
	if g.nodes[i].flags&commitParsed != 0 {
		return nil
	}
	tree, parents, seconds, err := g.source.commit(ctx, *g.ids.id(i), g.scratch[:0])
	if err != nil {
		return err
	}
	g.scratch = parents
	first := uint32(len(g.links))
	if g.nodes[i].flags&commitCut == 0 {
		for _, id := range parents {
			g.links = append(g.links, g.node(id))
		}
	}
	n := &g.nodes[i] // not before: node may move the nodes
	n.tree, n.seconds = tree, seconds
	n.first, n.parents = first, uint32(len(g.links))-first
	n.flags |= commitParsed
	return nil
}

// parents returns the parents of a parsed commit.
func (g *graph) parents(i uint32) []uint32 {
	n := &g.nodes[i]
	return g.links[n.first : n.first+n.parents]
}

// checkEvery is how many steps a walk takes between two looks at its context.
const checkEvery = 256
