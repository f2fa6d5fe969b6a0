// Package disk keeps immutable files in a directory of the local file system.
//
// Under the directory that Open is given lie
//
//	files/NAME    published files, NAME with its slashes as directories
//	drafts/…      files in the making, and those that a crash left behind
//
// A file becomes visible by a hard link from its draft, made after its bytes
// are on durable storage. A link, unlike a rename, never replaces a name, so of
// any number of processes that publish one name exactly one succeeds, and it
// works the same on every POSIX file system and on NTFS. Publish returns when
// the link, too, is durable: the directory is synced, and so is the parent of
// every directory on the way that this process has not synced before.
//
// Published files are read through a read-only mapping of the whole file (a
// buffer where the system has none); docs/decisions/0005-mapped-files.md says
// what that means for damaged disks. Directories stay when the last file in
// them is deleted: removing them would race with Publish.
//
// There is no lock. Any number of processes may use one directory at a time.
// Nothing in it is meant for others on the machine: modes are 0700 and 0600.
package disk

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"sync"
	"time"

	"github.com/ingot-forge/ingot/git/repo"
)

// Files implements repo.Files over a directory.
type Files struct {
	root      string // absolute
	published string // absolute path of files/
	drafts    string // absolute path of drafts/

	// synced holds the directories whose own entry in their parent is known to
	// be durable, so that a publication usually syncs one directory. It is only
	// a memory of work done: directories are never removed.
	mu     sync.Mutex
	synced map[string]bool
}

var _ repo.Files = (*Files)(nil)

// Open returns the files kept in dir, which it makes if need be, durably and
// with the directories above it.
func Open(dir string) (*Files, error) {
	root, err := filepath.Abs(dir)
	if err != nil {
		return nil, fmt.Errorf("open file store: %w", err)
	}
	f := &Files{
		root:      root,
		published: filepath.Join(root, "files"),
		drafts:    filepath.Join(root, "drafts"),
		synced:    map[string]bool{},
	}
	if err := makeRoot(root); err != nil {
		return nil, fmt.Errorf("open file store in %q: %w", dir, cause(err))
	}
	for _, d := range []string{f.published, f.drafts} {
		if err := f.makeDir(d); err != nil {
			return nil, fmt.Errorf("open file store in %q: %w", dir, cause(err))
		}
	}
	return f, nil
}

// Draft implements repo.Files.
func (f *Files) Draft(ctx context.Context) (repo.Draft, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	file, err := os.CreateTemp(f.drafts, "draft-*")
	if err != nil {
		return nil, fmt.Errorf("start draft: %w", cause(err))
	}
	return &draft{files: f, file: file}, nil
}

// Open implements repo.Files.
func (f *Files) Open(ctx context.Context, name string) (repo.File, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	if err := repo.CheckFileName(name); err != nil {
		return nil, err
	}
	file, err := openMapped(f.path(name))
	if absent(err) || errors.Is(err, errNotRegular) {
		return nil, fmt.Errorf("%w: %q", repo.ErrNoFile, name)
	}
	if err != nil {
		return nil, fmt.Errorf("open file %q: %w", name, cause(err))
	}
	return file, nil
}

// Delete implements repo.Files. It does not wait for the disk: a deletion that
// a power cut undoes is swept again.
func (f *Files) Delete(ctx context.Context, name string) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	if err := repo.CheckFileName(name); err != nil {
		return err
	}
	// os.Remove would take an empty directory too, and that is not a file.
	info, err := os.Lstat(f.path(name))
	if err == nil && info.IsDir() {
		return nil
	}
	if err == nil {
		err = os.Remove(f.path(name))
	}
	if err != nil && !absent(err) {
		return fmt.Errorf("delete file %q: %w", name, cause(err))
	}
	return nil
}

// SweepDrafts implements repo.Files. A draft whose writer is still alive but
// silent since before is removed as well; its Publish then fails.
func (f *Files) SweepDrafts(ctx context.Context, before time.Time) (int, error) {
	if err := ctx.Err(); err != nil {
		return 0, err
	}
	entries, err := os.ReadDir(f.drafts)
	if err != nil {
		return 0, fmt.Errorf("sweep drafts: %w", cause(err))
	}
	swept := 0
	for _, e := range entries {
		if err := ctx.Err(); err != nil {
			return swept, err
		}
		info, err := e.Info()
		if absent(err) {
			continue // published or discarded meanwhile
		}
		if err != nil {
			return swept, fmt.Errorf("sweep drafts: %w", cause(err))
		}
		if !info.Mode().IsRegular() || !info.ModTime().Before(before) {
			continue
		}
		switch err := os.Remove(filepath.Join(f.drafts, e.Name())); {
		case err == nil:
			swept++
		case !absent(err):
			return swept, fmt.Errorf("sweep drafts: %w", cause(err))
		}
	}
	return swept, nil
}

var errNotRegular = errors.New("not a regular file")

// checkView refuses what no caller may ask of File.View.
func checkView(off int64, n int) error {
	if off < 0 || n <= 0 {
		return fmt.Errorf("view of %d bytes at offset %d", n, off)
	}
	return nil
}

// path returns where a published file lies. name has passed CheckFileName, so
// it has no segment that leads out.
func (f *Files) path(name string) string {
	return filepath.Join(f.published, filepath.FromSlash(name))
}

// absent reports whether err says that there is no file of that name. Where a
// file stands in place of one of its directories, there is none either.
func absent(err error) bool {
	return errors.Is(err, fs.ErrNotExist) || errors.Is(err, errNotDir)
}

// cause strips the paths of this machine from an error of package os and leaves
// what callers match and people read. Want of space matches repo.ErrFull.
func cause(err error) error {
	var path *fs.PathError
	var link *os.LinkError
	var call *os.SyscallError
	switch {
	case errors.As(err, &path):
		err = path.Err
	case errors.As(err, &link):
		err = link.Err
	case errors.As(err, &call):
		err = call.Err
	}
	if isFull(err) {
		return fmt.Errorf("%w: %w", repo.ErrFull, err)
	}
	return err
}
