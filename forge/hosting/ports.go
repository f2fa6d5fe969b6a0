package hosting

import (
	"context"
	"time"

	"github.com/ingot-forge/ingot/forge"
	"github.com/ingot-forge/ingot/git"
	"github.com/ingot-forge/ingot/git/repo"
)

// Repositories keeps the descriptions of repositories, beside the rows that
// repo.Catalog keeps of the same ones. All methods may be called from several
// goroutines and processes at once, are atomic (event log included), and are
// durable when they return nil. Owners and names are compared by forge.Fold.
type Repositories interface {
	// CreateRepository makes a repository, with its row in the catalogue:
	// version 0, no packs, no refs, HEAD on refs/heads/<DefaultBranch>. ID,
	// Owner and the fields that follow from the catalogue are filled in. A name
	// that the owner has in use is forge.Conflict with the field "name"; an
	// owner that does not exist is forge.ErrNoRow. See New.Fork for the difference
	// that it makes.
	CreateRepository(ctx context.Context, n New, event *repo.Event) (*forge.Repository, error)
	// FindRepository returns a repository, and the role that viewer was given
	// there as a collaborator (RoleNone if none, or if viewer is 0), for the
	// price of one indexed read; or forge.ErrNoRow.
	FindRepository(ctx context.Context, which Which, viewer forge.UserID) (*forge.Repository, forge.Role, error)
	// UpdateRepository replaces Name, Description, Private, Archived and
	// Updated of the repository with r.ID, if its Updated still is seen;
	// otherwise, and for a name that the owner has in use, forge.Conflict. None
	// is forge.ErrNoRow.
	UpdateRepository(ctx context.Context, r *forge.Repository, seen time.Time, event *repo.Event) error
	// DeleteRepository removes a repository: description, collaborators, refs,
	// pack rows. Its events stay; its files are left to repo.Store.Sweep. Its forks
	// get its parent for theirs; if it was the first of its network, the oldest
	// of its forks takes its place there, a public one before a private one. With
	// unused set it does so only if the version is 0; otherwise it is
	// forge.Conflict. None is forge.ErrNoRow. at is the time of the event, and
	// from when repo.Catalog.Referenced no longer counts the packs.
	DeleteRepository(ctx context.Context, id forge.RepositoryID, unused bool, at time.Time, event *repo.Event) error
	// ListRepositories returns up to l.Limit repositories, ids ascending unless
	// l.Newest is set.
	ListRepositories(ctx context.Context, l Listing) ([]*forge.Repository, error)
}

// New is a repository to be made.
type New struct {
	OwnerID       forge.UserID
	Name          string
	Description   string
	Private       bool
	DefaultBranch string // without "refs/heads/"
	Format        git.Format
	Created       time.Time
	Fork          *Forking // nil: it begins empty
}

// Forking makes a new repository a fork of Parent, in the same transaction. It
// has what Parent has at that moment: packs (their rows: no byte is copied),
// branches and tags, HEAD, object format and the time of the last push; and it is
// private if Parent is. DefaultBranch, Format and Private of New are not heeded. Its version
// is 1, and its ref log begins empty. An owner that has a fork of Parent already is
// forge.Conflict with the field "parent"; a Parent that is not there is forge.ErrNoRow.
type Forking struct {
	Parent            forge.RepositoryID
	DefaultBranchOnly bool        // of the refs, only the branch that HEAD points to
	Event             *repo.Event // for the log of Parent
}

// Which selects one repository: by ID if that is not 0, else by owner and name.
type Which struct {
	ID          forge.RepositoryID
	Owner, Name string
}

// Listing selects repositories.
type Listing struct {
	Owner forge.UserID // 0: of any owner
	// Unless All is set: public ones, those that Viewer owns, and those where
	// Viewer is a collaborator. Viewer 0 is nobody.
	All    bool
	Viewer forge.UserID
	// Member leaves out, of those, what is neither owned by Viewer nor has
	// Viewer as a collaborator.
	Member bool
	Parent forge.RepositoryID // 0: forks and others; else only direct forks of it
	Newest bool               // ids descending
	After  forge.RepositoryID // ids greater than this or, with Newest, less, unless it is 0
	Limit  int
}

// Forks counts forks.
type Forks interface {
	// CountForks counts the direct forks of a repository, and the repositories
	// of its network but the first: of both those that viewer would have
	// listed, all of them if all is set.
	CountForks(ctx context.Context, r *forge.Repository, viewer forge.UserID, all bool) (forks, network int, err error)
}

// Collaborator is a user with a role in a repository.
type Collaborator struct {
	UserID forge.UserID
	Login  string
	Role   forge.Role
}

// Collaborators keeps who has which role. The manners are those of
// Repositories.
type Collaborators interface {
	// SetRole gives a user a role in a repository; RoleNone takes it away.
	// changed tells whether anything did; if not, event is not written. A
	// repository or user that does not exist is forge.ErrNoRow.
	SetRole(ctx context.Context, r forge.RepositoryID, u forge.UserID, role forge.Role,
		at time.Time, event *repo.Event) (changed bool, err error)
	// ListCollaborators returns up to limit collaborators with user ids greater
	// than after, ascending.
	ListCollaborators(ctx context.Context, r forge.RepositoryID, after forge.UserID, limit int) ([]Collaborator, error)
}

// Events reads the event log.
type Events interface {
	// ListEvents returns up to limit events with Seq greater than after,
	// ascending: of one repository, or of all when r is 0. No event with a
	// lower Seq than one it has returned appears later: a reader that goes on
	// from the last Seq it saw misses nothing.
	ListEvents(ctx context.Context, r forge.RepositoryID, after int64, limit int) ([]forge.Event, error)
}

// Owners finds users.
type Owners interface {
	// Owner returns the user with that login, or forge.ErrNoRow.
	Owner(ctx context.Context, login string) (*forge.User, error)
}

// RefLog reads the log of what refs were; every repo.Catalog is one.
type RefLog interface {
	RefLog(ctx context.Context, id repo.ID, ref string, before int64, limit int) ([]repo.Movement, error)
}
