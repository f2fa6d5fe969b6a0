package repo

import (
	"context"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/ingot-forge/ingot/git"
)

// ID names a repository in the catalogue. It is positive and never reused.
type ID int64

// ErrNoFile is matched by errors for a file that is not there.
var ErrNoFile = errors.New("no such file")

// ErrFull is matched by errors of Files and Catalog for want of space or quota.
// What the method promises to change is unchanged: it may be tried again when
// there is room.
var ErrFull = errors.New("no space left on the server's disk")

// MaxFileName is the length in bytes of the longest name of a file.
const MaxFileName = 255

// Files keeps whole immutable files under names ("packs/3f/pack-3f….pack":
// see CheckFileName). No name is the directory of another. All methods may be
// called from several goroutines and several processes at once. One whose
// context is already done changes nothing and returns the context's error.
type Files interface {
	// Draft starts a new file that nobody can see. The caller ends it with
	// Publish or Discard; one that is lost to a crash is removed by SweepDrafts.
	// It fails with ErrFull, as Write and Publish of the draft do.
	Draft(ctx context.Context) (Draft, error)
	// Open opens a published file for reading, or fails with ErrNoFile. A file
	// that is deleted while it is open stays readable.
	Open(ctx context.Context, name string) (File, error)
	// Delete removes a file; one that is not there is no error.
	Delete(ctx context.Context, name string) error
	// List calls visit for the published files whose names start with prefix,
	// in the order of the bytes of their names, until it returns false. Any
	// prefix will do, also one that ends inside a segment. Files that come or
	// go meanwhile may be shown or not. visit may call any method.
	List(ctx context.Context, prefix string, visit func(FileInfo) bool) error
	// SweepDrafts discards drafts that nobody has written to since before and
	// returns how many. Publishing one of them afterwards fails.
	SweepDrafts(ctx context.Context, before time.Time) (int, error)
}

// CheckFileName returns nil if name may name a file: segments of ASCII letters,
// digits, '.' and '-', joined by '/', none empty or starting with '.', at most
// MaxFileName bytes in all. Every adapter refuses other names in all methods.
func CheckFileName(name string) error {
	if name == "" || len(name) > MaxFileName {
		return fmt.Errorf("bad file name %.80q: want 1 to %d bytes", name, MaxFileName)
	}
	start := true // of a segment
	for _, c := range []byte(name) {
		switch {
		case c == '/' && start, c == '.' && start:
			return fmt.Errorf("bad file name %q: a segment is empty or starts with a dot", name)
		case c == '/':
			start = true
			continue
		case c == '.', c == '-', '0' <= c && c <= '9', 'a' <= c && c <= 'z', 'A' <= c && c <= 'Z':
		default:
			return fmt.Errorf("bad file name %q: byte %q", name, c)
		}
		start = false
	}
	if start {
		return fmt.Errorf("bad file name %q: it ends in a slash", name)
	}
	return nil
}

// FileInfo describes a published file.
type FileInfo struct {
	Name     string
	Bytes    int64
	Modified time.Time // when it was published
}

// Draft is a file in the making. One goroutine writes; ReadAt may run beside
// Write for bytes already written. After Publish or Discard it is of no use.
type Draft interface {
	io.Writer   // appends; after ErrFull the draft is only good to be discarded
	io.ReaderAt // of what was written
	io.WriterAt // overwrites what was written; past its end it fails
	// Publish makes the file visible under name, whole: when it returns nil the
	// bytes and the name are on durable storage. A name is published once; a
	// second time fails and leaves the file as it was.
	Publish(ctx context.Context, name string) error
	// Discard gives the draft up. After Publish it does nothing.
	Discard() error
}

// File is an open published file; it satisfies pack.Source.
type File interface {
	Size() int64
	// View returns at least one and at most n bytes that start at off, as many
	// as are at hand without copying; read-only, valid until Close. At or past
	// the end it returns io.EOF. n is positive and off not negative. It may be
	// called from several goroutines at once.
	View(ctx context.Context, off int64, n int) ([]byte, error)
	Close() error
}

var (
	// ErrNoRepository is matched by errors for a repository that the catalogue
	// does not have.
	ErrNoRepository = errors.New("no such repository")
	// ErrOutOfDate is matched when a repository no longer is what a change was
	// made from: a pack that the change drops is gone, one that it adds is there
	// already, HEAD points elsewhere, or the packs were staged too long ago.
	ErrOutOfDate = errors.New("repository has changed meanwhile")
	// ErrUnknown is matched by an error of Commit that leaves open whether the
	// change was made, for instance because the connection to the database
	// broke before its answer came. All or nothing of it was made; a later Load
	// shows which.
	ErrUnknown = errors.New("unknown whether the change was made")
)

