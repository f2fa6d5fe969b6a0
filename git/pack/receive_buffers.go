package pack

import "math/bits"

// buffers are the pieces of memory that one worker inflates into and gives back
// again and again: making garbage of them would cost more than anything but
// hashing.
type buffers struct {
	classes [largestClass + 1]bufferClass
	spare   int64 // memory given back
	limit   int64 // for spare
	clock   int   // counts gets
}

// bufferClass has the spare buffers of one capacity, the power of two that is
// its place among the classes.
type bufferClass struct {
	spare [][]byte
	used  int // when one was last got
}

const (
	smallestClass = 10 // 1 KiB
	largestClass  = 23 // 8 MiB; larger ones are left to the garbage collector
)

// get returns a buffer of length 0 and room for n bytes.
func (b *buffers) get(n int64) []byte {
	class := max(bits.Len64(uint64(max(n, 1)-1)), smallestClass)
	if class > largestClass {
		return make([]byte, 0, n)
	}
	c := &b.classes[class]
	b.clock++
	c.used = b.clock
	if last := len(c.spare) - 1; last >= 0 {
		p := c.spare[last]
		c.spare = c.spare[:last]
		b.spare -= 1 << class
		return p
	}
	return make([]byte, 0, 1<<class)
}

// put takes back what get returned.
func (b *buffers) put(p []byte) {
	class := bits.Len(uint(cap(p))) - 1
	if class < smallestClass || class > largestClass || cap(p) != 1<<class || 1<<class > b.limit {
		return
	}
	for b.spare+1<<class > b.limit {
		b.evict()
	}
	c := &b.classes[class]
	c.spare = append(c.spare, p[:0])
	b.spare += 1 << class
}

// evict lets go of one spare buffer of the class that was not asked for longest.
func (b *buffers) evict() {
	oldest := -1
	for i := range b.classes {
		if c := &b.classes[i]; len(c.spare) > 0 && (oldest < 0 || c.used < b.classes[oldest].used) {
			oldest = i
		}
	}
	c := &b.classes[oldest] // there is one: put calls only while spare is not 0
	last := len(c.spare) - 1
	c.spare[last] = nil
	c.spare = c.spare[:last]
	b.spare -= 1 << oldest
}
