package hosting_test

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/ingot-forge/ingot/forge"
	"github.com/ingot-forge/ingot/forge/hosting"
	engine "github.com/ingot-forge/ingot/git"
	"github.com/ingot-forge/ingot/git/repo"
)

// TestGate checks that what may not be seen cannot be told from what is not
// there: kind, text and flags of the error are the same.
func TestGate(t *testing.T) {
	w := open(t, hosting.Limits{})
	w.create(t, w.alice, "public", false)
	w.create(t, w.alice, "private", true)
	expired := token(w.alice, 0, forge.ScopeRepo)
	expired.Credential.Expires = time.Now().Add(-time.Second)
	actions := []forge.Action{forge.Read, forge.Push, forge.Administer, forge.Delete}
	for _, c := range []struct {
		name            string
		actor           *forge.Actor
		public, private string // y, d, n for each action, as in forge's own test
	}{
		{"anonymous", w.anonymous, "yddd", "nnnn"},
		{"stranger", w.bob, "yddd", "nnnn"},
		{"owner", w.alice, "yyyy", "yyyy"},
		{"administrator", w.admin, "yyyy", "yyyy"},
		{"machine", w.machine, "yyyy", "yyyy"},
		{"token without scopes", token(w.alice, 0), "yddd", "nnnn"},
		{"token for another repository", token(w.alice, 99, forge.ScopeRepo), "yddd", "nnnn"},
		{"token to read", token(w.alice, 0, forge.ScopeReadRepo), "yddd", "yddd"},
		{"expired token", expired, "dddd", "dddd"},
	} {
		for i, action := range actions {
			_, absent := w.Open(t.Context(), c.actor, action, "alice", "absent")
			for _, name := range []string{"absent.git", "..", "", "PRIVATE2", "a/b", strings.Repeat("x", 1000), "private\x00"} {
				_, err := w.Open(t.Context(), c.actor, action, "alice", name)
				same(t, c.name+" "+name, err, absent)
			}
			for _, owner := range []string{"nobody", "", "..", "-", "%", "alice%"} {
				_, err := w.Open(t.Context(), c.actor, action, owner, "private")
				same(t, c.name+" "+owner, err, absent)
			}
			for name, want := range map[string]string{"public": c.public, "private": c.private, "Public.git": c.public, "PRIVATE": c.private} {
				h, err := w.Open(t.Context(), c.actor, action, "Alice", name)
				switch want[i] {
				case 'y':
					if err != nil || h.Action != action || h.Actor != c.actor {
						t.Errorf("%s may not %s %s: %v", c.name, action, name, err)
					}
				case 'd':
					wantKind(t, fmt.Sprintf("%s, %s %s", c.name, action, name), err, forge.Denied)
				case 'n':
					same(t, c.name+" "+name, err, absent)
				}
			}
		}
	}
}

func same(t *testing.T, what string, got, want error) {
	t.Helper()
	var g, w *forge.Error
	if !errors.As(got, &g) || !errors.As(want, &w) || g.Kind != w.Kind || g.Message != w.Message || g.Anonymous != w.Anonymous || len(g.Fields) != len(w.Fields) {
		t.Errorf("%s: %#v, want it to be as for no repository: %#v", what, got, want)
	}
}

func TestOpenID(t *testing.T) {
	w := open(t, hosting.Limits{})
	r := w.create(t, w.alice, "private", true)
	if h, err := w.OpenID(t.Context(), w.alice, forge.Read, r.ID); err != nil || h.Repository.Name != "private" {
		t.Errorf("OpenID: %+v, %v", h, err)
	}
	_, absent := w.OpenID(t.Context(), w.bob, forge.Read, r.ID+1)
	_, err := w.OpenID(t.Context(), w.bob, forge.Read, r.ID)
	same(t, "private", err, absent)
	_, err = w.OpenID(t.Context(), w.bob, forge.Read, 0)
	same(t, "zero", err, absent)
	_, err = w.OpenID(t.Context(), w.bob, forge.Read, -1)
	same(t, "negative", err, absent)
}

