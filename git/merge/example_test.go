package merge_test

import (
	"context"
	"fmt"

	"github.com/ingot-forge/ingot/git"
	"github.com/ingot-forge/ingot/git/merge"
)

func ExampleText() {
	base := "red\ngreen\nblue\n"
	ours := "red\nGREEN\nblue\n"
	theirs := "red\nolive\nblue\nblack\n"
	merged, conflicts, err := merge.Text([]byte(base), []byte(ours), []byte(theirs),
		merge.TextOptions{Ours: "main", Theirs: "feature"})
	fmt.Printf("%s%d conflict, %v\n", merged, conflicts, err)
	// Output:
	// red
	// <<<<<<< main
	// GREEN
	// =======
	// olive
	// >>>>>>> feature
	// blue
	// black
	// 1 conflict, <nil>
}

func ExampleTrees() {
	objects := git.Memory{}
	put := func(kind git.Kind, data string) git.ID {
		id, _ := git.NewHasher(git.SHA1).Hash(kind, []byte(data))
		o := objects[id]
		o.Kind, o.Data = kind, []byte(data)
		objects[id] = o
		return id
	}
	tree := func(name, content string) git.ID {
		e := git.Entry{Mode: git.ModeBlob, Name: name, ID: put(git.KindBlob, content)}
		return put(git.KindTree, string(git.AppendTree(git.SHA1, nil, []git.Entry{e})))
	}
	base := tree("greeting", "hello\nworld\n")
	ours := tree("welcome", "hello\nworld\n") // renamed
	theirs := tree("greeting", "hello\nmoon\n")
	r, err := merge.Trees(context.Background(), objects, git.SHA1, base, ours, theirs, merge.Options{})
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println("clean:", r.Clean)
	for e := range git.Entries(git.SHA1, r.Objects[r.Tree].Data) {
		fmt.Printf("%s: %q\n", e.Name, objects[e.ID].Data)
	}
	// Output:
	// clean: true
	// welcome: "hello\nmoon\n"
}
