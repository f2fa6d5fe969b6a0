package diff_test

import (
	"context"
	"fmt"

	"github.com/ingot-forge/ingot/git"
	"github.com/ingot-forge/ingot/git/diff"
)

// What differs between two trees, as a patch.
func ExampleChanges() {
	objects := git.Memory{} // any git.Objects will do
	h := git.NewHasher(git.SHA1)
	put := func(kind git.Kind, data string) git.ID {
		id, _ := h.Hash(kind, []byte(data)) // it fails for colliding content only
		o := objects[id]
		o.Kind, o.Data = kind, []byte(data)
		objects[id] = o
		return id
	}
	tree := func(path, data string) git.ID {
		entry := git.Entry{Mode: git.ModeBlob, Name: path, ID: put(git.KindBlob, data)}
		return put(git.KindTree, string(git.AppendTree(git.SHA1, nil, []git.Entry{entry})))
	}
	old := tree("hello.go", "package hello\n\n// World is where we are.\nconst World = 1\n")
	new := tree("world.go", "package hello\n\n// World is where we are.\nconst World = 2\n")

	ctx := context.Background()
	changes, _, err := diff.Changes(ctx, objects, git.SHA1, old, new, diff.ChangesOptions{Renames: &diff.RenameOptions{}})
	if err != nil {
		fmt.Println(err)
	}
	var patch []byte
	for _, c := range changes {
		patch, err = diff.AppendPatch(ctx, objects, git.SHA1, patch, c, diff.Options{
			Context: 1, // git's default is diff.Context
			Abbrev:  func(id git.ID) string { return id.String()[:7] },
		})
		if err != nil {
			fmt.Println(err)
		}
	}
	fmt.Printf("%s", patch)
	// Output:
	// diff --git a/hello.go b/world.go
	// similarity index 71%
	// rename from hello.go
	// rename to world.go
	// index ecda1fe..b0be066 100644
	// --- a/hello.go
	// +++ b/world.go
	// @@ -3,2 +3,2 @@ package hello
	//  // World is where we are.
	// -const World = 1
	// +const World = 2
}

// Lines is what merge and blame are built on.
func ExampleLines() {
	a := diff.NewText([]byte("one\ntwo\nthree\n"))
	b := diff.NewText([]byte("one\n2\nthree\nfour\n"))
	for _, e := range diff.Lines(a, b, diff.LineOptions{}) {
		fmt.Printf("%q gives way to %q\n", a.Lines(e.AStart, e.AEnd), b.Lines(e.BStart, e.BEnd))
	}
	// Output:
	// "two\n" gives way to "2\n"
	// "" gives way to "four\n"
}
