package pack

import (
	"context"

	"github.com/ingot-forge/ingot/git"
)

const (
	// batchBytes is the content of whole objects that goes to a worker at a
	// time: entries are small, and a channel operation for each would cost more
	// than it brings. Larger objects go by themselves.
	batchBytes = 256 << 10
	// firstBatch is the size of the first batch, for most pushes are small.
	firstBatch = 16 << 10
	// largeBytes bounds the large objects that wait for a worker; one may
	// always wait, whatever its size.
	largeBytes = 16 << 20
)

// namer gives whole objects their ids, and shows them to Visit, beside the
// scan. The scanner alone calls its methods; workers see batches only, and ids
// come back with them, so the table may grow meanwhile. Workers are started as
// batches come; a pack of one batch needs none.
type namer struct {
	in     *intake
	ctx    context.Context
	crew   *crew
	crewed int // workers
	todo   chan *batch
	done   chan *batch
	max    int // batches out at once
	out    int
	large  int64 // bytes of large objects out
	cur    *batch
	spare  []*batch
}

// batch is a few whole objects, one after the other in slab.
type batch struct {
	slab  []byte
	items []item
	large bool
}

type item struct {
	entry uint32
	at    int64 // its offset; the table is not for workers to look into
	kind  git.Kind
	data  []byte
	id    git.ID
}

func newNamer(c *crew, in *intake) *namer {
	most := 2*in.Workers + 2
	return &namer{
		in: in, ctx: c.ctx, crew: c, max: most,
		// One more than most, for the batch being filled is not out yet: so
		// nobody ever waits to send, not even when the other side is gone.
		todo: make(chan *batch, most+1),
		done: make(chan *batch, most+1),
	}
}

// room returns the memory to inflate an object of size bytes into. It becomes
// part of a batch by add; without add it is used again.
func (n *namer) room(size int64) ([]byte, error) {
	if size > batchBytes {
		if err := n.waitLarge(size); err != nil {
			return nil, err
		}
		return make([]byte, size), nil
	}
	if n.cur != nil && size > int64(cap(n.cur.slab)-len(n.cur.slab)) {
		n.send(n.cur)
		n.cur = nil
	}
	if n.cur == nil {
		for len(n.spare) == 0 && n.out == n.max {
			if err := n.wait(); err != nil {
				return nil, err
			}
		}
		n.poll()
		if last := len(n.spare) - 1; last >= 0 {
			n.cur, n.spare = n.spare[last], n.spare[:last]
		} else {
			n.cur = &batch{slab: make([]byte, 0, n.slabSize(size))}
		}
	}
	at := len(n.cur.slab)
	return n.cur.slab[at : at+int(size) : at+int(size)], nil
}

func (n *namer) slabSize(size int64) int {
	if len(n.in.index) < firstBatch/64 && size <= firstBatch {
		return firstBatch
	}
	return batchBytes
}

// waitLarge waits until one more large object may wait for a worker.
func (n *namer) waitLarge(size int64) error {
	for n.out == n.max || n.large > 0 && n.large+size > largeBytes {
		if err := n.wait(); err != nil {
			return err
		}
	}
	return nil
}

// add says that data, from room, is the content of entry.
func (n *namer) add(entry uint32, kind git.Kind, data []byte) {
	it := item{entry: entry, at: n.in.index[entry].Offset, kind: kind, data: data}
	if len(data) > batchBytes {
		n.large += int64(len(data))
		n.send(&batch{items: []item{it}, large: true})
		return
	}
	n.cur.slab = n.cur.slab[:len(n.cur.slab)+len(data)]
	n.cur.items = append(n.cur.items, it)
}

// send gives a batch to the workers.
func (n *namer) send(b *batch) {
	if n.crewed < n.in.Workers {
		n.crewed++
		n.crew.run(n.work)
	}
	n.out++
	n.todo <- b
}

// wait takes one batch back.
func (n *namer) wait() error {
	select {
	case b := <-n.done:
		n.collect(b)
		return nil
	case <-n.ctx.Done():
		return n.ctx.Err()
	}
}

// poll takes back what is done already.
func (n *namer) poll() {
	for {
		select {
		case b := <-n.done:
			n.collect(b)
		default:
			return
		}
	}
}

func (n *namer) collect(b *batch) {
	n.out--
	for i := range b.items {
		n.in.index[b.items[i].entry].ID = b.items[i].id
	}
	if b.large {
		n.large -= int64(len(b.items[0].data))
		return
	}
	if cap(b.slab) == batchBytes {
		b.slab, b.items = b.slab[:0], b.items[:0]
		n.spare = append(n.spare, b)
	}
}

// finish names what is left.
func (n *namer) finish() error {
	if n.cur != nil && n.crewed == 0 {
		if err := n.name(git.NewHasher(n.in.Format), n.cur); err != nil {
			return err
		}
		n.out++
		n.collect(n.cur)
	} else if n.cur != nil {
		n.send(n.cur)
	}
	n.cur = nil
	for n.out > 0 {
		if err := n.wait(); err != nil {
			return err
		}
	}
	return nil
}

// work is what a worker does until todo is closed.
func (n *namer) work() error {
	h := git.NewHasher(n.in.Format)
	for b := range n.todo {
		if err := n.name(h, b); err != nil {
			return err
		}
		n.done <- b
	}
	return nil
}

// name names the objects of one batch.
func (n *namer) name(h *git.Hasher, b *batch) (err error) {
	for i := range b.items {
		it := &b.items[i]
		if i%64 == 0 && n.ctx.Err() != nil {
			return n.ctx.Err()
		}
		if it.id, err = n.in.name(h, it.kind, it.data); err != nil {
			return entryError(it.at, err)
		}
	}
	return nil
}

// name returns an object's id, having shown the object to Visit.
func (in *intake) name(h *git.Hasher, kind git.Kind, data []byte) (git.ID, error) {
	id, err := h.Hash(kind, data)
	if err != nil {
		return id, err
	}
	if in.Visit != nil {
		err = in.Visit(id, kind, int64(len(data)), data)
	}
	return id, err
}
