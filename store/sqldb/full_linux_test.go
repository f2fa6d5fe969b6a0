package sqldb_test

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/ingot-forge/ingot/git"
	"github.com/ingot-forge/ingot/git/repo"
)

// A full disk refuses commits, for certain and in words, takes no part of one,
// and is forgotten once there is room.
func TestDiskFull(t *testing.T) {
	dir := t.TempDir()
	if err := unix.Mount("tmpfs", dir, "tmpfs", 0, "size=3m"); err != nil {
		t.Skipf("NOT TESTED: a small file system of our own needs the right to mount: %v", err)
	}
	t.Cleanup(func() {
		if err := unix.Unmount(dir, 0); err != nil {
			t.Error(err)
		}
	})
	db := open(t, filepath.Join(dir, "ingot.db"))
	id := addRepository(t, db, addUser(t, db, "owner"), "r", git.SHA1)
	ballast := filepath.Join(dir, "ballast")
	if err := os.WriteFile(ballast, make([]byte, 1<<20), 0o600); err != nil {
		t.Fatal(err)
	}
	at := 0
	commit := func() error {
		ch := repo.Change{Repository: id, Time: made,
			Refs:  []repo.RefUpdate{{Name: "refs/heads/a", New: object(at + 1)}},
			Event: &repo.Event{Kind: "push", Payload: []byte(strings.Repeat("x", 50_000))}}
		if at > 0 {
			ch.Refs[0].Old = object(at)
		}
		_, err := db.Catalog().Commit(t.Context(), &ch)
		return err
	}
	var err error
	for err == nil && at < 1000 {
		if err = commit(); err == nil {
			at++
		}
	}
	if !errors.Is(err, repo.ErrFull) || errors.Is(err, repo.ErrUnknown) {
		t.Fatalf("after %d commits the disk is full: %v", at, err)
	}
	s, err := db.Catalog().Load(t.Context(), id, nil)
	if err != nil {
		t.Fatal(err)
	}
	if a, _ := s.Refs.Find("refs/heads/a"); s.Version != int64(at) || a.Target != object(at) {
		t.Errorf("version %d, ref at %s after %d commits", s.Version, a.Target, at)
	}
	if err := os.Remove(ballast); err != nil {
		t.Fatal(err)
	}
	if err := commit(); err != nil {
		t.Errorf("commit when there is room again: %v", err)
	}
}
