package memrepo

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/ingot-forge/ingot/git"
	"github.com/ingot-forge/ingot/git/repo"
)

// Catalog implements repo.Catalog. The zero Catalog is empty and ready for use.
type Catalog struct {
	mu    sync.Mutex
	last  repo.ID
	seq   int64 // of the last movement
	repos map[repo.ID]*row
	// dropped is when a repository last ceased to have a pack.
	dropped map[string]time.Time
}

// row is one repository. state is replaced, never changed.
type row struct {
	state  *repo.State
	log    []repo.Movement // oldest first
	events []repo.Event
}

// Create makes a new, empty repository whose HEAD points to refs/heads/main.
func (c *Catalog) Create(_ context.Context, f git.Format) (repo.ID, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.repos == nil {
		c.repos = make(map[repo.ID]*row)
		c.dropped = make(map[string]time.Time)
	}
	c.last++
	c.repos[c.last] = &row{state: &repo.State{ID: c.last, Format: f, Head: "refs/heads/main"}}
	return c.last, nil
}

// Remove deletes a repository, at the given time as Referenced sees it.
func (c *Catalog) Remove(_ context.Context, id repo.ID, at time.Time) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	r, err := c.row(id)
	if err != nil {
		return err
	}
	for _, p := range r.state.Packs {
		c.drop(p.Name, at)
	}
	delete(c.repos, id)
	return nil
}

// Events returns the event log of a repository, oldest first.
func (c *Catalog) Events(id repo.ID) []repo.Event {
	c.mu.Lock()
	defer c.mu.Unlock()
	if r := c.repos[id]; r != nil {
		return slices.Clone(r.events)
	}
	return nil
}

func (c *Catalog) row(id repo.ID) (*row, error) {
	if r, ok := c.repos[id]; ok {
		return r, nil
	}
	return nil, fmt.Errorf("repository %d: %w", id, repo.ErrNoRepository)
}

func (c *Catalog) drop(pack string, at time.Time) {
	if c.dropped[pack].Before(at) {
		c.dropped[pack] = at
	}
}

// Load implements repo.Catalog.
func (c *Catalog) Load(ctx context.Context, id repo.ID, since *repo.State) (*repo.State, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	r, err := c.row(id)
	if err != nil {
		return nil, err
	}
	if since != nil && since.ID == id && since.Version == r.state.Version {
		return since, nil
	}
	return r.state, nil
}

// Commit implements repo.Catalog.
func (c *Catalog) Commit(ctx context.Context, ch *repo.Change) (int64, error) {
	if err := ctx.Err(); err != nil {
		return 0, err
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	r, err := c.row(ch.Repository)
	if err != nil {
		return 0, err
	}
	old := r.state
	packs, err := changePacks(old.Packs, ch)
	if err != nil {
		return 0, err
	}
	head := old.Head
	if h := ch.Head; h != nil {
		if h.Old != head {
			return 0, fmt.Errorf("HEAD points to %q, not %q: %w", head, h.Old, repo.ErrOutOfDate)
		}
		head = h.New
	}
	if err := ch.Conflicts(current{old.Refs}); err != nil {
		return 0, err
	}

	at := micro(ch.Time)
	for _, u := range ch.Refs {
		if u.Old == u.New {
			continue
		}
		c.seq++
		r.log = append(r.log, repo.Movement{
			Seq: c.seq, Ref: u.Name, Old: u.Old, New: u.New, Who: ch.Who, Why: ch.Why, Time: at,
		})
	}
	for _, name := range ch.Drop {
		c.drop(name, at)
	}
	if ch.Event != nil {
		e := *ch.Event
		e.Payload = slices.Clone(e.Payload)
		r.events = append(r.events, e)
	}
	r.state = &repo.State{
		ID: old.ID, Version: old.Version + 1, Format: old.Format,
		Head: head, Refs: changeRefs(old.Refs, ch.Refs), Packs: packs,
	}
	return r.state.Version, nil
}

// changePacks returns what the change makes of the packs.
func changePacks(old []repo.Pack, ch *repo.Change) ([]repo.Pack, error) {
	packs := slices.Clone(old)
	named := func(name string) int {
		return slices.IndexFunc(packs, func(p repo.Pack) bool { return p.Name == name })
	}
	for _, name := range ch.Drop {
		at := named(name)
		if at < 0 {
			return nil, fmt.Errorf("pack %s is gone: %w", name, repo.ErrOutOfDate)
		}
		packs = slices.Delete(packs, at, at+1)
	}
	for _, p := range ch.Add {
		if named(p.Name) >= 0 {
			return nil, fmt.Errorf("pack %s is there already: %w", p.Name, repo.ErrOutOfDate)
		}
		p.Checksum, p.Data, p.Index = slices.Clone(p.Checksum), slices.Clone(p.Data), slices.Clone(p.Index)
		p.Added = micro(p.Added)
		packs = append(packs, p)
	}
	return packs, nil
}

// changeRefs returns what the updates make of the refs.
func changeRefs(old repo.Refs, updates []repo.RefUpdate) repo.Refs {
	var moved []repo.Ref
	for _, u := range updates {
		if u.Old != u.New {
			moved = append(moved, repo.Ref{Name: u.Name, Target: u.New, Peeled: u.Peeled})
		}
	}
	return old.Change(moved)
}

// current is the refs of a state as repo.CurrentRefs.
type current struct{ repo.Refs }

func (c current) Target(name string) (git.ID, error) {
	ref, _ := c.Find(name)
	return ref.Target, nil
}

func (c current) Below(dir string, visit func(string) bool) error {
	for r := range c.Prefix(dir + "/") {
		if !visit(r.Name) {
			break
		}
	}
	return nil
}

// RefLog implements repo.Catalog.
func (c *Catalog) RefLog(ctx context.Context, id repo.ID, ref string, before int64, limit int) ([]repo.Movement, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	r, err := c.row(id)
	if err != nil {
		return nil, err
	}
	var found []repo.Movement
	for _, m := range slices.Backward(r.log) {
		if len(found) >= limit {
			break
		}
		if (ref == "" || m.Ref == ref) && (before == 0 || m.Seq < before) {
			found = append(found, m)
		}
	}
	return found, nil
}

// Referenced implements repo.Catalog.
func (c *Catalog) Referenced(ctx context.Context, packs []string, since time.Time) (map[string]bool, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	asked := make(map[string]bool, len(packs))
	found := make(map[string]bool)
	for _, name := range packs {
		asked[name] = true
		if at, ok := c.dropped[name]; ok && !at.Before(since) {
			found[name] = true
		}
	}
	for _, r := range c.repos {
		for _, p := range r.state.Packs {
			if asked[p.Name] {
				found[p.Name] = true
			}
		}
	}
	return found, nil
}

// Repositories implements repo.Catalog.
func (c *Catalog) Repositories(ctx context.Context, after repo.ID, limit int) ([]repo.ID, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	var ids []repo.ID
	for id := range c.repos {
		if id > after {
			ids = append(ids, id)
		}
	}
	slices.Sort(ids)
	return ids[:min(len(ids), max(limit, 0))], nil
}

func micro(t time.Time) time.Time { return t.Truncate(time.Microsecond).UTC() }
