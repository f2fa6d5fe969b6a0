package diff_test

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/ingot-forge/ingot/git"
	"github.com/ingot-forge/ingot/git/diff"
)

var renameModes = []struct {
	args    string
	options diff.RenameOptions
	harder  bool
}{
	{"-M", diff.RenameOptions{}, false},
	{"-M80%", diff.RenameOptions{Score: diff.MaxScore * 80 / 100}, false},
	{"-M5%", diff.RenameOptions{Score: diff.MaxScore * 5 / 100}, false},
	{"-M100%", diff.RenameOptions{Score: diff.MaxScore}, false},
	{"-M -l3", diff.RenameOptions{Limit: 3}, false},
	{"-C", diff.RenameOptions{Copies: true}, false},
	{"-C20%", diff.RenameOptions{Copies: true, Score: diff.MaxScore * 20 / 100}, false},
	{"-C -l4", diff.RenameOptions{Copies: true, Limit: 4}, false},
	{"-C --find-copies-harder", diff.RenameOptions{Copies: true}, true},
	{"-C --find-copies-harder -l6", diff.RenameOptions{Copies: true, Limit: 6}, true},
}

// TestRenamesEqualGit compares trees in which files move, split, are copied and
// changed, among many that are like them.
func TestRenamesEqualGit(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 6))
	o := newOracle(t, git.SHA1)
	var trees []files
	for range 60 {
		old := files{}
		for range rng.IntN(25) {
			old[randomPath(rng)] = randomContent(rng)
		}
		trees = append(trees, old, shuffled(rng, old))
	}
	ids := o.store(trees...)
	m := o.objects()
	var in strings.Builder
	for i := 0; i < len(ids); i += 2 {
		fmt.Fprintf(&in, "%s %s\n", ids[i], ids[i+1])
	}
	for _, mode := range renameModes {
		var got, gotPatch strings.Builder
		moved := 0
		for i := 0; i < len(ids); i += 2 {
			if ids[i] == ids[i+1] {
				continue
			}
			if mode.options.Header = nil; i%4 == 0 {
				mode.options.Header = header(m)
			}
			changes, _, err := diff.Changes(t.Context(), m, o.format, ids[i], ids[i+1], diff.ChangesOptions{
				TreeOptions: diff.TreeOptions{Unchanged: mode.harder}, Renames: &mode.options})
			if err != nil {
				t.Fatal(err)
			}
			for _, c := range changes {
				if c.Status == diff.Renamed || c.Status == diff.Copied {
					moved++
				}
			}
			fmt.Fprintf(&got, "%s %s\n%s", ids[i], ids[i+1], raw(o.format, changes))
			fmt.Fprintf(&gotPatch, "%s %s\n%s", ids[i], ids[i+1], patch(t, m, o.format, changes, diff.Options{Context: 3}))
		}
		if moved < 30 {
			t.Errorf("%s: only %d files moved: this tests nothing", mode.args, moved)
		}
		args := strings.Fields(mode.args)
		equal(t, mode.args, got.String(), o.run(in.String(), append([]string{"diff-tree", "--stdin", "-r", "--no-abbrev"}, args...)...))
		equal(t, mode.args, gotPatch.String(), o.run(in.String(), append([]string{"diff-tree", "--stdin", "-p", "--full-index"}, args...)...))
	}
}

func randomPath(rng *rand.Rand) string {
	return strings.Repeat([]string{"src/", "lib/", "a b/", ""}[rng.IntN(4)], rng.IntN(3)) +
		[]string{"Makefile", "main.go", "readme", "x", "y", "z"}[rng.IntN(6)] + []string{"", "1", "2"}[rng.IntN(3)] + ".t"
}

func randomContent(rng *rand.Rand) file {
	mode := []git.Mode{git.ModeBlob, git.ModeBlob, git.ModeBlob, git.ModeExecutable, git.ModeSymlink}[rng.IntN(5)]
	switch rng.IntN(8) {
	case 0:
		return file{mode, ""}
	case 1:
		return file{mode, "common\n"}
	case 2:
		return file{git.ModeBlob, "\x00binary\r\n" + strings.Repeat(fmt.Sprintf("%08x", rng.Uint64()), rng.IntN(40))}
	case 3:
		return file{git.ModeBlob, strings.Repeat("long line without an end ", rng.IntN(30))}
	}
	if mode == git.ModeSymlink {
		return file{mode, fmt.Sprint("to", rng.IntN(3))}
	}
	var b strings.Builder
	for range 1 + rng.IntN(30) {
		fmt.Fprintf(&b, "line %d%s", rng.IntN(25), []string{"\n", "\n", "\r\n"}[rng.IntN(3)])
	}
	return file{mode, b.String()}
}

