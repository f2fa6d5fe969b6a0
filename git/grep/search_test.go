package grep_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"reflect"
	"strings"
	"testing"

	"github.com/ingot-forge/ingot/git"
	"github.com/ingot-forge/ingot/git/gittest"
	"github.com/ingot-forge/ingot/git/grep"
	"github.com/ingot-forge/ingot/git/pathspec"
)

// world is a tree with everything that files can be.
func world(t testing.TB, f git.Format) (r *gittest.Repository, tree git.ID) {
	t.Helper()
	random := rand.New(rand.NewPCG(9, 10))
	var s gittest.Stream
	s.Commit("main", "A <a@example.com>", 1, 1, "files")
	long := strings.Repeat("foo bar a.b ", 1<<12)
	for path, content := range map[string]string{
		"empty": "", "newline": "\n", "newlines": "\n\n\n", "none": "foo", "crlf": "foo\r\n\r\nbar\r\nfoo bar",
		"latin": "f\xfc\xfc foo\nb\xe4r\n\xff\xfe\n", "long": long + "\n" + long + "x", "two": "foo\nbar\n", "dir/two": "foo\nbar\n",
		"dir.c": "foo a_b\n", "dir/a/b/c": "a.b\nfoo\n\nxx\n", "dir0": "bar\n", "zero": "foo\x00\nfoo\n",
		"late": strings.Repeat("foo line\n", 1000) + "foo bar foo \x00 foo bar foo\nbar\n", "just": strings.Repeat("x", 7999) + "\x00\nfoo\n",
		"übung/größe": "größe foo\nÜBUNG\n", "a b/c d": "bar\tfoo\n",
	} {
		s.File("100644", path, content)
	}
	for i := range 60 {
		s.File([]string{"100644", "100755"}[i%2], fmt.Sprintf("random/%d/%d.%s", i%7, i, []string{"c", "h", "txt"}[i%3]),
			string(randomText(random, random.IntN(400))))
	}
	s.File("120000", "link", "foo bar")
	fmt.Fprintf(&s, "M 160000 %s sub\n", strings.Repeat("1", f.HexSize()))
	r = gittest.New(t, f, s.String())
	return r, r.ID(t, "main^{tree}")
}

