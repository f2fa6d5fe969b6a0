package pack

import (
	"context"
	"slices"
	"sync/atomic"

	"github.com/ingot-forge/ingot/git"
)

// largeShare is the part of a worker's share of memory from which an object is
// large. Only one worker at a time may have large objects in hand, so a pack of
// huge ones costs the memory of a few of them, not of a few for each worker.
const largeShare = 4

// deltasPerWorker is how many deltas make it worth to start another worker.
const deltasPerWorker = 64

// resolution gives the deltas their content, kind and id. Every object that is
// stored whole is the root of a tree: its deltas, their deltas, and so on. Each
// tree is gone through depth first by one worker, so a base is made once for all
// its deltas.
type resolution struct {
	*intake
	roots []uint32 // where trees may start
	next  atomic.Int64
	done  *atomic.Int64 // deltas
	share int64         // memory of one worker for the objects in hand; as much again for spare buffers
	large chan struct{} // holds a token while no worker has large objects
}

// resolve goes through all trees that start in the pack, and then through
// those that start from the bases of a thin pack.
func (in *intake) resolve(ctx context.Context) error {
	if in.deltas == 0 {
		return nil
	}
	in.refs.sort(in.links)
	var done atomic.Int64
	if err := in.resolveFrom(ctx, in.rootsInPack(), in.Workers, &done); err != nil {
		return err
	}
	if done.Load() < int64(in.deltas) && in.Bases != nil {
		if err := in.resolveThin(ctx, &done); err != nil {
			return err
		}
	}
	if done.Load() < int64(in.deltas) {
		return in.unresolved(in.deltas - int(done.Load()))
	}
	in.report(Progress{Resolving: true, Done: int64(in.deltas), Total: int64(in.deltas), Bytes: in.stored})
	return nil
}

// rootsInPack returns the objects stored whole that have deltas, or may have:
// the ids of RefDeltas are looked up by the workers.
func (in *intake) rootsInPack() []uint32 {
	maybe := func(l *link) bool { return l.kind != 0 && (l.child != none || len(in.refs.groups) > 0) }
	n := 0
	for e := range in.links {
		if maybe(&in.links[e]) {
			n++
		}
	}
	roots := make([]uint32, 0, n)
	for e := range in.links {
		if maybe(&in.links[e]) {
			roots = append(roots, uint32(e))
		}
	}
	return roots
}

func (in *intake) resolveFrom(ctx context.Context, roots []uint32, workers int, done *atomic.Int64) error {
	workers = min(workers, len(roots), 1+in.deltas/deltasPerWorker)
	if workers == 0 {
		return nil
	}
	r := &resolution{
		intake: in, roots: roots, done: done,
		share: (in.Limits.MemoryBytes - in.kept.bytes()) / int64(workers) / 2,
		large: make(chan struct{}, 1),
	}
	r.large <- struct{}{}
	c := newCrew(ctx)
	for range workers - 1 {
		c.run(r.worker(c.ctx).run)
	}
	c.fail(r.worker(c.ctx).run())
	return c.wait()
}

func (r *resolution) worker(ctx context.Context) *resolver {
	return &resolver{resolution: r, ctx: ctx, hash: git.NewHasher(r.Format), buffers: buffers{limit: r.share}}
}

// resolver is one worker. It holds the path from the root of its tree to the
// base whose deltas it applies, as far as deltas are left to apply on the way
// back: a chain without branches never takes more than one frame.
type resolver struct {
	*resolution
	ctx     context.Context
	hash    *git.Hasher
	stack   []frame
	held    int64 // memory of the stack
	low     int   // frames below have given up their data
	isLarge bool  // this worker has the token
	buffers buffers
	packed  []byte   // an entry as it is stored
	delta   []byte   // a delta that was not on the shelf
	path    []uint32 // of rebuild
	z       *Inflater
}

// frame is one base of which deltas are left.
type frame struct {
	entry uint32
	next  uint32 // first delta that is not applied yet
	depth int
	data  []byte // nil once given up for want of memory; rebuild brings it back
}

func (w *resolver) run() error {
	for {
		i := w.next.Add(1) - 1
		if i >= int64(len(w.roots)) {
			return nil
		}
		if err := w.ctx.Err(); err != nil {
			return err
		}
		if err := w.tree(w.roots[i]); err != nil {
			return err
		}
		w.giveBack()
	}
}

// tree resolves every delta that comes, over any number of steps, from root.
func (w *resolver) tree(root uint32) error {
	l := &w.links[root]
	if l.stored != 0 {
		w.adopt(root)
		if l.child == none {
			return nil
		}
	}
	data, err := w.root(root)
	if err != nil || data == nil {
		return err
	}
	w.push(frame{entry: root, next: l.child, data: data})
	for len(w.stack) > 0 {
		if err := w.ctx.Err(); err != nil {
			return err
		}
		if err := w.step(); err != nil {
			return err
		}
	}
	return nil
}

