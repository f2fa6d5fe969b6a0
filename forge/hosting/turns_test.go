package hosting_test

import (
	"context"
	"errors"
	"io"
	"net/netip"
	"testing"
	"testing/synctest"
	"time"

	"github.com/ingot-forge/ingot/forge"
	"github.com/ingot-forge/ingot/forge/hosting"
)

// stuck is a client that says nothing until it is let go.
type stuck struct{ release chan struct{} }

func (s stuck) Read([]byte) (int, error)    { <-s.release; return 0, io.EOF }
func (s stuck) Write(p []byte) (int, error) { return len(p), nil }

// busy starts a fetch that takes its turn and stays until release is closed.
func busy(t *testing.T, w *world, actor *forge.Actor, release chan struct{}) {
	t.Helper()
	f, err := w.Fetch(t.Context(), actor, "alice", "x")
	if err != nil {
		t.Fatal(err)
	}
	go func() {
		defer f.Close()
		f.Serve(t.Context(), stuck{release}, stuck{release}, hosting.Wire{Stateless: true})
	}()
	synctest.Wait()
}

// try asks for a turn with a request that is over at once, and returns how
// long it waited.
func try(t *testing.T, ctx context.Context, w *world, actor *forge.Actor) (time.Duration, error) {
	t.Helper()
	f, err := w.Fetch(ctx, actor, "alice", "x")
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	over := stuck{make(chan struct{})}
	close(over.release)
	start := time.Now()
	err = f.Serve(ctx, over, over, hosting.Wire{Stateless: true})
	return time.Since(start), err
}

func exhausted(err error) bool { return forge.KindOf(err) == forge.Exhausted }

func at(address string) *forge.Actor { return forge.Anonymous(netip.MustParseAddr(address)) }

func TestTurns(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := open(t, hosting.Limits{Fetches: 3, FetchesPerCaller: 2, Wait: 10 * time.Second})
		w.create(t, w.alice, "x", false)
		release := make(chan struct{})
		one, two := at("192.0.2.1"), at("192.0.2.2")
		busy(t, w, one, release)
		busy(t, w, one, release)
		took, err := try(t, t.Context(), w, one)
		var e *forge.Error
		if !errors.As(err, &e) || e.Kind != forge.Exhausted || took != 10*time.Second || e.RetryAfter != 10*time.Second {
			t.Errorf("third of one caller: %v after %v, want Exhausted after 10 s", err, took)
		}
		if took, err := try(t, t.Context(), w, two); exhausted(err) || took != 0 {
			t.Errorf("another caller: %v after %v, want its turn at once", err, took)
		}
		busy(t, w, two, release)
		if took, err := try(t, t.Context(), w, w.bob); !exhausted(err) || took != 10*time.Second {
			t.Errorf("when all places are taken: %v after %v", err, took)
		}
		// A push has places of its own.
		p, err := w.Push(t.Context(), w.alice, "alice", "x")
		if err != nil {
			t.Fatal(err)
		}
		over := stuck{make(chan struct{})}
		close(over.release)
		if _, err := p.Serve(t.Context(), over, over, hosting.Wire{Stateless: true}); exhausted(err) {
			t.Errorf("push: %v", err)
		}
		p.Close()
		// Whoever goes away while waiting leaves the line.
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		if took, err := try(t, ctx, w, w.bob); !errors.Is(err, context.DeadlineExceeded) || took != time.Second {
			t.Errorf("with a deadline of 1 s: %v after %v", err, took)
		}
		// When places become free, who waits gets them.
		got := make(chan error)
		go func() {
			_, err := try(t, t.Context(), w, w.bob)
			got <- err
		}()
		time.Sleep(time.Second)
		close(release)
		if err := <-got; exhausted(err) {
			t.Errorf("waiting when places became free: %v", err)
		}
		synctest.Wait()
		if took, err := try(t, t.Context(), w, one); exhausted(err) || took != 0 {
			t.Errorf("when all is quiet: %v after %v", err, took)
		}
	})
}

// TestTurnsPassByTheStuck: who waits for its own limit does not hold up those
// behind it.
func TestTurnsPassByTheStuck(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := open(t, hosting.Limits{Fetches: 2, FetchesPerCaller: 1, Wait: time.Minute})
		w.create(t, w.alice, "x", false)
		one, two := make(chan struct{}), make(chan struct{})
		busy(t, w, at("192.0.2.1"), one)
		busy(t, w, at("192.0.2.2"), two)
		first := make(chan struct{})
		go func() {
			try(t, t.Context(), w, at("192.0.2.1")) // waits for one
			close(first)
		}()
		synctest.Wait()
		second := make(chan struct{})
		go func() {
			try(t, t.Context(), w, at("192.0.2.3"))
			close(second)
		}()
		synctest.Wait()
		close(two)
		<-second
		select {
		case <-first:
			t.Error("a caller got more than its share")
		default:
		}
		close(one)
		<-first
	})
}
