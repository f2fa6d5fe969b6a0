package bitmap

import (
	"bytes"
	"encoding/binary"
	"math/bits"
	"slices"

	"github.com/ingot-forge/ingot/git"
)

// A tree mostly differs in an entry or two from the one that was read before it
// at the same path. What both have byte for byte is in the set already if the
// earlier tree is, so lastTrees keeps the last tree of a path and finds by comparing
// bytes what is new: looking up each entry would take most of the time of Build.
type lastTrees struct {
	trees [256]lastTree
	ends  []uint32 // scratch
}

// lastTree is a tree that was read to its end, well formed.
type lastTree struct {
	position int
	data     []byte
	ends     []uint32 // the offset behind each entry
}

// maxLastTree bounds what is kept: sixteen megabytes in all, and a quarter of that in ends.
const maxLastTree = 64 << 10

// each calls take for the entries of the tree at a position, at least for those that a
// tree which set has does not have. The hash of the path only says where to look for one.
func (l *lastTrees) each(f git.Format, path uint32, position int, data []byte, set Set,
	take func(mode git.Mode, name []byte, id git.ID) error) error {
	last := &l.trees[path*0x9e3779b1>>24]
	var beside []byte
	var besideEnds []uint32
	if len(last.ends) > 0 && set.Has(last.position) {
		beside, besideEnds = last.data, last.ends
	}
	ends := l.ends[:0]
	at, old, n := 0, 0, 0 // in data; in beside; number of the entry there
	for at < len(data) {
		if same := n + endsWithin(besideEnds[n:], old+commonPrefix(data[at:], beside[old:])); same > n {
			shift := uint32(at - old)
			for _, end := range besideEnds[n:same] {
				ends = append(ends, end+shift)
			}
			at += int(besideEnds[same-1]) - old
			old, n = int(besideEnds[same-1]), same
			continue
		}
		mode, name, id, rest, err := git.NextEntry(f, data[at:])
		if err != nil {
			return err
		}
		if err := take(mode, name, id); err != nil {
			return err
		}
		at = len(data) - len(rest)
		ends = append(ends, uint32(at))
		// Come to the same name beside, or to the one behind it.
		for n < len(besideEnds) {
			if _, start, end := git.EntrySpan(f, beside[old:]); bytes.Compare(beside[old+start:old+end], name) > 0 {
				break
			}
			old, n = int(besideEnds[n]), n+1
		}
	}
	l.ends = ends
	if len(data) <= maxLastTree {
		l.ends, last.ends = last.ends, ends
		last.data, last.position = data, position
	}
	return nil
}

// endsWithin returns how many entries end at or before an offset.
func endsWithin(ends []uint32, offset int) int {
	n, _ := slices.BinarySearch(ends, uint32(offset)+1)
	return n
}

// commonPrefix returns how many bytes a and b start with alike.
func commonPrefix(a, b []byte) int {
	n := min(len(a), len(b))
	i := 0
	for i+256 <= n && string(a[i:i+256]) == string(b[i:i+256]) {
		i += 256
	}
	for ; i+8 <= n; i += 8 {
		if x := binary.LittleEndian.Uint64(a[i:]) ^ binary.LittleEndian.Uint64(b[i:]); x != 0 {
			return i + bits.TrailingZeros64(x)/8
		}
	}
	for i < n && a[i] == b[i] {
		i++
	}
	return i
}
