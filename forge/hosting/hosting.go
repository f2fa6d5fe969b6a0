// Package hosting is the repositories of an instance: who may do what with
// which, making and changing them, and the way in for clones and pushes.
//
// There is one gate, Open: every operation on a repository passes it, once, before
// any work. What an actor may not see is NotFound in the same words as a name
// that was never used. Behind the gate the git engine does the work; hosting adds
// who, why and the event, and hands them to the engine's one commit.
package hosting

import (
	"context"
	"io"
	"io/fs"
	"time"

	"github.com/ingot-forge/ingot/forge"
	"github.com/ingot-forge/ingot/git"
	"github.com/ingot-forge/ingot/git/repo"
	"github.com/ingot-forge/ingot/git/transfer"
)

// Stores is where a Service keeps things and what does its git work.
type Stores struct {
	Repositories  Repositories
	Collaborators Collaborators
	Events        Events
	Owners        Owners
	RefLog        RefLog
	Git           *transfer.Server // its Store is the repositories' content
}

// Limits bound the heavy work done at once. The zero value of a field means its default.
type Limits struct {
	Fetches          int           // clones, fetches and archives, all callers together
	FetchesPerCaller int           // of them, for one user or address
	Pushes           int           // pushes and imports
	PushesPerCaller  int           // of them, for one user or address
	Wait             time.Duration // how long one waits for its turn before it is Exhausted
}

// Config of a Service. The zero value of a field means its default.
type Config struct {
	Clock         func() time.Time
	Limits        Limits
	DefaultBranch string // of new repositories: "main"
}

// Service is the repositories of one instance. All methods may be called from
// several goroutines at once.
type Service struct{}

// NewService returns a Service. It starts no goroutine.
func NewService(stores Stores, c Config) *Service { panic("contract") }

// Handle is a repository that an actor was let into for an action. It holds nothing that needs closing.
type Handle struct {
	Repository *forge.Repository // as it was when opened; read only
	Role       forge.Role        // the actor's, as far as its credential lets it count
	Actor      *forge.Actor
	Action     forge.Action
}

// Open is the gate: it decides whether actor may do action (forge.Read, Push, Administer or Delete) on a repository.
// name may end in ".git". The error is NotFound for what the actor may not see, and Denied for
// what it may see but not do.
func (s *Service) Open(ctx context.Context, actor *forge.Actor, action forge.Action, owner, name string) (*Handle, error) {
	panic("contract")
}

// OpenID is Open by id.
func (s *Service) OpenID(ctx context.Context, actor *forge.Actor, action forge.Action, id forge.RepositoryID) (*Handle, error) {
	panic("contract")
}

// Snapshot opens what the repository holds, as of now. The caller closes it.
func (h *Handle) Snapshot(ctx context.Context) (*repo.Snapshot, error) { panic("contract") }

// Ingest takes a pack in for a later Commit. The handle was opened for forge.Push.
func (h *Handle) Ingest(ctx context.Context, snap *repo.Snapshot, r io.Reader, o repo.IngestOptions) (*repo.Staged, error) {
	panic("contract")
}

// Commit moves refs, making a staged pack (may be nil) part of the repository, with a push event as
// if they had been pushed. why goes to the ref log. The handle was opened for forge.Push. A ref that
// is not at its Old is Conflict.
func (h *Handle) Commit(ctx context.Context, refs []repo.RefUpdate, staged *repo.Staged, why string) (version int64, err error) {
	panic("contract")
}

// RefLog returns movements of refs, newest first, as repo.Catalog.RefLog does.
func (h *Handle) RefLog(ctx context.Context, ref string, before int64, limit int) ([]repo.Movement, error) {
	panic("contract")
}

// Events returns the repository's events with Seq greater than after.
func (h *Handle) Events(ctx context.Context, after int64, limit int) ([]forge.Event, error) {
	panic("contract")
}

// Branches and Tags return refs of a snapshot whose full names start with prefix, such as
// "refs/heads/", after the one named after, at most limit, in order of name.
func Refs(state *repo.State, prefix, after string, limit int) []repo.Ref { panic("contract") }

// NewRepository is what a repository starts with.
type NewRepository struct {
	Name          string
	Description   string
	Private       bool
	DefaultBranch string // "": the instance's default
	Format        git.Format
}

// Create makes an empty repository under owner's name ("" means the actor's own).
func (s *Service) Create(ctx context.Context, actor *forge.Actor, owner string, n NewRepository) (*forge.Repository, error) {
	panic("contract")
}

// Get returns the description of a repository that the actor may read.
func (s *Service) Get(ctx context.Context, actor *forge.Actor, owner, name string) (*forge.Repository, error) {
	panic("contract")
}

// Page asks for up to Limit things (at most MaxPage; 0 means DefaultPage) that come after the one with the id After.
type Page struct {
	After int64
	Limit int
}

