package repo

import "context"

// CheckInPasses is Check as it is for a repository so large that it has to be
// read several times.
func (s *Store) CheckInPasses(ctx context.Context, snap *Snapshot, passes int, report func(string), progress func(done, total int)) (int, error) {
	return s.check(ctx, snap, passes, report, progress)
}

// NewDraft starts a draft of which at most so many bytes are kept in memory.
func (s *Store) NewDraft(ctx context.Context, most int) Draft { return s.draft(ctx, most) }
