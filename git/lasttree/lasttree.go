// Package lasttree goes through trees without looking again at what they share with
// the last one of the same path.
//
// A tree mostly differs in an entry or two from the one that was read before it at
// its path. Entries that both have byte for byte were taken up then, so Trees
// keeps the last tree of each path and finds what is new by comparing bytes:
// looking every entry up costs ten times as much.
//
// What always holds: an entry that is passed over was in a tree that was gone
// through to its end before.
package lasttree

import (
	"bytes"
	"fmt"
	"slices"

	"github.com/ingot-forge/ingot/git"
)

// Trees are the last trees of a walk. The zero value has none. It serves one
// goroutine. M is what its user notes of a tree, to know whether it may stand for others.
type Trees[M any] struct {
	trees [256]tree[M]
	ends  []uint32 // scratch
}

// tree is one that was gone through to its end, well formed.
type tree[M any] struct {
	mark M
	data []byte
	ends []uint32 // the offset behind each entry
}

// maxKept is the largest tree that is kept: sixteen megabytes in all, and a
// quarter of that in ends.
const maxKept = 64 << 10

// Each calls do for the entries of a tree, in order, but for those that the last tree of
// the path has as well, if serves, which may be nil, says of its mark that it may stand for
// this one. The hash of the path only says where to look: any tree serves that was gone through by
// the same Trees. data is kept, with its mark, if do returns no error. Malformed
// trees are git.ErrCorrupt.
func (t *Trees[M]) Each(f git.Format, pathHash uint32, data []byte, mark M, serves func(M) bool,
	do func(mode git.Mode, name []byte, id git.ID) error) error {
	last := &t.trees[pathHash*0x9e3779b1>>24] // by Fibonacci hashing, since low bits of name hashes differ little
	var beside []byte
	var besideEnds []uint32
	if len(last.ends) > 0 && (serves == nil || serves(last.mark)) {
		beside, besideEnds = last.data, last.ends
	}
	ends := t.ends[:0]
	at, old, n := 0, 0, 0 // in data; in beside; number of the entry there
	for at < len(data) {
		if same := n + entriesWithin(besideEnds[n:], old+git.CommonPrefix(data[at:], beside[old:])); same > n {
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
			return fmt.Errorf("at byte %d: %w", at, err)
		}
		if err := do(mode, name, id); err != nil {
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
	t.ends = ends
	if len(data) <= maxKept {
		last.mark, last.data = mark, data
		last.ends, t.ends = ends, last.ends
	}
	return nil
}

// entriesWithin returns how many entries end at or before an offset.
func entriesWithin(ends []uint32, offset int) int {
	n, _ := slices.BinarySearch(ends, uint32(offset)+1)
	return n
}
