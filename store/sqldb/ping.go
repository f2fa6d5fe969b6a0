package sqldb

import (
	"context"
	"fmt"
)

// Ping reports whether the database answers.
func (db *DB) Ping(ctx context.Context) error {
	var one int
	if _, err := db.one(ctx, []any{&one}, `SELECT 1`); err != nil {
		return fmt.Errorf("ping database: %w", err)
	}
	return nil
}
