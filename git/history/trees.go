package history

import (
	"context"
	"fmt"

	"github.com/ingot-forge/ingot/git"
	"github.com/ingot-forge/ingot/git/lasttree"
)

// treeWalk finds the trees and blobs that hang from given trees and not from
// those at the edge, each once. A tree is read once, however often it occurs,
// and only one at a time is held, so neither depth nor breadth costs more than
// the ids waiting to be read.
type treeWalk struct {
	*source
	report func(found int)
	filter *treeFilter // nil: everything

	ids     idTable
	marks   []marks  // by number of the id
	hashes  []uint32 // by number of the id: NameHash of the path where it was first met
	pending []pendingTree
	found   int // objects to be sent so far
	steps   int

	last lasttree.Trees[struct{}]
	edge edge
	late []uint32 // trees found first and then had
}

// pendingTree is a tree to be read.
type pendingTree struct {
	tree   uint32
	prefix uint32 // hash of its path with a slash behind
	beside *place // the trees at the edge with the same path; nil if there are none
	depth  uint32 // of its entries: 1 in a root tree
	state  uint32 // where the sparse patterns stand
}

// marks is what is known of a tree or blob.
type marks uint8

const (
	isTree     marks = 1 << iota
	isBlob           // an id is never both: a repository that says so is refused
	markHad          // the client has it, with all that hangs from it
	markFound        // met in what is to be sent
	markSend         // to be sent, unless it is had
	markNamed        // wanted by name: to be sent although it hangs from the edge
	markWalked       // a filter let its entries be looked at
	markBig          // over the limit of blob:limit
)

func (m marks) kind() git.Kind {
	if m&isTree != 0 {
		return git.KindTree
	}
	return git.KindBlob
}

func newTreeWalk(s *source) *treeWalk {
	return &treeWalk{source: s, ids: newIDTable(), report: func(int) {}}
}

// mark numbers an id and adds to its marks, of which one is its kind. It
// returns the marks from before.
func (w *treeWalk) mark(id *git.ID, m marks) (i uint32, before marks, err error) {
	i, fresh := w.ids.add(id)
	if fresh {
		w.marks = append(w.marks, m)
		w.hashes = append(w.hashes, 0)
		return i, 0, nil
	}
	before = w.marks[i]
	if (before|m)&(isTree|isBlob) == isTree|isBlob {
		return i, before, fmt.Errorf("%w: object %s is named as a tree and as a blob", git.ErrCorrupt, *id)
	}
	w.marks[i] = before | m
	return i, before, nil
}

// markHad notes that the client has an object, whose path has the given hash. A
// tree that was found before waits in late for its contents to be noted, too.
func (w *treeWalk) markHad(id git.ID, kind marks, hash uint32) (uint32, error) {
	i, before, err := w.mark(&id, kind|markHad)
	if err != nil {
		return i, err
	}
	if before == 0 {
		w.hashes[i] = hash
	}
	if kind == isTree && before&(markFound|markHad) == markFound {
		w.late = append(w.late, i)
	}
	return i, nil
}

// want adds a tree or blob that is wanted by name, with what hangs from it. It
// comes before the roots: under a filter by depth, a named tree does not count
// as a level.
func (w *treeWalk) want(ctx context.Context, id git.ID, kind marks) error {
	i, before, err := w.mark(&id, kind)
	if err != nil {
		return err
	}
	w.marks[i] |= markFound | markSend | markNamed
	if before&markSend == 0 {
		w.found++
	}
	if kind == isBlob || before&markHad != 0 || w.filter == nil && before&markFound != 0 {
		return nil
	}
	next := pendingTree{tree: i, beside: w.edge.root, depth: 0}
	if w.filter != nil {
		if !w.filter.descends(next.depth) {
			return nil
		}
		next.state = w.filter.named()
	}
	w.pending = append(w.pending, next)
	return w.drain(ctx)
}

// root adds the root tree of a commit, with what hangs from it.
func (w *treeWalk) root(ctx context.Context, id git.ID) error {
	i, before, err := w.mark(&id, isTree)
	if err != nil || before&markHad != 0 {
		return err
	}
	next := pendingTree{tree: i, beside: w.edge.root, depth: 1}
	if w.filter != nil {
		next.state = w.filter.root()
		w.filterTree(next, before)
	} else if before&markFound == 0 {
		w.marks[i] |= markFound | markSend
		w.found++
		w.pending = append(w.pending, next)
	}
	return w.drain(ctx)
}

// drain reads the trees that wait. Without a filter by depth the last comes
// first, so that what lies together in the tree is found together; with one,
// the first comes first, so that each tree is met at its least depth first.
func (w *treeWalk) drain(ctx context.Context) error {
	if w.byLevel() {
		return nil // finish does it, when all roots are known
	}
	for n := len(w.pending); n > 0; n = len(w.pending) {
		next := w.pending[n-1]
		w.pending = w.pending[:n-1]
		if err := w.scan(ctx, next); err != nil {
			return err
		}
	}
	return nil
}

// byLevel reports whether trees are read level by level.
func (w *treeWalk) byLevel() bool { return w.filter != nil && w.filter.depth != noDepth }

// finish reads what still waits and settles what is had.
func (w *treeWalk) finish(ctx context.Context) error {
	for len(w.pending) > 0 {
		level := w.pending
		w.pending = nil
		for _, next := range level {
			if err := w.scan(ctx, next); err != nil {
				return err
			}
		}
	}
	return w.settle(ctx)
}

