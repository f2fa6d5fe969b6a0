package disk

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"sync/atomic"
	"time"

	"github.com/ingot-forge/ingot/git/repo"
)

var errEnded = errors.New("draft has been published or discarded")

// draft implements repo.Draft over a file in drafts/. It has no buffer:
// callers write large blocks, and what was written must be there for ReadAt.
type draft struct {
	files *Files
	file  *os.File
	bytes atomic.Int64 // written so far
	ended atomic.Bool
}

// Write implements io.Writer. After an error the draft is only good to be
// discarded.
func (d *draft) Write(p []byte) (int, error) {
	if d.ended.Load() {
		return 0, errEnded
	}
	n, err := d.file.Write(p)
	total := d.bytes.Add(int64(n))
	if err != nil {
		return n, fmt.Errorf("write draft: %w", cause(err))
	}
	startWriteback(d.file, total-int64(n), total)
	return n, nil
}

// ReadAt implements io.ReaderAt.
func (d *draft) ReadAt(p []byte, off int64) (int, error) {
	if d.ended.Load() {
		return 0, errEnded
	}
	n, err := d.file.ReadAt(p, off)
	var path *fs.PathError
	if errors.As(err, &path) {
		err = fmt.Errorf("read draft: %w", path.Err)
	}
	return n, err // io.EOF as it is
}

// WriteAt implements io.WriterAt.
func (d *draft) WriteAt(p []byte, off int64) (int, error) {
	if d.ended.Load() {
		return 0, errEnded
	}
	if end := d.bytes.Load(); off < 0 || off > end-int64(len(p)) {
		return 0, fmt.Errorf("overwrite draft: %d bytes at %d reach outside the %d written", len(p), off, end)
	}
	n, err := d.file.WriteAt(p, off)
	if err != nil {
		err = fmt.Errorf("overwrite draft: %w", cause(err))
	}
	return n, err
}

// Publish implements repo.Draft. The order matters: the bytes are durable
// before the name exists, and the name is durable before the caller hears of it.
func (d *draft) Publish(ctx context.Context, name string) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	if err := repo.CheckFileName(name); err != nil {
		return err
	}
	if d.ended.Load() {
		return errEnded
	}
	// The file's time becomes that of its publication, from which graces count:
	// a pack may wait long between its last write and this.
	now := time.Now()
	if err := os.Chtimes(d.file.Name(), now, now); err != nil {
		return fmt.Errorf("publish file %q: %w", name, cause(err))
	}
	if err := d.file.Sync(); err != nil {
		return fmt.Errorf("publish file %q: %w", name, cause(err))
	}
	if err := d.files.link(d.file.Name(), d.files.path(name)); err != nil {
		return fmt.Errorf("publish file %q: %w", name, cause(err))
	}
	d.end()
	return nil
}

// Discard implements repo.Draft.
func (d *draft) Discard() error {
	if d.ended.Load() {
		return nil
	}
	if err := d.end(); err != nil && !absent(err) {
		return fmt.Errorf("discard draft: %w", cause(err))
	}
	return nil
}

// end closes the file and removes its name in drafts/. After a publication an
// error is of no interest: the bytes are synced and SweepDrafts removes the name.
func (d *draft) end() error {
	d.ended.Store(true)
	return errors.Join(d.file.Close(), os.Remove(d.file.Name()))
}

// link gives the draft its published name, durably, or leaves nothing.
func (f *Files) link(draft, published string) error {
	dir := filepath.Dir(published)
	if err := f.makeDir(dir); err != nil {
		return err
	}
	if err := os.Link(draft, published); err != nil {
		return err
	}
	if err := syncDir(dir); err != nil {
		// Whether the name survives a crash is unknown, so it must not be used.
		return errors.Join(err, os.Remove(published))
	}
	return nil
}
