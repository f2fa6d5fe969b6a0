// Command bench measures a running Ingot beside stock git's own server, on one
// machine, in one run, and prints the ratios. Stock is git http-backend behind
// the smallest possible HTTP server, once as a push leaves a repository and once with
// all that git can add (repack -adb, commit graph with changed paths); all get the same
// request bodies, so that no client's time is in the figures. The limit is the
// same number of bytes, lying ready in memory, sent or taken by the smallest possible
// Go server. Absolute figures mean little: only ratios of one run compare.
package main

import (
	"flag"
	"fmt"
	"log"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// options are the command line's.
type options struct {
	program      string
	source       string
	ref          string
	rounds       int
	only         string
	sections     []string
	pushes       int    // of section pushes
	refs         int    // of section refs
	repositories int    // of section repositories
	growth       int    // commits of the smallest history of section growth
	charts       string // directory for SVG files; none if empty
	profile      string // operation whose profiles are taken instead
}

// sections are the parts of a run, in order.
var sections = []struct {
	name string
	run  func(*bench) error
}{
	{"table", (*bench).table},
	{"concurrent", (*bench).concurrent},
	{"pushes", (*bench).pushes},
	{"refs", (*bench).refs},
	{"repositories", (*bench).repositories},
	{"growth", (*bench).growth},
}

func main() {
	log.SetFlags(0)
	var o options
	var names []string
	for _, s := range sections {
		names = append(names, s.name)
	}
	flag.StringVar(&o.program, "ingot", "bin/ingot", "the program to measure")
	flag.StringVar(&o.source, "repo", "", "repository to measure with; default: one is generated")
	flag.StringVar(&o.ref, "ref", "HEAD", "ref whose history is used")
	flag.IntVar(&o.rounds, "rounds", 5, "how often each operation is measured; the median counts")
	flag.StringVar(&o.only, "only", "", "measure only operations whose names contain this")
	flag.IntVar(&o.pushes, "pushes", 10_000, "one-commit pushes of section pushes")
	flag.IntVar(&o.refs, "refs", 1_000_000, "refs of section refs")
	flag.IntVar(&o.repositories, "repositories", 100_000, "repositories of section repositories")
	flag.IntVar(&o.growth, "growth", 100, "commits of the smallest history of section growth; the others have 10, 100 and 1,000 times as many")
	flag.StringVar(&o.charts, "charts", "", "directory to write SVG charts to")
	flag.StringVar(&o.profile, "profile", "", "take CPU and allocation profiles of this operation instead of measuring")
	chosen := flag.String("sections", strings.Join(names, ","), "parts of the run")
	flag.Parse()
	o.sections = strings.Split(*chosen, ",")
	for _, s := range o.sections {
		if !slices.Contains(names, s) {
			log.Fatalf("bench: there is no section %q; there are %s", s, strings.Join(names, ", "))
		}
	}
	if err := run(o); err != nil {
		log.Fatal("bench: ", err)
	}
}

// bench is one run.
type bench struct {
	options
	dir   string
	f     *fixture
	ours  *ingotServer
	stock *stockServer
}

func run(o options) error {
	dir, err := os.MkdirTemp("", "ingot-bench-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	if o.profile != "" {
		o.rounds = 100 // branches to ask for
	}
	b := &bench{options: o, dir: dir}
	if b.f, err = prepare(dir, o.source, o.ref); err != nil {
		return err
	}
	if b.ours, err = startIngot(o.program, filepath.Join(dir, "data")); err != nil {
		return err
	}
	defer b.ours.stop()
	if b.stock, err = startStock(filepath.Join(dir, "stock")); err != nil {
		return err
	}
	defer b.stock.stop()
	if o.profile != "" {
		return b.profiled()
	}
	fmt.Printf("%d objects, pack of %.1f MB\n", b.f.objects, float64(len(b.f.pack))/1e6)
	for _, s := range sections {
		if !slices.Contains(o.sections, s.name) {
			continue
		}
		if err := s.run(b); err != nil {
			return fmt.Errorf("%s: %w", s.name, err)
		}
	}
	return nil
}

// everything are the commands of the push that fills a repository: main, and a branch at
// each commit that is asked for.
func (b *bench) everything() []string {
	commands := []string{zeroID + " " + b.f.tip + " refs/heads/main"}
	for i := range min(b.rounds+1, len(b.f.line)) {
		commands = append(commands, fmt.Sprintf("%s %s refs/heads/back/%d", zeroID, b.f.line[i], i))
	}
	return commands
}

// fill makes the repository "all" on both servers, unless that was done, and
// brings both into their best form: ours compacted, and a copy of stock's with
// bitmaps and commit graph as "all-best".
func (b *bench) fill() error {
	if b.ours.filled {
		return nil
	}
	body := pushBody(b.everything(), b.f.pack)
	for _, s := range []server{b.ours, b.stock} {
		if err := s.create("all"); err != nil {
			return err
		}
		if _, err := receive(s, "all", body); err != nil {
			return err
		}
	}
	return b.best()
}

// best brings both copies of "all" into their best form.
func (b *bench) best() error {
	b.ours.filled = true
	if err := b.ours.admin("compact", "--all", "bench/all"); err != nil {
		return err
	}
	if err := b.stock.create("all-best"); err != nil {
		return err
	}
	repo := b.stock.path("all-best")
	for _, args := range [][]string{
		{"fetch", "-q", b.stock.path("all"), "refs/heads/*:refs/heads/*"},
		{"-c", "pack.writeBitmapLookupTable=true", "repack", "-adbq"},
		{"commit-graph", "write", "--reachable", "--changed-paths", "--no-progress"},
	} {
		if _, err := gitIn(repo, nil, args...); err != nil {
			return err
		}
	}
	return nil
}
