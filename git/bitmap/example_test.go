package bitmap_test

import (
	"context"
	"fmt"
	"io"
	"strings"

	"github.com/ingot-forge/ingot/git"
	"github.com/ingot-forge/ingot/git/bitmap"
	"github.com/ingot-forge/ingot/git/pack"
)

// The objects that a fetch needs are those that the wanted commit reaches and the client's does not.
func Example() {
	ctx, f := context.Background(), git.SHA1
	objects, commits := git.Memory{}, []git.ID{}
	add := func(kind git.Kind, data []byte) git.ID {
		id, _ := git.NewHasher(f).Hash(kind, data)
		objects[id] = struct {
			Kind git.Kind
			Data []byte
		}{kind, data}
		return id
	}
	for i := range 3 {
		file := add(git.KindBlob, []byte(strings.Repeat("x", i)))
		tree := add(git.KindTree, git.AppendTree(f, nil, []git.Entry{{Mode: git.ModeBlob, Name: "file", ID: file}}))
		who := git.Signature{Name: "A", Email: "a@example.com", Seconds: int64(i), Zone: "+0000"}
		commits = append(commits, add(git.KindCommit, git.AppendCommit(f, nil,
			&git.Commit{Tree: tree, Parents: commits[max(0, i-1):i], Author: who, Committer: who})))
	}

	// A pack with everything, its index and the order of its entries.
	w, _ := pack.NewWriter(io.Discard, f, len(objects))
	var entries []pack.IndexEntry
	for id, o := range objects {
		entries = append(entries, pack.IndexEntry{ID: id, Offset: w.Offset()})
		w.Object(o.Kind, o.Data)
	}
	sum, _ := w.Close()
	idx, _ := pack.OpenIndex(f, pack.AppendIndex(f, nil, entries, sum))
	rev, _ := pack.NewRev(idx)

	layers := []bitmap.Layer{{Pack: idx, Rev: rev}}
	bare, _ := bitmap.NewIndex(f, layers)
	data, err := bitmap.Build(ctx, objects, f, bare, bitmap.BuildOptions{Tips: commits[2:]})
	if err != nil {
		fmt.Println(err)
		return
	}
	layers[0].File, _ = bitmap.Open(f, data)
	index, _ := bitmap.NewIndex(f, layers)

	want, have := bitmap.NewSet(index.Len()), bitmap.NewSet(index.Len())
	wanted, _ := index.Find(commits[2])
	had, _ := index.Find(commits[1])
	index.Reaches(wanted, want)
	index.Reaches(had, have)
	for i := range want {
		want[i] &^= have[i]
	}
	fmt.Println("the client has", have.Count(), "objects and needs", want.Count())
	// Output: the client has 6 objects and needs 3
}
