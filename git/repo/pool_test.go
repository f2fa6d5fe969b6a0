package repo

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"testing"
)

// poolOf counts what is open.
type poolOf struct {
	pool[int]
	opened, open atomic.Int64
}

func (p *poolOf) get(t *testing.T, key string, weight int64) *pooled[int] {
	t.Helper()
	v, err := p.acquire(t.Context(), key, p.opening(weight))
	if err != nil {
		t.Fatal(err)
	}
	return v
}

func (p *poolOf) opening(weight int64) opening[int] {
	return func(context.Context) (int, int64, func(), error) {
		p.open.Add(1)
		closed := false
		return int(p.opened.Add(1)), weight, func() {
			if closed {
				panic("closed twice")
			}
			closed = true
			p.open.Add(-1)
		}, nil
	}
}

func TestPool(t *testing.T) {
	p := &poolOf{pool: pool[int]{max: 10}}
	a, again := p.get(t, "a", 6), p.get(t, "a", 6)
	if a != again || a.value != 1 {
		t.Errorf("the same key is opened twice: %v, %v", a, again)
	}
	p.release(a)
	b, c := p.get(t, "b", 3), p.get(t, "c", 3) // now they are too heavy, but held
	if n := p.open.Load(); n != 3 {
		t.Errorf("%d open, want all that are held", n)
	}
	p.release(b)
	if n := p.open.Load(); n != 2 {
		t.Errorf("%d open, want those that are held", n)
	}
	p.release(c)
	p.release(again) // both idle, and not too heavy
	if n := p.open.Load(); n != 2 {
		t.Errorf("%d open, want both", n)
	}
	p.release(p.get(t, "d", 3)) // one too much: that goes which is idle for longest
	if p.open.Load() != 2 || p.get(t, "a", 6).value != 1 {
		t.Errorf("%d open, want those used last", p.open.Load())
	}

	// Whoever holds a value that is forgotten keeps it.
	p.forget("a")
	anew := p.get(t, "a", 6)
	if anew.value == 1 || p.open.Load() != 2 { // the old one is held, and d went for the new one
		t.Errorf("forgotten, and still there: %+v", anew)
	}
	if held := p.close(); held != 2 {
		t.Errorf("%d held, want 2", held)
	}
	p.release(a)
	p.release(anew)
	if held := p.close(); held != 0 || p.open.Load() != 0 {
		t.Errorf("%d held, %d open at the end", held, p.open.Load())
	}

	// What fails to open is tried again.
	failing := errors.New("no")
	if _, err := p.acquire(t.Context(), "x", func(context.Context) (int, int64, func(), error) { return 0, 0, nil, failing }); err != failing {
		t.Errorf("err = %v", err)
	}
	x := p.get(t, "x", 1)
	p.forget("nobody")
	p.release(x)
	p.forget("x")
	if held := p.close(); held != 0 || p.open.Load() != 0 || p.weight != 0 {
		t.Errorf("%d held, %d open, weight %d at the end", held, p.open.Load(), p.weight)
	}
}

// TestPoolAtOnce has many users at once.
func TestPoolAtOnce(t *testing.T) {
	p := &poolOf{pool: pool[int]{max: 3}}
	var all sync.WaitGroup
	for n := range 8 {
		all.Go(func() {
			rng := rand.New(rand.NewPCG(uint64(n), 1))
			for range 2000 {
				key := fmt.Sprint(rng.IntN(6))
				if rng.IntN(10) == 0 {
					p.forget(key)
					continue
				}
				v, err := p.acquire(t.Context(), key, p.opening(1))
				if err != nil {
					t.Error(err)
					return
				}
				p.release(v)
			}
		})
	}
	all.Wait()
	if open := p.open.Load(); open > 3 {
		t.Errorf("%d open, nobody holds any", open)
	}
	if held := p.close(); held != 0 || p.open.Load() != 0 {
		t.Errorf("%d held, %d open at the end", held, p.open.Load())
	}
}
