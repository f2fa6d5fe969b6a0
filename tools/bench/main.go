// Command bench measures a running Ingot beside stock git's own server, on one
// machine, in one run, and prints the ratios. Stock is git http-backend behind
// the smallest possible HTTP server; both get the same request bodies, so that no
// client's time is in the figures. Absolute figures mean little: only ratios of
// one run compare.
package main

import (
	"flag"
	"fmt"
	"log"
	"os"
	"path/filepath"
	"strings"
)

func main() {
	log.SetFlags(0)
	program := flag.String("ingot", "bin/ingot", "the program to measure")
	source := flag.String("repo", "", "repository to measure with; default: one is generated")
	ref := flag.String("ref", "HEAD", "ref whose history is used")
	rounds := flag.Int("rounds", 5, "how often each operation is measured; the median counts")
	only := flag.String("only", "", "measure only operations whose names contain this")
	flag.Parse()
	if err := run(*program, *source, *ref, *rounds, *only); err != nil {
		log.Fatal("bench: ", err)
	}
}

func run(program, source, ref string, rounds int, only string) error {
	dir, err := os.MkdirTemp("", "ingot-bench-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	f, err := prepare(dir, source, ref)
	if err != nil {
		return err
	}
	ours, err := startIngot(program, filepath.Join(dir, "data"))
	if err != nil {
		return err
	}
	defer ours.stop()
	stock, err := startStock(filepath.Join(dir, "stock"))
	if err != nil {
		return err
	}
	defer stock.stop()

	fmt.Printf("%d objects, pack of %.1f MB, %d refs for the ref operations\n\n", f.objects, float64(len(f.pack))/1e6, manyRefs)
	fmt.Printf("%-28s %22s %22s %9s %9s %12s\n", "operation", "ours wall / CPU", "stock wall / CPU", "wall", "CPU", "memory +MB")
	for _, op := range operations(f) {
		if !strings.Contains(op.name, only) && !op.always {
			continue
		}
		a, err := measure(ours, op, rounds)
		if err != nil {
			return fmt.Errorf("%s, ours: %w", op.name, err)
		}
		b, err := measure(stock, op, rounds)
		if err != nil {
			return fmt.Errorf("%s, stock: %w", op.name, err)
		}
		fmt.Printf("%-28s %22s %22s %9.3f %9.3f %12.0f\n", op.name, a, b,
			a.wall.Seconds()/b.wall.Seconds(), a.cpu.Seconds()/max(b.cpu.Seconds(), 1e-3), float64(a.memory)/1e6)
		if a.bytes > 0 && b.bytes > 0 && a.bytes != b.bytes {
			fmt.Printf("%-28s %19.1f KB %19.1f KB %9.3f\n", "  bytes answered", float64(a.bytes)/1e3, float64(b.bytes)/1e3, float64(a.bytes)/float64(b.bytes))
		}
	}
	return indexPack(f, dir, ours)
}
