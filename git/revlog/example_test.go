package revlog_test

import (
	"context"
	"fmt"

	"github.com/ingot-forge/ingot/git"
	"github.com/ingot-forge/ingot/git/ancestry"
	"github.com/ingot-forge/ingot/git/gittest"
	"github.com/ingot-forge/ingot/git/revlog"
)

func ExampleWalk() {
	objects := git.Memory{}
	first := gittest.PutCommit(objects, "ada", "draft", "Once upon a time\n", "start", 1)
	second := gittest.PutCommit(objects, "bob", "book", "Once upon a time\n", "rename", 2, first)
	third := gittest.PutCommit(objects, "ada", "book", "Once upon a time\nthe end\n", "finish", 3, second)

	commits := ancestry.New(objects, git.SHA1, nil)
	for c, err := range revlog.Walk(context.Background(), commits, revlog.Options{
		Tips: []git.ID{third}, Paths: []string{"book"}, Follow: true, MaxCount: 20,
		Keep: func(c *git.Commit) bool { return c.Author.Name == "ada" },
	}) {
		if err != nil {
			panic(err)
		}
		fmt.Println(c.Path, c.Decoded.Message)
	}
	// Output:
	// book finish
	// draft start
}

func ExampleLastCommits() {
	ctx := context.Background()
	objects := git.Memory{}
	first := gittest.PutCommit(objects, "ada", "book", "one\n", "start", 1)
	second := gittest.PutCommit(objects, "ada", "book", "one\n", "nothing new", 2, first)

	last, err := revlog.NewLastCommits(ctx, ancestry.New(objects, git.SHA1, nil), second, "")
	if err != nil {
		panic(err)
	}
	for done := false; !done; {
		var found []revlog.Last
		if found, done, err = last.Next(ctx, 1000); err != nil {
			panic(err)
		}
		for _, f := range found {
			fmt.Println(f.Name, f.Commit == first)
		}
	}
	// Output: book true
}
