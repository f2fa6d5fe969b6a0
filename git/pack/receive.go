package pack

import (
	"context"
	"io"

	"github.com/ingot-forge/ingot/git"
)

// Limits bound what a stranger's pack may cost. Past one of them Receive fails
// with a *LimitError; zero means no limit.
type Limits struct {
	PackBytes   int64 // of the stream
	ObjectBytes int64 // inflated size of any object
	Objects     int64 // entries in the pack
	DeltaDepth  int   // longest chain of deltas
	MemoryBytes int64 // kept deltas and bases in flight; 0 means DefaultMemory
}

// DefaultMemory is the bound of what Receive keeps in memory besides a fixed
// cost per object (ids, offsets: some 64 bytes each).
const DefaultMemory = 96 << 20

// LimitError says which limit a pack broke.
type LimitError struct {
	Limit string // "pack size", "object size", "objects in the pack", "delta depth"
	Max   int64
}

func (e *LimitError) Error() string { panic("contract") }

// Draft is where Receive stores the pack: what was written can be read back
// before the file has a name. repo.Draft satisfies it.
type Draft interface {
	io.Writer   // appends
	io.ReaderAt // of what was written
	io.WriterAt // overwrites; used for the header's count when a thin pack is completed
}

// Options say how to receive.
type Options struct {
	Format  git.Format
	Limits  Limits
	Workers int // goroutines that resolve deltas; 0 means GOMAXPROCS
	// Bases has the objects that a thin pack's deltas may start from; nil
	// refuses thin packs. Those used are appended to the pack, as index-pack --fix-thin does.
	Bases git.Objects
	// Visit sees every object of the stream once, with its final id, as soon
	// as its content is known; bases appended to a thin pack are not visited.
	// It is called from several goroutines at once; data is valid only during
	// the call. A blob that is larger than StreamBytes and not stored as a
	// delta comes with nil data. An error ends Receive. May be nil.
	Visit func(id git.ID, kind git.Kind, size int64, data []byte) error
	// Progress hears of the work, from one goroutine at a time; may be nil.
	Progress func(p Progress)
}

// StreamBytes is the size from which a blob stored whole is hashed while it is
// inflated, without ever being held in memory.
const StreamBytes = 8 << 20

// Progress of Receive: objects received while the stream comes in, then deltas
// resolved.
type Progress struct {
	Resolving   bool  // false: receiving
	Done, Total int64 // objects, or deltas
	Bytes       int64 // read so far
}

// Received describes a pack that is stored, complete, in the draft.
type Received struct {
	Objects  int    // in the stored pack, appended bases included
	Appended int    // bases appended
	Bytes    int64  // size of the stored pack
	Checksum []byte // its trailer
	Index    []byte // the whole idx file, equal to that of git index-pack
}

// Receive reads exactly one pack from r, not a byte more, and stores it in out.
// Bytes are kept as they come (a thin pack gets its bases appended, its count
// and trailer mended). It fails, naming the offset, with git.ErrCorrupt for
// damage, git.ErrCollision, git.ErrNotFound for a base that neither the pack
// nor Bases has, *LimitError, or what Visit, r, out or ctx report; what is in out is then rubbish.
// An object that Bases already has is not compared with it: ids are
// collision-checked as they are computed.
func Receive(ctx context.Context, r io.Reader, out Draft, o Options) (*Received, error) {
	panic("contract")
}
