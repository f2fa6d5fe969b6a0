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

// at is the time rows are made at: to the microsecond, which every store keeps.
var at = time.Date(2026, 11, 22, 10, 20, 30, 123456000, time.UTC)

// Fixture is one implementation of the stores, empty.
type Fixture struct {
	Repositories  hosting.Repositories
	Forks         hosting.Forks
	Collaborators hosting.Collaborators
	Events        hosting.Events
	Owners        hosting.Owners
	Catalog       repo.Catalog // of the same repositories
	AddUser       func(t *testing.T, login string) forge.UserID
}

// Run checks that the stores which open makes, empty each time, keep the
// contracts of package hosting.
func Run(t *testing.T, open func(t *testing.T) Fixture) {
	t.Run("Create", func(t *testing.T) { testCreate(t, open(t)) })
	t.Run("CreateRace", func(t *testing.T) { testCreateRace(t, open(t)) })
	t.Run("Catalog", func(t *testing.T) { testCatalog(t, open(t)) })
	t.Run("Update", func(t *testing.T) { testUpdate(t, open(t)) })
	t.Run("Delete", func(t *testing.T) { testDelete(t, open(t)) })
	t.Run("DeleteRace", func(t *testing.T) { testDeleteRace(t, open(t)) })
	t.Run("List", func(t *testing.T) { testList(t, open(t)) })
	t.Run("Fork", func(t *testing.T) { testFork(t, open(t)) })
	t.Run("ForkRace", func(t *testing.T) { testForkRace(t, open(t)) })
	t.Run("Network", func(t *testing.T) { testNetwork(t, open(t)) })
	t.Run("Collaborators", func(t *testing.T) { testCollaborators(t, open(t)) })
	t.Run("Events", func(t *testing.T) { testEvents(t, open(t)) })
	t.Run("EventOrder", func(t *testing.T) { testEventOrder(t, open(t)) })
	t.Run("Owners", func(t *testing.T) { testOwners(t, open(t)) })
}

func (f Fixture) create(t *testing.T, owner forge.UserID, name string, private bool) *forge.Repository {
	t.Helper()
	r, err := f.Repositories.CreateRepository(t.Context(),
		hosting.New{OwnerID: owner, Name: name, Private: private, DefaultBranch: "main", Created: at}, nil)
	if err != nil {
		t.Fatalf("CreateRepository(%q): %v", name, err)
	}
	return r
}

func (f Fixture) commit(t *testing.T, id forge.RepositoryID, ref string, target byte, when time.Time) {
	t.Helper()
	_, err := f.Catalog.Commit(t.Context(), &repo.Change{Repository: repo.ID(id), Who: "alice", Why: "test", Time: when,
		Refs:  []repo.RefUpdate{{Name: ref, New: git.ID{target}}},
		Event: event("push")})
	if err != nil {
		t.Fatalf("Commit: %v", err)
	}
}

func event(kind string) *repo.Event {
	return &repo.Event{Kind: kind, Payload: []byte(`{"is":"` + kind + `"}`)}
}

func wantKind(t *testing.T, what string, err error, kind forge.Kind, field string) {
	t.Helper()
	var e *forge.Error
	if !errors.As(err, &e) || e.Kind != kind {
		t.Errorf("%s: %v, want an error of kind %s", what, err, kind)
		return
	}
	if field != "" && (len(e.Fields) != 1 || e.Fields[0].Field != field) {
		t.Errorf("%s: fields %+v, want %q", what, e.Fields, field)
	}
}

func wantNoRow(t *testing.T, what string, err error) {
	t.Helper()
	if !errors.Is(err, forge.ErrNoRow) {
		t.Errorf("%s: %v, want ErrNoRow", what, err)
	}
}

func same(t *testing.T, got *forge.Repository, want forge.Repository) {
	t.Helper()
	g := *got
	if !g.Created.Equal(want.Created) || !g.Updated.Equal(want.Updated) || !g.Pushed.Equal(want.Pushed) ||
		g.Pushed.IsZero() != want.Pushed.IsZero() {
		t.Errorf("times %v %v %v, want %v %v %v", g.Created, g.Updated, g.Pushed, want.Created, want.Updated, want.Pushed)
	}
	g.Created, g.Updated, g.Pushed = want.Created, want.Updated, want.Pushed
	if g != want {
		t.Errorf("repository\n %+v, want\n %+v", g, want)
	}
}

