package sqldb

import (
	"context"
	"database/sql"
	"errors"
)

// session is one connection with the statements prepared on it. Whoever took it
// from its pool has it alone.
//
// database/sql would share statements between connections, but prepares them on
// a connection of its own choosing: with one connection, which a transaction
// holds, that waits forever.
type session struct {
	conn *sql.Conn
	// The texts are few: those with lists come in fixed lengths, see inChunks.
	statements map[string]*sql.Stmt
}

func (s *session) statement(ctx context.Context, text string) (*sql.Stmt, error) {
	if stmt, ok := s.statements[text]; ok {
		return stmt, nil
	}
	stmt, err := s.conn.PrepareContext(ctx, text)
	if err != nil {
		return nil, err
	}
	s.statements[text] = stmt
	return stmt, nil
}

func (s *session) exec(ctx context.Context, text string) error {
	stmt, err := s.statement(ctx, text)
	if err != nil {
		return err
	}
	_, err = stmt.ExecContext(ctx)
	return err
}

func (s *session) close() error {
	var err error
	for _, stmt := range s.statements {
		err = errors.Join(err, stmt.Close())
	}
	return errors.Join(err, s.conn.Close())
}

// pool is a fixed number of sessions. Those who wait for one get it in the
// order they came.
type pool struct {
	db   *sql.DB
	free chan *session // nil stands for one that is not connected
}

func newPool(db *sql.DB, sessions int) *pool {
	db.SetMaxIdleConns(-1) // to give up a session is to close its connection
	p := &pool{db: db, free: make(chan *session, sessions)}
	for range sessions {
		p.free <- nil
	}
	return p
}

func (p *pool) take(ctx context.Context) (*session, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	var s *session
	select {
	case s = <-p.free:
	case <-ctx.Done():
		return nil, ctx.Err()
	}
	if s != nil {
		return s, nil
	}
	conn, err := p.db.Conn(ctx)
	if err != nil {
		p.free <- nil
		return nil, err
	}
	return &session{conn: conn, statements: map[string]*sql.Stmt{}}, nil
}

func (p *pool) give(s *session) { p.free <- s }

// discard gives back a session whose connection is in a state nobody knows.
func (p *pool) discard(s *session) {
	_ = s.close() // whatever is wrong with it was reported already
	p.free <- nil
}

// close waits for the sessions that are in use.
func (p *pool) close() error {
	var err error
	for range cap(p.free) {
		if s := <-p.free; s != nil {
			err = errors.Join(err, s.close())
		}
	}
	return errors.Join(err, p.db.Close())
}
