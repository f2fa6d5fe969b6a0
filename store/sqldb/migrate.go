package sqldb

import (
	"context"
	"embed"
	"fmt"
	"io/fs"
	"time"
)

// Migrations are numbered without gaps from 1 and never changed once released.
//
//go:embed migrations/*.sql
var migrations embed.FS

// migrate brings the schema up to date: all missing steps in one write
// transaction, so that a crash leaves the old schema or the new one, and of
// several processes that start at once one does the work and the others wait
// for it.
func (db *DB) migrate(ctx context.Context) error {
	steps, err := fs.Glob(migrations, "migrations/*.sql") // sorted
	if err != nil {
		return err
	}
	var version int
	// Usually there is nothing to do, and no need to wait for a writer. Where
	// this fails because there is no schema yet, the next step tells.
	if _, err := db.one(ctx, []any{&version}, schemaVersion); err == nil && version == len(steps) {
		return nil
	}
	for giveUp := time.Now().Add(lockPatience); ; {
		err = db.writeAlone(ctx, func(tx *tx) error { return upgrade(tx, db.dialect, steps) })
		if err == nil || !db.dialect.busy(err) || time.Now().After(giveUp) {
			return err
		}
		select {
		case <-time.After(10 * time.Millisecond):
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

const schemaVersion = `SELECT COALESCE(MAX(version), 0) FROM schema_version`

func upgrade(tx *tx, d dialect, steps []string) error {
	_, err := tx.exec(`CREATE TABLE IF NOT EXISTS schema_version (version BIGINT PRIMARY KEY, applied BIGINT NOT NULL)`)
	if err != nil {
		return err
	}
	var version int
	if _, err := tx.one([]any{&version}, schemaVersion); err != nil {
		return err
	}
	if version > len(steps) {
		return fmt.Errorf("its schema has version %d, this program knows up to %d: use a newer one", version, len(steps))
	}
	for i := version; i < len(steps); i++ {
		text, err := migrations.ReadFile(steps[i])
		if err != nil {
			return err
		}
		if _, err := tx.conn.ExecContext(tx.ctx, d.words.Replace(string(text))); err != nil {
			return fmt.Errorf("schema version %d: %w", i+1, err)
		}
		if _, err := tx.exec(`INSERT INTO schema_version (version, applied) VALUES ($1, $2)`, i+1, micros(time.Now())); err != nil {
			return err
		}
	}
	return nil
}
