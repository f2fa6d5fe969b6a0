//go:build unix

package disk

import (
	"errors"
	"os"
	"syscall"
)

// errNotDir is what the system says when a file stands where a directory
// should.
const errNotDir = syscall.ENOTDIR

// syncDir makes the entries of a directory durable.
func syncDir(dir string) error {
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	defer d.Close()
	return d.Sync()
}

// isFull reports whether err says that the disk or a quota is used up.
func isFull(err error) bool {
	return errors.Is(err, syscall.ENOSPC) || errors.Is(err, syscall.EDQUOT)
}
