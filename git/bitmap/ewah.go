package bitmap

import (
	"encoding/binary"
	"math/bits"
)

// ewah is the words of a stored bitmap, 8 bytes each, in the bytes of its file.
type ewah []byte

const (
	ewahHead = 8 // the counts of bits and words
	ewahTail = 4 // the last run-length word
)

// parseEWAH returns the bitmap that starts data and what follows it. The words
// are not looked at: whoever applies them has to expect anything.
func parseEWAH(data []byte) (e ewah, rest []byte, err error) {
	if len(data) < ewahHead+ewahTail {
		return nil, nil, corrupt("ends within a bitmap")
	}
	n := int64(binary.BigEndian.Uint32(data[4:]))
	end := ewahHead + 8*n
	if end+ewahTail > int64(len(data)) {
		return nil, nil, corrupt("has no room for the %d words of a bitmap", n)
	}
	if last := int64(binary.BigEndian.Uint32(data[end:])); last >= max(n, 1) {
		return nil, nil, corrupt("last run-length word of a bitmap is %d of %d", last, n)
	}
	return ewah(data[ewahHead:end:end]), data[end+ewahTail:], nil
}

// or adds the bitmap to dst. After an error dst has part of it.
func (e ewah) or(dst Set) error { return e.apply(dst, false) }

// xor combines the bitmap with dst. After an error dst has part of it.
func (e ewah) xor(dst Set) error { return e.apply(dst, true) }

func (e ewah) apply(dst Set, xor bool) error {
	for len(e) > 0 {
		word := binary.BigEndian.Uint64(e)
		e = e[8:]
		run, literals := word>>1&(1<<32-1), word>>33
		if run > uint64(len(dst)) {
			return corrupt("run of %d words, where %d are left", run, len(dst))
		}
		if word&1 != 0 {
			ones := dst[:run]
			for i := range ones {
				if xor {
					ones[i] = ^ones[i]
				} else {
					ones[i] = ^uint64(0)
				}
			}
		}
		dst = dst[run:]
		if literals > uint64(len(dst)) || literals > uint64(len(e)/8) {
			return corrupt("%d words stored as they are, where %d are left and %d there", literals, len(dst), len(e)/8)
		}
		to, from := dst[:literals], e[:8*literals]
		if xor {
			for i := range to {
				to[i] ^= binary.BigEndian.Uint64(from[8*i:])
			}
		} else {
			for i := range to {
				to[i] |= binary.BigEndian.Uint64(from[8*i:])
			}
		}
		dst, e = dst[literals:], e[8*literals:]
	}
	return nil
}

// appendEWAH appends the encoding of s, word for word what git makes of it.
func appendEWAH(dst []byte, s Set) []byte {
	for len(s) > 0 && s[len(s)-1] == 0 {
		s = s[:len(s)-1]
	}
	start := len(dst)
	dst = binary.BigEndian.AppendUint32(dst, uint32(64*len(s)))
	dst = append(dst, 0, 0, 0, 0) // the count of words, when it is known
	last := 0
	for {
		last = (len(dst) - start - ewahHead) / 8
		run, one := 0, uint64(0)
		if len(s) > 0 && s[0] == ^uint64(0) {
			one = 1
		}
		for run < len(s) && s[run] == -one {
			run++
		}
		s = s[run:]
		literals := 0
		for literals < len(s) && s[literals] != 0 && s[literals] != ^uint64(0) {
			literals++
		}
		// A set of maxPositions has 2²⁵ words, so neither count overflows.
		dst = binary.BigEndian.AppendUint64(dst, one|uint64(run)<<1|uint64(literals)<<33)
		for _, w := range s[:literals] {
			dst = binary.BigEndian.AppendUint64(dst, w)
		}
		if s = s[literals:]; len(s) == 0 {
			break
		}
	}
	binary.BigEndian.PutUint32(dst[start+4:], uint32((len(dst)-start-ewahHead)/8))
	return binary.BigEndian.AppendUint32(dst, uint32(last))
}

// fits reports whether no bit at or beyond n is set in s.
func (s Set) fits(n int) bool {
	return n%64 == 0 || len(s) <= n/64 || bits.Len64(s[n/64]) <= n%64
}
