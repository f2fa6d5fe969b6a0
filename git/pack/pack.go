// Package pack reads and writes git's pack files (version 2) and their indexes
// (version 2), byte for byte as gitformat-pack(5) has them.
//
//   - Receive takes one pack in from a stream: it stores the bytes as they
//     come, resolves every delta, names and checks every object, and makes the
//     index, in one pass with bounded memory.
//   - Pack and Index read a stored pack.
//   - Writer makes a pack out of entries that are copied as they are stored and
//     of objects that are deflated anew.
//   - ApplyDelta and DeltaIndex are the delta codec; Inflate and Inflater undo
//     zlib, Deflate does it.
//
// What always holds: content that does not inflate to the size and the checksum
// that are stored with it, or a delta that does not fit its base, is never
// returned; Pack.Verify finds whatever else may have been damaged.
//
// # Pack
//
// All numbers are big-endian. H is the size of an object id, 20 or 32.
//
//	"PACK"  version 2 (4 bytes)  count of entries (4 bytes)
//	entries, one after the other
//	hash of all the above (H bytes)
//
// An entry starts with its type and its inflated size:
//
//	bit 7     more bytes follow
//	bits 4-6  1 commit, 2 tree, 3 blob, 4 tag, 6 OfsDelta, 7 RefDelta
//	bits 0-3  lowest bits of the size; each byte that follows has seven more
//	          in bits 0-6, and bit 7 if there is yet another
//
// An OfsDelta has then the distance back to the entry of its base, seven bits a
// byte, highest first, where each byte but the last counts one more than it
// says; a RefDelta has the id of its base. A zlib stream follows: of the
// object's content or of the delta.
//
// # Delta
//
// The size of the base and the size of the result, seven bits a byte, lowest
// first; then instructions until the result is complete:
//
//	0       reserved: damage
//	1-127   insert as many bytes, which follow
//	128-    copy from the base: bits 0-3 say which of four bytes of the
//	        offset follow, bits 4-6 which of three bytes of the length, lowest
//	        first; missing ones are zero, and a length of 0 means 65,536
//
// # Index
//
//	"\377tOc"  version 2 (4 bytes)
//	256 × 4 bytes: how many ids start with a byte of at most 0, 1, … 255
//	n × H bytes: the ids, ascending
//	n × 4 bytes: CRC-32 of each entry, header included
//	n × 4 bytes: offset of each entry; with bit 31 set, a place in what follows
//	k × 8 bytes: offsets of 2 GiB and more
//	the hash that ends the pack; the hash of all the above (H bytes each)
package pack

import (
	"context"
	"fmt"
	"io"

	"github.com/ingot-forge/ingot/git"
)

// Source is where the bytes of a stored pack come from. It may be used from
// several goroutines at once.
type Source interface {
	// Size is the length of the whole file in bytes.
	Size() int64
	// View returns at least one and at most n bytes that start at off, as many
	// as are at hand without copying; they are read-only and hold until the
	// source is closed. At or past the end it returns io.EOF.
	View(ctx context.Context, off int64, n int) ([]byte, error)
}

// EntryKind is the type of a pack entry: a git.Kind, or one of the two deltas.
type EntryKind uint8

const (
	OfsDelta EntryKind = 6
	RefDelta EntryKind = 7
)

// IsDelta reports whether k is one of the two deltas.
func (k EntryKind) IsDelta() bool { return k == OfsDelta || k == RefDelta }

// Entry describes one stored entry, as its header tells.
type Entry struct {
	Offset int64     // of the header
	Data   int64     // offset of the zlib stream
	End    int64     // offset of the next entry, or of the trailer
	Kind   EntryKind // as stored
	Size   int64     // inflated size: of the object, or of the delta
	Base   int64     // OfsDelta: offset of the base's header
	BaseID git.ID    // RefDelta: id of the base
	CRC    uint32    // of the whole entry, as the index has it
}

// Pack reads objects of a stored pack. It may be used from several goroutines
// at once.
type Pack struct {
	format git.Format
	src    Source
	index  *Index
	end    int64 // offset of the trailer
	cache  *Cache
	number uint64 // of this pack in the cache
	order  *order
}