// ListOwned returns the repositories of one owner that the actor may see.
func (s *Service) ListOwned(ctx context.Context, actor *forge.Actor, owner string, p Page) ([]*forge.Repository, error) {
	panic("contract")
}

// ListOwn returns the repositories that the actor owns or collaborates in.
func (s *Service) ListOwn(ctx context.Context, actor *forge.Actor, p Page) ([]*forge.Repository, error) {
	panic("contract")
}

// ListVisible returns all repositories that the actor may see, public ones of all owners included.
func (s *Service) ListVisible(ctx context.Context, actor *forge.Actor, p Page) ([]*forge.Repository, error) {
	panic("contract")
}

// Edit changes a repository's description; nil fields stay.
type Edit struct {
	Name          *string
	Description   *string
	Private       *bool
	Archived      *bool
	DefaultBranch *string // an existing branch, unless the repository has none
}

// Edit changes a repository.
func (s *Service) Edit(ctx context.Context, actor *forge.Actor, owner, name string, e Edit) (*forge.Repository, error) {
	panic("contract")
}

// Delete removes a repository for good.
func (s *Service) Delete(ctx context.Context, actor *forge.Actor, owner, name string) error {
	panic("contract")
}

// SetCollaborator gives a user a role from forge.RoleRead to forge.RoleAdmin; RoleNone takes it away.
// added tells whether the user had none before.
func (s *Service) SetCollaborator(ctx context.Context, actor *forge.Actor, owner, name, login string, role forge.Role) error {
	panic("contract")
}

// ListCollaborators returns collaborators with user ids greater than p.After; the owner is not among them.
func (s *Service) ListCollaborators(ctx context.Context, actor *forge.Actor, owner, name string, p Page) ([]Collaborator, error) {
	panic("contract")
}

// Fetch lets an actor in for one clone, fetch or archive. The caller closes it. Its errors, and
// those of kind Exhausted that Serve and Archive return, come before anything was written to the client.
func (s *Service) Fetch(ctx context.Context, actor *forge.Actor, owner, name string) (*Fetch, error) {
	panic("contract")
}

// Fetch is one admitted clone, fetch or archive.
type Fetch struct{ Repository *forge.Repository }

// Wire says how the client speaks.
type Wire struct {
	Version   transfer.Version
	Stateless bool // one request of many, as over HTTP
}

// Advertise writes the answer to GET info/refs?service=git-upload-pack.
func (f *Fetch) Advertise(ctx context.Context, w io.Writer, wire Wire) error { panic("contract") }

// Serve serves one request, or one whole conversation. Errors that the client
// was told of match transfer.Told.
func (f *Fetch) Serve(ctx context.Context, r io.Reader, w io.Writer, wire Wire) error {
	panic("contract")
}

// Archive serves git upload-archive.
func (f *Fetch) Archive(ctx context.Context, r io.Reader, w io.Writer) error { panic("contract") }

// Close ends it.
func (f *Fetch) Close() { panic("contract") }

// Push lets an actor in for one push. A repository that does not exist, under a name where the actor may create it, is
// let in too: it is made, private, when the first commands have arrived, and is gone again if they come to nothing.
// The caller closes it.
func (s *Service) Push(ctx context.Context, actor *forge.Actor, owner, name string) (*Push, error) {
	panic("contract")
}

// Push is one admitted push.
type Push struct {
	Repository *forge.Repository // nil until it is made
}

// Advertise writes the answer to GET info/refs?service=git-receive-pack. It makes nothing.
func (p *Push) Advertise(ctx context.Context, w io.Writer, wire Wire) error { panic("contract") }

// Serve serves one push, or one whole conversation. Errors that the client was told of match
// transfer.Told; those of kind Exhausted come before anything was written to the client.
func (p *Push) Serve(ctx context.Context, r io.Reader, w io.Writer, wire Wire) (*transfer.Report, error) {
	panic("contract")
}

// Close ends it.
func (p *Push) Close() { panic("contract") }

// Check verifies all that a repository holds and returns the number of faults, each of which it reports.
func (s *Service) Check(ctx context.Context, actor *forge.Actor, owner, name string, report func(fault string), progress func(done, total int)) (int, error) {
	panic("contract")
}

// Sweep removes stored files that no repository needs: see repo.Store.Sweep.
func (s *Service) Sweep(ctx context.Context, actor *forge.Actor, report func(file string, bytes int64)) (files int, bytes int64, err error) {
	panic("contract")
}

// Import fills a repository, which it makes unless it is there and empty, with what a bare git repository has.
func (s *Service) Import(ctx context.Context, actor *forge.Actor, owner string, n NewRepository, from fs.FS, progress func(ImportProgress)) (*forge.Repository, error) {
	panic("contract")
}

// ImportProgress says how far an import is.
type ImportProgress struct {
	Stage       string // "reading", "receiving", "resolving", "refs"
	Done, Total int64
}
