package pack

import (
	"bytes"
	"cmp"
	"encoding/binary"
	"slices"

	"github.com/ingot-forge/ingot/git"
)

// IndexEntry is one object of an index to be written.
type IndexEntry struct {
	ID     git.ID
	Offset int64
	CRC    uint32
}

// AppendIndex appends an idx file (version 2) for entries, which it sorts in place.
func AppendIndex(f git.Format, dst []byte, entries []IndexEntry, packChecksum []byte) []byte {
	idSize := f.Size()
	slices.SortFunc(entries, compareEntries)
	start := len(dst)
	dst = slices.Grow(dst, 8+fanSize+len(entries)*(idSize+4+4)+2*idSize)
	dst = append(dst, indexMagic...)
	dst = binary.BigEndian.AppendUint32(dst, indexVersion)
	n := 0
	for first := range 256 {
		for n < len(entries) && int(entries[n].ID[0]) == first {
			n++
		}
		dst = binary.BigEndian.AppendUint32(dst, uint32(n))
	}
	for i := range entries {
		dst = append(dst, entries[i].ID[:idSize]...)
	}
	for i := range entries {
		dst = binary.BigEndian.AppendUint32(dst, entries[i].CRC)
	}
	large := uint32(0)
	for i := range entries {
		offset := uint32(entries[i].Offset)
		if entries[i].Offset >= largeOffset {
			offset = largeOffset | large
			large++
		}
		dst = binary.BigEndian.AppendUint32(dst, offset)
	}
	for i := range entries {
		if entries[i].Offset >= largeOffset {
			dst = binary.BigEndian.AppendUint64(dst, uint64(entries[i].Offset))
		}
	}
	dst = append(dst, packChecksum[:idSize]...)
	sum := git.NewChecksum(f)
	sum.Write(dst[start:])
	return sum.Sum(dst)
}

// compareEntries orders by id; where one is in the pack twice, by offset. The
// first eight bytes nearly always decide, and are cheaper to compare as a number.
func compareEntries(a, b IndexEntry) int {
	if c := cmp.Compare(binary.BigEndian.Uint64(a.ID[:]), binary.BigEndian.Uint64(b.ID[:])); c != 0 {
		return c
	}
	if c := bytes.Compare(a.ID[:], b.ID[:]); c != 0 {
		return c
	}
	return cmp.Compare(a.Offset, b.Offset)
}
