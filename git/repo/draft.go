package repo

import (
	"context"
	"io"
	"sync"
	"sync/atomic"
)

// draft is a Draft that stays in memory while it has at most so many bytes, and
// goes on as one of Files when it outgrows them. A pack that ends in memory costs
// no operation on files: it becomes part of its row.
type draft struct {
	ctx   context.Context // of the Draft that may yet be needed
	files Files
	most  int

	mu   sync.RWMutex // guards data: it is read beside being appended to
	data []byte       // until there is a file
	file atomic.Pointer[Draft]
}

// draft starts a pack of which at most so many bytes are kept in memory.
func (s *Store) draft(ctx context.Context, most int) *draft {
	return &draft{ctx: ctx, files: s.files, most: most}
}

// small returns the content, if it is in memory.
func (d *draft) small() (data []byte, ok bool) { return d.data, d.file.Load() == nil }

// spill goes on in a file.
func (d *draft) spill() error {
	if d.file.Load() != nil {
		return nil
	}
	file, err := d.files.Draft(d.ctx)
	if err != nil {
		return err
	}
	if _, err := file.Write(d.data); err != nil {
		_ = file.Discard() // the error at hand says more
		return err
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	d.file.Store(&file)
	d.data = nil
	return nil
}

func (d *draft) Write(p []byte) (int, error) {
	if d.file.Load() == nil && len(d.data)+len(p) > d.most {
		if err := d.spill(); err != nil {
			return 0, err
		}
	}
	if file := d.file.Load(); file != nil {
		return (*file).Write(p)
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	d.data = append(d.data, p...)
	return len(p), nil
}

func (d *draft) ReadAt(p []byte, off int64) (int, error) {
	if file := d.file.Load(); file != nil {
		return (*file).ReadAt(p, off)
	}
	d.mu.RLock()
	defer d.mu.RUnlock()
	if file := d.file.Load(); file != nil { // it came while we waited
		return (*file).ReadAt(p, off)
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
	if file := d.file.Load(); file != nil {
		return (*file).WriteAt(p, off)
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	if off < 0 || off > int64(len(d.data)-len(p)) {
		return 0, io.ErrShortWrite
	}
	return copy(d.data[off:], p), nil
}

// Publish publishes the file that the draft is, or becomes.
func (d *draft) Publish(ctx context.Context, name string) error {
	if err := d.spill(); err != nil {
		return err
	}
	return (*d.file.Load()).Publish(ctx, name)
}

func (d *draft) Discard() error {
	if file := d.file.Load(); file != nil {
		return (*file).Discard()
	}
	return nil
}
