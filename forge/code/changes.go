package code

import (
	"context"

	"github.com/ingot-forge/ingot/git"
	"github.com/ingot-forge/ingot/git/diff"
)

// Limits of what is compared for one answer. Beyond them a file counts as binary,
// or is told as deleted and added.
const (
	MaxChangedFiles = 100_000
	maxDiffBytes    = 8 << 20   // of a file that is compared by lines
	maxRenameBytes  = 128 << 20 // read to find files that moved
	maxRenameWork   = 1 << 28
)

// FileChange is a file that a commit or a comparison changes.
type FileChange struct {
	diff.Change
	Added, Deleted int
	Binary         bool
	// Patch is what differs, from the first "@@" on; empty if the file is binary, has the same content, or was
	// not asked for.
	Patch []byte
}

// Changes is what differs between two trees.
type Changes struct {
	view *View
	list []diff.Change
}

// Len is how many files differ.
func (c *Changes) Len() int { return len(c.list) }

// compare compares two trees; the zero id is the empty one. Files that moved are found.
func (v *View) compare(ctx context.Context, old, tree git.ID) (*Changes, error) {
	list, _, err := diff.Changes(ctx, v.snap, v.Format, old, tree, diff.ChangesOptions{Max: MaxChangedFiles,
		Renames: &diff.RenameOptions{Bytes: maxRenameBytes, Work: maxRenameWork, Header: v.snap.Header}})
	if err != nil {
		return nil, tooLarge(err)
	}
	return &Changes{v, list}, nil
}

// ChangesOf returns what a commit changes against its first parent.
func (v *View) ChangesOf(ctx context.Context, c Commit) (*Changes, error) {
	var old git.ID
	if len(c.Parents) > 0 {
		parent, err := v.commit(ctx, c.Parents[0])
		if err != nil {
			return nil, err
		}
		old = parent.Tree
	}
	return v.compare(ctx, old, c.Tree)
}

func (v *View) diffOptions() diff.Options {
	return diff.Options{Context: diff.Context, FileBytes: maxDiffBytes, Header: v.snap.Header}
}

// Files returns some of the changed files with their patches, those from start up to end.
func (c *Changes) Files(ctx context.Context, start, end int) ([]FileChange, error) {
	end = min(end, len(c.list))
	start = min(start, end)
	files := make([]FileChange, 0, end-start)
	for _, change := range c.list[start:end] {
		o := c.view.diffOptions()
		compared, err := diff.Compare(ctx, c.view.snap, c.view.Format, change, o)
		if err != nil {
			return nil, err
		}
		f := FileChange{Change: change, Binary: compared.Binary}
		if !compared.Binary && !compared.Same {
			for _, e := range compared.Edits {
				f.Added += e.BEnd - e.BStart
				f.Deleted += e.AEnd - e.AStart
			}
			f.Patch = appendHunks(nil, compared, o)
		}
		files = append(files, f)
	}
	return files, nil
}

// appendHunks appends the hunks as GitHub shows them: without the line feed at the end.
func appendHunks(dst []byte, c *diff.Comparison, o diff.Options) []byte {
	for _, h := range c.Hunks(o) {
		if len(dst) > 0 {
			dst = append(dst, '\n')
		}
		dst = h.AppendHeader(dst)
		dst = trimLine(dst)
		line, atB := h.AStart, h.BStart
		for _, e := range h.Edits {
			for ; line < e.AStart; line, atB = line+1, atB+1 {
				dst = appendLine(dst, ' ', c.New.Line(atB))
			}
			for ; line < e.AEnd; line++ {
				dst = appendLine(dst, '-', c.Old.Line(line))
			}
			for ; atB < e.BEnd; atB++ {
				dst = appendLine(dst, '+', c.New.Line(atB))
			}
		}
		for ; atB < h.BStart+h.BCount; atB++ {
			dst = appendLine(dst, ' ', c.New.Line(atB))
		}
	}
	return dst
}

func appendLine(dst []byte, sign byte, line []byte) []byte {
	dst = append(append(dst, '\n', sign), line...)
	if len(line) > 0 && line[len(line)-1] == '\n' {
		return dst[:len(dst)-1]
	}
	return append(dst, "\n\\ No newline at end of file"...)
}

func trimLine(b []byte) []byte {
	if len(b) > 0 && b[len(b)-1] == '\n' {
		return b[:len(b)-1]
	}
	return b
}

// Totals counts the lines of all files, as git diff --shortstat does.
func (c *Changes) Totals(ctx context.Context) (added, deleted int, err error) {
	counts, err := c.counts(ctx)
	for _, n := range counts {
		added, deleted = added+n.Added, deleted+n.Deleted
	}
	return added, deleted, err
}

func (c *Changes) counts(ctx context.Context) ([]diff.Counts, error) {
	counts := make([]diff.Counts, len(c.list))
	for i, change := range c.list {
		var err error
		if counts[i], err = diff.Count(ctx, c.view.snap, c.view.Format, change, c.view.diffOptions()); err != nil {
			return nil, err
		}
	}
	return counts, nil
}

// AppendDiff appends the patch of all files, as git diff does.
func (c *Changes) AppendDiff(ctx context.Context, dst []byte) ([]byte, error) {
	o := c.view.diffOptions()
	o.Abbrev = c.view.abbrev
	return c.appendEach(dst, func(dst []byte, change diff.Change) ([]byte, error) {
		return diff.AppendPatch(ctx, c.view.snap, c.view.Format, dst, change, o)
	})
}

func (c *Changes) appendEach(dst []byte, one func([]byte, diff.Change) ([]byte, error)) ([]byte, error) {
	var err error
	for _, change := range c.list {
		if dst, err = one(dst, change); err != nil {
			return nil, err
		}
		if len(dst) > MaxDiff {
			return nil, errTooLarge()
		}
	}
	return dst, nil
}

// abbrev shortens an id as git does in a repository of this size.
func (v *View) abbrev(id git.ID) string {
	var objects int64
	for _, p := range v.State().Packs {
		objects += p.Objects
	}
	digits := 1
	for ; objects > 1; objects /= 4 { // half as many digits as the count of objects has, in bits
		digits++
	}
	return v.Hex(id)[:max(digits, 7)]
}
