package pack

import "math/bits"

// Huffman codes are decoded by tables of 32-bit entries. The first level is
// indexed by the next tableBits bits of the stream; codes that are longer go on
// in a second level. All levels of a code share one array. An entry is
//
//	bits 0-7    bits to consume: of the code and of the extra bits behind it
//	bits 8-11   bits of the code alone
//	bit  13     end of block  ) only with
//	bit  14     second level  ) bit 15
//	bit  15     no plain symbol: bit 13 or 14, or an invalid code
//	bits 16-30  literal, base of a length or distance, or start of the second level
//	bit  31     literal
//
// An entry that leads to a second level has the number of bits that index it
// in bits 8-11; entries of a second level do not count the bits of the first.
const (
	entryEnd     = 1<<13 | entrySpecial
	entryLevel2  = 1<<14 | entrySpecial
	entrySpecial = 1 << 15
	entryLiteral = 1 << 31
	entryInvalid = entrySpecial | 0x101 // one bit long, so that decoding stops there

	maxCodeBits = 15
)

// First-level sizes are chosen for short streams, where filling tables costs
// more than second-level lookups. The arrays hold the most that any complete
// code of so many symbols needs with that first level (zlib's enough.c computes
// these: 286 or 288 symbols 1334, 30 or 32 symbols 402, 15 bits at most).
const (
	litBits  = 10
	litSize  = 1334
	distBits = 8
	distSize = 402
	preBits  = 7 // the longest code of the code that lengths come in
	preSize  = 1 << preBits
)

// litTable decodes literals and lengths, distTable distances.
type (
	litTable struct {
		bits  uint // that index the first level
		entry [litSize]uint32
	}
	distTable struct {
		bits  uint
		entry [distSize]uint32
	}
)

// litEntries, distEntries and preEntries are the entries of the symbols with the
// length of their code left out.
var (
	litEntries  = makeLitEntries()
	distEntries = makeDistEntries()
	preEntries  = makePreEntries()
)

func makeLitEntries() (e [288]uint32) {
	for i := range 256 {
		e[i] = entryLiteral | uint32(i)<<16
	}
	e[256] = entryEnd
	base := uint32(3)
	for i := range uint32(28) {
		extra := uint32(0)
		if i >= 8 {
			extra = i/4 - 1
		}
		e[257+i] = base<<16 | extra
		base += 1 << extra
	}
	e[285] = 258 << 16
	e[286] = entrySpecial
	e[287] = entrySpecial
	return e
}

func makeDistEntries() (e [32]uint32) {
	base := uint32(1)
	for i := range uint32(30) {
		extra := uint32(0)
		if i >= 4 {
			extra = i/2 - 1
		}
		e[i] = base<<16 | extra
		base += 1 << extra
	}
	e[30] = entrySpecial
	e[31] = entrySpecial
	return e
}

func makePreEntries() (e [19]uint32) {
	for i := range e {
		e[i] = uint32(i) << 16
	}
	e[16] |= 2
	e[17] |= 3
	e[18] |= 7
	return e
}

// fixedLit and fixedDist are the codes of blocks without a header (RFC 1951, 3.2.6).
var fixedLit, fixedDist = makeFixed()

func makeFixed() (lit *litTable, dist *distTable) {
	var c codeLengths
	for i := range 288 {
		switch {
		case i < 144:
			c.add(i, 8)
		case i < 256:
			c.add(i, 9)
		case i < 280:
			c.add(i, 7)
		default:
			c.add(i, 8)
		}
	}
	lit = new(litTable)
	lit.bits, _ = c.build(lit.entry[:], litEntries[:], litBits)
	c.reset()
	for i := range 32 {
		c.add(i, 5)
	}
	dist = new(distTable)
	dist.bits, _ = c.build(dist.entry[:], distEntries[:], distBits)
	return lit, dist
}

// codeLengths is a Huffman code as a block's header gives it: which symbols it
// has and how long the code of each is. Keeping only the symbols in use, a
// third of the alphabet in most of git's objects, saves two passes over all.
type codeLengths struct {
	count  [maxCodeBits + 1]uint16 // symbols of each length
	used   int
	symbol [288]uint16 // ascending
	length [288]uint8  // 1 to maxCodeBits
	sorted [288]uint16 // build's own: symbols by length, then by number
}