func TestCreate(t *testing.T) {
	w := open(t, hosting.Limits{})
	ctx := t.Context()
	r, err := w.Create(ctx, w.alice, "", hosting.NewRepository{Name: "x", Description: "d", DefaultBranch: "dev", Format: engine.SHA256})
	if err != nil || r.Owner != "alice" || r.DefaultBranch != "dev" || r.Private {
		t.Fatalf("Create: %+v, %v", r, err)
	}
	for _, c := range []struct {
		name  string
		actor *forge.Actor
		owner string
		n     hosting.NewRepository
		want  forge.Kind
	}{
		{"same name, other case", w.alice, "", hosting.NewRepository{Name: "X"}, forge.Conflict},
		{"same name, other owner", w.bob, "", hosting.NewRepository{Name: "x"}, 0},
		{"bad name", w.alice, "", hosting.NewRepository{Name: "../x"}, forge.Invalid},
		{"no name", w.alice, "", hosting.NewRepository{}, forge.Invalid},
		{"bad description", w.alice, "", hosting.NewRepository{Name: "y", Description: "a\x1b[31m"}, forge.Invalid},
		{"bad branch", w.alice, "", hosting.NewRepository{Name: "y", DefaultBranch: "a..b"}, forge.Invalid},
		{"branch like an option", w.alice, "", hosting.NewRepository{Name: "y", DefaultBranch: "-x"}, forge.Invalid},
		{"under another's name", w.alice, "bob", hosting.NewRepository{Name: "y"}, forge.Denied},
		{"under nobody's name", w.alice, "nobody", hosting.NewRepository{Name: "y"}, forge.NotFound},
		{"administrator, under another's name", w.admin, "bob", hosting.NewRepository{Name: "y"}, 0},
		{"anonymous", w.anonymous, "", hosting.NewRepository{Name: "y"}, forge.Denied},
		{"anonymous, under a name", w.anonymous, "alice", hosting.NewRepository{Name: "y"}, forge.Denied},
		{"token to read", token(w.alice, 0, forge.ScopeReadRepo), "", hosting.NewRepository{Name: "y"}, forge.Denied},
		{"public token, private", token(w.alice, 0, forge.ScopePublicRepo), "", hosting.NewRepository{Name: "y", Private: true}, forge.Denied},
		{"public token, public", token(w.alice, 0, forge.ScopePublicRepo), "", hosting.NewRepository{Name: "y"}, 0},
		{"one-repository token", token(w.alice, r.ID, forge.ScopeRepo), "", hosting.NewRepository{Name: "z"}, forge.Denied},
	} {
		_, err := w.Create(ctx, c.actor, c.owner, c.n)
		wantKind(t, c.name, err, c.want)
	}
}

func TestEdit(t *testing.T) {
	w := open(t, hosting.Limits{})
	ctx := t.Context()
	w.create(t, w.alice, "x", true)
	w.create(t, w.alice, "taken", true)
	str := func(s string) *string { return &s }
	yes, no := true, false
	edit := func(what string, e hosting.Edit, want forge.Kind) *forge.Repository {
		t.Helper()
		r, err := w.Edit(ctx, w.alice, "alice", "x", e)
		wantKind(t, what, err, want)
		return r
	}
	edit("taken name", hosting.Edit{Name: str("TAKEN")}, forge.Conflict)
	edit("bad name", hosting.Edit{Name: str("..")}, forge.Invalid)
	edit("bad branch", hosting.Edit{DefaultBranch: str("x..y")}, forge.Invalid)
	if r := edit("any branch while empty", hosting.Edit{DefaultBranch: str("dev"), Description: str("hello"), Private: &no}, 0); r != nil &&
		(r.DefaultBranch != "dev" || r.Description != "hello" || r.Private) {
		t.Errorf("edited: %+v", r)
	}
	if _, err := w.Get(ctx, w.bob, "alice", "x"); err != nil {
		t.Errorf("public now, for bob: %v", err)
	}
	git(t, workingCopy(t), "push", "-q", w.serve(t, w.alice)+"/alice/x", "main", "side")
	edit("no such branch", hosting.Edit{DefaultBranch: str("nothing")}, forge.Invalid)
	edit("a branch", hosting.Edit{DefaultBranch: str("side")}, 0)
	if got, err := w.Get(ctx, w.bob, "alice", "x"); err != nil || got.DefaultBranch != "side" {
		t.Errorf("after choosing side: %+v, %v", got, err)
	}
	edit("archive", hosting.Edit{Archived: &yes}, 0)
	edit("edit while archived", hosting.Edit{Description: str("no")}, forge.Denied)
	edit("unarchive", hosting.Edit{Archived: &no, Description: str("back")}, 0)
	for _, role := range []forge.Role{forge.RoleRead, forge.RoleWrite, forge.RoleMaintain} {
		if err := w.SetCollaborator(ctx, w.alice, "alice", "x", "bob", role); err != nil {
			t.Fatal(err)
		}
		_, err := w.Edit(ctx, w.bob, "alice", "x", hosting.Edit{Description: str("bob was here")})
		wantKind(t, "edit with role "+role.String(), err, forge.Denied)
		wantKind(t, "delete with role "+role.String(), w.Delete(ctx, w.bob, "alice", "x"), forge.Denied)
		// Threat: a collaborator raising its own role.
		wantKind(t, "raising oneself", w.SetCollaborator(ctx, w.bob, "alice", "x", "bob", forge.RoleAdmin), forge.Denied)
	}
	edit("rename", hosting.Edit{Name: str("y")}, 0)
	_, err := w.Get(ctx, w.alice, "alice", "x")
	wantKind(t, "the old name", err, forge.NotFound)
	wantKind(t, "deleting", w.Delete(ctx, w.alice, "alice", "y"), 0)
	_, err = w.Get(ctx, w.alice, "alice", "y")
	wantKind(t, "deleted", err, forge.NotFound)
	w.create(t, w.alice, "y", false)
}

