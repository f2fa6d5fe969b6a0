package pack_test

import (
	"bytes"
	"context"
	"fmt"

	"github.com/ingot-forge/ingot/git"
	"github.com/ingot-forge/ingot/git/pack"
)

// A pack of two objects arrives; both are seen on the way in.
func ExampleReceive() {
	var stream bytes.Buffer
	w, err := pack.NewWriter(&stream, git.SHA1, 2)
	if err != nil {
		panic(err)
	}
	w.Object(git.KindBlob, []byte("hello\n"))
	w.Object(git.KindTree, nil)
	if _, err := w.Close(); err != nil {
		panic(err)
	}

	var stored draft // a file in the making
	r, err := pack.Receive(context.Background(), &stream, &stored, pack.Options{
		Format:  git.SHA1,
		Limits:  pack.Limits{PackBytes: 1 << 30, ObjectBytes: 100 << 20, Objects: 1e6, DeltaDepth: 4095},
		Workers: 1,
		Visit: func(id git.ID, kind git.Kind, size int64, data []byte) error {
			fmt.Println(id, kind, size)
			return nil
		},
	})
	if err != nil {
		panic(err)
	}
	fmt.Printf("%d objects, index of %d bytes\n", r.Objects, len(r.Index))
	// Output:
	// ce013625030ba8dba906f756967f9e9ca394464a blob 6
	// 4b825dc642cb6eb9a060e54bf8d69288fbee4904 tree 0
	// 2 objects, index of 1128 bytes
}
