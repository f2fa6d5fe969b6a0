package pack

import (
	"context"
	"io"
	"math"

	"github.com/ingot-forge/ingot/git"
)

// treeWorker makes the objects of whole trees of deltas, from one entry stored
// whole to all that descend from it, depth first. One serves one goroutine.
type treeWorker struct {
	*verifier
	hasher *git.Hasher
	path   []treeNode // from the root to the object whose deltas are being applied
	held   int64      // bytes of the objects on path
	budget int64
	delta  []byte
	spare  [][]byte // buffers to be used again
}

// treeNode is an object with deltas still to come.
type treeNode struct {
	rank uint32
	next uint32 // the next delta that starts from it
	kind git.Kind
	data []byte // nil where it had to make room: it is made again
}

// work verifies trees until no root is left.
func (v *verifier) work(ctx context.Context, budget int64) error {
	w := &treeWorker{verifier: v, hasher: git.NewHasher(v.format), budget: budget}
	for {
		to := v.taken.Add(verifyBatch)
		from := to - verifyBatch
		if from >= int64(len(v.state)) {
			return nil
		}
		for r := from; r < min(to, int64(len(v.state))); r++ {
			if v.state[r] != entryWhole {
				continue
			}
			if err := ctx.Err(); err != nil {
				return err
			}
			if err := w.tree(ctx, uint32(r)); err != nil {
				return err
			}
		}
	}
}

// tree verifies the tree of one root. What lies on the path is dropped, root
// first, where it exceeds the budget, and made again on the way back; a node is
// given up as soon as its last delta is at hand, so that chains without branches
// never hold more than two objects.
func (w *treeWorker) tree(ctx context.Context, root uint32) error {
	if err := w.root(ctx, root); err != nil {
		return w.damagedObject(err)
	}
	for len(w.path) > 0 {
		top := &w.path[len(w.path)-1]
		rank := top.next
		if rank == noEntry {
			w.pop()
			continue
		}
		top.next = w.next[rank]
		kind := top.kind
		data, err := w.made(ctx, rank, top)
		if top.next == noEntry {
			w.drop(top)
		}
		if err == nil {
			w.push(rank, kind, data)
		} else if err := w.damagedObject(err); err != nil {
			return err
		}
	}
	return nil
}

// made verifies the object of the delta with a rank, whose base is top.
func (w *treeWorker) made(ctx context.Context, rank uint32, top *treeNode) ([]byte, error) {
	if len(w.path) > maxChain {
		return nil, entryError(w.offset(rank), corrupt("more than %d deltas to its base", maxChain))
	}
	if top.data == nil {
		var err error
		if _, top.data, err = w.object(ctx, w.offset(top.rank)); err != nil {
			return nil, err
		}
		w.held += int64(len(top.data))
	}
	data, err := w.apply(ctx, rank, top.data)
	if err != nil {
		return nil, err
	}
	return data, w.name(rank, top.kind, data)
}

// root verifies an object that is stored whole and starts the path with it.
func (w *treeWorker) root(ctx context.Context, rank uint32) error {
	s, err := w.stored(ctx, w.offset(rank))
	if err != nil {
		return err
	}
	if err := w.checkSize(&s); err != nil {
		return err
	}
	kind := git.Kind(s.kind)
	if kind == git.KindBlob && s.size > StreamBytes && w.child[rank] == noEntry {
		return w.stream(ctx, rank, &s)
	}
	data := w.room(s.size)[:s.size]
	if err := w.inflateAll(ctx, data, rank, &s); err != nil {
		return err
	}
	if err := w.name(rank, kind, data); err != nil {
		return err
	}
	w.push(rank, kind, data)
	return nil
}

// apply returns the object of the delta with a rank.
func (w *treeWorker) apply(ctx context.Context, rank uint32, base []byte) ([]byte, error) {
	s, err := w.stored(ctx, w.offset(rank))
	if err != nil {
		return nil, err
	}
	if err := w.checkSize(&s); err != nil {
		return nil, err
	}
	if int64(cap(w.delta)) < s.size {
		w.delta = make([]byte, s.size+s.size/4)
	}
	delta := w.delta[:s.size]
	if err := w.inflateAll(ctx, delta, rank, &s); err != nil {
		return nil, err
	}
	_, size, _, err := DeltaSizes(delta)
	if err != nil {
		return nil, entryError(s.offset, err)
	}
	var room []byte
	if size <= trustedSize { // else ApplyDelta sees first whether the size is true
		room = w.room(size)
	}
	data, err := ApplyDelta(room, base, delta, math.MaxInt64)
	if err != nil {
		return nil, entryError(s.offset, err)
	}
	return data, nil
}