func TestCollaborators(t *testing.T) {
	w := open(t, hosting.Limits{})
	ctx := t.Context()
	w.create(t, w.alice, "x", true)
	set := func(login string, role forge.Role) error {
		return w.SetCollaborator(ctx, w.alice, "alice", "x", login, role)
	}
	wantKind(t, "nobody", set("nobody", forge.RoleRead), forge.NotFound)
	wantKind(t, "the owner", set("alice", forge.RoleRead), forge.Invalid)
	wantKind(t, "no role", set("bob", 77), forge.Invalid)
	_, err := w.Get(ctx, w.bob, "alice", "x")
	wantKind(t, "before", err, forge.NotFound)
	wantKind(t, "bob", set("bob", forge.RoleRead), 0)
	_, err = w.Get(ctx, w.bob, "alice", "x")
	wantKind(t, "reading", err, 0)
	_, err = w.Open(ctx, w.bob, forge.Push, "alice", "x")
	wantKind(t, "pushing as reader", err, forge.Denied)
	_, err = w.ListCollaborators(ctx, w.bob, "alice", "x", hosting.Page{})
	wantKind(t, "listing as reader", err, forge.Denied)
	wantKind(t, "bob", set("BOB", forge.RoleWrite), 0)
	_, err = w.Open(ctx, w.bob, forge.Push, "alice", "x")
	wantKind(t, "pushing as writer", err, 0)
	if list, err := w.ListCollaborators(ctx, w.bob, "alice", "x", hosting.Page{}); err != nil || len(list) != 1 || list[0].Login != "bob" {
		t.Errorf("collaborators: %+v, %v", list, err)
	}
	wantKind(t, "removing", set("bob", forge.RoleNone), 0)
	_, err = w.Get(ctx, w.bob, "alice", "x")
	wantKind(t, "after", err, forge.NotFound)
}

