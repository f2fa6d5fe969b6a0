package grep

import (
	"regexp/syntax"
	"unicode"
	"unicode/utf8"
)

// program is a nondeterministic automaton over bytes. Of line feeds it knows nothing: they
// part lines before it sees them.
type program struct {
	nodes []node
	start int32
	words bool // it asks for word boundaries
	// classes gives bytes that no node tells apart the same number, below count; a line feed
	// has one of its own.
	classes [256]uint8
	count   int
}

// node is one state.
type node struct {
	op        op
	out, also int32          // where to go on; also is of opFork only
	look      syntax.EmptyOp // of opLook
	set       *byteSet       // of opByte
}

type op uint8

const (
	opFail op = iota
	opMatch
	opByte // takes a byte of set
	opFork // goes on in two places
	opLook // goes on if the place is as look demands
)

type byteSet [4]uint64

func (s *byteSet) has(c byte) bool { return s[c>>6]>>(c&63)&1 != 0 }

func (s *byteSet) add(lo, hi byte) {
	for c := int(lo); c <= int(hi); c++ {
		s[c>>6] |= 1 << (c & 63)
	}
}

// newProgram translates a program over characters into one over bytes; nil if it is too large.
func newProgram(from *syntax.Prog) *program {
	if len(from.Inst) > MaxProgram {
		return nil
	}
	p := &program{nodes: make([]node, len(from.Inst)), start: int32(from.Start)}
	b := builder{p, map[node]int32{}, map[byteSet]*byteSet{}}
	for i := range from.Inst {
		in := &from.Inst[i]
		n := node{out: int32(in.Out)}
		switch in.Op {
		case syntax.InstFail:
			n.op = opFail
		case syntax.InstMatch:
			n.op = opMatch
		case syntax.InstAlt, syntax.InstAltMatch:
			n.op, n.also = opFork, int32(in.Arg)
		case syntax.InstNop, syntax.InstCapture:
			n.op, n.also = opFork, int32(in.Out)
		case syntax.InstEmptyWidth:
			n.op, n.look = opLook, syntax.EmptyOp(in.Arg)
			p.words = p.words || n.look&(syntax.EmptyWordBoundary|syntax.EmptyNoWordBoundary) != 0
		default:
			n = b.characters(runes(in), int32(in.Out))
		}
		p.nodes[i] = n
		if len(p.nodes) > MaxProgram {
			return nil
		}
	}
	p.classify()
	return p
}

// runes returns the ranges of characters that an instruction takes.
func runes(in *syntax.Inst) []rune {
	switch in.Op {
	case syntax.InstRuneAny:
		return []rune{0, unicode.MaxRune}
	case syntax.InstRuneAnyNotNL:
		return []rune{0, '\n' - 1, '\n' + 1, unicode.MaxRune}
	}
	if len(in.Rune) != 1 {
		return asciiCases(in.Rune)
	}
	r := in.Rune[0]
	pairs := []rune{r, r}
	if syntax.Flags(in.Arg)&syntax.FoldCase != 0 {
		for f := unicode.SimpleFold(r); f != r; f = unicode.SimpleFold(f) {
			// A letter of ASCII has the cases of ASCII: 'k' is no Kelvin sign, 's' no long s.
			if r >= utf8.RuneSelf || f < utf8.RuneSelf {
				pairs = append(pairs, f, f)
			}
		}
	}
	return pairs
}

// asciiCases undoes what ignoring case did to a class beyond what it is to do: the Kelvin sign and the long s go with the
// letters of ASCII of which Unicode says that they are the same, be they in the class or left out of it.
func asciiCases(ranges []rune) []rune {
	has := func(c rune) bool {
		for i := 0; i < len(ranges); i += 2 {
			if ranges[i] <= c && c <= ranges[i+1] {
				return true
			}
		}
		return false
	}
	for _, odd := range []struct{ char, upper, lower rune }{{'ſ', 'S', 's'}, {'\u212a', 'K', 'k'}} {
		upper, lower := has(odd.upper), has(odd.lower)
		if upper != lower {
			continue
		}
		var kept []rune
		for i := 0; i < len(ranges); i += 2 {
			lo, hi := ranges[i], ranges[i+1]
			switch {
			case upper && lo == odd.char && hi == odd.char: // goes
			case !upper && lo == odd.char+1 && len(kept) > 0 && kept[len(kept)-1] == odd.char-1:
				kept[len(kept)-1] = hi
			default:
				kept = append(kept, lo, hi)
			}
		}
		ranges = kept
	}
	return ranges
}

type builder struct {
	*program
	made map[node]int32
	sets map[byteSet]*byteSet
}

