package merge_test

import (
	"bytes"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/ingot-forge/ingot/git/merge"
)

// mergeFile is git merge-file -p.
func mergeFile(t *testing.T, dir string, base, ours, theirs string, options ...string) string {
	t.Helper()
	for name, data := range map[string]string{"base": base, "ours": ours, "theirs": theirs} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(data), 0o666); err != nil {
			t.Fatal(err)
		}
	}
	args := append([]string{"merge-file", "-p", "-L", "ours", "-L", "base", "-L", "theirs"}, options...)
	cmd := exec.Command("git", append(args, "ours", "base", "theirs")...)
	cmd.Dir = dir
	cmd.Env = []string{"PATH=" + os.Getenv("PATH"), "HOME=" + dir, "LC_ALL=C", "GIT_CONFIG_NOSYSTEM=1", "GIT_CONFIG_GLOBAL=/dev/null"}
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if exit := (*exec.ExitError)(nil); err != nil && (!errors.As(err, &exit) || exit.ExitCode() > 127) {
		t.Fatalf("git merge-file: %v: %s", err, stderr.String())
	}
	return string(out)
}

// textModes are the ways to merge a text, ours and git's.
var textModes = []struct {
	o       merge.TextOptions
	options []string
}{
	{merge.TextOptions{}, nil},
	{merge.TextOptions{Style: merge.Diff3}, []string{"--diff3"}},
	{merge.TextOptions{Style: merge.ZealousDiff3}, []string{"--zdiff3"}},
	{merge.TextOptions{Favor: merge.FavorOurs}, []string{"--ours"}},
	{merge.TextOptions{Favor: merge.FavorTheirs}, []string{"--theirs"}},
	{merge.TextOptions{Favor: merge.FavorUnion}, []string{"--union"}},
	{merge.TextOptions{MarkerSize: 11}, []string{"--marker-size=11"}},
}

func checkText(t *testing.T, dir, base, ours, theirs string, mode int) (conflicts int) {
	t.Helper()
	m := textModes[mode]
	m.o.FileMerge, m.o.Base, m.o.Ours, m.o.Theirs = true, "base", "ours", "theirs"
	got, conflicts, err := merge.Text([]byte(base), []byte(ours), []byte(theirs), m.o)
	if err != nil {
		t.Fatal(err)
	}
	if want := mergeFile(t, dir, base, ours, theirs, m.options...); string(got) != want {
		t.Errorf("git merge-file %v of %q, %q, %q:\n got %q\nwant %q", m.options, base, ours, theirs, got, want)
	}
	return conflicts
}

func TestTextEnds(t *testing.T) {
	dir := t.TempDir()
	for _, x := range [][3]string{
		{"", "", ""},
		{"", "a\n", "b\n"},
		{"", "a", "b"},
		{"", "a", "a"},
		{"a\n", "", "b\n"},
		{"a\nb", "a\nc", "a\nd"},
		{"a\nb\n", "a\nb", "a\nb\nc\n"},
		{"a\r\nb\r\nc\r\n", "a\r\nx\r\nc\r\n", "a\r\ny\r\nc\r\n"},
		{"a\r\nb\r\nc\r\n", "a\r\nx", "a\r\ny"},
		{"a\nb\r\nc\r\n", "a\nx\r\nc\r\n", "a\ny\r\nc\r\n"},
		{"a\r\nb\r\n", "x\r\n", "y\n"},
		{"a\r\n", "x", "y"},
		{"1\n2\n3\n4\n5\n6\n7\n8\n", "1\nx\n3\n4\n5\n6\ny\n8\n", "1\nX\n3\n4\n5\n6\nY\n8\n"},
		{"1\n2\n}\n}\n}\n}\n}\n8\n", "1\nx\n}\n}\n}\n}\n}\ny\n", "1\nX\n}\n}\n}\n}\n}\nY\n"},
		{"1\n2\n3\n", "1\n2\n3\n4\n", "0\n1\n2\n3\n"},
		{"a\nb\nc\n", "a\nb\nb\nc\n", "a\nc\n"},
	} {
		for mode := range textModes {
			checkText(t, dir, x[0], x[1], x[2], mode)
		}
	}
}

