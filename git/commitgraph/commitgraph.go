// Package commitgraph reads and writes commit graphs: what walks need to know of
// each commit (parents, root tree, time, generation number, which paths it
// changed) in tables that are read without inflating anything. The format is that
// of gitformat-commit-graph(5), version 1, with corrected commit dates (generation data version 2)
// and changed-path Bloom filters (version 1 hashes, 10 bits an entry, 7
// hashes, at most 512 paths), as a chain of layers: a layer refers
// to the commits of those below it and never changes when one is put on top.
//
// What always holds: all ancestors of a commit are in its layer or below it; and
// a filter that says no is right.
//
// # Layer
//
// All numbers are big-endian. H is the size of an object id, 20 or 32; n is how many
// commits the layer has. The position of a commit is its place among their ids
// plus the number of commits in all layers below.
//
//	"CGPH"  version 1  hash: 1 SHA-1, 2 SHA-256  C chunks  B layers below (1 byte each)
//	C × 12 bytes: name (4 bytes) and offset (8 bytes) of each chunk, ascending
//	12 bytes: 0 and the offset where the last chunk ends
//	the chunks
//	hash of all the above (H bytes): the name of the layer
//
// Chunks, in the order in which they are written:
//
//	OIDF  256 × 4 bytes: how many ids start with a byte of at most 0, 1, … 255
//	OIDL  n × H bytes: the ids, ascending
//	CDAT  n × (H+16) bytes: root tree; positions of the first two parents, each
//	      0x70000000 for none, and the second a place in EDGE if bit 31 is set; a
//	      word of 64 bits: topological level (30 bits), committer time (34 bits)
//	GDA2  n × 4 bytes: corrected commit date less committer time, or a place in GDO2
//	      if bit 31 is set
//	GDO2  k × 8 bytes: differences that do not fit; only if there are any
//	EDGE  4 bytes for each parent from the second on, of commits with more than two,
//	      the last with bit 31 set; only if there are any
//	BIDX  n × 4 bytes: where the filter of each commit ends
//	BDAT  version of the hash (1), hashes a path, bits a path (4 bytes each); the filters
//	BASE  B × H bytes: the names of the layers below, bottom first; only if B > 0
//
// The topological level is 1 for a commit without parents, else one more than the
// highest of its parents'. The corrected commit date is the committer time, or
// one more than the latest of the parents' if that is more.
//
// The filter of a commit is a set of bits with 10 for every path that it changed
// against its first parent (every path that it has, if it has none), the directories above those
// included. A path sets 7 of them: h0 + i × h1 modulo the number of bits, where
// h0 and h1 are 32-bit murmur3 hashes of it with two seeds. One byte of
// zeros says that nothing changed, one of ones that more than 512 paths did.
package commitgraph

import (
	"bytes"
	"encoding/binary"
	"fmt"

	"github.com/ingot-forge/ingot/git"
)

// Graph is a chain of opened layers. It may be used from several goroutines at
// once. Positions given to it must be below Len.
type Graph struct {
	format git.Format
	idSize int
	layers []layer // bottom first
}

// layer is one opened layer; all but the numbers are parts of its bytes.
type layer struct {
	start, end uint32 // positions of its commits

	data     []byte // all of it
	fan      []byte // OIDF
	ids      []byte // OIDL
	commits  []byte // CDAT
	dates    []byte // GDA2
	overflow []byte // GDO2
	edges    []byte // EDGE
	ends     []byte // BIDX; nil where there are no filters that we can read
	filters  []byte // BDAT, without its head
	hashes   uint32 // of each path
	bits     uint32 // for each path
}

const (
	noParent   = 0x70000000 // instead of a position; what may be a position is less
	edgeBit    = 1 << 31    // in the second parent: the rest is a place in EDGE
	lastEdge   = 1 << 31    // in EDGE: no more follow
	overBit    = 1 << 31    // in GDA2: the rest is a place in GDO2
	secondsMax = 1<<34 - 1
	levelMax   = 1<<30 - 1
)

// Len is the number of commits; positions are below it.
func (g *Graph) Len() int { return int(g.layers[len(g.layers)-1].end) }

// Find returns the position of a commit.
func (g *Graph) Find(id git.ID) (position uint32, ok bool) {
	for i := range g.layers { // the lowest has the most
		l := &g.layers[i]
		if at, ok := l.find(&id, g.idSize); ok {
			return l.start + at, true
		}
	}
	return 0, false
}

