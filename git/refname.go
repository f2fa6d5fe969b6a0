package git

import (
	"errors"
	"fmt"
	"strings"
	"unicode/utf8"
)

// MaxRefName is the longest ref name taken, in bytes. Git's own limit is the
// file system's; this is the one of packed-refs users in practice.
const MaxRefName = 1024

// CheckRefName returns nil if name is a full ref name ("refs/heads/main") that
// git check-ref-format accepts and that is at most MaxRefName bytes of valid
// UTF-8; the error says which rule it breaks. It is the one validator of ref names.
func CheckRefName(name string) error {
	if err := checkRefName(name); err != nil {
		return fmt.Errorf("bad ref name %q: %w", clip(name), err)
	}
	return nil
}

func checkRefName(name string) error {
	if len(name) > MaxRefName {
		return fmt.Errorf("longer than %d bytes", MaxRefName)
	}
	if !utf8.ValidString(name) {
		return errors.New("not valid UTF-8")
	}
	for i := range len(name) {
		switch c := name[i]; {
		case c < ' ' || c == 0x7f:
			return fmt.Errorf("control character at byte %d", i)
		case strings.IndexByte(" ~^:?*[\\", c) >= 0:
			return fmt.Errorf("%q is not allowed", c)
		}
	}
	switch {
	case strings.HasPrefix(name, "-"):
		return errors.New("starts with a dash, like an option")
	case strings.Contains(name, ".."):
		return errors.New(`".." is not allowed`)
	case strings.Contains(name, "@{"):
		return errors.New(`"@{" is not allowed`)
	case strings.HasSuffix(name, "."):
		return errors.New("ends with a dot")
	case !strings.Contains(name, "/"):
		return errors.New("not a full name, such as refs/heads/main")
	}
	for part := range strings.SplitSeq(name, "/") {
		switch {
		case part == "":
			return errors.New("empty component (a slash at an end, or two in a row)")
		case part[0] == '.':
			return errors.New("a component starts with a dot")
		case strings.HasSuffix(part, ".lock"):
			return errors.New("a component ends with .lock")
		}
	}
	return nil
}