// Open returns the reader of a pack. It checks the header and the count against
// the index; a mismatch is git.ErrCorrupt. cache may be nil, and may serve many packs.
func Open(ctx context.Context, f git.Format, src Source, x *Index, cache *Cache) (*Pack, error) {
	p := &Pack{format: f, src: src, index: x, end: src.Size() - int64(f.Size()), cache: cache, order: new(order)}
	if p.end < packHead {
		return nil, corrupt("pack of %d bytes is too short", src.Size())
	}
	h, err := p.read(ctx, 0, packHead)
	if err != nil {
		return nil, fmt.Errorf("pack header: %w", err)
	}
	count, err := packCount(h)
	if err != nil {
		return nil, err
	}
	if int64(count) != int64(x.Count()) {
		return nil, corrupt("pack has %d entries, its index %d", count, x.Count())
	}
	p.number = cache.register()
	return p, nil
}

// Index returns the pack's index.
func (p *Pack) Index() *Index { return p.index }

// UseRev gives the pack an opened reverse index of its Index, so that none is
// computed. It must be called before anything else is asked of the pack.
func (p *Pack) UseRev(r *Rev) { p.order.Rev = r }

// Rev returns the pack's reverse index: the one that it was given, or else one
// made in memory on first use.
func (p *Pack) Rev() (*Rev, error) {
	if err := p.order.make(p); err != nil {
		return nil, err
	}
	return p.order.Rev, nil
}

// Entry reads the header of the entry at a place of the index.
func (p *Pack) Entry(ctx context.Context, at int) (Entry, error) {
	if err := p.order.make(p); err != nil {
		return Entry{}, err
	}
	offset := p.index.Offset(at)
	rank, ok := p.order.Rank(offset)
	if !ok {
		return Entry{}, corrupt("reverse index lacks the pack entry at offset %d", offset)
	}
	return p.entry(ctx, rank, at)
}

// EntryAt reads the header of the entry of a rank, 0 <= rank < Index().Count().
// The next rank is that of the entry which starts at its End.
func (p *Pack) EntryAt(ctx context.Context, rank int) (Entry, error) {
	if err := p.order.make(p); err != nil {
		return Entry{}, err
	}
	return p.entry(ctx, rank, p.order.Place(rank))
}

// entry reads the header of the entry of a rank, which is at a place of the index.
func (p *Pack) entry(ctx context.Context, rank, at int) (Entry, error) {
	offset := p.index.Offset(at)
	s, err := p.stored(ctx, offset)
	if err != nil {
		return Entry{}, err
	}
	end := p.order.end(p, rank)
	if s.data >= end || end > p.end {
		return Entry{}, entryError(offset, corrupt("its stream from %d ends at %d", s.data, end))
	}
	return Entry{
		Offset: offset,
		Data:   s.data,
		End:    end,
		Kind:   s.kind,
		Size:   s.size,
		Base:   s.base,
		BaseID: s.baseID,
		CRC:    p.index.CRC(at),
	}, nil
}

// At returns the place, in the order of ids, of the entry whose header is at
// offset. Offsets where no entry starts are git.ErrCorrupt.
func (p *Pack) At(offset int64) (at int, err error) {
	if err := p.order.make(p); err != nil {
		return 0, err
	}
	rank, ok := p.order.Rank(offset)
	if !ok {
		return 0, corrupt("no pack entry starts at offset %d", offset)
	}
	return p.order.Place(rank), nil
}

// Delta returns the stored delta of e, inflated; it is the caller's.
func (p *Pack) Delta(ctx context.Context, e Entry) ([]byte, error) {
	s, err := p.stored(ctx, e.Offset)
	if err != nil {
		return nil, err
	}
	if !s.kind.IsDelta() {
		return nil, entryError(e.Offset, corrupt("a delta is asked of what is stored whole"))
	}
	return p.delta(ctx, &s, nil)
}

// Copy writes the stored zlib stream of e to w, as it is.
func (p *Pack) Copy(ctx context.Context, w io.Writer, e Entry) error {
	return p.copyRange(ctx, w, e.Data, e.End)
}

// Content returns a reader of the inflated stream of e, for blobs that are too
// large for memory. It is the object's content if e is no delta.
func (p *Pack) Content(ctx context.Context, e Entry) (*Inflater, error) {
	z, err := NewInflater(&section{ctx: ctx, src: p.src, at: e.Data, end: e.End})
	if err != nil {
		return nil, entryError(e.Offset, err)
	}
	return z, nil
}
