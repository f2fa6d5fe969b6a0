package hosting_test

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/ingot-forge/ingot/forge"
	"github.com/ingot-forge/ingot/forge/hosting"
	"github.com/ingot-forge/ingot/forge/hosting/hostingtest"
	object "github.com/ingot-forge/ingot/git"
	"github.com/ingot-forge/ingot/git/repo"
	"github.com/ingot-forge/ingot/git/repo/memrepo"
	"github.com/ingot-forge/ingot/git/transfer"
)

// countedFiles counts what is asked of files.
type countedFiles struct {
	memrepo.Files
	drafts, opens, deletes atomic.Int64
}

func (f *countedFiles) Draft(ctx context.Context) (repo.Draft, error) {
	f.drafts.Add(1)
	return f.Files.Draft(ctx)
}

func (f *countedFiles) Open(ctx context.Context, name string) (repo.File, error) {
	f.opens.Add(1)
	return f.Files.Open(ctx, name)
}

func (f *countedFiles) Delete(ctx context.Context, name string) error {
	f.deletes.Add(1)
	return f.Files.Delete(ctx, name)
}

// forkWorld is a world whose clock can be set and whose files are counted.
type forkWorld struct {
	*world
	files *countedFiles
	now   atomic.Int64 // how far the clock was moved
	url   string       // as the machine
	work  string
}

func openForks(t *testing.T) *forkWorld {
	t.Helper()
	w := &forkWorld{files: new(countedFiles)}
	clock := func() time.Time { return time.Now().Add(time.Duration(w.now.Load())) }
	w.files.Now = clock
	m := hostingtest.NewMemory()
	store := repo.New(w.files, m, repo.Config{Clock: clock})
	t.Cleanup(func() {
		if err := store.Close(); err != nil {
			t.Error(err)
		}
	})
	w.world = &world{memory: m, store: store, anonymous: &forge.Actor{}, machine: forge.Machine()}
	w.Service = hosting.NewService(hosting.Stores{Repositories: m, Collaborators: m, Forks: m, Events: m, Owners: m, RefLog: m,
		Git: &transfer.Server{Store: store, Agent: "ingot/test"}}, hosting.Config{Clock: clock})
	w.alice, w.bob = w.user("alice"), w.user("bob")
	w.url = w.serve(t, w.machine)
	w.work = workingCopy(t)
	w.create(t, w.alice, "x", false)
	for _, ref := range []string{"main~1:refs/heads/main", "main", "v1", "side"} { // a pack each
		git(t, w.work, "push", "-q", w.url+"/alice/x", ref)
	}
	return w
}

// whole clones a repository and has git check it.
func (w *forkWorld) whole(t *testing.T, name string) {
	t.Helper()
	dir := filepath.Join(t.TempDir(), "clone")
	git(t, ".", "clone", "-q", "--mirror", w.url+"/"+name, dir)
	git(t, dir, "fsck", "--strict")
	if got, want := git(t, dir, "rev-parse", "main"), git(t, w.work, "rev-parse", "main"); got != want {
		t.Errorf("main of %s is %s, want %s", name, got, want)
	}
}

func (w *forkWorld) sweep(t *testing.T, later time.Duration) (files int) {
	t.Helper()
	w.now.Add(int64(later))
	files, _, err := w.store.Sweep(t.Context(), nil)
	if err != nil {
		t.Fatal(err)
	}
	return files
}

func TestForkCopiesNothing(t *testing.T) {
	w := openForks(t)
	drafts, opens := w.files.drafts.Load(), w.files.opens.Load()
	fork, err := w.Fork(t.Context(), w.bob, "alice", "x", hosting.ForkOptions{})
	if err != nil {
		t.Fatal(err)
	}
	if d, o := w.files.drafts.Load()-drafts, w.files.opens.Load()-opens; d != 0 || o != 0 {
		t.Errorf("a fork began %d files and opened %d", d, o)
	}
	if got, want := w.refs(t, "bob", "x"), w.refs(t, "alice", "x"); got != want || !strings.Contains(got, "refs/tags/v1") {
		t.Errorf("refs %s, want %s", got, want)
	}
	parent, err := w.Get(t.Context(), w.bob, "alice", "x")
	if err != nil || fork.Parent != parent.ID || fork.Bytes != parent.Bytes || !fork.Pushed.Equal(parent.Pushed) {
		t.Errorf("fork %+v of %+v, %v", fork, parent, err)
	}
	w.whole(t, "bob/x")
	again, err := w.Fork(t.Context(), w.bob, "alice", "x", hosting.ForkOptions{Name: "other", DefaultBranchOnly: true})
	if err != nil || again.ID != fork.ID {
		t.Errorf("forked again: %+v, %v", again, err)
	}
}

