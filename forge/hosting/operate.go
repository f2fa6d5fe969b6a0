package hosting

import (
	"context"

	"github.com/ingot-forge/ingot/forge"
	"github.com/ingot-forge/ingot/git/repo"
)

// Check verifies all that a repository holds and returns the number of faults,
// each of which it reports. The actor must be allowed to forge.Operate.
func (s *Service) Check(ctx context.Context, actor *forge.Actor, owner, name string,
	report func(fault string), progress func(done, total int)) (faults int, err error) {
	if err := forge.PermitUser(actor, forge.Operate, 0, false, s.clock()); err != nil {
		return 0, err
	}
	h, err := s.Open(ctx, actor, forge.Read, owner, name)
	if err != nil {
		return 0, err
	}
	return s.stores.Git.Store.Check(ctx, repo.ID(h.Repository.ID), report, progress)
}

// Sweep removes stored files that no repository needs: see repo.Store.Sweep.
// report may be nil. The actor must be allowed to forge.Operate.
func (s *Service) Sweep(ctx context.Context, actor *forge.Actor,
	report func(file string, bytes int64)) (files int, bytes int64, err error) {
	if err := forge.PermitUser(actor, forge.Operate, 0, false, s.clock()); err != nil {
		return 0, 0, err
	}
	if report == nil {
		report = func(string, int64) {}
	}
	return s.stores.Git.Store.Sweep(ctx, report)
}

// Usage tells what a repository takes in storage. The actor must be allowed to
// forge.Operate.
func (s *Service) Usage(ctx context.Context, actor *forge.Actor, owner, name string) (repo.Usage, error) {
	if err := forge.PermitUser(actor, forge.Operate, 0, false, s.clock()); err != nil {
		return repo.Usage{}, err
	}
	h, err := s.Open(ctx, actor, forge.Read, owner, name)
	if err != nil {
		return repo.Usage{}, err
	}
	return s.stores.Git.Store.Usage(ctx, repo.ID(h.Repository.ID))
}
