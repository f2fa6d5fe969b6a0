// Package pack reads and writes git's pack files (version 2) and their indexes
// (version 2), byte for byte as gitformat-pack(5) has them.
//
//   - Receive takes one pack in from a stream: it stores the bytes as they
//     come, resolves every delta, names and checks every object, and makes the
//     index, in one pass with bounded memory.
//   - Pack and Index read a stored pack.
//   - Writer makes a pack out of entries that are copied as they are stored and
//     of objects that are deflated anew.
//   - ApplyDelta and CreateDelta are the delta codec; Inflate and Inflater undo zlib.
package pack

import (
	"context"
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

// Index is an opened pack index (version 2). It may be used from several
// goroutines at once.
type Index struct{}

// OpenIndex reads an index whose bytes are data, which it keeps and which must
// not change. Fan-out, counts and lengths are checked before anything is
// trusted, in time that does not grow with the number of objects; a bad index
// is git.ErrCorrupt. Verify checks the rest.
func OpenIndex(f git.Format, data []byte) (*Index, error) { panic("contract") }

// Verify checks the trailing checksum, the order of the ids and the offsets
// against a pack of packSize bytes.
func (x *Index) Verify(packSize int64) error { panic("contract") }

// Count is the number of objects.
func (x *Index) Count() int { panic("contract") }

// Find returns the place of id in the order of ids.
func (x *Index) Find(id git.ID) (at int, ok bool) { panic("contract") }

// Prefix returns the half-open range of places whose ids start with the given
// hexadecimal digits (lower case, 1 to HexSize of them).
func (x *Index) Prefix(digits string) (from, to int) { panic("contract") }

// ID, Offset and CRC describe the object at a place, 0 <= at < Count().
func (x *Index) ID(at int) git.ID    { panic("contract") }
func (x *Index) Offset(at int) int64 { panic("contract") }
func (x *Index) CRC(at int) uint32   { panic("contract") }

// PackChecksum is the trailer of the pack that the index belongs to.
func (x *Index) PackChecksum() []byte { panic("contract") }

// EntryKind is the type of a pack entry: a git.Kind, or one of the two deltas.
type EntryKind uint8

const (
	OfsDelta EntryKind = 6
	RefDelta EntryKind = 7
)

// Entry describes one stored entry, as its header tells.
type Entry struct {
	Offset int64     // of the header
	Data   int64     // offset of the zlib stream
	End    int64     // offset of the next entry, or of the trailer
	Kind   EntryKind // as stored
	Size   int64     // inflated size: of the object, or of the delta
	Base   int64     // OfsDelta: offset of the base's header
	BaseID git.ID    // RefDelta: id of the base
}

// Pack reads objects of a stored pack. It may be used from several goroutines
// at once.
type Pack struct{}

// Open returns the reader of a pack. It checks the header and the count against
// the index; a mismatch is git.ErrCorrupt. cache may be nil, and may serve many packs.
func Open(ctx context.Context, f git.Format, src Source, x *Index, cache *Cache) (*Pack, error) {
	panic("contract")
}

// Index returns the pack's index.
func (p *Pack) Index() *Index { panic("contract") }

// Entry reads the header of the entry at a place of the index.
func (p *Pack) Entry(ctx context.Context, at int) (Entry, error) { panic("contract") }

// At returns the place, in the order of ids, of the entry whose header is at
// offset (the reverse index, made in memory on first use). Offsets where no
// entry starts are git.ErrCorrupt.
func (p *Pack) At(offset int64) (at int, err error) { panic("contract") }

// Object returns kind and content of the object at a place. Chains of deltas
// are followed iteratively; a damaged one is git.ErrCorrupt naming the offset.
// The content is shared with the cache: read-only. The id is not recomputed:
// damage that zlib's checksum does not catch is found by Verify.
func (p *Pack) Object(ctx context.Context, at int) (git.Kind, []byte, error) { panic("contract") }

// Header returns kind and size of the object at a place, inflating no more than
// the head of a delta.
func (p *Pack) Header(ctx context.Context, at int) (git.Kind, int64, error) { panic("contract") }

// Copy writes the stored zlib stream of e to w, as it is.
func (p *Pack) Copy(ctx context.Context, w io.Writer, e Entry) error { panic("contract") }

// Verify reads everything: pack checksum, index, CRC of each entry, and the id
// of every object, which it gives to visit (may be nil). progress (may be nil)
// hears the number of objects done.
func (p *Pack) Verify(ctx context.Context, visit func(id git.ID, kind git.Kind, data []byte) error, progress func(done, total int)) error {
	panic("contract")
}

// Cache keeps inflated objects that serve as delta bases, bounded in bytes over
// all the packs that share it.
type Cache struct{}

// NewCache returns a Cache of at most maxBytes.
func NewCache(maxBytes int64) *Cache { panic("contract") }