// TestForkOutlives: whichever of parent and fork goes or is compacted, the other stays whole, past every
// grace time; and when both are gone, so are the files.
func TestForkOutlives(t *testing.T) {
	for _, c := range []struct{ goes, stays string }{{"alice", "bob"}, {"bob", "alice"}} {
		for _, compacted := range []string{"", c.goes, "both"} {
			t.Run(fmt.Sprintf("%s goes, compacted %q", c.goes, compacted), func(t *testing.T) {
				w := openForks(t)
				ctx := t.Context()
				if _, err := w.Fork(ctx, w.bob, "alice", "x", hosting.ForkOptions{}); err != nil {
					t.Fatal(err)
				}
				for _, owner := range []string{"alice", "bob"} {
					if compacted != owner && compacted != "both" {
						continue
					}
					if _, err := w.Compact(ctx, w.machine, owner, "x", repo.CompactOptions{All: true}); err != nil {
						t.Fatal(err)
					}
				}
				w.sweep(t, 100*time.Hour)
				w.whole(t, "alice/x")
				w.whole(t, "bob/x")
				if err := w.Delete(ctx, w.machine, c.goes, "x"); err != nil {
					t.Fatal(err)
				}
				for range 2 {
					w.sweep(t, 100*time.Hour)
					w.whole(t, c.stays+"/x")
				}
				if _, err := w.Compact(ctx, w.machine, c.stays, "x", repo.CompactOptions{All: true}); err != nil {
					t.Fatal(err)
				}
				w.sweep(t, 100*time.Hour)
				w.whole(t, c.stays+"/x")
				if err := w.Delete(ctx, w.machine, c.stays, "x"); err != nil {
					t.Fatal(err)
				}
				w.sweep(t, 100*time.Hour)
				left := 0
				err := w.files.List(ctx, "", func(repo.FileInfo) bool { left++; return true })
				if err != nil || left != 0 {
					t.Errorf("%d files are left, %v", left, err)
				}
			})
		}
	}
}

func TestWhoMayFork(t *testing.T) {
	w := open(t, hosting.Limits{})
	ctx := t.Context()
	w.create(t, w.alice, "empty", false)
	w.create(t, w.alice, "open", false)
	w.create(t, w.alice, "hidden", true)
	work, url := workingCopy(t), w.serve(t, w.machine)
	for _, name := range []string{"open", "hidden"} {
		git(t, work, "push", "-q", url+"/alice/"+name, "main", "v1")
	}
	try := func(what string, actor *forge.Actor, name string, o hosting.ForkOptions, want forge.Kind) *forge.Repository {
		t.Helper()
		r, err := w.Fork(ctx, actor, "alice", name, o)
		wantKind(t, what, err, want)
		return r
	}
	try("nobody's", w.anonymous, "open", hosting.ForkOptions{}, forge.Denied)
	try("nobody's for bob", w.anonymous, "open", hosting.ForkOptions{Owner: "bob"}, forge.Denied)
	try("of none", w.bob, "none", hosting.ForkOptions{}, forge.NotFound)
	try("of what may not be seen", w.bob, "hidden", hosting.ForkOptions{}, forge.NotFound)
	try("to another's name", w.bob, "open", hosting.ForkOptions{Owner: "alice", Name: "y"}, forge.Denied)
	try("of nothing", w.bob, "empty", hosting.ForkOptions{}, forge.Denied)
	try("to a bad name", w.bob, "open", hosting.ForkOptions{Name: "-"}, forge.Invalid)
	try("of the own", w.alice, "open", hosting.ForkOptions{}, forge.Invalid)
	try("to the own name", w.alice, "open", hosting.ForkOptions{Name: "OPEN"}, forge.Conflict)
	try("by a token that may only read", token(w.bob, 0, forge.ScopeReadRepo), "open", hosting.ForkOptions{}, forge.Denied)
	try("by a token for one repository", token(w.bob, 1, forge.ScopeRepo), "open", hosting.ForkOptions{}, forge.Denied)
	if err := w.SetCollaborator(ctx, w.alice, "alice", "hidden", "bob", forge.RoleRead); err != nil {
		t.Fatal(err)
	}
	try("of a private one by a token for public ones", token(w.bob, 0, forge.ScopePublicRepo), "hidden", hosting.ForkOptions{}, forge.NotFound)
	w.create(t, w.bob, "hidden", false)
	w.create(t, w.bob, "hidden-1", false)
	private := try("of a private one", w.bob, "hidden", hosting.ForkOptions{}, 0)
	if !private.Private || private.Name != "hidden-2" {
		t.Errorf("fork of a private repository: %+v", private)
	}
	open := false
	_, err := w.Edit(ctx, w.bob, "bob", "hidden-2", hosting.Edit{Private: &open})
	wantKind(t, "publishing it", err, forge.Invalid)
	for _, name := range []string{"bob/hidden-2", "alice/hidden"} {
		owner, name, _ := strings.Cut(name, "/")
		if err := w.Delete(ctx, w.machine, owner, name); err != nil {
			t.Fatal(err)
		}
	}
	try("by an administrator, for another", w.admin, "open", hosting.ForkOptions{Owner: "bob", DefaultBranchOnly: true}, 0)
	if got := w.refs(t, "bob", "open"); strings.Contains(got, "tags") || !strings.Contains(got, "refs/heads/main") {
		t.Errorf("refs of the default branch's fork: %s", got)
	}
}

