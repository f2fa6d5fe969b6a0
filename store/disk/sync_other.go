//go:build !unix

package disk

import "syscall"

const errNotDir = syscall.ENOTDIR

// syncDir does nothing: there is no way to ask for it here, and the file
// systems in use journal their directories.
func syncDir(string) error { return nil }
