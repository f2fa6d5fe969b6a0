package sqldb

import (
	"context"
	"fmt"
	"time"

	"github.com/ingot-forge/ingot/forge"
	"github.com/ingot-forge/ingot/forge/hosting"
	"github.com/ingot-forge/ingot/git/repo"
)

// Events implements hosting.Events.
type Events struct{ db *DB }

var _ hosting.Events = (*Events)(nil)

// Events returns the event log.
func (db *DB) Events() *Events { return &Events{db} }

// ListEvents implements hosting.Events.
func (s *Events) ListEvents(ctx context.Context, r forge.RepositoryID, after int64, limit int) ([]forge.Event, error) {
	const columns = `SELECT seq, repository, kind, payload, time FROM events WHERE seq > $1`
	text, args := columns+` ORDER BY seq LIMIT $2`, []any{after, limit}
	if r != 0 {
		text, args = columns+` AND repository = $3 ORDER BY seq LIMIT $2`, append(args, r)
	}
	var list []forge.Event
	err := s.db.each(ctx, func(scan func(...any) error) (bool, error) {
		var e forge.Event
		var payload []byte
		var at int64
		err := scan(&e.Seq, &e.Repository, &e.Kind, &payload, &at)
		e.Payload, e.Time = payload, fromMicros(at)
		list = append(list, e)
		return true, err
	}, text, args...)
	if err != nil {
		return nil, fmt.Errorf("list events: %w", err)
	}
	return list, nil
}

// appendEvent adds a line to the event log. Writers take turns, so lines become
// visible in the order of their numbers and a reader that goes on from the last
// it saw misses none.
func (t *tx) appendEvent(repository int64, e *repo.Event, at time.Time) error {
	_, err := t.exec(`INSERT INTO events (repository, kind, payload, time) VALUES ($1, $2, $3, $4)`,
		repository, e.Kind, append([]byte{}, e.Payload...), micros(at))
	return err
}
