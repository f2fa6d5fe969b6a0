package pack

import "math/bits"

// buffers are the pieces of memory that one worker inflates into and gives back
// again and again: making garbage of them would cost more than all else but
// hashing.
type buffers struct {
	spare [largestClass + 1][][]byte // by the power of two that is their capacity
}

const (
	smallestClass = 10 // 1 KiB
	largestClass  = 23 // 8 MiB; larger ones are left to the garbage collector
	// spareClass is the most memory that the spare buffers of one class hold,
	// as long as that is more than one buffer.
	spareClass = 1 << 20
)

// get returns a buffer of length 0 and room for n bytes.
func (b *buffers) get(n int64) []byte {
	class := max(bits.Len64(uint64(max(n, 1)-1)), smallestClass)
	if class > largestClass {
		return make([]byte, 0, n)
	}
	if last := len(b.spare[class]) - 1; last >= 0 {
		p := b.spare[class][last]
		b.spare[class] = b.spare[class][:last]
		return p
	}
	return make([]byte, 0, 1<<class)
}

// put takes back what get returned.
func (b *buffers) put(p []byte) {
	class := bits.Len(uint(cap(p))) - 1
	if class < smallestClass || class > largestClass || cap(p) != 1<<class {
		return
	}
	if n := len(b.spare[class]); n == 0 || (n+1)<<class <= spareClass {
		b.spare[class] = append(b.spare[class], p[:0])
	}
}
