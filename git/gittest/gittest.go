// Package gittest makes repositories with stock git, the oracle of the engine's tests, and
// asks it what is right. Only tests import it.
package gittest

import (
	"bytes"
	"context"
	"io"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"testing"

	"github.com/ingot-forge/ingot/git"
	"github.com/ingot-forge/ingot/git/commitgraph"
)

// Repository is a bare repository of stock git with all its objects in memory.
type Repository struct {
	Format  git.Format
	Dir     string
	Objects git.Memory
	Tips    []git.ID // where its refs point, in the order of their names

	asked map[string]answer
}

type answer struct {
	out, errs string
	err       error
}

// New runs a stream through git fast-import.
func New(t testing.TB, f git.Format, stream string) *Repository {
	t.Helper()
	r := &Repository{Format: f, Dir: t.TempDir()}
	r.Stock(t, nil, "init", "-q", "--bare", "--object-format="+f.String())
	r.Stock(t, strings.NewReader(stream), "fast-import", "--quiet", "--force")
	r.Load(t)
	return r
}

// Stock runs git and returns its output. It must succeed.
func (r *Repository) Stock(t testing.TB, stdin io.Reader, args ...string) string {
	t.Helper()
	out, errs, err := r.Try(stdin, args...)
	if err != nil {
		t.Fatalf("git %s: %v: %s", strings.Join(args, " "), err, errs)
	}
	return out
}

// Try runs git, which may fail.
func (r *Repository) Try(stdin io.Reader, args ...string) (out, errs string, err error) {
	cmd := exec.Command("git", append([]string{"-c", "init.defaultBranch=main"}, args...)...)
	cmd.Dir = r.Dir
	cmd.Stdin = stdin
	cmd.Env = []string{"PATH=" + os.Getenv("PATH"), "HOME=/nonexistent", "LC_ALL=C", "TZ=UTC",
		"GIT_CONFIG_NOSYSTEM=1", "GIT_CONFIG_GLOBAL=/dev/null",
		"GIT_AUTHOR_NAME=A", "GIT_AUTHOR_EMAIL=a@example.com", "GIT_AUTHOR_DATE=1700000000 +0000",
		"GIT_COMMITTER_NAME=C", "GIT_COMMITTER_EMAIL=c@example.com", "GIT_COMMITTER_DATE=1700000000 +0000"}
	var stdout, stderr bytes.Buffer
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	err = cmd.Run()
	return stdout.String(), stderr.String(), err
}

// Ask is Try of what does not change: the same question is put to git once.
func (r *Repository) Ask(args ...string) (out, errs string, err error) {
	question := strings.Join(args, "\x00")
	a, ok := r.asked[question]
	if !ok {
		a.out, a.errs, a.err = r.Try(nil, args...)
		if r.asked == nil {
			r.asked = map[string]answer{}
		}
		r.asked[question] = a
	}
	return a.out, a.errs, a.err
}

// Lines runs git and returns the lines of its output.
func (r *Repository) Lines(t testing.TB, args ...string) []string {
	t.Helper()
	out := strings.TrimSuffix(r.Stock(t, nil, args...), "\n")
	if out == "" {
		return nil
	}
	return strings.Split(out, "\n")
}

// Load reads every object and where the refs point.
func (r *Repository) Load(t testing.TB) {
	t.Helper()
	r.Objects, r.Tips = git.Memory{}, nil
	out := r.Stock(t, nil, "cat-file", "--batch", "--batch-all-objects", "--buffer")
	for len(out) > 0 {
		line, rest, _ := strings.Cut(out, "\n")
		fields := strings.Fields(line)
		kind, err := git.ParseKind(fields[1])
		if err != nil {
			t.Fatal(err)
		}
		size, err := strconv.Atoi(fields[2])
		if err != nil {
			t.Fatal(err)
		}
		id := r.Parse(t, fields[0])
		o := r.Objects[id]
		o.Kind, o.Data = kind, []byte(rest[:size])
		r.Objects[id] = o
		out = rest[size+1:]
	}
	for _, hex := range r.Lines(t, "for-each-ref", "--format=%(objectname)") {
		r.Tips = append(r.Tips, r.Parse(t, hex))
	}
}

// Parse reads an id in hexadecimal.
func (r *Repository) Parse(t testing.TB, hex string) git.ID {
	t.Helper()
	id, err := r.Format.Parse(strings.TrimSpace(hex))
	if err != nil {
		t.Fatal(err)
	}
	return id
}

// ID returns what git says a name stands for.
func (r *Repository) ID(t testing.TB, name string) git.ID {
	t.Helper()
	return r.Parse(t, r.Stock(t, nil, "rev-parse", "--verify", name))
}

// Graph is the commit graph of what the given names reach (none: all refs).
func (r *Repository) Graph(t testing.TB, names ...string) *commitgraph.Graph {
	t.Helper()
	tips := r.Tips
	if len(names) > 0 {
		tips = nil
	}
	for _, name := range names {
		tips = append(tips, r.ID(t, name))
	}
	layer, err := commitgraph.Build(context.Background(), r.Objects, r.Format, nil, tips, commitgraph.BuildOptions{})
	if err != nil {
		t.Fatal(err)
	}
	g, err := commitgraph.Open(r.Format, [][]byte{layer})
	if err != nil {
		t.Fatal(err)
	}
	return g
}
