package disk

import (
	"os"

	"golang.org/x/sys/unix"
)

// writebackBytes is how much of a draft is written before the disk is set to
// work on it. Without that, all of a large pack would wait for the sync at its
// end, which then takes as long as receiving it did.
const writebackBytes = 8 << 20

// startWriteback asks the system to start writing the blocks of 8 MiB that the
// bytes from..to have completed. It promises nothing, so its errors do not
// matter: Publish syncs.
func startWriteback(file *os.File, from, to int64) {
	first, end := from/writebackBytes, to/writebackBytes
	if first == end {
		return
	}
	raw, err := file.SyscallConn()
	if err != nil {
		return
	}
	_ = raw.Control(func(fd uintptr) {
		_ = unix.SyncFileRange(int(fd), first*writebackBytes, (end-first)*writebackBytes, unix.SYNC_FILE_RANGE_WRITE)
	})
}
