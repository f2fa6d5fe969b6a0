package commitgraph_test

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"

	"github.com/ingot-forge/ingot/git"
)

// repository is a bare repository of stock git with all its objects in memory.
type repository struct {
	format  git.Format
	dir     string
	objects git.Memory
	tips    []git.ID
}

// stock runs git, the oracle, and returns its output.
func (r *repository) stock(t testing.TB, stdin io.Reader, args ...string) []byte {
	t.Helper()
	return r.stockWith(t, nil, stdin, args...)
}

func (r *repository) stockWith(t testing.TB, env []string, stdin io.Reader, args ...string) []byte {
	t.Helper()
	cmd := exec.Command("git", append([]string{"-c", "init.defaultBranch=main"}, args...)...)
	cmd.Dir = r.dir
	cmd.Stdin = stdin
	cmd.Env = append([]string{"PATH=" + os.Getenv("PATH"), "HOME=/nonexistent", "LC_ALL=C",
		"GIT_CONFIG_NOSYSTEM=1", "GIT_CONFIG_GLOBAL=/dev/null",
		"GIT_AUTHOR_NAME=A", "GIT_AUTHOR_EMAIL=a@example.com", "GIT_AUTHOR_DATE=1700000000 +0000",
		"GIT_COMMITTER_NAME=C", "GIT_COMMITTER_EMAIL=c@example.com", "GIT_COMMITTER_DATE=1700000000 +0000"}, env...)
	var errs bytes.Buffer
	cmd.Stderr = &errs
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("git %s: %v: %s", strings.Join(args, " "), err, errs.Bytes())
	}
	return out
}

// newRepository runs a stream through git fast-import.
func newRepository(t testing.TB, f git.Format, stream string) *repository {
	t.Helper()
	r := &repository{format: f, dir: t.TempDir()}
	r.stock(t, nil, "init", "-q", "--bare", "--object-format="+f.String())
	r.stock(t, strings.NewReader(stream), "fast-import", "--quiet", "--force")
	r.load(t)
	return r
}

// load reads every object and where the refs point.
func (r *repository) load(t testing.TB) {
	t.Helper()
	r.objects, r.tips = git.Memory{}, nil
	out := r.stock(t, nil, "cat-file", "--batch", "--batch-all-objects", "--buffer")
	for len(out) > 0 {
		line, rest, _ := bytes.Cut(out, []byte{'\n'})
		fields := strings.Fields(string(line))
		kind, err := git.ParseKind(fields[1])
		if err != nil {
			t.Fatal(err)
		}
		size, err := strconv.Atoi(fields[2])
		if err != nil {
			t.Fatal(err)
		}
		o := r.objects[r.parse(t, fields[0])]
		o.Kind, o.Data = kind, rest[:size:size]
		r.objects[r.parse(t, fields[0])] = o
		out = rest[size+1:]
	}
	for _, hex := range strings.Fields(string(r.stock(t, nil, "for-each-ref", "--format=%(objectname)"))) {
		r.tips = append(r.tips, r.parse(t, hex))
	}
}

func (r *repository) parse(t testing.TB, hex string) git.ID {
	t.Helper()
	id, err := r.format.Parse(hex)
	if err != nil {
		t.Fatal(err)
	}
	return id
}

// id returns what a name stands for.
func (r *repository) id(t testing.TB, name string) git.ID {
	t.Helper()
	return r.parse(t, strings.TrimSpace(string(r.stock(t, nil, "rev-parse", name))))
}

// stockGraph is the commit graph that git writes, which it no longer has after.
func (r *repository) stockGraph(t testing.TB) []byte {
	t.Helper()
	r.stock(t, nil, "commit-graph", "write", "--reachable", "--changed-paths", "--no-progress")
	file := filepath.Join(r.dir, "objects/info/commit-graph")
	data, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.Remove(file); err != nil {
		t.Fatal(err)
	}
	return data
}

// varied returns the repository of variety, made once for each format: it is only read,
// but for objects/info, of which each test that writes there makes a copy.
func varied(t testing.TB, f git.Format) *repository {
	t.Helper()
	made.Lock()
	defer made.Unlock()
	if made.dir == "" {
		dir, err := os.MkdirTemp("", "commitgraph")
		if err != nil {
			t.Fatal(err)
		}
		made.dir = dir
	}
	if made.varied[f] == nil {
		r := newRepository(t, f, variety())
		dir := filepath.Join(made.dir, f.String())
		if err := os.CopyFS(dir, os.DirFS(r.dir)); err != nil {
			t.Fatal(err)
		}
		r.dir = dir
		made.varied[f] = r
	}
	r := *made.varied[f]
	r.dir = t.TempDir()
	if err := os.CopyFS(r.dir, os.DirFS(made.varied[f].dir)); err != nil {
		t.Fatal(err)
	}
	return &r
}

var made struct {
	sync.Mutex
	dir    string
	varied [2]*repository // by format
}

