package repo

import (
	"context"
	"errors"
	"io"
	"time"

	"github.com/ingot-forge/ingot/git"
)

// ID names a repository in the catalogue. It is never reused.
type ID int64

// ErrNoFile is matched by errors for a file that is not there.
var ErrNoFile = errors.New("no such file")

// Files keeps whole immutable files under names ("packs/3f/3f….pack": ASCII
// letters, digits, '.', '-', '/', no empty or dotted segments, at most 255
// bytes). All methods may be called from several goroutines and several
// processes at once.
type Files interface {
	// Draft starts a new file that nobody can see. The caller ends it with
	// Publish or Discard; one that is lost to a crash is removed by Sweep.
	Draft(ctx context.Context) (Draft, error)
	// Open opens a published file for reading, or fails with ErrNoFile. A file
	// that is deleted while it is open stays readable.
	Open(ctx context.Context, name string) (File, error)
	// Delete removes a file; one that is not there is no error.
	Delete(ctx context.Context, name string) error
	// List calls visit for the published files whose names start with prefix,
	// in the order of their names, until it returns false.
	List(ctx context.Context, prefix string, visit func(FileInfo) bool) error
	// SweepDrafts discards drafts that nobody has written to since before and
	// returns how many.
	SweepDrafts(ctx context.Context, before time.Time) (int, error)
}

// FileInfo describes a published file.
type FileInfo struct {
	Name     string
	Bytes    int64
	Modified time.Time // when it was published
}

// Draft is a file in the making. One goroutine writes; ReadAt may run beside
// Write for bytes already written.
type Draft interface {
	io.Writer   // appends
	io.ReaderAt // of what was written
	io.WriterAt // overwrites what was written
	// Publish makes the file visible under name, whole: when it returns nil the
	// bytes and the name are on durable storage. A name is published once; a
	// second time fails and changes nothing.
	Publish(ctx context.Context, name string) error
	// Discard gives the draft up. After Publish it does nothing.
	Discard() error
}

// File is an open published file; it satisfies pack.Source.
type File interface {
	Size() int64
	// View returns at least one and at most n bytes that start at off, as many
	// as are at hand without copying; read-only, valid until Close. At or past
	// the end it returns io.EOF.
	View(ctx context.Context, off int64, n int) ([]byte, error)
	Close() error
}

var (
	// ErrNoRepository is matched by errors for a repository that the catalogue
	// does not have.
	ErrNoRepository = errors.New("no such repository")
	// ErrOutOfDate is matched when a repository no longer has what a change was made from:
	// a pack that the change replaces is gone, or a symbolic HEAD moved.
	ErrOutOfDate = errors.New("repository has changed meanwhile")
)

// Catalog is the one mutable thing: which packs a repository has and where its
// refs point. All methods may be called from several goroutines and processes
// at once; what Commit acknowledged, every later Load anywhere sees.
type Catalog interface {
	// Load returns the repository's state. When since is not nil and still
	// current it is returned itself, for the price of one indexed read;
	// otherwise an adapter may build the new state from it and what changed.
	Load(ctx context.Context, id ID, since *State) (*State, error)
	// Commit applies a change: all of it, durably, or nothing. Every ref is
	// compared with its Old; if any differs, nothing is changed and the error is a
	// *Conflict that lists all that differ. It returns the new version.
	Commit(ctx context.Context, c *Change) (version int64, err error)
	// RefLog returns movements of the refs of a repository, newest first: of
	// one ref, or of all when ref is "".
	RefLog(ctx context.Context, id ID, ref string, before int64, limit int) ([]Movement, error)
	// Referenced returns those of the pack names that any repository's rows
	// name, now or (dropped from all of them) since after.
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
	Refs    []Ref  // sorted by name
	Packs   []Pack // in the order they were added
}

// Ref is one ref.
type Ref struct {
	Name   string
	Target git.ID
	Peeled git.ID // what an annotated tag finally points to; zero otherwise
}

// Pack is the row of one stored pack.
type Pack struct {
	Name     string // its files are PackFile(Name) and IndexFile(Name)
	Bytes    int64  // of the pack file
	Objects  int64
	Checksum []byte // the pack's trailer
	Added    time.Time
}

// Change is one step of a repository: new packs become part of it and refs move, together.
type Change struct {
	Repository ID
	Add        []Pack
	Drop       []string // names of packs that Add replaces; one that is gone is ErrOutOfDate
	Refs       []RefUpdate
	Head       *HeadUpdate
	// Who and Why go to the ref log ("alice", "push"), Time to all rows.
	Who, Why string
	Time     time.Time
	// Event, if any, is appended to the event log in the same transaction. The
	// engine does not look inside.
	Event *Event
}

// RefUpdate moves one ref: creates it when Old is zero, deletes it when New is.
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

// Movement is one line of the ref log.
type Movement struct {
	Seq      int64 // ascending in the order of commits; the cursor of RefLog
	Ref      string
	Old, New git.ID
	Who, Why string
	Time     time.Time
}

// Conflict lists the refs that were not where a change expected them.
type Conflict struct {
	Refs []ConflictRef
}

// ConflictRef is one of them.
type ConflictRef struct {
	Name             string
	Expected, Actual git.ID
}

func (e *Conflict) Error() string { panic("contract") }
