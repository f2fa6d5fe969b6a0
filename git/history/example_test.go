package history_test

import (
	"context"
	"fmt"

	"github.com/ingot-forge/ingot/git"
	"github.com/ingot-forge/ingot/git/history"
)

// A fetch of one commit by a client that has its parent.
func ExampleMissing() {
	m := newModel() // a map of objects; any git.Objects will do
	old := m.commit(1, map[string]string{"README": "hello\n", "src/main.go": "package main\n"})
	tip := m.commit(2, map[string]string{"README": "hello, world\n", "src/main.go": "package main\n"}, old)

	send, _, err := history.Missing(context.Background(), m, history.Request{
		Wants: []git.ID{tip},
		Haves: []git.ID{old},
	}, nil)
	if err != nil {
		fmt.Println(err)
	}
	for _, o := range send {
		fmt.Println(o.Kind, len(m.Memory[o.ID].Data), "bytes")
	}
	// Output:
	// commit 173 bytes
	// tree 64 bytes
	// blob 13 bytes
}

// A clone of the last two commits, without blobs.
func ExampleShallow() {
	m := newModel()
	var tip git.ID
	var parents []git.ID
	for i := range 5 {
		tip = m.commit(int64(i), map[string]string{"count": fmt.Sprint(i)}, parents...)
		parents = []git.ID{tip}
	}
	wants := []git.ID{tip}
	boundary, unshallow, err := history.Shallow(context.Background(), m, git.SHA1, wants, nil, history.Depth{Commits: 2}, history.Derived{})
	if err != nil {
		fmt.Println(err)
	}
	filter, err := history.ParseFilter("blob:none", nil)
	if err != nil {
		fmt.Println(err)
	}
	send, _, err := history.Missing(context.Background(), m, history.Request{
		Wants: wants, Boundary: boundary, Unshallow: unshallow, Filter: filter}, nil)
	if err != nil {
		fmt.Println(err)
	}
	fmt.Println(len(boundary), "shallow,", len(send), "objects")
	// Output: 1 shallow, 4 objects
}
