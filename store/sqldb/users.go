package sqldb

import (
	"context"
	"fmt"
	"time"

	"github.com/ingot-forge/ingot/forge"
	"github.com/ingot-forge/ingot/forge/account"
	"github.com/ingot-forge/ingot/forge/hosting"
)

// Users implements account.Users and hosting.Owners.
type Users struct{ db *DB }

var (
	_ account.Users  = (*Users)(nil)
	_ hosting.Owners = (*Users)(nil)
)

// Users returns the accounts.
func (db *DB) Users() *Users { return &Users{db} }

// userColumns are what userRow scans; u is the table.
const userColumns = `u.id, u.login, u.name, u.email, u.admin, u.suspended, u.created, u.updated`

// userRow receives one row of userColumns.
type userRow struct {
	forge.User
	created, updated int64
}

func (r *userRow) dest() []any {
	return []any{&r.ID, &r.Login, &r.Name, &r.Email, &r.Admin, &r.Suspended, &r.created, &r.updated}
}

func (r *userRow) user() forge.User {
	r.Created, r.Updated = fromMicros(r.created), fromMicros(r.updated)
	return r.User
}

// CreateUser implements account.Users.
func (s *Users) CreateUser(ctx context.Context, a *account.Account) (*account.Account, error) {
	created := *a
	err := s.db.write(ctx, func(tx *tx) error {
		if err := loginFree(tx, a.Login); err != nil {
			return err
		}
		if err := emailFree(tx, a.Email, 0); err != nil {
			return err
		}
		_, err := tx.one([]any{&created.ID}, `INSERT INTO users
			(login, login_key, name, email, email_key, password_hash, admin, suspended, created, updated)
			VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10) RETURNING id`,
			a.Login, forge.Fold(a.Login), a.Name, a.Email, emailKey(a.Email), a.PasswordHash, a.Admin, a.Suspended,
			micros(a.Created), micros(a.Updated))
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("create user: %w", err)
	}
	created.Created, created.Updated = stored(a.Created), stored(a.Updated)
	return &created, nil
}

// emailKey is what an e-mail is unique by; NULL for none, which any number may have.
func emailKey(email string) any {
	if email == "" {
		return nil
	}
	return forge.Fold(email)
}

func loginFree(tx *tx, login string) error {
	var taken int64
	found, err := tx.one([]any{&taken}, `SELECT id FROM users WHERE login_key = $1`, forge.Fold(login))
	if err == nil && found {
		err = forge.Conflictf("login", forge.CodeAlreadyExists, "Login is taken")
	}
	return err
}

// emailFree reports a conflict if a user other than self has the e-mail.
func emailFree(tx *tx, email string, self forge.UserID) error {
	if email == "" {
		return nil
	}
	var taken int64
	found, err := tx.one([]any{&taken}, `SELECT id FROM users WHERE email_key = $1 AND id <> $2`, forge.Fold(email), self)
	if err == nil && found {
		err = forge.Conflictf("email", forge.CodeAlreadyExists, "E-mail is taken")
	}
	return err
}

// FindUser implements account.Users.
func (s *Users) FindUser(ctx context.Context, login string) (*account.Account, error) {
	return s.find(ctx, `u.login_key = $1`, forge.Fold(login))
}

// UserByID implements account.Users.
func (s *Users) UserByID(ctx context.Context, id forge.UserID) (*account.Account, error) {
	return s.find(ctx, `u.id = $1`, id)
}

func (s *Users) find(ctx context.Context, where string, arg any) (*account.Account, error) {
	var row userRow
	var a account.Account
	found, err := s.db.one(ctx, append(row.dest(), &a.PasswordHash),
		`SELECT `+userColumns+`, u.password_hash FROM users u WHERE `+where, arg)
	if err := missing(found, err); err != nil {
		return nil, fmt.Errorf("find user: %w", err)
	}
	a.User = row.user()
	return &a, nil
}

// Owner implements hosting.Owners.
func (s *Users) Owner(ctx context.Context, login string) (*forge.User, error) {
	a, err := s.FindUser(ctx, login)
	if err != nil {
		return nil, err
	}
	return &a.User, nil
}

// UpdateUser implements account.Users.
func (s *Users) UpdateUser(ctx context.Context, a *account.Account, seen time.Time) error {
	err := s.db.write(ctx, func(tx *tx) error {
		var updated int64
		found, err := tx.one([]any{&updated}, `SELECT updated FROM users WHERE id = $1`, a.ID)
		if err := missing(found, err); err != nil {
			return err
		}
		if updated != micros(seen) {
			return forge.Conflictf("", "", "User was changed meanwhile")
		}
		if err := emailFree(tx, a.Email, a.ID); err != nil {
			return err
		}
		_, err = tx.exec(`UPDATE users SET name = $2, email = $3, email_key = $4, password_hash = $5, admin = $6,
			suspended = $7, updated = $8 WHERE id = $1`,
			a.ID, a.Name, a.Email, emailKey(a.Email), a.PasswordHash, a.Admin, a.Suspended, micros(a.Updated))
		return err
	})
	if err != nil {
		return fmt.Errorf("update user: %w", err)
	}
	return nil
}

// ListUsers implements account.Users.
func (s *Users) ListUsers(ctx context.Context, after forge.UserID, limit int) ([]*forge.User, error) {
	var users []*forge.User
	err := s.db.each(ctx, func(scan func(...any) error) (bool, error) {
		var row userRow
		err := scan(row.dest()...)
		user := row.user()
		users = append(users, &user)
		return true, err
	}, `SELECT `+userColumns+` FROM users u WHERE u.id > $1 ORDER BY u.id LIMIT $2`, after, limit)
	if err != nil {
		return nil, fmt.Errorf("list users: %w", err)
	}
	return users, nil
}

// missing turns a row that was not found into forge.ErrNoRow.
func missing(found bool, err error) error {
	if err == nil && !found {
		return forge.ErrNoRow
	}
	return err
}