func testCreate(t *testing.T, f Fixture) {
	ctx := t.Context()
	alice, bob := f.AddUser(t, "Alice"), f.AddUser(t, "bob")
	made, err := f.Repositories.CreateRepository(ctx, hosting.New{OwnerID: alice, Name: "Hello.World_1", Description: "täst <b>",
		Private: true, DefaultBranch: "trunk/x", Format: git.SHA256, Created: at}, event("repository"))
	if err != nil {
		t.Fatal(err)
	}
	want := forge.Repository{ID: made.ID, OwnerID: alice, Owner: "Alice", Name: "Hello.World_1", Description: "täst <b>",
		Private: true, Created: at, Updated: at, DefaultBranch: "trunk/x"}
	if made.ID <= 0 {
		t.Errorf("id %d, want a positive one", made.ID)
	}
	same(t, made, want)
	for _, which := range []hosting.Which{{ID: made.ID}, {Owner: "Alice", Name: "Hello.World_1"}, {Owner: "aLICE", Name: "hello.world_1"},
		{ID: made.ID, Owner: "bob", Name: "nothing"}} {
		for _, viewer := range []forge.UserID{0, alice, bob} {
			got, role, err := f.Repositories.FindRepository(ctx, which, viewer)
			if err != nil {
				t.Fatalf("FindRepository(%+v): %v", which, err)
			}
			same(t, got, want)
			if role != forge.RoleNone {
				t.Errorf("role of viewer %d is %s, want none: the owner is no collaborator", viewer, role)
			}
		}
	}
	for _, which := range []hosting.Which{{}, {ID: made.ID + 1000}, {Owner: "Alice"}, {Owner: "bob", Name: "Hello.World_1"},
		{Owner: "Alice", Name: "Hello%"}, {Owner: "Alice", Name: "Hello.World-1"}} {
		_, _, err := f.Repositories.FindRepository(ctx, which, 0)
		wantNoRow(t, fmt.Sprintf("FindRepository(%+v)", which), err)
	}

	_, err = f.Repositories.CreateRepository(ctx, hosting.New{OwnerID: alice, Name: "HELLO.world_1", DefaultBranch: "main", Created: at}, event("x"))
	wantKind(t, "name in use", err, forge.Conflict, "name")
	_, err = f.Repositories.CreateRepository(ctx, hosting.New{OwnerID: bob + 1000, Name: "x", DefaultBranch: "main", Created: at}, event("x"))
	wantNoRow(t, "owner who is not", err)
	if other := f.create(t, bob, "Hello.World_1", false); other.ID <= made.ID {
		t.Errorf("ids %d, then %d; want ascending", made.ID, other.ID)
	}
	events, err := f.Events.ListEvents(ctx, 0, 0, 10)
	if err != nil || len(events) != 1 {
		t.Errorf("%d events, %v; want that of the one creation that had one and succeeded", len(events), err)
	}
}

func testCreateRace(t *testing.T, f Fixture) {
	alice := f.AddUser(t, "alice")
	errs := make([]error, 8)
	var wg sync.WaitGroup
	for i := range errs {
		wg.Go(func() {
			_, errs[i] = f.Repositories.CreateRepository(t.Context(), hosting.New{OwnerID: alice, Name: []string{"x", "X"}[i%2],
				DefaultBranch: "main", Created: at}, event("repository"))
		})
	}
	wg.Wait()
	made := 0
	for _, err := range errs {
		if err == nil {
			made++
			continue
		}
		wantKind(t, "lost race", err, forge.Conflict, "name")
	}
	if events, err := f.Events.ListEvents(t.Context(), 0, 0, 10); made != 1 || err != nil || len(events) != 1 {
		t.Errorf("%d creations, %d events, %v; want 1 of each", made, len(events), err)
	}
}