func TestTextRandom(t *testing.T) {
	n := 350
	if testing.Short() {
		n = 150
	}
	dir, r := t.TempDir(), rand.New(rand.NewPCG(3, 9))
	withConflicts := 0
	for i := range n {
		lines := make([]string, r.IntN(40))
		end := "\n"
		if r.IntN(5) == 0 {
			end = "\r\n"
		}
		for i := range lines {
			lines[i] = []string{"", "{", "}", fmt.Sprint("x", r.IntN(8)), fmt.Sprint("line ", i)}[r.IntN(5)] + end
		}
		base := strings.Join(lines, "")
		if checkText(t, dir, base, editText(r, lines), editText(r, lines), i%len(textModes)) > 0 {
			withConflicts++
		}
	}
	if withConflicts < n/10 || withConflicts > n*9/10 {
		t.Errorf("%d of %d merges have conflicts", withConflicts, n)
	}
}

func editText(r *rand.Rand, lines []string) string {
	lines = append([]string(nil), lines...)
	for range r.IntN(5) {
		at := r.IntN(len(lines) + 1)
		end := min(len(lines), at+r.IntN(4))
		var in []string
		for range r.IntN(4) {
			in = append(in, []string{"}\n", "\n", fmt.Sprintf("x%d\n", r.IntN(8)), fmt.Sprintf("new %d\r\n", r.IntN(3))}[r.IntN(4)])
		}
		lines = append(lines[:at:at], append(in, lines[end:]...)...)
	}
	s := strings.Join(lines, "")
	if r.IntN(6) == 0 {
		s = strings.TrimSuffix(s, "\n")
	}
	return s
}

func TestTextRefuses(t *testing.T) {
	if _, _, err := merge.Text([]byte("a"), []byte("b\x00"), []byte("c"), merge.TextOptions{}); !errors.Is(err, merge.ErrBinary) {
		t.Errorf("a binary file: %v", err)
	}
	if _, _, err := merge.Text(nil, make([]byte, 101), nil, merge.TextOptions{MaxBytes: 100}); !errors.Is(err, merge.ErrBinary) {
		t.Errorf("a large file: %v", err)
	}
}

// FuzzText checks that no text is lost: every line of the result is one of a side or a
// marker, and merging with what did not change is what did.
func FuzzText(f *testing.F) {
	f.Add("a\nb\nc\n", "a\nx\nc\n", "a\ny\nc\n")
	f.Add("a\r\nb", "b", "")
	f.Fuzz(func(t *testing.T, base, ours, theirs string) {
		if strings.ContainsRune(base+ours+theirs, 0) {
			return
		}
		for _, o := range []merge.TextOptions{{}, {FileMerge: true}, {Style: merge.ZealousDiff3}} {
			out, _, err := merge.Text([]byte(base), []byte(ours), []byte(base), o)
			if err != nil || string(out) != ours {
				t.Errorf("theirs did not change: %q, %v", out, err)
			}
			if out, _, _ = merge.Text([]byte(base), []byte(base), []byte(theirs), o); string(out) != theirs {
				t.Errorf("ours did not change: %q", out)
			}
			if out, n, _ := merge.Text([]byte(base), []byte(ours), []byte(ours), o); string(out) != ours || n != 0 {
				t.Errorf("both changed alike: %q, %d conflicts", out, n)
			}
			out, _, _ = merge.Text([]byte(base), []byte(ours), []byte(theirs), o)
			known := map[string]bool{"": true, "<<<<<<<": true, "=======": true, ">>>>>>>": true, "|||||||": true}
			for _, side := range []string{base, ours, theirs} {
				for _, line := range strings.Split(side, "\n") {
					known[strings.TrimRight(line, "\r")] = true
				}
			}
			for _, line := range strings.Split(string(out), "\n") {
				if !known[strings.TrimRight(line, "\r")] {
					t.Errorf("%q is nobody's line", line)
				}
			}
		}
	})
}
