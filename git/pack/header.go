package pack

import (
	"encoding/binary"

	"github.com/ingot-forge/ingot/git"
)

const (
	packMagic   = "PACK"
	packVersion = 2
	packHead    = 12 // magic, version, count
	countAt     = 8  // offset of the count
	// maxHead is more than the longest header of an entry has: nine bytes of
	// size, and nine of distance or a whole id.
	maxHead = 9 + git.MaxIDSize
)

// packCount reads the header of a pack.
func packCount(p []byte) (uint32, error) {
	if string(p[:4]) != packMagic {
		return 0, corrupt("pack starts with %q, not %q", p[:4], packMagic)
	}
	if v := binary.BigEndian.Uint32(p[4:]); v != packVersion {
		return 0, corrupt("pack version %d, want %d", v, packVersion)
	}
	return binary.BigEndian.Uint32(p[countAt:]), nil
}

// head is the decoded header of an entry.
type head struct {
	kind   EntryKind
	size   int64  // inflated
	back   int64  // OfsDelta: how far before this entry its base is
	baseID git.ID // RefDelta
	bytes  int    // of the header itself
}

// readHead decodes the header that starts p; ok is false where p ends within it.
func readHead(f git.Format, p []byte) (h head, ok bool, err error) {
	n := 0
	shift := 0
	for {
		if n == len(p) {
			return head{}, false, nil
		}
		b := p[n]
		n++
		if n == 1 {
			h.kind = EntryKind(b >> 4 & 7)
			h.size = int64(b & 0x0f)
			shift = 4
		} else {
			if shift > 56 { // 4+7*8 bits are 60: plenty, and no overflow to think of
				return head{}, false, corrupt("size of the entry is out of range")
			}
			h.size |= int64(b&0x7f) << shift
			shift += 7
		}
		if b < 0x80 {
			break
		}
	}
	switch h.kind {
	case EntryKind(git.KindCommit), EntryKind(git.KindTree), EntryKind(git.KindBlob), EntryKind(git.KindTag):
	case OfsDelta:
		k, done, err := readBack(p[n:], &h.back)
		if !done || err != nil {
			return head{}, false, err
		}
		n += k
	case RefDelta:
		if len(p)-n < f.Size() {
			return head{}, false, nil
		}
		h.baseID = f.FromBytes(p[n:])
		n += f.Size()
	default:
		return head{}, false, corrupt("unknown type %d", h.kind)
	}
	h.bytes = n
	return h, true, nil
}

// readBack decodes the distance to the base of an OfsDelta: seven bits a byte,
// highest first, each byte but the last counting one more than it says.
func readBack(p []byte, back *int64) (n int, ok bool, err error) {
	v := int64(0)
	for i, b := range p {
		if v > 1<<54 {
			return 0, false, corrupt("distance to the delta's base is out of range")
		}
		v = v<<7 | int64(b&0x7f)
		if b < 0x80 {
			*back = v
			return i + 1, true, nil
		}
		v++
	}
	return 0, false, nil
}

// appendHead appends the header of an object stored whole.
func appendHead(dst []byte, kind git.Kind, size int64) []byte {
	b := byte(kind)<<4 | byte(size&0x0f)
	for size >>= 4; size > 0; size >>= 7 {
		dst = append(dst, b|0x80)
		b = byte(size & 0x7f)
	}
	return append(dst, b)
}
