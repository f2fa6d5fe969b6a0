package repo_test

import (
	"context"
	"fmt"
	"log"
	"time"

	"github.com/ingot-forge/ingot/git"
	"github.com/ingot-forge/ingot/git/repo"
	"github.com/ingot-forge/ingot/git/repo/memrepo"
)

// A commit made by a program: objects are staged where nobody sees them, and one
// Commit makes them and the branch visible together.
func Example() {
	ctx := context.Background()
	catalog := new(memrepo.Catalog)
	id, err := catalog.Create(ctx, git.SHA1)
	if err != nil {
		log.Fatal(err)
	}
	store := repo.New(new(memrepo.Files), catalog, repo.Config{})
	defer store.Close()

	hasher := git.NewHasher(git.SHA1)
	objects := git.Memory{}
	add := func(kind git.Kind, data []byte) git.ID {
		id, err := hasher.Hash(kind, data)
		if err != nil {
			log.Fatal(err)
		}
		o := objects[id]
		o.Kind, o.Data = kind, data
		objects[id] = o
		return id
	}
	blob := add(git.KindBlob, []byte("Hello\n"))
	tree := add(git.KindTree, git.AppendTree(git.SHA1, nil, []git.Entry{{Mode: git.ModeBlob, Name: "README", ID: blob}}))
	who := git.Signature{Name: "Ada", Email: "ada@example.com", Seconds: 1700000000, Zone: "+0000"}
	commit := add(git.KindCommit, git.AppendCommit(git.SHA1, nil,
		&git.Commit{Tree: tree, Author: who, Committer: who, Message: "Begin\n"}))

	before, err := store.Snapshot(ctx, id)
	if err != nil {
		log.Fatal(err)
	}
	defer before.Close()
	staged, err := store.Stage(ctx, before, objects, repo.IngestOptions{Tips: []git.ID{commit}})
	if err != nil {
		log.Fatal(err)
	}
	version, err := store.Commit(ctx, &repo.Change{
		Repository: id,
		Add:        []repo.Pack{staged.Pack},
		Refs:       []repo.RefUpdate{{Name: "refs/heads/main", New: commit}},
		Who:        "ada", Why: "example", Time: time.Now(),
	})
	if err != nil {
		log.Fatal(err)
	}

	after, err := store.Snapshot(ctx, id)
	if err != nil {
		log.Fatal(err)
	}
	defer after.Close()
	head, _ := after.Ref("HEAD")
	_, data, err := after.Object(ctx, blob)
	fmt.Printf("version %d: %s at %s\n%s", version, head.Name, head.Target, data)
	fmt.Println("the earlier snapshot still has", before.State().Refs.Len(), "refs,", err)
	// Output:
	// version 1: refs/heads/main at 9c1a0df91bbb98a5b7977e10bc9e3f98dd3402a1
	// Hello
	// the earlier snapshot still has 0 refs, <nil>
}
