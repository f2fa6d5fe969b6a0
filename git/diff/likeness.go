package diff

import (
	"context"

	"github.com/ingot-forge/ingot/git"
)

// Likeness tells how like each other files are, by the measure of Renames, for
// whoever pairs them by rules of their own. It serves one goroutine.
type Likeness struct{ r *renamer }

// Original and Moved are the two files that Likeness compares. What was read of
// them is kept for the next comparison, as long as they are.
type (
	Original struct{ source source }
	Moved    struct{ target target }
)

// NewLikeness returns a Likeness within the limits of o: its Score, Bytes and
// Work.
func NewLikeness(ctx context.Context, objects git.Objects, f git.Format, o RenameOptions) *Likeness {
	return &Likeness{newRenamer(ctx, objects, f, nil, o)}
}

// NewOriginal returns a file to compare others with.
func NewOriginal(side Side) *Original { return &Original{source{side: side}} }

// NewMoved returns a file to be compared with others.
func NewMoved(side Side) *Moved { return &Moved{target{side: side}} }

// Side returns which file it is.
func (o *Original) Side() Side { return o.source.side }

// Side returns which file it is.
func (m *Moved) Side() Side { return m.target.side }

// Forget lets go of what was read.
func (o *Original) Forget() { o.source.sample = sample{} }

// Forget lets go of what was read.
func (m *Moved) Forget() { m.target.sample = sample{} }

// Score returns how much of the larger file is in both, up to MaxScore. Where
// that is less than minimum, it may say 0. It is not ok once a limit is exceeded;
// errors are those of reading.
func (l *Likeness) Score(o *Original, m *Moved, minimum int) (score int, ok bool, err error) {
	return l.r.alike(&o.source, &m.target, minimum)
}
