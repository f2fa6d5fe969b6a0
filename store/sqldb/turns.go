package sqldb

import (
	"container/list"
	"context"
	"sync"
)

// turns lets those who write in one at a time, in the order they came. A turn
// comes with what the one before leaves open: a group to go on with, or nil.
type turns struct {
	together int // members of a group, at most

	mu      sync.Mutex
	held    bool
	waiting list.List // of *waiter
	groups  int64     // begun so far
}

// waiter is somebody who waits for the turn.
type waiter struct {
	alone bool
	turn  chan *group // gets one, once
}

// take waits for the turn. Who has it passes it on, by pass or by release. It may be
// got although ctx is done by now.
func (t *turns) take(ctx context.Context, alone bool) (*group, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	t.mu.Lock()
	if !t.held {
		t.held = true
		t.mu.Unlock()
		return nil, nil
	}
	w := &waiter{alone, make(chan *group, 1)}
	place := t.waiting.PushBack(w)
	t.mu.Unlock()
	select {
	case g := <-w.turn:
		return g, nil
	case <-ctx.Done():
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	select {
	case g := <-w.turn: // it came just now, and nobody else has it
		return g, nil
	default:
		t.waiting.Remove(place)
		return nil, ctx.Err()
	}
}

// pass gives the turn and an open group to the next who waits, if there is one
// who may join it.
func (t *turns) pass(g *group) bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	next := t.waiting.Front()
	if next == nil || g.alone || g.joined >= t.together || next.Value.(*waiter).alone {
		return false
	}
	t.waiting.Remove(next).(*waiter).turn <- g
	return true
}

// release gives the turn to the next who waits, with nothing open.
func (t *turns) release() {
	t.mu.Lock()
	defer t.mu.Unlock()
	if next := t.waiting.Front(); next != nil {
		t.waiting.Remove(next).(*waiter).turn <- nil
	} else {
		t.held = false
	}
}
