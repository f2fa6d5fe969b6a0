//go:build !linux

package disk

import "os"

// startWriteback leaves it to the system when to write.
func startWriteback(*os.File, int64, int64) {}
