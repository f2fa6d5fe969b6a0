package repo

import (
	"container/heap"
	"context"
	"errors"
	"fmt"

	"github.com/ingot-forge/ingot/git"
	"github.com/ingot-forge/ingot/git/bitmap"
	"github.com/ingot-forge/ingot/git/commitgraph"
)

// retention is for how long what nothing reaches any more is kept, in units of
// Config.Grace. Why two: docs/decisions/0017-pruning.md.
const retention = 2

// errIncomplete is matched by the error for an object that should be there and is not.
var errIncomplete = errors.New("the repository is not complete")

// numberSet is a set of numbers.
type numberSet []uint64

func newNumberSet(n int) numberSet { return make(numberSet, (n+63)/64) }

func (b numberSet) has(i int) bool { return b[i/64]>>(i%64)&1 != 0 }

// add reports whether i is new.
func (b numberSet) add(i int) bool {
	w, bit := &b[i/64], uint64(1)<<(i%64)
	if *w&bit != 0 {
		return false
	}
	*w |= bit
	return true
}

// reacher finds out which of the objects to be joined are needed. It walks from roots
// through these and through the packs that are kept, as far as no bitmap tells
// what those reach.
//
// It holds a bit for every object, what is asked for besides, 16 bytes for each commit, and the
// trees in the way to the one at hand.
type reacher struct {
	*numbers
	format git.Format
	snap   *Snapshot
	graph  *commitgraph.Graph // may be nil
	kept   *bitmap.Index      // of the packs that are kept; nil if there are none
	seen   bitmap.Set         // of positions in kept: they and what they reach are dealt with, or will be

	live  numberSet // of numbers
	names []uint32
	// In the order of a clone: commits by date, tags, then trees and blobs as the
	// newest commit that has them comes to them. Only if ordered.
	ordered               bool
	commits, trees, blobs []uint32

	queue    dated
	roots    []object   // trees of commits, in the order of these, and such that refs point to
	recent   []git.ID   // direct-mapped by the first bytes: most entries of a tree were seen a moment before
	stack    []treeItem // scratch
	found    int
	progress func(done, total int)
}

// object is one by its number, or by the complement of its position among the kept.
type object int64

type treeItem struct {
	object object
	name   uint32 // hash of its path, and of a slash
}

const recentIDs = 1 << 15

func newReacher(snap *Snapshot, n *numbers, kept *bitmap.Index, graph *commitgraph.Graph) *reacher {
	r := &reacher{numbers: n, format: snap.state.Format, snap: snap, graph: graph, kept: kept}
	r.live, r.names = newNumberSet(len(n.state)), make([]uint32, len(n.state))
	r.recent = make([]git.ID, recentIDs)
	if kept != nil {
		r.seen = bitmap.NewSet(kept.Len())
	}
	return r
}

// lookup finds an object.
func (r *reacher) lookup(id git.ID) (object, bool) {
	if number, ok := r.find(id); ok {
		return object(number), true
	}
	if r.kept != nil {
		if position, ok := r.kept.Find(id); ok {
			return object(^position), true
		}
	}
	return 0, false
}

// meet notes an object and reports whether it is new.
func (r *reacher) meet(o object) bool {
	if o < 0 {
		return r.seen.Add(int(^o))
	}
	if !r.live.add(int(o)) {
		return false
	}
	if r.found++; r.progress != nil {
		r.progress(r.found, len(r.byID))
	}
	return true
}

func (r *reacher) idOf(o object) git.ID {
	if o < 0 {
		return r.kept.ID(int(^o))
	}
	return r.id(int(o))
}

// rooted hears of a root. One that was such only once may not be there, because it was left
// out long ago or came later; then it counts for nothing.
type rooted func(id git.ID, once bool) error

// walk notes all that the roots reach.
func (r *reacher) walk(ctx context.Context, roots func(rooted) error) error {
	if err := roots(func(id git.ID, once bool) error { return r.root(ctx, id, once) }); err != nil {
		return err
	}
	for len(r.queue) > 0 {
		if err := ctx.Err(); err != nil {
			return err
		}
		if err := r.commit(ctx, heap.Pop(&r.queue).(datedCommit)); err != nil {
			return err
		}
	}
	for _, o := range r.roots {
		if err := r.tree(ctx, o); err != nil {
			return err
		}
	}
	if r.kept == nil {
		return nil
	}
	// What the kept packs have and reach may be there twice: in thin packs, as bases.
	for _, n := range r.byID {
		if position, ok := r.kept.Find(r.id(int(n))); ok && r.seen.Has(position) {
			r.live.add(int(n))
		}
	}
	return nil
}

