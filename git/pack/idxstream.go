package pack

import (
	"bufio"
	"encoding/binary"
	"io"
	"iter"

	"github.com/ingot-forge/ingot/git"
)

// WriteIndex writes the same file as AppendIndex, without holding it in memory:
// entries yields all of them by ascending id, once for each of the tables.
func WriteIndex(w io.Writer, f git.Format, entries iter.Seq[IndexEntry], packChecksum []byte) error {
	const buffer = 64 << 10
	sum := git.NewChecksum(f)
	b := bufio.NewWriterSize(io.MultiWriter(sum, w), buffer)
	b.WriteString(indexMagic) // errors of b stay until Flush
	var scratch [8]byte
	number := func(n uint32) {
		binary.BigEndian.PutUint32(scratch[:], n)
		b.Write(scratch[:4])
	}
	number(indexVersion)
	var counts [256]uint32
	for e := range entries {
		counts[e.ID[0]]++
	}
	upTo := uint32(0)
	for _, n := range counts {
		upTo += n
		number(upTo)
	}
	for e := range entries {
		b.Write(e.ID[:f.Size()])
	}
	for e := range entries {
		number(e.CRC)
	}
	large := uint32(0)
	for e := range entries {
		if e.Offset >= largeOffset {
			number(largeOffset | large)
			large++
		} else {
			number(uint32(e.Offset))
		}
	}
	if large > 0 {
		for e := range entries {
			if e.Offset >= largeOffset {
				binary.BigEndian.PutUint64(scratch[:], uint64(e.Offset))
				b.Write(scratch[:])
			}
		}
	}
	b.Write(packChecksum[:f.Size()])
	if err := b.Flush(); err != nil {
		return err
	}
	_, err := w.Write(sum.Sum(nil))
	return err
}
