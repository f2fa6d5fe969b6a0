// Package repo is a git repository made of immutable packs and one small
// mutable cell, the catalogue.
//
// Reading goes through a Snapshot, which shows one version of the repository
// for as long as it is open. Writing takes two steps: packs are staged, where
// nobody can see them (Ingest, Stage), and then one Commit makes packs, refs,
// ref log and event log visible together. A crash in between leaves files that
// nothing names; Sweep removes them after a grace time.
//
// What always holds: every object that a ref or an object of a committed pack
// names is in the repository's packs (Ingest checks the links of every object
// it takes in), so a reader never meets a missing object.
package repo

import (
	"context"
	"io"
	"time"

	"github.com/ingot-forge/ingot/git"
	"github.com/ingot-forge/ingot/git/pack"
)

// PackFile and IndexFile name the two files of a pack: "packs/3f/pack-3f….pack".
func PackFile(name string) string  { panic("contract") }
func IndexFile(name string) string { panic("contract") }

// Config bounds a Store. The zero value of a field means its default.
type Config struct {
	CacheBytes int64         // inflated delta bases, all repositories together
	OpenPacks  int           // packs kept open, all repositories together
	States     int           // repository states kept in memory
	Limits     pack.Limits   // of one ingest
	Refs       int           // that one change may move
	Grace      time.Duration // how long what nothing names is kept: see Sweep
	Clock      func() time.Time
}

// Store opens and changes repositories. All methods may be called from several
// goroutines at once, and any number of Stores, on any number of machines, may
// share one Files and one Catalog.
type Store struct{}

// New returns a Store. It starts no goroutine.
func New(files Files, catalog Catalog, c Config) *Store { panic("contract") }

// Close lets go of open packs. Snapshots must be closed before.
func (s *Store) Close() error { panic("contract") }

// Snapshot opens the current version of a repository. The caller closes it.
func (s *Store) Snapshot(ctx context.Context, id ID) (*Snapshot, error) { panic("contract") }

// Snapshot is one version of a repository, unaffected by later changes. It
// implements git.Objects and may be used from several goroutines at once.
type Snapshot struct{}

// Close ends the use of the snapshot; what it returned must not be used after.
func (s *Snapshot) Close() { panic("contract") }

// State returns refs, HEAD and packs.
func (s *Snapshot) State() *State { panic("contract") }

// Ref returns a ref by its full name, "HEAD" included (then under the name that HEAD points to).
func (s *Snapshot) Ref(name string) (Ref, bool) { panic("contract") }

// Object implements git.Objects over all packs.
func (s *Snapshot) Object(ctx context.Context, id git.ID) (git.Kind, []byte, error) {
	panic("contract")
}

// Has reports whether the packs have id.
func (s *Snapshot) Has(ctx context.Context, id git.ID) (bool, error) { panic("contract") }

// Header returns kind and size of an object without inflating it whole.
func (s *Snapshot) Header(ctx context.Context, id git.ID) (git.Kind, int64, error) {
	panic("contract")
}

// Find returns the opened pack that has id and its place there. The order in which
// packs are searched is fixed within a snapshot, so an id always has one place.
func (s *Snapshot) Find(ctx context.Context, id git.ID) (p *pack.Pack, at int, err error) {
	panic("contract")
}

// IngestOptions say how a pushed pack is taken in.
type IngestOptions struct {
	Progress func(pack.Progress) // may be nil
	Note     func(msg string)    // hears fsck findings that do not refuse; may be nil
	// Extra objects' links that must hold besides those of the pack: the new
	// targets of refs. Each must be in the pack or in the snapshot.
	Tips []git.ID
}

// Staged is a pack that is stored under its name but not part of any
// repository: pass it to Commit, or Discard it.
type Staged struct {
	Pack  Pack
	files Files
}

// Discard removes the staged files.
func (s *Staged) Discard(ctx context.Context) error { panic("contract") }

// Ingest reads one pack from r, stores it, resolves its deltas against itself
// and snap, checks every object as fsck does, and checks that whatever its
// objects and the tips name is in the pack or in snap. Nothing is visible
// afterwards. A pack of no objects stages nothing: nil, nil. Errors:
// those of pack.Receive, *fsck.Problem, and *MissingError.
func (s *Store) Ingest(ctx context.Context, snap *Snapshot, r io.Reader, o IngestOptions) (*Staged, error) {
	panic("contract")
}

// MissingError says that an object names one that is not there.
type MissingError struct {
	ID   git.ID // what is missing
	From git.ID // what names it; zero for the target of a ref
}

func (e *MissingError) Error() string { panic("contract") }

// Peel follows annotated tags from id to what they finally point to; the zero
// ID if id is no tag. staged, which may be nil, is searched besides snap.
func (s *Store) Peel(ctx context.Context, snap *Snapshot, staged *Staged, id git.ID) (git.ID, git.Kind, error) {
	panic("contract")
}

// Commit applies a change (Change.Add usually from Staged.Pack) and returns the
// new version. After nil everything in c is durable and every later Snapshot
// shows it; after an error nothing is, save when the error matches ErrUnknown.
// *Conflict when a ref was elsewhere.
func (s *Store) Commit(ctx context.Context, c *Change) (version int64, err error) {
	panic("contract")
}

// Sweep removes files that no repository names and that are older than the
// grace time, and drafts as old; it returns what it removed. It may run beside anything.
func (s *Store) Sweep(ctx context.Context, report func(file string, bytes int64)) (files int, bytes int64, err error) {
	panic("contract")
}

// Check verifies a whole repository: every byte of packs and indexes, every
// object's id and form, every link of every object, every ref. It calls report
// for each fault and returns their number.
func (s *Store) Check(ctx context.Context, id ID, report func(fault string), progress func(done, total int)) (faults int, err error) {
	panic("contract")
}
