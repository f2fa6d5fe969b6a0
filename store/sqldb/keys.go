package sqldb

import (
	"context"
	"fmt"
	"time"

	"github.com/ingot-forge/ingot/forge"
	"github.com/ingot-forge/ingot/forge/account"
)

// Keys implements account.Keys.
type Keys struct{ db *DB }

var _ account.Keys = (*Keys)(nil)

// Keys returns the SSH keys.
func (db *DB) Keys() *Keys { return &Keys{db} }

// keyColumns are what keyRow scans; k is the table.
const keyColumns = `k.id, k.user_id, k.title, k.authorized, k.fingerprint, k.created, k.used`

// keyRow receives one row of keyColumns.
type keyRow struct {
	account.Key
	created, used int64
}

func (r *keyRow) dest() []any {
	return []any{&r.ID, &r.UserID, &r.Title, &r.Authorized, &r.Fingerprint, &r.created, &r.used}
}

func (r *keyRow) key() *account.Key {
	r.Created, r.Used = fromMicros(r.created), fromMicros(r.used)
	return &r.Key
}

// CreateKey implements account.Keys.
func (s *Keys) CreateKey(ctx context.Context, k *account.Key) (id int64, err error) {
	err = s.db.write(ctx, func(tx *tx) error {
		if err := tx.hasUser(k.UserID); err != nil {
			return err
		}
		added, err := tx.one([]any{&id}, `INSERT INTO keys (user_id, title, authorized, fingerprint, created, used)
			VALUES ($1, $2, $3, $4, $5, $6) ON CONFLICT (fingerprint) DO NOTHING RETURNING id`,
			k.UserID, k.Title, k.Authorized, k.Fingerprint, micros(k.Created), micros(k.Used))
		if err == nil && !added {
			err = forge.Conflictf("key", forge.CodeAlreadyExists, "Key is already in use")
		}
		return err
	})
	if err != nil {
		return 0, fmt.Errorf("create key: %w", err)
	}
	return id, nil
}

// FindKey implements account.Keys.
func (s *Keys) FindKey(ctx context.Context, fingerprint string) (*account.Key, *forge.User, error) {
	var row keyRow
	var of userRow
	found, err := s.db.one(ctx, append(row.dest(), of.dest()...),
		`SELECT `+keyColumns+`, `+userColumns+` FROM keys k JOIN users u ON u.id = k.user_id
			WHERE k.fingerprint = $1`, fingerprint)
	if err := missing(found, err); err != nil {
		return nil, nil, fmt.Errorf("find key: %w", err)
	}
	user := of.user()
	return row.key(), &user, nil
}

// ListKeys implements account.Keys.
func (s *Keys) ListKeys(ctx context.Context, user forge.UserID, after int64, limit int) ([]*account.Key, error) {
	var keys []*account.Key
	err := s.db.each(ctx, func(scan func(...any) error) (bool, error) {
		var row keyRow
		err := scan(row.dest()...)
		keys = append(keys, row.key())
		return true, err
	}, `SELECT `+keyColumns+` FROM keys k WHERE k.user_id = $1 AND k.id > $2 ORDER BY k.id LIMIT $3`, user, after, limit)
	if err != nil {
		return nil, fmt.Errorf("list keys: %w", err)
	}
	return keys, nil
}

// TouchKey implements account.Keys.
func (s *Keys) TouchKey(ctx context.Context, id int64, used time.Time) error {
	err := s.db.write(ctx, func(tx *tx) error {
		_, err := tx.exec(`UPDATE keys SET used = $2 WHERE id = $1`, id, micros(used))
		return err
	})
	if err != nil {
		return fmt.Errorf("touch key: %w", err)
	}
	return nil
}

// DeleteKey implements account.Keys.
func (s *Keys) DeleteKey(ctx context.Context, user forge.UserID, id int64) error {
	err := s.db.write(ctx, func(tx *tx) error {
		deleted, err := tx.exec(`DELETE FROM keys WHERE user_id = $1 AND id = $2`, user, id)
		return missing(deleted > 0, err)
	})
	if err != nil {
		return fmt.Errorf("delete key: %w", err)
	}
	return nil
}
