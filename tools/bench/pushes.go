package main

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"
)

// pushes sends many pushes of one commit each, with the compaction that comes by
// itself, and compares fetching afterwards with a freshly compacted repository.
func (b *bench) pushes() error {
	const repo = "pushed"
	if _, err := receive(b.ours, repo, pushBody([]string{zeroID + " " + b.f.tip + " refs/heads/main"}, b.f.pack)); err != nil {
		return err
	}
	if err := b.ours.admin("compact", "--all", "bench/"+repo); err != nil {
		return err
	}
	c := newCommits(b.f)
	tips := []string{c.tip}
	used, start := b.ours.cpu(), time.Now()
	for range b.options.pushes {
		if err := c.push(b.ours, repo); err != nil {
			return err
		}
		tips = append(tips, c.tip)
	}
	took, cpu := time.Since(start), b.ours.cpu()-used
	fmt.Printf("\n%d pushes of one commit: %s each, CPU %s each with the compaction between them\n", b.options.pushes,
		duration(took/time.Duration(b.options.pushes)), duration(cpu/time.Duration(b.options.pushes)))
	time.Sleep(settling)

	type asked struct {
		name string
		body []byte
	}
	back := func(steps int) string { return tips[max(0, len(tips)-1-steps)] }
	requests := []asked{
		{"full clone", fetchBody(nil, "want "+c.tip, "done")},
		{"clone --depth 1", fetchBody(nil, "want "+c.tip, "deepen 1", "done")},
		{"fetch 100 steps", fetchBody([]string{"thin-pack"}, "want "+c.tip, "have "+back(100), "done")},
		{"fetch 5,000 steps", fetchBody([]string{"thin-pack"}, "want "+c.tip, "have "+back(5000), "done")},
	}
	measureAll := func() (figures []figure, err error) {
		for _, r := range requests {
			f, err := measure(b.ours, b.rounds, b.ours.restart, func(int) (int64, error) { return upload(b.ours, repo, r.body) })
			if err != nil {
				return nil, err
			}
			figures = append(figures, f)
		}
		return figures, nil
	}
	stateBefore, err := b.ours.adminOutput("fsck", "bench/"+repo)
	if err != nil {
		return err
	}
	before, err := measureAll()
	if err != nil {
		return err
	}
	bytesBefore, packsBefore, err := b.ours.stored(repo)
	if err != nil {
		return err
	}
	if err := b.ours.admin("compact", "--all", "bench/"+repo); err != nil {
		return err
	}
	after, err := measureAll()
	if err != nil {
		return err
	}
	bytesAfter, packsAfter, err := b.ours.stored(repo)
	if err != nil {
		return err
	}
	gc, err := b.collected(repo)
	if err != nil {
		return err
	}
	fmt.Printf("\n| | after the pushes | freshly compacted | ratio |\n| --- | --- | --- | --- |\n")
	for i, r := range requests {
		fmt.Printf("| %s | %s | %s | %.2f |\n", r.name, before[i], after[i], before[i].wall.Seconds()/after[i].wall.Seconds())
	}
	fmt.Printf("| packs | %d | %d | |\n", packsBefore, packsAfter)
	fmt.Printf("| bytes of packs and what is derived from them | %.1f MB | %.1f MB | %.2f |\n", float64(bytesBefore)/1e6, float64(bytesAfter)/1e6, float64(bytesBefore)/float64(bytesAfter))
	fmt.Printf("| against git gc (%.1f MB) | %.2f | %.2f | |\n", float64(gc)/1e6, float64(bytesBefore)/float64(gc), float64(bytesAfter)/float64(gc))
	if !strings.Contains(stateBefore, " 0 faults") {
		return fmt.Errorf("fsck: %s", stateBefore)
	}
	return nil
}

// settling is longer than the server waits between two looks at what was pushed to.
const settling = 40 * time.Second

// stored returns how many bytes, with what is derived from packs, and packs a repository has.
func (s *ingotServer) stored(repo string) (bytes int64, packs int, err error) {
	out, err := s.adminOutput("usage", "bench/"+repo)
	if err != nil {
		return 0, 0, err
	}
	var objects, derived int64
	_, rest, _ := strings.Cut(out, ": ")
	_, err = fmt.Sscanf(rest, "%d packs, %d objects, %d bytes, and %d derived", &packs, &objects, &bytes, &derived)
	return bytes + derived, packs, err
}

// collected returns what a clone takes after git gc, with bitmaps and commit graph.
func (b *bench) collected(repo string) (bytes int64, err error) {
	dir := filepath.Join(b.dir, "collected.git")
	defer os.RemoveAll(dir)
	if _, err := gitIn("", nil, "-c", "http.extraHeader=Authorization: Bearer "+b.ours.secret, "clone", "-q", "--bare", b.ours.url(repo), dir); err != nil {
		return 0, err
	}
	for _, args := range [][]string{{"-c", "repack.writeBitmaps=true", "gc", "-q"}, {"commit-graph", "write", "--reachable", "--changed-paths", "--no-progress"}} {
		if _, err := gitIn(dir, nil, args...); err != nil {
			return 0, err
		}
	}
	err = filepath.Walk(filepath.Join(dir, "objects"), func(_ string, info os.FileInfo, err error) error {
		if err == nil && info.Mode().IsRegular() {
			bytes += info.Size()
		}
		return err
	})
	return bytes, err
}
