package sqldb

import (
	"context"
	"fmt"
	"math"
	"strings"
	"time"

	"github.com/ingot-forge/ingot/forge"
	"github.com/ingot-forge/ingot/forge/hosting"
	"github.com/ingot-forge/ingot/git/repo"
)

// Repositories implements hosting.Repositories. Its rows are those of the
// catalogue: one table, each column written from one side.
type Repositories struct{ db *DB }

var _ hosting.Repositories = (*Repositories)(nil)

// Repositories returns the descriptions of repositories.
func (db *DB) Repositories() *Repositories { return &Repositories{db} }

const branchPrefix = "refs/heads/"

// repositoryColumns are what repositoryRow scans; r is the table, u its owner's.
const repositoryColumns = `r.id, r.owner_id, u.login, r.name, r.description, r.private, r.archived,
	r.created, r.updated, r.parent, r.source, r.head, r.pushed, r.bytes, r.version`

// repositoryRow receives one row of repositoryColumns.
type repositoryRow struct {
	forge.Repository
	head                     string
	created, updated, pushed int64
}

func (r *repositoryRow) dest() []any {
	return []any{&r.ID, &r.OwnerID, &r.Owner, &r.Name, &r.Description, &r.Private, &r.Archived,
		&r.created, &r.updated, &r.Parent, &r.Source, &r.head, &r.pushed, &r.Bytes, &r.Version}
}

func (r *repositoryRow) repository() *forge.Repository {
	r.DefaultBranch = strings.TrimPrefix(r.head, branchPrefix)
	r.Created, r.Updated, r.Pushed = fromMicros(r.created), fromMicros(r.updated), fromMicros(r.pushed)
	return &r.Repository
}

// CreateRepository implements hosting.Repositories.
func (s *Repositories) CreateRepository(ctx context.Context, n hosting.New, event *repo.Event) (*forge.Repository, error) {
	var made *forge.Repository
	write := s.db.write
	if n.Fork != nil {
		write = s.db.writeAlone // all refs are copied
	}
	err := write(ctx, func(tx *tx) error {
		if err := tx.hasUser(n.OwnerID); err != nil {
			return err
		}
		if err := nameFree(tx, n.OwnerID, n.Name, 0); err != nil {
			return err
		}
		head, from := branchPrefix+n.DefaultBranch, forked{}
		if n.Fork != nil {
			var err error
			if from, err = forkable(tx, n.Fork.Parent, n.OwnerID); err != nil {
				return err
			}
			head, n.Format, n.Private = from.head, from.format, from.private
		}
		var id forge.RepositoryID
		_, err := tx.one([]any{&id}, `INSERT INTO repositories (owner_id, name, name_key, description, private, archived,
			created, updated, format, version, dropped, head, pushed, bytes, parent, source)
			VALUES ($1, $2, $3, $4, $5, FALSE, $6, $6, $7, 0, 0, $8, 0, 0, $9, $10) RETURNING id`,
			n.OwnerID, n.Name, forge.Fold(n.Name), n.Description, n.Private,
			micros(n.Created), n.Format, head, from.parent, from.source)
		if err != nil {
			return err
		}
		if n.Fork != nil {
			if err := from.share(tx, id, n.Fork, n.Created); err != nil {
				return err
			}
		}
		if made, _, err = findRepository(tx, hosting.Which{ID: id}, 0); err != nil || event == nil {
			return err
		}
		return tx.appendEvent(int64(id), event, n.Created)
	})
	if err != nil {
		return nil, fmt.Errorf("create repository: %w", err)
	}
	return made, nil
}

// nameFree reports a conflict if the owner has the name in use for a repository
// other than self.
func nameFree(tx *tx, owner forge.UserID, name string, self forge.RepositoryID) error {
	var taken int64
	found, err := tx.one([]any{&taken},
		`SELECT id FROM repositories WHERE owner_id = $1 AND name_key = $2 AND id <> $3`, owner, forge.Fold(name), self)
	if err == nil && found {
		err = forge.Conflictf("name", forge.CodeAlreadyExists, "Name already exists on this account")
	}
	return err
}

// FindRepository implements hosting.Repositories.
func (s *Repositories) FindRepository(ctx context.Context, which hosting.Which, viewer forge.UserID,
) (*forge.Repository, forge.Role, error) {
	var found *forge.Repository
	var role forge.Role
	err := s.db.statement(ctx, func(tx *tx) (err error) {
		found, role, err = findRepository(tx, which, viewer)
		return err
	})
	if err != nil {
		return nil, 0, fmt.Errorf("find repository: %w", err)
	}
	return found, role, nil
}

