package main

import (
	"fmt"
	"strings"
)

// refsPerPush is less than one push may move.
const refsPerPush = 50_000

// refs measures a repository of very many refs, ours alone: stock keeps as many loose files.
func (b *bench) refs() error {
	const repo = "million"
	f := b.f
	pack := f.pack
	for from := 0; from < b.options.refs; from += refsPerPush {
		var commands []string
		for i := from; i < min(from+refsPerPush, b.options.refs); i++ {
			commands = append(commands, fmt.Sprintf("%s %s refs/heads/%03d/%06d", zeroID, f.tip, i/1000, i))
		}
		if _, err := receive(b.ours, repo, pushBody(commands, pack)); err != nil {
			return err
		}
		pack = packOf(nil)
	}
	if err := b.ours.restart(); err != nil {
		return err
	}
	fmt.Printf("\n| %d refs in one repository | time / CPU |\n| --- | --- |\n", b.options.refs)
	idle := b.ours.memory()
	list := func(prefix string) func(int) (int64, error) {
		return func(int) (int64, error) { return upload(b.ours, repo, lsRefs("ref-prefix "+prefix)) }
	}
	first, err := measure(b.ours, 1, nil, list("refs/heads/012/012345"))
	if err != nil {
		return err
	}
	fmt.Printf("| first request after a start | %s |\n| memory of the list | +%.0f MB |\n", first, float64(b.ours.memory()-idle)/1e6)
	c := newCommits(f)
	for _, op := range []struct {
		name string
		do   func(int) (int64, error)
	}{
		{"ls-refs of one", list("refs/heads/012/012345")},
		{"ls-refs of 1,000", list("refs/heads/012/")},
		{"ls-refs of all", list("refs/")},
		{"fetch of one", func(int) (int64, error) {
			return upload(b.ours, repo, fetchBody(nil, "want "+f.tip, "have "+f.line[1], "done"))
		}},
		{"push of one commit, and a listing after it", func(i int) (int64, error) {
			command, pack := c.next()
			if i == 0 {
				command = strings.Replace(command, f.tip, zeroID, 1)
			}
			command = strings.Replace(command, "refs/heads/main", "refs/heads/new", 1)
			if _, err := receive(b.ours, repo, pushBody([]string{command}, pack)); err != nil {
				return 0, err
			}
			return list("refs/heads/new")(i)
		}},
	} {
		got, err := repeated(b.ours, op.do)
		if err != nil {
			return fmt.Errorf("%s: %w", op.name, err)
		}
		fmt.Printf("| %s | %s |\n", op.name, got)
	}
	return nil
}
