//go:build !unix

package disk

import (
	"context"
	"errors"
	"io/fs"
	"os"

	"github.com/ingot-forge/ingot/git/repo"
)

// viewBytes bounds what one View reads, since a caller may ask for a whole
// pack and take what comes.
const viewBytes = 1 << 20

// unmapped implements repo.File by reading into a new buffer for each View.
type unmapped struct {
	size int64
	file *os.File
}

func openMapped(path string) (repo.File, error) {
	file, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	info, err := file.Stat()
	if err == nil && !info.Mode().IsRegular() {
		err = errNotRegular
	}
	if err != nil {
		file.Close()
		return nil, err
	}
	return &unmapped{size: info.Size(), file: file}, nil
}

// Size implements repo.File.
func (u *unmapped) Size() int64 { return u.size }

// View implements repo.File.
func (u *unmapped) View(_ context.Context, off int64, n int) ([]byte, error) {
	if err := checkView(off, n); err != nil {
		return nil, err
	}
	p := make([]byte, min(n, viewBytes, int(min(max(u.size-off, 1), viewBytes))))
	read, err := u.file.ReadAt(p, off)
	if read > 0 {
		return p[:read], nil
	}
	return nil, cause(err)
}

// Close implements repo.File. A second time does nothing.
func (u *unmapped) Close() error {
	if err := u.file.Close(); !errors.Is(err, fs.ErrClosed) {
		return err
	}
	return nil
}
