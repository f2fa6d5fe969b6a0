package merge

// Where two things are equally good, git takes the one that it comes to first, and it
// comes to some in the order of a hash table. So that the same one is taken here,
// hashOrder tells that order.

// The constants of git's hash tables.
const (
	fnvBase, fnvPrime = 0x811c9dc5, 0x01000193
	firstBuckets      = 64
	moreBuckets       = 4 // times as many, when
	fullPercent       = 80
)

// hashOrder returns the order in which git walks a table into which n different keys
// were put one after the other.
func hashOrder(n int, key func(int) string) []int {
	hashes := make([]uint32, n)
	heads, next := make([]int, firstBuckets), make([]int, n) // 1 behind; 0: none
	put := func(i int) {
		b := hashes[i] & uint32(len(heads)-1)
		next[i], heads[b] = heads[b], i+1
	}
	walk := func(heads []int, visit func(int)) {
		for _, at := range heads {
			for at > 0 {
				i := at - 1
				at = next[i]
				visit(i)
			}
		}
	}
	for i := range n {
		h := uint32(fnvBase)
		for k, at := key(i), 0; at < len(k); at++ {
			h = h*fnvPrime ^ uint32(k[at])
		}
		hashes[i] = h
		put(i)
		if i+1 > len(heads)*fullPercent/100 {
			old := heads
			heads = make([]int, moreBuckets*len(heads))
			walk(old, put)
		}
	}
	order := make([]int, 0, n)
	walk(heads, func(i int) { order = append(order, i) })
	return order
}

// counts counts by name.
type counts struct {
	names []string
	n     map[string]int
}

func (c *counts) add(name string) {
	if c.n == nil {
		c.n = map[string]int{}
	}
	if c.n[name]++; c.n[name] == 1 {
		c.names = append(c.names, name)
	}
}

// highest returns the name that was counted most often.
func (c *counts) highest() string {
	best, most := "", 0
	for _, i := range hashOrder(len(c.names), func(i int) string { return c.names[i] }) {
		if n := c.n[c.names[i]]; n > most {
			best, most = c.names[i], n
		}
	}
	return best
}
