package transfer

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

// These tests look at recipes from inside: who shares what, and what stays in
// memory, does not show in the bytes that clients get.

// blocks is a maker of n blocks of a size, which counts how often it was asked.
func blocks(a *recipes, n, size int, made *int) func(context.Context, *recipe) (sent, error) {
	return func(ctx context.Context, r *recipe) (sent, error) {
		*made++
		for i := range n {
			time.Sleep(time.Millisecond)
			if err := a.add(ctx, r, bytes.Repeat([]byte{byte(i)}, size)); err != nil {
				return sent{}, err
			}
		}
		return sent{objects: n}, nil
	}
}

// readAll follows a recipe to its end, pausing after each block.
func readAll(ctx context.Context, d *reader, pause time.Duration) (sum []byte, n int, err error) {
	for {
		block, err := d.next(ctx, func(string) {})
		if err == io.EOF {
			return sum, n, nil
		}
		if err != nil {
			return sum, n, err
		}
		sum = append(sum, block[0])
		n += len(block)
		time.Sleep(pause)
	}
}

// TestRecipeIsShared: clients that ask for the same at the same time, and after, share
// what is made once, each at its own speed; one that leaves harms nobody.
func TestRecipeIsShared(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a, made := new(recipes), 0
		var all sync.WaitGroup
		for i := range 8 {
			all.Go(func() {
				time.Sleep(time.Duration(i) * 10 * time.Millisecond)
				d := a.join(t.Context(), recipeKey{1}, nil, blocks(a, 100, 1000, &made))
				defer d.leave()
				if i == 3 {
					d.next(t.Context(), func(string) {})
					return
				}
				sum, n, err := readAll(t.Context(), d, time.Duration(i)*time.Millisecond)
				if n != 100_000 || err != nil || len(sum) != 100 || sum[99] != 99 || d.result().objects != 100 {
					t.Errorf("reader %d got %d bytes, %v, %+v", i, n, err, d.result())
				}
			})
		}
		all.Wait()
		if made != 1 {
			t.Errorf("made %d times", made)
		}
		if a.bytes != 100_000+recipeCost || a.idle.Len() != 1 {
			t.Errorf("%d bytes, %d recipes are kept", a.bytes, a.idle.Len())
		}
	})
}

// TestRecipeEndsWithItsReaders: when the last reader leaves, nobody makes it any more, and
// nothing of it stays.
func TestRecipeEndsWithItsReaders(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a, made := new(recipes), 0
		ended := false
		forever := func(ctx context.Context, r *recipe) (sent, error) {
			defer func() { ended = true }()
			_, err := blocks(a, 1<<30, 10, &made)(ctx, r)
			<-ctx.Done()
			return sent{}, err
		}
		first, second := a.join(t.Context(), recipeKey{1}, nil, forever), a.join(t.Context(), recipeKey{1}, nil, forever)
		for range 3 {
			if _, err := second.next(t.Context(), func(string) {}); err != nil {
				t.Error(err)
			}
		}
		first.leave()
		if ended {
			t.Error("ended while there was a reader")
		}
		gone, cancel := context.WithCancel(t.Context())
		cancel()
		if _, err := first.next(gone, func(string) {}); err != nil && !errors.Is(err, context.Canceled) {
			t.Error(err)
		}
		second.leave()
		if !ended || a.bytes != 0 || len(a.byKey) != 0 {
			t.Errorf("ended %v, %d bytes, %d recipes are kept", ended, a.bytes, len(a.byKey))
		}
	})
}

// TestRecipeFails: every reader is told, and who comes after has it made anew.
func TestRecipeFails(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		for name, fail := range map[string]func(){"error": func() {}, "panic": func() { panic("damaged") }} {
			a, made := new(recipes), 0
			broken := errors.New("broken")
			maker := func(ctx context.Context, r *recipe) (sent, error) {
				if _, err := blocks(a, 5, 10, &made)(ctx, r); err != nil {
					return sent{}, err
				}
				fail()
				return sent{}, broken
			}
			var all sync.WaitGroup
			for i := range 4 {
				all.Go(func() {
					d := a.join(t.Context(), recipeKey{1}, nil, maker)
					defer d.leave()
					_, n, err := readAll(t.Context(), d, time.Duration(i)*time.Millisecond)
					if n != 50 || name == "error" && !errors.Is(err, broken) || name == "panic" && (err == nil || !strings.Contains(err.Error(), "damaged")) {
						t.Errorf("%s: reader %d got %d bytes, %v", name, i, n, err)
					}
				})
			}
			all.Wait()
			if made != 1 || a.bytes != 0 {
				t.Errorf("%s: made %d times, %d bytes are kept", name, made, a.bytes)
			}
			d := a.join(t.Context(), recipeKey{1}, nil, blocks(a, 1, 10, &made))
			if _, _, err := readAll(t.Context(), d, 0); err != nil || made != 2 {
				t.Errorf("%s: after it, made %d times, %v", name, made, err)
			}
			d.leave()
		}
	})
}

