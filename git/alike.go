package git

import (
	"encoding/binary"
	"math/bits"
)

// CommonPrefix returns how many bytes a and b start with alike.
func CommonPrefix(a, b []byte) int {
	n := min(len(a), len(b))
	i := 0
	// Most that is compared is alike for long: the runtime compares that faster than any loop here.
	for i+256 <= n && string(a[i:i+256]) == string(b[i:i+256]) {
		i += 256
	}
	for ; i+8 <= n; i += 8 {
		if x := binary.LittleEndian.Uint64(a[i:]) ^ binary.LittleEndian.Uint64(b[i:]); x != 0 {
			return i + bits.TrailingZeros64(x)/8
		}
	}
	for i < n && a[i] == b[i] {
		i++
	}
	return i
}

// SameEntries returns how many bytes the entries take with which two trees start
// alike. Nearly all of a tree is like the one before it: so the bytes are compared many at
// once, and entries parsed only to know where one ends.
func SameEntries(f Format, a, b []byte) int {
	same, end := CommonPrefix(a, b), 0
	for end < same {
		_, start, nul := EntrySpan(f, a[end:])
		next := end + nul + 1 + f.Size()
		if start == 0 || next > same {
			break
		}
		end = next
	}
	return end
}
