package disk

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
)

// Reserve makes an empty file of mode 0600 at path, durably, if nothing is
// there, for others that would make it with the umask's mode. Its directory
// exists. What is there already is not opened: to close a database that this
// process has open elsewhere would drop its locks.
func Reserve(path string) error {
	file, err := os.OpenFile(path, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
	if errors.Is(err, fs.ErrExist) {
		return nil
	}
	if err == nil {
		err = errors.Join(file.Close(), syncDir(filepath.Dir(path)))
	}
	if err != nil {
		return fmt.Errorf("reserve %q: %w", path, cause(err))
	}
	return nil
}
