package repo

import (
	"bytes"
	"container/heap"
	"context"
	"sort"

	"github.com/ingot-forge/ingot/git"
	"github.com/ingot-forge/ingot/git/pack"
)

// merge merges the indexes, each of which is sorted: it finds the objects to be
// taken, and which stand for others.
func (n *numbers) merge() {
	var m merging
	for i, p := range n.packs {
		if p.Index().Count() > 0 {
			m = append(m, cursor{index: p.Index(), pack: i, id: p.Index().ID(0)})
		}
	}
	n.byID = make([]uint32, 0, len(n.low))
	heap.Init(&m)
	var last git.ID
	for len(m) > 0 {
		c := &m[0]
		number := n.start[c.pack] + c.at
		if k := len(n.byID); k > 0 && c.id == last {
			n.state[number], n.low[number] = repeated, n.byID[k-1]
		} else {
			n.byID, last = append(n.byID, uint32(number)), c.id
			n.state[number] = unwritten
		}
		if c.at++; c.at < c.index.Count() {
			c.id = c.index.ID(c.at)
			heap.Fix(&m, 0)
		} else {
			heap.Pop(&m)
		}
	}
}

// cursor is a place in an index; merging is a heap of them, by id and then pack.
type cursor struct {
	index *pack.Index
	pack  int
	at    int
	id    git.ID
}

type merging []cursor

func (m merging) Len() int { return len(m) }
func (m merging) Less(a, b int) bool {
	if c := bytes.Compare(m[a].id[:], m[b].id[:]); c != 0 {
		return c < 0
	}
	return m[a].pack < m[b].pack
}
func (m merging) Swap(a, b int) { m[a], m[b] = m[b], m[a] }
func (m *merging) Push(c any)   { *m = append(*m, c.(cursor)) }
func (m *merging) Pop() any {
	last := len(*m) - 1
	c := (*m)[last]
	*m = (*m)[:last]
	return c
}

// locate returns the pack of a number, and the object's place there.
func (n *numbers) locate(number int) (pack, at int) {
	if len(n.start) == 1 {
		return 0, number
	}
	pack = sort.Search(len(n.start), func(i int) bool { return n.start[i] > number }) - 1
	return pack, number - n.start[pack]
}

// taken returns the number of the object that is taken for one.
func (n *numbers) taken(number int) int {
	if n.state[number] == repeated {
		return int(n.low[number])
	}
	return number
}

func (n *numbers) id(number int) git.ID {
	i, at := n.locate(number)
	return n.packs[i].Index().ID(at)
}

func (n *numbers) offset(number int) int64 {
	return int64(n.low[number]) | int64(n.high[number])<<32
}

// find returns the number that is taken for an id.
func (n *numbers) find(id git.ID) (number int, ok bool) {
	if len(n.packs) <= 8 { // their own fan-outs are faster than the search over all
		for i, p := range n.packs {
			if at, ok := p.Index().Find(id); ok {
				return n.taken(n.start[i] + at), true
			}
		}
		return 0, false
	}
	k := sort.Search(len(n.byID), func(k int) bool {
		other := n.id(int(n.byID[k]))
		return bytes.Compare(other[:], id[:]) >= 0
	})
	if k < len(n.byID) && n.id(int(n.byID[k])) == id {
		return int(n.byID[k]), true
	}
	return 0, false
}

// object reads an object.
func (n *numbers) object(ctx context.Context, number int) (git.Kind, []byte, error) {
	i, at := n.locate(number)
	return n.packs[i].Object(ctx, at)
}
