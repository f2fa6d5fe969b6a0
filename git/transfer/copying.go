package transfer

import (
	"fmt"
	"hash/crc32"

	"github.com/ingot-forge/ingot/git"
	"github.com/ingot-forge/ingot/git/pack"
)

// How entries get into a recipe. What is stored is taken as it is, but each
// entry's CRC is compared with the index first, so that damage does not spread
// from pack to pack.

// whole takes an entry that is stored whole.
func (w *recipeWriter) whole(p *pack.Pack, e pack.Entry) error {
	if err := w.check(p, e); err != nil {
		return err
	}
	return w.stored(p, e.Offset, e.End)
}

// onOffset takes a stored delta whose base is at an offset of this pack.
func (w *recipeWriter) onOffset(p *pack.Pack, e pack.Entry, base int64) error {
	if err := w.check(p, e); err != nil {
		return err
	}
	back := w.offset - base
	if e.Kind == pack.OfsDelta && e.Offset-e.Base == back {
		return w.stored(p, e.Offset, e.End)
	}
	if err := w.header(pack.OfsDelta, e.Size, back, git.ID{}); err != nil {
		return err
	}
	return w.stored(p, e.Data, e.End)
}

// onID takes a stored delta whose base is anywhere in this pack, or with the client.
func (w *recipeWriter) onID(p *pack.Pack, e pack.Entry, base git.ID) error {
	if err := w.check(p, e); err != nil {
		return err
	}
	if e.Kind == pack.RefDelta && e.BaseID == base {
		return w.stored(p, e.Offset, e.End)
	}
	if err := w.header(pack.RefDelta, e.Size, 0, base); err != nil {
		return err
	}
	return w.stored(p, e.Data, e.End)
}

// made is an object that was deflated for this pack: whole, or as a delta.
type made struct {
	kind   git.Kind
	size   int64 // of what was deflated
	stream []byte
}

// anew adds an object that is made whole.
func (w *recipeWriter) anew(m made) error {
	if err := w.header(pack.EntryKind(m.kind), m.size, 0, git.ID{}); err != nil {
		return err
	}
	return w.bytes(m.stream)
}

// delta adds a new delta against a base at an offset of this pack, or, if that
// is negative, against one of an id.
func (w *recipeWriter) delta(m made, base int64, id git.ID) error {
	kind, back := pack.RefDelta, int64(0)
	if base >= 0 {
		kind, back = pack.OfsDelta, w.offset-base
	}
	if err := w.header(kind, m.size, back, id); err != nil {
		return err
	}
	return w.bytes(m.stream)
}

func (w *recipeWriter) header(kind pack.EntryKind, size, back int64, base git.ID) error {
	if kind == pack.OfsDelta && (back <= 0 || back > w.offset) {
		return fmt.Errorf("a delta at offset %d cannot have its base %d bytes before it", w.offset, back)
	}
	w.head = pack.AppendEntry(w.head[:0], w.format, kind, size, back, base)
	return w.bytes(w.head)
}

// check compares the CRC of a stored entry.
func (w *recipeWriter) check(p *pack.Pack, e pack.Entry) error {
	crc := uint32(0)
	err := each(w.ctx, p, e.Offset, e.End, func(b []byte) error {
		crc = crc32.Update(crc, crc32.IEEETable, b)
		return nil
	})
	if err == nil && crc != e.CRC {
		err = fmt.Errorf("%w: pack entry at offset %d: CRC does not match the index", git.ErrCorrupt, e.Offset)
	}
	return err
}
