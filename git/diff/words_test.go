package diff_test

import (
	"bytes"
	"strings"
	"testing"

	"github.com/ingot-forge/ingot/git/diff"
)

// marked puts brackets around ranges.
func marked(line string, ranges []diff.Range) string {
	var b strings.Builder
	at := 0
	for _, r := range ranges {
		b.WriteString(line[at:r.Start] + "[" + line[r.Start:r.End] + "]")
		at = r.End
	}
	return b.String() + line[at:]
}

func TestWords(t *testing.T) {
	for _, test := range []struct{ a, b, inA, inB string }{
		{"same\n", "same\n", "same\n", "same\n"},
		{"x := old(1)\n", "x := new(1)\n", "x := [old](1)\n", "x := [new](1)\n"},
		{"f(a, b)", "f(a, b, c)", "f(a, b)", "f(a, b[, c])"},
		{"one two three four", "one 2 3 four", "one [two three] four", "one [2 3] four"},
		{"\tindented := true\n", "\t\tindented := true\n", "[\t]indented := true\n", "[\t\t]indented := true\n"},
		{"naïve café", "naïve cafés", "naïve [café]", "naïve [cafés]"},
		{"日本語 東京", "日本 東京", "[日本語] 東京", "[日本] 東京"},
		{"a\xffb = 1;", "a\xfeb = 1;", "a[\xff]b = 1;", "a[\xfe]b = 1;"},
		{"line_one = 1\r\n", "line_one = 1\n", "line_one = 1[\r\n]", "line_one = 1[\n]"},
	} {
		inA, inB, alike := diff.Words([]byte(test.a), []byte(test.b))
		if a, b := marked(test.a, inA), marked(test.b, inB); !alike || a != test.inA || b != test.inB {
			t.Errorf("%q and %q: got %q and %q, %v; want %q and %q", test.a, test.b, a, b, alike, test.inA, test.inB)
		}
	}
	for _, test := range [][2]string{
		{"nothing in common", "quite other words"},
		{"", "new"},
		{strings.Repeat("long ", diff.MaxWordBytes), "long "},
	} {
		if inA, inB, alike := diff.Words([]byte(test[0]), []byte(test[1])); alike || inA != nil || inB != nil {
			t.Errorf("%.40q and %.40q: got %v, %v, %v; want no ranges", test[0], test[1], inA, inB, alike)
		}
	}
}

func FuzzWords(f *testing.F) {
	f.Add([]byte("x := old(1)\n"), []byte("x := new(1)\n"))
	f.Add([]byte("\xe2\x82\xac a"), []byte("A\x82\xac a"))
	f.Fuzz(func(t *testing.T, a, b []byte) {
		inA, inB, alike := diff.Words(a, b)
		restA, restB := without(t, a, inA), without(t, b, inB)
		if alike && !bytes.Equal(restA, restB) {
			t.Errorf("outside the ranges %v and %v: %q and %q", inA, inB, restA, restB)
		}
	})
}

// without cuts ranges out, and checks them.
func without(t *testing.T, line []byte, ranges []diff.Range) []byte {
	t.Helper()
	var rest []byte
	at := 0
	for i, r := range ranges {
		if r.Start >= r.End || r.Start < at || i > 0 && r.Start == at || r.End > len(line) {
			t.Fatalf("range %d of %v is bad", i, ranges)
		}
		rest = append(rest, line[at:r.Start]...)
		at = r.End
	}
	return append(rest, line[at:]...)
}
