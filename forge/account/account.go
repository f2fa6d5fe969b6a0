// Package account keeps users and the proofs of who they are: passwords,
// sessions, tokens, SSH keys.
//
// A Service turns a proof into a *forge.Actor, and that is all it says about the
// actor: what it may do is forge.Permit's part. Stored are argon2id hashes of
// passwords, SHA-256 of tokens and sessions, and public keys; whoever reads the store
// can sign in as nobody. Every failed proof takes the same time and gives the same error, whether
// the user exists or not, and slows down the next from the same place.
package account

import (
	"context"
	"net/netip"
	"time"

	"golang.org/x/crypto/ssh"

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

// Service is the accounts of one instance. All methods may be called from
// several goroutines at once.
type Service struct{}

// New returns a Service. It starts no goroutine.
func New(stores Stores, c Config) *Service { panic("contract") }

// NewUser is what a user starts with.
type NewUser struct {
	Login    string
	Password string // "": no signing in by password
	Name     string
	Email    string
	Admin    bool
}

// CreateUser makes an account. The actor must be allowed to forge.Operate.
func (s *Service) CreateUser(ctx context.Context, actor *forge.Actor, n NewUser) (*forge.User, error) {
	panic("contract")
}

// FindUser returns the public face of a user by login: Email is empty unless actor may read it.
// One that is not there is NotFound.
func (s *Service) FindUser(ctx context.Context, actor *forge.Actor, login string) (*forge.User, error) {
	panic("contract")
}

// UserByID is FindUser by id.
func (s *Service) UserByID(ctx context.Context, actor *forge.Actor, id forge.UserID) (*forge.User, error) {
	panic("contract")
}

// ListUsers returns up to limit (at most MaxPage) users with ids greater than after, as FindUser shows them.
func (s *Service) ListUsers(ctx context.Context, actor *forge.Actor, after forge.UserID, limit int) ([]*forge.User, error) {
	panic("contract")
}

// UserEdit changes an account; nil fields stay.
type UserEdit struct {
	Name      *string
	Email     *string
	Admin     *bool // an operator's choice
	Suspended *bool // an operator's choice
}

// EditUser changes a user's account.
func (s *Service) EditUser(ctx context.Context, actor *forge.Actor, login string, e UserEdit) (*forge.User, error) {
	panic("contract")
}

// SetPassword sets a user's password and ends all of the user's sessions. "" leaves
// the user without one.
func (s *Service) SetPassword(ctx context.Context, actor *forge.Actor, login, password string) error {
	panic("contract")
}

// SignIn proves a user by password. A wrong one, a user who does not exist, has no password or is suspended all give
// the same Denied error after the same work; too many of them, Exhausted.
func (s *Service) SignIn(ctx context.Context, login, password string, from netip.Addr) (*forge.Actor, error) {
	panic("contract")
}

// Token proves a user by token. One that is unknown, expired, or of a suspended user is Denied.
func (s *Service) Token(ctx context.Context, token string, from netip.Addr) (*forge.Actor, error) {
	panic("contract")
}

// Basic proves a user by the two words of HTTP Basic authentication: a token in either place (the
// other then does not count), or login and password.
func (s *Service) Basic(ctx context.Context, login, password string, from netip.Addr) (*forge.Actor, error) {
	panic("contract")
}

// Key proves a user by an SSH key whose signature the caller has verified, or
// is about to verify: a key that is not known, or of a suspended user, is Denied.
func (s *Service) Key(ctx context.Context, key ssh.PublicKey, from netip.Addr) (*forge.Actor, error) {
	panic("contract")
}

// Session proves a user by the secret of a session.
func (s *Service) Session(ctx context.Context, secret string, from netip.Addr) (*forge.Actor, error) {
	panic("contract")
}

// StartSession begins a session for a user who has just signed in by password, and returns its secret,
// fresh for every session.
func (s *Service) StartSession(ctx context.Context, actor *forge.Actor, browser string) (secret string, _ *Token, err error) {
	panic("contract")
}

// NewToken is what a token is to be.
type NewToken struct {
	Name    string
	Scopes  forge.Scopes
	Only    forge.RepositoryID
	Expires time.Time // zero for never
}

// CreateToken makes a token for a user and returns it; it cannot be read again. No token can
// make tokens.
func (s *Service) CreateToken(ctx context.Context, actor *forge.Actor, login string, n NewToken) (token string, _ *Token, err error) {
	panic("contract")
}

// ListTokens returns up to limit of a user's tokens, or sessions, with ids greater than after.
func (s *Service) ListTokens(ctx context.Context, actor *forge.Actor, login string, sessions bool, after int64, limit int) ([]*Token, error) {
	panic("contract")
}

// DeleteToken revokes a token or ends a session. It holds for the next request already.
func (s *Service) DeleteToken(ctx context.Context, actor *forge.Actor, login string, id int64) error {
	panic("contract")
}

// AddKey adds an SSH key, a line as in authorized_keys, to a user's. title may
// be "": then it is the line's comment.
func (s *Service) AddKey(ctx context.Context, actor *forge.Actor, login, title, line string) (*Key, error) {
	panic("contract")
}

// ListKeys returns up to limit of a user's keys with ids greater than after. Whoever may not forge.ReadKeys gets
// them without titles and dates, as GitHub shows them to everybody.
func (s *Service) ListKeys(ctx context.Context, actor *forge.Actor, login string, after int64, limit int) ([]*Key, error) {
	panic("contract")
}

// DeleteKey removes a user's key.
func (s *Service) DeleteKey(ctx context.Context, actor *forge.Actor, login string, id int64) error {
	panic("contract")
}

// Secret returns the secret of that name that all nodes share, made by generate if
// there is none yet: SSH host keys, seeds.
func (s *Service) Secret(ctx context.Context, name string, generate func() ([]byte, error)) ([]byte, error) {
	panic("contract")
}
