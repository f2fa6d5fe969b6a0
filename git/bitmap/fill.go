package bitmap

import (
	"bytes"
	"cmp"
	"context"
	"encoding/binary"
	"fmt"
	"slices"

	"github.com/ingot-forge/ingot/git"
	"github.com/ingot-forge/ingot/git/lasttree"
)

// filler finds what commits reach. It holds three sets of the size of the stack,
// and the bitmaps made, each compressed and mostly as what distinguishes it from the one below it.
type filler struct {
	*commits
	hear  func(position int, kind git.Kind, hash uint32) // of every object found
	wrong error                                          // the first object found as what it is not known as

	set     Set // what the commit reaches that is being filled in
	below   Set // what the chosen commit before it on its chain reaches
	scratch Set
	held    int32 // whose bitmap set is; -1 if nobody's

	made    []made
	last    lasttree.Trees[readTree]
	serves  func(readTree) bool
	walk    int
	queue   []uint32 // commits to visit, a heap: that with the highest place in order first
	found   []uint32
	pending []pendingTree
	steps   int
	encoded []byte
	recent  []foundID // by the low bits of the id
}

// readTree is what is noted of a tree that was read: where it is, and in which walk that was.
type readTree struct{ walk, position int }

// foundID is where an object was found.
type foundID struct {
	id    git.ID
	after int32 // its position plus one; 0: nothing is here
}

// maxRecent is how many objects' positions are remembered, in 36 bytes each. Where history goes
// to and fro between lines of work, trees differ in more than what is new, and
// the same objects are looked for again and again: in git's own history each 17 times.
const maxRecent = 1 << 16

// made is a finished bitmap.
type made struct {
	commit uint32 // node
	base   int32  // the bitmap that bits are XORed with; -1 if they are whole
	bits   []byte // as in a file, counts included
	cost   int    // bytes that it is put together from
	whole  int    // bytes that it would have without base
}

// costBound is how many times as much as its whole form a bitmap's parts may be where it is XORed
// with others: so much, at most, a shorter file costs those who read it.
const costBound = 2

// pendingTree is a tree to be read.
type pendingTree struct {
	position int32
	hash     uint32 // of its path
	prefix   uint32 // of its path with a slash behind
}

func newFiller(c *commits) *filler {
	n := c.index.Len()
	f := &filler{commits: c, set: NewSet(n), below: NewSet(n), scratch: NewSet(n), held: -1,
		recent: make([]foundID, maxRecent)}
	// Trees that were read in another walk serve only if below has them. That they are in f.set would not do: they
	// may be waiting to be read, and of two trees neither would be gone through because of the other.
	f.serves = func(t readTree) bool { return t.walk == f.walk || f.below.Has(t.position) }
	return f
}

