package bitmap

import "math/bits"

// Set is a set of positions: bit i%64 of word i/64.
type Set []uint64

// NewSet returns an empty set of positions below n.
func NewSet(n int) Set { return make(Set, (n+63)/64) }

// Has reports whether i, a position below the size of the set, is in it.
func (s Set) Has(i int) bool { return s[i/64]>>(i%64)&1 != 0 }

// Add puts i into the set and reports whether it is new.
func (s Set) Add(i int) bool {
	w, b := &s[i/64], uint64(1)<<(i%64)
	was := *w&b != 0
	*w |= b
	return !was
}

// Count is the number of positions in the set.
func (s Set) Count() (n int) {
	for _, w := range s {
		n += bits.OnesCount64(w)
	}
	return n
}

// or adds what t has; t is not longer than s.
func (s Set) or(t Set) {
	s = s[:len(t)]
	for i, w := range t {
		s[i] |= w
	}
}

// xor takes out what both have and adds what only t has; t is as long as s.
func (s Set) xor(t Set) {
	s = s[:len(t)]
	for i, w := range t {
		s[i] ^= w
	}
}
