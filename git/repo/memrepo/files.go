// Package memrepo has the in-memory models of the two ports of git/repo: Files
// and Catalog. They pass the same conformance suites (git/repo/repotest) as the
// adapters in store/ and say, in the least code, what those have to do. Tests of
// everything above the engine run on them.
//
// It is a package of its own so that a program does not carry them.
package memrepo

import (
	"context"
	"errors"
	"fmt"
	"io"
	"sort"
	"strings"
	"sync"
	"time"

	"github.com/ingot-forge/ingot/git/repo"
)

// Files implements repo.Files. The zero Files is empty and ready for use.
type Files struct {
	mu     sync.Mutex
	files  map[string]*file
	drafts map[*draft]bool

	// Now is the clock of Modified and of drafts; nil means time.Now.
	Now func() time.Time
}

// file is published: immutable.
type file struct {
	data     []byte
	modified time.Time
}

func (f *Files) now() time.Time {
	if f.Now != nil {
		return f.Now()
	}
	return time.Now()
}

// Draft implements repo.Files.
func (f *Files) Draft(ctx context.Context) (repo.Draft, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	d := &draft{files: f, touched: f.now()}
	if f.drafts == nil {
		f.drafts = make(map[*draft]bool)
	}
	f.drafts[d] = true
	return d, nil
}

// Open implements repo.Files.
func (f *Files) Open(ctx context.Context, name string) (repo.File, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	if err := repo.CheckFileName(name); err != nil {
		return nil, err
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	file, ok := f.files[name]
	if !ok {
		return nil, fmt.Errorf("open %s: %w", name, repo.ErrNoFile)
	}
	return view(file.data), nil
}

// Delete implements repo.Files.
func (f *Files) Delete(ctx context.Context, name string) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	if err := repo.CheckFileName(name); err != nil {
		return err
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	delete(f.files, name)
	return nil
}

// List implements repo.Files.
func (f *Files) List(ctx context.Context, prefix string, visit func(repo.FileInfo) bool) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	f.mu.Lock()
	var found []repo.FileInfo
	for name, file := range f.files {
		if strings.HasPrefix(name, prefix) {
			found = append(found, repo.FileInfo{Name: name, Bytes: int64(len(file.data)), Modified: file.modified})
		}
	}
	f.mu.Unlock() // visit may call us
	sort.Slice(found, func(i, j int) bool { return found[i].Name < found[j].Name })
	for _, info := range found {
		if !visit(info) {
			break
		}
	}
	return nil
}

// SweepDrafts implements repo.Files.
func (f *Files) SweepDrafts(ctx context.Context, before time.Time) (int, error) {
	if err := ctx.Err(); err != nil {
		return 0, err
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	n := 0
	for d := range f.drafts {
		if d.touched.Before(before) {
			delete(f.drafts, d)
			n++
		}
	}
	return n, nil
}

// Drafts is the number of drafts that nobody has ended.
func (f *Files) Drafts() int {
	f.mu.Lock()
	defer f.mu.Unlock()
	return len(f.drafts)
}

// Damage changes a published file in place, for tests of what finds it.
func (f *Files) Damage(name string, change func(data []byte) []byte) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	old, ok := f.files[name]
	if !ok {
		return fmt.Errorf("damage %s: %w", name, repo.ErrNoFile)
	}
	f.files[name] = &file{data: change(append([]byte(nil), old.data...)), modified: old.modified}
	return nil
}

// draft is in files.drafts as long as it can be published. All of it is under
// files.mu: readers run beside the writer.
type draft struct {
	files   *Files
	data    []byte
	touched time.Time
}

var errEnded = errors.New("draft is published, discarded or swept")

// live reports an error if the draft has ended. Called with files.mu held.
func (d *draft) live() error {
	if !d.files.drafts[d] {
		return errEnded
	}
	d.touched = d.files.now()
	return nil
}

func (d *draft) Write(p []byte) (int, error) {
	d.files.mu.Lock()
	defer d.files.mu.Unlock()
	if err := d.live(); err != nil {
		return 0, err
	}
	d.data = append(d.data, p...)
	return len(p), nil
}

func (d *draft) ReadAt(p []byte, off int64) (int, error) {
	d.files.mu.Lock()
	defer d.files.mu.Unlock()
	if !d.files.drafts[d] {
		return 0, errEnded
	}
	if off < 0 {
		return 0, errors.New("negative offset")
	}
	if off >= int64(len(d.data)) {
		return 0, io.EOF
	}
	n := copy(p, d.data[off:])
	if n < len(p) {
		return n, io.EOF
	}
	return n, nil
}

func (d *draft) WriteAt(p []byte, off int64) (int, error) {
	d.files.mu.Lock()
	defer d.files.mu.Unlock()
	if err := d.live(); err != nil {
		return 0, err
	}
	if size := int64(len(d.data)); off < 0 || off > size || int64(len(p)) > size-off {
		return 0, fmt.Errorf("%d bytes at offset %d reach past the %d written", len(p), off, size)
	}
	return copy(d.data[off:], p), nil
}

func (d *draft) Publish(ctx context.Context, name string) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	if err := repo.CheckFileName(name); err != nil {
		return err
	}
	f := d.files
	f.mu.Lock()
	defer f.mu.Unlock()
	if err := d.live(); err != nil {
		return fmt.Errorf("publish %s: %w", name, err)
	}
	if _, ok := f.files[name]; ok {
		return fmt.Errorf("publish %s: the file exists", name)
	}
	if f.files == nil {
		f.files = make(map[string]*file)
	}
	f.files[name] = &file{data: d.data, modified: f.now()}
	delete(f.drafts, d)
	return nil
}

func (d *draft) Discard() error {
	d.files.mu.Lock()
	defer d.files.mu.Unlock()
	delete(d.files.drafts, d)
	return nil
}

// view is an open file.
type view []byte

func (v view) Size() int64 { return int64(len(v)) }

func (v view) View(_ context.Context, off int64, n int) ([]byte, error) {
	if off < 0 || n <= 0 {
		return nil, fmt.Errorf("bad view of %d bytes at offset %d", n, off)
	}
	if off >= int64(len(v)) {
		return nil, io.EOF
	}
	end := min(off+int64(n), int64(len(v)))
	return v[off:end:end], nil
}

func (v view) Close() error { return nil }
