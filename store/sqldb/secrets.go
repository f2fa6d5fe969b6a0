package sqldb

import (
	"context"
	"fmt"

	"github.com/ingot-forge/ingot/forge/account"
)

// Secrets implements account.Secrets.
type Secrets struct{ db *DB }

var _ account.Secrets = (*Secrets)(nil)

// Secrets returns the secrets of the instance.
func (db *DB) Secrets() *Secrets { return &Secrets{db} }

// LoadOrStore implements account.Secrets.
func (s *Secrets) LoadOrStore(ctx context.Context, name string, generate func() ([]byte, error)) ([]byte, error) {
	const load = `SELECT value FROM secrets WHERE name = $1`
	var value []byte
	found, err := s.db.one(ctx, []any{&value}, load, name)
	if err == nil && !found {
		var fresh []byte
		if fresh, err = generate(); err != nil { // before the transaction: it may take its time
			return nil, err
		}
		err = s.db.write(ctx, func(tx *tx) error {
			_, err := tx.exec(`INSERT INTO secrets (name, value) VALUES ($1, $2) ON CONFLICT (name) DO NOTHING`, name, fresh)
			if err != nil {
				return err
			}
			_, err = tx.one([]any{&value}, load, name)
			return err
		})
	}
	if err != nil {
		return nil, fmt.Errorf("load secret %q: %w", name, err)
	}
	return value, nil
}
