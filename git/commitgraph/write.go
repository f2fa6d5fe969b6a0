package commitgraph

import (
	"bytes"
	"encoding/binary"

	"github.com/ingot-forge/ingot/git"
)

func compareIDs(a, b *git.ID) int { return bytes.Compare(a[:], b[:]) }

// writer writes a layer of which all is known.
type writer struct {
	*builder
	order    []uint32 // numbers of the commits, by id
	position []uint32 // of each number
	idSize   int
}

// chunk is a chunk that is still to be written.
type chunk struct {
	name   string
	size   int
	append func(dst []byte) []byte
}

// write returns the bytes of the layer.
func (b *builder) write() []byte {
	w := &writer{builder: b, order: b.sorted(), position: make([]uint32, len(b.commits)), idSize: b.format.Size()}
	for i, number := range w.order {
		w.position[number] = b.start + uint32(i)
	}
	chunks, layersBelow := w.chunks()
	size := headSize + (len(chunks)+1)*chunkLine
	end := size
	for _, c := range chunks {
		end += c.size
	}
	dst := make([]byte, 0, end+w.idSize)
	dst = append(dst, magic...)
	dst = append(dst, version, hashNumber(b.format), byte(len(chunks)), byte(layersBelow))
	at := size
	for _, c := range chunks {
		dst = append(dst, c.name...)
		dst = binary.BigEndian.AppendUint64(dst, uint64(at))
		at += c.size
	}
	dst = binary.BigEndian.AppendUint32(dst, 0)
	dst = binary.BigEndian.AppendUint64(dst, uint64(at))
	for _, c := range chunks {
		dst = c.append(dst)
	}
	sum := git.NewChecksum(b.format)
	sum.Write(dst)
	return sum.Sum(dst)
}

// chunks returns the chunks of the layer, in git's order, and the number of
// layers below it.
func (w *writer) chunks() (chunks []chunk, layersBelow int) {
	n := len(w.commits)
	overflows, edges, filters := 0, 0, 0
	for i := range w.commits {
		c := &w.commits[i]
		if c.generation-c.seconds >= overBit {
			overflows++
		}
		if parents := len(w.parentsOf(c)); parents > 2 {
			edges += parents - 1
		}
		filters += len(c.filter)
	}
	chunks = []chunk{
		{"OIDF", fanSize, w.appendFan},
		{"OIDL", n * w.idSize, w.appendIDs},
		{"CDAT", n * (w.idSize + 16), w.appendCommits},
		{"GDA2", n * 4, w.appendDates},
	}
	if overflows > 0 {
		chunks = append(chunks, chunk{"GDO2", overflows * 8, w.appendOverflows})
	}
	if edges > 0 {
		chunks = append(chunks, chunk{"EDGE", edges * 4, w.appendEdges})
	}
	chunks = append(chunks, chunk{"BIDX", n * 4, w.appendFilterEnds}, chunk{"BDAT", bloomHead + filters, w.appendFilters})
	if w.below != nil {
		layersBelow = len(w.below.layers)
		chunks = append(chunks, chunk{"BASE", layersBelow * w.idSize, w.appendBase})
	}
	return chunks, layersBelow
}

// parent returns the position of a parent.
func (w *writer) parent(p uint32) uint32 {
	if p < w.start {
		return p
	}
	return w.position[p-w.start]
}

func (w *writer) appendFan(dst []byte) []byte {
	i := 0
	for first := range 256 {
		for i < len(w.order) && int(w.commits[w.order[i]].id[0]) == first {
			i++
		}
		dst = binary.BigEndian.AppendUint32(dst, uint32(i))
	}
	return dst
}

func (w *writer) appendIDs(dst []byte) []byte {
	for _, number := range w.order {
		dst = append(dst, w.commits[number].id[:w.idSize]...)
	}
	return dst
}

func (w *writer) appendCommits(dst []byte) []byte {
	edges := uint32(0)
	for _, number := range w.order {
		c := &w.commits[number]
		dst = append(dst, c.tree[:w.idSize]...)
		first, second := uint32(noParent), uint32(noParent)
		switch parents := w.parentsOf(c); len(parents) {
		case 0:
		case 1:
			first = w.parent(parents[0])
		case 2:
			first, second = w.parent(parents[0]), w.parent(parents[1])
		default:
			first, second = w.parent(parents[0]), edgeBit|edges
			edges += uint32(len(parents) - 1)
		}
		dst = binary.BigEndian.AppendUint32(dst, first)
		dst = binary.BigEndian.AppendUint32(dst, second)
		dst = binary.BigEndian.AppendUint64(dst, uint64(c.level)<<34|c.seconds)
	}
	return dst
}

func (w *writer) appendDates(dst []byte) []byte {
	overflows := uint32(0)
	for _, number := range w.order {
		c := &w.commits[number]
		more := c.generation - c.seconds
		if more >= overBit {
			more = uint64(overBit | overflows)
			overflows++
		}
		dst = binary.BigEndian.AppendUint32(dst, uint32(more))
	}
	return dst
}

func (w *writer) appendOverflows(dst []byte) []byte {
	for _, number := range w.order {
		c := &w.commits[number]
		if more := c.generation - c.seconds; more >= overBit {
			dst = binary.BigEndian.AppendUint64(dst, more)
		}
	}
	return dst
}

func (w *writer) appendEdges(dst []byte) []byte {
	for _, number := range w.order {
		parents := w.parentsOf(&w.commits[number])
		if len(parents) <= 2 {
			continue
		}
		for _, p := range parents[1 : len(parents)-1] {
			dst = binary.BigEndian.AppendUint32(dst, w.parent(p))
		}
		dst = binary.BigEndian.AppendUint32(dst, w.parent(parents[len(parents)-1])|lastEdge)
	}
	return dst
}

func (w *writer) appendFilterEnds(dst []byte) []byte {
	end := uint32(0)
	for _, number := range w.order {
		end += uint32(len(w.commits[number].filter))
		dst = binary.BigEndian.AppendUint32(dst, end)
	}
	return dst
}

func (w *writer) appendFilters(dst []byte) []byte {
	dst = binary.BigEndian.AppendUint32(dst, murmurHash)
	dst = binary.BigEndian.AppendUint32(dst, filterHashes)
	dst = binary.BigEndian.AppendUint32(dst, filterBits)
	for _, number := range w.order {
		dst = append(dst, w.commits[number].filter...)
	}
	return dst
}

func (w *writer) appendBase(dst []byte) []byte {
	for i := range w.below.layers {
		dst = append(dst, Checksum(w.format, w.below.layers[i].data)...)
	}
	return dst
}
