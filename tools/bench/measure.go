package main

import (
	"fmt"
	"slices"
	"time"
)

// figure is what one operation came to.
type figure struct {
	wall, cpu time.Duration
	memory    int64 // peak of the memory of its own above idle, 0 if not measured
	bytes     int64 // of the answer
}

func (f figure) String() string { return duration(f.wall) + " / " + duration(f.cpu) }

func duration(d time.Duration) string {
	switch ms := float64(d.Microseconds()) / 1e3; {
	case ms < 10:
		return fmt.Sprintf("%.2f ms", ms)
	case ms < 100:
		return fmt.Sprintf("%.1f ms", ms)
	case ms < 10_000:
		return fmt.Sprintf("%.0f ms", ms)
	default:
		return fmt.Sprintf("%.1f s", ms/1e3)
	}
}

// measure returns medians of wall time, and CPU time averaged over the rounds
// since its clock is coarse. before, which may be nil, runs before each round and
// is not counted.
func measure(s server, rounds int, before func() error, do func(i int) (int64, error)) (figure, error) {
	var f figure
	var cpu time.Duration
	walls := make([]time.Duration, rounds)
	for i := range rounds {
		if before != nil {
			if err := before(); err != nil {
				return f, err
			}
		}
		used, start := s.cpu(), time.Now()
		n, err := do(i)
		if err != nil {
			return f, err
		}
		walls[i], f.bytes = time.Since(start), n
		cpu += s.cpu() - used
	}
	slices.Sort(walls)
	f.wall, f.cpu = walls[rounds/2], cpu/time.Duration(rounds)
	return f, nil
}

// repeated is measure for what takes less than a tick of the CPU clock: it
// goes on for a while and returns the mean of CPU and the median of wall.
func repeated(s server, do func(i int) (int64, error)) (figure, error) {
	const least, most, atLeast = 400 * time.Millisecond, 300, 5
	var f figure
	var walls []time.Duration
	used, begin := s.cpu(), time.Now()
	for i := 0; i < most && (i < atLeast || time.Since(begin) < least); i++ {
		start := time.Now()
		n, err := do(i)
		if err != nil {
			return f, err
		}
		walls, f.bytes = append(walls, time.Since(start)), n
	}
	f.cpu = (s.cpu() - used) / time.Duration(len(walls))
	slices.Sort(walls)
	f.wall = walls[len(walls)/2]
	return f, nil
}

// peakMemory runs do while it samples the server's own memory (not that of mapped
// files, which the system takes back when it wants) and returns how far it rose.
func peakMemory(s server, do func() error) (int64, error) {
	idle := s.memory()
	peak := idle
	stop, stopped := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(stopped)
		for {
			peak = max(peak, s.memory())
			select {
			case <-stop:
				return
			case <-time.After(2 * time.Millisecond):
			}
		}
	}()
	err := do()
	close(stop)
	<-stopped
	return peak - idle, err
}
