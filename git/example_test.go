package git_test

import (
	"fmt"

	"github.com/ingot-forge/ingot/git"
)

// A file, its tree and a commit are made and read again.
func Example() {
	hasher := git.NewHasher(git.SHA1)
	blob, _ := hasher.Hash(git.KindBlob, []byte("hello\n"))
	tree := git.AppendTree(git.SHA1, nil, []git.Entry{{Mode: git.ModeBlob, Name: "greeting", ID: blob}})
	treeID, _ := hasher.Hash(git.KindTree, tree)
	who := git.Signature{Name: "A U Thor", Email: "author@example.com", Seconds: 1112912053, Zone: "+0200"}
	commit := git.AppendCommit(git.SHA1, nil, &git.Commit{Tree: treeID, Author: who, Committer: who, Message: "Say hello\n"})
	id, _ := hasher.Hash(git.KindCommit, commit)
	fmt.Println("commit", id)

	c, err := git.ParseCommit(git.SHA1, commit)
	fmt.Printf("%q by %s, %v\n", c.Message, c.Author.Name, err)
	for e, err := range git.Entries(git.SHA1, tree) {
		fmt.Printf("%06o %s %s %v\n", e.Mode, e.ID, e.Name, err)
	}
	fmt.Println(git.CheckRefName("refs/heads/a..b"))
	// Output:
	// commit f5bae390915d77e8b7a6688bf6d639f1afb2ff15
	// "Say hello\n" by A U Thor, <nil>
	// 100644 ce013625030ba8dba906f756967f9e9ca394464a greeting <nil>
	// bad ref name "refs/heads/a..b": ".." is not allowed
}
