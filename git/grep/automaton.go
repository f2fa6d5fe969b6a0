package grep

import (
	"context"
	"encoding/binary"
	"regexp/syntax"
	"slices"
)

// automaton runs a program over text: deterministically, with states that are made when they are
// first met. What is found is kept from text to text. It serves one goroutine.
//
// That a line matches is seen at the byte behind the match, which is a line feed at last, because only
// then is it known what the place there is.
type automaton struct {
	*program
	table   []uint32 // what follows a state, by class; a state is the offset of its row
	states  []state  // by row
	numbers map[string]uint32
	first   uint32 // the state at the start of a line
	held    int    // nodes in the sets of all states
	feeding int    // since states were last forgotten: bytes
	useless int    // how often they were forgotten after so little that they did not pay

	cur, next, closed sparse
	stack             []int32
	key               []byte
}

// The two rows that stand for something else.
const (
	unknown = 0 // this step was not taken before
	matched = 1 // times the width of a row: the line matches
)

const (
	// maxTable bounds the table, in entries of four bytes, and maxHeld what the sets of the states hold.
	maxTable = 1 << 19
	maxHeld  = 1 << 20
	// A state costs some hundred times as much as a step: where they do not last for payBytes each,
	// maxUseless times over, the program is run without.
	payBytes   = 20
	maxUseless = 8
)

// state is a set of nodes, and what is known of the byte in front.
type state struct {
	nodes []int32
	look  lookBehind
}

type lookBehind uint8

const (
	atStart   lookBehind = 1 << iota // of the line
	afterWord                        // behind a letter of a word
)

func newAutomaton(p *program) *automaton {
	a := &automaton{program: p}
	for _, s := range []*sparse{&a.cur, &a.next, &a.closed} {
		s.index = make([]int32, len(p.nodes))
	}
	a.forget()
	return a
}

// forget drops all states but the first.
func (a *automaton) forget() {
	a.table = append(a.table[:0], make([]uint32, 2*a.count)...)
	a.states = append(a.states[:0], state{}, state{})
	a.numbers = map[string]uint32{}
	a.feeding, a.held = 0, 0
	a.cur.clear()
	a.cur.add(a.start)
	a.first = a.number(&a.cur, atStart)
}

// find looks for a line that matches, from the start of one on, and returns where it knew: a place in
// the line, or its end; -1 if none does.
func (a *automaton) find(ctx context.Context, data []byte) (int, error) {
	if a.useless >= maxUseless {
		return a.simulate(ctx, data)
	}
	s, i := a.first, 0
	real := uint32(2 * a.count)
	began := 0
	for ; i < len(data); i++ {
		t := a.table[s+uint32(a.classes[data[i]])]
		if t < real {
			if t == unknown {
				if a.full() {
					a.feeding += i - began
					if a.feeding < payBytes*len(a.states) {
						if a.useless++; a.useless >= maxUseless {
							return a.resume(ctx, data, i)
						}
					}
					began = i
					held := a.states[s/uint32(a.count)]
					a.forget()
					s = a.renumber(held)
				}
				t = a.step(s, data[i])
			}
			if t == uint32(matched*a.count) {
				a.feeding += i - began
				return i, nil
			}
		}
		s = t
		if i&(1<<20-1) == 1<<20-1 && ctx.Err() != nil {
			return -1, ctx.Err()
		}
	}
	a.feeding += i - began
	if len(data) > 0 && data[len(data)-1] != '\n' {
		t := a.table[s+uint32(a.classes['\n'])]
		if t == unknown {
			t = a.step(s, '\n')
		}
		if t == uint32(matched*a.count) {
			return len(data), nil
		}
	}
	return -1, nil
}

// full reports whether there is no room for another state.
func (a *automaton) full() bool {
	return len(a.table)+a.count > maxTable || a.held > maxHeld
}

// step returns what follows a state, and notes it.
func (a *automaton) step(s uint32, c byte) uint32 {
	from := &a.states[s/uint32(a.count)]
	a.cur.clear()
	for _, n := range from.nodes {
		a.cur.add(n)
	}
	t := uint32(matched * a.count)
	if look, ok := a.advance(from.look, c); !ok {
		switch {
		case c == '\n':
			t = a.first
		default:
			t = a.number(&a.next, look)
		}
	}
	a.table[s+uint32(a.classes[c])] = t
	return t
}

