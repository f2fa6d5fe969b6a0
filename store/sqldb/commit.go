package sqldb

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/ingot-forge/ingot/git"
	"github.com/ingot-forge/ingot/git/repo"
)

// Commit implements repo.Catalog. Its cost follows the change, not the
// repository: a handful of lookups by primary key for each ref that moves.
func (c *Catalog) Commit(ctx context.Context, ch *repo.Change) (version int64, err error) {
	if n := max(len(ch.Refs), len(ch.Add)); n > maxPlaces {
		return 0, fmt.Errorf("commit: %d rows in one change, at most %d can be", n, maxPlaces)
	}
	write := c.db.write
	if len(ch.Refs)+len(ch.Add)+len(ch.Drop) > shortChange {
		write = c.db.writeAlone
	}
	err = write(ctx, func(tx *tx) error {
		version, err = commit(tx, ch)
		return err
	})
	if err != nil {
		return 0, fmt.Errorf("commit: %w", err)
	}
	return version, nil
}

// shortChange is how many rows a change may write that shares its transaction with
// others: they wait for each other.
const shortChange = 64

func commit(tx *tx, ch *repo.Change) (version int64, err error) {
	// First of all the row itself, which keeps other commits to this repository
	// out where writers don't take turns anyway. It takes what the change says by
	// itself along: should the change not be made, nothing of this is.
	var format git.Format
	var head string
	var added int64
	for _, p := range ch.Add {
		added += p.Bytes
	}
	var pushed any // NULL: no ref moves
	if moves(ch) {
		pushed = micros(ch.Time)
	}
	found, err := tx.one([]any{&version, &format, &head},
		`UPDATE repositories SET version = version + 1, bytes = bytes + $2, pushed = COALESCE($3, pushed)
			WHERE id = $1 RETURNING version, format, head`, ch.Repository, added, pushed)
	if err != nil {
		return 0, err
	}
	if !found {
		return 0, noRepository(ch.Repository)
	}
	w := commitWriter{tx: tx, ch: ch, version: version, format: format, at: micros(ch.Time)}
	if err := w.packs(); err != nil {
		return 0, err
	}
	if err := w.head(head); err != nil {
		return 0, err
	}
	if err := w.refs(); err != nil {
		return 0, err
	}
	if ch.Event != nil {
		err = tx.appendEvent(int64(ch.Repository), ch.Event, ch.Time)
	}
	return version, err
}

// moves reports whether a change moves a ref.
func moves(ch *repo.Change) bool {
	return slices.ContainsFunc(ch.Refs, func(u repo.RefUpdate) bool { return u.Old != u.New })
}

// commitWriter writes one change, part by part.
type commitWriter struct {
	tx      *tx
	ch      *repo.Change
	version int64 // that the change makes
	format  git.Format
	at      int64 // its time, as stored
}

func (w *commitWriter) packs() error {
	var dropped int64 // bytes
	for _, name := range w.ch.Drop {
		var bytes int64
		found, err := w.tx.one([]any{&bytes},
			`DELETE FROM packs WHERE repository = $1 AND name = $2 RETURNING bytes`, w.ch.Repository, name)
		if err != nil {
			return err
		}
		if !found {
			return fmt.Errorf("pack %q is gone: %w", name, repo.ErrOutOfDate)
		}
		if _, err := w.tx.exec(insertDropped+` VALUES ($1, $2)`+laterDropped, name, w.at); err != nil {
			return err
		}
		dropped += bytes
	}
	for i, p := range w.ch.Add {
		added, err := w.tx.exec(`INSERT INTO packs (repository, seq, name, bytes, objects, checksum, added)
			VALUES ($1, $2, $3, $4, $5, $6, $7) ON CONFLICT (name, repository) DO NOTHING`,
			w.ch.Repository, seqAt(w.version, i), p.Name, p.Bytes, p.Objects, p.Checksum, micros(p.Added))
		if err != nil {
			return err
		}
		if added == 0 {
			return fmt.Errorf("pack %q is there already: %w", p.Name, repo.ErrOutOfDate)
		}
		if err := w.packBytes(&p); err != nil {
			return err
		}
	}
	if len(w.ch.Drop) > 0 {
		_, err := w.tx.exec(`UPDATE repositories SET dropped = version, bytes = bytes - $2 WHERE id = $1`, w.ch.Repository, dropped)
		if err != nil {
			return err
		}
		if err := w.tx.forgetDropped(w.ch.Time); err != nil {
			return err
		}
	}
	return nil
}