// testCatalog checks that the description and the catalogue's row are of one repository.
func testCatalog(t *testing.T, f Fixture) {
	ctx := t.Context()
	alice := f.AddUser(t, "alice")
	r, err := f.Repositories.CreateRepository(ctx, hosting.New{OwnerID: alice, Name: "x", DefaultBranch: "dev", Format: git.SHA256, Created: at}, nil)
	if err != nil {
		t.Fatal(err)
	}
	state, err := f.Catalog.Load(ctx, repo.ID(r.ID), nil)
	if err != nil {
		t.Fatal(err)
	}
	if state.Format != git.SHA256 || state.Head != "refs/heads/dev" || state.Refs.Len() != 0 || len(state.Packs) != 0 {
		t.Errorf("state of a new repository: %+v", state)
	}

	pushed := at.Add(time.Hour)
	_, err = f.Catalog.Commit(ctx, &repo.Change{Repository: repo.ID(r.ID), Time: pushed, Who: "alice", Why: "push",
		Add: []repo.Pack{{Name: "a", Bytes: 1000, Objects: 3, Checksum: []byte{1}, Added: pushed},
			{Name: "b", Bytes: 234, Objects: 1, Checksum: []byte{2}, Added: pushed}},
		Refs: []repo.RefUpdate{{Name: "refs/heads/dev", New: git.ID{1}}}})
	if err != nil {
		t.Fatal(err)
	}
	// Moving HEAD, like compaction, is no push.
	_, err = f.Catalog.Commit(ctx, &repo.Change{Repository: repo.ID(r.ID), Time: pushed.Add(time.Hour), Drop: []string{"b"},
		Head: &repo.HeadUpdate{Old: "refs/heads/dev", New: "refs/heads/main"}})
	if err != nil {
		t.Fatal(err)
	}
	got, _, err := f.Repositories.FindRepository(ctx, hosting.Which{ID: r.ID}, 0)
	if err != nil {
		t.Fatal(err)
	}
	want := *r
	want.DefaultBranch, want.Pushed, want.Bytes, want.Version = "main", pushed, 1000, 2
	same(t, got, want)
}

func testUpdate(t *testing.T, f Fixture) {
	ctx := t.Context()
	alice, bob := f.AddUser(t, "alice"), f.AddUser(t, "bob")
	r := f.create(t, alice, "x", false)
	f.create(t, alice, "taken", false)
	f.create(t, bob, "y", false)

	next := *r
	next.Name, next.Description, next.Private, next.Archived, next.Updated = "y", "d", true, true, at.Add(time.Minute)
	if err := f.Repositories.UpdateRepository(ctx, &next, at, event("repository")); err != nil {
		t.Fatal(err)
	}
	got, _, err := f.Repositories.FindRepository(ctx, hosting.Which{Owner: "alice", Name: "y"}, 0)
	if err != nil {
		t.Fatal(err)
	}
	same(t, got, next)
	_, _, err = f.Repositories.FindRepository(ctx, hosting.Which{Owner: "alice", Name: "x"}, 0)
	wantNoRow(t, "the old name", err)

	stale := next
	stale.Description, stale.Updated = "stale", at.Add(time.Hour)
	wantKind(t, "update of what has changed meanwhile", f.Repositories.UpdateRepository(ctx, &stale, at, event("x")), forge.Conflict, "")
	stale.Name = "TAKEN"
	wantKind(t, "update to a name in use", f.Repositories.UpdateRepository(ctx, &stale, next.Updated, event("x")), forge.Conflict, "name")
	// Only the case of the own name may change.
	stale.Name = "Y"
	if err := f.Repositories.UpdateRepository(ctx, &stale, next.Updated, nil); err != nil {
		t.Errorf("changing the case of the name: %v", err)
	}
	stale.ID += 1000
	wantNoRow(t, "update of none", f.Repositories.UpdateRepository(ctx, &stale, at, event("x")))
	if events, err := f.Events.ListEvents(ctx, 0, 0, 10); err != nil || len(events) != 1 || !events[0].Time.Equal(next.Updated) {
		t.Errorf("events %+v, %v; want that of the one update, at its time", events, err)
	}
}

