// Package hostingtest has the in-memory model of the stores of package hosting,
// and the conformance suite that every implementation of them passes.
package hostingtest

import (
	"context"
	"slices"
	"sort"
	"strings"
	"sync"
	"time"

	"github.com/ingot-forge/ingot/forge"
	"github.com/ingot-forge/ingot/forge/hosting"
	"github.com/ingot-forge/ingot/git/repo"
	"github.com/ingot-forge/ingot/git/repo/memrepo"
)

// Memory is the model: repositories, collaborators, owners and the event log in
// maps, over the catalogue in memory. It is a repo.Catalog too, so that commits
// reach the event log.
type Memory struct {
	*memrepo.Catalog
	mu      sync.Mutex // guards all below; every method is one step
	users   []*forge.User
	rows    []row // ids ascending
	members map[member]forge.Role
	events  []forge.Event
}

type row struct {
	forge.Repository           // without what follows from the catalogue
	base             int64     // version of the state it began with, which counts as 0
	pushed           time.Time // before its ref log begins
}

type member struct {
	repository forge.RepositoryID
	user       forge.UserID
}

// NewMemory returns an empty model.
func NewMemory() *Memory {
	return &Memory{Catalog: new(memrepo.Catalog), members: map[member]forge.Role{}}
}

// AddUser makes a user for Owner to find.
func (m *Memory) AddUser(u forge.User) *forge.User {
	m.mu.Lock()
	defer m.mu.Unlock()
	u.ID = forge.UserID(len(m.users) + 1)
	m.users = append(m.users, &u)
	return &u
}

// Owner implements hosting.Owners.
func (m *Memory) Owner(_ context.Context, login string) (*forge.User, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, u := range m.users {
		if forge.Fold(u.Login) == forge.Fold(login) {
			return u, nil
		}
	}
	return nil, forge.ErrNoRow
}

func (m *Memory) user(id forge.UserID) *forge.User {
	if id < 1 || int(id) > len(m.users) {
		return nil
	}
	return m.users[id-1]
}

func (m *Memory) record(id forge.RepositoryID, event *repo.Event, at time.Time) {
	if event != nil {
		m.events = append(m.events, forge.Event{Seq: int64(len(m.events) + 1), Repository: id,
			Kind: forge.EventKind(event.Kind), Time: at, Payload: slices.Clone(event.Payload)})
	}
}

// Commit implements repo.Catalog.
func (m *Memory) Commit(ctx context.Context, c *repo.Change) (int64, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	version, err := m.Catalog.Commit(ctx, c)
	if err == nil {
		m.record(forge.RepositoryID(c.Repository), c.Event, c.Time)
	}
	return version, err
}

// describe fills in what follows from the catalogue.
func (m *Memory) describe(ctx context.Context, r row) (*forge.Repository, error) {
	state, err := m.Load(ctx, repo.ID(r.ID), nil)
	if err != nil {
		return nil, err
	}
	found := r.Repository
	found.Owner = m.user(r.OwnerID).Login
	found.DefaultBranch = strings.TrimPrefix(state.Head, "refs/heads/")
	found.Version = state.Version - r.base
	for _, p := range state.Packs {
		found.Bytes += p.Bytes
	}
	moved, err := m.RefLog(ctx, repo.ID(r.ID), "", 0, 1)
	if err != nil {
		return nil, err
	}
	found.Pushed = r.pushed
	if len(moved) > 0 {
		found.Pushed = moved[0].Time
	}
	return &found, nil
}

func (m *Memory) taken(owner forge.UserID, name string, except forge.RepositoryID) error {
	for _, r := range m.rows {
		if r.OwnerID == owner && r.ID != except && forge.Fold(r.Name) == forge.Fold(name) {
			return forge.Conflictf("name", forge.CodeAlreadyExists, "Name already exists on this account")
		}
	}
	return nil
}

// CreateRepository implements hosting.Repositories.
func (m *Memory) CreateRepository(ctx context.Context, n hosting.New, event *repo.Event) (*forge.Repository, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.user(n.OwnerID) == nil {
		return nil, forge.ErrNoRow
	}
	if err := m.taken(n.OwnerID, n.Name, 0); err != nil {
		return nil, err
	}
	if n.Fork != nil {
		return m.fork(ctx, n, event)
	}
	id, err := m.Create(ctx, n.Format)
	if err != nil {
		return nil, err
	}
	r := row{Repository: forge.Repository{ID: forge.RepositoryID(id), OwnerID: n.OwnerID, Name: n.Name,
		Description: n.Description, Private: n.Private, Created: n.Created, Updated: n.Created}}
	if head := "refs/heads/" + n.DefaultBranch; head != "refs/heads/main" {
		r.base, err = m.Catalog.Commit(ctx, &repo.Change{Repository: id, Time: n.Created,
			Head: &repo.HeadUpdate{Old: "refs/heads/main", New: head}})
		if err != nil {
			return nil, err
		}
	}
	m.rows = append(m.rows, r)
	m.record(r.ID, event, n.Created)
	return m.describe(ctx, r)
}

