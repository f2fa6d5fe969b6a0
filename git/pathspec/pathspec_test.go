package pathspec_test

import (
	"strings"
	"testing"

	"github.com/ingot-forge/ingot/git/pathspec"
)

func TestSelect(t *testing.T) {
	for _, c := range []struct {
		spec, path string
		isTree     bool
		want       bool
	}{
		{"a", "a", false, true}, {"a", "a/b", false, true}, {"a", "ab", false, false}, {"a/b", "a", true, true}, {"a/b", "a", false, false},
		{"a/b", "a/c", true, false}, {"a/", "a", false, false}, {"a/", "a", true, true}, {"./a//b", "a/b", false, true},
		{".", "x", false, true}, {"*.c", "a/b.c", false, true}, {"*.c", "a", true, true}, {"a/*.c", "b", true, false},
		{"a/*.c", "a/b/x.c", false, true}, {"a[b", "a[b", false, true}, {"a[b", "a[b/c", false, true}, {"a[b", "ab", false, false},
	} {
		specs, err := pathspec.Parse([]string{c.spec})
		if err != nil {
			t.Fatal(err)
		}
		if got := specs.Select([]byte(c.path), c.isTree); got != c.want {
			t.Errorf("%q selects %q (directory: %v): %v", c.spec, c.path, c.isTree, got)
		}
	}
	if none, err := pathspec.Parse(nil); err != nil || !none.Select([]byte("a"), false) {
		t.Error("none at all mean everything")
	}
}

func TestErrors(t *testing.T) {
	for _, paths := range [][]string{{""}, {":(glob)a"}, {"../a"}, {"a/../../b"}, {strings.Repeat("a", 5000)}, make([]string, 65)} {
		if _, err := pathspec.Parse(paths); err == nil {
			t.Errorf("%.20q: no error", paths)
		}
	}
}
