// Command history makes a git repository with a real history where there is no
// git server to clone one from: it commits the successive releases of a Go
// module, as the module proxy has them, one after another.
//
//	go run ./tools/history -module github.com/prometheus/client_golang -versions 20 -dir DIR
//
// Every release becomes one commit on the branch main and an annotated tag of
// its name, dated as the proxy dates it. The same releases make the same
// objects, ids included, on every machine. A release that the proxy does not
// hand out is left out, with a line that says so.
package main

import (
	"context"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
)

func main() {
	module := flag.String("module", "", "path of the Go module")
	from := flag.String("from", "", "first release to take (default: the oldest)")
	versions := flag.Int("versions", 20, "number of releases to take")
	dir := flag.String("dir", "", "where to make the repository; must not exist, or be empty")
	flag.Parse()
	if *module == "" || *dir == "" || *versions < 1 || flag.NArg() > 0 {
		flag.Usage()
		os.Exit(2)
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	if err := run(ctx, os.Stdout, *module, *from, *versions, *dir); err != nil {
		fmt.Fprintln(os.Stderr, "history:", err)
		os.Exit(1)
	}
}

// run makes the repository. It writes one line a release to out.
func run(ctx context.Context, out io.Writer, module, from string, versions int, dir string) error {
	names, err := list(ctx, module, from, versions)
	if err != nil {
		return err
	}
	releases, err := download(ctx, module, names)
	if err != nil {
		return err
	}
	repo, err := create(ctx, dir)
	if err != nil {
		return err
	}
	made := 0
	for _, r := range releases {
		if r.Error != "" {
			fmt.Fprintf(out, "%s %s: left out: %s\n", module, r.Version, r.Error)
			continue
		}
		id, err := repo.commit(ctx, r)
		if err != nil {
			return fmt.Errorf("%s %s: %w", module, r.Version, err)
		}
		made++
		fmt.Fprintf(out, "%s %s: %s\n", module, r.Version, id)
	}
	if made == 0 {
		return fmt.Errorf("%s: the proxy hands out none of %d releases", module, len(releases))
	}
	return repo.checkOut(ctx)
}
