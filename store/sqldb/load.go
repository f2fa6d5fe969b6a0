package sqldb

import (
	"context"
	"database/sql"
	"fmt"
	"slices"

	"github.com/ingot-forge/ingot/git/repo"
)

const versionOf = `SELECT version FROM repositories WHERE id = $1`

// maxVersionsBehind is how many commits back a state may be and still be
// brought up to date by what moved since: beyond, most of it has changed anyway.
const maxVersionsBehind = 10_000

// Load implements repo.Catalog. A state that is still current costs one lookup
// by primary key. One that is a little behind is brought up to date from the ref
// log: the rows read are those that changed, and the states share all other refs.
func (c *Catalog) Load(ctx context.Context, id repo.ID, since *repo.State) (*repo.State, error) {
	state, err := c.load(ctx, id, since)
	if err != nil {
		return nil, fmt.Errorf("load repository: %w", err)
	}
	return state, nil
}

func (c *Catalog) load(ctx context.Context, id repo.ID, since *repo.State) (state *repo.State, err error) {
	if since != nil && since.ID == id {
		var version int64
		found, err := c.db.one(ctx, []any{&version}, versionOf, id)
		switch {
		case err != nil:
			return nil, err
		case !found:
			return nil, noRepository(id)
		case version == since.Version:
			return since, nil
		}
	} else {
		since = nil
	}
	err = c.db.read(ctx, func(tx *tx) error {
		state, err = loadState(tx, id, since)
		return err
	})
	return state, err
}

func loadState(tx *tx, id repo.ID, since *repo.State) (*repo.State, error) {
	s := &repo.State{ID: id}
	var dropped int64
	found, err := tx.one([]any{&s.Version, &s.Format, &s.Head, &dropped},
		`SELECT version, format, head, dropped FROM repositories WHERE id = $1`, id)
	if err != nil {
		return nil, err
	}
	if !found {
		return nil, noRepository(id)
	}
	behind := since != nil && since.Version <= s.Version
	if behind && s.Version-since.Version <= maxVersionsBehind {
		s.Refs, err = refsSince(tx, since)
	} else {
		s.Refs, err = allRefs(tx, id)
	}
	if err != nil {
		return nil, err
	}
	if !behind {
		since = nil
	}
	s.Packs, err = loadPacks(tx, id, since, dropped)
	return s, err
}

func allRefs(tx *tx, id repo.ID) (repo.Refs, error) {
	var name, target, peeled sql.RawBytes // valid until the next row: saves an allocation each
	var all repo.RefsBuilder
	err := tx.each(func(scan func(...any) error) (bool, error) {
		if err := scan(&name, &target, &peeled); err != nil {
			return false, err
		}
		return true, all.Add(name, fromRawID(target), fromRawID(peeled))
	}, `SELECT name, target, peeled FROM refs WHERE repository = $1 ORDER BY name`, id)
	return all.Refs(), err
}

// refsSince returns the refs of now from those of an earlier state.
func refsSince(tx *tx, since *repo.State) (repo.Refs, error) {
	var moved []repo.Ref // one that is gone has a zero target
	err := tx.each(func(scan func(...any) error) (bool, error) {
		var r repo.Ref
		var target, peeled []byte
		if err := scan(&r.Name, &target, &peeled); err != nil {
			return false, err
		}
		r.Target, r.Peeled = fromRawID(target), fromRawID(peeled)
		moved = append(moved, r)
		return true, nil
	}, `SELECT m.ref, r.target, r.peeled
		FROM (SELECT DISTINCT ref FROM ref_log WHERE repository = $1 AND seq >= $2) m
		LEFT JOIN refs r ON r.repository = $1 AND r.name = m.ref ORDER BY m.ref`,
		since.ID, seqAt(since.Version+1, 0))
	return since.Refs.Change(moved), err
}

// loadPacks returns the packs of now. The rows that an earlier state has, which may
// be nil, are read again only if packs were dropped since, and their bytes never.
func loadPacks(tx *tx, id repo.ID, since *repo.State, dropped int64) ([]repo.Pack, error) {
	var packs []repo.Pack
	var first, fresh int64 // the rows read; those of which bytes are read
	earlier := map[string]*repo.Pack{}
	if since != nil {
		fresh = seqAt(since.Version+1, 0)
		if dropped <= since.Version {
			packs, first = slices.Clone(since.Packs), fresh
		} else {
			for i := range since.Packs {
				earlier[since.Packs[i].Name] = &since.Packs[i]
			}
		}
	}
	err := tx.each(func(scan func(...any) error) (bool, error) {
		var p repo.Pack
		var seq, added int64
		if err := scan(&seq, &p.Name, &p.Bytes, &p.Objects, &p.Checksum, &added, &p.Data, &p.Index); err != nil {
			return false, err
		}
		p.Added = fromMicros(added)
		if was := earlier[p.Name]; was != nil && seq < fresh {
			p.Data, p.Index = was.Data, was.Index
		}
		packs = append(packs, p)
		return true, nil
	}, `SELECT p.seq, p.name, p.bytes, p.objects, p.checksum, p.added, b.data, b.index_data FROM packs p
		LEFT JOIN pack_bytes b ON p.seq >= $3 AND b.repository = p.repository AND b.name = p.name
		WHERE p.repository = $1 AND p.seq >= $2 ORDER BY p.seq`,
		id, first, fresh)
	return packs, err
}