func TestList(t *testing.T) {
	w := open(t, hosting.Limits{})
	ctx := t.Context()
	for i := range 7 {
		w.create(t, w.alice, fmt.Sprintf("r%d", i), i%2 == 1)
	}
	w.create(t, w.bob, "b", true)
	names := func(list []*forge.Repository, err error) string {
		t.Helper()
		if err != nil {
			t.Error(err)
		}
		var words []string
		for _, r := range list {
			words = append(words, r.Name)
		}
		return strings.Join(words, " ")
	}
	for _, c := range []struct {
		name string
		got  string
		want string
	}{
		{"anonymous", names(w.ListVisible(ctx, w.anonymous, hosting.Page{})), "r0 r2 r4 r6"},
		{"bob", names(w.ListVisible(ctx, w.bob, hosting.Page{})), "r0 r2 r4 r6 b"},
		{"administrator", names(w.ListVisible(ctx, w.admin, hosting.Page{})), "r0 r1 r2 r3 r4 r5 r6 b"},
		{"machine", names(w.ListVisible(ctx, w.machine, hosting.Page{})), "r0 r1 r2 r3 r4 r5 r6 b"},
		{"of alice, for bob", names(w.ListOwned(ctx, w.bob, "Alice", hosting.Page{})), "r0 r2 r4 r6"},
		{"of alice, for her", names(w.ListOwned(ctx, w.alice, "alice", hosting.Page{Limit: 3})), "r0 r1 r2"},
		{"her own", names(w.ListOwn(ctx, w.alice, hosting.Page{After: 5})), "r5 r6"},
		{"her own, by a public token", names(w.ListOwn(ctx, token(w.alice, 0, forge.ScopePublicRepo), hosting.Page{Limit: 2})), "r0 r2"},
		{"her own, by a token for r3", names(w.ListOwn(ctx, token(w.alice, 4, forge.ScopeRepo), hosting.Page{})), "r0 r2 r3 r4 r6"},
	} {
		if c.got != c.want {
			t.Errorf("%s: %q, want %q", c.name, c.got, c.want)
		}
	}
	_, err := w.ListOwn(ctx, w.anonymous, hosting.Page{})
	wantKind(t, "own of anonymous", err, forge.Denied)
	_, err = w.ListOwned(ctx, w.anonymous, "nobody", hosting.Page{})
	wantKind(t, "of nobody", err, forge.NotFound)
}

func TestHandleCommit(t *testing.T) {
	w := open(t, hosting.Limits{})
	ctx := t.Context()
	w.create(t, w.alice, "x", true)
	work := workingCopy(t)
	git(t, work, "push", "-q", w.serve(t, w.alice)+"/alice/x", "main", "v1")
	parse := func(rev string) engine.ID {
		id, err := engine.SHA1.Parse(git(t, work, "rev-parse", rev))
		if err != nil {
			t.Fatal(err)
		}
		return id
	}
	main, first, tag, tree := parse("main"), parse("main~1"), parse("v1"), parse("main^{tree}")
	h, err := w.Open(ctx, w.alice, forge.Push, "alice", "x")
	if err != nil {
		t.Fatal(err)
	}
	snap, err := h.Snapshot(ctx)
	if err != nil {
		t.Fatal(err)
	}
	defer snap.Close()
	for _, c := range []struct {
		name string
		u    repo.RefUpdate
		want forge.Kind
	}{
		{"new branch", repo.RefUpdate{Name: "refs/heads/new", New: first}, 0},
		{"new tag", repo.RefUpdate{Name: "refs/tags/v2", New: tag}, 0},
		{"back", repo.RefUpdate{Name: "refs/heads/main", Old: main, New: first}, 0},
		{"from a wrong place", repo.RefUpdate{Name: "refs/heads/main", Old: main, New: first}, forge.Conflict},
		{"there already", repo.RefUpdate{Name: "refs/heads/new", New: first}, forge.Conflict},
		{"bad name", repo.RefUpdate{Name: "refs/heads/a..b", New: first}, forge.Invalid},
		{"no ref", repo.RefUpdate{Name: "HEAD", New: first}, forge.Invalid},
		{"below another", repo.RefUpdate{Name: "refs/heads/new/x", New: first}, forge.Conflict},
		{"branch to a tag", repo.RefUpdate{Name: "refs/heads/t", New: tag}, forge.Invalid},
		{"branch to a tree", repo.RefUpdate{Name: "refs/heads/t", New: tree}, forge.Invalid},
		{"missing object", repo.RefUpdate{Name: "refs/heads/t", New: engine.ID{1}}, forge.Invalid},
		{"deleting the default branch", repo.RefUpdate{Name: "refs/heads/main", Old: first}, forge.Invalid},
		{"deleting", repo.RefUpdate{Name: "refs/heads/new", Old: first}, 0},
	} {
		_, err := h.Commit(ctx, snap, []repo.RefUpdate{c.u}, nil, "test")
		wantKind(t, c.name, err, c.want)
	}
	reader, err := w.Open(ctx, w.alice, forge.Read, "alice", "x")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := reader.Commit(ctx, snap, nil, nil, "test"); err == nil {
		t.Error("a handle opened for reading commits")
	}
	after, err := h.Snapshot(ctx)
	if err != nil {
		t.Fatal(err)
	}
	defer after.Close()
	if r, ok := after.Ref("refs/tags/v2"); !ok || r.Peeled != first {
		t.Errorf("new tag %+v, want it peeled to %s", r, first)
	}
	var names []string
	for _, r := range hosting.Refs(after.State(), "refs/tags/", "", 10) {
		names = append(names, r.Name)
	}
	if got := strings.Join(names, " "); got != "refs/tags/v1 refs/tags/v2" {
		t.Errorf("tags %q", got)
	}
	if list := hosting.Refs(after.State(), "refs/", "refs/heads/main", 1); len(list) != 1 || list[0].Name != "refs/tags/v1" {
		t.Errorf("one ref after main: %+v", list)
	}
}