func TestMain(m *testing.M) {
	code := m.Run()
	if made.dir != "" {
		os.RemoveAll(made.dir)
	}
	os.Exit(code)
}

// stream writes what git fast-import reads.
type stream struct {
	strings.Builder
	mark int
}

// commit starts a commit on a branch, whose parents are marks (none: an orphan), and
// returns its mark.
func (s *stream) commit(branch string, seconds int64, parents ...int) int {
	s.mark++
	fmt.Fprintf(s, "reset refs/heads/%s\ncommit refs/heads/%s\nmark :%d\ncommitter C <c@example.com> %d +0000\ndata 1\n%d\n",
		branch, branch, s.mark, seconds, s.mark%10)
	for i, p := range parents {
		fmt.Fprintf(s, "%s :%d\n", []string{"from", "merge"}[min(i, 1)], p)
	}
	return s.mark
}

func (s *stream) file(mode, path string, content any) {
	text := fmt.Sprint(content)
	fmt.Fprintf(s, "M %s inline %q\ndata %d\n%s\n", mode, path, len(text), text)
}

// variety is a history with everything that a commit graph has a special case for.
func variety() string {
	s := new(stream)
	at := int64(1_700_000_000)
	root := s.commit("main", at)
	s.file("644", "README", 1)
	s.file("644", "src/deep/er/file.c", 1)
	last := root
	for i := range 120 {
		at += 60
		last = s.commit("main", at, last)
		s.file("644", fmt.Sprintf("src/dir%d/file%d.c", i%7, i%13), i)
		if i%10 == 0 {
			s.file("644", "src/deep/er/file.c", i)
		}
	}
	last = s.commit("main", at+1, last) // nothing changed
	last = s.commit("main", at+2, last)
	s.file("755", "README", 1) // only its mode
	last = s.commit("main", at+3, last)
	s.WriteString("D README\n")
	s.file("644", "README/now/a/directory", 1) // and the paths of both
	last = s.commit("main", at+4, last)
	s.WriteString("D README\n")
	s.file("120000", "README", "src") // and back, to a link
	last = s.commit("main", at+5, last)
	s.WriteString("M 160000 :1 vendor/module\n") // a submodule, of whatever commit
	last = s.commit("main", at+6, last)
	for _, name := range []string{"ü", "übung/größe.txt", "日本語/ファイル", "\x80\xff\x7f", "a\xffb", "ab\xff", "abc\xff"} {
		s.file("644", name, 1)
	}
	for n := 509; n <= 514; n++ { // just few and just too many, alone and by their directories
		last = s.commit("main", at+int64(n), last)
		for i := range n {
			s.file("644", fmt.Sprintf("n%d-%d", n, i), 1)
		}
		last = s.commit("main", at+int64(n), last)
		for i := range n - 10 {
			s.file("644", fmt.Sprintf("many/%d/dir%d/file%d", n, i%8, i), 1)
		}
	}
	last = s.commit("main", at+600, last)
	s.WriteString("D many\n")

	other := s.commit("other", at) // a second root, of another name
	s.file("644", "other", 1)
	var sides []int
	for i := range 5 {
		sides = append(sides, s.commit(fmt.Sprintf("side%d", i), at+700+int64(i), last))
		s.file("644", fmt.Sprintf("side/%d", i), 1)
	}
	last = s.commit("main", at+800, last, other)
	s.file("644", "other", 1)
	last = s.commit("main", at+810, append([]int{last}, sides...)...)
	last = s.commit("main", at+820, last, sides[1], sides[3])
	s.file("644", "merged", 1)

	last = s.commit("main", 0, last) // without a time, and long before its parent
	s.file("644", "early", 1)
	last = s.commit("main", at-5000, last)
	last = s.commit("main", 1<<33+7, last) // more than 32 bits
	s.file("644", "late", 1)
	last = s.commit("main", 5, last) // and more than 31 to correct
	for i := range 3 {
		last = s.commit("main", at+int64(i), last)
		s.file("644", "late", i)
	}
	fmt.Fprintf(s, "tag v1\nfrom :%d\ntagger T <t@example.com> 1700000000 +0000\ndata 2\nv1\n", last)
	s.mark++
	fmt.Fprintf(s, "blob\nmark :%d\ndata 4\nlost\n", s.mark)
	fmt.Fprintf(s, "tag blob\nfrom :%d\ntagger T <t@example.com> 1700000000 +0000\ndata 2\nv2\n", s.mark)
	s.WriteString("done\n")
	return s.String()
}

// reads counts the objects read.
type reads struct {
	git.Objects
	sync.Mutex
	kinds map[git.Kind]int
}

func (r *reads) Object(ctx context.Context, id git.ID) (git.Kind, []byte, error) {
	kind, data, err := r.Objects.Object(ctx, id)
	r.Lock()
	defer r.Unlock()
	r.kinds[kind]++
	return kind, data, err
}
