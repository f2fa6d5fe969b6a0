package main

import (
	"fmt"
	"path/filepath"
	"strings"
)

// growth measures operations on histories of 1, 10, 100 and 1,000 times as many
// commits, to show which cost the same, a little more, or in proportion.
func (b *bench) growth() error {
	var sizes []int
	for n, i := b.options.growth, 0; i < 4; n, i = n*10, i+1 {
		sizes = append(sizes, n)
	}
	names := []string{"full clone", "clone --depth 1", "clone --filter=blob:none", "fetch, nothing new", "fetch 1 steps", "fetch 10 steps", "push of one commit", "push everything"}
	series := make(map[string][]float64) // milliseconds
	for _, n := range sizes {
		f, err := b.grown(n)
		if err != nil {
			return err
		}
		at := &bench{options: b.options, dir: b.dir, f: f, ours: b.ours}
		repo := fmt.Sprint("grown-", n)
		body := pushBody(at.everything(), f.pack)
		pushed, err := measure(b.ours, 1, nil, func(int) (int64, error) { return receive(b.ours, repo, body) })
		if err != nil {
			return err
		}
		series["push everything"] = append(series["push everything"], pushed.wall.Seconds()*1e3)
		if err := b.ours.admin("compact", "--all", "bench/"+repo); err != nil {
			return err
		}
		for _, op := range at.fetches() {
			if _, err := op.do(b.ours, repo, b.rounds); err != nil {
				return err
			}
			got, err := measure(b.ours, b.rounds, nil, func(i int) (int64, error) { return op.do(b.ours, repo, i) })
			if err != nil {
				return fmt.Errorf("%s of %d commits: %w", op.name, n, err)
			}
			series[op.name] = append(series[op.name], got.wall.Seconds()*1e3)
		}
		c := newCommits(f)
		small, err := measure(b.ours, 50, nil, func(int) (int64, error) { return 0, c.push(b.ours, repo) })
		if err != nil {
			return err
		}
		series["push of one commit"] = append(series["push of one commit"], small.wall.Seconds()*1e3)
	}
	fmt.Printf("\n| commits |")
	for _, n := range sizes {
		fmt.Printf(" %d |", n)
	}
	fmt.Printf(" grows |\n| --- |%s\n", strings.Repeat(" --- |", len(sizes)+1))
	for _, name := range names {
		fmt.Printf("| %s |", name)
		for _, ms := range series[name] {
			fmt.Printf(" %.2f ms |", ms)
		}
		fmt.Printf(" %s |\n", growthOf(series[name]))
	}
	if b.charts != "" {
		return writeFile(filepath.Join(b.charts, "performance-growth.svg"), growthChart(sizes, names, series))
	}
	return nil
}

// growthOf says in a word how a cost follows a size that grows tenfold each time.
func growthOf(ms []float64) string {
	if len(ms) < 2 || ms[0] == 0 {
		return ""
	}
	switch last := ms[len(ms)-1] / ms[len(ms)-2]; { // the largest step: constants matter least there
	case last < 1.5:
		return "not"
	case last < 4:
		return "slower than size"
	default:
		return "with size"
	}
}

func (b *bench) grown(commits int) (*fixture, error) {
	dir := filepath.Join(b.dir, fmt.Sprint("growth-", commits))
	source := filepath.Join(dir, "source")
	if err := generate(source, commits); err != nil {
		return nil, err
	}
	return prepare(dir, source, "refs/heads/main")
}
