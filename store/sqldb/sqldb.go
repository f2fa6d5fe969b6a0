// Package sqldb keeps in a SQL database everything that changes: the catalogue
// of git/repo, and the rows of accounts and repositories that forge/account and
// forge/hosting declare. Each port has a small type and a file of its own;
// Open returns the DB that hands them out.
//
// There is one SQL for two dialects, SQLite and PostgreSQL: statements are
// written by hand with $1 placeholders in the words that both have. What
// differs is in dialect.go, and nowhere else; a test holds that. SQLite is the
// one that works today.
//
// What is always true:
//
//   - One method is one transaction. Reads see one moment; a write that
//     returned nil is on durable storage and every later read, in any process,
//     sees it.
//   - In one process writers take turns, in the order they came, on the only
//     connection that can write, and those who wait at the same time are committed
//     together (docs/decisions/0006-sqlite-one-writer.md). Readers never wait for them.
//   - Times are integers, microseconds since 1970 in UTC, 0 for none; object
//     ids are raw bytes of their format's length.
package sqldb

import (
	"context"
	"errors"
	"fmt"
)

// DB is an open database. All methods of it and of the types it hands out may
// be called from several goroutines at once; any number of processes may have
// the same database open.
type DB struct {
	dialect dialect
	readers *pool
	writer  *pool // of one session
	turns   turns // of those who write
}

// Open opens the database at location and brings its schema up to date, which
// is safe while others do the same. A location is the path of a SQLite file,
// which is made if it is not there, or "sqlite:PATH".
func Open(ctx context.Context, location string) (*DB, error) {
	d, err := parseLocation(location)
	if err != nil {
		return nil, fmt.Errorf("open database: %w", err)
	}
	db := &DB{dialect: d}
	db.turns.together = d.together
	if db.writer, err = d.open(forWriting); err == nil {
		db.readers, err = d.open(forReading)
	}
	if err == nil {
		err = db.migrate(ctx)
	}
	if err != nil {
		return nil, errors.Join(fmt.Errorf("open database: %w", err), db.Close())
	}
	return db, nil
}

// Close waits for what is going on and closes the database. It may not be used
// afterwards.
func (db *DB) Close() error {
	var err error
	for _, p := range []*pool{db.readers, db.writer} { // the last connection tidies up, for which it must write
		if p != nil {
			err = errors.Join(err, p.close())
		}
	}
	if err != nil {
		return fmt.Errorf("close database: %w", err)
	}
	return nil
}
