package diff

import (
	"bytes"
	"context"
	"fmt"

	"github.com/ingot-forge/ingot/git"
)

// The limits of a file whose lines are compared, where Options sets no others.
// Git's own, core.bigFileThreshold, is 512 MiB. A line costs up to some 150
// bytes of memory while it is compared, however short it is.
const (
	DefaultFileBytes = 32 << 20
	DefaultFileLines = 1 << 20
)

// Options say how to compare and show a change. The zero value is git's default
// with -U0: set Context.
type Options struct {
	LineOptions
	Context          int  // as HunkOptions.Context
	InterHunk        int  // as HunkOptions.InterHunk
	IgnoreBlankLines bool // as HunkOptions.IgnoreBlankLines
	// FileBytes and FileLines bound a file that is compared by lines. A larger
	// one is taken for binary, as git does. 0 means the default.
	FileBytes int
	FileLines int
	// Header, unless nil, tells kind and size of an object without reading it
	// whole, so that what is too large is not read.
	Header func(ctx context.Context, id git.ID) (git.Kind, int64, error)
	// Abbrev shortens the ids of an index line; nil shows them whole, as
	// --full-index does. Git's own length depends on the repository.
	Abbrev func(id git.ID) string
	// Attributes tells what .gitattributes has of a path; nil means nothing.
	Attributes func(path string) Attributes
}

// Attributes is what the diff attribute of a path says.
type Attributes struct {
	Content Content
	Heading func(line []byte) []byte // as HunkOptions.Heading; nil means no driver with its own
}

// Content says what a file holds.
type Content uint8

const (
	Detect Content = iota // binary if there is a NUL among the first 8000 bytes
	IsText
	IsBinary
)

func (o *Options) attributes(s Side) Attributes {
	if o.Attributes == nil || !s.Exists() {
		return Attributes{}
	}
	return o.Attributes(s.Path)
}

// tooBig reports whether a file is not to be compared by lines.
func (o *Options) tooBig(data []byte) bool {
	maxLines := o.FileLines
	setDefault(&maxLines, DefaultFileLines)
	return int64(len(data)) > o.maxBytes() || len(data) > maxLines && countLines(data) > maxLines
}

func (o *Options) maxBytes() int64 {
	n := o.FileBytes
	setDefault(&n, DefaultFileBytes)
	return int64(min(n, MaxText))
}

// size is what Header tells of a file; 0 if nobody knows.
func (o *Options) size(ctx context.Context, s Side) (int64, error) {
	if o.Header == nil || !s.Exists() || s.isSubmodule() {
		return 0, nil
	}
	_, size, err := o.Header(ctx, s.ID)
	if err != nil {
		return 0, fmt.Errorf("reading %q: %w", s.Path, err)
	}
	return size, nil
}

// Comparison is a Change with what differs in its content.
type Comparison struct {
	Change Change
	Binary bool // the content is not compared by lines
	TooBig bool // a file is larger than FileBytes or FileLines; it counts as binary
	// Same: the contents are equal. They were not read if that was plain from
	// the ids; old and new are then empty.
	Same bool
	// The two files by lines, and what differs, unless Binary or Same.
	Old, New *Text
	Edits    []Edit

	OldBytes, NewBytes int64 // sizes, unless Same
}

// Compare reads both files of a change and compares them. The content of a
// submodule is the line that git shows for it. Objects that are missing are
// git.ErrNotFound; one that is no blob is git.ErrCorrupt.
func Compare(ctx context.Context, objects git.Objects, f git.Format, c Change, o Options) (*Comparison, error) {
	d, old, new, err := load(ctx, objects, f, c, &o)
	if err != nil || d.Same || d.Binary {
		return d, err
	}
	if o.Context == 0 {
		old, new = TrimTail(old, new)
	}
	d.Old, d.New = NewText(old), NewText(new)
	d.Edits = Lines(d.Old, d.New, o.LineOptions)
	return d, nil
}

// Hunks groups the edits for display.
func (d *Comparison) Hunks(o Options) []Hunk {
	if len(d.Edits) == 0 {
		return nil
	}
	heading := o.attributes(d.Change.Old).Heading
	if heading == nil {
		heading = o.attributes(d.Change.New).Heading
	}
	return Hunks(d.Old, d.New, d.Edits, HunkOptions{
		Context: o.Context, InterHunk: o.InterHunk, Heading: heading,
		IgnoreBlankLines: o.IgnoreBlankLines, Whitespace: o.Whitespace,
	})
}

// load reads both files and finds out what they hold.
func load(ctx context.Context, objects git.Objects, f git.Format, c Change, o *Options) (d *Comparison, old, new []byte, err error) {
	d = &Comparison{Change: c}
	if c.Old.Exists() && c.New.Exists() && c.Old.ID == c.New.ID && c.Old.isSubmodule() == c.New.isSubmodule() {
		d.Same = true
		return d, nil, nil, nil
	}
	if d.OldBytes, err = o.size(ctx, c.Old); err != nil {
		return nil, nil, nil, err
	}
	if d.NewBytes, err = o.size(ctx, c.New); err != nil {
		return nil, nil, nil, err
	}
	if max(d.OldBytes, d.NewBytes) > o.maxBytes() {
		d.TooBig, d.Binary = true, true
		return d, nil, nil, nil
	}
	if old, err = content(ctx, objects, f, c.Old); err != nil {
		return nil, nil, nil, err
	}
	if new, err = content(ctx, objects, f, c.New); err != nil {
		return nil, nil, nil, err
	}
	d.OldBytes, d.NewBytes = int64(len(old)), int64(len(new))
	d.TooBig = o.tooBig(old) || o.tooBig(new)
	d.Binary = d.TooBig || isBinary(old, o.attributes(c.Old)) || isBinary(new, o.attributes(c.New))
	d.Same = d.Binary && bytes.Equal(old, new) && c.Old.Exists() && c.New.Exists()
	return d, old, new, nil
}

// content returns the content of a file; nil if there is none.
func content(ctx context.Context, objects git.Objects, f git.Format, s Side) ([]byte, error) {
	if !s.Exists() {
		return nil, nil
	}
	if s.isSubmodule() {
		return append(f.AppendHex([]byte("Subproject commit "), s.ID), '\n'), nil
	}
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	kind, data, err := objects.Object(ctx, s.ID)
	if err != nil {
		return nil, fmt.Errorf("reading %q: %w", s.Path, err)
	}
	if kind != git.KindBlob {
		return nil, fmt.Errorf("%w: %q is the %s %s", git.ErrCorrupt, s.Path, kind, s.ID)
	}
	return data, nil
}

// binaryPrefix is how much of a file git looks at.
const binaryPrefix = 8000

func isBinary(data []byte, a Attributes) bool {
	if a.Content != Detect {
		return a.Content == IsBinary
	}
	return bytes.IndexByte(data[:min(len(data), binaryPrefix)], 0) >= 0
}
