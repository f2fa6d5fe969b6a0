package repo

import (
	"fmt"
	"iter"
	"slices"
	"strings"

	"github.com/ingot-forge/ingot/git"
)

// Ref is one ref.
type Ref struct {
	Name   string
	Target git.ID
	Peeled git.ID // what an annotated tag finally points to; zero otherwise
}

// Refs are refs in the order of their names, each name once. They never change:
// Change returns others, which share with these whatever is the same. The zero Refs
// are none. There may be a million, so nothing here but Change costs an
// allocation, and nothing but a walk over them all, and the first PointingAt, costs time
// in proportion to them.
type Refs struct{ list *refList }

// refList is a list of chunks, each of which starts after the one before it ends.
type refList struct {
	chunks []*refChunk
	count  int
	bytes  int64 // of memory, about
	pointers
}

// NewRefs returns refs in any order as Refs. Of two with one name the last counts.
func NewRefs(refs ...Ref) Refs { return Refs{}.Change(refs) }

func (r Refs) chunks() []*refChunk {
	if r.list == nil {
		return nil
	}
	return r.list.chunks
}

// Len returns how many there are.
func (r Refs) Len() int {
	if r.list == nil {
		return 0
	}
	return r.list.count
}

// Bytes returns about how much memory they take.
func (r Refs) Bytes() int64 {
	if r.list == nil {
		return 0
	}
	return r.list.bytes + int64(r.list.count)*pointerBytes
}

// Find returns the ref of that name.
func (r Refs) Find(name string) (Ref, bool) {
	chunks := r.chunks()
	if len(chunks) == 0 {
		return Ref{}, false
	}
	c := chunks[chunkOf(chunks, name)]
	if i := c.search(name); i < len(c.ends) && c.name(i) == name {
		return c.ref(i), true
	}
	return Ref{}, false
}

// All walks them all.
func (r Refs) All() iter.Seq[Ref] { return r.From("") }

// From walks the refs whose names are name or come after it.
func (r Refs) From(name string) iter.Seq[Ref] {
	return func(yield func(Ref) bool) {
		chunks := r.chunks()
		if len(chunks) == 0 {
			return
		}
		at := chunkOf(chunks, name)
		from := chunks[at].search(name)
		for _, c := range chunks[at:] {
			for i := from; i < len(c.ends); i++ {
				if !yield(c.ref(i)) {
					return
				}
			}
			from = 0
		}
	}
}

// Prefix walks the refs whose names start with prefix.
func (r Refs) Prefix(prefix string) iter.Seq[Ref] {
	return func(yield func(Ref) bool) {
		for ref := range r.From(prefix) {
			if !strings.HasPrefix(ref.Name, prefix) || !yield(ref) {
				return
			}
		}
	}
}

// Equal reports whether both are the same refs.
func (r Refs) Equal(other Refs) bool {
	if r.list == other.list {
		return true
	}
	if r.Len() != other.Len() {
		return false
	}
	next, stop := iter.Pull(other.All())
	defer stop()
	for a := range r.All() {
		if b, ok := next(); !ok || a != b {
			return false
		}
	}
	return true
}

// String lists them.
func (r Refs) String() string { return fmt.Sprint(slices.Collect(r.All())) }

// The sizes of chunks: a change copies one, and the list of all.
const (
	chunkMost  = 512
	chunkFresh = 384 // of a list made at once: there is room in each
	chunkLeast = 128 // of one that was changed it joins the next, if there is one
)

// refChunk is a stretch of refs, at least one.
type refChunk struct {
	names   string   // one behind the other
	ends    []uint32 // of each name
	targets []git.ID
	peeled  []git.ID // nil if none of the refs is an annotated tag
}

func (c *refChunk) name(i int) string {
	start := uint32(0)
	if i > 0 {
		start = c.ends[i-1]
	}
	return c.names[start:c.ends[i]]
}

func (c *refChunk) ref(i int) Ref {
	ref := Ref{Name: c.name(i), Target: c.targets[i]}
	if c.peeled != nil {
		ref.Peeled = c.peeled[i]
	}
	return ref
}

// search returns the place of the first ref whose name is not before name.
func (c *refChunk) search(name string) int {
	low, high := 0, len(c.ends)
	for low < high {
		if middle := int(uint(low+high) / 2); c.name(middle) < name {
			low = middle + 1
		} else {
			high = middle
		}
	}
	return low
}

func (c *refChunk) bytes() int64 {
	const self, id = 112, int64(len(git.ID{}))
	return self + int64(len(c.names)) + 4*int64(len(c.ends)) + id*int64(len(c.targets)+len(c.peeled))
}

// chunkOf returns the place of the chunk that has name or would have it; there is at least
// one chunk.
func chunkOf(chunks []*refChunk, name string) int {
	low, high := 1, len(chunks)
	for low < high {
		if middle := int(uint(low+high) / 2); chunks[middle].name(0) <= name {
			low = middle + 1
		} else {
			high = middle
		}
	}
	return low - 1
}

// RefsBuilder makes Refs of refs that come in order. The zero one is ready for use.
type RefsBuilder struct {
	list    refList
	names   []byte
	ends    []uint32
	targets []git.ID
	peeled  []git.ID
	tagged  bool
	last    []byte // name
}

// Add adds a ref, of whose name it keeps a copy. It fails if the name does not come
// after the one before.
func (b *RefsBuilder) Add(name []byte, target, peeled git.ID) error {
	if b.list.count+len(b.ends) > 0 && string(b.last) >= string(name) {
		return fmt.Errorf("ref %.200q follows %.200q: out of order", name, b.last)
	}
	b.last = append(b.last[:0], name...)
	b.names = append(b.names, name...)
	b.add(target, peeled)
	if len(b.ends) == chunkFresh {
		b.flush()
	}
	return nil
}

func (b *RefsBuilder) add(target, peeled git.ID) {
	b.ends = append(b.ends, uint32(len(b.names)))
	b.targets = append(b.targets, target)
	b.peeled = append(b.peeled, peeled)
	b.tagged = b.tagged || !peeled.IsZero()
}

// flush makes a chunk of what was added since the last.
func (b *RefsBuilder) flush() {
	if len(b.ends) == 0 {
		return
	}
	c := &refChunk{names: string(b.names), ends: slices.Clone(b.ends), targets: slices.Clone(b.targets)}
	if b.tagged {
		c.peeled = slices.Clone(b.peeled)
	}
	b.names, b.ends, b.targets, b.peeled, b.tagged = b.names[:0], b.ends[:0], b.targets[:0], b.peeled[:0], false
	b.list.take(c)
}

// Refs returns what was added. The builder is of no use afterwards.
func (b *RefsBuilder) Refs() Refs {
	b.flush()
	if b.list.count == 0 {
		return Refs{}
	}
	return Refs{&b.list}
}

// take adds a chunk at the end.
func (l *refList) take(c *refChunk) {
	l.chunks = append(l.chunks, c)
	l.count += len(c.ends)
	l.bytes += c.bytes() + 8
}
