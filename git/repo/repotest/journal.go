package repotest

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/ingot-forge/ingot/git/repo"
)

func refLog(c cat) {
	r, other := c.create(), c.create()
	at := func(i int) time.Time { return epoch.Add(time.Duration(i) * time.Second) }
	move := func(r repo.ID, i int, refs ...repo.RefUpdate) {
		c.commit(repo.Change{Repository: r, Refs: refs, Who: fmt.Sprint("who ", i), Why: fmt.Sprint("why é\n", i), Time: at(i)})
	}
	move(r, 0, repo.RefUpdate{Name: "refs/heads/b", New: id(1)}, repo.RefUpdate{Name: "refs/heads/a", New: id(2), Peeled: id(3)})
	move(other, 1, repo.RefUpdate{Name: "refs/heads/a", New: id(9)})
	move(r, 2, repo.RefUpdate{Name: "refs/heads/a", Old: id(2), New: id(1)},
		repo.RefUpdate{Name: "refs/heads/b", Old: id(1), New: id(1)})
	move(r, 3, repo.RefUpdate{Name: "refs/heads/b", Old: id(1)})
	move(r, 4)               // moves nothing
	want := []repo.Movement{ // newest first
		{Ref: "refs/heads/b", Old: id(1), Who: "who 3", Why: "why é\n3", Time: at(3)},
		{Ref: "refs/heads/a", Old: id(2), New: id(1), Who: "who 2", Why: "why é\n2", Time: at(2)},
		{Ref: "refs/heads/a", New: id(2), Who: "who 0", Why: "why é\n0", Time: at(0)},
		{Ref: "refs/heads/b", New: id(1), Who: "who 0", Why: "why é\n0", Time: at(0)},
	}
	all := c.log(r)
	if len(all) != len(want) {
		c.Fatalf("log:\n got %+v\nwant %+v", all, want)
	}
	for i, got := range all {
		if !got.Time.Equal(want[i].Time) {
			c.Errorf("line %d: time %v, want %v", i, got.Time, want[i].Time)
		}
		if got.Seq <= 0 || i > 0 && got.Seq >= all[i-1].Seq {
			c.Errorf("line %d: seq %d does not fall", i, got.Seq)
		}
		want[i].Seq, want[i].Time = got.Seq, got.Time
	}
	if !slices.Equal(all, want) {
		c.Fatalf("log:\n got %+v\nwant %+v", all, want)
	}

	page := func(ref string, before int64, limit int, want ...repo.Movement) {
		c.Helper()
		got, err := c.RefLog(c.Context(), r, ref, before, limit)
		if err != nil || !slices.Equal(got, want) {
			c.Errorf("RefLog(%q, %d, %d):\n got %+v, %v\nwant %+v", ref, before, limit, got, err, want)
		}
	}
	page("", 0, 2, all[:2]...)
	page("", all[1].Seq, 2, all[2:]...)
	page("", all[1].Seq, 1, all[2])
	page("", all[3].Seq, 5)
	page("", all[0].Seq+1, 1, all[0])
	page("", 0, 0)
	page("refs/heads/a", 0, 10, all[1], all[2])
	page("refs/heads/a", all[1].Seq, 10, all[2])
	page("refs/heads/b", 0, 1, all[0])
	page("refs/heads/b", all[0].Seq, 10, all[3])
	page("refs/heads", 0, 10)
	page("refs/heads/never", 0, 10)
}

func events(c cat) {
	r, other := c.create(), c.create()
	if got := c.events(r); len(got) != 0 {
		c.Errorf("events of a new repository: %+v", got)
	}
	var want []string
	for i := range 3 {
		payload := fmt.Sprintf(`{"n":%d,"s": "é"}`, i)
		want = append(want, fmt.Sprintf("kind%d %s", i, payload))
		c.commit(repo.Change{Repository: r, Event: &repo.Event{Kind: fmt.Sprint("kind", i), Payload: []byte(payload)}})
		c.commit(repo.Change{Repository: other, Event: &repo.Event{Kind: "other", Payload: []byte("{}")}})
		c.commit(repo.Change{Repository: r})
	}
	c.conflicts(repo.Change{Repository: r, Refs: []repo.RefUpdate{{Name: "refs/heads/a", Old: id(1)}},
		Event: &repo.Event{Kind: "refused", Payload: []byte("{}")}}, repo.ConflictRef{Name: "refs/heads/a", Expected: id(1)})
	var got []string
	for _, e := range c.events(r) {
		got = append(got, e.Kind+" "+string(e.Payload))
	}
	if !slices.Equal(got, want) {
		c.Errorf("events\n got %q\nwant %q", got, want)
	}
}