// TestRecipeOutgrows: what is too large to be kept is made as it is read, and who holds
// up others is given up.
func TestRecipeOutgrows(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a, made := new(recipes), 0
		const size, n = 1 << 19, 4 * recipeMax >> 19
		most := int64(0)
		maker := blocks(a, n, size, &made)
		var all sync.WaitGroup
		for i, pause := range []time.Duration{0, 20 * time.Millisecond, time.Hour} {
			all.Go(func() {
				d := a.join(t.Context(), recipeKey{1}, nil, maker)
				defer d.leave()
				_, got, err := readAll(t.Context(), d, pause)
				if pause == time.Hour {
					if err != errLagged {
						t.Errorf("who holds up the others got %d bytes, %v", got, err)
					}
				} else if got != n*size || err != nil {
					t.Errorf("reader %d got %d bytes, %v", i, got, err)
				}
			})
		}
		all.Go(func() {
			for range 10_000 {
				time.Sleep(10 * time.Millisecond)
				a.mu.Lock()
				most = max(most, a.bytes)
				a.mu.Unlock()
			}
		})
		all.Wait()
		if most > recipeMax+2*size+recipeCost || most <= recipeMax/2 {
			t.Errorf("%d bytes at most were in memory", most)
		}
		if made != 1 || a.bytes != 0 || len(a.byKey) != 0 {
			t.Errorf("made %d times, %d bytes, %d recipes are kept", made, a.bytes, len(a.byKey))
		}
	})
}

// TestRecipesAreBounded: what was asked for last is kept, as much as fits, and only for
// those who have its packs.
func TestRecipesAreBounded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a, made := new(recipes), 0
		ask := func(key byte, packs ...string) {
			t.Helper()
			have := map[string]bool{}
			for _, name := range packs {
				have[name] = true
			}
			d := a.join(t.Context(), recipeKey{key}, have, func(ctx context.Context, r *recipe) (sent, error) {
				a.mu.Lock()
				r.sources = []string{"old"}
				a.mu.Unlock()
				return blocks(a, 10, recipeMax/10, &made)(ctx, r)
			})
			defer d.leave()
			if _, n, err := readAll(t.Context(), d, 0); err != nil || n != recipeMax/10*10 {
				t.Errorf("%d bytes, %v", n, err)
			}
			if a.bytes > keptRecipes {
				t.Errorf("%d bytes are kept", a.bytes)
			}
		}
		for i, want := range []int{1, 2, 3, 4, 4, 5, 5, 6} {
			if ask([]byte{1, 2, 3, 4, 4, 5, 4, 1}[i], "old"); made != want {
				t.Fatalf("after question %d, made %d times, want %d", i, made, want)
			}
		}
		ask(1, "old", "new")
		if made != 6 {
			t.Error("a pack more made it anew")
		}
		ask(1, "new")
		if made != 7 {
			t.Error("it was given to one who does not have its packs")
		}
	})
}

// TestAhead: results come in order, the first error ends it, and stop leaves nobody behind.
func TestAhead(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		jobs := make([]int, 100)
		for i := range jobs {
			jobs[i] = i
		}
		next, stop := ahead(t.Context(), jobs, func(ctx context.Context, i int) (int, error) {
			time.Sleep(time.Duration(100-i) * time.Millisecond)
			if i == 50 {
				return 0, fmt.Errorf("job %d", i)
			}
			return i * i, nil
		})
		for i := range 50 {
			if v, err := next(); v != i*i || err != nil {
				t.Fatalf("result %d is %d, %v", i, v, err)
			}
		}
		if _, err := next(); err == nil || err.Error() != "job 50" {
			t.Errorf("error %v", err)
		}
		stop()
		if _, err := next(); err != nil && !errors.Is(err, context.Canceled) {
			t.Error(err)
		}
	})
}
