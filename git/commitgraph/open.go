package commitgraph

import (
	"bytes"
	"encoding/binary"
	"fmt"

	"github.com/ingot-forge/ingot/git"
)

const (
	magic      = "CGPH"
	version    = 1
	headSize   = 8
	chunkLine  = 12 // of the table of chunks
	fanSize    = 256 * 4
	maxLayers  = 256 // that one byte counts those below
	bloomHead  = 12
	maxHashes  = 64 // of a path, lest a damaged number costs time
	murmurHash = 1
)

// Open reads a chain whose layers, bottom first, are the given bytes, which it
// keeps and which must not change. Everything that a lookup relies on is
// checked first (lengths, counts, fan-out, that each layer lies on those below it), in time that does not
// grow with the number of commits; a bad chain is git.ErrCorrupt. Verify checks
// the rest.
func Open(f git.Format, layers [][]byte) (*Graph, error) {
	if len(layers) == 0 || len(layers) > maxLayers {
		return nil, corrupt("%d layers", len(layers))
	}
	g := &Graph{format: f, idSize: f.Size()}
	for i, data := range layers {
		l, err := openLayer(f, data)
		if err != nil {
			return nil, fmt.Errorf("layer %d: %w", i, err)
		}
		if err := g.add(l); err != nil {
			return nil, err
		}
	}
	return g, nil
}

// add puts a layer on top, if it says that it lies on the others.
func (g *Graph) add(l *opened) error {
	n := len(g.layers)
	if l.below != n || len(l.base) != n*g.idSize {
		return corrupt("layer %d lies on %d others, named in %d bytes", n, l.below, len(l.base))
	}
	for i := range g.layers {
		name, below := l.base[i*g.idSize:][:g.idSize], Checksum(g.format, g.layers[i].data)
		if !bytes.Equal(name, below) {
			return corrupt("layer %d lies on %x, layer %d is %x", n, name, i, below)
		}
	}
	if n > 0 {
		l.start = g.layers[n-1].end
	}
	if count := l.end; count >= noParent-l.start {
		return corrupt("layer %d: %d commits more are too many", n, count)
	}
	l.end += l.start
	g.layers = append(g.layers, l.layer)
	return nil
}

// opened is a layer with what is needed to join it with those below.
type opened struct {
	layer // of which end is the number of commits
	below int
	base  []byte
}

// openLayer checks a layer by itself.
func openLayer(f git.Format, data []byte) (*opened, error) {
	idSize := f.Size()
	if len(data) < headSize+chunkLine+idSize {
		return nil, corrupt("%d bytes are too few", len(data))
	}
	if string(data[:4]) != magic {
		return nil, corrupt("bad signature %q", data[:4])
	}
	if data[4] != version {
		return nil, corrupt("version %d is not supported", data[4])
	}
	if data[5] != hashNumber(f) {
		return nil, corrupt("hash function %d, not %d", data[5], hashNumber(f))
	}
	chunks, err := readChunks(data[:len(data)-idSize], int(data[6]))
	if err != nil {
		return nil, err
	}
	l := &opened{below: int(data[7]), base: chunks["BASE"]}
	l.data = data
	l.fan, l.ids, l.commits, l.dates = chunks["OIDF"], chunks["OIDL"], chunks["CDAT"], chunks["GDA2"]
	l.overflow, l.edges = chunks["GDO2"], chunks["EDGE"]
	if err := l.checkFan(); err != nil {
		return nil, err
	}
	n := uint64(l.end)
	for _, table := range []struct {
		name string
		data []byte
		size int
	}{{"OIDL", l.ids, idSize}, {"CDAT", l.commits, idSize + 16}, {"GDA2", l.dates, 4}} {
		if uint64(len(table.data)) != n*uint64(table.size) {
			return nil, corrupt("%d bytes of %s do not fit %d commits", len(table.data), table.name, n)
		}
	}
	if len(l.overflow)%8 != 0 || len(l.edges)%4 != 0 {
		return nil, corrupt("%d bytes of GDO2, %d of EDGE", len(l.overflow), len(l.edges))
	}
	return l, l.setFilters(chunks["BIDX"], chunks["BDAT"])
}

// checkFan checks the fan-out and takes the number of commits from it.
func (l *opened) checkFan() error {
	if len(l.fan) != fanSize {
		return corrupt("%d bytes of OIDF", len(l.fan))
	}
	for i := 0; i < fanSize; i += 4 {
		n := binary.BigEndian.Uint32(l.fan[i:])
		if n < l.end {
			return corrupt("fan-out falls at %d", i/4)
		}
		l.end = n
	}
	if l.end == 0 {
		return corrupt("no commits")
	}
	return nil
}

// setFilters takes the filters, if they are there and of a kind that is known.
// Where each one lies is checked when it is looked at.
func (l *opened) setFilters(ends, data []byte) error {
	if ends == nil || data == nil {
		return nil
	}
	if uint64(len(ends)) != 4*uint64(l.end) || len(data) < bloomHead {
		return corrupt("%d bytes of BIDX and %d of BDAT do not fit %d commits", len(ends), len(data), l.end)
	}
	l.hashes, l.bits = binary.BigEndian.Uint32(data[4:]), binary.BigEndian.Uint32(data[8:])
	if binary.BigEndian.Uint32(data) != murmurHash || l.hashes == 0 || l.hashes > maxHashes {
		return nil
	}
	l.ends, l.filters = ends, data[bloomHead:]
	if last := binary.BigEndian.Uint32(ends[len(ends)-4:]); uint64(last) > uint64(len(l.filters)) {
		return corrupt("the filters end at %d of %d bytes", last, len(l.filters))
	}
	return nil
}

// readChunks returns the chunks of a layer without its trailer, by their names.
func readChunks(data []byte, count int) (map[string][]byte, error) {
	first := headSize + (count+1)*chunkLine
	if len(data) < first {
		return nil, corrupt("%d bytes are too few for %d chunks", len(data), count)
	}
	chunks := make(map[string][]byte, count)
	from := uint64(first)
	for i := range count {
		line := data[headSize+i*chunkLine:]
		name := string(line[:4])
		at, to := binary.BigEndian.Uint64(line[4:]), binary.BigEndian.Uint64(line[chunkLine+4:])
		if at < from || to < at || to > uint64(len(data)) {
			return nil, corrupt("chunk %q lies from %d to %d, in %d bytes", name, at, to, len(data))
		}
		if chunks[name] != nil {
			return nil, corrupt("chunk %q comes twice", name)
		}
		chunks[name] = data[at:to:to]
		from = to
	}
	return chunks, nil
}

// Checksum returns the trailer of a layer's bytes, by which the layers above and git's
// commit-graph-chain file name it.
func Checksum(f git.Format, layer []byte) []byte { return layer[len(layer)-f.Size():] }

// hashNumber is git's number of a hash function in its files.
func hashNumber(f git.Format) byte {
	if f == git.SHA256 {
		return 2
	}
	return 1
}
