package history_test

import (
	"context"
	"fmt"
	"maps"
	"testing"

	"github.com/ingot-forge/ingot/git"
	"github.com/ingot-forge/ingot/git/history"
)

// project is a history of n commits on a tree of so many files in 100 directories,
// each of which changes one file.
func project(n, count int) *model {
	m := newModel()
	files := map[string]string{}
	for i := range count {
		files[fmt.Sprintf("dir%02d/file%04d.c", i%100, i)] = fmt.Sprint(i)
	}
	var parents []git.ID
	for i := range n {
		files = maps.Clone(files)
		files[fmt.Sprintf("dir%02d/file%04d.c", i*7%100, i*7%count)] = fmt.Sprint("change ", i)
		parents = []git.ID{m.commit(int64(i), files, parents...)}
	}
	return m
}

func BenchmarkMissing(b *testing.B) {
	m := project(1000, 2000)
	tip := m.commits[len(m.commits)-1]
	for _, bb := range []struct {
		name, filter string
		haves        []git.ID
	}{
		{name: "clone"},
		{name: "clone-blobless", filter: "blob:none"},
		{name: "clone-treeless", filter: "tree:0"},
		{name: "fetch-1", haves: m.commits[998:999]},
		{name: "fetch-100", haves: m.commits[899:900]},
		{name: "fetch-nothing", haves: m.commits[999:]},
	} {
		b.Run(bb.name, func(b *testing.B) {
			r := history.Request{Wants: []git.ID{tip}, Haves: bb.haves, Thin: true}
			if bb.filter != "" {
				var err error
				if r.Filter, err = history.ParseFilter(bb.filter, nil); err != nil {
					b.Fatal(err)
				}
			}
			b.ReportAllocs()
			for b.Loop() {
				if _, _, err := history.Missing(context.Background(), m, r, nil); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

func BenchmarkReachable(b *testing.B) {
	m := project(1000, 2000)
	tip, first := m.commits[len(m.commits)-1:], m.commits[:1]
	for b.Loop() {
		if _, err := history.Reachable(context.Background(), m, git.SHA1, tip, first, history.Derived{}); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkSparse(b *testing.B) {
	m := project(300, 2000)
	list := m.blob("/*\n!/*/\n/dir1*/\n!file*1.c\n**/file*0*.c\n")
	f, err := history.ParseFilter("sparse:oid="+git.SHA1.Hex(list), git.SHA1.Parse)
	if err != nil {
		b.Fatal(err)
	}
	for b.Loop() {
		r := history.Request{Wants: m.commits[299:], Filter: f}
		if _, _, err := history.Missing(context.Background(), m, r, nil); err != nil {
			b.Fatal(err)
		}
	}
}
