// Package merge joins two lines of work: texts (Text), trees (Trees), and the
// histories of commits (Commits); and it moves single commits: CherryPick,
// Revert, Rebase, Squash.
//
// A merge is a value: the tree that comes out, the objects that it needs and the
// repository lacks, the conflicts, and what git would say about it all. Nothing
// is written anywhere, and nothing is ever resolved silently: what both sides
// changed in different ways is a Conflict, with all its versions.
//
// The rules are those of git's default strategy, ort, and so are the results, byte
// for byte: files that were renamed, on either side or both, with what the
// other side did to them; files that were added to a directory which the other
// side renamed; modes, symbolic links, submodules; files in the way of
// directories; bases that have to be merged themselves. In a tree with
// conflicts, files have git's conflict markers. The oracle is git 2.39.
//
// What always holds: directories that only one side changed, or none, are not read
// unless a file may have been renamed into them; no function recurses on
// what it reads; every input has a limit with a name.
package merge

import (
	"context"
	"fmt"
	"strings"

	"github.com/ingot-forge/ingot/git"
	"github.com/ingot-forge/ingot/git/diff"
)

// The limits of a merge, where Options sets no others.
const (
	DefaultFileBytes   = diff.DefaultFileBytes // larger files are merged as binary ones
	DefaultRenameLimit = 7000                  // as git's for merges
	DefaultPaths       = 1 << 20               // files and directories to be looked at
	DefaultBases       = 1000                  // merges of merge bases, on all levels
	MaxPathBytes       = 4096
)

// Options say how to merge trees. The zero value is git's default.
type Options struct {
	// Ours, Theirs and Base name the sides in markers and messages, as in git
	// the branches do. Empty, they are "ours", "theirs" and "base".
	Ours, Theirs, Base string
	Style              Style
	Favor              Favor // for conflicts in texts and symbolic links, as -Xours and -Xtheirs
	DirectoryRenames   DirectoryRenames
	// Attributes tells what .gitattributes has of a path; nil means nothing.
	Attributes func(path string) Attributes

	FileBytes   int
	RenameLimit int
	Paths       int
	Bases       int

	// Unrelated lets Commits merge histories that have nothing in common.
	Unrelated bool
	// Abbreviate shortens an id where a commit is named by it; nil cuts it to 7
	// digits. Git's own length depends on the repository.
	Abbreviate func(id git.ID) string
}

// DirectoryRenames says what becomes of a file that one side put into a directory
// which the other side renamed.
type DirectoryRenames uint8

// The values of git's merge.directoryRenames.
const (
	SuggestMoving DirectoryRenames = iota // it is moved along, as a conflict: git's default
	MoveAlong                             // it is moved along
	LeaveBehind                           // it stays where it was put
)

// Attributes is what .gitattributes says of a path.
type Attributes struct {
	Driver     Driver // the merge attribute
	MarkerSize int    // the conflict-marker-size attribute; 0 means 7
}

// Driver is how to merge the content of a file.
type Driver uint8

// The drivers that git has built in.
const (
	TextDriver   Driver = iota // merge=text
	BinaryDriver               // merge=binary, or -merge
	UnionDriver                // merge=union
)

// Result is a merge of two trees.
type Result struct {
	// Tree is the merged tree. Where there are conflicts, it has as much as could be
	// merged, with markers in texts.
	Tree git.ID
	// Objects has those of the blobs and trees in Tree and among Conflicts that were
	// made by the merge. They may exist in the repository all the same.
	Objects git.Memory
	// Clean is whether git calls the merge clean. If it is not, there are Conflicts,
	// or at least a Note that says why.
	Clean     bool
	Conflicts []Conflict // by path
	Notes     []Note     // by the first of their paths
	// RenamesSkipped is set if a limit kept renamed files from being found. Then there may
	// be conflicts that would be none, as in git.
	RenamesSkipped bool
}

// Conflict is a path whose content has to be decided by somebody.
type Conflict struct {
	Path string
	// The versions, where they exist. They are those of other paths where files
	// were renamed.
	Base, Ours, Theirs Version
}

// Version is one version of a file.
type Version struct {
	Mode git.Mode // 0: there is none
	ID   git.ID
}

