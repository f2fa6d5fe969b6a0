package repotest

import (
	"fmt"
	"slices"
	"strings"

	"github.com/ingot-forge/ingot/git"
	"github.com/ingot-forge/ingot/git/repo"
)

func refLife(c cat) {
	r := c.create()
	step := func(old, new, peeled git.ID, want ...repo.Ref) {
		c.Helper()
		v := c.commit(repo.Change{Repository: r, Refs: []repo.RefUpdate{{Name: "refs/heads/a", Old: old, New: new, Peeled: peeled}}})
		c.equal(&repo.State{ID: r, Version: v, Head: "refs/heads/main", Refs: repo.NewRefs(want...)}, c.load(r))
	}
	for range 2 { // a deleted ref can come back
		step(zero, id(1), zero, repo.Ref{Name: "refs/heads/a", Target: id(1)})
		step(id(1), id(2), id(3), repo.Ref{Name: "refs/heads/a", Target: id(2), Peeled: id(3)})
		step(id(2), id(1), zero, repo.Ref{Name: "refs/heads/a", Target: id(1)})
		step(id(1), zero, zero)
	}
}

func conflictListsAll(c cat) {
	r := c.create()
	c.set(r, map[string]int{"refs/heads/a": 1, "refs/heads/b": 2, "refs/heads/c": 3, "refs/heads/d": 4})
	c.conflicts(
		repo.Change{
			Repository: r,
			Add:        []repo.Pack{packRow("p")},
			Refs: []repo.RefUpdate{
				{Name: "refs/heads/new", New: id(9)},              // right
				{Name: "refs/heads/d", Old: id(5)},                // deletes what is elsewhere
				{Name: "refs/heads/c", New: id(9)},                // creates what exists
				{Name: "refs/heads/b", Old: id(2), New: id(9)},    // right
				{Name: "refs/heads/none", Old: id(1), New: id(2)}, // moves what is not there
				{Name: "refs/heads/none2", Old: id(1)},            // deletes what is not there
				{Name: "refs/heads/a", Old: id(2), New: id(9)},    // moves from elsewhere
				{Name: "refs/heads/a/x", Old: id(2), New: id(9)},  // is not there either
				{Name: "refs/heads/same", Old: id(7), New: id(7)}, // compares with what is not there
				{Name: "refs/heads/b/blocked", New: id(9)},        // beside refs/heads/b
				{Name: "refs/heads/new/blocked/too", New: id(9)},  // beside the first
			},
		},
		repo.ConflictRef{Name: "refs/heads/d", Expected: id(5), Actual: id(4)},
		repo.ConflictRef{Name: "refs/heads/c", Expected: zero, Actual: id(3)},
		repo.ConflictRef{Name: "refs/heads/none", Expected: id(1)},
		repo.ConflictRef{Name: "refs/heads/none2", Expected: id(1)},
		repo.ConflictRef{Name: "refs/heads/a", Expected: id(2), Actual: id(1)},
		repo.ConflictRef{Name: "refs/heads/a/x", Expected: id(2)},
		repo.ConflictRef{Name: "refs/heads/same", Expected: id(7)},
		repo.ConflictRef{Name: "refs/heads/b/blocked", Blocker: "refs/heads/b"},
		repo.ConflictRef{Name: "refs/heads/new/blocked/too", Blocker: "refs/heads/new"},
	)
}

func compareOnly(c cat) {
	r := c.create()
	c.commit(repo.Change{Repository: r, Refs: []repo.RefUpdate{{Name: "refs/tags/a", New: id(1), Peeled: id(2)}}})
	before := c.load(r)
	v := c.commit(repo.Change{Repository: r, Refs: []repo.RefUpdate{
		{Name: "refs/tags/a", Old: id(1), New: id(1)},
		{Name: "refs/tags/absent"},
		{Name: "refs/tags/a/absent"}, // stays absent, so it blocks nothing
	}})
	want := *before
	want.Version = v
	c.equal(&want, c.load(r)) // Peeled kept
	if log := c.log(r); len(log) != 1 {
		c.Errorf("ref log: %+v", log)
	}
	c.conflicts(repo.Change{Repository: r, Refs: []repo.RefUpdate{
		{Name: "refs/tags/a", Old: id(2), New: id(2)},
		{Name: "refs/tags/b", New: id(1)},
	}}, repo.ConflictRef{Name: "refs/tags/a", Expected: id(2), Actual: id(1)})
	c.conflicts(repo.Change{Repository: r, Refs: []repo.RefUpdate{{Name: "refs/tags/a"}}},
		repo.ConflictRef{Name: "refs/tags/a", Actual: id(1)})
}

