package sqldb

import (
	"context"
	"fmt"
	"time"

	"github.com/ingot-forge/ingot/forge"
	"github.com/ingot-forge/ingot/forge/hosting"
	"github.com/ingot-forge/ingot/git/repo"
)

// Collaborators implements hosting.Collaborators.
type Collaborators struct{ db *DB }

var _ hosting.Collaborators = (*Collaborators)(nil)

// Collaborators returns who has which role in which repository.
func (db *DB) Collaborators() *Collaborators { return &Collaborators{db} }

// SetRole implements hosting.Collaborators.
func (s *Collaborators) SetRole(ctx context.Context, r forge.RepositoryID, u forge.UserID, role forge.Role,
	at time.Time, event *repo.Event) (changed bool, err error) {
	err = s.db.write(ctx, func(tx *tx) error {
		changed, err = setRole(tx, r, u, role)
		if err != nil || !changed || event == nil {
			return err
		}
		return tx.appendEvent(int64(r), event, at)
	})
	if err != nil {
		return false, fmt.Errorf("set role: %w", err)
	}
	return changed, nil
}

func setRole(tx *tx, r forge.RepositoryID, u forge.UserID, role forge.Role) (changed bool, err error) {
	if err := tx.hasUser(u); err != nil {
		return false, err
	}
	var version int64
	found, err := tx.one([]any{&version}, versionOf, r)
	if err := missing(found, err); err != nil {
		return false, err
	}
	var rows int64
	if role == forge.RoleNone {
		rows, err = tx.exec(`DELETE FROM collaborators WHERE repository = $1 AND user_id = $2`, r, u)
	} else {
		rows, err = tx.exec(`INSERT INTO collaborators (repository, user_id, role) VALUES ($1, $2, $3)
			ON CONFLICT (repository, user_id) DO UPDATE SET role = excluded.role
			WHERE collaborators.role <> excluded.role`, r, u, role)
	}
	return rows > 0, err
}

// ListCollaborators implements hosting.Collaborators.
func (s *Collaborators) ListCollaborators(ctx context.Context, r forge.RepositoryID, after forge.UserID,
	limit int) ([]hosting.Collaborator, error) {
	var list []hosting.Collaborator
	err := s.db.each(ctx, func(scan func(...any) error) (bool, error) {
		var c hosting.Collaborator
		err := scan(&c.UserID, &c.Login, &c.Role)
		list = append(list, c)
		return true, err
	}, `SELECT c.user_id, u.login, c.role FROM collaborators c JOIN users u ON u.id = c.user_id
		WHERE c.repository = $1 AND c.user_id > $2 ORDER BY c.user_id LIMIT $3`, r, after, limit)
	if err != nil {
		return nil, fmt.Errorf("list collaborators: %w", err)
	}
	return list, nil
}
