package pack_test

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"maps"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"

	"github.com/ingot-forge/ingot/git"
	"github.com/ingot-forge/ingot/git/pack"
)

// stockGit runs git, the oracle, in dir and returns its output.
func stockGit(t testing.TB, dir string, stdin io.Reader, args ...string) []byte {
	t.Helper()
	out, err := tryGit(dir, stdin, args...)
	if err != nil {
		t.Fatalf("git %s: %v", strings.Join(args, " "), err)
	}
	return out
}

func tryGit(dir string, stdin io.Reader, args ...string) ([]byte, error) {
	cmd := exec.Command("git", append([]string{"-c", "init.defaultBranch=main"}, args...)...)
	cmd.Dir = dir
	cmd.Stdin = stdin
	cmd.Env = append(os.Environ(), "GIT_CONFIG_NOSYSTEM=1", "GIT_CONFIG_GLOBAL=/dev/null", "HOME=/nonexistent",
		"GIT_AUTHOR_NAME=A", "GIT_AUTHOR_EMAIL=a@example.com", "GIT_AUTHOR_DATE=1700000000 +0000",
		"GIT_COMMITTER_NAME=C", "GIT_COMMITTER_EMAIL=c@example.com", "GIT_COMMITTER_DATE=1700000000 +0000")
	var out, errs bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &errs
	if err := cmd.Run(); err != nil {
		return nil, fmt.Errorf("%w: %s", err, errs.Bytes())
	}
	return out.Bytes(), nil
}

// object is one object as git gives it.
type object struct {
	kind git.Kind
	data []byte
}

// fixture is a repository made by git with everything in one pack.
type fixture struct {
	format  git.Format
	dir     string // bare repository
	file    string // its pack, without the ending
	pack    []byte
	index   []byte
	objects map[git.ID]object
}

// newFixture makes a history in which text grows and changes, so that git makes
// chains of deltas, with binary, repetitive, empty and large blobs, and tags.
// config are settings for the repacking ("repack.useDeltaBaseOffset=false"). Each
// test has its own copy of it.
func newFixture(t testing.TB, f git.Format, commits int, config ...string) *fixture {
	t.Helper()
	key := fmt.Sprint(f, commits, config)
	made.Lock()
	defer made.Unlock()
	if made.fixtures[key] == nil {
		if made.dir == "" {
			dir, err := os.MkdirTemp("", "pack")
			if err != nil {
				t.Fatal(err)
			}
			made.dir, made.fixtures = dir, map[string]*fixture{}
		}
		made.fixtures[key] = makeFixture(t, filepath.Join(made.dir, strconv.Itoa(len(made.fixtures))), f, commits, config)
	}
	x := *made.fixtures[key]
	from := x.dir
	x.dir = t.TempDir()
	x.file = filepath.Join(x.dir, strings.TrimPrefix(x.file, from))
	if err := os.CopyFS(x.dir, os.DirFS(from)); err != nil {
		t.Fatal(err)
	}
	x.pack, x.index, x.objects = bytes.Clone(x.pack), bytes.Clone(x.index), maps.Clone(x.objects)
	return &x
}

// made has the fixtures made so far: git takes long to start.
var made struct {
	sync.Mutex
	dir      string
	fixtures map[string]*fixture
}

func TestMain(m *testing.M) {
	code := m.Run()
	if made.dir != "" {
		os.RemoveAll(made.dir)
	}
	os.Exit(code)
}