func referenced(c cat) {
	a, b := c.create(), c.create()
	at := func(h int) time.Time { return epoch.Add(time.Duration(h) * time.Hour) }
	asked := []string{"a", "b", "both", "gone", "never", "never"}
	want := func(since time.Time, want ...string) {
		c.Helper()
		got, err := c.Referenced(c.Context(), asked, since)
		if err != nil {
			c.Fatal(err)
		}
		var names []string
		for name, yes := range got {
			if yes {
				names = append(names, name)
			}
		}
		slices.Sort(names)
		if !slices.Equal(names, want) {
			c.Errorf("Referenced since %v = %q, want %q", since, names, want)
		}
	}
	want(at(0))
	c.commit(repo.Change{Repository: a, Time: at(1),
		Add: []repo.Pack{packRow("a"), packRow("both"), packRow("gone"), packRow("unasked")}})
	c.commit(repo.Change{Repository: b, Add: []repo.Pack{packRow("b"), packRow("both")}, Time: at(1)})
	want(at(100), "a", "b", "both", "gone")

	c.commit(repo.Change{Repository: a, Drop: []string{"both", "gone"}, Time: at(3)})
	want(at(2), "a", "b", "both", "gone")
	want(at(3), "a", "b", "both", "gone")
	want(at(4), "a", "b", "both")

	c.commit(repo.Change{Repository: b, Drop: []string{"both"}, Time: at(5)})
	want(at(4), "a", "b", "both")
	want(at(6), "a", "b")
	want(at(2), "a", "b", "both", "gone")

	c.commit(repo.Change{Repository: a, Add: []repo.Pack{packRow("gone")}, Time: at(7)}) // comes back …
	want(at(100), "a", "b", "gone")
	c.commit(repo.Change{Repository: a, Drop: []string{"gone"}, Time: at(8)}) // … and goes
	want(at(7), "a", "b", "gone")
	want(at(9), "a", "b")

	if err := c.Remove(c.Context(), b, at(10)); err != nil {
		c.Fatal(err)
	}
	want(at(9), "a", "b")
	want(at(11), "a")

	many := make([]string, 2000)
	for i := range many {
		many[i] = fmt.Sprintf("pack-%d", i)
	}
	many[1234] = "a"
	got, err := c.Referenced(c.Context(), many, at(100))
	if err != nil || !maps.Equal(got, map[string]bool{"a": true}) {
		c.Errorf("Referenced of 2,000 = %v, %v", got, err)
	}
	if got, err := c.Referenced(c.Context(), nil, at(0)); err != nil || len(got) != 0 {
		c.Errorf("Referenced of none = %v, %v", got, err)
	}
}

func repositories(c cat) {
	var all []repo.ID
	for range 7 {
		all = append(all, c.create())
	}
	if !slices.IsSorted(all) {
		c.Errorf("ids don't grow: %v", all)
	}
	if err := c.Remove(c.Context(), all[3], epoch); err != nil {
		c.Fatal(err)
	}
	all = slices.Delete(all, 3, 4)
	page := func(after repo.ID, limit int, want ...repo.ID) {
		c.Helper()
		got, err := c.Repositories(c.Context(), after, limit)
		if err != nil || !slices.Equal(got, want) {
			c.Errorf("Repositories(%d, %d) = %v, %v, want %v", after, limit, got, err, want)
		}
	}
	page(0, 100, all...)
	page(0, 2, all[:2]...)
	page(all[1], 2, all[2:4]...)
	page(all[2], 100, all[3:]...)
	page(all[5], 100)
	page(0, 0)
}

func catalogContext(c cat) {
	r := c.create()
	c.set(r, map[string]int{"refs/heads/a": 1})
	before := c.load(r)
	ctx, cancel := context.WithCancel(c.Context())
	cancel()
	_, errLoad := c.Load(ctx, r, nil)
	_, errSince := c.Load(ctx, r, before)
	_, errCommit := c.Commit(ctx, &repo.Change{Repository: r, Time: epoch,
		Refs: []repo.RefUpdate{{Name: "refs/heads/b", New: id(1)}}})
	_, errLog := c.RefLog(ctx, r, "", 0, 1)
	_, errReferenced := c.Referenced(ctx, []string{"x"}, epoch)
	_, errRepositories := c.Repositories(ctx, 0, 1)
	for what, err := range map[string]error{
		"Load": errLoad, "Load since": errSince, "Commit": errCommit, "RefLog": errLog,
		"Referenced": errReferenced, "Repositories": errRepositories,
	} {
		if !errors.Is(err, context.Canceled) {
			c.Errorf("%s under a cancelled context = %v", what, err)
		}
		if errors.Is(err, repo.ErrUnknown) {
			c.Errorf("%s: %v, though it never began", what, err)
		}
	}
	c.equal(before, c.load(r))
	c.set(r, map[string]int{"refs/heads/a": 2, "refs/heads/b": 2}) // nothing is locked
	if s := c.load(r); s.Refs.Len() != 2 {
		c.Errorf("state %+v", s)
	}
}
