package sqldb

import (
	"errors"
	"runtime"
	"sync"
	"testing"
	"time"
)

// WriterPragma returns a setting of the connection that writes.
func (db *DB) WriterPragma(t *testing.T, name string) (value string) {
	t.Helper()
	err := db.write(t.Context(), func(tx *tx) error {
		_, err := tx.one([]any{&value}, `PRAGMA `+name)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return value
}

// HoldTurn begins a write transaction and keeps it open until release.
func (db *DB) HoldTurn(t *testing.T) (release func()) {
	t.Helper()
	begun, end, ended := make(chan bool), make(chan bool), make(chan error, 1)
	go func() {
		ended <- db.write(t.Context(), func(tx *tx) error {
			_, err := tx.exec(`DELETE FROM secrets`)
			close(begun)
			<-end
			return err
		})
	}()
	<-begun
	return func() {
		close(end)
		held.Store(db, <-ended)
	}
}

var held sync.Map // by database, what the last HoldTurn came to

// HeldError returns what came of the transaction of the last HoldTurn.
func (db *DB) HeldError() error {
	err, _ := held.Load(db)
	e, _ := err.(error)
	return e
}

// Groups returns how many write transactions have begun.
func (db *DB) Groups() int64 {
	db.turns.mu.Lock()
	defer db.turns.mu.Unlock()
	return db.turns.groups
}

// AwaitWaiting waits until so many wait for their turn.
func (db *DB) AwaitWaiting(t *testing.T, n int) {
	t.Helper()
	for giveUp := time.Now().Add(20 * time.Second); ; runtime.Gosched() {
		db.turns.mu.Lock()
		waiting := db.turns.waiting.Len()
		db.turns.mu.Unlock()
		if waiting == n {
			return
		}
		if time.Now().After(giveUp) {
			t.Fatalf("%d wait, want %d", waiting, n)
		}
	}
}

// FailCommit changes something that makes the COMMIT fail.
func (db *DB) FailCommit(t *testing.T) error {
	return db.write(t.Context(), func(tx *tx) error {
		_, err1 := tx.exec(`PRAGMA defer_foreign_keys = ON`)
		_, err2 := tx.exec(`INSERT INTO refs (repository, name, target) VALUES (12345, 'x', 'y')`)
		if err := errors.Join(err1, err2); err != nil {
			t.Errorf("before the COMMIT: %v", err)
		}
		return nil
	})
}

// PanicInTurn begins a write transaction, changes something, and panics.
func (db *DB) PanicInTurn(t *testing.T, message string) {
	_ = db.write(t.Context(), func(tx *tx) error {
		if _, err := tx.exec(`DELETE FROM users WHERE id NOT IN (SELECT owner_id FROM repositories)`); err != nil {
			t.Error(err)
		}
		panic(message)
	})
}

// CountRows returns how many rows a table has.
func (db *DB) CountRows(t *testing.T, table string) (n int) {
	t.Helper()
	if _, err := db.one(t.Context(), []any{&n}, `SELECT COUNT(*) FROM `+table); err != nil {
		t.Fatal(err)
	}
	return n
}

// PageCount returns how large the database is.
func (db *DB) PageCount(t *testing.T) (n int) {
	t.Helper()
	if _, err := db.one(t.Context(), []any{&n}, `PRAGMA page_count`); err != nil {
		t.Fatal(err)
	}
	return n
}