func directoryConflicts(c cat) {
	r := c.create()
	c.set(r, map[string]int{"refs/heads/a/b/c": 1, "refs/heads/a-b": 1, "refs/heads/a.b/c": 1, "refs/heads/ab": 1})
	create := func(names ...string) (ch repo.Change) {
		ch.Repository = r
		for _, name := range names {
			ch.Refs = append(ch.Refs, repo.RefUpdate{Name: name, New: id(2)})
		}
		return ch
	}
	blocked := func(name, by string) repo.ConflictRef { return repo.ConflictRef{Name: name, Blocker: by} }

	c.conflicts(create("refs/heads/a"), blocked("refs/heads/a", "refs/heads/a/b/c"))
	c.conflicts(create("refs/heads/a/b"), blocked("refs/heads/a/b", "refs/heads/a/b/c"))
	c.conflicts(create("refs/heads/a/b/c/d"), blocked("refs/heads/a/b/c/d", "refs/heads/a/b/c"))
	c.conflicts(create("refs/heads/a/b/c/d/e/f"), blocked("refs/heads/a/b/c/d/e/f", "refs/heads/a/b/c"))
	c.conflicts(create("refs/x", "refs/x/y", "refs/x/z", "refs/w/v", "refs/w"),
		blocked("refs/x/y", "refs/x"), blocked("refs/x/z", "refs/x"), blocked("refs/w", "refs/w/v"))
	c.commit(create("refs/heads/a/b/d", "refs/heads/a/bb", "refs/heads/a.c", "refs/heads/a.b/c-d"))

	// Replacing a ref by one below it, and back, in one change.
	c.commit(repo.Change{Repository: r, Refs: []repo.RefUpdate{
		{Name: "refs/heads/ab/new", New: id(2)},
		{Name: "refs/heads/ab", Old: id(1)},
	}})
	c.commit(repo.Change{Repository: r, Refs: []repo.RefUpdate{
		{Name: "refs/heads/ab/new", Old: id(2)},
		{Name: "refs/heads/ab", New: id(1)},
	}})
	// Only some of what is below goes: the rest still blocks.
	c.conflicts(repo.Change{Repository: r, Refs: []repo.RefUpdate{
		{Name: "refs/heads/a/b/c", Old: id(1)},
		{Name: "refs/heads/a/bb", Old: id(2)},
		{Name: "refs/heads/a", New: id(1)},
	}}, blocked("refs/heads/a", "refs/heads/a/b/d"))
	c.commit(repo.Change{Repository: r, Refs: []repo.RefUpdate{
		{Name: "refs/heads/a/b/c", Old: id(1)},
		{Name: "refs/heads/a", New: id(1)},
		{Name: "refs/heads/a/b/d", Old: id(2)},
		{Name: "refs/heads/a/bb", Old: id(2)},
	}})
	// A ref that exists on both sides of a move is none of this test's business.
	c.commit(repo.Change{Repository: r, Refs: []repo.RefUpdate{{Name: "refs/heads/a", Old: id(1), New: id(2)}}})
}

func nameBytes(c cat) {
	r := c.create()
	refs := []string{"refs/heads/A", "refs/heads/B", "refs/heads/a", "refs/heads/a%b", "refs/heads/a'b", "refs/heads/a_c", "refs/heads/abc",
		"refs/heads/e\u0301", "refs/heads/é", "refs/heads/日本", "refs/heads/\U0001F600", "refs/tags/" + strings.Repeat("x", 1000)}
	set := map[string]int{}
	for i, name := range refs {
		set[name] = i + 1
	}
	c.set(r, set)
	slices.Sort(refs)
	var got []string
	for ref := range c.load(r).Refs.All() {
		got = append(got, ref.Name)
		if ref.Target != id(set[ref.Name]) {
			c.Errorf("%q is at %s", ref.Name, ref.Target)
		}
	}
	if !slices.Equal(got, refs) {
		c.Errorf("refs in order:\n got %q\nwant %q", got, refs)
	}
	// Wildcards of a LIKE are only characters, and case counts.
	c.commit(repo.Change{Repository: r,
		Refs: []repo.RefUpdate{{Name: "refs/heads/a_b/x", New: id(1)}, {Name: "refs/heads/ABC/x", New: id(1)}}})
	c.conflicts(repo.Change{Repository: r, Refs: []repo.RefUpdate{{Name: "refs/heads/a%b/x", New: id(1)}}},
		repo.ConflictRef{Name: "refs/heads/a%b/x", Blocker: "refs/heads/a%b"})
	c.commit(repo.Change{Repository: r,
		Refs: []repo.RefUpdate{{Name: "refs/heads/%", New: id(1)}, {Name: "refs/heads/___", New: id(1)}}})
}

func manyRefs(c cat) {
	r := c.create()
	const n = 5000
	ch := repo.Change{Repository: r}
	want := make([]repo.Ref, n)
	for i := range n {
		want[i] = repo.Ref{Name: fmt.Sprintf("refs/heads/topic/%04d/x", i), Target: id(i + 1)}
		ch.Refs = append(ch.Refs, repo.RefUpdate{Name: want[i].Name, New: want[i].Target})
	}
	slices.Reverse(ch.Refs)
	v := c.commit(ch)
	first := c.load(r)
	c.equal(&repo.State{ID: r, Version: v, Head: "refs/heads/main", Refs: repo.NewRefs(want...)}, first)

	for i := range ch.Refs {
		u := &ch.Refs[i]
		u.Old, u.New = u.New, id(n+1)
	}
	ch.Refs[17].Old = id(n + 7)
	c.conflicts(ch, repo.ConflictRef{Name: ch.Refs[17].Name, Expected: id(n + 7), Actual: want[n-1-17].Target})
	ch.Refs[17].Old = want[n-1-17].Target
	v = c.commit(ch)
	for i := range want {
		want[i].Target = id(n + 1)
	}
	state := &repo.State{ID: r, Version: v, Head: "refs/heads/main", Refs: repo.NewRefs(want...)}
	c.equal(state, c.load(r))
	got, err := c.Load(c.Context(), r, first)
	if err != nil {
		c.Fatal(err)
	}
	c.equal(state, got)
	if log := c.log(r); len(log) != 2*n || log[0].Ref != ch.Refs[n-1].Name {
		c.Errorf("ref log has %d lines", len(log))
	}
}
