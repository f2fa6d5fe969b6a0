package account

import (
	"context"
	"crypto/sha256"
	"time"

	"github.com/ingot-forge/ingot/forge"
)

// Account is a user together with what proves a password. The hash never leaves
// this package and its store.
type Account struct {
	forge.User
	PasswordHash string // PHC string of argon2id; "" when signing in by password is impossible
}

// Users keeps accounts. All methods may be called from several goroutines and
// processes at once, are atomic, and are durable when they return nil.
// Logins are compared by forge.Fold, e-mails too.
type Users interface {
	// CreateUser adds a (its ID is 0) and returns it with its id. A login, or an e-mail that is
	// not "", that another account has is forge.Conflict with the field "login" or "email".
	CreateUser(ctx context.Context, a *Account) (*Account, error)
	// FindUser returns the account with that login, or forge.ErrNoRow.
	FindUser(ctx context.Context, login string) (*Account, error)
	// UserByID returns the account with that id, or forge.ErrNoRow.
	UserByID(ctx context.Context, id forge.UserID) (*Account, error)
	// UpdateUser replaces everything of the account with a.ID but ID, Login and Created, if its
	// Updated still is seen; otherwise, and for another's e-mail, forge.Conflict. None is forge.ErrNoRow.
	UpdateUser(ctx context.Context, a *Account, seen time.Time) error
	// ListUsers returns up to limit users with ids greater than after, ascending.
	ListUsers(ctx context.Context, after forge.UserID, limit int) ([]*forge.User, error)
}

// Hash is the SHA-256 of a token. Only it is stored: what the store holds opens nothing.
type Hash [sha256.Size]byte

// Token is a token or a session, without its secret.
type Token struct {
	ID      int64
	UserID  forge.UserID
	Session bool   // a sign-in on the web pages: not limited by scopes
	Name    string // what it is for, as the user wrote it; of a session, the browser
	Scopes  forge.Scopes
	Only    forge.RepositoryID // the one repository it counts for; 0 for all
	Hint    string             // its last characters, so that its user can tell it from others
	Created time.Time
	Expires time.Time // zero for never
	Used    time.Time // to within UsedEvery; zero if never
}

// Tokens keeps tokens and sessions. The manners are those of Users.
type Tokens interface {
	// CreateToken adds t (its ID is 0) under hash and returns its id, which is never
	// used again. A hash that is there already is forge.Conflict, a user that is not forge.ErrNoRow.
	CreateToken(ctx context.Context, t *Token, hash Hash) (id int64, err error)
	// FindToken returns the token with that hash and its user, for the price of one indexed
	// read, or forge.ErrNoRow. It does not judge expiry.
	FindToken(ctx context.Context, hash Hash) (*Token, *forge.User, error)
	// ListTokens returns up to limit tokens of a user (sessions, or the others)
	// with ids greater than after, ascending.
	ListTokens(ctx context.Context, user forge.UserID, sessions bool, after int64, limit int) ([]*Token, error)
	// TouchToken sets Used; a token that is gone is no error.
	TouchToken(ctx context.Context, id int64, used time.Time) error
	// DeleteTokens removes those of a user's tokens and sessions that which selects and returns how
	// many. From then on FindToken does not find them.
	DeleteTokens(ctx context.Context, user forge.UserID, which TokenSelection) (int, error)
}

// TokenSelection selects tokens of one user: the one with ID, if that is not 0; else
// all sessions, if Sessions is set, and all that expired before Expired, if that is not zero.
type TokenSelection struct {
	ID       int64
	Sessions bool
	Expired  time.Time
}

// Key is a public SSH key of a user.
type Key struct {
	ID          int64
	UserID      forge.UserID
	Title       string
	Authorized  string // "ssh-ed25519 AAAA…": type and base64, without comment
	Fingerprint string // "SHA256:…" as ssh-keygen -l prints it; unique over all users
	Created     time.Time
	Used        time.Time // when a connection by it last began, to within UsedEvery; zero if never
}

// Keys keeps SSH keys. The manners are those of Users.
type Keys interface {
	// CreateKey adds k (its ID is 0) and returns its id, which is never used again. A fingerprint that any
	// user has is forge.Conflict with the field "key", a user that is not there forge.ErrNoRow.
	CreateKey(ctx context.Context, k *Key) (id int64, err error)
	// FindKey returns the key with that fingerprint and its user, for the price
	// of one indexed read, or forge.ErrNoRow.
	FindKey(ctx context.Context, fingerprint string) (*Key, *forge.User, error)
	// ListKeys returns up to limit keys of a user with ids greater than after, ascending.
	ListKeys(ctx context.Context, user forge.UserID, after int64, limit int) ([]*Key, error)
	// TouchKey sets Used; a key that is gone is no error.
	TouchKey(ctx context.Context, id int64, used time.Time) error
	// DeleteKey removes a key of that user; none is forge.ErrNoRow.
	DeleteKey(ctx context.Context, user forge.UserID, id int64) error
}

// Secrets keeps small secrets with the data, so that all nodes share them.
type Secrets interface {
	// LoadOrStore returns the secret of that name. If there is none yet it stores what generate
	// returns; when several try at once, in any number of processes, all return
	// the one that was stored. generate may be called in vain.
	LoadOrStore(ctx context.Context, name string, generate func() ([]byte, error)) ([]byte, error)
}
