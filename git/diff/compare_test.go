package diff_test

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/ingot-forge/ingot/git"
	"github.com/ingot-forge/ingot/git/diff"
)

// TestAttributes compares with what git makes of .gitattributes.
func TestAttributes(t *testing.T) {
	o := newOracle(t, git.SHA1)
	attributes := "*.bin -diff\n*.txt diff\n*.ini diff=ini\n"
	if err := os.WriteFile(filepath.Join(o.dir, "info", "attributes"), []byte(attributes), 0o600); err != nil {
		t.Fatal(err)
	}
	section := "[section one]  \n" + strings.Repeat("key = value\n", 8)
	old, new := files{}, files{}
	for _, name := range []string{"a.bin", "b.txt", "c.ini", "d"} {
		old.blob(name, section+"x\x00\n")
		new.blob(name, section+"y\x00\n")
		old.blob("text "+name, section+"x\n")
		new.blob("text "+name, section+"y\n")
	}
	old.blob("moved.ini", section+"to another driver\n")
	new.blob("moved", section+"to another driver!\n")
	new["same.bin"] = file{git.ModeExecutable, "same"}
	old["same.bin"] = file{git.ModeBlob, "same"}
	ids := o.store(old, new)
	m := o.objects()
	options := diff.Options{Context: 3, Attributes: func(path string) diff.Attributes {
		switch filepath.Ext(path) {
		case ".bin":
			return diff.Attributes{Content: diff.IsBinary}
		case ".txt":
			return diff.Attributes{Content: diff.IsText}
		case ".ini":
			return diff.Attributes{Heading: func(line []byte) []byte {
				if bytes.HasPrefix(line, []byte("[")) {
					return line
				}
				return nil
			}}
		}
		return diff.Attributes{}
	}}
	changes, _, err := diff.Changes(t.Context(), m, o.format, ids[0], ids[1], diff.ChangesOptions{Renames: &diff.RenameOptions{}})
	if err != nil {
		t.Fatal(err)
	}
	args := []string{"-c", "diff.ini.xfuncname=^\\[.*$", "diff-tree", "-r", "-M", "--full-index", ids[0].String(), ids[1].String()}
	equal(t, "attributes", patch(t, m, o.format, changes, options), o.run("", append(args, "-p")...))
	equal(t, "attributes", numstat(t, m, o.format, changes, options), o.run("", append(args, "--numstat", "-z")...))
}

func TestLargeFilesAreBinary(t *testing.T) {
	o := newOracle(t, git.SHA1)
	old, new := files{}, files{}
	for _, n := range []int{99, 100, 101} {
		old.blob(fmt.Sprint(n), strings.Repeat("x", n-1)+"\n")
		new.blob(fmt.Sprint(n), strings.Repeat("y", n-1)+"\n")
		old[fmt.Sprint("mode", n)] = file{git.ModeBlob, strings.Repeat("z", n)}
		new[fmt.Sprint("mode", n)] = file{git.ModeExecutable, strings.Repeat("z", n)}
		new.blob(fmt.Sprint("new", n), strings.Repeat("new\n", n/4)+strings.Repeat("n", n%4))
	}
	ids := o.store(old, new)
	m := o.objects()
	changes, _, err := diff.Changes(t.Context(), m, o.format, ids[0], ids[1], diff.ChangesOptions{})
	if err != nil {
		t.Fatal(err)
	}
	options := diff.Options{Context: 3, FileBytes: 100}
	args := []string{"-c", "core.bigFileThreshold=100", "diff-tree", "-r", "--no-renames", "--full-index", ids[0].String(), ids[1].String()}
	wantPatch, wantCounts := o.run("", append(args, "-p")...), o.run("", append(args, "--numstat", "-z")...)
	equal(t, "large files", patch(t, m, o.format, changes, options), wantPatch)
	equal(t, "large files", numstat(t, m, o.format, changes, options), wantCounts)
	options.Header = header(m)
	small := unread{m, t, 100}
	equal(t, "large files, unread", patch(t, small, o.format, changes, options), wantPatch)
	equal(t, "large files, unread", numstat(t, small, o.format, changes, options), wantCounts)

	for lines, tooBig := range map[int]bool{24: true, 25: false} {
		d, err := diff.Compare(t.Context(), m, o.format, changes[len(changes)-1], diff.Options{FileLines: lines})
		if err != nil || d.TooBig != tooBig || d.Binary != tooBig || (d.Edits == nil) != tooBig {
			t.Errorf("limit of %d lines: %+v, %v", lines, d, err)
		}
	}
}

