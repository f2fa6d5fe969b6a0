// Package history walks the graph of commits and what hangs from it: it finds
// what a client lacks (Select, and Missing for the plain list), where a shallow
// history ends (Shallow), what can be reached (Known) and when a negotiation may
// end (ReadyToSend). It sees a repository only as git.Objects, so it runs on a
// map in tests. Bitmaps and a commit graph (Derived) spare it most of the way.
//
// What always holds: nothing here trusts commit dates for what is right, only
// for the order in which to look; nothing recurses on what a repository says,
// so history and trees may be as deep as they like; and every walk ends when
// its context does.
package history

import (
	"context"
	"fmt"

	"github.com/ingot-forge/ingot/git"
	"github.com/ingot-forge/ingot/git/bitmap"
	"github.com/ingot-forge/ingot/git/commitgraph"
)

// Request says which objects a fetch is after.
type Request struct {
	Format git.Format
	Wants  []git.ID // objects of any kind
	// Haves are what the client has, with all that hangs from it, up to
	// Shallow; objects of any kind. Those that are not in the repository are
	// ignored.
	Haves []git.ID
	// Shallow are the commits whose parents the client does not have.
	Shallow []git.ID
	// Boundary are the commits that become shallow on the client by this
	// fetch: their parents are not sent. Unshallow are those that cease to be:
	// their parents are wanted although the client has the commits themselves.
	// Both are what Shallow returns.
	Boundary, Unshallow []git.ID
	Filter              *Filter // nil: everything
	// Thin asks for the bases against which deltas may be sent.
	Thin bool
	Derived
}

// Derived is what may be known of a repository without walking it. Its zero
// value is nothing; the answers are the same with it and without, but that with
// it less may be sent of what the client has.
type Derived struct {
	Graph   *commitgraph.Graph // commits that it lacks are read
	Bitmaps *bitmap.Index
	// Header returns an object's kind and size without reading it whole; nil: it is read.
	Header func(ctx context.Context, id git.ID) (git.Kind, int64, error)
}

// Object is one object to send. NameHash comes from its path in the tree where
// it was first met, and places similar objects beside each other when deltas
// are searched.
type Object struct {
	ID       git.ID
	Kind     git.Kind
	NameHash uint32 // see git.NameHash
}

// Missing returns the objects reachable from the wants and not from the haves,
// commits first (newest first), then tags, then trees and blobs, each once.
// When r.Thin is set, bases lists trees and blobs at the edge that the client
// has, with their paths, against which deltas may be made. An object that is wanted by name is
// sent even if the filter would leave it out. report, which may be nil, hears
// how many objects have been found so far.
//
// With what it has, the client always ends up with everything that the wants
// reach (except below shallow commits, and except what the filter leaves out).
// An object that the client has already may still be sent in two cases, as by
// stock git: it hangs from the client's commits but from none next to the new
// ones, or it moved there from a directory that the new commits do not touch.
//
// Commits cost one read each, of those newer than the oldest new one on both
// sides; when dates lie, a few more (see graph.paint). Trees are read where the
// new ones differ from those that the client has, so a small fetch costs what
// changed, not what is there.
//
// A want that is not in the repository is git.ErrNotFound; links that lead
// nowhere, or to another kind of object than they say, are git.ErrNotFound and
// git.ErrCorrupt.
func Missing(ctx context.Context, objects git.Objects, r Request, report func(found int)) (send, bases []Object, err error) {
	m, err := newMissing(ctx, objects, r, report)
	if err != nil {
		return nil, nil, err
	}
	if _, err := m.findCommits(ctx, 0); err != nil {
		return nil, nil, err
	}
	if err := m.findTrees(ctx); err != nil {
		return nil, nil, err
	}
	send, bases = m.result()
	return send, bases, nil
}

// missing is one run of Missing.
type missing struct {
	*source
	request *Request
	graph   *graph
	trees   *treeWalk
	report  func(found int)

	wants, haves peeled
	commits      []uint32 // to send, newest first
}

// newMissing prepares a run: it reads the filter and sorts wants and haves by kind.
func newMissing(ctx context.Context, objects git.Objects, r Request, report func(found int)) (*missing, error) {
	if report == nil {
		report = func(int) {}
	}
	s := &source{objects, r.Format, r.Derived}
	m := &missing{source: s, request: &r, report: report, graph: newGraph(s), trees: newTreeWalk(s)}
	if err := m.trees.setFilter(ctx, r.Filter); err != nil {
		return nil, err
	}
	var err error
	if m.haves, err = m.peel(ctx, r.Haves, true); err != nil {
		return nil, err
	}
	m.wants, err = m.peel(ctx, r.Wants, false)
	return m, err
}

