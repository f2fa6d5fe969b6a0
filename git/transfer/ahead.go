package transfer

import (
	"context"
	"runtime"
	"sync"
)

// ahead does jobs on all cores and has their results in order: a few jobs are
// done, or being done, before next asks for them. The caller calls stop, which
// waits for what still runs.
func ahead[J, T any](ctx context.Context, jobs []J, do func(context.Context, J) (T, error)) (next func() (T, error), stop func()) {
	type result struct {
		value T
		err   error
	}
	ctx, cancel := context.WithCancel(ctx)
	workers := runtime.GOMAXPROCS(0)
	queue := make(chan chan result, workers)
	var running sync.WaitGroup
	running.Go(func() {
		defer close(queue)
		cores := make(chan struct{}, workers)
		for _, job := range jobs {
			future := make(chan result, 1)
			select {
			case cores <- struct{}{}:
			case <-ctx.Done():
				return
			}
			running.Go(func() {
				defer func() { <-cores }()
				var r result
				r.err = contained(func() (err error) { r.value, err = do(ctx, job); return err })
				future <- r
			})
			select {
			case queue <- future:
			case <-ctx.Done():
				return
			}
		}
	})
	next = func() (T, error) {
		future, ok := <-queue
		if !ok {
			var none T
			return none, ctx.Err()
		}
		r := <-future
		return r.value, r.err
	}
	return next, func() { cancel(); running.Wait() }
}

// eachOf does jobs on all cores in any order, until one fails.
func eachOf[J any](ctx context.Context, jobs []J, do func(context.Context, J) error) error {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	var running sync.WaitGroup
	var mu sync.Mutex // guards taken
	taken := 0
	for range min(runtime.GOMAXPROCS(0), len(jobs)) {
		running.Go(func() {
			for {
				mu.Lock()
				i := taken
				taken++
				mu.Unlock()
				if i >= len(jobs) || ctx.Err() != nil {
					return
				}
				if err := contained(func() error { return do(ctx, jobs[i]) }); err != nil {
					cancel(err)
					return
				}
			}
		})
	}
	running.Wait()
	return context.Cause(ctx)
}