// Catalog is the one mutable thing: which packs a repository has and where its
// refs point. All methods may be called from several goroutines and processes
// at once; what Commit acknowledged, every later Load anywhere sees. None fails
// because another call ran at the same time, except as Commit says. One
// whose context is already done changes nothing and returns the context's error.
type Catalog interface {
	// Load returns the repository's state. When since, an earlier result for
	// this id, is still current it is returned itself, for the price of one
	// indexed read; otherwise an adapter may build the new state from it and
	// what changed. The bytes of packs in rows come along; where since has the pack
	// they should be taken from there. Load fails with ErrNoRepository.
	Load(ctx context.Context, id ID, since *State) (*State, error)
	// Commit applies a change: all of it, durably, or nothing. It returns the
	// new version, which is greater than that of every commit before it to
	// this repository, also when c changes nothing. The state it compares with
	// and the state it makes have no other commit between them. Errors:
	//
	//   - *Conflict, when refs are not at their Old or are blocked (see
	//     Change.Conflicts); it lists all of them
	//   - ErrOutOfDate, when the repository does not have a pack of Drop, has one
	//     of Add already, or HEAD is not at Head.Old
	//   - ErrNoRepository
	//   - ErrFull
	//   - ErrUnknown
	//
	// A pack that was dropped may be added again, and counts as new. The bytes of
	// a pack in its row are stored with the row and go with it. Commit
	// takes for granted what Store.Commit checked: names, distinctness, limits.
	Commit(ctx context.Context, c *Change) (version int64, err error)
	// RefLog returns up to limit movements of the refs of a repository, newest
	// first: of one ref, or of all when ref is ""; only those with a Seq below
	// before, unless that is 0. It fails with ErrNoRepository.
	RefLog(ctx context.Context, id ID, ref string, before int64, limit int) ([]Movement, error)
	// Referenced returns those of the pack names that any repository's rows
	// name now, or that were dropped (by the Time of the change; or with
	// their repository) at since or later. What was dropped more than MaxGrace
	// ago may be forgotten.
	Referenced(ctx context.Context, packs []string, since time.Time) (map[string]bool, error)
	// Repositories returns up to limit ids greater than after, ascending.
	Repositories(ctx context.Context, after ID, limit int) ([]ID, error)
}

// State is a repository as one version of the catalogue has it. It is
// immutable once returned and may be shared.
type State struct {
	ID      ID
	Version int64 // grows with every commit; 0 for a new repository
	Format  git.Format
	Head    string // the ref that HEAD points to; it need not exist ("unborn")
	Refs    Refs
	Packs   []Pack // in the order they were added
}

// Pack is the row of one stored pack. The same pack may be in several
// repositories (forks).
type Pack struct {
	Name     string // its files are PackFile(Name) and IndexFile(Name), unless it is in its row
	Bytes    int64  // of the pack, without its index
	Objects  int64
	Checksum []byte // the pack's trailer
	// Added is when the files were staged or, for a pack shared with another
	// repository, when that was last known to have it: Commit refuses what is
	// too old to be safe from Sweep. Kept to the microsecond, as all times.
	Added time.Time
	// Data and Index are the pack itself and its index, of a small one that is in
	// its row: there are no files. Both are nil otherwise. Never changed.
	Data, Index []byte
}

// InRow reports whether the pack is in its row, and not in files.
func (p *Pack) InRow() bool { return p.Data != nil }

func (p *Pack) rowBytes() int64 { return int64(len(p.Data) + len(p.Index)) }

// Change is one step of a repository: new packs become part of it and refs move, together.
type Change struct {
	Repository ID
	Add        []Pack
	Drop       []string    // names of packs that Add replaces; one that is gone is ErrOutOfDate
	Refs       []RefUpdate // each ref once
	Head       *HeadUpdate
	// Who and Why go to the ref log ("alice", "push"), Time to all rows.
	Who, Why string
	Time     time.Time
	// Event, if any, is appended to the event log in the same transaction. The
	// engine does not look inside.
	Event *Event
}

// RefUpdate moves one ref: creates it when Old is zero, deletes it when New is.
// When both are equal the ref is only compared, and the ref log hears nothing.
type RefUpdate struct {
	Name     string
	Old, New git.ID
	Peeled   git.ID // of New
}

// HeadUpdate points HEAD at another ref.
type HeadUpdate struct{ Old, New string }

// Event is a line of the event log, opaque to the engine.
type Event struct {
	Kind    string // "push", …
	Payload []byte // JSON
}

// Movement is one line of the ref log. Lines of one commit are in the order of
// Change.Refs.
type Movement struct {
	Seq      int64 // positive, ascending in the order of commits; the cursor of RefLog
	Ref      string
	Old, New git.ID
	Who, Why string
	Time     time.Time
}
