package blame

import (
	"slices"
	"sort"

	"github.com/ingot-forge/ingot/git"
	"github.com/ingot-forge/ingot/git/ancestry"
	"github.com/ingot-forge/ingot/git/diff"
)

// pass hands the blame of an origin on to its parents, as far as they have the same lines.
// It looks at all parents for the same path before it looks for other paths in any.
func (b *board) pass(o *origin) (err error) {
	if b.parents, err = b.AppendParents(b.ctx, b.parents[:0], o.node); err != nil {
		return err
	}
	parents := b.parents
	if b.FirstParent && len(parents) > 1 {
		parents = parents[:1]
	}
	scapegoats := make([]*origin, len(parents))
	defer func() {
		for _, s := range scapegoats {
			if s != nil && len(s.suspects) == 0 {
				s.data = nil
			}
		}
	}()
	for _, find := range []func(*origin, ancestry.Node, bool) (*origin, error){b.samePath, b.renamed} {
		for i, p := range parents {
			if scapegoats[i] != nil {
				continue
			}
			found, err := find(o, p, i == 0)
			if err != nil {
				return err
			}
			if found == nil {
				continue
			}
			if found.entry.ID == o.entry.ID {
				b.passWhole(o, found)
				return nil
			}
			if !slices.ContainsFunc(scapegoats[:i], func(s *origin) bool { return s != nil && s.entry.ID == found.entry.ID }) {
				scapegoats[i] = found
			}
		}
		if b.WithoutRenames {
			break
		}
	}
	for _, s := range scapegoats {
		if s == nil {
			continue
		}
		if o.previous == nil {
			o.previous = s
		}
		if err := b.passLines(o, s); err != nil {
			return err
		}
		if len(o.suspects) == 0 {
			break
		}
	}
	return nil
}

// passWhole hands all blame on to a parent that has the same content.
func (b *board) passWhole(o, parent *origin) {
	if parent.data == nil {
		parent.data = o.data
	}
	suspects := o.suspects
	o.suspects = nil
	b.suspect(parent, suspects)
}

// passLines hands on the blame for the lines that a parent has, too.
func (b *board) passLines(o, parent *origin) error {
	if err := b.load(parent); err != nil {
		return err
	}
	if err := b.load(o); err != nil {
		return err
	}
	was, is := diff.TrimTail(parent.data, o.data)
	edits := diff.Lines(diff.NewText(was), diff.NewText(is), diff.LineOptions{})
	passed, kept := split(o.suspects, edits)
	o.suspects = kept
	b.suspect(parent, passed)
	return nil
}

// split parts pieces of a new text into those that were there before the edits, which tell where they were
// then, and those that the edits brought.
func split(pieces []piece, edits []diff.Edit) (passed, kept []piece) {
	for _, p := range pieces {
		// Pieces may overlap: lines that two branches have from one place.
		next := sort.Search(len(edits), func(i int) bool { return edits[i].BEnd > p.orig })
		for at, end := p.orig, p.orig+p.count; at < end; {
			for next < len(edits) && edits[next].BEnd <= at {
				next++
			}
			offset := 0 // of the old text against the new one
			if next > 0 {
				offset = edits[next-1].AEnd - edits[next-1].BEnd
			}
			part := piece{line: p.line + at - p.orig, orig: at}
			if next < len(edits) && at >= edits[next].BStart {
				part.count = min(end, edits[next].BEnd) - at
				kept = append(kept, part)
			} else {
				part.count = end - at
				if next < len(edits) {
					part.count = min(end, edits[next].BStart) - at
				}
				part.orig += offset
				passed = append(passed, part)
			}
			at += part.count
		}
	}
	sortPieces(passed)
	sortPieces(kept)
	return passed, kept
}

// samePath returns the origin of the same path in a parent; nil if it has no file there.
func (b *board) samePath(o *origin, parent ancestry.Node, first bool) (*origin, error) {
	if known := b.known(parent, o.path); known != nil {
		return known, nil
	}
	f, err := b.finder(o.path)
	if err != nil {
		return nil, err
	}
	was := o.entry
	if !first || b.MayChange(o.node, f.filter) {
		differs, err := f.Differ(b.ctx, b.Tree(parent), b.Tree(o.node))
		if err != nil {
			return nil, err
		}
		if differs {
			if was, err = f.Find(b.ctx, b.Tree(parent)); err != nil {
				return nil, err
			}
		}
	}
	if !sameType(was.Mode, o.entry.Mode) {
		return nil, nil
	}
	found := b.origin(parent, o.path)
	found.entry = was
	return found, nil
}

// sameType reports whether two modes are both of files, or both of links.
func sameType(a, b git.Mode) bool { return a&0o170000 == b&0o170000 }

// renamed returns the origin of the file in a parent that became o's under another name.
func (b *board) renamed(o *origin, parent ancestry.Node, _ bool) (*origin, error) {
	changes, _, err := diff.Changes(b.ctx, b.Objects(), b.Format(), b.Tree(parent), b.Tree(o.node), diff.ChangesOptions{})
	if err != nil {
		return nil, err
	}
	added := false
	changes = slices.DeleteFunc(changes, func(c diff.Change) bool {
		added = added || c.Status == diff.Added && c.New.Path == o.path
		return c.Status == diff.Added && c.New.Path != o.path
	})
	if !added {
		return nil, nil
	}
	changes, _, err = diff.Renames(b.ctx, b.Objects(), b.Format(), changes, diff.RenameOptions{})
	if err != nil {
		return nil, err
	}
	for _, c := range changes {
		if c.Status == diff.Renamed && c.New.Path == o.path {
			found := b.origin(parent, c.Old.Path)
			found.entry.ID, found.entry.Mode = c.Old.ID, c.Old.Mode
			return found, nil
		}
	}
	return nil, nil
}
