package bitmap

import (
	"bytes"
	"encoding/binary"
	"math/bits"
	"slices"

	"github.com/ingot-forge/ingot/git"
)

// A tree mostly differs in an entry or two from the one that was read before it
// at the same path. What both have byte for byte is in the set already if what the earlier
// tree has is, so lastTrees keeps the last tree of a path and finds by comparing
// bytes what is new: looking up each entry would take most of the time of Build.
type lastTrees struct {
	trees [256]lastTree
	walk  int
	below Set
	ends  []uint32 // scratch
}

// start begins a walk from a set that is closed. Trees that were read in another walk
// serve from now on only if below has them. That they are in the set would not do: they may be
// waiting to be read, and of two trees neither would be gone through because of the other.
func (l *lastTrees) start(below Set) {
	l.walk++
	l.below = below
}

// lastTree is a tree that was read to its end, well formed.
type lastTree struct {
	walk     int
	position int
	data     []byte
	ends     []uint32 // the offset behind each entry
}

// maxLastTree bounds what is kept: sixteen megabytes in all, and a quarter of that in ends.
const maxLastTree = 64 << 10

// each calls take for the entries of the tree at a position, all but some that were taken in
// this walk, or that below has. The hash of the path only says where to look for these.
func (l *lastTrees) each(f git.Format, path uint32, position int, data []byte,
	take func(mode git.Mode, name []byte, id git.ID) error) error {
	last := &l.trees[path*0x9e3779b1>>24]
	var beside []byte
	var besideEnds []uint32
	if last.walk == l.walk || len(last.ends) > 0 && l.below.Has(last.position) {
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
		last.data, last.position, last.walk = data, position, l.walk
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
