package disk

import (
	"cmp"
	"context"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/ingot-forge/ingot/git/repo"
)

// List implements repo.Files. It holds one directory of each level in memory.
// What bears no name of ours (a stray file, a symbolic link) is not shown.
func (f *Files) List(ctx context.Context, prefix string, visit func(repo.FileInfo) bool) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	top := prefix[:strings.LastIndexByte(prefix, '/')+1]
	if top != "" && repo.CheckFileName(strings.TrimSuffix(top, "/")) != nil {
		return nil // no name starts so, and ".." must not lead out
	}
	first, err := f.entries(top)
	if err != nil {
		return err
	}
	// A stack instead of recursion: the depth is in the hands of whoever can
	// write to the directory.
	pending := [][]entry{first}
	for len(pending) > 0 {
		if err := ctx.Err(); err != nil {
			return err
		}
		last := len(pending) - 1
		if len(pending[last]) == 0 {
			pending = pending[:last]
			continue
		}
		e := pending[last][0]
		pending[last] = pending[last][1:]
		switch {
		case e.isDir() && (strings.HasPrefix(e.name, prefix) || strings.HasPrefix(prefix, e.name)):
			below, err := f.entries(e.name)
			if err != nil {
				return err
			}
			pending = append(pending, below)
		case !e.isDir() && strings.HasPrefix(e.name, prefix):
			info, err := e.Info()
			if absent(err) {
				continue // deleted meanwhile
			}
			if err != nil {
				return fmt.Errorf("list file %q: %w", e.name, cause(err))
			}
			if !visit(repo.FileInfo{Name: e.name, Bytes: info.Size(), Modified: info.ModTime()}) {
				return nil
			}
		}
	}
	return nil
}

// entry is a file or directory under files/.
type entry struct {
	fs.DirEntry
	name string // the whole name; a directory's ends in a slash
}

func (e entry) isDir() bool { return strings.HasSuffix(e.name, "/") }

// entries reads one directory, given as "" or by its name with a slash at the
// end, in the order of names. A directory sorts by its slash, since "a-b" and
// "a.b" come before "a/b".
func (f *Files) entries(dir string) ([]entry, error) {
	found, err := os.ReadDir(filepath.Join(f.published, filepath.FromSlash(dir)))
	if absent(err) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("list directory %q: %w", dir, cause(err))
	}
	entries := make([]entry, 0, len(found))
	for _, d := range found {
		name := dir + d.Name()
		if repo.CheckFileName(name) != nil {
			continue
		}
		switch {
		case d.IsDir():
			entries = append(entries, entry{d, name + "/"})
		case d.Type().IsRegular():
			entries = append(entries, entry{d, name})
		}
	}
	slices.SortFunc(entries, func(a, b entry) int { return cmp.Compare(a.name, b.name) })
	return entries, nil
}
