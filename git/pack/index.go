package pack

import (
	"bytes"
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"slices"

	"github.com/ingot-forge/ingot/git"
)

const (
	indexMagic   = "\xfftOc"
	indexVersion = 2
	fanStart     = 8
	fanSize      = 256 * 4
	// largeOffset is the bit that makes the rest of a 4-byte offset a place in
	// the table of 8-byte offsets; it is also the first offset that needs one.
	largeOffset = 1 << 31
)

// Index is an opened pack index (version 2). It may be used from several
// goroutines at once.
type Index struct {
	format git.Format
	idSize int
	count  int
	data   []byte // the whole file; what follows are parts of it
	fan    []byte
	ids    []byte
	crcs   []byte
	small  []byte // 4-byte offsets
	large  []byte // 8-byte offsets
}

// OpenIndex reads an index whose bytes are data, which it keeps and which must
// not change. Fan-out, counts and lengths are checked before anything is
// trusted, in time that does not grow with the number of objects; a bad index
// is git.ErrCorrupt. Verify checks the rest.
func OpenIndex(f git.Format, data []byte) (*Index, error) {
	idSize := f.Size()
	if len(data) < fanStart+fanSize+2*idSize {
		return nil, fmt.Errorf("%w: index: %d bytes are too few", git.ErrCorrupt, len(data))
	}
	if string(data[:4]) != indexMagic {
		return nil, fmt.Errorf("%w: index: bad signature %q", git.ErrCorrupt, data[:4])
	}
	if v := binary.BigEndian.Uint32(data[4:]); v != indexVersion {
		return nil, fmt.Errorf("%w: index: version %d is not supported", git.ErrCorrupt, v)
	}
	fan := data[fanStart : fanStart+fanSize]
	count := uint32(0)
	for i := 0; i < fanSize; i += 4 {
		n := binary.BigEndian.Uint32(fan[i:])
		if n < count {
			return nil, fmt.Errorf("%w: index: fan-out falls at offset %d", git.ErrCorrupt, fanStart+i)
		}
		count = n
	}
	// In 64 bits nothing here overflows, whatever the count.
	n := int64(count)
	large := int64(len(data)) - fanStart - fanSize - n*int64(idSize+4+4) - 2*int64(idSize)
	if large < 0 || large%8 != 0 || large/8 > n {
		return nil, fmt.Errorf("%w: index: %d bytes do not fit %d objects", git.ErrCorrupt, len(data), count)
	}
	x := &Index{format: f, idSize: idSize, count: int(count), data: data, fan: fan}
	rest := data[fanStart+fanSize:]
	x.ids, rest = rest[:x.count*idSize], rest[x.count*idSize:]
	x.crcs, rest = rest[:x.count*4], rest[x.count*4:]
	x.small, rest = rest[:x.count*4], rest[x.count*4:]
	x.large = rest[:large]
	return x, nil
}

// Verify checks the trailing checksum, the order of the ids and the offsets
// against a pack of packSize bytes. An id may occur twice, as git has it.
func (x *Index) Verify(packSize int64) error {
	body := x.data[:len(x.data)-x.idSize]
	sum := git.NewChecksum(x.format)
	sum.Write(body)
	if !bytes.Equal(sum.Sum(nil), x.data[len(body):]) {
		return fmt.Errorf("%w: index: checksum does not match", git.ErrCorrupt)
	}
	from := 0
	for first := range 256 {
		to := x.fanout(first)
		for at := from; at < to; at++ {
			id := x.id(at)
			if int(id[0]) != first || at > 0 && bytes.Compare(x.id(at-1), id) > 0 {
				return fmt.Errorf("%w: index: id %x at place %d is out of order", git.ErrCorrupt, id, at)
			}
		}
		from = to
	}
	offsets := make([]int64, x.count)
	for at := range offsets {
		offsets[at] = x.Offset(at)
		if offsets[at] < packHead || offsets[at] >= packSize-int64(x.idSize) {
			return fmt.Errorf("%w: index: object %x at place %d lies outside the pack", git.ErrCorrupt, x.id(at), at)
		}
	}
	slices.Sort(offsets)
	for i := 1; i < len(offsets); i++ {
		if offsets[i] == offsets[i-1] {
			return fmt.Errorf("%w: index: two objects at offset %d", git.ErrCorrupt, offsets[i])
		}
	}
	return nil
}

// Count is the number of objects.
func (x *Index) Count() int { return x.count }