func testDelete(t *testing.T, f Fixture) {
	ctx := t.Context()
	alice, bob := f.AddUser(t, "alice"), f.AddUser(t, "bob")
	unused, used := f.create(t, alice, "unused", false), f.create(t, alice, "used", false)
	f.commit(t, used.ID, "refs/heads/main", 1, at)
	if _, err := f.Collaborators.SetRole(ctx, used.ID, bob, forge.RoleWrite, at, nil); err != nil {
		t.Fatal(err)
	}
	wantKind(t, "deleting if unused", f.Repositories.DeleteRepository(ctx, used.ID, true, at, event("x")), forge.Conflict, "")
	for _, r := range []struct {
		id     forge.RepositoryID
		unused bool
	}{{used.ID, false}, {unused.ID, true}} {
		if err := f.Repositories.DeleteRepository(ctx, r.id, r.unused, at.Add(time.Hour), event("repository")); err != nil {
			t.Fatal(err)
		}
		wantNoRow(t, "deleting again", f.Repositories.DeleteRepository(ctx, r.id, r.unused, at, event("x")))
		_, _, err := f.Repositories.FindRepository(ctx, hosting.Which{ID: r.id}, bob)
		wantNoRow(t, "a deleted repository", err)
		if _, err = f.Catalog.Load(ctx, repo.ID(r.id), nil); !errors.Is(err, repo.ErrNoRepository) {
			t.Errorf("state of a deleted repository: %v, want ErrNoRepository", err)
		}
		if _, err = f.Catalog.Commit(ctx, &repo.Change{Repository: repo.ID(r.id), Time: at}); !errors.Is(err, repo.ErrNoRepository) {
			t.Errorf("commit to a deleted repository: %v, want ErrNoRepository", err)
		}
	}
	events, err := f.Events.ListEvents(ctx, used.ID, 0, 10)
	if err != nil || len(events) != 2 || events[1].Kind != "repository" || !events[1].Time.Equal(at.Add(time.Hour)) {
		t.Errorf("events of the deleted repository: %+v, %v; want its push and its end", events, err)
	}
	again := f.create(t, alice, "used", false)
	if again.ID <= used.ID {
		t.Errorf("id %d after deleting %d: ids must not come again", again.ID, used.ID)
	}
	if list, err := f.Collaborators.ListCollaborators(ctx, again.ID, 0, 10); err != nil || len(list) != 0 {
		t.Errorf("collaborators of the name used again: %v, %v", list, err)
	}
}

// testDeleteRace has a first commit and a deletion of what is unused meet: one
// of them must fail.
func testDeleteRace(t *testing.T, f Fixture) {
	alice := f.AddUser(t, "alice")
	for i := range 10 {
		r := f.create(t, alice, fmt.Sprintf("r%d", i), false)
		var wg sync.WaitGroup
		var committed, deleted error
		wg.Go(func() {
			_, committed = f.Catalog.Commit(t.Context(), &repo.Change{Repository: repo.ID(r.ID), Time: at,
				Refs: []repo.RefUpdate{{Name: "refs/heads/main", New: git.ID{1}}}})
		})
		wg.Go(func() { deleted = f.Repositories.DeleteRepository(t.Context(), r.ID, true, at, nil) })
		wg.Wait()
		switch {
		case committed == nil && forge.KindOf(deleted) == forge.Conflict:
		case deleted == nil && errors.Is(committed, repo.ErrNoRepository):
		default:
			t.Errorf("commit: %v, deletion: %v; want one to win", committed, deleted)
		}
	}
}

