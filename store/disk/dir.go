package disk

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
)

// rememberDirs bounds the memory of synced directories.
const rememberDirs = 10_000

// makeRoot makes the store's own directory and those above it that are missing,
// durably.
func makeRoot(root string) error {
	var missing []string // innermost first
	for d := root; ; d = filepath.Dir(d) {
		_, err := os.Stat(d)
		if err == nil || d == filepath.Dir(d) {
			break
		}
		if !errors.Is(err, fs.ErrNotExist) {
			return err
		}
		missing = append(missing, d)
	}
	for i := len(missing) - 1; i >= 0; i-- {
		if err := makeOne(missing[i]); err != nil {
			return err
		}
	}
	return nil
}

// makeDir makes dir, which lies below the root, and what is missing on the way,
// and returns when the entries of all of them are durable. That a directory
// exists is not enough: another process may have made it a moment ago and not
// synced it yet. So this one relies on its own syncs only.
func (f *Files) makeDir(dir string) error {
	var unsure []string // innermost first
	for d := dir; d != f.root && !f.isSynced(d); d = filepath.Dir(d) {
		unsure = append(unsure, d)
	}
	for i := len(unsure) - 1; i >= 0; i-- {
		if err := makeOne(unsure[i]); err != nil {
			return err
		}
		f.setSynced(unsure[i])
	}
	return nil
}

// makeOne makes one directory, or finds it there, and syncs its parent.
func makeOne(dir string) error {
	if err := os.Mkdir(dir, 0o700); err != nil && !errors.Is(err, fs.ErrExist) {
		return err
	}
	return syncDir(filepath.Dir(dir))
}

func (f *Files) isSynced(dir string) bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.synced[dir]
}

func (f *Files) setSynced(dir string) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if len(f.synced) >= rememberDirs {
		clear(f.synced)
	}
	f.synced[dir] = true
}
