package mailmap_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/ingot-forge/ingot/git"
	"github.com/ingot-forge/ingot/git/gittest"
	"github.com/ingot-forge/ingot/git/mailmap"
)

// files are .mailmap files.
var files = map[string]string{
	"none": "",
	"all forms": "# people\n\nAda Lovelace <ada@example.com>\n<bob@example.com> <bob@home.example>\n" +
		"Robert B <r@example.com> bob <BOB@example.com>\nÇ. Ö <ç@example.com> <co@example.com>\n",
	"spaces":     " \t Ada   Lovelace \t<ada@example.com>\r\n   Bob<b@example.com>   BOB   <bob@example.com> # yes\r\n",
	"later wins": "One <ada@example.com>\nTwo <ada@example.com>\nX <x@example.com> Bob <bob@example.com>\nY <bob@example.com> Bob <bob@example.com>\n",
	"broken":     "Ada <ada@example.com\nno address\n<>\nA <> <ada@example.com>\n> <\nBob < bob@example.com >\nX <x@y> <\n<x@y> Bob <>\n",
	"alone":      "<ada@example.com>\n# Bob <bob@example.com>\n #Bob <bob@example.com>\nNew <> <co@example.com>\n",
	"adds up":    "<new@example.com> <ada@example.com>\nNew Name <ada@example.com>\n",
	"no end":     "Ada <a@b> <ada@example.com>",
}

// people are asked for.
var people = []string{"Ada L <ada@example.com>", "X <ADA@Example.Com>", "Bob <bob@example.com>", "bob <Bob@example.com>", "BOB <bob@example.com>",
	"Bob <bob@home.example>", "C <co@example.com>", "N <none@example.com>", "E <>", "B < bob@example.com >", "<ada@example.com>"}

func TestLookup(t *testing.T) {
	var s gittest.Stream
	s.Commit("main", "A <a@example.com>", 1, 1, "root")
	r := gittest.New(t, git.SHA1, s.String())
	for name, file := range files {
		blob := strings.TrimSpace(r.Stock(t, strings.NewReader(file), "hash-object", "-w", "--stdin"))
		m := mailmap.Parse([]byte(file))
		out := r.Stock(t, strings.NewReader(strings.Join(people, "\n")+"\n"), "-c", "mailmap.blob="+blob, "check-mailmap", "--stdin")
		for i, want := range strings.Split(strings.TrimSuffix(out, "\n"), "\n") {
			person, address, _ := strings.Cut(people[i], "<")
			person, address = m.Lookup(strings.TrimSuffix(person, " "), strings.TrimSuffix(address, ">"))
			if got := strings.TrimSpace(fmt.Sprintf("%s <%s>", person, address)); got != strings.TrimSpace(want) {
				t.Errorf("%s: %s is %q, want %q", name, people[i], got, want)
			}
		}
	}
	if name, email := (*mailmap.Map)(nil).Lookup("A", "a@b"); name != "A" || email != "a@b" {
		t.Errorf("no map changes somebody to %s <%s>", name, email)
	}
}

func TestTally(t *testing.T) {
	stream := gittest.Random(gittest.History{Seed: 41, Commits: 80})
	r := gittest.New(t, git.SHA1, stream)
	latin := "tree %s\nauthor J\xf6rg <j@example.com> 1 +0000\ncommitter C <c@example.com> 1 +0000\nencoding ISO-8859-1\n\nx\n"
	tree := strings.TrimSpace(r.Stock(t, nil, "rev-parse", "b0^{tree}"))
	id := r.Stock(t, strings.NewReader(fmt.Sprintf(latin, tree)), "hash-object", "-t", "commit", "-w", "--stdin")
	r.Stock(t, nil, "update-ref", "refs/heads/latin", strings.TrimSpace(id))
	r.Load(t)
	for name, file := range files {
		blob := strings.TrimSpace(r.Stock(t, strings.NewReader(file), "hash-object", "-w", "--stdin"))
		tally := mailmap.Tally{Map: mailmap.Parse([]byte(file))}
		for _, hex := range r.Lines(t, "rev-list", "--all") {
			c, err := git.ParseCommit(r.Format, r.Objects[r.Parse(t, hex)].Data)
			if err != nil {
				t.Fatal(err)
			}
			tally.Add(c)
		}
		got := ""
		for _, c := range tally.Contributors() {
			got += fmt.Sprintf("%6d\t%s <%s>\n", c.Commits, c.Name, c.Email)
			if c.First > c.Last || c.Last == 0 {
				t.Errorf("%s wrote from %d to %d", c.Name, c.First, c.Last)
			}
		}
		if want := r.Stock(t, nil, "-c", "mailmap.blob="+blob, "shortlog", "-sne", "--all"); got != want {
			t.Errorf("%s:\n%s, want\n%s", name, got, want)
		}
	}
}
