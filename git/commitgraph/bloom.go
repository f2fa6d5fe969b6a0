package commitgraph

import (
	"encoding/binary"
	"math/bits"
	"strings"
)

// How filters are made: git's own settings, which its readers take from the file.
const (
	filterHashes = 7
	filterBits   = 10
	// maxChanged is how many paths, directories included, a filter has at most. It
	// would no longer be small, and say yes to most of what is asked.
	maxChanged = 512
)

// maxPathKeys is how many of the directories above a path are looked up with it,
// the path counted: plenty for what exists, and a bound on what a path may cost.
const maxPathKeys = 32

// Path is a path made ready to be looked up in Bloom filters.
type Path struct {
	keys []pathKey // of the path, then of the directories above it, nearest first
}

// NewPath prepares a path ("git/pack", without slashes at its ends; of a file or a directory).
func NewPath(path string) *Path {
	p := new(Path)
	for path != "" && len(p.keys) < maxPathKeys {
		p.keys = append(p.keys, keyOf(path))
		path = path[:max(0, strings.LastIndexByte(path, '/'))]
	}
	return p
}

// MayChange reports whether a commit may have changed a path against its first parent. false
// is certain; true may be wrong, and is the answer where there is no filter.
func (g *Graph) MayChange(position uint32, p *Path) bool {
	l, at := g.layer(position)
	filter := l.filter(at)
	if len(filter) == 0 {
		return true
	}
	// Where a path changed, so did all directories above it.
	for _, key := range p.keys {
		if !key.in(filter, l.hashes) {
			return false
		}
	}
	return true
}

// filter returns a commit's filter; nil if there is none, or one that is damaged.
func (l *layer) filter(at int) []byte {
	if l.ends == nil {
		return nil
	}
	from, to := uint32(0), binary.BigEndian.Uint32(l.ends[4*at:])
	if at > 0 {
		from = binary.BigEndian.Uint32(l.ends[4*at-4:])
	}
	if from > to || uint64(to) > uint64(len(l.filters)) {
		return nil
	}
	return l.filters[from:to:to]
}

// pathKey is what a filter knows a path by.
type pathKey struct{ h0, h1 uint32 }

func keyOf[T string | []byte](path T) pathKey {
	return pathKey{murmur3(0x293ae76f, path), murmur3(0x7e646e2c, path)}
}

// in reports whether all bits of the key are set in a filter that is not empty.
func (k pathKey) in(filter []byte, hashes uint32) bool {
	size := 8 * uint64(len(filter))
	h := k.h0
	for range hashes {
		if bit := uint64(h) % size; filter[bit/8]>>(bit%8)&1 == 0 {
			return false
		}
		h += k.h1
	}
	return true
}

// appendFilter appends the filter of the paths that a commit changed.
func appendFilter(dst []byte, keys []pathKey) []byte {
	start := len(dst)
	for range max(1, (len(keys)*filterBits+7)/8) {
		dst = append(dst, 0)
	}
	filter := dst[start:]
	size := 8 * uint32(len(filter))
	for _, k := range keys {
		h := k.h0
		for range filterHashes {
			bit := h % size
			filter[bit/8] |= 1 << (bit % 8)
			h += k.h1
		}
	}
	return dst
}

// murmur3 is the 32-bit hash of that name, except for bytes of 0x80 and more: git's
// version 1 takes them for negative numbers, whose sign runs into the bytes above.
func murmur3[T string | []byte](seed uint32, data T) uint32 {
	const c1, c2 = 0xcc9e2d51, 0x1b873593
	signed := func(b byte) uint32 { return uint32(int32(int8(b))) }
	h := seed
	i := 0
	for ; i+4 <= len(data); i += 4 {
		k := signed(data[i]) | signed(data[i+1])<<8 | signed(data[i+2])<<16 | signed(data[i+3])<<24
		k = bits.RotateLeft32(k*c1, 15) * c2
		h = bits.RotateLeft32(h^k, 13)*5 + 0xe6546b64
	}
	if rest := len(data) - i; rest > 0 {
		k := signed(data[i])
		if rest > 1 {
			k ^= signed(data[i+1]) << 8
		}
		if rest > 2 {
			k ^= signed(data[i+2]) << 16
		}
		h ^= bits.RotateLeft32(k*c1, 15) * c2
	}
	h ^= uint32(len(data))
	h = (h ^ h>>16) * 0x85ebca6b
	h = (h ^ h>>13) * 0xc2b2ae35
	return h ^ h>>16
}
