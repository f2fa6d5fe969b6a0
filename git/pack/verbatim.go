package pack

import (
	"context"
	"encoding/binary"

	"github.com/ingot-forge/ingot/git"
)

// What is here serves those who put packs together out of stored bytes
// themselves, range by range, instead of having a Writer copy them.

// HeaderSize is the length of a pack's header: its first entry starts there.
const HeaderSize = packHead

// Size is the length of the whole pack file, trailer included.
func (p *Pack) Size() int64 { return p.src.Size() }

// End is the offset of the trailer, where the last entry ends.
func (p *Pack) End() int64 { return p.end }

// View returns at least one and at most n bytes of the pack file that start at
// off, as many as are at hand without copying: read-only, valid as long as the
// pack is open. What lies outside the file is io.ErrUnexpectedEOF.
func (p *Pack) View(ctx context.Context, off int64, n int) ([]byte, error) {
	return p.view(ctx, off, int64(n))
}

// AppendHeader appends the header of a pack of count entries.
func AppendHeader(dst []byte, count uint32) []byte {
	dst = append(dst, packMagic...)
	dst = binary.BigEndian.AppendUint32(dst, packVersion)
	return binary.BigEndian.AppendUint32(dst, count)
}

// AppendEntry appends the header of an entry whose stream inflates to size bytes: of an
// object stored whole if e is one of the four kinds, of an OfsDelta whose base
// starts back bytes before it, or of a RefDelta of base.
func AppendEntry(dst []byte, f git.Format, e EntryKind, size, back int64, base git.ID) []byte {
	dst = appendHead(dst, git.Kind(e), size)
	switch e {
	case OfsDelta:
		dst = appendBack(dst, back)
	case RefDelta:
		dst = append(dst, base[:f.Size()]...)
	}
	return dst
}
