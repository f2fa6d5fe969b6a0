package pack

import (
	"encoding/binary"
	"math/bits"
	"slices"
	"sync"

	"github.com/ingot-forge/ingot/git"
)

const (
	deltaBlock     = 16      // bytes of base that one entry of a DeltaIndex stands for
	deltaBucketMax = 64      // entries of one bucket; more are thinned out evenly
	deltaGoodMatch = 4096    // a match so long ends the search for a longer one
	deltaMaxCopy   = 0x10000 // longest copy of one instruction in packs of version 2
	deltaMaxInsert = 0x7f
	// deltaMaxBack is how far a match grows backwards. Equal bytes beyond two
	// blocks are found by themselves, so little is lost, and an insertion that is
	// longer can be counted on when the delta gets too large.
	deltaMaxBack  = 256
	deltaMaxReach = 1 << 32 // offsets of copies have four bytes
)

// DeltaIndex finds the blocks of one base, to make deltas against it. It may be
// used from several goroutines at once.
//
// Every block of 16 bytes at a multiple of 16 is entered under its hash. Create
// looks the 16 bytes at each position of the target up, takes the longest of
// the matches it finds at once, and lets it grow backwards over what it was
// about to insert: what git's diff-delta.c does, with a hash that costs two
// multiplications wherever it is taken instead of one that has to roll.
type DeltaIndex struct {
	size   int    // of the base
	base   []byte // what copies can reach of it
	shift  uint   // 32 minus the bits of a hash that name a bucket
	bucket []uint32
	blocks []deltaEntry // bucket i has blocks[bucket[i]:bucket[i+1]], ascending
}

type deltaEntry struct {
	hash uint32
	at   uint32 // offset in base
}

// deltaHash hashes the first 16 bytes of p.
func deltaHash(p []byte) uint32 {
	a := binary.LittleEndian.Uint64(p) * 0x9e3779b97f4a7c15
	b := binary.LittleEndian.Uint64(p[8:]) * 0xc2b2ae3d27d4eb4f
	a ^= bits.RotateLeft64(b, 29)
	return uint32((a ^ a>>31) * 0x9fb21c651e98df25 >> 32)
}

// NewDeltaIndex prepares base, which it keeps and which must not change. Its
// own memory is about half as much. What lies beyond 4 GiB is not used.
func NewDeltaIndex(base []byte) *DeltaIndex {
	size := len(base)
	base = base[:min(size, deltaMaxReach)]
	x := &DeltaIndex{size: size, base: base}
	n := len(base) / deltaBlock
	width := max(4, bits.Len(uint(n/4)))
	x.shift = uint(32 - width)
	x.bucket = make([]uint32, 1<<width+1)

	// Of a run of equal blocks only the first is entered: a match found there
	// is the longest.
	w := indexScratches.Get().(*indexScratch)
	defer indexScratches.Put(w)
	hashes := slices.Grow(w.hashes[:0], n)
	last := uint64(1) << 32 // no hash
	for at := 0; at+deltaBlock <= len(base); at += deltaBlock {
		h := deltaHash(base[at:])
		if uint64(h) == last {
			continue
		}
		last = uint64(h)
		hashes = append(hashes, deltaEntry{h, uint32(at)})
		x.bucket[h>>x.shift]++
	}

	// Counts become starts; a bucket that is too full takes every so manieth.
	kept := uint32(0)
	seen := zeroed(w.seen, len(x.bucket)-1)
	counts := zeroed(w.counts, len(seen))
	for i := range seen {
		counts[i] = x.bucket[i]
		x.bucket[i] = kept
		kept += min(counts[i], deltaBucketMax)
	}
	x.bucket[len(seen)] = kept
	x.blocks = make([]deltaEntry, kept)
	for _, e := range hashes {
		i := e.hash >> x.shift
		k, count := uint64(seen[i]), uint64(counts[i])
		seen[i]++
		if count > deltaBucketMax {
			// Entry k is kept where k*max/count steps to a new number.
			place := k * deltaBucketMax / count
			if k > 0 && (k-1)*deltaBucketMax/count == place {
				continue
			}
			k = place
		}
		x.blocks[x.bucket[i]+uint32(k)] = e
	}
	if n <= keptIndexed {
		w.hashes, w.seen, w.counts = hashes, seen, counts
	}
	return x
}

