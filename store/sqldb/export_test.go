package sqldb

import "testing"

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
	begun, end, ended := make(chan bool), make(chan bool), make(chan error)
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
		if err := <-ended; err != nil {
			t.Error(err)
		}
	}
}

// PanicInTurn begins a write transaction, changes something, and panics.
func (db *DB) PanicInTurn(t *testing.T, message string) {
	_ = db.write(t.Context(), func(tx *tx) error {
		if _, err := tx.exec(`DELETE FROM users`); err != nil {
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
