// Package account keeps users and the proofs of who they are: passwords,
// sessions, tokens, SSH keys.
//
// A Service turns a proof into a *forge.Actor, and that is all it says about the
// actor: what it may do is for forge.Permit to say. Stored are argon2id hashes of
// passwords, SHA-256 of tokens and sessions, and public keys: whoever reads the
// store can sign in as nobody. Every failed proof by password takes the same
// time and gives the same error, whether the user exists or not, and slows down
// the next one from the same place.
package account

import (
	"context"
	"errors"
	"runtime"
	"time"

	"github.com/ingot-forge/ingot/forge"
)

// Stores is where a Service keeps things.
type Stores struct {
	Users   Users
	Tokens  Tokens
	Keys    Keys
	Secrets Secrets
}

// Config of a Service. The zero value of a field means its default.
type Config struct {
	Clock  func() time.Time
	Hashes int // passwords hashed at once, each with 19 MiB; default: the number of cores
}

// Limits of what one user has, and of pages.
const (
	MaxTokens = 1000 // tokens of one user
	MaxKeys   = 256  // SSH keys of one user
	MaxPage   = 100  // things listed at once
	MaxTitle  = 255  // bytes of a name or title
)

// UsedEvery is how exact the time of last use of a token or key is: noting it
// more often would make every request a write.
const UsedEvery = 5 * time.Minute

// Service is the accounts of one instance. All methods may be called from
// several goroutines at once.
type Service struct {
	stores Stores
	clock  func() time.Time
	hasher *hasher
	proofs *proofs
	guard  *guard
}

// New returns a Service. It starts no goroutine.
func New(stores Stores, c Config) *Service {
	if c.Clock == nil {
		c.Clock = time.Now
	}
	if c.Hashes == 0 {
		c.Hashes = runtime.GOMAXPROCS(0)
	}
	return &Service{stores: stores, clock: c.Clock, hasher: newHasher(c.Hashes), proofs: newProofs(), guard: newGuard(guardEntries)}
}

// now is the time in the precision that every store keeps.
func (s *Service) now() time.Time { return s.clock().UTC().Truncate(time.Microsecond) }

// permit looks a user up and decides whether actor may do action on its
// account. Users are public, so one that is not there may be told from one that
// is.
func (s *Service) permit(ctx context.Context, actor *forge.Actor, action forge.Action, login string) (*Account, error) {
	a, err := s.find(ctx, actor, login)
	if err != nil {
		return nil, err
	}
	if err := forge.PermitUser(actor, action, a.ID, false, s.clock()); err != nil {
		return nil, err
	}
	return a, nil
}

func (s *Service) find(ctx context.Context, actor *forge.Actor, login string) (*Account, error) {
	if !forge.IsLogin(login) {
		return nil, noUser(actor)
	}
	a, err := s.stores.Users.FindUser(ctx, login)
	if errors.Is(err, forge.ErrNoRow) {
		return nil, noUser(actor)
	}
	return a, err
}

func noUser(actor *forge.Actor) error { return forge.NotFoundf(actor, "User not found") }

// page bounds how many things are listed at once.
func page(limit int) int {
	if limit <= 0 || limit > MaxPage {
		return MaxPage
	}
	return limit
}

// Secret returns the secret of that name that all nodes share, made by generate
// if there is none yet: SSH host keys, seeds. It is for the server itself, not
// for actors.
func (s *Service) Secret(ctx context.Context, name string, generate func() ([]byte, error)) ([]byte, error) {
	return s.stores.Secrets.LoadOrStore(ctx, name, generate)
}