// show writes what was found as git grep does.
func show(t testing.TB, r *gittest.Repository, tree git.ID, q grep.Query) string {
	t.Helper()
	var b bytes.Buffer
	_, err := grep.Search(context.Background(), r.Objects, r.Format, tree, q, func(m *grep.FileMatch) error {
		if q.Context > 0 && b.Len() > 0 {
			b.WriteString("--\n")
		}
		for i, l := range m.Lines {
			if i > 0 && l.Number != m.Lines[i-1].Number+1 && q.Context > 0 {
				b.WriteString("--\n")
			}
			separator := ':'
			if !l.Match {
				separator = '-'
			}
			fmt.Fprintf(&b, "main:%s%c%d%c%s\n", m.Path, separator, l.Number, separator, l.Text)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return b.String()
}

func specs(t testing.TB, paths ...string) pathspec.Specs {
	t.Helper()
	s, err := pathspec.Parse(paths)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// equal compares a search with git's.
func equal(t *testing.T, r *gittest.Repository, tree git.ID, pattern string, o grep.PatternOptions, context int, paths ...string) {
	t.Helper()
	args := []string{"-c", "core.quotePath=false", "grep", "-I", "-n", map[bool]string{true: "-F", false: "-E"}[o.Fixed], fmt.Sprintf("-C%d", context)}
	if o.IgnoreCase {
		args = append(args, "-i")
	}
	args = append(append(args, "-e", pattern, "main", "--"), paths...)
	want, errs, err := r.Try(nil, args...)
	if err != nil && (want != "" || errs != "") {
		t.Fatalf("%v: %v: %s", args, err, errs)
	}
	got := show(t, r, tree, grep.Query{Pattern: compile(t, pattern, o), Context: context, Paths: specs(t, paths...), LineBytes: 1 << 20})
	if got != want {
		a, b := strings.Split(got, "\n"), strings.Split(want, "\n")
		for i := range min(len(a), len(b)) {
			if a[i] != b[i] {
				t.Fatalf("%q: line %d: %.200q, git %.200q", args, i+1, a[i], b[i])
			}
		}
		t.Fatalf("%q: %d lines, git %d", args, len(a), len(b))
	}
}

func TestSearchAsGit(t *testing.T) {
	for _, f := range []git.Format{git.SHA1, git.SHA256} {
		r, tree := world(t, f)
		for _, pattern := range []string{"foo", "foo$", "^foo", "fo+ b", "a.b", "[^a-z]$", "bar|zzz", "größe", "x{3}", "^.{7,9}$", "", "nowhere",
			"\xff"} {
			for _, o := range []grep.PatternOptions{{}, {IgnoreCase: true}, {Fixed: true}} {
				if pattern == "\xff" && (!o.Fixed || o.IgnoreCase) {
					continue
				}
				equal(t, r, tree, pattern, o, 0)
			}
			if pattern != "\xff" {
				equal(t, r, tree, pattern, grep.PatternOptions{}, 2)
			}
		}
		for _, paths := range [][]string{{"dir"}, {"dir/"}, {"dir/a/b/c", "two"}, {"*.c"}, {"random/3", "random/*.h"}, {"link", "sub"},
			{"di"}, {"dir/a*c"}, {"random/[12]/*"}, {"./dir//two"}} {
			equal(t, r, tree, "foo", grep.PatternOptions{}, 1, paths...)
		}
		if f == git.SHA1 {
			random := rand.New(rand.NewPCG(11, 12))
			for range 60 {
				equal(t, r, tree, strings.ReplaceAll(randomPattern(random, 3), "$|", "|"),
					grep.PatternOptions{IgnoreCase: random.IntN(3) == 0}, random.IntN(3))
			}
		}
	}
}

// TestPages puts answers with all kinds of bounds together to one without.
func TestPages(t *testing.T) {
	r, tree := world(t, git.SHA1)
	pattern := compile(t, "foo|bar", grep.PatternOptions{})
	type match struct {
		path string
		line grep.Line
	}
	collect := func(q grep.Query) (all []match, pages int) {
		q.Pattern = pattern
		for {
			n := 0
			result, err := grep.Search(context.Background(), r.Objects, r.Format, tree, q, func(m *grep.FileMatch) error {
				for _, l := range m.Lines {
					if l.Match {
						all = append(all, match{m.Path, l})
						n++
					}
				}
				return nil
			})
			if err != nil {
				t.Fatal(err)
			}
			if pages++; result.Matches != n || q.Matches > 0 && n > q.Matches {
				t.Fatalf("%+v: %d matches, %d told", q, n, result.Matches)
			}
			if result.Stopped == "" {
				return all, pages
			}
			if result.Next == q.After {
				t.Fatalf("%+v: no further than %+v", q, result.Next)
			}
			q.After = result.Next
		}
	}
	want, _ := collect(grep.Query{})
	if len(want) < 1000 {
		t.Fatalf("only %d matches", len(want))
	}
	for _, q := range []grep.Query{{Matches: 1}, {Matches: 7}, {Matches: 100, Context: 3}, {Files: 1}, {Files: 5}, {Bytes: 1}, {Bytes: 3000},
		{Matches: 3, Files: 3, Bytes: 100}, {Workers: 1, Matches: 50}, {Workers: 9}} {
		got, pages := collect(q)
		if !reflect.DeepEqual(got, want) {
			t.Errorf("%+v: %d matches in %d pages are not the %d of one", q, len(got), pages, len(want))
		}
		if pages == 1 && (q.Matches > 0 || q.Files > 0 || q.Bytes > 0) {
			t.Errorf("%+v: one page", q)
		}
	}
}

func TestBounds(t *testing.T) {
	objects := git.Memory{}
	var entries []git.Entry
	add := func(name, content string) {
		entries = append(entries, git.Entry{Mode: git.ModeBlob, Name: name, ID: gittest.Put(objects, git.KindBlob, []byte(content))})
	}
	add("a", strings.Repeat("x", 50)+"foo\n")
	add("b", strings.Repeat("foo bar\n", 100_000))
	add("c", "foo\x00")
	tree := gittest.Put(objects, git.KindTree, git.AppendTree(git.SHA1, nil, entries))
	p := compile(t, "foo", grep.PatternOptions{})
	search := func(q grep.Query) (files []grep.FileMatch, result grep.Result) {
		q.Pattern = p
		result, err := grep.Search(context.Background(), objects, git.SHA1, tree, q, func(m *grep.FileMatch) error {
			files = append(files, *m)
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
		return files, result
	}
	files, _ := search(grep.Query{LineBytes: 10, BlobBytes: 1000})
	if len(files) != 2 || string(files[0].Lines[0].Text) != "xxxxxxxxxx" || !files[0].Lines[0].Clipped || !files[1].TooLarge || files[1].Lines != nil {
		t.Errorf("clipped and too large: %+v", files)
	}
	header := func(_ context.Context, id git.ID) (git.Kind, int64, error) {
		return objects[id].Kind, int64(len(objects[id].Data)), nil
	}
	if files, result := search(grep.Query{BlobBytes: 1000, Header: header}); len(files) != 2 || !files[1].TooLarge || result.Bytes > 1000 {
		t.Errorf("with headers: %+v, %+v", files, result)
	}
	files, result := search(grep.Query{})
	if result.Stopped != grep.StoppedByMatches || result.Next.Path != "b" || result.Next.Line != len(files[1].Lines) || len(files[1].Lines) > 20_000 {
		t.Errorf("a file that shows too much: %+v", result)
	}
	files, _ = search(grep.Query{BlobBytes: 1000, Text: func(path string) (bool, bool) { return path == "c", true }})
	if len(files) != 1 || files[0].Path != "c" {
		t.Errorf("told what is text: %+v", files)
	}
}

func TestErrors(t *testing.T) {
	objects := git.Memory{}
	blob := gittest.Put(objects, git.KindBlob, []byte("foo\n"))
	tree := gittest.Put(objects, git.KindTree, git.AppendTree(git.SHA1, nil, []git.Entry{{Mode: git.ModeBlob, Name: "a", ID: blob}}))
	lost := gittest.Put(objects, git.KindTree, git.AppendTree(git.SHA1, nil, []git.Entry{
		{Mode: git.ModeBlob, Name: "a", ID: blob}, {Mode: git.ModeBlob, Name: "b", ID: git.ID{1}}}))
	wrong := gittest.Put(objects, git.KindTree, git.AppendTree(git.SHA1, nil, []git.Entry{{Mode: git.ModeBlob, Name: "a", ID: tree}}))
	broken := gittest.Put(objects, git.KindTree, []byte("100644 x"))
	p := compile(t, "foo", grep.PatternOptions{})
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	stop := errors.New("stop")
	for _, c := range []struct {
		name string
		ctx  context.Context
		tree git.ID
		want error
	}{
		{"missing blob", context.Background(), lost, git.ErrNotFound},
		{"tree for a blob", context.Background(), wrong, git.ErrCorrupt},
		{"blob for a tree", context.Background(), blob, git.ErrCorrupt},
		{"no tree", context.Background(), broken, git.ErrCorrupt},
		{"cancelled", ctx, tree, context.Canceled},
		{"visit", context.Background(), tree, stop},
	} {
		_, err := grep.Search(c.ctx, objects, git.SHA1, c.tree, grep.Query{Pattern: p}, func(*grep.FileMatch) error { return stop })
		if !errors.Is(err, c.want) {
			t.Errorf("%s: %v, want %v", c.name, err, c.want)
		}
	}
	for _, q := range []grep.Query{{}, {Pattern: p, Context: -1}, {Pattern: p, Context: grep.MaxContext + 1}} {
		if _, err := grep.Search(context.Background(), objects, git.SHA1, tree, q, nil); err == nil {
			t.Errorf("%+v: no error", q)
		}
	}
}

// TestBomb searches a tree that names itself ten thousand million times.
func TestBomb(t *testing.T) {
	objects := git.Memory{}
	id, mode := gittest.Put(objects, git.KindBlob, []byte("nothing\n")), git.ModeBlob
	for range 10 {
		var entries []git.Entry
		for i := range 10 {
			entries = append(entries, git.Entry{Mode: mode, Name: fmt.Sprint(i), ID: id})
		}
		id, mode = gittest.Put(objects, git.KindTree, git.AppendTree(git.SHA1, nil, entries)), git.ModeTree
	}
	q := grep.Query{Pattern: compile(t, "foo", grep.PatternOptions{}), Files: 20_000}
	result, err := grep.Search(context.Background(), objects, git.SHA1, id, q, nil)
	if err != nil || result.Stopped != grep.StoppedByFiles || result.Files != 20_000 || result.Next.Path == "" {
		t.Errorf("%+v, %v", result, err)
	}
}

func ExampleSearch() {
	objects := git.Memory{}
	commit := gittest.PutCommit(objects, "ada", "book.txt", "one\ntwo\nthree\n", "start", 1)
	c, err := git.ParseCommit(git.SHA1, objects[commit].Data)
	if err != nil {
		panic(err)
	}
	pattern, err := grep.Compile("^T.*o$", grep.PatternOptions{IgnoreCase: true})
	if err != nil {
		panic(err)
	}
	_, err = grep.Search(context.Background(), objects, git.SHA1, c.Tree, grep.Query{Pattern: pattern}, func(m *grep.FileMatch) error {
		for _, l := range m.Lines {
			fmt.Printf("%s:%d: %s\n", m.Path, l.Number, l.Text)
		}
		return nil
	})
	fmt.Println(err)
	// Output:
	// book.txt:2: two
	// <nil>
}
