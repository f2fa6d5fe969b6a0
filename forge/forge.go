// Package forge is the vocabulary of the product: users, repositories, roles,
// actors and what they may do, events, and the five kinds of error. It does no
// I/O and keeps no state.
//
// Who may do what is decided by two pure functions, Permit for repositories and
// PermitUser for accounts; their table is in docs/decisions/0007-who-may.md.
// Nothing else in the product decides.
package forge

import "time"

// UserID names a user. It is never reused.
type UserID int64

// User is a person, or a program that acts as one.
type User struct {
	ID        UserID
	Login     string // as CheckLogin has it; unique regardless of case
	Name      string // as the person writes it; may be empty
	Email     string // private: shown to the user and to administrators only; may be empty
	Admin     bool   // administers the instance
	Suspended bool   // may not sign in; credentials are kept
	Created   time.Time
	Updated   time.Time
}

// RepositoryID names a repository: the value of the engine's repo.ID.
type RepositoryID int64

// Repository describes a repository. What it holds is the engine's.
type Repository struct {
	ID          RepositoryID
	OwnerID     UserID
	Owner       string // the owner's login
	Name        string // as CheckRepositoryName has it; unique under the owner regardless of case
	Description string // at most MaxDescription bytes, one line
	Private     bool
	Archived    bool // read only
	Created     time.Time
	Updated     time.Time // of this description

	// Parent is what it was forked from, Source the first of its network; both 0 if
	// it is no fork. Where a repository with forks is deleted, they move up: see
	// docs/decisions/0021-forks.md.
	Parent, Source RepositoryID

	// These follow from the catalogue and are never set by hand.
	DefaultBranch string    // the branch HEAD points to, without "refs/heads/"; it need not exist yet
	Pushed        time.Time // of the last commit that moved a ref; zero before the first
	Bytes         int64     // of its packs
	Version       int64     // of its state; 0 until the first commit
}

// FullName returns "owner/name".
func (r *Repository) FullName() string { return r.Owner + "/" + r.Name }

// MaxDescription is the longest description of a repository, in bytes.
const MaxDescription = 1024