// advance takes a byte from the nodes of cur to those of next, and reports whether cur matches in front
// of it.
func (a *automaton) advance(look lookBehind, c byte) (after lookBehind, match bool) {
	var here syntax.EmptyOp
	if look&atStart != 0 {
		here = syntax.EmptyBeginLine | syntax.EmptyBeginText
	}
	if c == '\n' {
		here |= syntax.EmptyEndLine | syntax.EmptyEndText
	}
	if a.words {
		if isWord(c) {
			after = afterWord
		}
		if look&afterWord != after {
			here |= syntax.EmptyWordBoundary
		} else {
			here |= syntax.EmptyNoWordBoundary
		}
	}
	a.next.clear()
	a.closed.clear()
	a.stack = a.stack[:0]
	for _, n := range a.cur.nodes {
		a.stack = append(a.stack, n)
		for len(a.stack) > 0 {
			at := a.stack[len(a.stack)-1]
			a.stack = a.stack[:len(a.stack)-1]
			if !a.closed.add(at) {
				continue
			}
			switch n := &a.nodes[at]; n.op {
			case opMatch:
				return after, true
			case opByte:
				if n.set.has(c) {
					a.next.add(n.out)
				}
			case opFork:
				a.stack = append(a.stack, n.also, n.out)
			case opLook:
				if n.look&^here == 0 {
					a.stack = append(a.stack, n.out)
				}
			}
		}
	}
	a.next.add(a.start) // a match may start anywhere
	return after, false
}

// number returns the state of a set.
func (a *automaton) number(set *sparse, look lookBehind) uint32 {
	slices.Sort(set.nodes) // the index of set is of no use from here on
	a.key = append(a.key[:0], byte(look))
	for _, n := range set.nodes {
		a.key = binary.LittleEndian.AppendUint32(a.key, uint32(n))
	}
	if s, ok := a.numbers[string(a.key)]; ok {
		return s
	}
	s := uint32(len(a.table))
	a.numbers[string(a.key)] = s
	a.states = append(a.states, state{slices.Clone(set.nodes), look})
	a.held += len(set.nodes)
	a.table = append(a.table, make([]uint32, a.count)...)
	return s
}

// renumber gives a state that was forgotten a number again.
func (a *automaton) renumber(held state) uint32 {
	a.cur.clear()
	for _, n := range held.nodes {
		a.cur.add(n)
	}
	return a.number(&a.cur, held.look)
}

// simulate is find without states: each byte costs what the program does.
func (a *automaton) simulate(ctx context.Context, data []byte) (int, error) {
	a.cur.clear()
	a.cur.add(a.start)
	look := atStart
	for i := 0; i <= len(data); i++ {
		c := byte('\n')
		if i < len(data) {
			c = data[i]
		} else if len(data) == 0 || data[i-1] == '\n' {
			break
		}
		after, ok := a.advance(look, c)
		if ok {
			return i, nil
		}
		if look = after; c == '\n' {
			a.next.clear()
			a.next.add(a.start)
			look = atStart
		}
		a.cur, a.next = a.next, a.cur
		if i&1023 == 1023 && ctx.Err() != nil {
			return -1, ctx.Err()
		}
	}
	return -1, nil
}

// resume goes on without states from the line that a place is in.
func (a *automaton) resume(ctx context.Context, data []byte, at int) (int, error) {
	start := lineStart(data, at)
	i, err := a.simulate(ctx, data[start:])
	if i >= 0 {
		i += start
	}
	return i, err
}

// sparse is a set of nodes that remembers their order.
type sparse struct {
	nodes []int32
	index []int32 // of a node: where it is in nodes, if it is
}

func (s *sparse) clear() { s.nodes = s.nodes[:0] }

func (s *sparse) add(n int32) bool {
	if i := s.index[n]; int(i) < len(s.nodes) && s.nodes[i] == n {
		return false
	}
	s.index[n] = int32(len(s.nodes))
	s.nodes = append(s.nodes, n)
	return true
}
