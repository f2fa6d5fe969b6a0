package code_test

import (
	"fmt"
	"maps"
	"strings"
	"testing"

	"github.com/ingot-forge/ingot/forge"
	"github.com/ingot-forge/ingot/forge/code"
)

func TestInsights(t *testing.T) {
	w := open(t)
	w.write("main.go", strings.Repeat("g", 100))
	w.write("deep/er/lib.GO", strings.Repeat("g", 11))
	w.write("Makefile", "all:\n")
	w.write("notes.txt", "prose does not count")
	w.write(".mailmap", "Ann <ann@example.org> <old@example.org>\n")
	w.commit("one", "--author", "Old Ann <old@example.org>")
	w.commit("two", "--author", "Ann <ann@example.org>")
	w.commit("three")
	w.git("branch", "side")
	w.git("tag", "v1")
	w.push()
	s, v := code.NewService(), w.view(forge.Read)
	head, err := v.Commit(t.Context(), "")
	if err != nil {
		t.Fatal(err)
	}
	for range 2 { // the second is kept
		stats, err := s.Stats(t.Context(), v, head)
		if err != nil {
			t.Fatal(err)
		}
		if want := map[string]int64{"Go": 111, "Makefile": 5}; !maps.Equal(stats.Languages, want) || stats.Commits != 3 || stats.Branches != 2 || stats.Tags != 1 ||
			stats.Files != 5 || stats.Contributors != 2 || stats.Bytes != 100+11+5+20+40 {
			t.Errorf("%+v", stats)
		}
		people, err := s.Contributors(t.Context(), v, head)
		if err != nil {
			t.Fatal(err)
		}
		var got strings.Builder
		for _, p := range people {
			fmt.Fprintf(&got, "%6d\t%s <%s>\n", p.Commits, p.Name, p.Email)
		}
		if want := w.git("shortlog", "-sne", "main"); got.String() != want {
			t.Errorf("%s, want %s", got.String(), want)
		}
	}
}