// find returns the place of an id. Fan-out is checked by Open, so that places
// are within the table.
func (l *layer) find(id *git.ID, idSize int) (at uint32, ok bool) {
	lo := uint32(0)
	if id[0] > 0 {
		lo = binary.BigEndian.Uint32(l.fan[4*int(id[0])-4:])
	}
	hi := binary.BigEndian.Uint32(l.fan[4*int(id[0]):])
	key := binary.BigEndian.Uint64(id[:])
	for lo < hi {
		mid := lo + (hi-lo)/2
		its := l.ids[int(mid)*idSize:][:idSize]
		// Eight bytes nearly always decide, and are cheaper to compare as a number.
		first := binary.BigEndian.Uint64(its)
		c := 0
		if first == key {
			if c = bytes.Compare(its, id[:idSize]); c == 0 {
				return mid, true
			}
		}
		if first < key || c < 0 {
			lo = mid + 1
		} else {
			hi = mid
		}
	}
	return 0, false
}

// layer returns the layer of a position and the commit's place in it.
func (g *Graph) layer(position uint32) (l *layer, at int) {
	i := 0
	for position >= g.layers[i].end {
		i++
	}
	return &g.layers[i], int(position - g.layers[i].start)
}

// commit returns the commit's line of CDAT.
func (l *layer) commit(at, idSize int) []byte {
	size := idSize + 16
	return l.commits[at*size:][:size]
}

// ID returns the id of the commit at a position.
func (g *Graph) ID(position uint32) git.ID {
	l, at := g.layer(position)
	return g.format.FromBytes(l.ids[at*g.idSize:])
}

// Tree returns the root tree of a commit.
func (g *Graph) Tree(position uint32) git.ID {
	l, at := g.layer(position)
	return g.format.FromBytes(l.commit(at, g.idSize))
}

// Seconds returns the committer time of a commit, as git's commit graph keeps it
// (34 bits: before 1970 is 0).
func (g *Graph) Seconds(position uint32) int64 {
	l, at := g.layer(position)
	return int64(binary.BigEndian.Uint64(l.commit(at, g.idSize)[g.idSize+8:]) & secondsMax)
}

// Level returns the topological level of a commit: the number of commits on the
// longest way down from it, itself included.
func (g *Graph) Level(position uint32) uint32 {
	l, at := g.layer(position)
	return binary.BigEndian.Uint32(l.commit(at, g.idSize)[g.idSize+8:]) >> 2
}

// Generation returns the corrected commit date: greater than that of every ancestor.
// Of a damaged table it is any number: see Verify.
func (g *Graph) Generation(position uint32) uint64 {
	l, at := g.layer(position)
	seconds := binary.BigEndian.Uint64(l.commit(at, g.idSize)[g.idSize+8:]) & secondsMax
	more := uint64(binary.BigEndian.Uint32(l.dates[4*at:]))
	if more&overBit != 0 {
		i := 8 * (more &^ overBit)
		if i >= uint64(len(l.overflow)) {
			return seconds
		}
		more = binary.BigEndian.Uint64(l.overflow[i:])
	}
	return seconds + more
}

// AppendParents appends the positions of a commit's parents, in order. A
// damaged table is git.ErrCorrupt.
func (g *Graph) AppendParents(dst []uint32, position uint32) ([]uint32, error) {
	l, at := g.layer(position)
	line := l.commit(at, g.idSize)
	first, second := binary.BigEndian.Uint32(line[g.idSize:]), binary.BigEndian.Uint32(line[g.idSize+4:])
	switch {
	case first == noParent:
		return dst, nil
	case first >= l.end:
		return dst, badParent(position, first)
	case second == noParent:
		return append(dst, first), nil
	case second&edgeBit == 0:
		if second >= l.end {
			return dst, badParent(position, second)
		}
		return append(dst, first, second), nil
	}
	return l.appendEdges(append(dst, first), position, second&^edgeBit)
}

// appendEdges appends the parents from a place of EDGE on.
func (l *layer) appendEdges(dst []uint32, position, from uint32) ([]uint32, error) {
	for i := 4 * int64(from); i < int64(len(l.edges)); i += 4 {
		edge := binary.BigEndian.Uint32(l.edges[i:])
		parent := edge &^ lastEdge
		if parent >= l.end {
			return dst, badParent(position, parent)
		}
		dst = append(dst, parent)
		if edge&lastEdge != 0 {
			return dst, nil
		}
	}
	return dst, corrupt("commit %d: its parents end outside the table", position)
}

func badParent(position, parent uint32) error {
	return corrupt("commit %d has a parent at %d, which is not below it", position, parent)
}

// corrupt returns an error that matches git.ErrCorrupt.
func corrupt(format string, args ...any) error {
	return fmt.Errorf("%w: commit graph: "+format, append([]any{git.ErrCorrupt}, args...)...)
}
