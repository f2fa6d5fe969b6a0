package ancestry_test

import (
	"context"
	"fmt"

	"github.com/ingot-forge/ingot/git"
	"github.com/ingot-forge/ingot/git/ancestry"
	"github.com/ingot-forge/ingot/git/gittest"
)

func ExampleCommits() {
	ctx := context.Background()
	objects := git.Memory{}
	base := gittest.PutCommit(objects, "ada", "book", "one\n", "start", 1)
	ours := gittest.PutCommit(objects, "ada", "book", "two\n", "ours", 2, base)
	theirs := gittest.PutCommit(objects, "bob", "book", "three\n", "theirs", 3, base)

	commits := ancestry.New(objects, git.SHA1, nil)
	nodes, err := commits.FindAll(ctx, []git.ID{ours, theirs})
	if err != nil {
		panic(err)
	}
	bases, err := commits.MergeBases(ctx, nodes[0], nodes[1])
	if err != nil {
		panic(err)
	}
	ahead, behind, err := commits.AheadBehind(ctx, nodes[0], nodes[1])
	fmt.Println(commits.ID(bases[0]) == base, ahead, behind, err)
	// Output: true 1 1 <nil>
}
