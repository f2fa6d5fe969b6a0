package treepath_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/ingot-forge/ingot/git"
	"github.com/ingot-forge/ingot/git/gittest"
	"github.com/ingot-forge/ingot/git/treepath"
)

func TestFind(t *testing.T) {
	ctx := context.Background()
	r := gittest.New(t, git.SHA1, gittest.Random(gittest.History{Seed: 51, Commits: 60}))
	commits := r.Lines(t, "rev-list", "--all")
	paths := []string{"none", "src", "src/", "README", "README/", "README/inner", "src/none", "vendor", "vendor/", "vendor/x",
		"übung/größe/x", "a b", "a b/main.c", "doc/日本語.txt"}
	var asked []string
	for _, commit := range commits {
		for _, path := range paths {
			asked = append(asked, commit+":"+path)
		}
	}
	out := r.Stock(t, strings.NewReader(strings.Join(asked, "\n")+"\n"), "cat-file", "--batch-check=%(objectname)")
	want := strings.Split(out, "\n")
	found := 0
	for p, path := range paths {
		finder, err := treepath.New(r.Objects, r.Format, path)
		if err != nil {
			t.Fatal(err)
		}
		var before struct {
			tree git.ID
			at   treepath.Entry
		}
		for i, commit := range commits {
			c, err := git.ParseCommit(r.Format, r.Objects[r.Parse(t, commit)].Data)
			if err != nil {
				t.Fatal(err)
			}
			at, err := finder.Find(ctx, c.Tree)
			if err != nil {
				t.Fatal(err)
			}
			// Git does not print the id of a submodule's commit, which is not there.
			if at.Mode != git.ModeSubmodule {
				line := asked[i*len(paths)+p] + " missing"
				if at.Exists() {
					line = r.Format.Hex(at.ID)
					found++
				}
				if line != want[i*len(paths)+p] {
					t.Errorf("%s:%s is %s, want %s", commit, path, line, want[i*len(paths)+p])
				}
			}
			differs, err := finder.Differ(ctx, before.tree, c.Tree)
			if err != nil {
				t.Fatal(err)
			}
			if differs != (at != before.at) {
				t.Errorf("%s differs at %s: %v; it was %v and is %v", commit, path, differs, before.at, at)
			}
			before.tree, before.at = c.Tree, at
		}
	}
	if found < 50 {
		t.Errorf("only %d found", found)
	}
}

func TestErrors(t *testing.T) {
	ctx := context.Background()
	for _, path := range []string{"/", "//", "a//b", "/a", "a//", "a\x00", strings.Repeat("a", treepath.MaxPath+1)} {
		if _, err := treepath.New(git.Memory{}, git.SHA1, path); !errors.Is(err, treepath.ErrPath) {
			t.Errorf("path %.9q: %v", path, err)
		}
	}
	objects := git.Memory{}
	put := func(n byte, kind git.Kind, data string) git.ID {
		o := objects[git.ID{n}]
		o.Kind, o.Data = kind, []byte(data)
		objects[git.ID{n}] = o
		return git.ID{n}
	}
	f, err := treepath.New(objects, git.SHA1, "a/b")
	if err != nil {
		t.Fatal(err)
	}
	for tree, want := range map[git.ID]error{
		put(1, git.KindTree, "no tree"):                                        git.ErrCorrupt,
		put(2, git.KindBlob, ""):                                               git.ErrCorrupt,
		put(3, git.KindTree, "40000 a\x00\x09"+strings.Repeat("\x00", 19)):     git.ErrNotFound,
		put(4, git.KindTree, "40000 a\x00\x02"+strings.Repeat("\x00", 19)):     git.ErrCorrupt,
		put(5, git.KindTree, "100644 a\x00\x02"+strings.Repeat("\x00", 19)):    nil,
		put(6, git.KindTree, "40755 a\x00\x06"+strings.Repeat("\x00", 19)[:9]): git.ErrCorrupt,
	} {
		if _, err := f.Find(ctx, tree); !errors.Is(err, want) {
			t.Errorf("tree %d: %v, want %v", tree[0], err, want)
		}
		if _, err := f.Differ(ctx, git.ID{}, tree); !errors.Is(err, want) {
			t.Errorf("tree %d: %v, want %v", tree[0], err, want)
		}
	}
}

func ExampleFinder() {
	objects := git.Memory{}
	data := git.AppendTree(git.SHA1, nil, []git.Entry{{Mode: git.ModeExecutable, Name: "run", ID: git.ID{7}}})
	tree, err := git.NewHasher(git.SHA1).Hash(git.KindTree, data)
	if err != nil {
		panic(err)
	}
	o := objects[tree]
	o.Kind, o.Data = git.KindTree, data
	objects[tree] = o

	finder, err := treepath.New(objects, git.SHA1, "run")
	if err != nil {
		panic(err)
	}
	at, err := finder.Find(context.Background(), tree)
	fmt.Printf("%o %s %v\n", at.Mode, at.ID, err)
	// Output: 100755 0700000000000000000000000000000000000000 <nil>
}
