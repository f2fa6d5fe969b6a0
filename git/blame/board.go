package blame

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/ingot-forge/ingot/git"
	"github.com/ingot-forge/ingot/git/ancestry"
	"github.com/ingot-forge/ingot/git/commitgraph"
	"github.com/ingot-forge/ingot/git/treepath"
)

// ErrRange is matched by the error for lines that the file does not have.
var ErrRange = errors.New("no such lines")

// board is the state of one blame: who is suspected of what.
type board struct {
	*ancestry.Commits
	*Options
	ctx     context.Context
	queue   ancestry.Queue[int64] // commits with suspects
	origins map[ancestry.Node][]*origin
	finders map[string]*finder
	ended   ancestry.Marks[bool] // commits at which history ends
	parents []ancestry.Node
}

// origin is a version of the file.
type origin struct {
	node     ancestry.Node
	path     string
	entry    treepath.Entry
	data     []byte  // nil: not loaded
	suspects []piece // by orig
	previous *origin
}

// piece is some lines of the file, and where an origin has them.
type piece struct{ line, orig, count int }

// finder finds a path in commits.
type finder struct {
	*treepath.Finder
	filter *commitgraph.Path
}

func (b *board) finder(path string) (*finder, error) {
	if f := b.finders[path]; f != nil {
		return f, nil
	}
	if path == "" {
		return nil, fmt.Errorf("path %q: %w", path, treepath.ErrPath)
	}
	t, err := treepath.New(b.Objects(), b.Format(), path)
	if err != nil {
		return nil, err
	}
	f := &finder{t, commitgraph.NewPath(t.Path())}
	b.finders[path] = f
	return f, nil
}

// known returns the origin of a path in a commit, if the board has it.
func (b *board) known(n ancestry.Node, path string) *origin {
	for _, o := range b.origins[n] {
		if o.path == path {
			return o
		}
	}
	return nil
}

// origin returns the origin of a path in a commit, and makes it the first of that commit.
func (b *board) origin(n ancestry.Node, path string) *origin {
	list := b.origins[n]
	for i, o := range list {
		if o.path == path {
			copy(list[1:i+1], list[:i])
			list[0] = o
			return o
		}
	}
	o := &origin{node: n, path: path}
	b.origins[n] = slices.Insert(list, 0, o)
	return o
}

// suspect suspects an origin of more lines.
func (b *board) suspect(o *origin, more []piece) {
	if len(o.suspects) > 0 {
		o.suspects = append(o.suspects, more...)
		sortPieces(o.suspects)
		return
	}
	o.suspects = more
	for _, other := range b.origins[o.node] {
		if other != o && len(other.suspects) > 0 {
			return // the commit is queued
		}
	}
	b.queue.Push(o.node, b.Seconds(o.node))
}

func sortPieces(pieces []piece) {
	byOrig := func(a, b piece) int { return a.orig - b.orig }
	if !slices.IsSortedFunc(pieces, byOrig) {
		slices.SortStableFunc(pieces, byOrig)
	}
}

// run hands blame on until nobody is suspected any more.
func (b *board) run(yield func(Entry) bool) error {
	for b.queue.Len() > 0 {
		n := b.queue.Pop()
		for {
			if err := b.ctx.Err(); err != nil {
				return err
			}
			o := b.nextSuspect(n)
			if o == nil {
				break
			}
			boundary := *b.ended.At(n) || b.Since != 0 && b.Seconds(n) < b.Since
			if !boundary {
				if err := b.pass(o); err != nil {
					return err
				}
			}
			o.data = nil
			for _, p := range o.suspects {
				e := Entry{Commit: b.ID(n), Path: o.path, Line: p.line, OrigLine: p.orig, Count: p.count, Boundary: boundary}
				if o.previous != nil {
					e.Previous = &Previous{b.ID(o.previous.node), o.previous.path}
				}
				if !yield(e) {
					return nil
				}
			}
			o.suspects = nil
		}
	}
	return nil
}

func (b *board) nextSuspect(n ancestry.Node) *origin {
	for _, o := range b.origins[n] {
		if len(o.suspects) > 0 {
			return o
		}
	}
	return nil
}

// load reads the content of an origin.
func (b *board) load(o *origin) error {
	if o.data != nil {
		return nil
	}
	kind, data, err := b.Objects().Object(b.ctx, o.entry.ID)
	if err != nil {
		return fmt.Errorf("blob %s: %w", o.entry.ID, err)
	}
	if kind != git.KindBlob {
		return fmt.Errorf("%w: %s is a %s, not a blob", git.ErrCorrupt, o.entry.ID, kind)
	}
	limit := b.MaxBytes
	if limit <= 0 {
		limit = DefaultBytes
	}
	if len(data) > limit {
		return &TooBigError{o.entry.ID, len(data), limit}
	}
	if data == nil {
		data = []byte{}
	}
	o.data = data
	return nil
}

// countLines counts the lines of a file; the last may lack its line feed.
func countLines(data []byte) int {
	n := bytes.Count(data, []byte{'\n'})
	if len(data) > 0 && data[len(data)-1] != '\n' {
		n++
	}
	return n
}

// exclude finds what Options.Not reaches. It visits all of it: blame seldom has any, and asks about
// commits in an order that is not that of ranks.
func (b *board) exclude() error {
	nodes, err := b.FindAll(b.ctx, b.Not)
	if err != nil {
		return err
	}
	for steps := 0; len(nodes) > 0; steps++ {
		if steps%ancestry.CheckEvery == 0 && b.ctx.Err() != nil {
			return b.ctx.Err()
		}
		n := nodes[len(nodes)-1]
		nodes = nodes[:len(nodes)-1]
		if at := b.ended.At(n); !*at {
			*at = true
			if nodes, err = b.AppendParents(b.ctx, nodes, n); err != nil {
				return err
			}
		}
	}
	return nil
}
