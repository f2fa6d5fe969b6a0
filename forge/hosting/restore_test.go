package hosting_test

import (
	"testing"
	"time"

	"github.com/ingot-forge/ingot/forge"
	"github.com/ingot-forge/ingot/forge/hosting"
	"github.com/ingot-forge/ingot/forge/hosting/hostingtest"
	gitobj "github.com/ingot-forge/ingot/git"
	"github.com/ingot-forge/ingot/git/repo"
	"github.com/ingot-forge/ingot/git/repo/memrepo"
	"github.com/ingot-forge/ingot/git/transfer"
)

// TestRestore: a branch comes back as long as what it reached is kept for certain, and no longer.
func TestRestore(t *testing.T) {
	now := time.Unix(1700000000, 0)
	clock := func() time.Time { return now }
	m := hostingtest.NewMemory()
	store := repo.New(new(memrepo.Files), m, repo.Config{Clock: clock})
	t.Cleanup(func() { store.Close() })
	w := &world{memory: m, store: store, Service: hosting.NewService(hosting.Stores{Repositories: m, Collaborators: m, Forks: m, Events: m, Owners: m, RefLog: m,
		Git: &transfer.Server{Store: store}}, hosting.Config{Clock: clock})}
	w.alice = w.user("alice")
	w.create(t, w.alice, "r", false)
	ctx := t.Context()
	do := func(work func(h *hosting.Handle, snap *repo.Snapshot) error) error {
		t.Helper()
		now = now.Add(time.Minute)
		h, err := w.Open(ctx, w.alice, forge.Push, "alice", "r")
		if err != nil {
			t.Fatal(err)
		}
		snap, err := h.Snapshot(ctx)
		if err != nil {
			t.Fatal(err)
		}
		defer snap.Close()
		return work(h, snap)
	}
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	objects := gitobj.Memory{}
	add := func(kind gitobj.Kind, data []byte) gitobj.ID {
		id, err := gitobj.NewHasher(gitobj.SHA1).Hash(kind, data)
		must(err)
		o := objects[id]
		o.Kind, o.Data = kind, data
		objects[id] = o
		return id
	}
	who := gitobj.Signature{Name: "a", Email: "a@example.org", Seconds: 1, Zone: "+0000"}
	commit := add(gitobj.KindCommit, gitobj.AppendCommit(gitobj.SHA1, nil, &gitobj.Commit{Tree: add(gitobj.KindTree, nil), Author: who, Committer: who, Message: "m"}))
	must(do(func(h *hosting.Handle, snap *repo.Snapshot) error {
		staged, err := h.Stage(ctx, snap, objects)
		must(err)
		_, err = h.Commit(ctx, snap, []repo.RefUpdate{{Name: "refs/heads/side", New: commit}}, staged, "push")
		return err
	}))
	made := now
	remove := func(h *hosting.Handle, snap *repo.Snapshot) error {
		_, err := h.Commit(ctx, snap, []repo.RefUpdate{{Name: "refs/heads/side", Old: commit}}, nil, "delete")
		return err
	}
	restore := func(h *hosting.Handle, snap *repo.Snapshot) error {
		_, err := h.Restore(ctx, snap, "refs/heads/side", made)
		return err
	}
	must(do(remove))
	now = now.Add(23 * time.Hour)
	must(do(restore))
	must(do(restore)) // it is there: nothing to do
	must(do(remove))
	now = now.Add(24 * time.Hour)
	wantKind(t, "after the time for which it is kept", do(restore), forge.Conflict)
	made = made.Add(-time.Hour)
	wantKind(t, "before it was there", do(restore), forge.Invalid)
}
