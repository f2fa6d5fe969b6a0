package fsck_test

import (
	"fmt"
	"testing"

	"github.com/ingot-forge/ingot/git"
	"github.com/ingot-forge/ingot/git/fsck"
)

// plainTree is a directory as they are: files and directories, some of whose
// names start alike, in order.
func plainTree() object {
	var entries []git.Entry
	for i := range 100 {
		e := git.Entry{Mode: git.ModeBlob, Name: fmt.Sprintf("%c%d-source.go", 'a'+i%26, i/26), ID: git.ID{byte(i + 1)}}
		if i%8 == 0 {
			e.Mode, e.Name = git.ModeTree, fmt.Sprintf("dir%d", i)
		}
		entries = append(entries, e)
	}
	entries = append(entries, git.Entry{Mode: git.ModeBlob, Name: ".editorconfig", ID: git.ID{1}})
	return object{git.KindTree, git.AppendTree(git.SHA1, nil, entries)}
}

func BenchmarkTreeEntry(b *testing.B) {
	tree := plainTree()
	id := idOf(tree)
	b.Run("EntrySpan", func(b *testing.B) {
		for n := 0; n < b.N; {
			for at := 0; at < len(tree.data); n++ {
				_, _, end := git.EntrySpan(git.SHA1, tree.data[at:])
				at += end + 21
			}
		}
	})
	b.Run("Checker", func(b *testing.B) {
		c := fsck.New(git.SHA1, nil)
		for n := 0; n < b.N; n += 101 {
			if err := c.Object(id, tree.kind, tree.data); err != nil {
				b.Fatal(err)
			}
		}
	})
}

func BenchmarkCommit(b *testing.B) {
	c := fsck.New(git.SHA1, nil)
	id, data := idOf(commits()[0]), []byte(goodCommit)
	b.ReportAllocs()
	for b.Loop() {
		if err := c.Object(id, git.KindCommit, data); err != nil {
			b.Fatal(err)
		}
	}
}
