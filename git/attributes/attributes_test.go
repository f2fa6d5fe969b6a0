package attributes_test

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/ingot-forge/ingot/git"
	"github.com/ingot-forge/ingot/git/attributes"
	"github.com/ingot-forge/ingot/git/gittest"
)

// compare asks git for all attributes of paths, and of their directories.
func compare(t *testing.T, files map[string]string, paths []string) {
	t.Helper()
	var s gittest.Stream
	s.Commit("main", "A <a@example.com>", 1, 1, "attributes")
	for path, content := range files {
		s.File("100644", path, content)
	}
	r := gittest.New(t, git.SHA1, s.String())
	r.Stock(t, nil, "read-tree", "main")
	for _, p := range slices.Clone(paths) {
		for i := range len(p) {
			if p[i] == '/' {
				paths = append(paths, p[:i+1])
			}
		}
	}
	slices.Sort(paths)
	paths = slices.Compact(paths)
	out := r.Stock(t, strings.NewReader(strings.Join(paths, "\x00")+"\x00"), "check-attr", "--cached", "-z", "-a", "--stdin")
	want := map[string][]string{}
	for f := strings.Split(out, "\x00"); len(f) > 3; f = f[3:] {
		want[f[0]] = append(want[f[0]], f[1]+"="+f[2])
	}
	tree := attributes.NewTree(r.Objects, git.SHA1, r.ID(t, "main^{tree}"))
	for _, p := range paths {
		values, err := tree.Of(context.Background(), p)
		if err != nil {
			t.Fatal(err)
		}
		var got []string
		for name, v := range values {
			got = append(got, name+"="+v.String())
		}
		slices.Sort(got)
		slices.Sort(want[p])
		if !slices.Equal(got, want[p]) {
			t.Errorf("%q: %q, git %q\nfiles %q", p, got, want[p], files)
		}
	}
}

func TestAsGit(t *testing.T) {
	compare(t, map[string]string{
		".gitattributes": strings.Join([]string{
			"# comment", "*.c diff=cpp", "*.png binary", "a* -x y", "  \t/top  one", "sub/ two", "sub/* three", "sub/** four", "**/deep five",
			"sub/**/z six=1", "*.C upper", "\"with space\" q", `"tab\there" t`, `"oct\303\274" o`, `"bad\q" b`, "!neg n", `\!neg n`, "[attr]mac p -q r=5 x",
			"*.m mac", "*.n -mac p=2", "*.o mac !p", "crlf c\r", "x -=v", "x=1 ok", "val v=a=b w=", "-dash d", "name -bad-name- ok", "name =x", "foo -bar=baz",
			"[attr]binary changed", "[attr]-no a", "sub/x*/y seven", "sub** eight", "/sub/a eight2", "dir/ only", strings.Repeat("z", 2050) + " long",
			"[attr] notmacro", "[a-c]x cls", "un!set a !a a", "?? twochars", "last/", "nul ok\x00 no",
		}, "\n"),
		"sub/.gitattributes":   "*.c diff=other -text\n/a nine\nb/c ten\n[attr]nope x\n*.m !mac r\nz/ eleven\n*.c !diff",
		"sub/b/.gitattributes": "* twelve\n*.c diff\n/c -ten\n../x up",
		"sub/b/c":              "", "sub/a": "", "x.c": "",
	}, []string{"a", "b", "a.c", "a.png", "sub/a", "sub/b/c", "sub/b/x.c", "sub/x.c", "sub/z/a", "sub/q/z", "sub/b/z/k", "top", "sub/top", "deep",
		"sub/deep", "x/y/deep/k", "X.C", "x.C", "with space", "tab\there", "octü", `"bad\q"`, "!neg", "neg", "a.m", "sub/a.m", "a.n", "a.o", "crlf", "x",
		"x=1", "val", "-dash", "name", "foo", "sub/xx/y", "subway", "subway/z", "dir/x", "dir", "dir/dir/dir", "ax", "bx/y", "un!set", "ab", "nul", "last/x",
		strings.Repeat("z", 2050), "[attr]", "sub/b/.gitattributes"})
	compare(t, map[string]string{"x": "no attributes at all"}, []string{"x", "a/b"})
}

