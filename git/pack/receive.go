package pack

import (
	"context"
	"fmt"
	"io"
	"runtime"
	"sync"
	"sync/atomic"

	"github.com/ingot-forge/ingot/git"
)

// Limits bound what a stranger's pack may cost. Past one of them Receive fails
// with a *LimitError; zero means no limit. ObjectBytes and TotalBytes should be
// set: a delta of a few bytes may make an object of gigabytes, and a pack may
// have millions of them.
type Limits struct {
	PackBytes   int64 // of the stream
	ObjectBytes int64 // inflated size of any object
	// TotalBytes is what all entries come to, inflated, with the objects that
	// deltas make, and with bases of thin packs. An object counts again whenever
	// want of memory has it made again.
	TotalBytes  int64
	Objects     int64 // entries in the pack
	DeltaDepth  int   // longest chain of deltas
	MemoryBytes int64 // kept deltas and bases in flight; 0 means DefaultMemory
}

// DefaultMemory is the bound of what Receive keeps in memory besides a fixed
// cost per object (ids, offsets: some 72 bytes each) and a few objects that are
// larger than their share of it. Twice as much was not faster on any pack tried.
const DefaultMemory = 48 << 20

// maxInMemory is the largest object taken in where it has to be held in memory
// whole (all but blobs that are no deltas), even without Limits.ObjectBytes.
const maxInMemory = 4 << 30

// LimitError says which limit a pack broke. Receive wraps it with the offset
// of the entry, where one entry is to blame.
type LimitError struct {
	Limit string // "pack size", "object size", "inflated size of the pack", "objects in the pack", "delta depth"
	Max   int64
}

func (e *LimitError) Error() string { return fmt.Sprintf("%s exceeds the limit of %d", e.Limit, e.Max) }

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
	// the call. A blob of StreamBytes or more that is not stored as a delta
	// comes with nil data. An error ends Receive. May be nil.
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

// Receive reads exactly one pack from r and stores it in out. It asks r for
// more only while the pack is incomplete, so it never waits for what may not
// come; bytes behind the trailer that arrive together with it are an error.
// Bytes are kept as they come (a thin pack gets its bases appended, its count
// and trailer mended). It fails, naming the offset, with git.ErrCorrupt for
// damage (an object that is in the pack twice included), git.ErrCollision,
// *LimitError, or what Visit, r, out or ctx report; deltas whose base neither
// the pack nor Bases has, or that go round in a circle, match git.ErrCorrupt
// and git.ErrNotFound both. What is in out is then rubbish.
// An object that Bases already has is not compared with it: ids are
// collision-checked as they are computed. When Receive returns, no goroutine
// of its own is left; a Read of r that blocks is waited for, also after ctx
// has ended, so whoever cancels closes r too.
func Receive(ctx context.Context, r io.Reader, out Draft, o Options) (*Received, error) {
	if o.Workers <= 0 {
		o.Workers = runtime.GOMAXPROCS(0)
	}
	if o.Limits.MemoryBytes <= 0 {
		o.Limits.MemoryBytes = DefaultMemory
	}
	in := &intake{Options: o, out: out, kept: newShelf(o.Limits.MemoryBytes / 2)}
	if err := in.scan(ctx, r); err != nil {
		return nil, err
	}
	if err := in.resolve(ctx); err != nil {
		return nil, err
	}
	if err := in.complete(ctx); err != nil {
		return nil, err
	}
	return in.received()
}

// intake is one run of Receive. Its steps follow each other: scan fills the
// table, resolve names the deltas, complete makes a thin pack whole.
type intake struct {
	Options
	out Draft

	table
	kept    *shelf       // deltas that need not be read again
	refs    refBases     // what RefDeltas start from
	stored  int64        // bytes in out so far: the pack without its trailer
	made    atomic.Int64 // counts towards Limits.TotalBytes
	trailer []byte       // as read, or made anew for a thin pack

	reported sync.Mutex // one goroutine at a time calls Progress
}

// spend is called before size bytes are inflated or made.
func (in *intake) spend(size int64) error {
	if in.made.Add(size) > in.Limits.TotalBytes && in.Limits.TotalBytes > 0 {
		return &LimitError{Limit: "inflated size of the pack", Max: in.Limits.TotalBytes}
	}
	return nil
}

// report calls Progress, if there is one.
func (in *intake) report(p Progress) {
	if in.Progress == nil {
		return
	}
	in.reported.Lock()
	defer in.reported.Unlock()
	in.Progress(p)
}

// reportEvery is how many objects pass between two calls of Progress.
const reportEvery = 1024

// received stores the trailer and makes the index, the last steps.
func (in *intake) received() (*Received, error) {
	if _, err := in.out.Write(in.trailer); err != nil {
		return nil, err
	}
	r := &Received{
		Objects:  len(in.index),
		Appended: len(in.index) - in.entries,
		Bytes:    in.stored + int64(len(in.trailer)),
		Checksum: in.trailer,
		Index:    AppendIndex(in.Format, nil, in.index, in.trailer),
	}
	// AppendIndex has sorted the table, so twins are neighbours. Git writes
	// such packs never and refuses them under --strict: readers that find one
	// copy and follow a delta to the other could go round in circles.
	for i := 1; i < len(in.index); i++ {
		if in.index[i].ID == in.index[i-1].ID {
			return nil, fmt.Errorf("%w: pack has object %s twice, at offsets %d and %d", git.ErrCorrupt,
				in.Format.Hex(in.index[i].ID), in.index[i-1].Offset, in.index[i].Offset)
		}
	}
	return r, nil
}

// entryError says in which entry of the pack something went wrong.
func entryError(offset int64, err error) error {
	return fmt.Errorf("pack entry at offset %d: %w", offset, err)
}

// corrupt returns an error that matches git.ErrCorrupt.
func corrupt(format string, args ...any) error {
	return fmt.Errorf("%w: "+format, append([]any{git.ErrCorrupt}, args...)...)
}
