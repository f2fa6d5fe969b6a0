// Package revlog walks history for readers, as git log does: which commits, in
// which order, and which of them touched a path.
//
// Walk yields commits one after the other and does no more work than the caller
// takes: the first page of a long history is cheap. LastCommits finds, in one walk, the
// commit that last changed each entry of a directory. Both answer as git 2.39 does, commit
// for commit; what a commit graph knows (parents, dates, changed paths) makes them fast
// and changes no answer.
//
// What always holds: a walk holds some bytes for each commit it met, never a commit's
// text; nothing recurses on what a repository says; every walk ends with its context.
package revlog

import (
	"context"
	"errors"
	"iter"
	"math"

	"github.com/ingot-forge/ingot/git"
	"github.com/ingot-forge/ingot/git/ancestry"
)

// Order is the order in which a walk yields commits.
type Order uint8

const (
	// ByDate yields of what is known the newest commit first: git log's default. Where
	// dates lie, a commit may come before one of its children.
	ByDate Order = iota
	// Topo yields no commit before all its children, and keeps lines of history together.
	Topo
	// DateTopo yields no commit before all its children, otherwise the newest first.
	DateTopo
	// AuthorDateTopo is DateTopo by the authors' dates; every commit is read for it.
	AuthorDateTopo
)

// Options say which commits Walk yields.
type Options struct {
	// Tips are where history starts; commits, newest or not, in any order.
	Tips []git.ID
	// Not excludes these commits and all that they reach.
	Not []git.ID
	// Left are those of Tips from which comes what is marked Commit.Left; see Symmetric.
	Left []git.ID

	Order Order
	// FirstParent follows only the first parent of a merge.
	FirstParent bool

	// Paths, unless empty, leaves commits out that change none of these files and
	// directories, taken literally, from the root. Of a merge only a parent that has the same there is
	// followed, if there is one: git's history simplification. A path that ends in a slash is
	// a directory.
	Paths []string
	// FullHistory follows all parents of a merge, and yields it if it differs from all of
	// them.
	FullHistory bool
	// Follow goes on with the old name where a file was renamed (or copied). It
	// needs one path. No merge is yielded then, as in git, unless FirstParent is set. It also sees
	// what Until and Keep leave out; git loses the file there.
	Follow bool

	// Since and Until bound the committer's date, in seconds. The walk ends at
	// commits older than Since. 0 means no bound.
	Since, Until int64
	// MinParents and MaxParents bound the number of parents; MaxParents 0 means no bound, -1 none.
	MinParents, MaxParents int
	// Keep, unless nil, says of a commit that passed all else whether to yield it. It is
	// how to look for authors and messages.
	Keep func(*git.Commit) bool
	// Skip leaves out as many commits, and MaxCount, unless 0, ends the walk after as many more.
	Skip, MaxCount int
}

// Commit is a commit that Walk yields.
type Commit struct {
	ID, Tree git.ID
	Parents  []git.ID // all of them, whatever was followed
	Seconds  int64    // committer time
	Left     bool     // reached from Options.Left
	// Path is where the file was in this commit, if Options.Follow is set.
	Path string
	// Decoded is the commit whole, if Options.Keep was asked about it.
	Decoded *git.Commit
}

// MaxPaths bounds the paths of a walk.
const MaxPaths = 1000

// Symmetric sets what is to be walked to the commits that only one of two reaches, git's
// a...b; those of a are marked Left.
func (o *Options) Symmetric(ctx context.Context, commits *ancestry.Commits, a, b git.ID) error {
	nodes, err := commits.FindAll(ctx, []git.ID{a, b})
	if err != nil {
		return err
	}
	bases, err := commits.MergeBases(ctx, nodes[0], nodes[1])
	if err != nil {
		return err
	}
	o.Tips, o.Left, o.Not = []git.ID{a, b}, []git.ID{a}, commits.IDs(bases)
	return nil
}

// Walk yields the commits that Options ask for. After an error, which is yielded with a zero
// Commit, nothing more comes: tips that are no commits, objects that are missing or corrupt, a path
// that is none (treepath.ErrPath), the end of ctx.
func Walk(ctx context.Context, commits *ancestry.Commits, o Options) iter.Seq2[Commit, error] {
	return func(yield func(Commit, error) bool) {
		err := walk(ctx, commits, &o, func(c Commit) bool { return yield(c, nil) })
		if err != nil {
			yield(Commit{}, err)
		}
	}
}

func walk(ctx context.Context, commits *ancestry.Commits, o *Options, yield func(Commit) bool) error {
	w, err := newWalker(ctx, commits, o)
	if err != nil {
		return err
	}
	next := w.nextByDate
	if o.Order != ByDate {
		t, err := newTopo(ctx, w)
		if err != nil {
			return err
		}
		next = t.next
	}
	left := math.MaxInt
	if o.MaxCount > 0 {
		left = o.MaxCount
	}
	for skip := o.Skip; left > 0; {
		n, err := next(ctx)
		if err != nil {
			if errors.Is(err, errEnd) {
				return nil
			}
			return err
		}
		c, keep, err := w.judge(ctx, n)
		if err != nil {
			return err
		}
		switch {
		case !keep:
		case skip > 0:
			skip--
		case !yield(c):
			return nil
		default:
			left--
		}
	}
	return nil
}

var errEnd = errors.New("no more commits")
