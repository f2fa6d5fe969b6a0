package pack

import (
	"bytes"
	"encoding/binary"

	"github.com/ingot-forge/ingot/git"
)

// TreeDelta appends to dst the delta that makes one tree out of another. It goes through
// both side by side, which their order allows, and so finds what a DeltaIndex of base does
// without making one, which takes longer. It returns nil where the delta would exceed maxSize bytes, where
// either is damaged, and for an empty target.
func TreeDelta(f git.Format, dst, base, target []byte, maxSize int) []byte {
	if len(target) == 0 || len(base) > deltaMaxReach {
		return nil
	}
	limit := len(dst) + maxSize
	dst = binary.AppendUvarint(dst, uint64(len(base)))
	dst = binary.AppendUvarint(dst, uint64(len(target)))
	// Entries start at old and at at; target[insert:at] is to be inserted.
	old, at, insert := 0, 0, 0
	for at < len(target) && old < len(base) {
		n := git.CommonPrefix(base[old:], target[at:])
		whole, ok := entriesIn(f, target[at:], n)
		if !ok {
			return nil
		}
		// The start of an entry may have been copied with another of a similar name.
		if from := max(insert, at); at+n >= from+leastTreeCopy {
			dst = appendInsert(dst, target[insert:from])
			dst = appendCopy(dst, old+from-at, at+n-from)
			insert = at + n
		}
		if old, at = old+whole, at+whole; at == len(target) || old == len(base) {
			break
		}
		// Both are at entries that differ. What is in one only is passed by, and
		// entries of the same name are.
		order, oldSize, size, ok := compareFirst(f, base[old:], target[at:])
		if !ok {
			return nil
		}
		if order <= 0 {
			old += oldSize
		}
		if order >= 0 {
			at += size
		}
		if len(dst)+at-insert > limit {
			return nil
		}
	}
	if len(dst)+len(target)-insert > limit {
		return nil
	}
	dst = appendInsert(dst, target[insert:])
	if len(dst) > limit {
		return nil
	}
	return dst
}

// leastTreeCopy is how long a copy is that takes less than to insert the same.
const leastTreeCopy = 8

// entriesIn returns the length of the entries that are whole in the first n bytes of a tree; ok
// is false if it is damaged there.
func entriesIn(f git.Format, tree []byte, n int) (whole int, ok bool) {
	for whole < n {
		_, start, end := git.EntrySpan(f, tree[whole:])
		if start == 0 {
			return 0, false
		}
		next := whole + end + 1 + f.Size()
		if next > n {
			break
		}
		whole = next
	}
	return whole, true
}

// compareFirst orders the first entries of two trees as trees do, and returns their lengths; ok
// is false if one is damaged.
func compareFirst(f git.Format, a, b []byte) (order, aSize, bSize int, ok bool) {
	aMode, aStart, aEnd := git.EntrySpan(f, a)
	bMode, bStart, bEnd := git.EntrySpan(f, b)
	if aStart == 0 || bStart == 0 {
		return 0, 0, 0, false
	}
	aName, bName := a[aStart:aEnd], b[bStart:bEnd]
	n := min(len(aName), len(bName))
	if order = bytes.Compare(aName[:n], bName[:n]); order == 0 {
		order = int(nameByte(aMode, aName, n)) - int(nameByte(bMode, bName, n))
	}
	return order, aEnd + 1 + f.Size(), bEnd + 1 + f.Size(), true
}

// nameByte returns a byte of a name; behind that of a directory stands a slash.
func nameByte(mode git.Mode, name []byte, at int) byte {
	switch {
	case at < len(name):
		return name[at]
	case mode.IsTree():
		return '/'
	}
	return 0
}
