// Package blame finds for each line of a file the commit that brought it there, as git blame does.
//
// It goes back from one commit. Each version of the file that it comes to (an origin: a commit and a path) is
// suspected of some lines; it hands on to its parents those that they have too, by
// comparing the two versions, and is to blame for the rest. The order of the work is by commit
// date, git's, and every step is git's: entries come as git blame --incremental writes them,
// and Sort makes of them what git blame --porcelain shows.
//
// What always holds: the entries of a file cover each of its lines (or each asked for) exactly once.
package blame

import (
	"context"
	"fmt"
	"iter"
	"slices"

	"github.com/ingot-forge/ingot/git"
	"github.com/ingot-forge/ingot/git/ancestry"
)

// Options say what to blame.
type Options struct {
	Tip  git.ID // a commit
	Path string // of a file in it
	// Ranges are the lines asked for; none: all. They ascend and do not touch.
	Ranges []Range
	// FirstParent follows only the first parent of merges.
	FirstParent bool
	// Not is where history ends: these commits, and all that they reach, take the blame for
	// what was there by then.
	Not []git.ID
	// Since ends history at commits older than that, in seconds. 0: no end.
	Since int64
	// WithoutRenames does not look where a file came from when it appeared.
	WithoutRenames bool
	// MaxBytes is the size of the largest file that is read; 0 means DefaultBytes.
	MaxBytes int
}

// DefaultBytes is the size of the largest file that is blamed, where Options sets no other.
const DefaultBytes = 32 << 20

// Range is lines Start up to End, from 0.
type Range struct{ Start, End int }

// Entry says that a commit brought some lines to the file.
type Entry struct {
	Commit   git.ID
	Path     string // of the file in that commit
	Line     int    // where the lines are in the file that is blamed, from 0
	OrigLine int    // and where in that commit's
	Count    int    // how many lines
	// Previous is what the commit changed: where to go on to look for what was there before. Nil if the
	// file was new.
	Previous *Previous
	// Boundary: the lines may be older. History was not followed further.
	Boundary bool
}

// Previous is a version of a file.
type Previous struct {
	Commit git.ID
	Path   string
}

// TooBigError says that a version of the file is too big to be blamed.
type TooBigError struct {
	Blob      git.ID
	Size, Max int
}

func (e *TooBigError) Error() string {
	return fmt.Sprintf("blob %s has %d bytes, of at most %d that are blamed", e.Blob, e.Size, e.Max)
}

// Blame yields who brought which lines, as soon as that is known: the newest commits
// first. After an error, which is yielded with a zero Entry, nothing more comes: it matches
// git.ErrNotFound where Tip has no such file, treepath.ErrPath, a *TooBigError, or what objects
// and ctx report.
func Blame(ctx context.Context, commits *ancestry.Commits, o Options) iter.Seq2[Entry, error] {
	return func(yield func(Entry, error) bool) {
		b := &board{Commits: commits, Options: &o, ctx: ctx, origins: map[ancestry.Node][]*origin{},
			finders: map[string]*finder{}}
		err := b.start()
		if err == nil {
			err = b.run(func(e Entry) bool { return yield(e, nil) })
		}
		if err != nil {
			yield(Entry{}, fmt.Errorf("blame %q: %w", o.Path, err))
		}
	}
}

// Sort orders entries by line, and joins those that follow one another also in the
// commit they come from, as git blame shows them.
func Sort(entries []Entry) []Entry {
	entries = slices.Clone(entries)
	slices.SortFunc(entries, func(a, b Entry) int { return a.Line - b.Line })
	out := entries[:0]
	for _, e := range entries {
		if len(out) > 0 {
			last := &out[len(out)-1]
			if last.Commit == e.Commit && last.Path == e.Path &&
				last.Line+last.Count == e.Line && last.OrigLine+last.Count == e.OrigLine {
				last.Count += e.Count
				continue
			}
		}
		out = append(out, e)
	}
	return out
}

// start suspects the file that is asked about of all its lines.
func (b *board) start() error {
	tip, err := b.Find(b.ctx, b.Tip)
	if err != nil {
		return err
	}
	if err := b.exclude(); err != nil {
		return err
	}
	f, err := b.finder(b.Path)
	if err != nil {
		return err
	}
	at, err := f.Find(b.ctx, b.Tree(tip))
	if err != nil {
		return err
	}
	if !at.Exists() || at.IsTree() || at.Mode == git.ModeSubmodule {
		return fmt.Errorf("no such file in commit %s: %w", b.Tip, git.ErrNotFound)
	}
	o := b.origin(tip, f.Path())
	o.entry = at
	if err := b.load(o); err != nil {
		return err
	}
	lines := countLines(o.data)
	ranges := b.Ranges
	if len(ranges) == 0 {
		ranges = []Range{{0, lines}}
	}
	end := 0
	var all []piece
	for _, r := range ranges {
		if r.Start < end || r.End <= r.Start && lines > 0 || r.End > lines {
			return fmt.Errorf("lines %d to %d of %d, after line %d: %w", r.Start, r.End, lines, end, ErrRange)
		}
		end = r.End
		if r.Start < r.End {
			all = append(all, piece{line: r.Start, orig: r.Start, count: r.End - r.Start})
		}
	}
	b.suspect(o, all)
	return nil
}