// scan reads one tree and takes up its entries.
func (w *treeWalk) scan(ctx context.Context, t pendingTree) error {
	if t.beside != nil {
		if err := w.expand(ctx, t.beside); err != nil {
			return err
		}
	}
	id := *w.ids.id(t.tree)
	data, err := w.tree(ctx, id)
	if err != nil {
		return err
	}
	before := len(w.pending)
	take := func(mode git.Mode, name []byte, entry git.ID) error {
		switch {
		case mode.IsTree():
			return w.subtree(t, name, &entry)
		case !isSubmodule(mode):
			return w.blob(ctx, t, name, &entry)
		}
		return nil
	}
	if w.filter == nil || !w.filter.revisits() {
		err = w.last.Each(w.format, t.prefix, data, struct{}{}, nil, take)
	} else {
		err = eachEntry(w.format, data, take)
	}
	if err != nil {
		return fmt.Errorf("tree %s: %w", id, err)
	}
	// The first subtree is to be read first, so it goes on top.
	if !w.byLevel() {
		added := w.pending[before:]
		for i, j := 0, len(added)-1; i < j; i, j = i+1, j-1 {
			added[i], added[j] = added[j], added[i]
		}
	}
	return nil
}

// eachEntry calls do for the entries of a tree.
func eachEntry(f git.Format, data []byte, do func(mode git.Mode, name []byte, id git.ID) error) error {
	for len(data) > 0 {
		mode, name, id, rest, err := git.NextEntry(f, data)
		if err == nil {
			err = do(mode, name, id)
		}
		if err != nil {
			return err
		}
		data = rest
	}
	return nil
}

// subtree takes up an entry of t that is a tree.
func (w *treeWalk) subtree(t pendingTree, name []byte, id *git.ID) error {
	i, before, err := w.mark(id, isTree)
	if err != nil {
		return err
	}
	var beside *place
	if t.beside != nil {
		if beside = t.beside.sub[string(name)]; beside != nil && before&markHad != 0 {
			beside.kept = true
		}
	}
	if before&markHad != 0 || w.filter == nil && before&markFound != 0 {
		return nil
	}
	next := pendingTree{tree: i, beside: beside, depth: t.depth + 1}
	next.prefix = w.nameEntry(i, before, t.prefix, name)
	next.prefix = git.NameHash(next.prefix, "/")
	if w.filter != nil {
		if e, err := w.filter.enter(t.state, name); err != nil {
			return err
		} else {
			next.state = e.dir
		}
		w.filterTree(next, before)
		return nil
	}
	w.marks[i] |= markFound | markSend
	w.found++
	w.pending = append(w.pending, next)
	return nil
}

// blob takes up an entry of t that is a blob.
func (w *treeWalk) blob(ctx context.Context, t pendingTree, name []byte, id *git.ID) error {
	i, before, err := w.mark(id, isBlob)
	if err != nil {
		return err
	}
	if before&(markHad|markSend) != 0 {
		return nil
	}
	if w.filter != nil {
		if ok, err := w.filterBlob(ctx, t, name, i); err != nil || !ok {
			return err
		}
	}
	w.nameEntry(i, before, t.prefix, name)
	w.marks[i] |= markFound | markSend
	w.found++
	return nil
}

// nameEntry gives an object the hash of its path unless it has one from where
// it was met before, and returns that of this path.
func (w *treeWalk) nameEntry(i uint32, before marks, prefix uint32, name []byte) uint32 {
	h := git.NameHash(prefix, name)
	if before&(markFound|markHad) == 0 {
		w.hashes[i] = h
	}
	return h
}

// isSubmodule reports whether an entry names a commit of another repository.
func isSubmodule(m git.Mode) bool { return m&0o170000 == git.ModeSubmodule }

// tree returns the content of a tree.
func (w *treeWalk) tree(ctx context.Context, id git.ID) ([]byte, error) {
	if w.steps++; w.steps%checkEvery == 0 {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		w.report(w.found)
	}
	return w.read(ctx, id, git.KindTree)
}

// appendFound appends the objects to send in the order in which they were met.
func (w *treeWalk) appendFound(send []Object) []Object {
	for i, m := range w.marks {
		if m&markSend != 0 && (m&markHad == 0 || m&markNamed != 0) {
			send = append(send, Object{ID: *w.ids.id(uint32(i)), Kind: m.kind(), NameHash: w.hashes[i]})
		}
	}
	return send
}

// hadMarks returns the marks of which an object has one that the client is known to have; under a
// filter only those of kinds that it lets through whole, because who filters now did so before.
func (w *treeWalk) hadMarks() (kinds marks) {
	if w.filter.sure(git.KindTree) {
		kinds |= isTree
	}
	if w.filter.sure(git.KindBlob) {
		kinds |= isBlob
	}
	return kinds
}

// isHad reports whether an object is among had.
func (w *treeWalk) isHad(id *git.ID) bool {
	i, ok := w.ids.find(id)
	return ok && w.marks[i]&markHad != 0 && w.marks[i]&w.hadMarks() != 0
}

// had returns the objects that the client is known to have.
func (w *treeWalk) had() []Object {
	kinds := w.hadMarks()
	known := func(m marks) bool { return m&markHad != 0 && m&kinds != 0 }
	n := 0
	for _, m := range w.marks {
		if known(m) {
			n++
		}
	}
	had := make([]Object, 0, n)
	for i, m := range w.marks {
		if known(m) {
			had = append(had, Object{ID: *w.ids.id(uint32(i)), Kind: m.kind(), NameHash: w.hashes[i]})
		}
	}
	return had
}
