// Package diff compares: trees with trees, files with files, lines with lines.
// Every step is a function from values to values, and its results are those of
// git diff, byte for byte:
//
//   - Trees walks two trees and tells what differs, Changes gathers it, and
//     Renames finds the files among it that moved or were copied.
//   - Lines compares two Texts and returns Edits; Hunks groups those as a
//     patch shows them, with context.
//   - Compare reads the two sides of a Change and compares them; AppendPatch
//     writes that as git diff -p does, Count counts it as --numstat does.
//   - Words says which words of a changed line differ, for display.
//
// What always holds: Edits applied to the old text give the new one; no function
// recurses on what it reads; every input has a limit with a name, and no amount
// of work is quadratic without one. The oracle is git 2.39.
package diff

import (
	"fmt"

	"github.com/ingot-forge/ingot/git"
)

// Status says what happened to a path, in git's letters.
type Status byte

const (
	Unchanged Status = 0 // only where TreeOptions.Unchanged asks for it
	Added     Status = 'A'
	Copied    Status = 'C'
	Deleted   Status = 'D'
	Modified  Status = 'M' // content, executable bit, or both
	Renamed   Status = 'R'
	Retyped   Status = 'T' // a file became a symbolic link, say
)

// String returns git's letter.
func (s Status) String() string {
	if s == Unchanged {
		return "unchanged"
	}
	return string(rune(s))
}

// Side is one of the two files of a Change. Its zero value is a file that is
// not there.
type Side struct {
	Path string
	Mode git.Mode // as git's diff shows it: ModeBlob, ModeExecutable, ModeSymlink or ModeSubmodule; 0: no file
	ID   git.ID   // of the blob, or of the submodule's commit
}

// Exists reports whether there is a file.
func (s Side) Exists() bool { return s.Mode != 0 }

func (s Side) isRegular() bool   { return s.Mode == git.ModeBlob || s.Mode == git.ModeExecutable }
func (s Side) isSubmodule() bool { return s.Mode == git.ModeSubmodule }

// MaxScore is the score of two files that are the same.
const MaxScore = 60000

// Change is a difference between two trees at one path, or two if a file moved.
type Change struct {
	Status   Status
	Score    int // of Renamed and Copied: how alike the files are, up to MaxScore
	Old, New Side
}

// Path is where the change is shown: the new path, or that of what was deleted.
func (c *Change) Path() string {
	if c.New.Exists() {
		return c.New.Path
	}
	return c.Old.Path
}

// Similarity is the score in percent, as git shows it: rounded down.
func (c *Change) Similarity() int { return c.Score * 100 / MaxScore }

// Split returns the changes that a patch shows for c: a Retyped file is deleted
// and then added, all others stand for themselves.
func (c *Change) Split() []Change {
	if c.Status != Retyped {
		return []Change{*c}
	}
	return []Change{{Status: Deleted, Old: c.Old}, {Status: Added, New: c.New}}
}

// statusOf tells the status of a path from what is there before and after.
func statusOf(old, new Side) Status {
	switch {
	case !old.Exists():
		return Added
	case !new.Exists():
		return Deleted
	case old.Mode == new.Mode && old.ID == new.ID:
		return Unchanged
	case old.Mode != new.Mode && !(old.isRegular() && new.isRegular()):
		return Retyped
	}
	return Modified
}

// A LimitError says which limit two trees break.
type LimitError struct {
	Limit string // "trees", "changes", "path length"
	Max   int64
}

func (e *LimitError) Error() string {
	return fmt.Sprintf("comparing trees: %s exceeds the limit of %d", e.Limit, e.Max)
}
