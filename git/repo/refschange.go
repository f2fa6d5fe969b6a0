package repo

import (
	"cmp"
	"slices"
)

// Change returns the refs with those of moved, which are in any order, put in their
// places: a ref is created or replaced, or deleted if its Target is zero. It copies the
// chunks that are touched, and the list of chunks.
func (r Refs) Change(moved []Ref) Refs {
	if len(moved) == 0 {
		return r
	}
	byName := func(a, b Ref) int { return cmp.Compare(a.Name, b.Name) }
	if !slices.IsSortedFunc(moved, byName) {
		moved = slices.Clone(moved)
		slices.SortStableFunc(moved, byName)
	}
	all := moved
	old := r.chunks()
	c := changed{}
	c.list.chunks = make([]*refChunk, 0, len(old)+len(moved)/chunkLeast+2)
	if r.list != nil {
		c.list.count, c.list.bytes = r.list.count, r.list.bytes
	}
	for len(moved) > 0 {
		if len(old) == 0 {
			c.merge(&refChunk{}, moved)
			break
		}
		at, n := chunkOf(old, moved[0].Name), len(moved)
		if at+1 < len(old) {
			next := old[at+1].name(0)
			n, _ = slices.BinarySearchFunc(moved, next, func(m Ref, name string) int { return cmp.Compare(m.Name, name) })
		}
		c.keep(old[:at])
		c.list.drop(old[at])
		c.merge(old[at], moved[:n])
		old, moved = old[at+1:], moved[n:]
	}
	c.keep(old)
	c.end()
	if c.list.count == 0 {
		return Refs{}
	}
	c.list.pointers.follow(r, all)
	return Refs{&c.list}
}

// drop counts a chunk out that is not among the list's.
func (l *refList) drop(c *refChunk) {
	l.count -= len(c.ends)
	l.bytes -= c.bytes() + 8
}

// changed is a list in the making.
type changed struct {
	list    refList // counts the chunks of the old list, too, that were not dropped
	pending []Ref   // those that come next
}

// keep takes whole chunks over.
func (c *changed) keep(chunks []*refChunk) {
	if len(chunks) == 0 {
		return
	}
	if len(c.pending) > 0 {
		if len(c.pending) < chunkLeast {
			c.list.drop(chunks[0])
			c.absorb(chunks[0])
			chunks = chunks[1:]
		}
		c.flush()
	}
	c.list.chunks = append(c.list.chunks, chunks...)
}

func (c *changed) absorb(chunk *refChunk) {
	for i := range chunk.ends {
		c.pending = append(c.pending, chunk.ref(i))
	}
}

// merge takes a chunk over with what moved in it.
func (c *changed) merge(old *refChunk, moved []Ref) {
	if len(c.pending) == 0 {
		if moved := old.move(moved); moved != nil {
			c.list.take(moved)
			return
		}
	}
	from := 0
	for i, m := range moved {
		if i+1 < len(moved) && moved[i+1].Name == m.Name {
			continue // the last counts
		}
		to := old.search(m.Name)
		for ; from < to; from++ {
			c.pending = append(c.pending, old.ref(from))
		}
		if to < len(old.ends) && old.name(to) == m.Name {
			from++
		}
		if !m.Target.IsZero() {
			c.pending = append(c.pending, m)
		}
	}
	for ; from < len(old.ends); from++ {
		c.pending = append(c.pending, old.ref(from))
	}
	if len(c.pending) >= chunkLeast {
		c.flush()
	}
}

// move returns the chunk with other targets; nil if names come or go. The
// names are shared: that is most pushes.
func (c *refChunk) move(moved []Ref) *refChunk {
	next := &refChunk{names: c.names, ends: c.ends, targets: slices.Clone(c.targets), peeled: slices.Clone(c.peeled)}
	for _, m := range moved {
		i := c.search(m.Name)
		if m.Target.IsZero() || i == len(c.ends) || c.name(i) != m.Name || !m.Peeled.IsZero() && c.peeled == nil {
			return nil
		}
		next.targets[i] = m.Target
		if next.peeled != nil {
			next.peeled[i] = m.Peeled
		}
	}
	return next
}

// flush makes chunks of what is pending, as few as can be, all of about one size.
func (c *changed) flush() {
	var b RefsBuilder
	for chunks := (len(c.pending) + chunkMost - 1) / chunkMost; chunks > 0; chunks-- {
		n := len(c.pending) / chunks
		for _, ref := range c.pending[:n] {
			b.names = append(b.names, ref.Name...)
			b.add(ref.Target, ref.Peeled)
		}
		c.pending = c.pending[n:]
		b.flush()
	}
	for _, chunk := range b.list.chunks {
		c.list.take(chunk)
	}
	c.pending = nil
}

// end takes what is still pending, with the chunk before if it is little.
func (c *changed) end() {
	if last := len(c.list.chunks) - 1; len(c.pending) > 0 && len(c.pending) < chunkLeast && last >= 0 {
		rest := c.pending
		c.pending = nil
		c.absorb(c.list.chunks[last])
		c.list.drop(c.list.chunks[last])
		c.list.chunks = c.list.chunks[:last]
		c.pending = append(c.pending, rest...)
	}
	c.flush()
}
