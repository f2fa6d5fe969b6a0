package diff

import (
	"bytes"
	"context"
	"fmt"
	"strconv"
	"strings"

	"github.com/ingot-forge/ingot/git"
)

// AppendPatch appends what git diff -p shows for a change: nothing if it is
// none, or only one that the options ignore. It fails as Compare does.
func AppendPatch(ctx context.Context, objects git.Objects, f git.Format, dst []byte, c Change, o Options) ([]byte, error) {
	for _, part := range c.Split() {
		d, err := Compare(ctx, objects, f, part, o)
		if err != nil {
			return dst, err
		}
		dst = d.AppendPatch(f, dst, o)
	}
	return dst, nil
}

// AppendPatch appends the patch of a comparison, which was made with the same
// options. The change is not Retyped: a patch shows two for that.
func (d *Comparison) AppendPatch(f git.Format, dst []byte, o Options) []byte {
	if d.Change.Status == Unchanged {
		return dst
	}
	start := len(dst)
	dst, must := d.appendHeader(f, dst, &o)
	if d.Binary && !d.Same {
		dst = append(dst, "Binary files "...)
		dst = appendLabel(dst, "a/", d.Change.Old)
		dst = append(dst, " and "...)
		dst = appendLabel(dst, "b/", d.Change.New)
		return append(dst, " differ\n"...)
	}
	hunks := d.Hunks(o)
	if len(hunks) == 0 {
		if must {
			return dst
		}
		return dst[:start]
	}
	dst = appendFileLine(dst, "--- ", "a/", d.Change.Old)
	dst = appendFileLine(dst, "+++ ", "b/", d.Change.New)
	for i := range hunks {
		dst = d.appendHunk(dst, &hunks[i])
	}
	return dst
}

// appendHeader appends the lines above the content. It reports whether they are
// to be shown even if no content follows.
func (d *Comparison) appendHeader(f git.Format, dst []byte, o *Options) (out []byte, must bool) {
	c := &d.Change
	old, new := c.Old, c.New
	if !old.Exists() {
		old.Path = new.Path
	}
	if !new.Exists() {
		new.Path = old.Path
	}
	dst = append(dst, "diff --git "...)
	dst = appendQuoted(dst, "a/", old.Path)
	dst = append(dst, ' ')
	dst = append(appendQuoted(dst, "b/", new.Path), '\n')
	switch {
	case !old.Exists():
		dst, must = fmt.Appendf(dst, "new file mode %06o\n", new.Mode), true
	case !new.Exists():
		dst, must = fmt.Appendf(dst, "deleted file mode %06o\n", old.Mode), true
	case old.Mode != new.Mode:
		dst, must = fmt.Appendf(dst, "old mode %06o\nnew mode %06o\n", old.Mode, new.Mode), true
	}
	if verb := moveVerbs[c.Status]; verb != "" {
		dst, must = fmt.Appendf(dst, "similarity index %d%%\n", c.Similarity()), true
		dst = append(append(dst, verb...), " from "...)
		dst = append(AppendQuoted(dst, old.Path), '\n')
		dst = append(append(dst, verb...), " to "...)
		dst = append(AppendQuoted(dst, new.Path), '\n')
	}
	if old.ID != new.ID {
		dst = append(dst, "index "...)
		dst = append(o.appendID(f, dst, old.ID), ".."...)
		dst = o.appendID(f, dst, new.ID)
		if old.Mode == new.Mode {
			dst = fmt.Appendf(dst, " %06o", old.Mode)
		}
		dst = append(dst, '\n')
	}
	return dst, must
}

var moveVerbs = map[Status]string{Renamed: "rename", Copied: "copy"}

func (o *Options) appendID(f git.Format, dst []byte, id git.ID) []byte {
	if o.Abbrev == nil {
		return f.AppendHex(dst, id)
	}
	return append(dst, o.Abbrev(id)...)
}

const noFile = "/dev/null"

func appendLabel(dst []byte, prefix string, s Side) []byte {
	if !s.Exists() {
		return append(dst, noFile...)
	}
	return appendQuoted(dst, prefix, s.Path)
}

// appendFileLine appends a line that names a file. A tab ends names with a
// space, so that patch(1) reads them right.
func appendFileLine(dst []byte, mark, prefix string, s Side) []byte {
	dst = append(dst, mark...)
	dst = appendLabel(dst, prefix, s)
	if s.Exists() && strings.Contains(s.Path, " ") {
		dst = append(dst, '\t')
	}
	return append(dst, '\n')
}

func (d *Comparison) appendHunk(dst []byte, h *Hunk) []byte {
	dst = h.AppendHeader(dst)
	at := h.BStart
	for _, e := range h.Edits {
		dst = d.New.appendMarked(dst, ' ', at, e.BStart)
		dst = d.Old.appendMarked(dst, '-', e.AStart, e.AEnd)
		dst = d.New.appendMarked(dst, '+', e.BStart, e.BEnd)
		at = e.BEnd
	}
	return d.New.appendMarked(dst, ' ', at, h.BStart+h.BCount)
}

// AppendHeader appends the line that starts a hunk: "@@ -1,5 +1,6 @@ heading".
func (h *Hunk) AppendHeader(dst []byte) []byte {
	dst = appendRange(append(dst, "@@ -"...), h.AStart, h.ACount)
	dst = appendRange(append(dst, " +"...), h.BStart, h.BCount)
	dst = append(dst, " @@"...)
	if h.Heading != nil {
		dst = append(append(dst, ' '), h.Heading...)
	}
	return append(dst, '\n')
}

// appendRange appends the number of the first line, or of the one before if
// there is none, and the count unless it is one.
func appendRange(dst []byte, start, count int) []byte {
	if count > 0 {
		start++
	}
	dst = strconv.AppendInt(dst, int64(start), 10)
	if count != 1 {
		dst = append(dst, ',')
		dst = strconv.AppendInt(dst, int64(count), 10)
	}
	return dst
}

// appendMarked appends lines, each with a mark before it.
func (t *Text) appendMarked(dst []byte, mark byte, start, end int) []byte {
	for i := start; i < end; i++ {
		dst = append(append(dst, mark), t.Line(i)...)
	}
	if end > start && !bytes.HasSuffix(dst, newline) {
		dst = append(dst, "\n\\ No newline at end of file\n"...)
	}
	return dst
}
