// Package grep searches the files of a tree for lines that match a pattern, as
// git grep -I -n -E does with a commit: in the order of the paths, regular files only, and of those
// only texts, which have no NUL in their first 8,000 bytes.
//
// # Patterns
//
// A pattern is an expression of RE2, and is matched with each line alone, so that '^' and '$' are the ends
// of the line, by bytes: '.' and "[^x]" take any one byte, while a character beyond ASCII that
// the pattern names is its UTF-8. Ignoring case is that of Unicode for those, and of ASCII for ASCII. The
// time is linear in the text, whatever the pattern.
//
// # Speed
//
// Most time goes into reading blobs. Of a pattern, the longest text that every match has to contain is looked
// for in the whole blob; only lines that have it are looked at. There, and everywhere where there is no such
// text, an automaton takes byte by byte, one look into a table each, whose states are made as they are met. A
// pattern that makes too many of them is run without.
//
// # Pages
//
// Whatever bounds an answer ends it at a line, and says after which one to go on: the answers that follow
// each other have together the same matches as one without bounds. Only lines of context may come in two of them.
package grep

import (
	"context"
	"fmt"
	"runtime"

	"github.com/ingot-forge/ingot/git"
	"github.com/ingot-forge/ingot/git/pathspec"
)

// Query says what to look for, and how much of it. Zero bounds are the defaults.
type Query struct {
	Pattern *Pattern
	Paths   pathspec.Specs // none: everywhere
	Context int            // lines to show around one that matches; at most MaxContext
	After   Cursor         // where to go on

	Matches   int   // lines that match; no bound by default
	Files     int   // entries of trees looked at; DefaultFiles
	Bytes     int64 // of blobs read; DefaultBytes
	BlobBytes int64 // of a blob that is searched; DefaultBlobBytes. A larger one is told as such
	LineBytes int   // of a line that are shown; DefaultLineBytes
	Workers   int   // GOMAXPROCS
	// Header, unless nil, tells kind and size of an object without reading it whole, so that what
	// is too large is not read.
	Header func(ctx context.Context, id git.ID) (git.Kind, int64, error)
	// Text, unless nil, decides of a path whether it is text or binary, known being false where its
	// content is to: what .gitattributes says.
	Text func(path string) (text, known bool)
}

// The defaults of the bounds of a Query.
const (
	DefaultFiles     = 4 << 20
	DefaultBytes     = 8 << 30
	DefaultBlobBytes = 32 << 20
	DefaultLineBytes = 1 << 10
)

const (
	// MaxContext bounds Query.Context.
	MaxContext = 100
	// maxShown bounds the bytes shown of one file: what shows more is continued by another answer.
	maxShown = 1 << 20
	// maxPath and maxDepth bound what trees can be made to say.
	maxPath  = 4096
	maxDepth = 2048
)

// Cursor is a place behind which a search goes on: a line, counted from 1. The zero Cursor is the start.
// With a path and no line it is the start of that file.
type Cursor struct {
	Path string
	Line int
}

// FileMatch is what was found in a file. It is good until visit returns.
type FileMatch struct {
	Path  string
	Mode  git.Mode
	ID    git.ID
	Lines []Line // ascending; with context, groups of neighbours
	// TooLarge says that the blob was not searched, since it is larger than Query.BlobBytes.
	TooLarge bool
}

// Line is a line of a file.
type Line struct {
	Number  int    // from 1
	Match   bool   // otherwise it is context
	Text    []byte // without its line feed, cut off at Query.LineBytes
	Clipped bool   // there is more of it
}

// Stop says which bound ended a search.
type Stop string

const (
	StoppedByMatches Stop = "matches"
	StoppedByFiles   Stop = "files"
	StoppedByBytes   Stop = "bytes"
)

// Result is how far a search came.
type Result struct {
	Stopped Stop   // "" if it came to the end
	Next    Cursor // if it did not, Query.After of the one that goes on
	Matches int    // lines
	Files   int    // entries of trees looked at
	Bytes   int64  // of blobs read
}

// Search calls visit for the files of a tree that have a line that matches, in order, one at a time, from one
// goroutine. Blobs are read by several; each id once, if it has nothing that matches. Errors are those of
// reading and of visit; visits before were right.
func Search(ctx context.Context, objects git.Objects, f git.Format, tree git.ID, q Query, visit func(*FileMatch) error) (Result, error) {
	if q.Pattern == nil {
		return Result{}, fmt.Errorf("grep: no pattern")
	}
	if q.Context < 0 || q.Context > MaxContext {
		return Result{}, fmt.Errorf("grep: context of %d lines: at most %d are shown", q.Context, MaxContext)
	}
	q.Files = orDefault(q.Files, DefaultFiles)
	q.Bytes = orDefault(q.Bytes, DefaultBytes)
	q.BlobBytes = orDefault(q.BlobBytes, DefaultBlobBytes)
	q.LineBytes = orDefault(q.LineBytes, DefaultLineBytes)
	q.Workers = orDefault(q.Workers, runtime.GOMAXPROCS(0))
	s := &search{objects: objects, format: f, Query: q, visit: visit}
	err := s.run(ctx, tree)
	return s.result, err
}

func orDefault[T int | int64](value, otherwise T) T {
	if value <= 0 {
		return otherwise
	}
	return value
}
