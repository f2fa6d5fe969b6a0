//go:build !unix

package disk

import (
	"errors"
	"syscall"
)

const errNotDir = syscall.ENOTDIR

// syncDir does nothing: there is no way to ask for it here, and the file
// systems in use journal their directories.
func syncDir(string) error { return nil }

// isFull reports whether err says that the disk is full: the numbers are
// ERROR_HANDLE_DISK_FULL and ERROR_DISK_FULL of Windows.
func isFull(err error) bool {
	return errors.Is(err, syscall.Errno(39)) || errors.Is(err, syscall.Errno(112))
}
