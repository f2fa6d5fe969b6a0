package disk_test

import (
	"errors"
	"os"
	"strings"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/ingot-forge/ingot/git/repo"
	"github.com/ingot-forge/ingot/store/disk"
)

// A full disk fails the draft, says so, leaves nothing under the name, and does
// no lasting harm.
func TestDiskFull(t *testing.T) {
	dir := t.TempDir()
	if err := unix.Mount("tmpfs", dir, "tmpfs", 0, "size=1m"); err != nil {
		t.Skipf("NOT TESTED: a small file system of our own needs the right to mount: %v", err)
	}
	t.Cleanup(func() {
		if err := unix.Unmount(dir, 0); err != nil {
			t.Error(err)
		}
	})
	files := open(t, dir)
	d, err := files.Draft(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	_, err = d.Write(make([]byte, 2<<20))
	if err == nil {
		err = d.Publish(t.Context(), "large")
	}
	if !errors.Is(err, repo.ErrFull) || !errors.Is(err, unix.ENOSPC) || strings.Contains(err.Error(), dir) {
		t.Errorf("writing past the end of the disk: %v", err)
	}
	if err := d.Discard(); err != nil {
		t.Error(err)
	}
	if got := names(t, files, ""); got != nil {
		t.Errorf("a full disk left %q", got)
	}
	publish(t, files, "small", "there is room again")
	if left, err := os.ReadDir(dir + "/drafts"); err != nil || len(left) != 0 {
		t.Errorf("drafts left: %v, %v", left, err)
	}
	if _, err := disk.Open(dir); err != nil {
		t.Error(err)
	}
}
