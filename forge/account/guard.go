package account

import (
	"container/list"
	"sync"
	"time"
)

// guard slows guessing down. It counts failures under keys (a user at a place,
// a place) and, past a few, makes the key wait twice as long after each one.
// Nothing is counted per user alone: whoever guesses at an account cannot lock
// its owner out. It counts on this node only: with N nodes a guesser gets N
// times the tries, which are still few.
type guard struct {
	mu      sync.Mutex // guards entries and recent
	max     int
	entries map[string]*list.Element
	recent  *list.List // of *entry, the one with the latest failure in front
}

type entry struct {
	key      string
	failures int
	last     time.Time
	until    time.Time // no tries before this
}

// allowance says how many failures are free and how long the waits get.
type allowance struct {
	free    int
	longest time.Duration
}

var (
	// A person mistypes a few times; a script of one does not stop.
	perUser = allowance{free: 5, longest: 5 * time.Minute}
	// Many people share an address, so it gets more and waits less.
	perPlace = allowance{free: 30, longest: time.Minute}
)

// forgetAfter is how long after its last failure a key starts anew.
const forgetAfter = time.Hour

// guardEntries bounds the table, some 10 MB. When it is full the key that has
// failed least recently is dropped, which a guesser with that many addresses may
// well cause: it gains nothing that its addresses do not give it already.
const guardEntries = 1 << 16

func newGuard(max int) *guard {
	return &guard{max: max, entries: map[string]*list.Element{}, recent: list.New()}
}

// wait returns how long the keys must wait before the next try; 0 for not at all.
func (g *guard) wait(now time.Time, keys ...string) time.Duration {
	g.mu.Lock()
	defer g.mu.Unlock()
	var longest time.Duration
	for _, key := range keys {
		if at, ok := g.entries[key]; ok {
			longest = max(longest, at.Value.(*entry).until.Sub(now))
		}
	}
	return longest
}

// fail counts a failure of key.
func (g *guard) fail(now time.Time, key string, a allowance) {
	g.mu.Lock()
	defer g.mu.Unlock()
	at, ok := g.entries[key]
	if !ok {
		if len(g.entries) >= g.max {
			oldest := g.recent.Back()
			delete(g.entries, g.recent.Remove(oldest).(*entry).key)
		}
		at = g.recent.PushFront(&entry{key: key})
		g.entries[key] = at
	}
	g.recent.MoveToFront(at)
	e := at.Value.(*entry)
	if now.Sub(e.last) > forgetAfter {
		e.failures = 0
	}
	e.failures++
	e.last = now
	if over := e.failures - a.free; over > 0 {
		e.until = now.Add(min(a.longest, time.Second<<min(over-1, 20)))
	}
}

// forgive forgets key's failures.
func (g *guard) forgive(key string) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if at, ok := g.entries[key]; ok {
		delete(g.entries, key)
		g.recent.Remove(at)
	}
}