func makeFixture(t testing.TB, dir string, f git.Format, commits int, config []string) *fixture {
	t.Helper()
	if err := os.Mkdir(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	stockGit(t, dir, nil, "init", "-q", "--bare", "--object-format="+f.String())
	stockGit(t, dir, history(commits), "fast-import", "--quiet")
	args := []string{}
	for _, c := range config {
		args = append(args, "-c", c)
	}
	stockGit(t, dir, nil, append(args, "repack", "-adfq", "--depth=50", "--window=10")...)
	found, err := filepath.Glob(filepath.Join(dir, "objects/pack/*.pack"))
	if err != nil || len(found) != 1 {
		t.Fatalf("packs: %v, %v", found, err)
	}
	x := &fixture{format: f, dir: dir, file: strings.TrimSuffix(found[0], ".pack")}
	if x.pack, err = os.ReadFile(x.file + ".pack"); err != nil {
		t.Fatal(err)
	}
	if x.index, err = os.ReadFile(x.file + ".idx"); err != nil {
		t.Fatal(err)
	}
	x.objects = allObjects(t, f, dir)
	return x
}

// allObjects reads every object of a repository with git.
func allObjects(t testing.TB, f git.Format, dir string) map[git.ID]object {
	t.Helper()
	objects := make(map[git.ID]object)
	out := stockGit(t, dir, nil, "cat-file", "--batch", "--batch-all-objects", "--buffer")
	for len(out) > 0 {
		line, rest, _ := bytes.Cut(out, []byte{'\n'})
		fields := strings.Fields(string(line))
		id, err := f.Parse(fields[0])
		if err != nil {
			t.Fatal(err)
		}
		kind, err := git.ParseKind(fields[1])
		if err != nil {
			t.Fatal(err)
		}
		size, err := strconv.Atoi(fields[2])
		if err != nil {
			t.Fatal(err)
		}
		objects[id] = object{kind, rest[:size:size]}
		out = rest[size+1:]
	}
	return objects
}

// history returns a stream for git fast-import.
func history(commits int) io.Reader {
	rng := rand.New(rand.NewPCG(3, 4))
	var s bytes.Buffer
	file := func(name string, data []byte) {
		fmt.Fprintf(&s, "M 644 inline %s\ndata %d\n%s\n", name, len(data), data)
	}
	lines := make([]string, 400)
	for i := range lines {
		lines[i] = fmt.Sprintf("line %d says %x\n", i, rng.Uint64())
	}
	binary := make([]byte, 30_000)
	for i := range binary {
		binary[i] = byte(rng.Uint32())
	}
	for i := range commits {
		fmt.Fprintf(&s, "commit refs/heads/main\nmark :%d\ncommitter C <c@example.com> %d +0000\ndata <<E\ncommit %d\nE\n",
			i+1, 1_700_000_000+i, i)
		for range 1 + rng.IntN(5) {
			lines[rng.IntN(len(lines))] = fmt.Sprintf("line changed in %d to %x\n", i, rng.Uint64())
		}
		if i%7 == 0 {
			at := rng.IntN(len(lines))
			lines = append(lines[:at:at], append([]string{"inserted\n"}, lines[at:]...)...)
		}
		file("text.txt", []byte(strings.Join(lines, "")))
		file(fmt.Sprintf("dir/sub%d/file%d.c", i%5, i%11), []byte(strings.Join(lines[i%50:i%50+60], "")))
		if i%10 == 0 {
			binary[rng.IntN(len(binary))]++
			file("binary.dat", append(binary[:rng.IntN(len(binary)):len(binary)], binary...))
		}
	}
	file("empty", nil)
	file("byte", []byte{'x'})
	file("big", bytes.Repeat([]byte("all work and no play makes jack a dull boy\n"), 10_000))
	file("zeros", make([]byte, 1_200_000))
	fmt.Fprintf(&s, "tag v1\nfrom :%d\ntagger T <t@example.com> 1700000000 +0000\ndata <<E\nfirst\nE\n", commits)
	fmt.Fprintf(&s, "tag v2\nfrom :%d\ntagger T <t@example.com> 1700000000 +0000\ndata <<E\nsecond\nE\n", commits)
	s.WriteString("done\n")
	return &s
}

// source is a pack in memory whose views hold at most view bytes; 0 means all.
type source struct {
	data []byte
	view int
}

func (s source) Size() int64 { return int64(len(s.data)) }

func (s source) View(_ context.Context, off int64, n int) ([]byte, error) {
	if off >= int64(len(s.data)) {
		return nil, io.EOF
	}
	if s.view > 0 {
		n = min(n, s.view)
	}
	v := s.data[off:]
	return v[:min(n, len(v)):min(n, len(v))], nil
}

// open opens a pack in memory.
func open(f git.Format, data, index []byte, view int, cache *pack.Cache) (*pack.Pack, error) {
	x, err := pack.OpenIndex(f, index)
	if err != nil {
		return nil, err
	}
	return pack.Open(context.Background(), f, source{data, view}, x, cache)
}

// mustOpen opens the pack of x.
func (x *fixture) mustOpen(t testing.TB, view int, cache *pack.Cache) *pack.Pack {
	t.Helper()
	p, err := open(x.format, x.pack, x.index, view, cache)
	if err != nil {
		t.Fatal(err)
	}
	return p
}