func (m *Memory) find(id forge.RepositoryID) int {
	return slices.IndexFunc(m.rows, func(r row) bool { return r.ID == id })
}

// FindRepository implements hosting.Repositories.
func (m *Memory) FindRepository(ctx context.Context, which hosting.Which, viewer forge.UserID) (*forge.Repository, forge.Role, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, r := range m.rows {
		if which.ID == 0 && forge.Fold(m.user(r.OwnerID).Login) == forge.Fold(which.Owner) &&
			forge.Fold(r.Name) == forge.Fold(which.Name) || which.ID != 0 && r.ID == which.ID {
			found, err := m.describe(ctx, r)
			return found, m.members[member{r.ID, viewer}], err
		}
	}
	return nil, forge.RoleNone, forge.ErrNoRow
}

// UpdateRepository implements hosting.Repositories.
func (m *Memory) UpdateRepository(_ context.Context, r *forge.Repository, seen time.Time, event *repo.Event) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	at := m.find(r.ID)
	if at < 0 {
		return forge.ErrNoRow
	}
	old := &m.rows[at]
	if !old.Updated.Equal(seen) {
		return forge.Conflictf("", "", "Repository was changed meanwhile")
	}
	if err := m.taken(old.OwnerID, r.Name, r.ID); err != nil {
		return err
	}
	old.Name, old.Description, old.Private, old.Archived, old.Updated = r.Name, r.Description, r.Private, r.Archived, r.Updated
	m.record(r.ID, event, r.Updated)
	return nil
}

// DeleteRepository implements hosting.Repositories.
func (m *Memory) DeleteRepository(ctx context.Context, id forge.RepositoryID, unused bool, at time.Time, event *repo.Event) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	place := m.find(id)
	if place < 0 {
		return forge.ErrNoRow
	}
	state, err := m.Load(ctx, repo.ID(id), nil)
	if err != nil {
		return err
	}
	if unused && state.Version != m.rows[place].base {
		return forge.Conflictf("", "", "Repository is in use")
	}
	if err := m.Remove(ctx, repo.ID(id), at); err != nil {
		return err
	}
	m.moveForksUp(m.rows[place].Repository)
	m.rows = slices.Delete(m.rows, place, place+1)
	for key := range m.members {
		if key.repository == id {
			delete(m.members, key)
		}
	}
	m.record(id, event, at)
	return nil
}

// ListRepositories implements hosting.Repositories.
func (m *Memory) ListRepositories(ctx context.Context, l hosting.Listing) ([]*forge.Repository, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	var list []*forge.Repository
	rows := slices.Clone(m.rows)
	if l.Newest {
		slices.Reverse(rows)
	}
	for _, r := range rows {
		mine := m.mine(r, l.Viewer)
		switch {
		case len(list) >= l.Limit, !l.Newest && r.ID <= l.After, l.Newest && l.After != 0 && r.ID >= l.After,
			l.Parent != 0 && r.Parent != l.Parent,
			l.Owner != 0 && r.OwnerID != l.Owner,
			l.Member && !mine,
			!l.All && r.Private && !mine:
			continue
		}
		found, err := m.describe(ctx, r)
		if err != nil {
			return nil, err
		}
		list = append(list, found)
	}
	return list, nil
}

// SetRole implements hosting.Collaborators.
func (m *Memory) SetRole(_ context.Context, id forge.RepositoryID, u forge.UserID, role forge.Role, at time.Time, event *repo.Event) (bool, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.find(id) < 0 || m.user(u) == nil {
		return false, forge.ErrNoRow
	}
	key := member{id, u}
	if m.members[key] == role {
		return false, nil
	}
	m.members[key] = role
	if role == forge.RoleNone {
		delete(m.members, key)
	}
	m.record(id, event, at)
	return true, nil
}

// ListCollaborators implements hosting.Collaborators.
func (m *Memory) ListCollaborators(_ context.Context, id forge.RepositoryID, after forge.UserID, limit int) ([]hosting.Collaborator, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	var list []hosting.Collaborator
	for key, role := range m.members {
		if key.repository == id && key.user > after {
			list = append(list, hosting.Collaborator{UserID: key.user, Login: m.user(key.user).Login, Role: role})
		}
	}
	sort.Slice(list, func(i, j int) bool { return list[i].UserID < list[j].UserID })
	return list[:min(limit, len(list))], nil
}

// ListEvents implements hosting.Events.
func (m *Memory) ListEvents(_ context.Context, id forge.RepositoryID, after int64, limit int) ([]forge.Event, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	var list []forge.Event
	for _, e := range m.events {
		if e.Seq > after && (id == 0 || e.Repository == id) && len(list) < limit {
			list = append(list, e)
		}
	}
	return list, nil
}
