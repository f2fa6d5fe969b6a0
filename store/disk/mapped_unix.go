//go:build unix

package disk

import (
	"context"
	"io"
	"io/fs"
	"math"
	"os"
	"sync/atomic"

	"golang.org/x/sys/unix"

	"github.com/ingot-forge/ingot/git/repo"
)

// mapped implements repo.File over a mapping of the whole file.
type mapped struct {
	size int64
	// data is nil once the file is closed, so a late View is an error. A view
	// that was handed out before is the caller's to have given up.
	data atomic.Pointer[[]byte]
}

// openMapped maps a file. The descriptor is closed again: a mapping outlives
// it, and the name.
func openMapped(path string) (repo.File, error) {
	file, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer file.Close()
	info, err := file.Stat()
	if err != nil {
		return nil, err
	}
	if !info.Mode().IsRegular() {
		return nil, errNotRegular
	}
	size := info.Size()
	if size > math.MaxInt {
		return nil, &fs.PathError{Op: "map", Path: path, Err: unix.EFBIG}
	}
	var data []byte
	if size > 0 { // an empty mapping is refused by the system
		data, err = unix.Mmap(int(file.Fd()), 0, int(size), unix.PROT_READ, unix.MAP_SHARED)
		if err != nil {
			return nil, os.NewSyscallError("mmap", err)
		}
	}
	m := &mapped{size: size}
	m.data.Store(&data)
	return m, nil
}

// Size implements repo.File.
func (m *mapped) Size() int64 { return m.size }

// View implements repo.File. It returns all n bytes that there are: the whole
// file is at hand.
func (m *mapped) View(_ context.Context, off int64, n int) ([]byte, error) {
	data := m.data.Load()
	if data == nil {
		return nil, fs.ErrClosed
	}
	if err := checkView(off, n); err != nil {
		return nil, err
	}
	if off >= m.size {
		return nil, io.EOF
	}
	end := off + min(int64(n), m.size-off)
	return (*data)[off:end:end], nil
}

// Close implements repo.File. A second time does nothing.
func (m *mapped) Close() error {
	data := m.data.Swap(nil)
	if data == nil || len(*data) == 0 {
		return nil
	}
	return os.NewSyscallError("munmap", unix.Munmap(*data))
}