// indexScratch is what making an index takes besides the index, kept for the next.
type indexScratch struct {
	hashes       []deltaEntry
	seen, counts []uint32
}

var indexScratches = sync.Pool{New: func() any { return new(indexScratch) }}

// keptIndexed is the most blocks of a base whose scratch is kept.
const keptIndexed = 1 << 16

// zeroed returns n zeros, in p if there is room.
func zeroed(p []uint32, n int) []uint32 {
	if cap(p) < n {
		return make([]uint32, n)
	}
	p = p[:n]
	clear(p)
	return p
}

// Create appends to dst the delta that makes target out of the base. It returns
// nil when the delta would exceed maxSize bytes (0: no limit), and for an empty
// target, of which git knows no delta.
func (x *DeltaIndex) Create(dst, target []byte, maxSize int) []byte {
	if len(target) == 0 {
		return nil
	}
	limit := int(^uint(0) >> 1)
	if maxSize > 0 {
		limit = len(dst) + maxSize
	}
	dst = binary.AppendUvarint(dst, uint64(x.size))
	dst = binary.AppendUvarint(dst, uint64(len(target)))
	insert := 0 // target[insert:at] is to be inserted
	for at := 0; at+deltaBlock <= len(target); {
		from, n := x.longest(target[at:])
		if n == 0 {
			at++
			if len(dst)+at-insert-deltaMaxBack > limit {
				return nil
			}
			continue
		}
		for stop := max(insert, at-deltaMaxBack); at > stop && from > 0 && x.base[from-1] == target[at-1]; {
			at--
			from--
			n++
		}
		dst = appendInsert(dst, target[insert:at])
		dst = appendCopy(dst, from, n)
		if len(dst) > limit {
			return nil
		}
		at += n
		insert = at
	}
	dst = appendInsert(dst, target[insert:])
	if len(dst) > limit {
		return nil
	}
	return dst
}

// longest returns the longest match of the start of target, which has a block
// at least, that begins at an indexed block; n is 0 if there is none.
func (x *DeltaIndex) longest(target []byte) (from, n int) {
	h := deltaHash(target)
	i := h >> x.shift
	for _, e := range x.blocks[x.bucket[i]:x.bucket[i+1]] {
		if e.hash != h {
			continue
		}
		base := x.base[e.at:]
		// As blocks come in ascending order, the rest have still less to give.
		if len(base) <= n {
			break
		}
		if m := git.CommonPrefix(base, target); m > n && m >= deltaBlock {
			from, n = int(e.at), m
			if n >= deltaGoodMatch {
				break
			}
		}
	}
	return from, n
}

// appendInsert appends instructions that insert p.
func appendInsert(dst, p []byte) []byte {
	for len(p) > 0 {
		n := min(len(p), deltaMaxInsert)
		dst = append(dst, byte(n))
		dst = append(dst, p[:n]...)
		p = p[n:]
	}
	return dst
}

// appendCopy appends instructions that copy n bytes at from of the base.
func appendCopy(dst []byte, from, n int) []byte {
	for n > 0 {
		k := min(n, deltaMaxCopy)
		op := len(dst)
		dst = append(dst, 0)
		flags := byte(0x80)
		for i := range 4 {
			if b := byte(from >> (8 * i)); b != 0 {
				dst = append(dst, b)
				flags |= 1 << i
			}
		}
		for i := range 2 { // none of them: deltaMaxCopy
			if b := byte(k >> (8 * i)); b != 0 {
				dst = append(dst, b)
				flags |= 0x10 << i
			}
		}
		dst[op] = flags
		from += k
		n -= k
	}
	return dst
}
