package sqldb

import (
	"context"
	"fmt"
	"math"
	"time"

	"github.com/ingot-forge/ingot/git"
	"github.com/ingot-forge/ingot/git/repo"
)

// Catalog implements repo.Catalog.
type Catalog struct{ db *DB }

var _ repo.Catalog = (*Catalog)(nil)

// Catalog returns the catalogue of repositories.
func (db *DB) Catalog() *Catalog { return &Catalog{db} }

// A seq is a version times 2^placeBits plus a place in the change, so at most
// maxPlaces refs move in one change. Seqs stay exact in a float64, which is how
// JSON is often read, up to version 2^29 of a repository.
const (
	placeBits = 24
	maxPlaces = 1<<placeBits - 1
)

// seqAt is the seq of the i-th row, from 0, that the commit of a version writes.
func seqAt(version int64, i int) int64 { return version<<placeBits + int64(i) }

// RefLog implements repo.Catalog.
func (c *Catalog) RefLog(ctx context.Context, id repo.ID, ref string, before int64, limit int) ([]repo.Movement, error) {
	if before == 0 {
		before = math.MaxInt64
	}
	const columns = `SELECT seq, ref, old_target, new_target, who, why, time FROM ref_log`
	text, args := columns+` WHERE repository = $1 AND seq < $2 ORDER BY seq DESC LIMIT $3`, []any{id, before, limit}
	if ref != "" {
		text = columns + ` WHERE repository = $1 AND seq < $2 AND ref = $4 ORDER BY seq DESC LIMIT $3`
		args = append(args, ref)
	}
	var moves []repo.Movement
	err := c.db.read(ctx, func(tx *tx) error {
		if err := tx.hasRepository(id); err != nil {
			return err
		}
		return tx.each(func(scan func(...any) error) (bool, error) {
			var m repo.Movement
			var from, to []byte
			var at int64
			if err := scan(&m.Seq, &m.Ref, &from, &to, &m.Who, &m.Why, &at); err != nil {
				return false, err
			}
			m.Old, m.New, m.Time = fromRawID(from), fromRawID(to), fromMicros(at)
			moves = append(moves, m)
			return true, nil
		}, text, args...)
	})
	if err != nil {
		return nil, fmt.Errorf("read ref log: %w", err)
	}
	return moves, nil
}

func (t *tx) hasRepository(id repo.ID) error {
	var version int64
	found, err := t.one([]any{&version}, versionOf, id)
	if err == nil && !found {
		err = noRepository(id)
	}
	return err
}

func noRepository(id repo.ID) error { return fmt.Errorf("repository %d: %w", id, repo.ErrNoRepository) }

// Referenced implements repo.Catalog. Both tables are asked by one statement,
// that is at one moment: between two, a pack could move from one to the other
// and be seen in neither.
func (c *Catalog) Referenced(ctx context.Context, packs []string, since time.Time) (map[string]bool, error) {
	found := make(map[string]bool)
	err := ctx.Err() // matters where there is nothing to ask
	if err == nil {
		err = inChunks(len(packs), func(from, to int) error {
			in := placeholders("?", to-from, 2)
			args := []any{micros(since)}
			for _, name := range packs[from:to] {
				args = append(args, name)
			}
			return c.db.each(ctx, func(scan func(...any) error) (bool, error) {
				var name string
				err := scan(&name)
				found[name] = true
				return true, err
			}, `SELECT name FROM packs WHERE name IN (`+in+`)
				UNION SELECT name FROM dropped_packs WHERE name IN (`+in+`) AND dropped >= $1`, args...)
		})
	}
	if err != nil {
		return nil, fmt.Errorf("find references to packs: %w", err)
	}
	return found, nil
}

// Repositories implements repo.Catalog.
func (c *Catalog) Repositories(ctx context.Context, after repo.ID, limit int) ([]repo.ID, error) {
	var ids []repo.ID
	err := c.db.each(ctx, func(scan func(...any) error) (bool, error) {
		var id repo.ID
		err := scan(&id)
		ids = append(ids, id)
		return true, err
	}, `SELECT id FROM repositories WHERE id > $1 ORDER BY id LIMIT $2`, after, limit)
	if err != nil {
		return nil, fmt.Errorf("list repositories: %w", err)
	}
	return ids, nil
}

// currentRefs implements repo.CurrentRefs within the transaction of a commit.
type currentRefs struct {
	tx      *tx
	id      repo.ID
	targets map[string]git.ID // read beforehand; the zero id is absence
}

// Target implements repo.CurrentRefs.
func (r *currentRefs) Target(name string) (git.ID, error) {
	if target, ok := r.targets[name]; ok {
		return target, nil
	}
	var target []byte
	_, err := r.tx.one([]any{&target}, `SELECT target FROM refs WHERE repository = $1 AND name = $2`, r.id, name)
	return fromRawID(target), err
}

// Below implements repo.CurrentRefs. The names that start with "dir/" are those
// between it and "dir0": '0' is the byte after '/'.
func (r *currentRefs) Below(dir string, visit func(string) bool) error {
	return r.tx.each(func(scan func(...any) error) (bool, error) {
		var name string
		if err := scan(&name); err != nil {
			return false, err
		}
		return visit(name), nil
	}, `SELECT name FROM refs WHERE repository = $1 AND name > $2 AND name < $3 ORDER BY name`, r.id, dir+"/", dir+"0")
}

// prefetch reads the targets of the refs that a change names, many at a time.
func (r *currentRefs) prefetch(updates []repo.RefUpdate) error {
	r.targets = make(map[string]git.ID, len(updates))
	return inChunks(len(updates), func(from, to int) error {
		args := []any{r.id}
		for _, u := range updates[from:to] {
			args = append(args, u.Name)
			r.targets[u.Name] = git.ID{}
		}
		return r.tx.each(func(scan func(...any) error) (bool, error) {
			var name string
			var target []byte
			err := scan(&name, &target)
			r.targets[name] = fromRawID(target)
			return true, err
		}, `SELECT name, target FROM refs WHERE repository = $1 AND name IN (`+placeholders("?", to-from, 2)+`)`, args...)
	})
}
