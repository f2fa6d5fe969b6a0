package hostingtest

import (
	"errors"
	"fmt"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/ingot-forge/ingot/forge"
	"github.com/ingot-forge/ingot/forge/hosting"
	"github.com/ingot-forge/ingot/git"
	"github.com/ingot-forge/ingot/git/repo"
)

func (f Fixture) fork(t *testing.T, parent forge.RepositoryID, owner forge.UserID, name string, only bool) *forge.Repository {
	t.Helper()
	r, err := f.Repositories.CreateRepository(t.Context(), hosting.New{OwnerID: owner, Name: name, Created: at.Add(time.Hour),
		Fork: &hosting.Forking{Parent: parent, DefaultBranchOnly: only, Event: event("fork")}}, event("repository"))
	if err != nil {
		t.Fatalf("fork to %q: %v", name, err)
	}
	return r
}

func (f Fixture) find(t *testing.T, id forge.RepositoryID) *forge.Repository {
	t.Helper()
	r, _, err := f.Repositories.FindRepository(t.Context(), hosting.Which{ID: id}, 0)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// names lists the names of refs.
func (f Fixture) names(t *testing.T, id forge.RepositoryID) (names []string) {
	t.Helper()
	state, err := f.Catalog.Load(t.Context(), repo.ID(id), nil)
	if err != nil {
		t.Fatal(err)
	}
	for _, r := range hosting.Refs(state, "refs/", "", 1000) {
		names = append(names, fmt.Sprintf("%s %x %x", r.Name, r.Target[0], r.Peeled[0]))
	}
	return names
}

func testFork(t *testing.T, f Fixture) {
	ctx := t.Context()
	alice, bob := f.AddUser(t, "alice"), f.AddUser(t, "bob")
	parent, err := f.Repositories.CreateRepository(ctx, hosting.New{OwnerID: alice, Name: "x", Private: true, DefaultBranch: "dev",
		Format: git.SHA256, Created: at}, nil)
	if err != nil {
		t.Fatal(err)
	}
	packs := []repo.Pack{{Name: "a", Bytes: 1000, Objects: 3, Checksum: []byte{1}, Added: at},
		{Name: "b", Bytes: 234, Objects: 1, Checksum: []byte{2}, Added: at, Data: []byte("small"), Index: []byte("pack")}}
	for i, p := range packs {
		_, err := f.Catalog.Commit(ctx, &repo.Change{Repository: repo.ID(parent.ID), Time: at, Add: []repo.Pack{p}, Refs: [][]repo.RefUpdate{
			{{Name: "refs/heads/dev", New: git.ID{1}}, {Name: "refs/heads/a/b", New: git.ID{2}}, {Name: "refs/tags/v1", New: git.ID{3}, Peeled: git.ID{1}}},
			{{Name: "refs/pull/1/head", New: git.ID{4}}, {Name: "refs/headstrong", New: git.ID{5}}, {Name: "refs/tagged", New: git.ID{6}}}}[i]})
		if err != nil {
			t.Fatal(err)
		}
	}

	fork := f.fork(t, parent.ID, bob, "y", false)
	same(t, fork, forge.Repository{ID: fork.ID, OwnerID: bob, Owner: "bob", Name: "y", Private: true, Created: at.Add(time.Hour), Updated: at.Add(time.Hour),
		Parent: parent.ID, Source: parent.ID, DefaultBranch: "dev", Pushed: at, Bytes: 1234, Version: 1})
	want := []string{"refs/heads/a/b 2 0", "refs/heads/dev 1 0", "refs/tags/v1 3 1"}
	if got := f.names(t, fork.ID); !slices.Equal(got, want) {
		t.Errorf("refs of the fork: %q, want %q", got, want)
	}
	state, err := f.Catalog.Load(ctx, repo.ID(fork.ID), nil)
	if err != nil {
		t.Fatal(err)
	}
	if state.Version != 1 || state.Head != "refs/heads/dev" || state.Format != git.SHA256 || len(state.Packs) != 2 {
		t.Fatalf("state of the fork: %+v", state)
	}
	for i, p := range state.Packs {
		if p.Name != packs[i].Name || p.Bytes != packs[i].Bytes || p.Objects != packs[i].Objects || !slices.Equal(p.Checksum, packs[i].Checksum) ||
			!slices.Equal(p.Data, packs[i].Data) || !slices.Equal(p.Index, packs[i].Index) ||
			!p.Added.Equal(at.Add(time.Hour)) {
			t.Errorf("pack %d of the fork: %+v", i, p)
		}
	}
	// Each goes its own way.
	f.commit(t, fork.ID, "refs/heads/new", 9, at.Add(2*time.Hour))
	f.commit(t, parent.ID, "refs/heads/other", 8, at.Add(2*time.Hour))
	if got := f.names(t, fork.ID); !slices.Equal(got, append(want[:2:2], "refs/heads/new 9 0", want[2])) {
		t.Errorf("refs of the fork after both moved: %q", got)
	}
	if now, err := f.Catalog.Load(ctx, repo.ID(fork.ID), state); err != nil || now.Version != 2 || len(now.Packs) != 2 {
		t.Errorf("the fork's state, a commit later: %+v, %v", now, err)
	}
	log, err := f.Catalog.RefLog(ctx, repo.ID(fork.ID), "", 0, 10)
	if err != nil || len(log) != 1 || log[0].Ref != "refs/heads/new" {
		t.Errorf("ref log of the fork: %+v, %v; want what moved in it", log, err)
	}

	small := f.fork(t, fork.ID, alice, "z", true)
	if got := f.names(t, small.ID); !slices.Equal(got, []string{"refs/heads/dev 1 0"}) || small.Parent != fork.ID || small.Source != parent.ID {
		t.Errorf("fork of the default branch of a fork: %+v with %q", small, got)
	}

	refused := func(what string, n hosting.New, kind forge.Kind, field string) {
		t.Helper()
		n.Created = at
		_, err := f.Repositories.CreateRepository(ctx, n, event("x"))
		if kind == 0 {
			wantNoRow(t, what, err)
		} else {
			wantKind(t, what, err, kind, field)
		}
	}
	refused("second fork", hosting.New{OwnerID: bob, Name: "other", Fork: &hosting.Forking{Parent: parent.ID, Event: event("x")}}, forge.Conflict, "parent")
	refused("fork to a name in use", hosting.New{OwnerID: alice, Name: "X", Fork: &hosting.Forking{Parent: parent.ID, Event: event("x")}}, forge.Conflict, "name")
	refused("fork of none", hosting.New{OwnerID: alice, Name: "q", Fork: &hosting.Forking{Parent: small.ID + 100, Event: event("x")}}, 0, "")

	var kinds []string
	events, err := f.Events.ListEvents(ctx, parent.ID, 0, 10)
	for _, e := range events {
		kinds = append(kinds, string(e.Kind))
	}
	if err != nil || !slices.Equal(kinds, []string{"fork", "push"}) {
		t.Errorf("events of the parent: %q, %v", kinds, err)
	}
	if events, err = f.Events.ListEvents(ctx, fork.ID, 0, 10); err != nil || len(events) != 3 || events[0].Kind != "repository" {
		t.Errorf("events of the fork: %+v, %v; want its creation, its push, its fork", events, err)
	}

	// Packs are held by whoever has them, and by nobody else.
	referenced := func(since time.Time, want bool) {
		t.Helper()
		if got, err := f.Catalog.Referenced(ctx, []string{"a", "b"}, since); err != nil || got["a"] != want || got["b"] != want {
			t.Errorf("packs referenced: %v, %v; want %v", got, err, want)
		}
	}
	later := at.Add(100 * time.Hour)
	for _, r := range []*forge.Repository{parent, small} {
		if err := f.Repositories.DeleteRepository(ctx, r.ID, false, at.Add(3*time.Hour), nil); err != nil {
			t.Fatal(err)
		}
		referenced(later, true)
	}
	if err := f.Repositories.DeleteRepository(ctx, fork.ID, false, at.Add(4*time.Hour), nil); err != nil {
		t.Fatal(err)
	}
	referenced(later, false)
	referenced(at.Add(4*time.Hour), true)
}

func testForkRace(t *testing.T, f Fixture) {
	alice, bob := f.AddUser(t, "alice"), f.AddUser(t, "bob")
	parent := f.create(t, alice, "x", false)
	var wg sync.WaitGroup
	errs := make([]error, 8)
	for i := range errs {
		wg.Go(func() {
			_, errs[i] = f.Repositories.CreateRepository(t.Context(), hosting.New{OwnerID: bob, Name: fmt.Sprint("f", i), Created: at,
				Fork: &hosting.Forking{Parent: parent.ID}}, nil)
		})
	}
	wg.Wait()
	made := 0
	for _, err := range errs {
		if err == nil {
			made++
		} else {
			wantKind(t, "lost race", err, forge.Conflict, "parent")
		}
	}
	if made != 1 {
		t.Errorf("%d forks were made, want 1", made)
	}
}

func testNetwork(t *testing.T, f Fixture) {
	ctx := t.Context()
	var users []forge.UserID
	for i := range 6 {
		users = append(users, f.AddUser(t, fmt.Sprint("user", i)))
	}
	root := f.create(t, users[0], "root", false)
	hidden := f.fork(t, root.ID, users[1], "hidden", false)
	next := *hidden
	next.Private, next.Updated = true, at.Add(2*time.Hour)
	if err := f.Repositories.UpdateRepository(ctx, &next, hidden.Updated, nil); err != nil {
		t.Fatal(err)
	}
	first, second := f.fork(t, root.ID, users[2], "first", false), f.fork(t, root.ID, users[3], "second", false)
	below := f.fork(t, first.ID, users[4], "below", false)

	list := func(l hosting.Listing, want ...*forge.Repository) {
		t.Helper()
		for l.Limit = 1; l.Limit < 5; l.Limit++ {
			var got []forge.RepositoryID
			for l.After = 0; ; {
				page, err := f.Repositories.ListRepositories(ctx, l)
				if err != nil {
					t.Fatal(err)
				}
				for _, r := range page {
					got, l.After = append(got, r.ID), r.ID
				}
				if len(page) == 0 {
					break
				}
			}
			var ids []forge.RepositoryID
			for _, r := range want {
				ids = append(ids, r.ID)
			}
			if !slices.Equal(got, ids) {
				t.Errorf("%+v: %v, want %v", l, got, ids)
			}
		}
	}
	list(hosting.Listing{Parent: root.ID}, first, second)
	list(hosting.Listing{Parent: root.ID, Newest: true}, second, first)
	list(hosting.Listing{Parent: root.ID, Viewer: users[1]}, hidden, first, second)
	list(hosting.Listing{Parent: root.ID, All: true, Newest: true}, second, first, hidden)
	list(hosting.Listing{Parent: root.ID, Owner: users[3]}, second)
	list(hosting.Listing{Parent: first.ID}, below)
	list(hosting.Listing{Newest: true}, below, second, first, root)

	count := func(r *forge.Repository, viewer forge.UserID, all bool, forks, network int) {
		t.Helper()
		a, b, err := f.Forks.CountForks(ctx, f.find(t, r.ID), viewer, all)
		if err != nil || a != forks || b != network {
			t.Errorf("forks of %s: %d, in its network %d, %v; want %d and %d", r.Name, a, b, err, forks, network)
		}
	}
	count(root, 0, false, 2, 3)
	count(root, users[1], false, 3, 4)
	count(root, 0, true, 3, 4)
	count(first, users[5], false, 1, 3)
	count(below, 0, false, 0, 3)

	family := func(r *forge.Repository, parent, source forge.RepositoryID) {
		t.Helper()
		if got := f.find(t, r.ID); got.Parent != parent || got.Source != source {
			t.Errorf("%s: parent %d and source %d, want %d and %d", r.Name, got.Parent, got.Source, parent, source)
		}
	}
	remove := func(r *forge.Repository) {
		t.Helper()
		if err := f.Repositories.DeleteRepository(ctx, r.ID, false, at, nil); err != nil {
			t.Fatal(err)
		}
	}
	remove(root) // the oldest public fork takes its place
	family(first, 0, 0)
	family(second, first.ID, first.ID)
	family(hidden, first.ID, first.ID)
	family(below, first.ID, first.ID)
	count(first, 0, true, 3, 3)
	deep := f.fork(t, second.ID, users[5], "deep", false)
	remove(second) // one in the middle
	family(deep, first.ID, first.ID)
	for _, r := range []*forge.Repository{below, deep} {
		remove(r)
	}
	remove(first)
	family(hidden, 0, 0)
	count(hidden, 0, true, 0, 0)
	if _, _, err := f.Repositories.FindRepository(ctx, hosting.Which{ID: first.ID}, 0); !errors.Is(err, forge.ErrNoRow) {
		t.Errorf("a deleted repository: %v", err)
	}
}