func testList(t *testing.T, f Fixture) {
	ctx := t.Context()
	alice, bob, carol := f.AddUser(t, "alice"), f.AddUser(t, "bob"), f.AddUser(t, "carol")
	for _, owner := range []forge.UserID{alice, bob} {
		f.create(t, owner, "public", false)
		f.create(t, owner, "private", true)
	}
	shared := f.create(t, bob, "shared", true)
	joined := f.create(t, bob, "joined", false)
	for _, r := range []*forge.Repository{shared, joined} {
		if _, err := f.Collaborators.SetRole(ctx, r.ID, alice, forge.RoleRead, at, nil); err != nil {
			t.Fatal(err)
		}
	}
	for _, c := range []struct {
		name string
		l    hosting.Listing
		want []string
	}{
		{"anonymous", hosting.Listing{}, []string{"alice/public", "bob/public", "bob/joined"}},
		{"anonymous, of bob", hosting.Listing{Owner: bob}, []string{"bob/public", "bob/joined"}},
		{"anonymous, own", hosting.Listing{Member: true}, nil},
		{"alice", hosting.Listing{Viewer: alice}, []string{"alice/public", "alice/private", "bob/public", "bob/shared", "bob/joined"}},
		{"alice, of bob", hosting.Listing{Viewer: alice, Owner: bob}, []string{"bob/public", "bob/shared", "bob/joined"}},
		{"alice, own", hosting.Listing{Viewer: alice, Member: true}, []string{"alice/public", "alice/private", "bob/shared", "bob/joined"}},
		{"alice, own of bob", hosting.Listing{Viewer: alice, Owner: bob, Member: true}, []string{"bob/shared", "bob/joined"}},
		{"carol", hosting.Listing{Viewer: carol}, []string{"alice/public", "bob/public", "bob/joined"}},
		{"all", hosting.Listing{All: true}, []string{"alice/public", "alice/private", "bob/public", "bob/private", "bob/shared", "bob/joined"}},
		{"all of bob", hosting.Listing{All: true, Owner: bob}, []string{"bob/public", "bob/private", "bob/shared", "bob/joined"}},
		{"all, own", hosting.Listing{All: true, Viewer: alice, Member: true}, []string{"alice/public", "alice/private", "bob/shared", "bob/joined"}},
		{"of nobody", hosting.Listing{Owner: carol + 1000, All: true}, nil},
	} {
		for _, limit := range []int{1, 2, 100} {
			var got []string
			l := c.l
			l.Limit = limit
			for {
				list, err := f.Repositories.ListRepositories(ctx, l)
				if err != nil {
					t.Fatalf("%s: %v", c.name, err)
				}
				if len(list) > limit {
					t.Fatalf("%s: %d on a page of %d", c.name, len(list), limit)
				}
				if len(list) == 0 {
					break
				}
				for _, r := range list {
					got = append(got, r.FullName())
				}
				l.After = list[len(list)-1].ID
			}
			if !slices.Equal(got, c.want) {
				t.Errorf("%s, %d a page: %v, want %v", c.name, limit, got, c.want)
			}
		}
	}
}

func testCollaborators(t *testing.T, f Fixture) {
	ctx := t.Context()
	alice, bob, carol := f.AddUser(t, "alice"), f.AddUser(t, "bob"), f.AddUser(t, "carol")
	r, other := f.create(t, alice, "x", true), f.create(t, alice, "y", true)
	set := func(id forge.RepositoryID, u forge.UserID, role forge.Role, want bool) {
		t.Helper()
		changed, err := f.Collaborators.SetRole(ctx, id, u, role, at, event("member"))
		if err != nil || changed != want {
			t.Errorf("SetRole(%d, %d, %s): %v, %v; want %v", id, u, role, changed, err, want)
		}
	}
	role := func(id forge.RepositoryID, u forge.UserID, want forge.Role) {
		t.Helper()
		if _, got, err := f.Repositories.FindRepository(ctx, hosting.Which{ID: id}, u); err != nil || got != want {
			t.Errorf("role of %d in %d: %s, %v; want %s", u, id, got, err, want)
		}
	}
	set(r.ID, bob, forge.RoleNone, false)
	for want := forge.RoleRead; want <= forge.RoleAdmin; want++ {
		set(r.ID, bob, want, true)
		set(r.ID, bob, want, false)
		role(r.ID, bob, want)
	}
	role(r.ID, carol, forge.RoleNone)
	role(r.ID, 0, forge.RoleNone)
	role(other.ID, bob, forge.RoleNone)
	set(r.ID, carol, forge.RoleRead, true)
	list, err := f.Collaborators.ListCollaborators(ctx, r.ID, 0, 1)
	if err != nil || len(list) != 1 || list[0] != (hosting.Collaborator{UserID: bob, Login: "bob", Role: forge.RoleAdmin}) {
		t.Errorf("first page: %+v, %v; want bob", list, err)
	}
	list, err = f.Collaborators.ListCollaborators(ctx, r.ID, bob, 10)
	if err != nil || len(list) != 1 || list[0] != (hosting.Collaborator{UserID: carol, Login: "carol", Role: forge.RoleRead}) {
		t.Errorf("second page: %+v, %v; want carol", list, err)
	}
	set(r.ID, bob, forge.RoleNone, true)
	role(r.ID, bob, forge.RoleNone)
	_, err = f.Collaborators.SetRole(ctx, r.ID+1000, bob, forge.RoleRead, at, event("x"))
	wantNoRow(t, "SetRole in no repository", err)
	_, err = f.Collaborators.SetRole(ctx, r.ID, carol+1000, forge.RoleRead, at, event("x"))
	wantNoRow(t, "SetRole of nobody", err)
	if events, err := f.Events.ListEvents(ctx, r.ID, 0, 100); err != nil || len(events) != 7 {
		t.Errorf("%d events, %v; want 7: one for each change", len(events), err)
	}
}

