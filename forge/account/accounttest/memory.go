// Package accounttest has the in-memory model of the stores of package account,
// and the conformance suite that every implementation of them passes.
package accounttest

import (
	"context"
	"slices"
	"sync"
	"time"

	"github.com/ingot-forge/ingot/forge"
	"github.com/ingot-forge/ingot/forge/account"
)

// Memory is the model: Users, Tokens, Keys and Secrets in maps. The zero Memory
// is empty and ready.
type Memory struct {
	mu      sync.Mutex // guards all below; every method is one step
	last    int64      // id given out last, of any kind
	users   []account.Account
	tokens  []token
	keys    []account.Key
	secrets map[string][]byte
}

type token struct {
	account.Token
	hash account.Hash
}

// Stores returns m as all four stores.
func (m *Memory) Stores() account.Stores {
	return account.Stores{Users: m, Tokens: m, Keys: m, Secrets: m}
}

func (m *Memory) next() int64 {
	m.last++
	return m.last
}

func (m *Memory) user(id forge.UserID) *account.Account {
	for i := range m.users {
		if m.users[i].ID == id {
			return &m.users[i]
		}
	}
	return nil
}

// taken reports the field of a that another account has in use.
func (m *Memory) taken(a *account.Account) error {
	for _, other := range m.users {
		switch {
		case other.ID == a.ID:
		case forge.Fold(other.Login) == forge.Fold(a.Login):
			return forge.Conflictf("login", forge.CodeAlreadyExists, "Login is taken")
		case a.Email != "" && forge.Fold(other.Email) == forge.Fold(a.Email):
			return forge.Conflictf("email", forge.CodeAlreadyExists, "E-mail is taken")
		}
	}
	return nil
}

// CreateUser implements account.Users.
func (m *Memory) CreateUser(_ context.Context, a *account.Account) (*account.Account, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	made := *a
	if err := m.taken(&made); err != nil {
		return nil, err
	}
	made.ID = forge.UserID(m.next())
	m.users = append(m.users, made)
	return &made, nil
}

// FindUser implements account.Users.
func (m *Memory) FindUser(_ context.Context, login string) (*account.Account, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, a := range m.users {
		if forge.Fold(a.Login) == forge.Fold(login) {
			return &a, nil
		}
	}
	return nil, forge.ErrNoRow
}

// UserByID implements account.Users.
func (m *Memory) UserByID(_ context.Context, id forge.UserID) (*account.Account, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if a := m.user(id); a != nil {
		found := *a
		return &found, nil
	}
	return nil, forge.ErrNoRow
}

// UpdateUser implements account.Users.
func (m *Memory) UpdateUser(_ context.Context, a *account.Account, seen time.Time) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	old := m.user(a.ID)
	if old == nil {
		return forge.ErrNoRow
	}
	if !old.Updated.Equal(seen) {
		return forge.Conflictf("", "", "User was changed meanwhile")
	}
	made := *a
	made.Login, made.Created = old.Login, old.Created
	if err := m.taken(&made); err != nil {
		return err
	}
	*old = made
	return nil
}

// ListUsers implements account.Users.
func (m *Memory) ListUsers(_ context.Context, after forge.UserID, limit int) ([]*forge.User, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	var list []*forge.User
	for _, a := range m.users {
		if a.ID > after && len(list) < limit {
			list = append(list, &a.User)
		}
	}
	return list, nil
}

// CreateToken implements account.Tokens.
func (m *Memory) CreateToken(_ context.Context, t *account.Token, hash account.Hash) (int64, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, other := range m.tokens {
		if other.hash == hash {
			return 0, forge.Conflictf("", "", "Token is there already")
		}
	}
	if m.user(t.UserID) == nil {
		return 0, forge.ErrNoRow
	}
	made := token{*t, hash}
	made.ID, made.Scopes = m.next(), slices.Clone(t.Scopes)
	m.tokens = append(m.tokens, made)
	return made.ID, nil
}

