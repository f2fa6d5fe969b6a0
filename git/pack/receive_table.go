package pack

import (
	"bytes"
	"slices"
	"sort"
	"sync/atomic"

	"github.com/ingot-forge/ingot/git"
)

// none ends the lists of the table, whose links are entry numbers.
const none = ^uint32(0)

// maxEntries keeps entry numbers, appended bases included, below none.
const maxEntries = 1 << 31

// table has what is known of every entry, in the order of the stream: two flat
// slices without pointers, 72 bytes an entry, which the garbage collector need
// not look into.
type table struct {
	index     []IndexEntry
	links     []link
	entries   int // of the stream; bases of a thin pack come after them
	deltas    int
	refDeltas int // of the deltas
}

// link says how an entry hangs together with others. The deltas of a base are
// a list: child of the base, then next of each.
type link struct {
	base   uint32 // entry that a delta starts from, none while it is not known
	child  uint32
	next   uint32
	at     uint32    // where the shelf has the delta, none if nowhere
	size   uint32    // of the delta on the shelf
	kind   git.Kind  // of the object; 0 until a delta is resolved
	stored EntryKind // 0 for a base that is not in the stream
}

// grow makes room for one more entry where there is none, for count at most.
// What a header announces is no reason to allocate: the table doubles with what
// has come.
func (t *table) grow(count int) {
	if len(t.index) < cap(t.index) {
		return
	}
	size := min(max(2*len(t.index), 64), count)
	t.index = append(make([]IndexEntry, 0, size), t.index...)
	t.links = append(make([]link, 0, size), t.links...)
}

// add appends an entry and returns its number.
func (t *table) add(offset int64, kind EntryKind) uint32 {
	t.index = append(t.index, IndexEntry{Offset: offset})
	t.links = append(t.links, link{base: none, child: none, next: none, at: none, stored: kind})
	return uint32(len(t.index) - 1)
}

// hang makes entry a delta of base.
func (t *table) hang(entry, base uint32) {
	t.links[entry].base = base
	t.links[entry].next = t.links[base].child
	t.links[base].child = entry
}

// find returns the entry whose header is at offset.
func (t *table) find(offset int64) (uint32, bool) {
	i := sort.Search(len(t.index), func(i int) bool { return t.index[i].Offset >= offset })
	return uint32(i), i < len(t.index) && t.index[i].Offset == offset
}

// shelf keeps small deltas, inflated, from the scan until they are applied, so
// that they are not inflated twice. It is never freed piece by piece.
type shelf struct {
	chunks [][]byte
	left   int64 // bytes that may still be allocated
}

const (
	shelfChunk = 1 << 20
	firstChunk = 8 << 10 // of the first chunk, for most pushes are small
	// maxKept is the largest delta worth keeping: larger ones are few, and
	// reading them again costs little per byte.
	maxKept = 64 << 10
)

func newShelf(limit int64) *shelf {
	return &shelf{left: min(limit, int64(none)-shelfChunk)} // places fit 32 bits
}

// room returns n bytes at the end of the shelf, or nil if there is no room for
// them. They stay there once put is called.
func (s *shelf) room(n int64) []byte {
	if n > maxKept {
		return nil
	}
	last := len(s.chunks) - 1
	if last < 0 || n > int64(cap(s.chunks[last])-len(s.chunks[last])) {
		size := int64(shelfChunk)
		if last < 0 && n <= firstChunk {
			size = firstChunk
		}
		if s.left < size {
			return nil
		}
		s.left -= size
		s.chunks = append(s.chunks, make([]byte, 0, size))
		last++
	}
	c := s.chunks[last]
	return c[len(c) : len(c)+int(n)]
}

// put keeps the n bytes that room returned, and says where.
func (s *shelf) put(n int) uint32 {
	last := len(s.chunks) - 1
	at := len(s.chunks[last])
	s.chunks[last] = s.chunks[last][:at+n]
	return uint32(last*shelfChunk + at)
}

func (s *shelf) get(at, size uint32) []byte {
	return s.chunks[at/shelfChunk][at%shelfChunk:][:size]
}

// bytes is what the shelf has allocated.
func (s *shelf) bytes() (n int64) {
	for _, c := range s.chunks {
		n += int64(cap(c))
	}
	return n
}

// refBases has the ids that RefDeltas start from. During the scan it collects;
// after sort, whoever comes to know the object with such an id claims the list
// of its deltas, once.
type refBases struct {
	found  []refDelta
	groups []refGroup // sorted by id
	fan    [257]int   // groups whose id starts with byte b: fan[b] to fan[b+1]
}

type refDelta struct {
	base  git.ID
	entry uint32
}

type refGroup struct {
	base    git.ID
	first   uint32 // its deltas, linked by link.next in the order of the stream
	claimed atomic.Bool
}

// sort makes groups of what was found.
func (r *refBases) sort(links []link) {
	slices.SortFunc(r.found, func(a, b refDelta) int {
		if c := bytes.Compare(a.base[:], b.base[:]); c != 0 {
			return c
		}
		return int(int64(a.entry) - int64(b.entry))
	})
	n := 0
	for i := range r.found {
		if i == 0 || r.found[i].base != r.found[i-1].base {
			n++
		}
	}
	r.groups = make([]refGroup, n)
	n = 0
	for i, d := range r.found {
		if i > 0 && d.base == r.found[i-1].base {
			links[r.found[i-1].entry].next = d.entry
			continue
		}
		r.groups[n].base, r.groups[n].first = d.base, d.entry
		r.fan[d.base[0]]++
		n++
	}
	r.found = nil
	from := 0
	for b := range 256 {
		from, r.fan[b] = from+r.fan[b], from
	}
	r.fan[256] = from
}

// group returns the RefDeltas that start from id, nil if there are none.
func (r *refBases) group(id *git.ID) *refGroup {
	groups := r.groups[r.fan[id[0]]:r.fan[int(id[0])+1]]
	i := sort.Search(len(groups), func(i int) bool { return bytes.Compare(groups[i].base[:], id[:]) >= 0 })
	if i == len(groups) || groups[i].base != *id {
		return nil
	}
	return &groups[i]
}

// wanted reports whether deltas that start from id still wait for it.
func (r *refBases) wanted(id *git.ID) bool {
	g := r.group(id)
	return g != nil && !g.claimed.Load()
}

// claim returns the first of the deltas that start from id; false if there are
// none or somebody has them already.
func (r *refBases) claim(id *git.ID) (first uint32, ok bool) {
	g := r.group(id)
	if g == nil || g.claimed.Swap(true) {
		return 0, false
	}
	return g.first, true
}

// adopt hangs the RefDeltas whose base entry's object turned out to be under it.
// The caller owns entry: nobody else follows its list meanwhile.
func (in *intake) adopt(entry uint32) {
	if len(in.refs.groups) == 0 {
		return
	}
	first, ok := in.refs.claim(&in.index[entry].ID)
	if !ok {
		return
	}
	last := first
	for e := first; e != none; e = in.links[e].next {
		in.links[e].base = entry
		last = e
	}
	in.links[last].next = in.links[entry].child
	in.links[entry].child = first
}
