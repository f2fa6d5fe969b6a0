package pack

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"slices"
	"sync"

	"github.com/ingot-forge/ingot/git"
)

const (
	revMagic   = "RIDX"
	revVersion = 1
	revHead    = 12 // magic, version, number of the hash function
)

// Rev is an opened reverse index (gitformat-pack(5), .rev files, version 1): the
// entries of a pack in the order of their offsets, which is the order of the
// bits in its bitmaps. It may be used from several goroutines at once.
//
// A file is
//
//	"RIDX"  version 1 (4 bytes)  1 for SHA-1 or 2 for SHA-256 (4 bytes)
//	n × 4 bytes: the place in the index of each entry, by ascending offset
//	the hash that ends the pack; the hash of all the above (H bytes each)
type Rev struct {
	index  *Index
	places []byte // 4 bytes of each rank, big-endian, as in the file
	data   []byte // the whole file, if there is one

	once    sync.Once // of samples
	samples []int64   // the offset of every sampleStep-th rank
}

// OpenRev reads a reverse index whose bytes are data, which it keeps and which must not
// change. Header, length and the checksum of the pack are compared with x; a bad
// one is git.ErrCorrupt. Verify checks the rest.
func OpenRev(f git.Format, data []byte, x *Index) (*Rev, error) {
	idSize := f.Size()
	if want := revHead + 4*int64(x.count) + 2*int64(idSize); int64(len(data)) != want {
		return nil, corrupt("reverse index: %d bytes, not %d as for %d objects", len(data), want, x.count)
	}
	if string(data[:4]) != revMagic {
		return nil, corrupt("reverse index: bad signature %q", data[:4])
	}
	if v := binary.BigEndian.Uint32(data[4:]); v != revVersion {
		return nil, corrupt("reverse index: version %d is not supported", v)
	}
	if n := binary.BigEndian.Uint32(data[8:]); n != hashNumber(f) {
		return nil, corrupt("reverse index: hash function %d, not %d", n, hashNumber(f))
	}
	end := len(data) - 2*idSize
	if !bytes.Equal(data[end:end+idSize], x.PackChecksum()) {
		return nil, corrupt("reverse index belongs to another pack")
	}
	return &Rev{index: x, places: data[revHead:end], data: data}, nil
}

// hashNumber is git's number of a hash function in its files.
func hashNumber(f git.Format) uint32 {
	if f == git.SHA256 {
		return 2
	}
	return 1
}

// NewRev computes the reverse index of x in memory, in 4 bytes an object. An index
// of damaged offsets is git.ErrCorrupt.
func NewRev(x *Index) (*Rev, error) {
	places, err := placesByOffset(x)
	if err != nil {
		return nil, err
	}
	return &Rev{index: x, places: places}, nil
}

// Append appends the bytes of the .rev file, equal to that of git index-pack --rev-index.
func (r *Rev) Append(f git.Format, dst []byte) []byte {
	start := len(dst)
	dst = slices.Grow(dst, revHead+len(r.places)+2*f.Size())
	dst = append(dst, revMagic...)
	dst = binary.BigEndian.AppendUint32(dst, revVersion)
	dst = binary.BigEndian.AppendUint32(dst, hashNumber(f))
	dst = append(dst, r.places...)
	dst = append(dst, r.index.PackChecksum()...)
	sum := git.NewChecksum(f)
	sum.Write(dst[start:])
	return sum.Sum(dst)
}

// Count is the number of entries.
func (r *Rev) Count() int { return len(r.places) / 4 }

// Place returns the place in the index of the entry of a rank (0: the first of the
// pack), 0 <= rank < Count(). Where the reverse index is damaged it may be any
// place below Count().
func (r *Rev) Place(rank int) int {
	return min(int(binary.BigEndian.Uint32(r.places[4*rank:])), r.Count()-1)
}

// Offset returns the offset of the entry of a rank.
func (r *Rev) Offset(rank int) int64 { return r.index.Offset(r.Place(rank)) }

// Rank returns the rank of the entry that starts at an offset.
//
// Each probe of a search costs two reads from far apart in memory, so most of it is done
// in a table of every 64th offset, which is made when it is first needed.
func (r *Rev) Rank(offset int64) (rank int, ok bool) {
	r.once.Do(r.sample)
	lo, hi := 0, len(r.samples)
	for lo < hi { // for the first sample beyond offset
		if at := int(uint(lo+hi) >> 1); r.samples[at] <= offset {
			lo = at + 1
		} else {
			hi = at
		}
	}
	if lo == 0 {
		return 0, false
	}
	lo, hi = (lo-1)*sampleStep, min(lo*sampleStep, r.Count())
	for lo < hi {
		at := int(uint(lo+hi) >> 1)
		switch o := r.Offset(at); {
		case o == offset:
			return at, true
		case o < offset:
			lo = at + 1
		default:
			hi = at
		}
	}
	return 0, false
}

// sampleStep makes the table of 10 million offsets 1.2 MB, and leaves 6 probes.
const sampleStep = 64

func (r *Rev) sample() {
	r.samples = make([]int64, 0, r.Count()/sampleStep+1)
	for rank := 0; rank < r.Count(); rank += sampleStep {
		r.samples = append(r.samples, r.Offset(rank))
	}
}

// Verify checks that the ranks are those of x: each offset greater than the one before.
// Of a file it checks the checksum, too.
func (r *Rev) Verify() error {
	if r.data != nil {
		f := r.index.format
		body := r.data[:len(r.data)-f.Size()]
		sum := git.NewChecksum(f)
		sum.Write(body)
		if !bytes.Equal(sum.Sum(nil), r.data[len(body):]) {
			return corrupt("reverse index: checksum does not match")
		}
	}
	// Offsets that ascend are all different, so the places are, and there are as many
	// as the index has.
	last := int64(packHead - 1)
	for rank := range r.Count() {
		offset := r.Offset(rank)
		if offset <= last {
			return fmt.Errorf("%w: reverse index: offset %d at rank %d follows %d", git.ErrCorrupt, offset, rank, last)
		}
		last = offset
	}
	return nil
}