// FindToken implements account.Tokens.
func (m *Memory) FindToken(_ context.Context, hash account.Hash) (*account.Token, *forge.User, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, t := range m.tokens {
		if t.hash == hash {
			user := m.user(t.UserID).User
			return &t.Token, &user, nil
		}
	}
	return nil, nil, forge.ErrNoRow
}

// ListTokens implements account.Tokens.
func (m *Memory) ListTokens(_ context.Context, user forge.UserID, sessions bool, after int64, limit int) ([]*account.Token, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	var list []*account.Token
	for _, t := range m.tokens {
		if t.UserID == user && t.Session == sessions && t.ID > after && len(list) < limit {
			list = append(list, &t.Token)
		}
	}
	return list, nil
}

// TouchToken implements account.Tokens.
func (m *Memory) TouchToken(_ context.Context, id int64, used time.Time) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	for i := range m.tokens {
		if m.tokens[i].ID == id {
			m.tokens[i].Used = used
		}
	}
	return nil
}

// DeleteTokens implements account.Tokens.
func (m *Memory) DeleteTokens(_ context.Context, user forge.UserID, which account.TokenSelection) (int, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	before := len(m.tokens)
	m.tokens = slices.DeleteFunc(m.tokens, func(t token) bool {
		switch {
		case t.UserID != user:
			return false
		case which.ID != 0:
			return t.ID == which.ID
		}
		return which.Sessions && t.Session || !t.Expires.IsZero() && t.Expires.Before(which.Expired)
	})
	return before - len(m.tokens), nil
}

// CreateKey implements account.Keys.
func (m *Memory) CreateKey(_ context.Context, k *account.Key) (int64, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, other := range m.keys {
		if other.Fingerprint == k.Fingerprint {
			return 0, forge.Conflictf("key", forge.CodeAlreadyExists, "Key is already in use")
		}
	}
	if m.user(k.UserID) == nil {
		return 0, forge.ErrNoRow
	}
	made := *k
	made.ID = m.next()
	m.keys = append(m.keys, made)
	return made.ID, nil
}

// FindKey implements account.Keys.
func (m *Memory) FindKey(_ context.Context, fingerprint string) (*account.Key, *forge.User, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, k := range m.keys {
		if k.Fingerprint == fingerprint {
			user := m.user(k.UserID).User
			return &k, &user, nil
		}
	}
	return nil, nil, forge.ErrNoRow
}

// ListKeys implements account.Keys.
func (m *Memory) ListKeys(_ context.Context, user forge.UserID, after int64, limit int) ([]*account.Key, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	var list []*account.Key
	for _, k := range m.keys {
		if k.UserID == user && k.ID > after && len(list) < limit {
			list = append(list, &k)
		}
	}
	return list, nil
}

// TouchKey implements account.Keys.
func (m *Memory) TouchKey(_ context.Context, id int64, used time.Time) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	for i := range m.keys {
		if m.keys[i].ID == id {
			m.keys[i].Used = used
		}
	}
	return nil
}

// DeleteKey implements account.Keys.
func (m *Memory) DeleteKey(_ context.Context, user forge.UserID, id int64) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	before := len(m.keys)
	m.keys = slices.DeleteFunc(m.keys, func(k account.Key) bool { return k.UserID == user && k.ID == id })
	if len(m.keys) == before {
		return forge.ErrNoRow
	}
	return nil
}

// LoadOrStore implements account.Secrets.
func (m *Memory) LoadOrStore(_ context.Context, name string, generate func() ([]byte, error)) ([]byte, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if secret, ok := m.secrets[name]; ok {
		return slices.Clone(secret), nil
	}
	secret, err := generate()
	if err != nil {
		return nil, err
	}
	if m.secrets == nil {
		m.secrets = map[string][]byte{}
	}
	m.secrets[name] = slices.Clone(secret)
	return secret, nil
}
