package blame_test

import (
	"context"
	"fmt"

	"github.com/ingot-forge/ingot/git"
	"github.com/ingot-forge/ingot/git/ancestry"
	"github.com/ingot-forge/ingot/git/blame"
	"github.com/ingot-forge/ingot/git/gittest"
)

func ExampleBlame() {
	objects := git.Memory{}
	first := gittest.PutCommit(objects, "ada", "draft", "one\ntwo\nthree\nfour\n", "start", 1)
	second := gittest.PutCommit(objects, "bob", "book", "one\ntwo\nthree\nfour\nfive\n", "rename and end", 2, first)

	names := map[git.ID]string{first: "first", second: "second"}
	for e, err := range blame.Blame(context.Background(), ancestry.New(objects, git.SHA1, nil), blame.Options{Tip: second, Path: "book"}) {
		if err != nil {
			panic(err)
		}
		fmt.Printf("%d lines from %d: %s, in %s\n", e.Count, e.Line, names[e.Commit], e.Path)
	}
	// Output:
	// 1 lines from 4: second, in book
	// 4 lines from 0: first, in draft
}
