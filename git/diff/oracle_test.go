package diff_test

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"os/exec"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/ingot-forge/ingot/git"
	"github.com/ingot-forge/ingot/git/diff"
)

// oracle is a repository of stock git.
type oracle struct {
	t      *testing.T
	dir    string
	format git.Format
}

func newOracle(t *testing.T, f git.Format) *oracle {
	t.Helper()
	if _, err := exec.LookPath("git"); err != nil {
		t.Fatal("no git to compare with: make setup installs it")
	}
	o := &oracle{t, t.TempDir(), f}
	o.run("", "-c", "init.defaultBranch=main", "init", "-q", "--bare", "--object-format="+f.String())
	return o
}

func (o *oracle) run(input string, args ...string) string {
	o.t.Helper()
	cmd := exec.Command("git", args...)
	cmd.Dir = o.dir
	cmd.Env = []string{"PATH=" + os.Getenv("PATH"), "HOME=" + o.dir, "LC_ALL=C",
		"GIT_CONFIG_NOSYSTEM=1", "GIT_CONFIG_GLOBAL=/dev/null",
		"GIT_AUTHOR_NAME=A U Thor", "GIT_AUTHOR_EMAIL=author@example.com", "GIT_AUTHOR_DATE=1112912053 +0200",
		"GIT_COMMITTER_NAME=C O Mitter", "GIT_COMMITTER_EMAIL=committer@example.com", "GIT_COMMITTER_DATE=1112912113 -0730"}
	cmd.Stdin = strings.NewReader(input)
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		o.t.Fatalf("git %q: %v: %s", args, err, stderr.String())
	}
	return string(out)
}

// file is one file of a tree.
type file struct {
	mode git.Mode
	data string // of a submodule: its id in hexadecimal
}

type files map[string]file

func (fs files) blob(path, data string) { fs[path] = file{git.ModeBlob, data} }

// store writes trees, with one process, and returns their ids.
func (o *oracle) store(trees ...files) []git.ID {
	o.t.Helper()
	var in bytes.Buffer
	for i, fs := range trees {
		fmt.Fprintf(&in, "commit refs/heads/t%d\ncommitter C <c@example.com> 1112912113 +0000\ndata 0\n", i)
		var paths []string
		for path := range fs {
			paths = append(paths, path)
		}
		slices.Sort(paths)
		for _, path := range paths {
			x := fs[path]
			quoted := `"` + strings.NewReplacer("\\", `\\`, "\"", `\"`, "\n", `\n`).Replace(path) + `"`
			if x.mode == git.ModeSubmodule {
				fmt.Fprintf(&in, "M %06o %s %s\n", x.mode, x.data, quoted)
				continue
			}
			fmt.Fprintf(&in, "M %06o inline %s\ndata %d\n%s\n", x.mode, quoted, len(x.data), x.data)
		}
	}
	o.run(in.String(), "fast-import", "--quiet")
	var ids []git.ID
	for i := range trees {
		id, err := o.format.Parse(strings.TrimSpace(o.run("", "rev-parse", fmt.Sprintf("t%d^{tree}", i))))
		if err != nil {
			o.t.Fatal(err)
		}
		ids = append(ids, id)
	}
	return ids
}

// objects reads the whole repository.
func (o *oracle) objects() git.Memory {
	o.t.Helper()
	rest := o.run("", "cat-file", "--batch-all-objects", "--batch")
	m := git.Memory{}
	for rest != "" {
		line, after, _ := strings.Cut(rest, "\n")
		fields := strings.Fields(line)
		id, err := o.format.Parse(fields[0])
		if err != nil {
			o.t.Fatal(err)
		}
		kind, err := git.ParseKind(fields[1])
		if err != nil {
			o.t.Fatal(err)
		}
		size, _ := strconv.Atoi(fields[2])
		x := m[id]
		x.Kind, x.Data = kind, []byte(after[:size])
		m[id] = x
		rest = after[size+1:]
	}
	return m
}

// header is the cheap way to an object's size.
func header(m git.Memory) func(context.Context, git.ID) (git.Kind, int64, error) {
	return func(ctx context.Context, id git.ID) (git.Kind, int64, error) {
		kind, data, err := m.Object(ctx, id)
		return kind, int64(len(data)), err
	}
}

// unread fails the test when an object of more than limit bytes is read.
type unread struct {
	git.Memory
	t     *testing.T
	limit int
}

func (u unread) Object(ctx context.Context, id git.ID) (git.Kind, []byte, error) {
	kind, data, err := u.Memory.Object(ctx, id)
	if kind == git.KindBlob && len(data) > u.limit {
		u.t.Errorf("object %s is read, which has %d bytes", id, len(data))
	}
	return kind, data, err
}

// raw writes changes as git diff-tree -r --raw --no-abbrev does.
func raw(f git.Format, changes []diff.Change) string {
	var b []byte
	for _, c := range changes {
		b = fmt.Appendf(b, ":%06o %06o %s %s %s", c.Old.Mode, c.New.Mode, f.Hex(c.Old.ID), f.Hex(c.New.ID), c.Status)
		if c.Score != 0 {
			b = fmt.Appendf(b, "%03d", c.Similarity())
		}
		if c.Status == diff.Renamed || c.Status == diff.Copied {
			b = diff.AppendQuoted(append(b, '\t'), c.Old.Path)
		}
		b = append(diff.AppendQuoted(append(b, '\t'), c.Path()), '\n')
	}
	return string(b)
}

func patch(t *testing.T, m git.Objects, f git.Format, changes []diff.Change, o diff.Options) string {
	t.Helper()
	var b []byte
	for _, c := range changes {
		var err error
		if b, err = diff.AppendPatch(context.Background(), m, f, b, c, o); err != nil {
			t.Fatal(err)
		}
	}
	return string(b)
}

// numstat writes counts as git diff-tree --numstat -z does.
func numstat(t *testing.T, m git.Objects, f git.Format, changes []diff.Change, o diff.Options) string {
	t.Helper()
	var b []byte
	for _, c := range changes {
		n, err := diff.Count(context.Background(), m, f, c, o)
		switch {
		case err != nil:
			t.Fatal(err)
		case n.Quiet:
			continue
		case n.Binary:
			b = append(b, "-\t-\t"...)
		default:
			b = fmt.Appendf(b, "%d\t%d\t", n.Added, n.Deleted)
		}
		if c.Status == diff.Renamed || c.Status == diff.Copied {
			b = fmt.Appendf(b, "\x00%s\x00", c.Old.Path)
		}
		b = fmt.Appendf(b, "%s\x00", c.Path())
	}
	return string(b)
}

// equal compares two outputs and shows where they part.
func equal(t *testing.T, what, got, want string) {
	t.Helper()
	if got == want {
		return
	}
	i := 0
	for i < len(got) && i < len(want) && got[i] == want[i] {
		i++
	}
	from := max(0, strings.LastIndex(want[:min(i, len(want))], "diff --git"), i-1500)
	t.Errorf("%s differs from git's at byte %d\ngot:\n%s\nwant:\n%s", what, i, clip(got[from:], i-from+400), clip(want[from:], i-from+400))
}

func clip(s string, n int) string { return s[:min(len(s), n)] }
