package sqldb

import (
	"context"
	"database/sql"
	"errors"
)

// tx is a session in a transaction, for as long as one function runs.
type tx struct {
	*session
	ctx context.Context
}

// exec runs a statement and returns how many rows it changed.
func (t *tx) exec(text string, args ...any) (int64, error) {
	stmt, err := t.statement(t.ctx, text)
	if err != nil {
		return 0, err
	}
	result, err := stmt.ExecContext(t.ctx, args...)
	if err != nil {
		return 0, err
	}
	return result.RowsAffected()
}

// one runs a statement and reads its first row into dest; found is false if
// there is none.
func (t *tx) one(dest []any, text string, args ...any) (found bool, err error) {
	stmt, err := t.statement(t.ctx, text)
	if err != nil {
		return false, err
	}
	err = stmt.QueryRowContext(t.ctx, args...).Scan(dest...)
	if errors.Is(err, sql.ErrNoRows) {
		return false, nil
	}
	return err == nil, err
}

// eachRow reads a row and tells whether it wants more.
type eachRow func(scan func(dest ...any) error) (more bool, err error)

// each runs a statement and calls visit for every row until it returns false.
func (t *tx) each(visit eachRow, text string, args ...any) error {
	stmt, err := t.statement(t.ctx, text)
	if err != nil {
		return err
	}
	rows, err := stmt.QueryContext(t.ctx, args...)
	if err != nil {
		return err
	}
	defer rows.Close()
	for rows.Next() {
		if more, err := visit(rows.Scan); err != nil || !more {
			return err
		}
	}
	return rows.Err()
}

// statement runs do, which reads with one statement, outside a transaction. That
// saves two statements, and one statement sees one moment by itself.
func (db *DB) statement(ctx context.Context, do func(*tx) error) error {
	s, err := db.readers.take(ctx)
	if err != nil {
		return err
	}
	defer db.readers.give(s)
	return do(&tx{s, ctx})
}

// one reads a row as tx.one does.
func (db *DB) one(ctx context.Context, dest []any, text string, args ...any) (found bool, err error) {
	err = db.statement(ctx, func(tx *tx) error {
		found, err = tx.one(dest, text, args...)
		return err
	})
	return found, err
}

// each reads rows as tx.each does.
func (db *DB) each(ctx context.Context, visit eachRow, text string, args ...any) error {
	return db.statement(ctx, func(tx *tx) error { return tx.each(visit, text, args...) })
}

// read runs do in a transaction that sees one moment and changes nothing.
func (db *DB) read(ctx context.Context, do func(*tx) error) (err error) {
	s, err := db.readers.take(ctx)
	if err != nil {
		return err
	}
	clean := false
	defer func() {
		if clean {
			db.readers.give(s)
		} else { // also when do panics; to close a connection is to roll back
			db.readers.discard(s)
		}
	}()
	if err := s.exec(ctx, db.dialect.beginRead); err != nil {
		return err // ctx may have ended it just after it took hold
	}
	ended := context.WithoutCancel(ctx)
	if err = do(&tx{s, ctx}); err == nil {
		err = s.exec(ended, `COMMIT`)
	}
	clean = err == nil || s.exec(ended, `ROLLBACK`) == nil
	return err
}