// characters returns the node that takes a character of some ranges.
//
// ASCII is one byte each, the others are their UTF-8; but where all of those are in, as in
// '.' and "[^x]", any single byte is: so that what is no UTF-8 is matched, too.
func (b *builder) characters(ranges []rune, out int32) node {
	var set byteSet
	var chains []int32
	for i := 0; i < len(ranges); i += 2 {
		lo, hi := ranges[i], ranges[i+1]
		if lo < utf8.RuneSelf {
			set.add(byte(lo), byte(min(hi, utf8.RuneSelf-1)))
		}
		switch {
		case hi < utf8.RuneSelf:
		case lo <= utf8.RuneSelf && hi == unicode.MaxRune:
			set.add(0x80, 0xff)
		default:
			chains = b.encoded(chains, max(lo, utf8.RuneSelf), hi, out)
		}
		if len(b.nodes) > MaxProgram {
			break
		}
	}
	all := node{op: opFail}
	if set != (byteSet{}) {
		all = node{op: opByte, out: out, set: b.intern(set)}
	}
	for _, c := range chains {
		if all.op == opFail {
			all = b.nodes[c]
		} else {
			all = node{op: opFork, out: c, also: b.node(all)}
		}
	}
	return all
}

// encoded adds chains of nodes that take the UTF-8 of a range of characters beyond ASCII. A range is
// cut until all of its characters have the same length and, from some byte on, all values of those that follow.
func (b *builder) encoded(chains []int32, lo, hi rune, out int32) []int32 {
	type span struct{ lo, hi rune }
	stack := []span{{lo, hi}}
	for len(stack) > 0 && len(b.nodes) <= MaxProgram {
		s := stack[len(stack)-1]
		stack = stack[:len(stack)-1]
		if s.lo <= 0xdfff && s.hi >= 0xd800 { // surrogates have no UTF-8
			if s.hi > 0xdfff {
				stack = append(stack, span{0xe000, s.hi})
			}
			if s.lo < 0xd800 {
				stack = append(stack, span{s.lo, 0xd7ff})
			}
			continue
		}
		if cut := cutAt(s.lo, s.hi); cut < s.hi {
			stack = append(stack, span{cut + 1, s.hi}, span{s.lo, cut})
			continue
		}
		var from, to [utf8.UTFMax]byte
		n := utf8.EncodeRune(from[:], s.lo)
		utf8.EncodeRune(to[:], s.hi)
		next := out
		for i := n - 1; i >= 0; i-- {
			var set byteSet
			set.add(from[i], to[i])
			next = b.node(node{op: opByte, out: next, set: b.intern(set)})
		}
		chains = append(chains, next)
	}
	return chains
}

// cutAt returns the last character of a range up to which the bytes of all can be taken one by one.
func cutAt(lo, hi rune) rune {
	for _, last := range []rune{0x7ff, 0xffff} { // the last of two and of three bytes
		if lo <= last && last < hi {
			return last
		}
	}
	for low := rune(0x3f); low < 1<<21; low = low<<6 | 0x3f { // what the last one, two, three bytes hold
		if lo&^low == hi&^low {
			break
		}
		if lo&low != 0 {
			return lo | low
		}
		if hi&low != low {
			return hi&^low - 1
		}
	}
	return hi
}

func (b *builder) intern(set byteSet) *byteSet {
	if s := b.sets[set]; s != nil {
		return s
	}
	b.sets[set] = &set
	return &set
}

// node adds a node, unless there is the same one.
func (b *builder) node(n node) int32 {
	if at, ok := b.made[n]; ok {
		return at
	}
	at := int32(len(b.nodes))
	b.nodes = append(b.nodes, n)
	b.made[n] = at
	return at
}

// classify numbers the classes of bytes that no set parts.
func (p *program) classify() {
	type key struct {
		class uint8
		in    bool
	}
	p.count = 1
	part := func(in func(c byte) bool) {
		seen := map[key]uint8{}
		for c := range p.classes {
			k := key{p.classes[c], in(byte(c))}
			if _, ok := seen[k]; !ok {
				seen[k] = uint8(len(seen))
			}
			p.classes[c] = seen[k]
		}
		p.count = len(seen)
	}
	part(func(c byte) bool { return c == '\n' })
	if p.words {
		part(isWord)
	}
	done := map[*byteSet]bool{}
	for i := range p.nodes {
		if s := p.nodes[i].set; s != nil && !done[s] {
			done[s] = true
			part(s.has)
		}
	}
}

func isWord(c byte) bool {
	return c == '_' || '0' <= c && c <= '9' || 'a' <= c|0x20 && c|0x20 <= 'z'
}
