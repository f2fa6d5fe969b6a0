package diff

import (
	"context"

	"github.com/ingot-forge/ingot/git"
)

// Counts is what git diff --numstat tells of a change.
type Counts struct {
	Added, Deleted int  // lines
	Binary         bool // or too big: there are no lines to count
	// Quiet: --numstat leaves the change out, for what differs is ignored.
	Quiet bool

	OldBytes, NewBytes int64
}

// Count counts the lines that a change adds and deletes. A Retyped file counts
// as one, whose lines are compared. With the same options the counts are those
// of the patch. It fails as Compare does.
func Count(ctx context.Context, objects git.Objects, f git.Format, c Change, o Options) (Counts, error) {
	d, err := Compare(ctx, objects, f, c, o)
	if err != nil {
		return Counts{}, err
	}
	if d.Same { // but whether there are lines at all has to be looked up
		return countSame(ctx, objects, f, c, &o)
	}
	n := Counts{Binary: d.Binary, OldBytes: d.OldBytes, NewBytes: d.NewBytes}
	if d.Binary {
		return n, nil
	}
	if !o.IgnoreBlankLines {
		for _, e := range d.Edits {
			n.Added += e.BEnd - e.BStart
			n.Deleted += e.AEnd - e.AStart
		}
	} else {
		for _, h := range d.Hunks(o) {
			for _, e := range h.Edits {
				n.Added += e.BEnd - e.BStart
				n.Deleted += e.AEnd - e.AStart
			}
		}
	}
	n.Quiet = n.Added+n.Deleted == 0 && c.Status == Modified && c.Old.Mode == c.New.Mode
	return n, nil
}

// countSame counts a change that leaves the content as it is.
func countSame(ctx context.Context, objects git.Objects, f git.Format, c Change, o *Options) (Counts, error) {
	size, err := o.size(ctx, c.New)
	if err != nil {
		return Counts{}, err
	}
	if size > o.maxBytes() {
		return Counts{Binary: true, OldBytes: size, NewBytes: size}, nil
	}
	data, err := content(ctx, objects, f, c.New)
	if err != nil {
		return Counts{}, err
	}
	size = int64(len(data))
	binary := o.tooBig(data) || isBinary(data, o.attributes(c.Old)) || isBinary(data, o.attributes(c.New))
	return Counts{Binary: binary, OldBytes: size, NewBytes: size}, nil
}
