package history

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"math/bits"
	"slices"

	"github.com/ingot-forge/ingot/git"
)

// A tree mostly differs in an entry or two from the one that was read before it
// at the same path. Entries that both have byte for byte were taken up then, so
// lastTrees keeps the last tree of a path and finds what is new by comparing
// bytes: looking up each entry costs ten times as much.
type lastTrees struct {
	trees [256]lastTree
	ends  []uint32 // scratch
}

// lastTree is a tree that was read to its end, well formed.
type lastTree struct {
	data []byte
	ends []uint32 // the offset behind each entry
}

// maxLastTree bounds what is kept: sixteen megabytes in all.
const maxLastTree = 64 << 10

// each calls do for the entries of a tree that the last one with the same path
// hash does not have. The hash only says where to look: any tree serves that
// was gone through by the same function.
func (l *lastTrees) each(f git.Format, pathHash uint32, data []byte, do func(mode git.Mode, name []byte, id git.ID) error) error {
	last := &l.trees[pathHash*0x9e3779b1>>24]
	ends := l.ends[:0]
	at, old, n := 0, 0, 0 // in data; in last.data; number of the entry there
	for at < len(data) {
		if same := n + entriesWithin(last.ends[n:], old+commonPrefix(data[at:], last.data[old:])); same > n {
			shift := uint32(at - old)
			for _, end := range last.ends[n:same] {
				ends = append(ends, end+shift)
			}
			at += int(last.ends[same-1]) - old
			old, n = int(last.ends[same-1]), same
			continue
		}
		mode, name, id, rest, err := git.NextEntry(f, data[at:])
		if err != nil {
			return fmt.Errorf("at byte %d: %w", at, err)
		}
		if err := do(mode, name, id); err != nil {
			return err
		}
		at = len(data) - len(rest)
		ends = append(ends, uint32(at))
		// Come to the same name in the last tree, or to the one behind it.
		for n < len(last.ends) {
			_, oldName, _, _, err := git.NextEntry(f, last.data[old:])
			if err != nil || bytes.Compare(oldName, name) > 0 {
				break
			}
			old, n = int(last.ends[n]), n+1
		}
	}
	l.ends = ends
	if len(data) <= maxLastTree {
		last.data = data
		last.ends, l.ends = ends, last.ends
	}
	return nil
}

// entriesWithin returns how many entries end at or before an offset.
func entriesWithin(ends []uint32, offset int) int {
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