// root notes an object of any kind: it peels tags.
func (r *reacher) root(ctx context.Context, id git.ID, once bool) error {
	for ; ; once = false {
		o, ok := r.lookup(id)
		if !ok && once {
			return nil
		}
		if !ok {
			return fmt.Errorf("%w: object %s is missing", errIncomplete, id)
		}
		if r.graph != nil {
			if _, ok := r.graph.Find(id); ok {
				return r.push(ctx, o, id)
			}
		}
		kind, data, err := r.snap.Object(ctx, id)
		if err != nil {
			return err
		}
		switch kind {
		case git.KindCommit:
			return r.push(ctx, o, id)
		case git.KindTree:
			r.roots = append(r.roots, o)
			return nil
		case git.KindBlob:
			if r.meet(o) {
				r.sequence(&r.blobs, o)
			}
			return nil
		}
		if !r.meet(o) {
			return nil
		}
		r.sequence(&r.commits, o) // tags of which there are few come with the commits
		tag, err := git.ParseTag(r.format, data)
		if err != nil {
			return fmt.Errorf("tag %s: %w", id, err)
		}
		id = tag.Target
	}
}

func (r *reacher) sequence(list *[]uint32, o object) {
	if r.ordered && o >= 0 {
		*list = append(*list, uint32(o))
	}
}

// push queues a commit, unless a bitmap answers for it.
func (r *reacher) push(ctx context.Context, o object, id git.ID) error {
	if r.kept != nil {
		// Also of one that a thin pack has once more.
		if position, ok := r.kept.Find(id); ok {
			if r.seen.Has(position) {
				return nil
			}
			if r.kept.Has(position) {
				_, err := r.kept.Reaches(position, r.seen)
				return err
			}
		}
	}
	if !r.meet(o) {
		return nil
	}
	c := datedCommit{object: o}
	if r.graph != nil {
		if at, ok := r.graph.Find(id); ok {
			c.seconds = r.graph.Seconds(at)
			heap.Push(&r.queue, c)
			return nil
		}
	}
	_, _, seconds, err := r.links(ctx, id, nil)
	if err != nil {
		return err
	}
	c.seconds = seconds
	heap.Push(&r.queue, c)
	return nil
}

// links returns what a commit names.
func (r *reacher) links(ctx context.Context, id git.ID, parents []git.ID) (tree git.ID, _ []git.ID, seconds int64, err error) {
	if r.graph != nil {
		if at, ok := r.graph.Find(id); ok {
			places, err := r.graph.AppendParents(nil, at)
			if err != nil {
				return tree, nil, 0, err
			}
			for _, p := range places {
				parents = append(parents, r.graph.ID(p))
			}
			return r.graph.Tree(at), parents, r.graph.Seconds(at), nil
		}
	}
	kind, data, err := r.snap.Object(ctx, id)
	if err != nil {
		return tree, nil, 0, err
	}
	if kind != git.KindCommit {
		return tree, nil, 0, fmt.Errorf("%w: %s is a %s, named as a commit", git.ErrCorrupt, id, kind)
	}
	tree, parents, seconds, err = git.CommitLinks(r.format, data, parents)
	if err != nil {
		return tree, nil, 0, fmt.Errorf("commit %s: %w", id, err)
	}
	return tree, parents, seconds, nil
}

// commit goes on from a commit to its parents, and notes its tree.
func (r *reacher) commit(ctx context.Context, c datedCommit) error {
	id := r.idOf(c.object)
	r.sequence(&r.commits, c.object)
	tree, parents, _, err := r.links(ctx, id, nil)
	if err != nil {
		return err
	}
	for _, p := range parents {
		o, ok := r.lookup(p)
		if !ok {
			return fmt.Errorf("%w: commit %s, a parent of %s, is missing", errIncomplete, p, id)
		}
		if err := r.push(ctx, o, p); err != nil {
			return err
		}
	}
	o, ok := r.lookup(tree)
	if !ok {
		return fmt.Errorf("%w: tree %s of commit %s is missing", errIncomplete, tree, id)
	}
	if o >= 0 || !r.seen.Has(int(^o)) {
		r.roots = append(r.roots, o)
	}
	return nil
}

