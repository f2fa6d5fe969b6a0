package memrepo

import (
	"context"
	"slices"
	"time"

	"github.com/ingot-forge/ingot/git/repo"
)

// Fork makes a repository with the packs of another, its HEAD, and those of its refs that
// keep chooses. Its version is 1 and its ref log empty.
func (c *Catalog) Fork(_ context.Context, parent repo.ID, keep func(name string) bool, at time.Time) (repo.ID, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	from, err := c.row(parent)
	if err != nil {
		return 0, err
	}
	var refs []repo.Ref
	for ref := range from.state.Refs.All() {
		if keep(ref.Name) {
			refs = append(refs, ref)
		}
	}
	packs := slices.Clone(from.state.Packs)
	for i := range packs {
		packs[i].Added = micro(at)
	}
	c.last++
	c.repos[c.last] = &row{state: &repo.State{ID: c.last, Version: 1, Format: from.state.Format, Head: from.state.Head,
		Refs: repo.NewRefs(refs...), Packs: packs}}
	return c.last, nil
}