func TestAbbrev(t *testing.T) {
	o := newOracle(t, git.SHA1)
	ids := o.store(files{"a": {git.ModeBlob, "1\n"}}, files{"a": {git.ModeBlob, "2\n"}, "b": {git.ModeBlob, "3\n"}})
	m := o.objects()
	changes, _, err := diff.Changes(t.Context(), m, o.format, ids[0], ids[1], diff.ChangesOptions{})
	if err != nil {
		t.Fatal(err)
	}
	abbrev := func(id git.ID) string { return id.String()[:10] }
	equal(t, "--abbrev=10", patch(t, m, o.format, changes, diff.Options{Context: 3, Abbrev: abbrev}),
		o.run("", "diff-tree", "-p", "--abbrev=10", ids[0].String(), ids[1].String()))
}

func TestMissingAndMistakenObjects(t *testing.T) {
	m := git.Memory{}
	x := m[git.ID{1}]
	x.Kind = git.KindTree
	m[git.ID{1}] = x
	for id, want := range map[git.ID]error{{1}: git.ErrCorrupt, {2}: git.ErrNotFound} {
		c := diff.Change{Status: diff.Added, New: diff.Side{Path: "a", Mode: git.ModeBlob, ID: id}}
		if _, err := diff.AppendPatch(t.Context(), m, git.SHA1, nil, c, diff.Options{}); !errors.Is(err, want) {
			t.Errorf("patch of object %s: got %v, want %v", id, err, want)
		}
		if _, err := diff.Count(t.Context(), m, git.SHA1, c, diff.Options{}); !errors.Is(err, want) {
			t.Errorf("count of object %s: got %v, want %v", id, err, want)
		}
	}
}

// TestEffort bounds a comparison that would take long; the edits still hold.
func TestEffort(t *testing.T) {
	var old, new strings.Builder
	for i := range 20_000 {
		fmt.Fprintf(&old, "%d\n", i*7919%20_000)
		fmt.Fprintf(&new, "%d\n", i*6007%20_000)
	}
	a, b := diff.NewText([]byte(old.String())), diff.NewText([]byte(new.String()))
	full := diff.Lines(a, b, diff.LineOptions{})
	for _, effort := range []int{1, 100, 10_000, 1_000_000} {
		edits := diff.Lines(a, b, diff.LineOptions{Effort: effort})
		checkEdits(t, a, b, edits)
		if !bytes.Equal(apply(a, b, edits), []byte(new.String())) {
			t.Errorf("effort %d: applying the edits does not give the new text", effort)
		}
		if effort == 1 && changedLines(edits) <= changedLines(full) {
			t.Errorf("an effort of 1 finds as much as a full one: %d lines", changedLines(edits))
		}
	}
}

func changedLines(edits []diff.Edit) (n int) {
	for _, e := range edits {
		n += e.AEnd - e.AStart + e.BEnd - e.BStart
	}
	return n
}

// TestSharedTexts compares the same texts from many goroutines.
func TestSharedTexts(t *testing.T) {
	a, b := diff.NewText([]byte("a\nb\nc\nd\n")), diff.NewText([]byte("a\nc\nx\nd\n"))
	want := fmt.Sprint(diff.Lines(a, b, diff.LineOptions{}))
	var wait sync.WaitGroup
	for range 8 {
		wait.Go(func() {
			for range 200 {
				if got := fmt.Sprint(diff.Lines(a, b, diff.LineOptions{})); got != want {
					t.Errorf("got %s, want %s", got, want)
				}
			}
		})
	}
	wait.Wait()
}

func TestSimilarityIsRoundedDown(t *testing.T) {
	for score, want := range map[int]int{0: 0, 599: 0, 600: 1, 59_999: 99, 60_000: 100} {
		if c := (diff.Change{Score: score}); c.Similarity() != want {
			t.Errorf("score %d: %d %%, want %d", score, c.Similarity(), want)
		}
	}
}