// inflateAll inflates the stream of s, which must fill its entry.
func (w *treeWorker) inflateAll(ctx context.Context, dst []byte, rank uint32, s *stored) error {
	end, err := w.inflate(ctx, dst, s)
	if err != nil {
		return err
	}
	if want := w.order.end(w.Pack, int(rank)); end != want {
		return entryError(s.offset, corrupt("zlib stream ends at %d, the entry at %d", end, want))
	}
	return nil
}

// name checks the id of an object and shows it to visit.
func (w *treeWorker) name(rank uint32, kind git.Kind, data []byte) error {
	id, err := w.hasher.Hash(kind, data)
	return w.named(rank, kind, data, id, err)
}

func (w *treeWorker) named(rank uint32, kind git.Kind, data []byte, id git.ID, err error) error {
	if err != nil {
		return entryError(w.offset(rank), err)
	}
	if want := w.index.ID(w.order.Place(int(rank))); id != want {
		return entryError(w.offset(rank), corrupt("object %s is under the id %s", w.format.Hex(id), w.format.Hex(want)))
	}
	if w.visit != nil {
		if err := w.visit(id, kind, data); err != nil {
			return err
		}
	}
	w.count()
	return nil
}

// stream verifies a blob without holding it in memory.
func (w *treeWorker) stream(ctx context.Context, rank uint32, s *stored) error {
	end := w.order.end(w.Pack, int(rank))
	from := &section{ctx: ctx, src: w.src, at: s.data, end: end}
	z, err := NewInflater(from)
	if err != nil {
		return entryError(s.offset, err)
	}
	w.hasher.Start(git.KindBlob, s.size)
	n, err := io.Copy(w.hasher, io.LimitReader(z, s.size+1))
	if err != nil {
		return entryError(s.offset, err)
	}
	if n != s.size {
		return entryError(s.offset, corrupt("object is not %d bytes long", s.size))
	}
	if from.left() > 0 {
		return entryError(s.offset, corrupt("zlib stream ends %d bytes before the entry", from.left()))
	}
	id, err := w.hasher.Sum()
	return w.named(rank, git.KindBlob, nil, id, err)
}

func (w *treeWorker) offset(rank uint32) int64 { return w.order.Offset(int(rank)) }

// push puts an object on the path, if there are deltas to it.
func (w *treeWorker) push(rank uint32, kind git.Kind, data []byte) {
	first := w.child[rank]
	if first == noEntry {
		w.recycle(data)
		return
	}
	w.path = append(w.path, treeNode{rank: rank, next: first, kind: kind, data: data})
	w.held += int64(len(data))
	for i := 0; w.held > w.budget && i < len(w.path)-1; i++ {
		w.drop(&w.path[i])
	}
}

func (w *treeWorker) pop() {
	last := len(w.path) - 1
	w.drop(&w.path[last])
	w.path = w.path[:last]
}

// drop gives up the data of a node.
func (w *treeWorker) drop(n *treeNode) {
	w.held -= int64(len(n.data))
	w.recycle(n.data)
	n.data = nil
}

// spareBuffers is how many buffers a worker keeps to use again. No more than
// a few are ever free at once where chains do not branch.
const spareBuffers = 4

func (w *treeWorker) recycle(p []byte) {
	if cap(p) > 0 && cap(p) <= keptScratch && len(w.spare) < spareBuffers {
		w.spare = append(w.spare, p[:0])
	}
}

// room returns an empty slice with space for size bytes.
func (w *treeWorker) room(size int64) []byte {
	for i := len(w.spare) - 1; i >= 0; i-- {
		if p := w.spare[i]; int64(cap(p)) >= size {
			last := len(w.spare) - 1
			w.spare[i] = w.spare[last]
			w.spare = w.spare[:last]
			return p
		}
	}
	if len(w.spare) == spareBuffers {
		w.spare = w.spare[:spareBuffers-1] // too small to be of use
	}
	return make([]byte, 0, size+size/4)
}

// count says that one more object is done.
func (v *verifier) count() {
	done := v.done.Add(1)
	if v.progress == nil || done%progressEvery != 0 && done != int64(len(v.state)) {
		return
	}
	v.mu.Lock()
	defer v.mu.Unlock()
	v.progress(int(done), len(v.state))
}
