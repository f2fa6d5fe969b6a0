package merge_test

import (
	"context"
	"os/exec"
	"strings"
	"testing"

	"github.com/ingot-forge/ingot/git"
	"github.com/ingot-forge/ingot/git/merge"
)

// TestFavor compares with git merge in a work tree, where it takes -X and attributes.
func TestFavor(t *testing.T) {
	f := numbered("f", 12)
	attributes := text("u merge=union", "b merge=binary", "m conflict-marker-size=10")
	three := func(name string, old, ours, theirs file) scenario {
		return scenario{name, files{name: old, ".gitattributes": attributes}, files{name: ours, ".gitattributes": attributes},
			files{name: theirs, ".gitattributes": attributes}}
	}
	var scenarios []scenario
	for _, name := range []string{"f", "u", "b", "m"} {
		scenarios = append(scenarios, three(name, f, f.with(" 3\n", " three\n"), f.with(" 3\n", " III\n")))
	}
	scenarios = append(scenarios,
		three("bin", file{git.ModeBlob, "a\x00"}, file{git.ModeBlob, "b\x00"}, file{git.ModeBlob, "c\x00"}),
		three("link", link("a"), link("b"), link("c")),
		three("f2", f, f.with(" 3\n", " three\n").as(git.ModeExecutable), f.with(" 3\n", " III\n")))
	r := store(t, git.SHA1, scenarios)
	w := newWorkTree(t, r)
	for _, x := range []struct {
		favor  merge.Favor
		option string
	}{{merge.NoFavor, ""}, {merge.FavorOurs, "-Xours"}, {merge.FavorTheirs, "-Xtheirs"}} {
		for i, s := range scenarios {
			w.run("checkout", "-q", "-f", "--detach", "origin/"+branch("ours", i))
			args := []string{"merge", "--no-commit", "-q", "origin/" + branch("theirs", i)}
			if x.option != "" {
				args = append(args, x.option)
			}
			_, err := w.try(args...)
			tree := ""
			if err == nil {
				tree = w.run("write-tree")
			} else if _, isExit := err.(*exec.ExitError); isExit {
				tree = w.run("rev-parse", "AUTO_MERGE")
			}
			result, mergeErr := merge.Trees(context.Background(), r.Objects, git.SHA1, treeOf(t, r, branch("base", i)),
				treeOf(t, r, branch("ours", i)), treeOf(t, r, branch("theirs", i)), merge.Options{Favor: x.favor,
					Ours: "HEAD", Theirs: "origin/" + branch("theirs", i), Attributes: attributesOf})
			if mergeErr != nil {
				t.Fatal(mergeErr)
			}
			if got := git.SHA1.Hex(result.Tree); got != tree || result.Clean != (err == nil) {
				t.Errorf("%s %s: tree %s, clean %v; want %s, %v", s.name, x.option, got, result.Clean, tree, err)
			}
			for _, n := range result.NotesOn(s.name) {
				if n.Topic.IsConflict() && result.Clean {
					t.Errorf("%s %s: clean, but %v", s.name, x.option, n)
				}
			}
			w.try("merge", "--abort")
			w.run("reset", "-q", "--hard")
		}
	}
}

func attributesOf(path string) (a merge.Attributes) {
	switch {
	case path == "u":
		a.Driver = merge.UnionDriver
	case path == "b":
		a.Driver = merge.BinaryDriver
	case strings.HasPrefix(path, "m"):
		a.MarkerSize = 10
	}
	return a
}