// root returns the content of an object that is no delta; nil for the base of
// a thin pack that can't be had now, or is not needed any more.
func (w *resolver) root(e uint32) ([]byte, error) {
	if w.links[e].stored == 0 {
		return w.foreign(e)
	}
	data, err := w.load(e, nil)
	if err != nil {
		return nil, entryError(w.index[e].Offset, err)
	}
	return data, nil
}

// step applies the next delta of the top frame.
func (w *resolver) step() error {
	top := &w.stack[len(w.stack)-1]
	e := top.next
	at := w.index[e].Offset
	depth := top.depth + 1
	if w.Limits.DeltaDepth > 0 && depth > w.Limits.DeltaDepth {
		return entryError(at, &LimitError{Limit: "delta depth", Max: int64(w.Limits.DeltaDepth)})
	}
	if top.data == nil {
		if err := w.rebuild(len(w.stack) - 1); err != nil {
			return err
		}
	}
	data, err := w.apply(top.data, e)
	if err != nil {
		return entryError(at, err)
	}
	kind := w.links[top.entry].kind
	id, err := w.name(w.hash, kind, data)
	if err != nil {
		return entryError(at, err)
	}
	w.index[e].ID = id
	w.links[e].kind = kind
	if done := w.done.Add(1); done%reportEvery == 0 {
		w.report(Progress{Resolving: true, Done: done, Total: int64(w.deltas), Bytes: w.stored})
	}
	w.adopt(e)
	if top.next = w.links[e].next; top.next == none {
		w.pop()
	}
	if child := w.links[e].child; child != none {
		w.push(frame{entry: e, next: child, depth: depth, data: data})
	} else {
		w.buffers.put(data)
	}
	return nil
}

// push adds a frame, and lets go of the content of those far from the top when
// there is more than this worker's share.
func (w *resolver) push(f frame) {
	w.stack = append(w.stack, f)
	w.held += int64(cap(f.data))
	for ; w.held > w.share && w.low < len(w.stack)-1; w.low++ {
		w.drop(w.low)
	}
}

func (w *resolver) pop() {
	w.drop(len(w.stack) - 1)
	w.stack = w.stack[:len(w.stack)-1]
	w.low = min(w.low, len(w.stack))
}

// drop gives up the content of a frame.
func (w *resolver) drop(i int) {
	f := &w.stack[i]
	w.held -= int64(cap(f.data))
	if w.links[f.entry].stored != 0 { // what Bases returned is not ours to write into
		w.buffers.put(f.data)
	}
	f.data = nil
}

// apply makes the object that delta entry e stands for.
func (w *resolver) apply(base []byte, e uint32) ([]byte, error) {
	l := &w.links[e]
	var delta []byte
	if l.at != none {
		delta = w.kept.get(l.at, l.size)
	} else {
		var err error
		if w.delta, err = w.load(e, w.delta); err != nil {
			return nil, err
		}
		delta = w.delta
		if cap(delta) > blockBytes {
			w.delta = nil
		}
	}
	size, err := w.resultSize(delta)
	if err != nil {
		return nil, err
	}
	if err := w.mayHold(size); err != nil {
		return nil, err
	}
	return ApplyDelta(w.buffers.get(size), base, delta, size)
}

// rebuild brings back the content of frame i from the nearest base below that
// still has its own, or from the root.
func (w *resolver) rebuild(i int) error {
	w.path = w.path[:0]
	below := i - 1
	var data []byte
	own := true
	for e := w.stack[i].entry; ; e = w.links[e].base {
		for below >= 0 && w.stack[below].entry == e {
			if data = w.stack[below].data; data != nil {
				own = false
			}
			below--
		}
		if data != nil {
			break
		}
		if s := w.links[e].stored; s != OfsDelta && s != RefDelta {
			var err error
			if data, err = w.root(e); err != nil {
				return err
			}
			own = s != 0
			break
		}
		w.path = append(w.path, e)
	}
	for _, e := range slices.Backward(w.path) {
		if err := w.ctx.Err(); err != nil {
			return err
		}
		next, err := w.apply(data, e)
		if err == nil {
			err = w.spend(int64(len(next)))
		}
		if err != nil {
			return entryError(w.index[e].Offset, err)
		}
		if own {
			w.buffers.put(data)
		}
		data, own = next, true
	}
	w.stack[i].data = data
	w.held += int64(cap(data))
	w.low = min(w.low, i)
	return nil
}

// mayHold waits until this worker may have an object of size bytes in hand.
func (w *resolver) mayHold(size int64) error {
	if size <= w.share/largeShare || w.isLarge {
		return nil
	}
	select {
	case <-w.large:
		w.isLarge = true
		return nil
	case <-w.ctx.Done():
		return w.ctx.Err()
	}
}

// giveBack ends a tree: nothing large is in hand any more.
func (w *resolver) giveBack() {
	if w.isLarge {
		w.isLarge = false
		w.large <- struct{}{}
	}
}