// Exists reports whether there is such a version.
func (v Version) Exists() bool { return v.Mode != 0 }

// Note is something that git tells about a merge.
type Note struct {
	Topic Topic
	Paths []string // at least one
	Text  string   // git's message
}

// Topic is what a Note is about, in git's own short words, as git merge-tree -z
// prints them.
type Topic string

// The topics.
const (
	AutoMerging          Topic = "Auto-merging"
	ContentConflict      Topic = "CONFLICT (contents)"
	BinaryConflict       Topic = "CONFLICT (binary)"
	FileDirectory        Topic = "CONFLICT (file/directory)"
	DistinctModes        Topic = "CONFLICT (distinct modes)"
	ModifyDelete         Topic = "CONFLICT (modify/delete)"
	RenameRename         Topic = "CONFLICT (rename/rename)"
	RenameCollides       Topic = "CONFLICT (rename involved in collision)"
	RenameDelete         Topic = "CONFLICT (rename/delete)"
	DirectorySuggested   Topic = "CONFLICT (directory rename suggested)"
	DirectoryApplied     Topic = "Path updated due to directory rename"
	DirectorySkipped     Topic = "Directory rename skipped since directory was renamed on both sides"
	DirectoryFileInWay   Topic = "CONFLICT (file in way of directory rename)"
	DirectoryCollision   Topic = "CONFLICT(directory rename collision)"
	DirectorySplit       Topic = "CONFLICT(directory rename unclear split)"
	SubmoduleUnavailable Topic = "CONFLICT (submodule not initialized)"
)

// IsConflict reports whether a note says that something could not be merged, rather than
// how it was.
func (t Topic) IsConflict() bool { return strings.HasPrefix(string(t), "CONFLICT") }

// NotesOn returns the notes that name a path.
func (r *Result) NotesOn(path string) []Note {
	var notes []Note
	for _, n := range r.Notes {
		for _, p := range n.Paths {
			if p == path {
				notes = append(notes, n)
				break
			}
		}
	}
	return notes
}

// LimitError says which limit a merge breaks.
type LimitError struct {
	Limit string // "paths", "path length", "merge bases"
	Max   int
}

func (e *LimitError) Error() string {
	return fmt.Sprintf("%s of a merge beyond the limit of %d", e.Limit, e.Max)
}

// Trees merges what happened between base and ours with what happened between
// base and theirs. A zero id is the empty tree. Missing objects are
// git.ErrNotFound, damaged ones git.ErrCorrupt; beyond a limit it is a
// *LimitError.
//
// Submodules are not looked into: where both sides moved one, it is a conflict.
func Trees(ctx context.Context, objects git.Objects, f git.Format, base, ours, theirs git.ID, o Options) (*Result, error) {
	s := newStore(ctx, objects, f)
	return s.merge([3]git.ID{base, ours, theirs}, o.withDefaults(), 0)
}

func (o Options) withDefaults() Options {
	setDefault(&o.Ours, "ours")
	setDefault(&o.Theirs, "theirs")
	setDefault(&o.Base, "base")
	setDefault(&o.FileBytes, DefaultFileBytes)
	setDefault(&o.RenameLimit, DefaultRenameLimit)
	setDefault(&o.Paths, DefaultPaths)
	setDefault(&o.Bases, DefaultBases)
	return o
}

func setDefault[T comparable](value *T, standard T) {
	var zero T
	if *value == zero {
		*value = standard
	}
}

// merge merges trees; depth is how many merges want the result as their base.
func (s *store) merge(trees [3]git.ID, o Options, depth int) (*Result, error) {
	if trees[1] == trees[2] || trees[0] == trees[2] {
		return s.trivial(trees[1])
	}
	if trees[0] == trees[1] {
		return s.trivial(trees[2])
	}
	m := newMerger(s, o, depth)
	if err := m.run(trees); err != nil {
		return nil, err
	}
	return m.result, nil
}

func (s *store) trivial(tree git.ID) (*Result, error) {
	if tree.IsZero() {
		var err error
		if tree, err = s.write(git.KindTree, nil); err != nil {
			return nil, err
		}
	}
	r := &Result{Tree: tree, Clean: true}
	return r, s.collect(r)
}
