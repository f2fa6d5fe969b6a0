package commitgraph

import (
	"bytes"
	"encoding/binary"

	"github.com/ingot-forge/ingot/git"
)

// Verify checks all that Open leaves: checksums, the order of the ids, that every commit's
// parents are there and have smaller levels and generations than it,
// and that filters lie where they should. What the tables say of commits is not
// compared with the commits. A fault is git.ErrCorrupt.
func (g *Graph) Verify() error {
	for i := range g.layers {
		l := &g.layers[i]
		body := l.data[:len(l.data)-g.idSize]
		sum := git.NewChecksum(g.format)
		sum.Write(body)
		if !bytes.Equal(sum.Sum(nil), l.data[len(body):]) {
			return corrupt("layer %d: checksum does not match", i)
		}
		if err := g.verifyTables(l); err != nil {
			return err
		}
	}
	return g.verifyParents()
}

// verifyTables checks what can be said of a layer's tables by themselves.
func (g *Graph) verifyTables(l *layer) error {
	end := uint32(0)
	for at := range int(l.end - l.start) {
		position := l.start + uint32(at)
		id := l.ids[at*g.idSize:][:g.idSize]
		lo := uint32(0)
		if id[0] > 0 {
			lo = binary.BigEndian.Uint32(l.fan[4*int(id[0])-4:])
		}
		if hi := binary.BigEndian.Uint32(l.fan[4*int(id[0]):]); uint32(at) < lo || uint32(at) >= hi {
			return corrupt("commit %d: the fan-out has %x elsewhere", position, id)
		}
		if at > 0 && bytes.Compare(l.ids[(at-1)*g.idSize:][:g.idSize], id) >= 0 {
			return corrupt("commit %d: %x is out of order", position, id)
		}
		if l.ends == nil {
			continue
		}
		next := binary.BigEndian.Uint32(l.ends[4*at:])
		if next < end || uint64(next) > uint64(len(l.filters)) {
			return corrupt("commit %d: its filter lies from %d to %d, of %d bytes", position, end, next, len(l.filters))
		}
		end = next
	}
	return nil
}

// verifyParents checks levels and generations. As they fall from commit to parent, there is
// no circle.
func (g *Graph) verifyParents() error {
	var parents []uint32
	var err error
	for position := range uint32(g.Len()) {
		if parents, err = g.AppendParents(parents[:0], position); err != nil {
			return err
		}
		level, generation := g.Level(position), g.Generation(position)
		if level == 0 || generation < uint64(g.Seconds(position)) {
			return corrupt("commit %d: level %d, generation %d", position, level, generation)
		}
		for _, p := range parents {
			if low := g.Level(p); low >= level && low < levelMax || g.Generation(p) >= generation {
				return corrupt("commit %d: level %d, generation %d; its parent %d: %d, %d",
					position, level, generation, p, low, g.Generation(p))
			}
		}
	}
	return nil
}
