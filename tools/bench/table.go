package main

import (
	"fmt"
	"log"
	"path/filepath"
	"strings"
	"time"
)

// operation is one thing that all servers are asked to do.
type operation struct {
	name string
	goal float64 // ours / the best of stock, in wall time; 0 if there is none
	// do asks for it the i-th time. repo is "all", or "all-best" for stock with bitmaps.
	do func(s server, repo string, i int) (bytes int64, err error)
	// request is how many bytes are sent; of pushes.
	request int64
}

// row is an operation and what it came to.
type row struct {
	operation
	first, again figure // ours: just started, and asked before
	stock, best  figure // best is stock with bitmaps
	limit        time.Duration
}

// ratio is ours against the better of stock's.
func (r row) ratio(ours figure) float64 {
	best := r.stock.wall
	if r.best.wall > 0 {
		best = min(best, r.best.wall)
	}
	return ours.wall.Seconds() / best.Seconds()
}

// fetchOperation is an operation whose request is made from where the client wants to be and where it is.
type fetchOperation struct {
	operation
	steps int
	body  func(want, have string) []byte
}

func (b *bench) fetches() []fetchOperation {
	f := b.f
	var ops []fetchOperation
	add := func(name string, goal float64, steps int, body func(want, have string) []byte) {
		ops = append(ops, fetchOperation{steps: steps, body: body, operation: operation{name: name, goal: goal,
			do: func(s server, repo string, i int) (int64, error) {
				return upload(s, repo, body(f.line[i], f.line[min(i+steps, len(f.line)-1)]))
			}}})
	}
	clone := func(lines ...string) func(want, _ string) []byte {
		return func(want, _ string) []byte {
			return fetchBody(nil, append(append([]string{"want " + want}, lines...), "done")...)
		}
	}
	fetch := func(want, have string) []byte {
		return fetchBody([]string{"thin-pack"}, "want "+want, "have "+have, "done")
	}
	// Everything, as git clone asks for it: the same in each round.
	add("full clone", 0, 0, func(string, string) []byte { return fetchBody(nil, "want "+f.tip, "done") })
	add("clone --depth 1", 0.15, 0, clone("deepen 1"))
	add("clone --filter=blob:none", 0.5, 0, clone("filter blob:none"))
	add("fetch, nothing new", 0.05, 0, fetch)
	goals := map[int]float64{1: 0.05, 10: 0.2, 100: 0.5, 1000: 0.5}
	for _, steps := range distances {
		if steps < len(f.line) {
			add(fmt.Sprintf("fetch %d steps", steps), goals[steps], steps, fetch)
		}
	}
	return ops
}

// table measures everything that is asked of one repository, one after the other.
func (b *bench) table() error {
	var rows []row
	pushed, err := b.tablePushes()
	if err != nil {
		return err
	}
	rows = append(rows, pushed...)
	ready, err := startReady(b.f.pack)
	if err != nil {
		return err
	}
	defer ready.listener.Close()
	for _, op := range b.fetches() {
		if !strings.Contains(op.name, b.only) {
			continue
		}
		r, err := b.row(op.operation, "all", "all-best")
		if err != nil {
			return err
		}
		r.tell()
		rows = append(rows, r)
	}
	for _, op := range refOperations() {
		if !strings.Contains(op.name, b.only) {
			continue
		}
		r, err := b.row(op, "refs", "")
		if err != nil {
			return err
		}
		r.tell()
		rows = append(rows, r)
	}
	if strings.Contains("push of one commit", b.only) {
		r, err := b.smallPush()
		if err != nil {
			return err
		}
		rows = append(rows, r)
	}
	for i := range rows {
		if rows[i].limit, err = ready.send(max(rows[i].again.bytes, rows[i].request)); err != nil {
			return err
		}
	}
	printTable(rows)
	if b.charts != "" {
		return writeFile(filepath.Join(b.charts, "performance-table.svg"), tableChart(rows))
	}
	return nil
}

// row measures one fetch on all servers. Each round asks for another of the
// newest commits, so that ours has to compute it; then it is asked for one of them
// again and again.
func (b *bench) row(op operation, repo, best string) (row, error) {
	r := row{operation: op}
	fail := func(who string, err error) (row, error) { return r, fmt.Errorf("%s, %s: %w", op.name, who, err) }
	// A round before those that count, about the commit that none of them asks for.
	if _, err := op.do(b.ours, repo, b.rounds); err != nil {
		return fail("ours", err)
	}
	var err error
	if r.first, err = measure(b.ours, b.rounds, nil, func(i int) (int64, error) { return op.do(b.ours, repo, i) }); err != nil {
		return fail("ours", err)
	}
	if r.again, err = repeated(b.ours, func(int) (int64, error) { return op.do(b.ours, repo, 0) }); err != nil {
		return fail("ours", err)
	}
	if r.stock, err = measure(b.stock, b.rounds, nil, func(i int) (int64, error) { return op.do(b.stock, repo, i) }); err != nil {
		return fail("stock", err)
	}
	if best == "" {
		return r, nil
	}
	if r.best, err = measure(b.stock, b.rounds, nil, func(i int) (int64, error) { return op.do(b.stock, best, i) }); err != nil {
		return fail("stock with bitmaps", err)
	}
	return r, nil
}

