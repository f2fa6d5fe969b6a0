package sqldb

import (
	"context"
	"fmt"
	"time"

	"github.com/ingot-forge/ingot/forge"
	"github.com/ingot-forge/ingot/forge/account"
)

// Tokens implements account.Tokens.
type Tokens struct{ db *DB }

var _ account.Tokens = (*Tokens)(nil)

// Tokens returns tokens and sessions.
func (db *DB) Tokens() *Tokens { return &Tokens{db} }

// tokenColumns are what tokenRow scans; t is the table.
const tokenColumns = `t.id, t.user_id, t.session, t.name, t.scopes, t.only_repository, t.hint, t.created, t.expires, t.used`

// tokenRow receives one row of tokenColumns.
type tokenRow struct {
	account.Token
	scopes                 string
	created, expires, used int64
}

func (r *tokenRow) dest() []any {
	return []any{&r.ID, &r.UserID, &r.Session, &r.Name, &r.scopes, &r.Only, &r.Hint, &r.created, &r.expires, &r.used}
}

// token makes what was scanned a token. A scope that this program does not know
// makes the token unusable rather than one with fewer limits or more.
func (r *tokenRow) token() (*account.Token, error) {
	scopes, err := forge.ParseScopes(r.scopes)
	if err != nil {
		// Not the caller's mistake, so it must not look like one.
		return nil, fmt.Errorf("token %d has unknown scopes", r.ID)
	}
	r.Scopes = scopes
	r.Created, r.Expires, r.Used = fromMicros(r.created), fromMicros(r.expires), fromMicros(r.used)
	return &r.Token, nil
}

// CreateToken implements account.Tokens.
func (s *Tokens) CreateToken(ctx context.Context, t *account.Token, hash account.Hash) (id int64, err error) {
	err = s.db.write(ctx, func(tx *tx) error {
		if err := tx.hasUser(t.UserID); err != nil {
			return err
		}
		added, err := tx.one([]any{&id}, `INSERT INTO tokens
			(user_id, hash, session, name, scopes, only_repository, hint, created, expires, used)
			VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10) ON CONFLICT (hash) DO NOTHING RETURNING id`,
			t.UserID, hash[:], t.Session, t.Name, t.Scopes.String(), t.Only, t.Hint,
			micros(t.Created), micros(t.Expires), micros(t.Used))
		if err == nil && !added {
			err = forge.Conflictf("", "", "Token exists")
		}
		return err
	})
	if err != nil {
		return 0, fmt.Errorf("create token: %w", err)
	}
	return id, nil
}

func (t *tx) hasUser(id forge.UserID) error {
	var self int64
	found, err := t.one([]any{&self}, `SELECT id FROM users WHERE id = $1`, id)
	return missing(found, err)
}

// FindToken implements account.Tokens.
func (s *Tokens) FindToken(ctx context.Context, hash account.Hash) (*account.Token, *forge.User, error) {
	var row tokenRow
	var of userRow
	found, err := s.db.one(ctx, append(row.dest(), of.dest()...),
		`SELECT `+tokenColumns+`, `+userColumns+` FROM tokens t JOIN users u ON u.id = t.user_id WHERE t.hash = $1`, hash[:])
	if err := missing(found, err); err != nil {
		return nil, nil, fmt.Errorf("find token: %w", err)
	}
	token, err := row.token()
	if err != nil {
		return nil, nil, fmt.Errorf("find token: %w", err)
	}
	user := of.user()
	return token, &user, nil
}

// ListTokens implements account.Tokens.
func (s *Tokens) ListTokens(ctx context.Context, user forge.UserID, sessions bool, after int64,
	limit int) ([]*account.Token, error) {
	var tokens []*account.Token
	err := s.db.each(ctx, func(scan func(...any) error) (bool, error) {
		var row tokenRow
		if err := scan(row.dest()...); err != nil {
			return false, err
		}
		token, err := row.token()
		tokens = append(tokens, token)
		return true, err
	}, `SELECT `+tokenColumns+` FROM tokens t WHERE t.user_id = $1 AND t.session = $2 AND t.id > $3 ORDER BY t.id LIMIT $4`,
		user, sessions, after, limit)
	if err != nil {
		return nil, fmt.Errorf("list tokens: %w", err)
	}
	return tokens, nil
}

// TouchToken implements account.Tokens.
func (s *Tokens) TouchToken(ctx context.Context, id int64, used time.Time) error {
	err := s.db.write(ctx, func(tx *tx) error {
		_, err := tx.exec(`UPDATE tokens SET used = $2 WHERE id = $1`, id, micros(used))
		return err
	})
	if err != nil {
		return fmt.Errorf("touch token: %w", err)
	}
	return nil
}

// DeleteTokens implements account.Tokens.
func (s *Tokens) DeleteTokens(ctx context.Context, user forge.UserID, which account.TokenSelection) (int, error) {
	text := `DELETE FROM tokens WHERE user_id = $1 AND (session AND $2 OR expires > 0 AND expires < $3)`
	args := []any{user, which.Sessions, micros(which.Expired)}
	if which.ID != 0 {
		text, args = `DELETE FROM tokens WHERE user_id = $1 AND id = $2`, []any{user, which.ID}
	}
	var deleted int64
	err := s.db.write(ctx, func(tx *tx) (err error) {
		deleted, err = tx.exec(text, args...)
		return err
	})
	if err != nil {
		return 0, fmt.Errorf("delete tokens: %w", err)
	}
	return int(deleted), nil
}