func findRepository(tx *tx, which hosting.Which, viewer forge.UserID) (*forge.Repository, forge.Role, error) {
	const text = `SELECT ` + repositoryColumns + `, COALESCE(c.role, 0)
		FROM repositories r JOIN users u ON u.id = r.owner_id
		LEFT JOIN collaborators c ON c.repository = r.id AND c.user_id = $1 WHERE `
	var row repositoryRow
	var role forge.Role
	dest := append(row.dest(), &role)
	var found bool
	var err error
	if which.ID != 0 {
		found, err = tx.one(dest, text+`r.id = $2`, viewer, which.ID)
	} else {
		found, err = tx.one(dest, text+`u.login_key = $2 AND r.name_key = $3`,
			viewer, forge.Fold(which.Owner), forge.Fold(which.Name))
	}
	if err := missing(found, err); err != nil {
		return nil, 0, err
	}
	return row.repository(), role, nil
}

// UpdateRepository implements hosting.Repositories.
func (s *Repositories) UpdateRepository(ctx context.Context, r *forge.Repository, seen time.Time, event *repo.Event) error {
	err := s.db.write(ctx, func(tx *tx) error {
		now, _, err := findRepository(tx, hosting.Which{ID: r.ID}, 0)
		if err != nil {
			return err
		}
		if micros(now.Updated) != micros(seen) {
			return forge.Conflictf("", "", "Repository was changed meanwhile")
		}
		if err := nameFree(tx, now.OwnerID, r.Name, r.ID); err != nil {
			return err
		}
		_, err = tx.exec(`UPDATE repositories SET name = $2, name_key = $3, description = $4, private = $5, archived = $6,
			updated = $7 WHERE id = $1`,
			r.ID, r.Name, forge.Fold(r.Name), r.Description, r.Private, r.Archived, micros(r.Updated))
		if err != nil || event == nil {
			return err
		}
		return tx.appendEvent(int64(r.ID), event, r.Updated)
	})
	if err != nil {
		return fmt.Errorf("update repository: %w", err)
	}
	return nil
}

// DeleteRepository implements hosting.Repositories.
func (s *Repositories) DeleteRepository(ctx context.Context, id forge.RepositoryID, unused bool,
	at time.Time, event *repo.Event) error {
	err := s.db.writeAlone(ctx, func(tx *tx) error {
		var version int64
		found, err := tx.one([]any{&version}, versionOf, id)
		if err := missing(found, err); err != nil {
			return err
		}
		if unused && version != 0 {
			return forge.Conflictf("", "", "Repository is in use")
		}
		_, err = tx.exec(insertDropped+` SELECT name, $2 FROM packs WHERE repository = $1`+laterDropped, id, micros(at))
		if err == nil {
			err = tx.forgetDropped(at)
		}
		if err != nil {
			return err
		}
		if err := moveForksUp(tx, id); err != nil {
			return err
		}
		// Refs, log, packs and collaborators go with it.
		if _, err := tx.exec(`DELETE FROM repositories WHERE id = $1`, id); err != nil || event == nil {
			return err
		}
		return tx.appendEvent(int64(id), event, at)
	})
	if err != nil {
		return fmt.Errorf("delete repository: %w", err)
	}
	return nil
}

// ListRepositories implements hosting.Repositories.
func (s *Repositories) ListRepositories(ctx context.Context, l hosting.Listing) ([]*forge.Repository, error) {
	text, args := listing(l)
	var list []*forge.Repository
	err := s.db.each(ctx, func(scan func(...any) error) (bool, error) {
		var row repositoryRow
		err := scan(row.dest()...)
		list = append(list, row.repository())
		return true, err
	}, text, args...)
	if err != nil {
		return nil, fmt.Errorf("list repositories: %w", err)
	}
	return list, nil
}

// listing returns the statement for a listing: one of few texts, each of which
// an index serves.
func listing(l hosting.Listing) (text string, args []any) {
	var b strings.Builder
	b.WriteString(`SELECT ` + repositoryColumns + ` FROM repositories r JOIN users u ON u.id = r.owner_id WHERE `)
	switch {
	case !l.Newest:
		b.WriteString(`r.id > $1`)
	case l.After == 0:
		l.After = math.MaxInt64
		fallthrough
	default:
		b.WriteString(`r.id < $1`)
	}
	args = []any{l.After, l.Limit, l.Viewer}
	if l.Owner != 0 {
		args = append(args, l.Owner)
		b.WriteString(` AND r.owner_id = $4`)
	}
	if l.Parent != 0 {
		args = append(args, l.Parent)
		fmt.Fprintf(&b, ` AND r.parent = $%d`, len(args))
	}
	if l.Member {
		b.WriteString(` AND r.id IN (SELECT id FROM repositories WHERE owner_id = $3
			UNION SELECT repository FROM collaborators WHERE user_id = $3)`)
	}
	if !l.All {
		b.WriteString(` AND ` + visibleTo3)
	} else if !l.Member {
		b.WriteString(` AND $3 = $3`) // PostgreSQL wants every value used
	}
	b.WriteString(` ORDER BY r.id`)
	if l.Newest {
		b.WriteString(` DESC`)
	}
	b.WriteString(` LIMIT $2`)
	return b.String(), args
}

// visibleTo3 holds for what is public, or the user $3 owns or collaborates in.
const visibleTo3 = `(NOT r.private OR r.owner_id = $3
	OR EXISTS (SELECT 1 FROM collaborators c WHERE c.repository = r.id AND c.user_id = $3))`
