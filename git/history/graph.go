package history

import (
	"context"
	"fmt"
	"math"

	"github.com/ingot-forge/ingot/git"
)

// graph is the part of history that a walk has seen. Commits are numbered in
// the order in which they were first named; nodes holds what is known of each.
// What the stored commit graph has comes from there, the rest is read.
type graph struct {
	*source
	ids     idTable
	nodes   []commitNode
	links   []uint32 // the parents of all parsed commits, one after the other
	scratch struct {
		ids       []git.ID
		positions []uint32
	}
}

type commitNode struct {
	tree     git.ID
	seconds  int64
	rank     uint64 // see unstored
	first    uint32 // where its parents start in links
	parents  uint32 // how many they are
	depth    uint32 // Shallow's: how many commits from a want; 0 if not reached
	position uint32 // in the stored graph, plus one; 0: not looked up, or not there
	flags    commitFlags
}

// unstored is the least rank of a commit that the stored graph does not have:
// these rank by date, above all that it has, which rank by generation. No stored
// commit reaches one that is not (its ancestors are stored with it), and none reaches one
// of its own rank or a higher one. So a walk in the order of ranks has met
// all descendants of a stored commit when it comes to it, whatever the dates.
const unstored = 1 << 63

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

func newGraph(s *source) *graph {
	return &graph{source: s, ids: newIDTable()}
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

// cut makes the given commits have no parents. It comes before they are parsed.
func (g *graph) cut(ids []git.ID) {
	for _, id := range ids {
		g.nodes[g.node(id)].flags |= commitCut
	}
}

// forget makes the graph ready for another walk over what it knows.
func (g *graph) forget() {
	for i := range g.nodes {
		g.nodes[i].flags &= commitParsed | commitCut
	}
}

// parse learns of a commit unless that was done before.
func (g *graph) parse(ctx context.Context, i uint32) error {
	if g.nodes[i].flags&commitParsed != 0 || g.stored(i) {
		return nil
	}
	id := *g.ids.id(i)
	data, err := g.read(ctx, id, git.KindCommit)
	if err != nil {
		return err
	}
	tree, parents, seconds, err := git.CommitLinks(g.format, data, g.scratch.ids[:0])
	if err != nil {
		return fmt.Errorf("commit %s: %w", id, err)
	}
	g.scratch.ids = parents
	first := len(g.links)
	if g.nodes[i].flags&commitCut == 0 {
		for _, id := range parents {
			g.links = append(g.links, g.node(id))
		}
	}
	g.parsed(i, first, tree, seconds, unstored|uint64(seconds))
	return nil
}

// stored parses a commit that the stored graph has. Where that is damaged, the
// commit itself is asked.
func (g *graph) stored(i uint32) bool {
	if g.Graph == nil {
		return false
	}
	if g.nodes[i].position == 0 {
		at, ok := g.Graph.Find(*g.ids.id(i))
		if !ok {
			return false
		}
		g.nodes[i].position = at + 1
	}
	at := g.nodes[i].position - 1
	parents, err := g.Graph.AppendParents(g.scratch.positions[:0], at)
	if err != nil {
		return false
	}
	g.scratch.positions = parents
	first := len(g.links)
	if g.nodes[i].flags&commitCut == 0 {
		for _, p := range parents {
			n := g.node(g.Graph.ID(p))
			g.nodes[n].position = p + 1
			g.links = append(g.links, n)
		}
	}
	g.parsed(i, first, g.Graph.Tree(at), g.Graph.Seconds(at), min(g.Graph.Generation(at), unstored-1))
	return true
}

// parsed notes what was learned of a commit whose parents are the links from first on.
func (g *graph) parsed(i uint32, first int, tree git.ID, seconds int64, rank uint64) {
	n := &g.nodes[i]
	n.tree, n.seconds, n.rank = tree, seconds, rank
	n.first, n.parents = uint32(first), uint32(len(g.links)-first)
	n.flags |= commitParsed
}

// parents returns the parents of a parsed commit.
func (g *graph) parents(i uint32) []uint32 {
	n := &g.nodes[i]
	return g.links[n.first : n.first+n.parents]
}

// floor returns a rank below which no commit reaches the given one.
func (g *graph) floor(id git.ID) uint64 {
	if g.Graph != nil {
		if at, ok := g.Graph.Find(id); ok {
			return min(g.Graph.Generation(at), unstored-1)
		}
	}
	return unstored
}

// anyRank is the floor of what any commit may reach.
const anyRank = 0

// noRank is above the rank of every commit.
const noRank = math.MaxUint64

// checkEvery is how many steps a walk takes between two looks at its context.
const checkEvery = 256
