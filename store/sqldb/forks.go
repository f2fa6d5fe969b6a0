package sqldb

import (
	"cmp"
	"context"
	"fmt"
	"time"

	"github.com/ingot-forge/ingot/forge"
	"github.com/ingot-forge/ingot/forge/hosting"
	"github.com/ingot-forge/ingot/git"
)

var _ hosting.Forks = (*Repositories)(nil)

// forked is what a fork takes over from its parent; zero for what is no fork.
type forked struct {
	parent, source forge.RepositoryID
	format         git.Format
	head           string
	private        bool
	pushed, bytes  int64
}

// forkable reads the parent of a fork for an owner who has none of it yet. Writers
// take turns, so it stays as it is until the fork is made.
func forkable(tx *tx, parent forge.RepositoryID, owner forge.UserID) (forked, error) {
	from := forked{parent: parent}
	found, err := tx.one([]any{&from.source, &from.format, &from.head, &from.private, &from.pushed, &from.bytes},
		`SELECT source, format, head, private, pushed, bytes FROM repositories WHERE id = $1`, parent)
	if err := missing(found, err); err != nil {
		return forked{}, err
	}
	from.source = cmp.Or(from.source, parent)
	var there int64
	found, err = tx.one([]any{&there}, `SELECT id FROM repositories WHERE parent = $1 AND parent <> 0 AND owner_id = $2`, parent, owner)
	if err == nil && found {
		err = forge.Conflictf("parent", forge.CodeAlreadyExists, "A fork of it is on this account already")
	}
	return from, err
}

// share gives a new repository the packs and refs of its parent. Rows are copied inside
// the database: nothing of a million refs comes through here. That the parent
// has the packs now is what Pack.Added is about.
func (f *forked) share(tx *tx, id forge.RepositoryID, o *hosting.Forking, at time.Time) error {
	const version = 1
	_, err := tx.exec(`INSERT INTO packs (repository, seq, name, bytes, objects, checksum, added)
		SELECT $1, $3 + ROW_NUMBER() OVER (ORDER BY seq) - 1, name, bytes, objects, checksum, $4
		FROM packs WHERE repository = $2`, id, f.parent, seqAt(version, 0), micros(at))
	if err != nil {
		return err
	}
	_, err = tx.exec(`INSERT INTO pack_bytes (repository, name, data, index_data)
		SELECT $1, name, data, index_data FROM pack_bytes WHERE repository = $2`, id, f.parent)
	if err != nil {
		return err
	}
	const refs = `INSERT INTO refs (repository, name, target, peeled)
		SELECT $1, name, target, peeled FROM refs WHERE repository = $2 AND `
	if o.DefaultBranchOnly {
		_, err = tx.exec(refs+`name = $3`, id, f.parent, f.head)
	} else { // '0' is the byte after '/'
		_, err = tx.exec(refs+`(name > 'refs/heads/' AND name < 'refs/heads0' OR name > 'refs/tags/' AND name < 'refs/tags0')`,
			id, f.parent)
	}
	if err != nil {
		return err
	}
	_, err = tx.exec(`UPDATE repositories SET version = $2, pushed = $3, bytes = $4 WHERE id = $1`, id, version, f.pushed, f.bytes)
	if err != nil || o.Event == nil {
		return err
	}
	return tx.appendEvent(int64(f.parent), o.Event, at)
}

// moveForksUp gives the forks of a repository that is about to be deleted another
// parent, and its network another source if that is what it was.
func moveForksUp(tx *tx, id forge.RepositoryID) error {
	var parent forge.RepositoryID
	if _, err := tx.one([]any{&parent}, `SELECT parent FROM repositories WHERE id = $1`, id); err != nil {
		return err
	}
	if parent != 0 {
		_, err := tx.exec(`UPDATE repositories SET parent = $2 WHERE parent = $1 AND parent <> 0`, id, parent)
		return err
	}
	var heir forge.RepositoryID
	found, err := tx.one([]any{&heir}, `SELECT id FROM repositories WHERE parent = $1 AND parent <> 0 ORDER BY private, id LIMIT 1`, id)
	if err != nil || !found {
		return err
	}
	for _, text := range []string{
		`UPDATE repositories SET parent = $2 WHERE parent = $1 AND parent <> 0`,
		`UPDATE repositories SET source = $2 WHERE source = $1 AND source <> 0`,
		`UPDATE repositories SET parent = 0, source = 0 WHERE id = $2 AND $1 = $1`,
	} {
		if _, err := tx.exec(text, id, heir); err != nil {
			return err
		}
	}
	return nil
}

// CountForks implements hosting.Forks.
func (s *Repositories) CountForks(ctx context.Context, r *forge.Repository, viewer forge.UserID, all bool) (forks, network int, err error) {
	visible := visibleTo3
	if all {
		visible = `$3 = $3`
	}
	_, err = s.db.one(ctx, []any{&forks, &network}, `SELECT
		(SELECT COUNT(*) FROM repositories r WHERE r.parent = $1 AND r.parent <> 0 AND `+visible+`),
		(SELECT COUNT(*) FROM repositories r WHERE r.source = $2 AND r.source <> 0 AND `+visible+`)`,
		r.ID, cmp.Or(r.Source, r.ID), viewer)
	if err != nil {
		return 0, 0, fmt.Errorf("count forks: %w", err)
	}
	return forks, network, nil
}