// findCommits finds the new commits, and reports whether these are all. If most is not 0,
// it gives up when there are more, or when finding them costs more than so many are worth.
func (m *missing) findCommits(ctx context.Context, most int) (all bool, err error) {
	r := m.request
	m.graph.forget()
	wants, haves := m.graph.intern(m.wants.commits), m.graph.intern(m.haves.commits)
	// The client has a commit that ceases to be shallow, but what it has does
	// not go on to the parents: those are wanted, so they are looked up before
	// the cut is made.
	for _, id := range r.Unshallow {
		data, err := m.read(ctx, id, git.KindCommit)
		if err != nil {
			return false, err
		}
		_, parents, _, err := git.CommitLinks(m.format, data, nil)
		if err != nil {
			return false, fmt.Errorf("commit %s: %w", id, err)
		}
		wants = append(wants, m.graph.intern(parents)...)
		haves = append(haves, m.graph.node(id))
	}
	for _, cut := range [][]git.ID{r.Shallow, r.Boundary, r.Unshallow} {
		m.graph.cut(cut)
	}
	m.commits, all, err = m.graph.paint(ctx, wants, haves, painting{patience: ownPatience, most: most})
	return all, err
}

// findTrees walks the trees of the new commits, and what is wanted by name,
// beside the trees at the edge.
func (m *missing) findTrees(ctx context.Context) error {
	before := len(m.commits) + len(m.wants.tags)
	m.trees.report = func(found int) { m.report(before + found) }
	if err := m.trees.setEdge(append(m.edge(), m.haves.trees...)); err != nil {
		return err
	}
	for _, id := range m.haves.blobs {
		if _, err := m.trees.markHad(id, isBlob, 0); err != nil {
			return err
		}
	}
	// Who wants a tree or a blob by name does not have it, whatever else it
	// says that it has: so ask clients that left out objects before.
	for _, id := range without(m.wants.blobs, m.haves.blobs) {
		if err := m.trees.want(ctx, id, isBlob); err != nil {
			return err
		}
	}
	for _, id := range without(m.wants.trees, m.haves.trees) {
		if err := m.trees.want(ctx, id, isTree); err != nil {
			return err
		}
	}
	for _, i := range m.commits {
		if err := m.trees.root(ctx, m.graph.nodes[i].tree); err != nil {
			return err
		}
	}
	return m.trees.finish(ctx)
}

// without returns the ids of list that are not in other.
func without(list, other []git.ID) []git.ID {
	if len(other) == 0 {
		return list
	}
	drop := make(map[git.ID]bool, len(other))
	for _, id := range other {
		drop[id] = true
	}
	var kept []git.ID
	for _, id := range list {
		if !drop[id] {
			kept = append(kept, id)
		}
	}
	return kept
}

// edge returns the root trees of the commits at the edge: those that the client
// has and that a new commit has for a parent. Where history is cut, the two
// seldom meet, so the client's newest commits are taken, too.
func (m *missing) edge() []git.ID {
	var edge []git.ID
	add := func(i uint32) {
		n := &m.graph.nodes[i]
		if n.flags&(commitBoring|commitParsed) == commitBoring|commitParsed && n.flags&commitEdge == 0 {
			n.flags |= commitEdge
			edge = append(edge, n.tree)
		}
	}
	for _, i := range m.commits {
		for _, p := range m.graph.parents(i) {
			add(p)
		}
	}
	if len(m.request.Shallow)+len(m.request.Boundary)+len(m.request.Unshallow) > 0 {
		for _, id := range m.haves.commits {
			add(m.graph.node(id))
		}
	}
	return edge
}

// result lists what was found.
func (m *missing) result() (send, bases []Object) {
	send = make([]Object, 0, len(m.commits)+len(m.wants.tags)+m.trees.found)
	wanted := make(map[git.ID]bool, len(m.wants.commits))
	for _, id := range m.wants.commits {
		wanted[id] = true
	}
	all := m.trees.filter == nil || m.trees.filter.commits
	for _, i := range m.commits {
		if id := *m.graph.ids.id(i); all || wanted[id] {
			send = append(send, Object{ID: id, Kind: git.KindCommit})
		}
	}
	for _, id := range without(m.wants.tags, m.haves.tags) {
		send = append(send, Object{ID: id, Kind: git.KindTag})
	}
	send = m.trees.appendFound(send)
	m.report(len(send))
	if m.request.Thin {
		bases = m.trees.had()
	}
	return send, bases
}
