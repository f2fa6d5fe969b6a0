package hostingtest

import (
	"cmp"
	"context"
	"strings"

	"github.com/ingot-forge/ingot/forge"
	"github.com/ingot-forge/ingot/forge/hosting"
	"github.com/ingot-forge/ingot/git/repo"
)

// fork is CreateRepository for a fork.
func (m *Memory) fork(ctx context.Context, n hosting.New, event *repo.Event) (*forge.Repository, error) {
	place := m.find(n.Fork.Parent)
	if place < 0 {
		return nil, forge.ErrNoRow
	}
	parent := m.rows[place]
	for _, r := range m.rows {
		if r.Parent == parent.ID && r.OwnerID == n.OwnerID {
			return nil, forge.Conflictf("parent", forge.CodeAlreadyExists, "A fork of it is on this account already")
		}
	}
	state, err := m.Load(ctx, repo.ID(parent.ID), nil)
	if err != nil {
		return nil, err
	}
	described, err := m.describe(ctx, parent)
	if err != nil {
		return nil, err
	}
	id, err := m.Fork(ctx, repo.ID(parent.ID), func(name string) bool {
		if n.Fork.DefaultBranchOnly {
			return name == state.Head
		}
		return strings.HasPrefix(name, "refs/heads/") || strings.HasPrefix(name, "refs/tags/")
	}, n.Created)
	if err != nil {
		return nil, err
	}
	r := row{pushed: described.Pushed, Repository: forge.Repository{ID: forge.RepositoryID(id), OwnerID: n.OwnerID, Name: n.Name,
		Description: n.Description, Private: parent.Private, Created: n.Created, Updated: n.Created,
		Parent: parent.ID, Source: cmp.Or(parent.Source, parent.ID)}}
	m.rows = append(m.rows, r)
	m.record(parent.ID, n.Fork.Event, n.Created)
	m.record(r.ID, event, n.Created)
	return m.describe(ctx, r)
}

// moveForksUp gives the forks of a repository that goes another parent.
func (m *Memory) moveForksUp(gone forge.Repository) {
	heir := gone.Parent
	if heir == 0 {
		for _, private := range []bool{false, true} {
			for _, r := range m.rows {
				if heir == 0 && r.Parent == gone.ID && r.Private == private {
					heir = r.ID
				}
			}
		}
	}
	for i := range m.rows {
		r := &m.rows[i]
		if r.Parent == gone.ID {
			r.Parent = heir
		}
		if r.Source == gone.ID {
			r.Source = heir
		}
		if gone.Parent == 0 && r.ID == heir {
			r.Parent, r.Source = 0, 0
		}
	}
}

func (m *Memory) mine(r row, viewer forge.UserID) bool {
	_, joined := m.members[member{r.ID, viewer}]
	return viewer != 0 && (r.OwnerID == viewer || joined)
}

// CountForks implements hosting.Forks.
func (m *Memory) CountForks(_ context.Context, of *forge.Repository, viewer forge.UserID, all bool) (forks, network int, err error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, r := range m.rows {
		if r.Private && !all && !m.mine(r, viewer) {
			continue
		}
		if r.Parent == of.ID {
			forks++
		}
		if r.Source == cmp.Or(of.Source, of.ID) {
			network++
		}
	}
	return forks, network, nil
}