func TestRandomAsGit(t *testing.T) {
	r := rand.New(rand.NewPCG(13, 14))
	parts := []string{"a", "b", "c", "/", "*", "**", "?", "**/", "/**", "[ab]", ".c", `\a`, "[!a]"}
	names := []string{"x", "y", "-x", "!x", "x=1", "m", "-m", "!y", "y=2", "n"}
	for range 25 {
		file := func(root bool) string {
			var b strings.Builder
			if root {
				b.WriteString("[attr]m x -y\n[attr]n m z\n")
			}
			for range 1 + r.IntN(12) {
				for range 1 + r.IntN(4) {
					b.WriteString(parts[r.IntN(len(parts))])
				}
				for range 1 + r.IntN(3) {
					b.WriteString(" " + names[r.IntN(len(names))])
				}
				b.WriteString("\n")
			}
			return b.String()
		}
		files := map[string]string{".gitattributes": file(true), "a/.gitattributes": file(false), "a/b/.gitattributes": file(false)}
		var paths []string
		for range 60 {
			var p []string
			for range 1 + r.IntN(4) {
				p = append(p, []string{"a", "b", "c", "ab", "a.c", "b.c"}[r.IntN(6)])
			}
			paths = append(paths, strings.Join(p, "/"))
		}
		compare(t, files, paths)
	}
}

func TestErrors(t *testing.T) {
	objects := git.Memory{}
	large := gittest.Put(objects, git.KindBlob, []byte(strings.Repeat("a b\n", attributes.MaxBytes/4+1)))
	make := func(mode git.Mode, id git.ID) git.ID {
		return gittest.Put(objects, git.KindTree, git.AppendTree(git.SHA1, nil, []git.Entry{{Mode: mode, Name: attributes.FileName, ID: id}}))
	}
	ask := func(root git.ID) error {
		_, err := attributes.NewTree(objects, git.SHA1, root).Of(context.Background(), "a/b")
		return err
	}
	var limit *attributes.LimitError
	if err := ask(make(git.ModeBlob, large)); !errors.As(err, &limit) {
		t.Errorf("a large file: %v", err)
	}
	if err := ask(make(git.ModeBlob, git.ID{1})); !errors.Is(err, git.ErrNotFound) {
		t.Errorf("a missing file: %v", err)
	}
	if err := ask(make(git.ModeBlob, make(git.ModeBlob, large))); !errors.Is(err, git.ErrCorrupt) {
		t.Errorf("a tree for a file: %v", err)
	}
	if err := ask(large); !errors.Is(err, git.ErrCorrupt) {
		t.Errorf("a blob for a tree: %v", err)
	}
	for _, id := range []git.ID{{}, make(git.ModeSymlink, large), make(git.ModeTree, make(git.ModeBlob, large))} {
		if err := ask(id); err != nil {
			t.Errorf("%s: %v", id, err)
		}
	}
}

func TestText(t *testing.T) {
	objects := git.Memory{}
	commit := gittest.PutCommit(objects, "ada", attributes.FileName, "a diff\nb -diff\nc diff=cpp\nd binary\n", "start", 1)
	c, err := git.ParseCommit(git.SHA1, objects[commit].Data)
	if err != nil {
		t.Fatal(err)
	}
	tree := attributes.NewTree(objects, git.SHA1, c.Tree)
	for path, want := range map[string]string{"a": "true true ", "b": "false true ", "c": "false false cpp", "d": "false true ", "e": "false false "} {
		v, err := tree.Of(context.Background(), path)
		if err != nil {
			t.Fatal(err)
		}
		text, known := v.Text()
		if got := fmt.Sprintf("%v %v %s", text, known, v.Driver()); got != want {
			t.Errorf("%s: %q, want %q", path, got, want)
		}
	}
}

func FuzzParse(f *testing.F) {
	f.Add([]byte("*.c diff=cpp\n[attr]x y\n\"a\\303\" -z"), "a/b.c")
	f.Fuzz(func(t *testing.T, data []byte, path string) {
		objects := git.Memory{}
		root := gittest.Put(objects, git.KindTree, git.AppendTree(git.SHA1, nil, []git.Entry{
			{Mode: git.ModeBlob, Name: attributes.FileName, ID: gittest.Put(objects, git.KindBlob, data)}}))
		values, err := attributes.NewTree(objects, git.SHA1, root).Of(context.Background(), path)
		if err != nil {
			t.Fatal(err)
		}
		for name, v := range values {
			if v.State == attributes.Unspecified || name == "" {
				t.Fatalf("%q: %v", name, v)
			}
		}
	})
}

func ExampleTree() {
	objects := git.Memory{}
	commit := gittest.PutCommit(objects, "ada", ".gitattributes", "*.png binary\nmake.log export-ignore\n", "start", 1)
	c, err := git.ParseCommit(git.SHA1, objects[commit].Data)
	if err != nil {
		panic(err)
	}
	tree := attributes.NewTree(objects, git.SHA1, c.Tree)
	image, err := tree.Of(context.Background(), "doc/logo.png")
	fmt.Println(image["diff"], image["export-ignore"], err)
	// Output: unset unspecified <nil>
}
