package transfer

import (
	"context"
	"sync"
)

// searchesAtOnce bounds the fetches that search for new deltas at the same time. Each uses all
// cores, so more would only hold more memory: a search may hold contents and indexes of
// searchBudget bytes.
const searchesAtOnce = 2

// searches lets in so many. Its zero value is ready to use.
type searches struct {
	once  sync.Once
	slots chan struct{}
}

// take waits for a slot, or for ctx. The caller calls done when its search is over.
func (s *searches) take(ctx context.Context) (done func(), err error) {
	s.once.Do(func() { s.slots = make(chan struct{}, searchesAtOnce) })
	select {
	case s.slots <- struct{}{}:
		return func() { <-s.slots }, nil
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}