func testEvents(t *testing.T, f Fixture) {
	ctx := t.Context()
	alice := f.AddUser(t, "alice")
	x, y := f.create(t, alice, "x", false), f.create(t, alice, "y", false)
	f.commit(t, x.ID, "refs/heads/a", 1, at.Add(1*time.Second))
	f.commit(t, y.ID, "refs/heads/a", 1, at.Add(2*time.Second))
	f.commit(t, x.ID, "refs/heads/b", 1, at.Add(3*time.Second))
	// What fails leaves no event.
	_, err := f.Catalog.Commit(ctx, &repo.Change{Repository: repo.ID(x.ID), Time: at, Event: event("push"),
		Refs: []repo.RefUpdate{{Name: "refs/heads/b", Old: git.ID{9}, New: git.ID{2}}}})
	if conflict := (*repo.Conflict)(nil); !errors.As(err, &conflict) {
		t.Fatalf("commit from a wrong old id: %v, want *repo.Conflict", err)
	}
	all, err := f.Events.ListEvents(ctx, 0, 0, 100)
	if err != nil || len(all) != 3 {
		t.Fatalf("%d events, %v; want 3", len(all), err)
	}
	for i, want := range []forge.RepositoryID{x.ID, y.ID, x.ID} {
		e := all[i]
		if e.Repository != want || e.Kind != forge.EventPush || string(e.Payload) != `{"is":"push"}` ||
			!e.Time.Equal(at.Add(time.Duration(i+1)*time.Second)) || i > 0 && e.Seq <= all[i-1].Seq || e.Seq <= 0 {
			t.Errorf("event %d: %+v", i, e)
		}
	}
	of, err := f.Events.ListEvents(ctx, x.ID, all[0].Seq, 100)
	if err != nil || len(of) != 1 || of[0].Seq != all[2].Seq {
		t.Errorf("events of x after the first: %+v, %v; want the third", of, err)
	}
	if page, err := f.Events.ListEvents(ctx, 0, all[0].Seq, 1); err != nil || len(page) != 1 || page[0].Seq != all[1].Seq {
		t.Errorf("page of one after the first: %+v, %v", page, err)
	}
}

// testEventOrder reads the log while several write to it: a reader that goes on
// from the last Seq it saw must meet every event.
func testEventOrder(t *testing.T, f Fixture) {
	const writers, each = 4, 25
	ctx := t.Context()
	alice := f.AddUser(t, "alice")
	var wg sync.WaitGroup
	for w := range writers {
		r := f.create(t, alice, fmt.Sprintf("r%d", w), false)
		wg.Go(func() {
			for i := range each {
				_, err := f.Catalog.Commit(ctx, &repo.Change{Repository: repo.ID(r.ID), Time: at, Event: event("push"),
					Refs: []repo.RefUpdate{{Name: fmt.Sprintf("refs/heads/b%d", i), New: git.ID{1}}}})
				if err != nil {
					t.Error(err)
					return
				}
			}
		})
	}
	done := make(chan struct{})
	go func() { wg.Wait(); close(done) }()
	seen := 0
	for after, last := int64(0), false; ; {
		list, err := f.Events.ListEvents(ctx, 0, after, 10)
		if err != nil {
			t.Error(err)
			break
		}
		for _, e := range list {
			if e.Seq <= after {
				t.Fatalf("event %d after %d", e.Seq, after)
			}
			after = e.Seq
			seen++
		}
		if len(list) > 0 {
			continue
		}
		if last {
			break
		}
		select {
		case <-done:
			last = true
		default:
		}
	}
	<-done
	if seen != writers*each {
		t.Errorf("a reader that followed the log saw %d events of %d", seen, writers*each)
	}
}

func testOwners(t *testing.T, f Fixture) {
	alice := f.AddUser(t, "Alice")
	for _, login := range []string{"Alice", "alice"} {
		u, err := f.Owners.Owner(t.Context(), login)
		if err != nil || u.ID != alice || u.Login != "Alice" {
			t.Errorf("Owner(%q): %+v, %v", login, u, err)
		}
	}
	_, err := f.Owners.Owner(t.Context(), "al_ce")
	wantNoRow(t, "Owner of no login", err)
}
