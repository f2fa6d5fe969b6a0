package merge

import (
	"bytes"
	"errors"

	"github.com/ingot-forge/ingot/git/diff"
)

// Style is how a conflict is shown in a text.
type Style uint8

// The values of git's merge.conflictStyle.
const (
	MergeStyle   Style = iota // both sides, as small as it can be
	Diff3                     // both sides, and what was there before
	ZealousDiff3              // as Diff3, without what both sides start and end with alike
)

// Favor says which side is taken where both changed the same lines.
type Favor uint8

// The sides to favour.
const (
	NoFavor Favor = iota // it is a conflict
	FavorOurs
	FavorTheirs
	FavorUnion // the lines of both, ours first
)

// DefaultMarkerSize is the length of the markers around conflicts.
const DefaultMarkerSize = 7

// ErrBinary is returned for files that cannot be merged by lines: there is a NUL
// among the first 8000 bytes, or they are too large.
var ErrBinary = errors.New("binary files cannot be merged")

// TextOptions say how to merge texts. The zero value is as git merge does.
type TextOptions struct {
	// The labels behind the markers. An empty one leaves out the space, too.
	Base, Ours, Theirs string
	Style              Style
	Favor              Favor
	MarkerSize         int // 0 means DefaultMarkerSize
	// FileMerge compares as git merge-file does, by another algorithm than git merge,
	// and joins two conflicts if there is not a letter or digit between them.
	FileMerge bool
	MaxBytes  int // of each file; 0 means DefaultFileBytes
}

// Text merges what happened between base and ours with what happened between
// base and theirs, line by line. conflicts is how many places have markers.
func Text(base, ours, theirs []byte, o TextOptions) (result []byte, conflicts int, err error) {
	setDefault(&o.MaxBytes, DefaultFileBytes)
	for _, data := range [][]byte{base, ours, theirs} {
		if len(data) > o.MaxBytes || isBinary(data) {
			return nil, 0, ErrBinary
		}
	}
	w := weave{o: o, base: diff.NewText(base), ours: diff.NewText(ours), theirs: diff.NewText(theirs)}
	mine, other := w.edits(w.base, w.ours), w.edits(w.base, w.theirs)
	switch {
	case len(mine) == 0:
		return theirs, 0, nil
	case len(other) == 0:
		return ours, 0, nil
	}
	w.join(mine, other)
	w.refine()
	return w.write(), w.conflicts, nil
}

func isBinary(data []byte) bool { return bytes.IndexByte(data[:min(len(data), 8000)], 0) >= 0 }
