package bitmap

import "bytes"

// Reencode encodes the bitmaps of a file that are not XORed again, and returns how many
// come out as they were.
func Reencode(x *File, n int) (same, all int) {
	for _, e := range x.entries {
		if e.base >= 0 {
			continue
		}
		s := NewSet(n)
		if e.bits.or(s) != nil {
			continue
		}
		all++
		again := appendEWAH(nil, s)
		if bytes.Equal(again[ewahHead:len(again)-ewahTail], e.bits) {
			same++
		}
	}
	return same, all
}
