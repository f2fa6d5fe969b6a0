package repo

import (
	"container/list"
	"context"
	"sync"
	"sync/atomic"
)

// pool shares values that are costly to open. A value stays open while somebody
// holds it, and after that until all that are open weigh more than max: then those go
// that nobody has held for longest.
type pool[T any] struct {
	max int64

	mu     sync.Mutex
	byKey  map[string]*pooled[T]
	held   int       // values that somebody holds
	idle   list.List // of *pooled[T] that nobody holds, most recently used first
	weight int64     // of all that are open
}

// pooled is one value. What follows gate is set by whoever has it, and does not
// change once open is set; the rest is under pool.mu.
type pooled[T any] struct {
	key  string
	refs int
	idle *list.Element
	gone bool // forgotten: closed as soon as nobody holds it

	gate   chan struct{} // of size one: a lock that a context can give up on
	open   atomic.Bool
	value  T
	weight int64
	close  func()
}

// opening is what opens a value: it says what it weighs and how it is closed.
type opening[T any] func(ctx context.Context) (value T, weight int64, close func(), err error)

// acquire returns the value of a key, opened if nobody has. The caller releases it.
func (p *pool[T]) acquire(ctx context.Context, key string, open opening[T]) (*pooled[T], error) {
	v := p.hold(key)
	select {
	case v.gate <- struct{}{}:
	case <-ctx.Done():
		p.release(v)
		return nil, ctx.Err()
	}
	var err error
	if !v.open.Load() { // or whoever opened it before us failed, perhaps cancelled
		if v.value, v.weight, v.close, err = open(ctx); err == nil {
			v.open.Store(true)
			p.opened(v)
		}
	}
	<-v.gate
	if err != nil {
		p.release(v)
		return nil, err
	}
	return v, nil
}

func (p *pool[T]) hold(key string) *pooled[T] {
	p.mu.Lock()
	defer p.mu.Unlock()
	v, ok := p.byKey[key]
	if !ok {
		if p.byKey == nil {
			p.byKey = make(map[string]*pooled[T])
		}
		v = &pooled[T]{key: key, gate: make(chan struct{}, 1)}
		p.byKey[key] = v
	}
	if v.idle != nil {
		p.idle.Remove(v.idle)
		v.idle = nil
	}
	if v.refs == 0 {
		p.held++
	}
	v.refs++
	return v
}

// opened notes that a value is open, and closes what is too much.
func (p *pool[T]) opened(v *pooled[T]) {
	p.mu.Lock()
	p.weight += v.weight
	closing := p.excess()
	p.mu.Unlock()
	closeValues(closing)
}

// release gives up one hold and closes what is too much.
func (p *pool[T]) release(v *pooled[T]) {
	p.mu.Lock()
	var closing []*pooled[T]
	if v.refs--; v.refs == 0 {
		p.held--
		switch {
		case v.gone: // and open: only such are forgotten
			p.weight -= v.weight
			closing = append(closing, v)
		case !v.open.Load():
			delete(p.byKey, v.key)
		default:
			v.idle = p.idle.PushFront(v)
		}
	}
	closing = append(closing, p.excess()...)
	p.mu.Unlock()
	closeValues(closing)
}

// excess takes out what is too much, as far as nobody holds it. Called with mu held; the
// caller closes it afterwards, since that may take long, and release what another pool has.
func (p *pool[T]) excess() (closing []*pooled[T]) {
	for p.weight > p.max && p.idle.Len() > 0 {
		closing = append(closing, p.evict())
	}
	return closing
}

func closeValues[T any](closing []*pooled[T]) {
	for _, v := range closing {
		v.close()
	}
}

// evict takes out the value that nobody has held for longest. Called with mu held.
func (p *pool[T]) evict() *pooled[T] {
	v := p.idle.Remove(p.idle.Back()).(*pooled[T])
	v.idle = nil
	p.weight -= v.weight
	delete(p.byKey, v.key)
	return v
}

// forget makes the next acquire of a key open it anew. Those who hold the old
// value keep it.
func (p *pool[T]) forget(key string) { p.forgetIf(key, func(T) bool { return true }) }

// forgetIf is forget for a value of which outdated, which must not call the pool, says yes; one
// that is just being opened is left.
func (p *pool[T]) forgetIf(key string, outdated func(T) bool) {
	p.mu.Lock()
	v, ok := p.byKey[key]
	if !ok || !v.open.Load() || !outdated(v.value) {
		p.mu.Unlock()
		return
	}
	delete(p.byKey, key)
	v.gone = true
	idle := v.idle != nil
	if idle {
		p.idle.Remove(v.idle)
		p.weight -= v.weight
		v.idle = nil
	}
	p.mu.Unlock()
	if idle {
		v.close()
	}
}

// close closes all values that nobody holds and returns how many are held.
func (p *pool[T]) close() (held int) {
	p.mu.Lock()
	var closing []*pooled[T]
	for p.idle.Len() > 0 {
		closing = append(closing, p.evict())
	}
	held = p.held
	p.mu.Unlock()
	closeValues(closing)
	return held
}
