package hosting

import (
	"context"
	"slices"
	"sync"
	"time"

	"github.com/ingot-forge/ingot/forge"
)

// turns bounds how much heavy work runs at once, in total and for each caller.
// Who finds no room waits in line, past those who wait for their own caller's
// limit, so that one caller cannot hold the others up.
type turns struct {
	total, perCaller int
	wait             time.Duration

	mu      sync.Mutex // guards all below
	running int
	callers map[string]int // running, of each caller; no zeros
	line    []*waiter      // in the order of coming
}

type waiter struct {
	caller string
	ready  chan struct{} // closed when it is its turn
}

// lineFactor bounds the line: so many may wait for each that may run. Beyond it
// waiting is hopeless, and the line itself would be the flood's harm.
const lineFactor = 8

func newTurns(total, perCaller int, wait time.Duration) *turns {
	return &turns{total: total, perCaller: perCaller, wait: wait, callers: map[string]int{}}
}

// take waits for the actor's turn and returns what ends it. Exhausted if that
// takes longer than the limit.
func (t *turns) take(ctx context.Context, actor *forge.Actor) (done func(), err error) {
	w := &waiter{caller: actor.Caller(), ready: make(chan struct{})}
	done = sync.OnceFunc(func() { t.end(w.caller) })
	t.mu.Lock()
	if t.room(w.caller) {
		t.begin(w)
		t.mu.Unlock()
		return done, nil
	}
	if len(t.line) >= lineFactor*t.total {
		t.mu.Unlock()
		return nil, t.busy()
	}
	t.line = append(t.line, w)
	t.mu.Unlock()

	timer := time.NewTimer(t.wait)
	defer timer.Stop()
	select {
	case <-w.ready:
		return done, nil
	case <-timer.C:
		err = t.busy()
	case <-ctx.Done():
		err = ctx.Err()
	}
	if !t.leave(w) {
		return done, nil // its turn came at the same moment
	}
	return nil, err
}

func (t *turns) busy() error {
	return forge.Exhaustedf(t.wait, "server is busy, try again in %d s", max(1, int(t.wait.Seconds())))
}

func (t *turns) room(caller string) bool {
	return t.running < t.total && t.callers[caller] < t.perCaller
}

func (t *turns) begin(w *waiter) {
	t.running++
	t.callers[w.caller]++
	close(w.ready)
}

// leave takes w out of the line and reports whether it was still there.
func (t *turns) leave(w *waiter) bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	at := slices.Index(t.line, w)
	if at < 0 {
		return false
	}
	t.line = slices.Delete(t.line, at, at+1)
	return true
}

func (t *turns) end(caller string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.running--
	if t.callers[caller]--; t.callers[caller] == 0 {
		delete(t.callers, caller)
	}
	// One place is free, so at most one waiter begins.
	for i, w := range t.line {
		if t.room(w.caller) {
			t.line = slices.Delete(t.line, i, i+1)
			t.begin(w)
			return
		}
	}
}