func (c *codeLengths) reset() {
	c.count = [maxCodeBits + 1]uint16{}
	c.used = 0
}

// add gives the next symbol its length, 1 to maxCodeBits.
func (c *codeLengths) add(symbol int, length uint8) {
	c.symbol[c.used] = uint16(symbol)
	c.length[c.used] = length
	c.used++
	c.count[length&15]++
}

// has reports whether symbol, one of the last 30 or so, is in use.
func (c *codeLengths) has(symbol uint16) bool {
	i := c.used - 1
	for i >= 0 && c.symbol[i] > symbol {
		i--
	}
	return i >= 0 && c.symbol[i] == symbol
}

// build fills table, whose first level takes at most maxBits bits, and returns
// how many it takes. It reports false for a code that zlib refuses: one with
// too many codes, or with too few, save that a code may have no symbol at all
// or just one of one bit.
func (c *codeLengths) build(table, entries []uint32, maxBits int) (tableBits uint, ok bool) {
	longest := maxCodeBits
	for longest > 0 && c.count[longest] == 0 {
		longest--
	}
	if longest == 0 {
		table[0], table[1] = entryInvalid, entryInvalid
		return 1, true
	}
	var next [maxCodeBits + 1]uint16 // where the symbols of a length go in sorted
	left := 1
	for l := 1; l <= longest; l++ {
		left = left<<1 - int(c.count[l])
		if left < 0 {
			return 0, false
		}
		if l < maxCodeBits {
			next[l+1] = next[l] + c.count[l]
		}
	}
	if left > 0 {
		if longest > 1 {
			return 0, false
		}
		table[0] = entries[c.symbol[0]] + 0x101
		table[1] = entryInvalid
		return 1, true
	}
	symbols, lengths := c.symbol[:c.used], c.length[:c.used]
	for i, s := range symbols {
		l := lengths[i] & 15
		c.sorted[next[l]] = s
		next[l]++
	}
	return uint(c.fill(table, entries, longest, min(longest, maxBits))), true
}

// fill writes the table of a complete code. Codes are taken in ascending order;
// as the stream has the first bit of a code lowest, they are counted with their
// bits reversed. The first level grows with the length of the codes: what it
// has so far is doubled for each further bit.
func (c *codeLengths) fill(table, entries []uint32, longest, tableBits int) int {
	code, at := uint(0), 0
	size := 1
	for l := 1; l <= tableBits; l++ {
		if at > 0 {
			copy(table[size:2*size], table[:size])
		}
		size *= 2
		for range c.count[l] {
			table[code] = entries[c.sorted[at]] + uint32(l)*0x101
			at++
			code = nextCode(code, l)
		}
	}
	end := size // of what is used of table
	start, prefix, level2Bits := 0, ^uint(0), 0
	for l := tableBits + 1; l <= longest; l++ {
		for k := int(c.count[l]); k > 0; k-- {
			if p := code & uint(size-1); p != prefix {
				// The second level must take the longest code that shares the prefix.
				prefix, start = p, end
				level2Bits = l - tableBits
				for space := k; space < 1<<level2Bits && tableBits+level2Bits < longest; {
					level2Bits++
					space = space<<1 + int(c.count[tableBits+level2Bits])
				}
				end += 1 << level2Bits
				table[p] = uint32(start)<<16 | entryLevel2 | uint32(level2Bits)<<8 | uint32(tableBits)
			}
			e := entries[c.sorted[at]] + uint32(l-tableBits)*0x101
			at++
			for i := int(code >> tableBits); i < 1<<level2Bits; i += 1 << (l - tableBits) {
				table[start+i] = e
			}
			code = nextCode(code, l)
		}
	}
	return tableBits
}

// nextCode adds one to a code of l bits that are reversed.
func nextCode(code uint, l int) uint {
	zeros := ^code & (1<<l - 1)
	if zeros == 0 {
		return code // the last code there is
	}
	top := uint(1) << (bits.Len(zeros) - 1)
	return code&(top-1) | top
}