// TestCommitLeansOnRefs: what the API commits may not lean on what is merely stored either, and what is made here
// anew is taken although it is stored.
func TestCommitLeansOnRefs(t *testing.T) {
	w := openForks(t)
	ctx := t.Context()
	if err := os.WriteFile(filepath.Join(w.work, "secret"), []byte("secret\n"), 0o666); err != nil {
		t.Fatal(err)
	}
	git(t, w.work, "add", ".")
	git(t, w.work, "commit", "-q", "-m", "secret")
	git(t, w.work, "push", "-q", w.url+"/alice/x", "main:gone")
	gone := git(t, w.work, "rev-parse", "HEAD")
	git(t, w.work, "push", "-q", w.url+"/alice/x", ":gone")
	git(t, w.work, "reset", "-q", "--hard", "HEAD~1")
	if _, err := w.Fork(ctx, w.bob, "alice", "x", hosting.ForkOptions{}); err != nil {
		t.Fatal(err)
	}
	for _, owner := range []string{"alice", "bob"} {
		h, err := w.Open(ctx, w.machine, forge.Push, owner, "x")
		if err != nil {
			t.Fatal(err)
		}
		snap, err := h.Snapshot(ctx)
		if err != nil {
			t.Fatal(err)
		}
		defer snap.Close()
		id, err := snap.State().Format.Parse(gone)
		if err != nil {
			t.Fatal(err)
		}
		if has, err := snap.Has(ctx, id); err != nil || !has {
			t.Fatalf("the commit is not stored: %v", err)
		}
		known, err := h.Known(ctx, snap)
		if err != nil {
			t.Fatal(err)
		}
		main, _ := snap.Ref("HEAD")
		if missing, err := known.Missing(ctx, []object.ID{id, main.Target}, nil); err != nil || len(missing) != 1 || missing[0] != id {
			t.Errorf("of a stored object and main, %s may not read %v, %v", owner, missing, err)
		}
		for _, ref := range []string{"refs/heads/x", "refs/tags/x"} {
			_, err := h.Commit(ctx, snap, []repo.RefUpdate{{Name: ref, New: id}}, nil, "test")
			wantKind(t, owner+": "+ref+" at what no ref reaches", err, forge.Invalid)
		}
		side, _ := snap.Ref("refs/heads/side")
		if _, err := h.Commit(ctx, snap, []repo.RefUpdate{{Name: "refs/heads/x", New: side.Target}}, nil, "test"); err != nil {
			t.Errorf("%s: a branch at what one reaches: %v", owner, err)
		}
	}
}
