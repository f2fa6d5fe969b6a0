package sqldb

import (
	"context"
	"errors"
	"fmt"

	"github.com/ingot-forge/ingot/git/repo"
)

// mostTogether bounds a group: its first member waits for the functions of all
// others, some 10 ms.
const mostTogether = 64

// group is a transaction that several writers share, and so one sync. Each runs its
// function in its turn, sees what those before it changed, and waits for the
// COMMIT, which is the last one's to do. Whoever has the turn owns all fields
// but done and err.
type group struct {
	session *session
	alone   bool
	joined  int // writers so far
	changes int // of them, such that are part of what is committed

	done chan struct{} // closed when err is set
	err  error         // what became of it: nil, or nothing of it was made, or repo.ErrUnknown
}

// write runs do in a transaction that no other overlaps. If do fails nothing that it did is
// changed and its error is returned; if write returns nil, all is durable.
//
// Writers that wait at the same time share a transaction, and then its COMMIT may
// fail for all of them.
//
// Waiting for the turn heeds ctx. What has begun is finished regardless:
// transactions are short, and one that is cut off in its middle gains nothing.
func (db *DB) write(ctx context.Context, do func(*tx) error) error { return db.inTurn(ctx, false, do) }

// writeAlone is write for what takes long: nobody else has to wait for it to be
// committed, save those who come after it.
func (db *DB) writeAlone(ctx context.Context, do func(*tx) error) error {
	return db.inTurn(ctx, true, do)
}

func (db *DB) inTurn(ctx context.Context, alone bool, do func(*tx) error) error {
	g, err := db.turns.take(ctx, alone)
	if err != nil {
		return err
	}
	if g == nil {
		if g, err = db.begin(ctx, alone); err != nil {
			db.turns.release()
			return db.explain(err)
		}
	}
	seen := g.changes // others' changes, on which an error of do may rest
	finished := false
	defer func() {
		if !finished { // do panics
			db.leave(g, errPanic)
		}
	}()
	err = g.run(ctx, do)
	finished = true
	db.leave(g, err)
	if err != nil && seen == 0 {
		return db.explain(err)
	}
	<-g.done
	if g.err != nil {
		return g.err
	}
	return db.explain(err)
}

var errPanic = errors.New("a panic in a transaction")

// begin begins a group.
func (db *DB) begin(ctx context.Context, alone bool) (*group, error) {
	s, err := db.writer.take(ctx)
	if err != nil {
		return nil, err
	}
	if err := s.exec(ctx, db.dialect.beginWrite); err != nil {
		db.writer.discard(s) // ctx may have ended it just after it took hold
		return nil, err
	}
	db.turns.mu.Lock()
	db.turns.groups++
	db.turns.mu.Unlock()
	return &group{session: s, alone: alone, done: make(chan struct{})}, nil
}

// run runs do as the next member of the group.
func (g *group) run(ctx context.Context, do func(*tx) error) error {
	g.joined++
	ctx = context.WithoutCancel(ctx)
	if g.changes > 0 { // the first change needs no savepoint: to undo it is to roll back
		if err := g.session.exec(ctx, `SAVEPOINT member`); err != nil {
			return err
		}
	}
	return do(&tx{g.session, ctx})
}

// leave ends a member's part in a group, of which err is what run returned, and
// passes the turn on, or ends the group.
func (db *DB) leave(g *group, err error) {
	ctx := context.Background()
	fault := err
	if g.changes > 0 {
		fault = g.endSavepoint(ctx, err)
	}
	if fault == nil {
		if err == nil {
			g.changes++
		}
		if db.turns.pass(g) {
			return
		}
	}
	db.end(ctx, g, fault)
}

// endSavepoint keeps or undoes what a member did. A fault is an error after which
// nothing is known of the transaction: after some, SQLite has rolled all of it back by
// itself, and then there is no savepoint any more.
func (g *group) endSavepoint(ctx context.Context, err error) (fault error) {
	if err != nil {
		if g.session.exec(ctx, `ROLLBACK TO member`) != nil {
			return err
		}
	}
	return g.session.exec(ctx, `RELEASE member`)
}

// end commits the group, or rolls it back for a fault, and tells its members.
func (db *DB) end(ctx context.Context, g *group, fault error) {
	s := g.session
	switch {
	case fault != nil && g.changes > 0:
		g.err = db.explain(fmt.Errorf("undone with what was to be committed together: %w", fault))
	case fault == nil:
		if err := s.exec(ctx, `COMMIT`); err != nil {
			fault = err
			if g.err = db.explain(err); !db.dialect.undone(err) {
				g.err = fmt.Errorf("%w: %w", repo.ErrUnknown, err)
			}
		}
	}
	// After some errors SQLite has rolled back by itself; then this fails, and to
	// close the connection is to roll back.
	if fault == nil || s.exec(ctx, `ROLLBACK`) == nil {
		db.writer.give(s)
	} else {
		db.writer.discard(s)
	}
	close(g.done)
	db.turns.release()
}

// explain adds what an error of a writer means.
func (db *DB) explain(err error) error {
	if err != nil && db.dialect.full(err) {
		return fmt.Errorf("%w: %w", repo.ErrFull, err)
	}
	return err
}
