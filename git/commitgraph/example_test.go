package commitgraph_test

import (
	"context"
	"fmt"
	"testing"

	"github.com/ingot-forge/ingot/git"
	"github.com/ingot-forge/ingot/git/commitgraph"
)

// A graph is built once, kept as bytes, and then answers without reading objects. What is
// pushed later gets a layer of its own.
func Example() {
	ctx := context.Background()
	m, t := newMemory(), new(testing.T)
	blob := m.add(t, git.KindBlob, []byte("hello\n"))
	src := m.tree(t, git.Entry{Mode: git.ModeBlob, Name: "main.c", ID: blob})
	first := m.commit(t, m.tree(t, git.Entry{Mode: git.ModeBlob, Name: "README", ID: blob}), 1000)
	second := m.commit(t, m.tree(t, git.Entry{Mode: git.ModeBlob, Name: "README", ID: blob},
		git.Entry{Mode: git.ModeTree, Name: "src", ID: src}), 2000, first)

	var graph *commitgraph.Graph
	var layers [][]byte
	for _, tip := range []git.ID{first, second} {
		layer, err := commitgraph.Build(ctx, m, git.SHA1, graph, []git.ID{tip}, commitgraph.BuildOptions{})
		if err != nil {
			fmt.Println(err)
			return
		}
		layers = append(layers, layer)
		if graph, err = commitgraph.Open(git.SHA1, layers); err != nil {
			fmt.Println(err)
			return
		}
	}
	position, _ := graph.Find(second)
	parents, _ := graph.AppendParents(nil, position)
	fmt.Println("parent:", graph.ID(parents[0]) == first, "generation:", graph.Generation(position))
	for _, path := range []string{"README", "src", "src/main.c"} {
		fmt.Println(path, graph.MayChange(position, commitgraph.NewPath(path)))
	}
	// Output:
	// parent: true generation: 2000
	// README false
	// src true
	// src/main.c true
}