// fanout returns how many ids start with a byte of at most first.
func (x *Index) fanout(first int) int { return int(binary.BigEndian.Uint32(x.fan[4*first:])) }

// bucket returns the range of places whose ids start with a byte.
func (x *Index) bucket(first int) (from, to int) {
	if first > 0 {
		from = x.fanout(first - 1)
	}
	return from, x.fanout(first)
}

func (x *Index) id(at int) []byte { return x.ids[at*x.idSize : (at+1)*x.idSize] }

// Find returns the place of id in the order of ids.
func (x *Index) Find(id git.ID) (at int, ok bool) {
	lo, hi := x.bucket(int(id[0]))
	// Ids are spread evenly, so the next bytes tell about where in its bucket one
	// is; steps that double find the range to search on whichever side it is.
	if hi-lo > 16 {
		guess := lo + int(uint64(hi-lo)*uint64(binary.BigEndian.Uint32(id[1:]))>>32)
		if bytes.Compare(x.id(guess), id[:x.idSize]) < 0 {
			lo = guess + 1
			for step := 16; lo+step < hi; step *= 2 {
				if bytes.Compare(x.id(lo+step), id[:x.idSize]) >= 0 {
					hi = lo + step + 1
					break
				}
				lo += step + 1
			}
		} else {
			hi = guess + 1
			for step := 16; hi-step > lo; step *= 2 {
				if bytes.Compare(x.id(hi-step), id[:x.idSize]) < 0 {
					lo = hi - step + 1
					break
				}
				hi -= step
			}
		}
	}
	at = x.lowerBound(lo, hi, id[:x.idSize])
	return at, at < x.count && bytes.Equal(x.id(at), id[:x.idSize])
}

// lowerBound returns the first place from lo on, hi if there is none before it,
// whose id is not less than key.
func (x *Index) lowerBound(lo, hi int, key []byte) int {
	for lo < hi {
		mid := int(uint(lo+hi) >> 1)
		if bytes.Compare(x.id(mid), key) < 0 {
			lo = mid + 1
		} else {
			hi = mid
		}
	}
	return lo
}

// Prefix returns the half-open range of places whose ids start with the given
// hexadecimal digits (lower case, 1 to HexSize of them). Anything else has an
// empty range.
func (x *Index) Prefix(digits string) (from, to int) {
	if len(digits) == 0 || len(digits) > 2*x.idSize {
		return 0, 0
	}
	var low, high [git.MaxIDSize]byte // the first and the last id with the prefix
	for i := range high {
		high[i] = 0xff
	}
	n := len(digits) / 2
	if _, err := hex.Decode(low[:n], []byte(digits[:2*n])); err != nil {
		return 0, 0
	}
	copy(high[:], low[:n])
	if len(digits)%2 == 1 {
		var last [1]byte
		if _, err := hex.Decode(last[:], []byte{'0', digits[2*n]}); err != nil {
			return 0, 0
		}
		low[n] = last[0] << 4
		high[n] = last[0]<<4 | 0x0f
	}
	lo, hi := x.bucket(int(low[0]))
	if low[0] != high[0] { // one digit
		_, hi = x.bucket(int(high[0]))
	}
	from = x.lowerBound(lo, hi, low[:x.idSize])
	to = x.lowerBound(from, hi, high[:x.idSize])
	for to < hi && bytes.Equal(x.id(to), high[:x.idSize]) { // of all digits, or all ones
		to++
	}
	return from, to
}

// ID returns the id at a place, 0 <= at < Count().
func (x *Index) ID(at int) git.ID { return x.format.FromBytes(x.id(at)) }

// Offset returns where in the pack the entry of the object at a place starts.
// It is -1 if the index is damaged there, and may be anywhere if it is damaged
// otherwise: Pack checks it.
func (x *Index) Offset(at int) int64 {
	v := binary.BigEndian.Uint32(x.small[4*at:])
	if v < largeOffset {
		return int64(v)
	}
	i := int(v-largeOffset) * 8
	if i >= len(x.large) {
		return -1
	}
	return max(-1, int64(binary.BigEndian.Uint64(x.large[i:])))
}

// CRC returns the CRC-32 (IEEE) of the stored entry at a place, header included.
func (x *Index) CRC(at int) uint32 { return binary.BigEndian.Uint32(x.crcs[4*at:]) }

// PackChecksum is the trailer of the pack that the index belongs to.
func (x *Index) PackChecksum() []byte {
	return x.data[len(x.data)-2*x.idSize : len(x.data)-x.idSize : len(x.data)-x.idSize]
}