// packBytes stores the bytes of a pack in its row. They go when the row goes.
func (w *commitWriter) packBytes(p *repo.Pack) error {
	if !p.InRow() {
		return nil
	}
	_, err := w.tx.exec(`INSERT INTO pack_bytes (repository, name, data, index_data) VALUES ($1, $2, $3, $4)`,
		w.ch.Repository, p.Name, p.Data, p.Index)
	return err
}

// A pack may be dropped by several repositories; the last time counts.
const (
	insertDropped = `INSERT INTO dropped_packs (name, dropped)`
	laterDropped  = ` ON CONFLICT (name) DO UPDATE SET dropped = excluded.dropped
		WHERE excluded.dropped > dropped_packs.dropped`
)

// forgetMost keeps a write short that comes after many packs were dropped. What
// it leaves, the next ones take.
const forgetMost = 1000

// forgetDropped removes what nobody may ask for any more at a time when other
// packs are dropped.
func (t *tx) forgetDropped(now time.Time) error {
	_, err := t.exec(`DELETE FROM dropped_packs WHERE name IN
		(SELECT name FROM dropped_packs WHERE dropped < $1 ORDER BY dropped LIMIT $2)`,
		micros(now.Add(-repo.MaxGrace)), forgetMost)
	return err
}

func (w *commitWriter) head(current string) error {
	h := w.ch.Head
	if h == nil {
		return nil
	}
	if h.Old != current {
		return fmt.Errorf("HEAD points to %q, not %q: %w", current, h.Old, repo.ErrOutOfDate)
	}
	_, err := w.tx.exec(`UPDATE repositories SET head = $2 WHERE id = $1`, w.ch.Repository, h.New)
	return err
}

func (w *commitWriter) refs() error {
	current := currentRefs{tx: w.tx, id: w.ch.Repository}
	if err := current.prefetch(w.ch.Refs); err != nil {
		return err
	}
	if err := w.ch.Conflicts(&current); err != nil {
		return err
	}
	var moved, deleted, set []repo.RefUpdate
	for _, u := range w.ch.Refs {
		if u.Old == u.New {
			continue
		}
		moved = append(moved, u)
		if u.New.IsZero() {
			deleted = append(deleted, u)
		} else {
			set = append(set, u)
		}
	}
	if len(moved) == 0 {
		return nil
	}
	if err := w.deleteRefs(deleted); err != nil {
		return err
	}
	if err := w.setRefs(set); err != nil {
		return err
	}
	return w.log(moved)
}

func (w *commitWriter) deleteRefs(updates []repo.RefUpdate) error {
	return inChunks(len(updates), func(from, to int) error {
		args := []any{w.ch.Repository}
		for _, u := range updates[from:to] {
			args = append(args, u.Name)
		}
		_, err := w.tx.exec(`DELETE FROM refs WHERE repository = $1 AND name IN (`+placeholders("?", to-from, 2)+`)`, args...)
		return err
	})
}

func (w *commitWriter) setRefs(updates []repo.RefUpdate) error {
	return inChunks(len(updates), func(from, to int) error {
		args := []any{w.ch.Repository}
		for _, u := range updates[from:to] {
			args = append(args, u.Name, rawID(w.format, u.New), rawID(w.format, u.Peeled))
		}
		_, err := w.tx.exec(`INSERT INTO refs (repository, name, target, peeled)
			VALUES `+placeholders("($1,?,?,?)", to-from, 2)+`
			ON CONFLICT (repository, name) DO UPDATE SET target = excluded.target, peeled = excluded.peeled`, args...)
		return err
	})
}

func (w *commitWriter) log(moved []repo.RefUpdate) error {
	return inChunks(len(moved), func(from, to int) error {
		args := []any{w.ch.Repository, w.ch.Who, w.ch.Why, w.at}
		for i, u := range moved[from:to] {
			args = append(args, seqAt(w.version, from+i), u.Name, rawID(w.format, u.Old), rawID(w.format, u.New))
		}
		_, err := w.tx.exec(`INSERT INTO ref_log (repository, who, why, time, seq, ref, old_target, new_target)
			VALUES `+placeholders("($1,$2,$3,$4,?,?,?,?)", to-from, 5), args...)
		return err
	})
}
