package wildmatch_test

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/ingot-forge/ingot/git"
	"github.com/ingot-forge/ingot/git/gittest"
	"github.com/ingot-forge/ingot/git/wildmatch"
)

func TestCases(t *testing.T) {
	for _, c := range []struct {
		glob, path   string
		inPath, flat bool
	}{
		{"", "", true, true}, {"", "a", false, false}, {"a", "a", true, true}, {"a", "ab", false, false},
		{"*", "", true, true}, {"*", "a/b", false, true}, {"a*c", "abbc", true, true}, {"a*c", "ab/c", false, true},
		{"?", "/", false, true}, {"a?c", "abc", true, true}, {"[/]", "/", false, true}, {"[^a]", "/", false, true},
		{"**", "a/b", true, true}, {"**/b", "b", true, false}, {"**/b", "a/c/b", true, true}, {"a/**/b", "a/b", true, false},
		{"a/**/b", "a/x/y/b", true, true}, {"a/**", "a/b/c", true, true}, {"a**b", "a/b", false, true}, {"***/b", "x/y/b", true, true},
		{"a**/b", "a/x/b", false, true}, {"**b", "a/b", false, true}, {`**\/b`, "a/b", true, true}, {"a/**b", "a/xb", true, true},
		{"**/a*b/c", "x/ab/ab/c", true, true}, {"**/*/c", "c", false, false}, {"**/*/c", "a/c", true, false},
		{"[a-c]", "b", true, true}, {"[!a-c]", "b", false, false}, {"[^a-c]", "d", true, true}, {"[]]", "]", true, true},
		{"[!]]", "a", true, true}, {"[a-]", "-", true, true}, {"[[:digit:]x]", "7", true, true}, {"[[:nope:]]", "n", false, false},
		{"[[:]", ":", true, true}, {"[", "[", false, false}, {"a[", "a[", false, false}, {`[\]]`, "]", true, true}, {`[a\-c]`, "b", false, false},
		{`\*`, "*", true, true}, {`\`, `\`, false, false}, {`a\`, "a", false, false}, {"[a-c-e]", "d", false, false}, {"[\x80-\xff]", "\x90", true, true},
		{"[[::]]", ":", false, false}, {"[c-a]", "b", false, false}, {"[a", "a", false, false}, {`[\`, `\`, false, false},
	} {
		if got := wildmatch.Path(c.glob).Match([]byte(c.path)); got != c.inPath {
			t.Errorf("Path(%q) matches %q: %v", c.glob, c.path, got)
		}
		if got := wildmatch.Flat(c.glob).Match([]byte(c.path)); got != c.flat {
			t.Errorf("Flat(%q) matches %q: %v", c.glob, c.path, got)
		}
	}
}

// TestAsGit compares with git ls-files, to which a glob is the name of a directory, too. It takes what a
// pathspec starts with literally off before it matches, which makes "**" of "p**" whole: so there is no such start.
func TestAsGit(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	pick := func(from []string, n int) string {
		var b strings.Builder
		for range n {
			b.WriteString(from[r.IntN(len(from))])
		}
		return b.String()
	}
	set := map[string]bool{}
	for range 400 {
		var names []string
		for range 1 + r.IntN(4) {
			names = append(names, "p"+pick([]string{"a", "b", "c", "-", "]", "ab"}, r.IntN(4)))
		}
		set[strings.Join(names, "/")+".f"] = true // no file is another's directory
	}
	repository := gittest.New(t, git.SHA1, "")
	var index strings.Builder
	var paths []string
	for path := range set {
		paths = append(paths, path)
		fmt.Fprintf(&index, "100644 %s\t%s\n", strings.Repeat("1", 40), path)
	}
	slices.Sort(paths)
	repository.Stock(t, strings.NewReader(index.String()), "update-index", "--add", "--index-info")
	parts := []string{"a", "b", "p", "/", "*", "**", "?", "/**/", "**/", "/p", "[a-c]", "[!b]", "[]a]", ".f", "*.f", "[[:alpha:]]", `\a`, "[^-]"}
	for range 250 {
		glob := "[p]" + pick(parts, 1+r.IntN(6))
		if r.IntN(2) == 0 {
			glob = "**/" + glob
		}
		for _, inPath := range []bool{true, false} {
			magic, g := "", wildmatch.Flat(glob)
			if inPath {
				magic, g = ":(glob)", wildmatch.Path(glob)
			}
			out, errs, err := repository.Try(nil, "ls-files", "-z", "--", magic+glob)
			if err != nil {
				t.Fatalf("%q: %v: %s", glob, err, errs)
			}
			var got []string
			for _, p := range paths {
				if g.Match([]byte(p)) || strings.HasPrefix(p, strings.TrimSuffix(glob, "/")+"/") {
					got = append(got, p+"\x00")
				}
			}
			if strings.Join(got, "") != out {
				t.Errorf("%s%q: %d paths, git %d", magic, glob, len(got), strings.Count(out, "\x00"))
			}
		}
	}
}

// TestCost would not end if every star were tried again.
func TestCost(t *testing.T) {
	path := []byte(strings.Repeat("a", 4000) + "/" + strings.Repeat("a", 4000))
	for _, glob := range []string{strings.Repeat("*a", 50) + "b", strings.Repeat("**/*a", 30) + "b", strings.Repeat("*", 4000) + "b"} {
		if wildmatch.Path(glob).Match(path) || wildmatch.Flat(glob).Match(path) {
			t.Errorf("%q matches", glob)
		}
	}
}