func shuffled(rng *rand.Rand, old files) files {
	fs := files{}
	paths := make([]string, 0, len(old))
	for path := range old {
		paths = append(paths, path)
	}
	slices.Sort(paths)
	for _, path := range paths {
		f := old[path]
		change := func() file {
			if f.mode == git.ModeSymlink || rng.IntN(3) == 0 {
				return f
			}
			lines := strings.SplitAfter(f.data, "\n")
			for range rng.IntN(1 + len(lines)/2) {
				lines[rng.IntN(len(lines))] = fmt.Sprintf("new %d\n", rng.IntN(99))
			}
			return file{f.mode, strings.Join(lines, "")}
		}
		switch rng.IntN(6) {
		case 0: // deleted
		case 1:
			fs[path] = f
		case 2:
			fs[path] = change()
		case 3:
			fs[randomPath(rng)] = change()
			fs[randomPath(rng)] = change()
		default:
			fs[randomPath(rng)] = change()
		}
	}
	for range rng.IntN(3) {
		fs[randomPath(rng)] = randomContent(rng)
	}
	return fs
}

// TestManySameFiles takes a time that is not the square of their number.
func TestManySameFiles(t *testing.T) {
	const n = 100_000
	var changes []diff.Change
	for i := range n {
		changes = append(changes, diff.Change{Status: diff.Deleted, Old: diff.Side{Path: fmt.Sprintf("a/%d", i), Mode: git.ModeBlob, ID: git.ID{1}}})
	}
	for i := range n {
		changes = append(changes, diff.Change{Status: diff.Added, New: diff.Side{Path: fmt.Sprintf("b/%d", n-1-i), Mode: git.ModeBlob, ID: git.ID{1}}})
	}
	out, complete, err := diff.Renames(t.Context(), git.Memory{}, git.SHA1, changes, diff.RenameOptions{})
	if err != nil || !complete || len(out) != n {
		t.Errorf("%d changes, %v, %v; want %d", len(out), complete, err, n)
	}
}

func TestRenameLimits(t *testing.T) {
	o := newOracle(t, git.SHA1)
	old, new := files{}, files{}
	for i := range 10 {
		data := strings.Repeat(fmt.Sprintf("file %d\n", i), 10)
		old.blob(fmt.Sprintf("a/%d", i), data)
		new.blob(fmt.Sprintf("b/%d.new", i), data+"x\n")
	}
	ids := o.store(old, new, files{"a": {git.ModeBlob, "x"}}, files{"b": {git.ModeBlob, strings.Repeat("x", 1000)}})
	m := o.objects()
	for _, test := range []struct {
		options  diff.RenameOptions
		complete bool
		changes  int
	}{
		{diff.RenameOptions{}, true, 10},
		{diff.RenameOptions{Limit: 10}, true, 10},
		{diff.RenameOptions{Limit: 9}, false, 20},
		{diff.RenameOptions{Bytes: 100}, false, 20},
		{diff.RenameOptions{Work: 10}, false, 20},
		{diff.RenameOptions{Bytes: 100, Header: header(m)}, false, 20},
	} {
		changes, complete, err := diff.Changes(t.Context(), m, o.format, ids[0], ids[1], diff.ChangesOptions{Renames: &test.options})
		if err != nil || complete != test.complete || len(changes) != test.changes {
			t.Errorf("%+v: %d changes, complete %v, %v; want %d, %v", test.options, len(changes), complete, err, test.changes, test.complete)
		}
	}
	// Files that differ in size can't be alike, and are not read.
	out, complete, err := diff.Changes(t.Context(), unread{m, t, 100}, o.format, ids[2], ids[3], diff.ChangesOptions{Renames: &diff.RenameOptions{Header: header(m)}})
	if err != nil || !complete || len(out) != 2 {
		t.Errorf("files of other sizes: %v, %v, %v", out, complete, err)
	}
	// A file that is missing is an error, not a file that is like no other.
	changes, _, err := diff.Changes(t.Context(), m, o.format, ids[0], ids[1], diff.ChangesOptions{})
	if err != nil {
		t.Fatal(err)
	}
	delete(m, changes[3].Old.ID)
	if _, _, err := diff.Renames(t.Context(), m, o.format, changes, diff.RenameOptions{}); !errors.Is(err, git.ErrNotFound) {
		t.Errorf("missing file: got %v", err)
	}
}