// tablePushes measures the pushes that fill the repositories, which can be done once.
func (b *bench) tablePushes() ([]row, error) {
	f := b.f
	var many []string
	for i := range manyRefs {
		many = append(many, fmt.Sprintf("%s %s refs/heads/branch/%06d", zeroID, f.tip, i))
	}
	var rows []row
	for _, p := range []struct {
		name, repo string
		goal       float64
		commands   []string
	}{
		{"push everything", "all", 0.45, b.everything()},
		{"push of 50,000 refs", "refs", 0, many},
	} {
		if p.repo == "refs" && b.only != "" && !strings.Contains("refs", b.only) && !strings.Contains(b.only, "refs") {
			continue // nothing that needs it is measured
		}
		body := pushBody(p.commands, f.pack)
		r := row{operation: operation{name: p.name, goal: p.goal, request: int64(len(body))}}
		for _, side := range []struct {
			s    server
			into *figure
		}{{b.ours, &r.first}, {b.stock, &r.stock}} {
			if err := side.s.create(p.repo); err != nil {
				return nil, err
			}
			var err error
			var got figure
			memory, err := peakMemory(side.s, func() error {
				got, err = measure(side.s, 1, nil, func(int) (int64, error) { return receive(side.s, p.repo, body) })
				return err
			})
			if err != nil {
				return nil, fmt.Errorf("%s: %w", p.name, err)
			}
			got.memory = memory
			*side.into = got
		}
		r.tell()
		rows = append(rows, r)
	}
	return rows, b.best()
}

// smallPush measures pushes of one commit each. It goes last: it changes the repositories.
func (b *bench) smallPush() (row, error) {
	f := b.f
	r := row{operation: operation{name: "push of one commit", goal: 0.06}}
	push := func(s server, i int) (int64, error) {
		n := f.next[i]
		return receive(s, "all", pushBody([]string{n[0] + " " + n[1] + " refs/heads/main"}, f.thin[i]))
	}
	var err error
	if r.first, err = measure(b.ours, len(f.next), nil, func(i int) (int64, error) { return push(b.ours, i) }); err != nil {
		return r, err
	}
	r.stock, err = measure(b.stock, len(f.next), nil, func(i int) (int64, error) { return push(b.stock, i) })
	return r, err
}

func refOperations() []operation {
	return []operation{
		{name: "ls-refs, 1,000 of 50,000", goal: 0.1, do: func(s server, repo string, _ int) (int64, error) {
			return upload(s, repo, lsRefs("ref-prefix refs/heads/branch/012"))
		}},
		{name: "ls-refs, one of 50,000", goal: 0.1, do: func(s server, repo string, _ int) (int64, error) {
			return upload(s, repo, lsRefs("ref-prefix refs/heads/branch/012345"))
		}},
		{name: "ls-refs, all 50,000", goal: 0.1, do: func(s server, repo string, _ int) (int64, error) {
			return upload(s, repo, lsRefs("ref-prefix refs/"))
		}},
		{name: "v0 advertisement, 50,000", goal: 0.5, do: func(s server, repo string, _ int) (int64, error) {
			return ask(s, "GET", s.url(repo)+"/info/refs?service=git-upload-pack", "", "", nil)
		}},
	}
}

// tell prints a row as soon as it is known, for who waits.
func (r row) tell() {
	log.Printf("%-26s %22s again %12s  stock %22s  bitmaps %22s", r.name, r.first, duration(r.again.wall), r.stock, r.best)
}

func printTable(rows []row) {
	fmt.Println()
	line := func(cells ...string) { fmt.Println("| " + strings.Join(cells, " | ") + " |") }
	line("operation", "ours: first / CPU", "ours: again / CPU", "stock / CPU", "with bitmaps / CPU", "limit", "first / best", "again / best", "goal", "bytes / stock's")
	line(strings.Split(strings.Repeat("--- ", 10), " ")[:10]...)
	for _, r := range rows {
		cell := func(f figure) string {
			if f.wall == 0 {
				return ""
			}
			return f.String()
		}
		ratio := func(f figure) string {
			if f.wall == 0 {
				return ""
			}
			return fmt.Sprintf("%.3f", r.ratio(f))
		}
		goal, bytes := "", ""
		if r.goal > 0 {
			goal = fmt.Sprint(r.goal)
		}
		if r.stock.bytes > 4096 {
			bytes = fmt.Sprintf("%.2f", float64(r.first.bytes)/float64(r.stock.bytes))
		}
		line(r.name, cell(r.first), cell(r.again), cell(r.stock), cell(r.best), duration(r.limit), ratio(r.first), ratio(r.again), goal, bytes)
		if r.first.memory > 0 {
			fmt.Printf("  memory of %s: ours +%.0f MB, stock +%.0f MB\n", r.name, float64(r.first.memory)/1e6, float64(r.stock.memory)/1e6)
		}
	}
}
