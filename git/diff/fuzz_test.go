package diff_test

import (
	"bytes"
	"fmt"
	"strings"
	"testing"

	"github.com/ingot-forge/ingot/git"
	"github.com/ingot-forge/ingot/git/diff"
)

// apply makes b of a, taking from b only what the edits say.
func apply(a, b *diff.Text, edits []diff.Edit) []byte {
	var out []byte
	at := 0
	for _, e := range edits {
		out = append(out, a.Lines(at, e.AStart)...)
		out = append(out, b.Lines(e.BStart, e.BEnd)...)
		at = e.AEnd
	}
	return append(out, a.Lines(at, a.Len())...)
}

// checkEdits checks what Lines promises of its result.
func checkEdits(t *testing.T, a, b *diff.Text, edits []diff.Edit) {
	t.Helper()
	endA, endB := -1, -1
	for i, e := range edits {
		if e.AStart > e.AEnd || e.BStart > e.BEnd || e.AStart == e.AEnd && e.BStart == e.BEnd {
			t.Errorf("edit %d is empty: %+v", i, e)
		}
		if i > 0 && e.AStart-endA != e.BStart-endB || i == 0 && e.AStart != e.BStart || e.AStart <= endA {
			t.Errorf("edit %d does not follow the one before: %+v", i, e)
		}
		endA, endB = e.AEnd, e.BEnd
	}
	if len(edits) > 0 && a.Len()-endA != b.Len()-endB {
		t.Errorf("%d lines behind the last edit, and %d", a.Len()-endA, b.Len()-endB)
	}
}

func FuzzLines(f *testing.F) {
	f.Add([]byte("a\nb\nc\n"), []byte("a\nc\nb"), uint8(0), 0)
	f.Add([]byte("a\n\n\tb\n\n\tb\n"), []byte("a\n\n\tb\n\n\tb\n\n\tb\n"), uint8(1), 0)
	f.Add([]byte(" a\r\na"), []byte("a \na\n"), uint8(2), 3)
	f.Add([]byte("a\n"), []byte(" a\na\n"), uint8(4), 0)
	f.Fuzz(func(t *testing.T, old, new []byte, space uint8, effort int) {
		o := diff.LineOptions{Whitespace: diff.Whitespace(space % 5), Effort: effort}
		a, b := diff.NewText(old), diff.NewText(new)
		edits := diff.Lines(a, b, o)
		checkEdits(t, a, b, edits)
		got, want := apply(a, b, edits), new
		if o.Whitespace != diff.ExactSpace {
			got, want = withoutSpace(got), withoutSpace(want)
		} else if bytes.Equal(old, new) && len(edits) > 0 {
			t.Errorf("%d edits between equal texts", len(edits))
		}
		if !bytes.Equal(got, want) {
			t.Errorf("applying the edits gives %q, want %q", got, want)
		}
		trimmedA, trimmedB := diff.TrimTail(old, new)
		if !bytes.Equal(old[len(trimmedA):], new[len(trimmedB):]) {
			t.Errorf("TrimTail cuts what is not the same")
		}
	})
}

func withoutSpace(b []byte) []byte {
	return []byte(strings.NewReplacer(" ", "", "\t", "", "\r", "", "\n", "").Replace(string(b)))
}

// FuzzPatch applies patches with a reader of its own.
func FuzzPatch(f *testing.F) {
	f.Add("a\nb\nc\n", "a\nc\nb", 3)
	f.Add("", "x", 0)
	f.Add("x\n1\n2\n3\n4\n5\n6\n7\n8\n9\ny\n", "1\n2\n3\n4\n5\n6\n7\n8\n9\ny\nz", 1)
	f.Fuzz(func(t *testing.T, old, new string, lines int) {
		if lines < 0 || lines > 100 || strings.Contains(old+new, "\x00") || old == new {
			return
		}
		m := git.Memory{}
		put := func(i byte, data string) diff.Side {
			x := m[git.ID{i}]
			x.Kind, x.Data = git.KindBlob, []byte(data)
			m[git.ID{i}] = x
			return diff.Side{Path: "f", Mode: git.ModeBlob, ID: git.ID{i}}
		}
		c := diff.Change{Status: diff.Modified, Old: put(1, old), New: put(2, new)}
		o := diff.Options{Context: lines}
		patch, err := diff.AppendPatch(t.Context(), m, git.SHA1, nil, c, o)
		if err != nil {
			t.Fatal(err)
		}
		if got := applyPatch(t, old, string(patch)); got != new {
			t.Errorf("applying the patch gives %q, want %q\n%s", got, new, patch)
		}
		n, err := diff.Count(t.Context(), m, git.SHA1, c, o)
		if err != nil {
			t.Fatal(err)
		}
		_, hunks, _ := strings.Cut(string(patch), "+++ b/f\n")
		if plus, minus := strings.Count("\n"+hunks, "\n+"), strings.Count("\n"+hunks, "\n-"); n.Added != plus || n.Deleted != minus {
			t.Errorf("counts %d and %d, the patch has %d and %d", n.Added, n.Deleted, plus, minus)
		}
	})
}

// applyPatch applies the hunks of a patch of one file.
func applyPatch(t *testing.T, old, patch string) string {
	t.Helper()
	_, hunks, ok := strings.Cut(patch, "+++ b/f\n")
	if !ok {
		t.Fatalf("no hunks in %q", patch)
	}
	rest := strings.SplitAfter(old, "\n")
	var out strings.Builder
	at := 0
	lines := strings.SplitAfter(hunks, "\n")
	for i, line := range lines {
		if line == "" {
			continue
		}
		body := line[1:]
		if i+1 < len(lines) && strings.HasPrefix(lines[i+1], "\\") {
			body = strings.TrimSuffix(body, "\n")
		}
		switch line[0] {
		case '@':
			start, count := 0, 1
			if n, _ := fmt.Sscanf(line, "@@ -%d,%d", &start, &count); n == 0 {
				t.Fatalf("hunk header %q", line)
			}
			if count > 0 {
				start--
			}
			for ; at < start; at++ {
				out.WriteString(rest[at])
			}
		case ' ':
			if rest[at] != body {
				t.Fatalf("context %q, the file has %q", body, rest[at])
			}
			out.WriteString(body)
			at++
		case '-':
			if rest[at] != body {
				t.Fatalf("deleted %q, the file has %q", body, rest[at])
			}
			at++
		case '+':
			out.WriteString(body)
		}
	}
	out.WriteString(strings.Join(rest[at:], ""))
	return out.String()
}
