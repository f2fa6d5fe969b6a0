package fsck_test

import (
	"context"
	"errors"
	"fmt"

	"github.com/ingot-forge/ingot/git"
	"github.com/ingot-forge/ingot/git/fsck"
)

func Example() {
	hasher := git.NewHasher(git.SHA1)
	store := git.Memory{}
	checker := fsck.New(git.SHA1, func(p *fsck.Problem) { fmt.Println("note:", p.Message) })
	receive := func(kind git.Kind, data []byte) (git.ID, error) {
		id, err := hasher.Hash(kind, data)
		if err != nil {
			return id, err
		}
		o := store[id]
		o.Kind, o.Data = kind, data
		store[id] = o
		return id, checker.Object(id, kind, data)
	}

	// The blob comes first, so that nothing is known of it yet.
	blob, err := receive(git.KindBlob, []byte("[submodule \"lib\"]\n\turl = -u./evil\n"))
	fmt.Println("blob:", err)
	tree := git.AppendTree(git.SHA1, nil, []git.Entry{{Mode: git.ModeGroupWrite, Name: ".gitmodules", ID: blob}})
	_, err = receive(git.KindTree, tree)
	fmt.Println("tree:", err)

	err = checker.Finish(context.Background(), store)
	var p *fsck.Problem
	fmt.Println(errors.As(err, &p), err)
	// Output:
	// blob: <nil>
	// note: badFilemode
	// tree: <nil>
	// true object 4ec4d739069fca6833d0cfe6f2a02704d4b9c613: gitmodulesUrl: disallowed submodule url "-u./evil": looks like an option
}
