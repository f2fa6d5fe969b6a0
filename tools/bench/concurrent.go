package main

import (
	"errors"
	"fmt"
	"sync"
	"time"
)

// clones is how many clients clone at once.
const clones = 32

// concurrent measures full clones, one and many at once: rate and memory.
func (b *bench) concurrent() error {
	if err := b.fill(); err != nil {
		return err
	}
	body := fetchBody(nil, "want "+b.f.tip, "done")
	fmt.Printf("\n| full clones at once | ours / CPU | MB/s | memory | stock / CPU | memory | with bitmaps / CPU | MB/s | memory | ours / best | CPU |\n%s\n",
		"| --- | --- | --- | --- | --- | --- | --- | --- | --- | --- | --- |")
	for _, n := range []int{1, clones} {
		if err := b.ours.restart(); err != nil {
			return err
		}
		ours, err := cloneAtOnce(b.ours, "all", body, n)
		if err != nil {
			return err
		}
		var stock figure
		if n == 1 { // many at once take minutes
			if stock, err = cloneAtOnce(b.stock, "all", body, n); err != nil {
				return err
			}
		}
		best, err := cloneAtOnce(b.stock, "all-best", body, n)
		if err != nil {
			return err
		}
		rate := func(f figure) string { return fmt.Sprintf("%.0f", float64(f.bytes)/1e6/f.wall.Seconds()) }
		memory := func(f figure) string { return fmt.Sprintf("+%.0f MB", float64(f.memory)/1e6) }
		without, withoutMemory := "", ""
		if stock.wall > 0 {
			without, withoutMemory = stock.String(), memory(stock)
		}
		fmt.Printf("| %d | %s | %s | %s | %s | %s | %s | %s | %s | %.3f | %.3f |\n", n, ours, rate(ours), memory(ours), without, withoutMemory,
			best, rate(best), memory(best), ours.wall.Seconds()/best.wall.Seconds(), ours.cpu.Seconds()/best.cpu.Seconds())
	}
	return nil
}

// cloneAtOnce returns the time until all n clients have everything, once after it
// was done once to warm up; CPU and bytes are of all of them together.
func cloneAtOnce(s server, repo string, body []byte, n int) (f figure, err error) {
	round := func() error {
		var all sync.WaitGroup
		errs := make([]error, n)
		counts := make([]int64, n)
		for i := range n {
			all.Go(func() { counts[i], errs[i] = upload(s, repo, body) })
		}
		all.Wait()
		f.bytes = 0
		for _, c := range counts {
			f.bytes += c
		}
		return errors.Join(errs...)
	}
	if _, err := upload(s, repo, body); err != nil {
		return f, err
	}
	rounds := 3
	if n == 1 {
		rounds = 20
	}
	if _, ok := s.(*stockServer); ok {
		rounds = 1
	}
	used, start := s.cpu(), time.Now()
	for range rounds {
		if err := round(); err != nil {
			return f, err
		}
	}
	f.wall, f.cpu = time.Since(start)/time.Duration(rounds), (s.cpu()-used)/time.Duration(rounds)
	f.memory, err = peakMemory(s, round) // a round of its own: looking costs time
	return f, err
}