// fill makes the bitmaps of all chosen commits of the chains and hears each, still in
// f.set, by done. A commit that turns out to be open has none, nor have those that reach it;
// open hears why, and ends everything if it returns an error.
//
// They are made in the order of history, not chain by chain: a commit whose first parents lead
// elsewhere may have merged nearly all there is, and then finds bitmaps of that.
func (f *filler) fill(ctx context.Context, chains []chain, open func(error) error, done func(commit uint32) error) error {
	type step struct {
		commit uint32
		below  int64
	}
	var steps []step
	for _, line := range chains {
		below := line.onto
		for _, i := range slices.Backward(line.commits) {
			if f.nodes[i].flags&nodeChosen != 0 {
				steps = append(steps, step{i, below})
				below = int64(i)
			}
		}
	}
	slices.SortFunc(steps, func(a, b step) int { return cmp.Compare(f.nodes[a.commit].order, f.nodes[b.commit].order) })
	for _, s := range steps {
		ok, err := f.fillOne(ctx, s.commit, s.below, open)
		if err == nil && ok {
			err = done(s.commit)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// fillOne makes the bitmap of a commit from that of one below it. It reports whether
// there is one.
func (f *filler) fillOne(ctx context.Context, i uint32, below int64, open func(error) error) (ok bool, err error) {
	if below >= 0 && f.nodes[below].made < 0 && f.nodes[below].flags&nodeStored == 0 {
		return false, nil // it is open, so this one is
	}
	if err := f.start(below); err != nil {
		return false, err
	}
	f.held = -1
	if ok, err := f.visit(ctx, i); err != nil || !ok {
		return false, err
	}
	for _, i := range f.found { // parents first
		if err := f.tree(ctx, int(f.nodes[i].tree)); err != nil {
			if !absent(err) {
				return false, err
			}
			// Others that reach it stop when they come here, as this one does.
			f.nodes[i].flags |= nodeOpen
			return false, open(fmt.Errorf("commit %s: %w", f.id(i), err))
		}
	}
	f.keep(i, below)
	return true, nil
}

// start makes f.set and f.below what a commit with a bitmap reaches; -1 stands for nothing.
func (f *filler) start(below int64) error {
	if below < 0 || f.held != f.nodes[below].made || f.held < 0 {
		clear(f.set)
		if below >= 0 {
			if err := f.addFinished(uint32(below)); err != nil {
				return err
			}
		}
	}
	copy(f.below, f.set)
	f.walk++
	return nil
}

// addFinished adds to f.set what a commit reaches whose bitmap is made or stored.
func (f *filler) addFinished(i uint32) error {
	n := &f.nodes[i]
	if n.made < 0 {
		_, err := f.index.Reaches(int(n.position), f.set)
		return err
	}
	if m := f.made[n.made]; m.base < 0 {
		return m.words().or(f.set)
	}
	if err := f.decode(f.scratch, n.made); err != nil {
		return err
	}
	f.set.or(f.scratch)
	return nil
}

// decode makes s what a bitmap says.
func (f *filler) decode(s Set, m int32) error {
	clear(s)
	for ; m >= 0; m = f.made[m].base {
		if err := f.made[m].words().xor(s); err != nil {
			return err
		}
	}
	return nil
}

func (m *made) words() ewah { return ewah(m.bits[ewahHead : len(m.bits)-ewahTail]) }

// visit adds the commits that i reaches, and all that those reach which have a bitmap. f.found
// are then the others, whose trees are to be walked. It reports false if one is open.
//
// A commit is taken up after all that come later in the order, so that whatever a bitmap
// covers is known by then, and no commit is gone to that one of them has. Commits that
// load did not go to come last, by date.
func (f *filler) visit(ctx context.Context, i uint32) (ok bool, err error) {
	f.queue, f.found = append(f.queue[:0], i), f.found[:0]
	for len(f.queue) > 0 {
		i := f.pop()
		if f.nodes[i].flags&nodeOpen != 0 {
			return false, nil
		}
		position := int(f.nodes[i].position)
		if f.set.Has(position) {
			continue
		}
		if err := f.read(ctx, i); err != nil {
			return false, err
		}
		if n := &f.nodes[i]; n.made >= 0 || n.flags&nodeStored != 0 {
			if err := f.addFinished(i); err != nil {
				return false, err
			}
			continue
		}
		f.set.Add(position)
		f.hear(position, git.KindCommit, 0)
		f.found = append(f.found, i)
		for _, p := range f.parentsOf(i) {
			if f.nodes[p].flags&nodeSeen == 0 {
				if at := f.nodes[p].position; at >= 0 && f.set.Has(int(at)) {
					continue
				}
				if err := f.read(ctx, p); err != nil {
					return false, err
				}
			}
			f.push(p)
		}
	}
	slices.Reverse(f.found)
	return true, nil
}

// key says which commit visit takes up first: that with the greater one.
func (f *filler) key(i uint32) int64 {
	const ordered = 1 << 40
	if n := &f.nodes[i]; n.flags&nodeSeen != 0 {
		return ordered + int64(n.order)
	} else {
		return min(n.seconds, ordered-1)
	}
}

// tree adds the tree at a position and what hangs from it. What is in the set is
// there with all that hangs from it, or is about to be.
func (f *filler) tree(ctx context.Context, position int) error {
	if !f.set.Add(position) {
		return nil
	}
	f.pending = append(f.pending[:0], pendingTree{position: int32(position)})
	for n := len(f.pending); n > 0; n = len(f.pending) {
		next := f.pending[n-1]
		f.pending = f.pending[:n-1]
		if f.steps++; f.steps%checkEvery == 0 {
			if err := ctx.Err(); err != nil {
				return err
			}
		}
		id := f.index.ID(int(next.position))
		kind, data, err := f.objects.Object(ctx, id)
		if err != nil {
			return err
		}
		if kind != git.KindTree {
			return fmt.Errorf("%w: %s is a %s, not a tree", git.ErrCorrupt, id, kind)
		}
		f.hear(int(next.position), git.KindTree, next.hash)
		take := func(mode git.Mode, name []byte, id git.ID) error { return f.take(next.prefix, mode, name, id) }
		if err := f.last.Each(f.format, next.prefix, data, readTree{f.walk, int(next.position)}, f.serves, take); err != nil {
			return fmt.Errorf("tree %s: %w", id, err)
		}
	}
	return nil
}

// take takes up an entry of a tree.
func (f *filler) take(prefix uint32, mode git.Mode, name []byte, id git.ID) error {
	if mode&0o170000 == git.ModeSubmodule {
		return nil
	}
	recent := &f.recent[binary.LittleEndian.Uint32(id[:])%maxRecent]
	if recent.after == 0 || recent.id != id {
		position, ok := f.find(id)
		if !ok {
			return git.NotFound(id)
		}
		*recent = foundID{id, int32(position) + 1}
	}
	position := int(recent.after) - 1
	if !f.set.Add(position) {
		return nil
	}
	hash := git.NameHash(prefix, name)
	if !mode.IsTree() {
		f.hear(position, git.KindBlob, hash)
		return nil
	}
	f.pending = append(f.pending, pendingTree{int32(position), hash, git.NameHash(hash, "/")})
	return nil
}

// compareKind compares the kind as which an object was found with what the files say.
func (f *filler) compareKind(position int, kind git.Kind) {
	if known := f.index.Kind(position); known != kind && known != 0 && f.wrong == nil {
		f.wrong = corrupt("object %s is a %s, but is named as a %s", f.index.ID(position), known, kind)
	}
}

// keep makes f.set, which a commit reaches, its bitmap.
func (f *filler) keep(i uint32, below int64) {
	f.encoded = appendEWAH(f.encoded[:0], f.set)
	m := made{commit: i, base: -1, whole: len(f.encoded)}
	if below >= 0 && f.nodes[below].made >= 0 {
		copy(f.scratch, f.set)
		f.scratch.xor(f.below)
		f.encoded = appendEWAH(f.encoded, f.scratch)
		base := f.nodes[below].made
		if cost := f.made[base].cost + len(f.encoded) - m.whole; cost <= costBound*m.whole {
			m.base, m.cost, m.bits = base, cost, bytes.Clone(f.encoded[m.whole:])
		}
	}
	if m.base < 0 {
		m.cost, m.bits = m.whole, bytes.Clone(f.encoded[:m.whole])
	}
	f.held = int32(len(f.made))
	f.nodes[i].made = f.held
	f.made = append(f.made, m)
}

func (f *filler) push(i uint32) {
	f.queue = append(f.queue, i)
	at := len(f.queue) - 1
	for at > 0 {
		up := (at - 1) / 2
		if f.key(f.queue[up]) >= f.key(i) {
			break
		}
		f.queue[at] = f.queue[up]
		at = up
	}
	f.queue[at] = i
}

func (f *filler) pop() uint32 {
	top := f.queue[0]
	last := len(f.queue) - 1
	i := f.queue[last]
	f.queue = f.queue[:last]
	if last == 0 {
		return top
	}
	at := 0
	for {
		down := 2*at + 1
		if down >= last {
			break
		}
		if down+1 < last && f.key(f.queue[down+1]) > f.key(f.queue[down]) {
			down++
		}
		if f.key(f.queue[down]) <= f.key(i) {
			break
		}
		f.queue[at] = f.queue[down]
		at = down
	}
	f.queue[at] = i
	return top
}