func TestOperate(t *testing.T) {
	w := open(t, hosting.Limits{})
	ctx := t.Context()
	w.create(t, w.alice, "x", true)
	git(t, workingCopy(t), "push", "-q", w.serve(t, w.alice)+"/alice/x", "main")
	for _, actor := range []*forge.Actor{w.anonymous, w.alice, token(w.admin, 0, forge.ScopeRepo)} {
		_, err := w.Check(ctx, actor, "alice", "x", nil, nil)
		wantKind(t, "Check", err, forge.Denied)
		_, err = w.Compact(ctx, actor, "alice", "x", repo.CompactOptions{})
		wantKind(t, "Compact", err, forge.Denied)
		wantKind(t, "CompactPushed", w.CompactPushed(ctx, actor, nil), forge.Denied)
		_, _, err = w.Sweep(ctx, actor, nil)
		wantKind(t, "Sweep", err, forge.Denied)
		_, err = w.Import(ctx, actor, "alice", hosting.NewRepository{Name: "y"}, nil, nil)
		wantKind(t, "Import", err, forge.Denied)
	}
	faults, err := w.Check(ctx, w.machine, "alice", "x", func(f string) { t.Error(f) }, func(int, int) {})
	if err != nil || faults != 0 {
		t.Errorf("Check: %d faults, %v", faults, err)
	}
	if files, _, err := w.Sweep(ctx, w.machine, nil); err != nil || files != 0 {
		t.Errorf("Sweep: %d files, %v", files, err)
	}
	_, err = w.Compact(ctx, w.machine, "alice", "absent", repo.CompactOptions{})
	wantKind(t, "Compact", err, forge.NotFound)
	if r, err := w.Compact(ctx, w.machine, "alice", "x", repo.CompactOptions{All: true}); err != nil || r.Joined != 0 || r.Kept != 1 {
		t.Errorf("Compact: %+v, %v", r, err)
	}
}

// TestCompactPushed pushes until there is enough to join.
func TestCompactPushed(t *testing.T) {
	w := open(t, hosting.Limits{})
	w.create(t, w.alice, "x", true)
	dir, url := workingCopy(t), w.serve(t, w.alice)
	compact := func() (done []string) {
		t.Helper()
		err := w.CompactPushed(t.Context(), w.machine, func(r *forge.Repository, c repo.CompactReport, err error) {
			if err != nil {
				t.Error(err)
			}
			done = append(done, fmt.Sprint(r.FullName(), " ", c.Joined))
		})
		if err != nil {
			t.Error(err)
		}
		return done
	}
	for n := range 8 {
		git(t, dir, "commit", "-q", "--allow-empty", "-m", fmt.Sprint("commit ", n))
		git(t, dir, "push", "-q", url+"/alice/x", "HEAD:main")
		git(t, dir, "push", "-q", url+"/alice/new", "HEAD:main") // made by its first push
		done := compact()
		slices.Sort(done)
		if n < 7 && done != nil {
			t.Errorf("after %d pushes: %q", n+1, done)
		}
		if n == 7 && len(done) != 2 {
			t.Errorf("after %d pushes: %q", n+1, done)
		}
	}
	if done := compact(); done != nil {
		t.Errorf("without a push: %q", done)
	}
	for _, name := range []string{"x", "new"} {
		if faults, err := w.Check(t.Context(), w.machine, "alice", name, func(f string) { t.Error(f) }, nil); faults != 0 || err != nil {
			t.Errorf("%s: %d faults, %v", name, faults, err)
		}
		git(t, dir, "fetch", "-q", url+"/alice/"+name, "main")
	}
}