// tree notes a tree, unless it was noted, and all below it.
func (r *reacher) tree(ctx context.Context, top object) error {
	if !r.meet(top) {
		return nil
	}
	r.sequence(&r.trees, top)
	r.stack = append(r.stack[:0], treeItem{object: top})
	for len(r.stack) > 0 {
		if err := ctx.Err(); err != nil {
			return err
		}
		last := len(r.stack) - 1
		item := r.stack[last]
		r.stack = r.stack[:last]
		if err := r.entries(ctx, item, r.meet); err != nil {
			return err
		}
	}
	return nil
}

// entries notes what one tree names, and puts the trees among it on the stack.
func (r *reacher) entries(ctx context.Context, item treeItem, meet func(object) bool) error {
	id := r.idOf(item.object)
	kind, data, err := r.snap.Object(ctx, id)
	if err != nil {
		return err
	}
	if kind != git.KindTree {
		return fmt.Errorf("%w: %s is a %s, named as a tree", git.ErrCorrupt, id, kind)
	}
	first := len(r.stack)
	for len(data) > 0 {
		mode, name, entry, rest, err := git.NextEntry(r.format, data)
		if err != nil {
			return fmt.Errorf("tree %s: %w", id, err)
		}
		data = rest
		if mode == git.ModeSubmodule {
			continue
		}
		recent := &r.recent[(int(entry[0])<<8|int(entry[1]))%recentIDs]
		if *recent == entry {
			continue
		}
		*recent = entry
		o, ok := r.lookup(entry)
		if !ok {
			return fmt.Errorf("%w: %s, named by tree %s, is missing", errIncomplete, entry, id)
		}
		if !meet(o) {
			continue
		}
		hash := git.NameHash(item.name, name)
		if o >= 0 {
			r.names[o] = hash
		}
		if mode.IsTree() {
			r.sequence(&r.trees, o)
			r.stack = append(r.stack, treeItem{object: o, name: git.NameHash(hash, "/")})
		} else {
			r.sequence(&r.blobs, o)
		}
	}
	// The first entry is to be walked first.
	for a, b := first, len(r.stack)-1; a < b; a, b = a+1, b-1 {
		r.stack[a], r.stack[b] = r.stack[b], r.stack[a]
	}
	return nil
}

// below returns the set of numbers of a commit's tree and all below it.
func (r *reacher) below(ctx context.Context, commit git.ID) (numberSet, error) {
	set := newNumberSet(len(r.state))
	tree, _, _, err := r.links(ctx, commit, nil)
	if err != nil {
		return nil, err
	}
	clear(r.recent)
	ordered := r.ordered
	r.ordered = false
	defer func() { r.ordered = ordered; clear(r.recent) }()
	meet := func(o object) bool { return o >= 0 && set.add(int(o)) }
	o, ok := r.lookup(tree)
	if !ok || !meet(o) {
		return set, nil
	}
	r.stack = append(r.stack[:0], treeItem{object: o})
	for len(r.stack) > 0 {
		last := len(r.stack) - 1
		item := r.stack[last]
		r.stack = r.stack[:last]
		if err := r.entries(ctx, item, meet); err != nil {
			return nil, err
		}
	}
	return set, nil
}

// datedCommit is a commit to be walked; dated is a heap of them, newest first.
type datedCommit struct {
	object  object
	seconds int64
}

type dated []datedCommit

func (d dated) Len() int           { return len(d) }
func (d dated) Less(a, b int) bool { return d[a].seconds > d[b].seconds }
func (d dated) Swap(a, b int)      { d[a], d[b] = d[b], d[a] }
func (d *dated) Push(c any)        { *d = append(*d, c.(datedCommit)) }
func (d *dated) Pop() any {
	last := len(*d) - 1
	c := (*d)[last]
	*d = (*d)[:last]
	return c
}

// retained walks what must not be left out: what refs point to, and what they pointed to at any time
// since twice the grace time before the snapshot was opened.
func (s *Store) retained(ctx context.Context, snap *Snapshot, yield rooted) error {
	for r := range snap.state.Refs.All() {
		if err := yield(r.Target, false); err != nil {
			return err
		}
	}
	const page = 1000
	since := snap.opened.Add(-retention * s.config.Grace) // not later: a push may have come since
	for before := int64(0); ; {
		log, err := s.catalog.RefLog(ctx, snap.state.ID, "", before, page)
		if err != nil {
			return err
		}
		for _, m := range log {
			if m.Time.Before(since) {
				return nil
			}
			for _, id := range []git.ID{m.Old, m.New} {
				if id.IsZero() {
					continue
				}
				if err := yield(id, true); err != nil {
					return err
				}
			}
			before = m.Seq
		}
		if len(log) < page {
			return nil
		}
	}
}
