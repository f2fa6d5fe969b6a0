package git

import (
	"bytes"
	"fmt"
	"iter"
	"slices"
	"strconv"
)

// Mode is the mode of a tree entry.
type Mode uint32

const (
	ModeTree       Mode = 0o040000
	ModeBlob       Mode = 0o100644
	ModeExecutable Mode = 0o100755
	ModeGroupWrite Mode = 0o100664 // written by git before 2005; read only
	ModeSymlink    Mode = 0o120000
	ModeSubmodule  Mode = 0o160000
)

// IsTree reports whether the entry is a directory, by the type bits alone, as
// git does: 040755 is one too.
func (m Mode) IsTree() bool { return m&0o170000 == ModeTree }

// maxModeDigits bounds the octal digits of a mode: six, and one zero in front
// as some old tools wrote. Stock git takes any number and lets them overflow.
const maxModeDigits = 7

// Entry is one entry of a tree.
type Entry struct {
	Mode Mode
	Name string
	ID   ID
}

// Entries walks an encoded tree in stored order. It yields an error matching
// ErrCorrupt once, and stops, where the bytes are no tree.
func Entries(f Format, data []byte) iter.Seq2[Entry, error] {
	return func(yield func(Entry, error) bool) {
		for rest := data; len(rest) > 0; {
			mode, name, id, next, err := NextEntry(f, rest)
			if err != nil {
				yield(Entry{}, fmt.Errorf("tree entry at byte %d: %w", len(data)-len(rest), err))
				return
			}
			if !yield(Entry{Mode: mode, Name: string(name), ID: id}, nil) {
				return
			}
			rest = next
		}
	}
}

// The ways a tree entry can be malformed. They are made once, so that NextEntry
// allocates nothing on any input.
var (
	errEntryMode  = fmt.Errorf("%w: tree entry without an octal mode", ErrCorrupt)
	errEntryName  = fmt.Errorf("%w: tree entry with an empty name", ErrCorrupt)
	errEntryShort = fmt.Errorf("%w: tree entry cut short", ErrCorrupt)
)

// NextEntry decodes the first entry of data without allocating: name aliases
// data, and rest is what follows. Malformed input is ErrCorrupt. The name is
// not empty and holds no NUL, and that is all that is promised of it: whether
// an entry may be called so is for package fsck to judge.
func NextEntry(f Format, data []byte) (mode Mode, name []byte, id ID, rest []byte, err error) {
	n := 0 // digits
	for {
		if n == len(data) {
			return 0, nil, id, nil, errEntryShort
		}
		c := data[n]
		if c == ' ' {
			break
		}
		if c-'0' > 7 || n == maxModeDigits {
			return 0, nil, id, nil, errEntryMode
		}
		mode = mode<<3 | Mode(c-'0')
		n++
	}
	if n == 0 {
		return 0, nil, id, nil, errEntryMode
	}
	data = data[n+1:]
	end := bytes.IndexByte(data, 0)
	if end < 0 {
		return 0, nil, id, nil, errEntryShort
	}
	if end == 0 {
		return 0, nil, id, nil, errEntryName
	}
	name, rest = data[:end], data[end+1:]
	// Array conversions, because copies of a size known to the compiler are
	// moves, not calls.
	if f == SHA256 {
		if len(rest) < 32 {
			return 0, nil, id, nil, errEntryShort
		}
		return mode, name, ID(rest[:32]), rest[32:], nil
	}
	if len(rest) < 20 {
		return 0, nil, id, nil, errEntryShort
	}
	*(*[20]byte)(id[:]) = [20]byte(rest[:20])
	return mode, name, id, rest[20:], nil
}

// AppendTree appends the encoding of entries, which it sorts into git's order
// on a copy.
func AppendTree(f Format, dst []byte, entries []Entry) []byte {
	sorted := slices.Clone(entries)
	slices.SortFunc(sorted, compareEntries)
	for i := range sorted {
		e := &sorted[i]
		dst = strconv.AppendUint(dst, uint64(e.Mode), 8)
		dst = append(dst, ' ')
		dst = append(dst, e.Name...)
		dst = append(dst, 0)
		dst = append(dst, e.ID[:f.Size()]...)
	}
	return dst
}

// compareEntries is git's order of a tree: by bytes, where the name of a
// directory counts as if it ended with a slash.
func compareEntries(a, b Entry) int {
	n := min(len(a.Name), len(b.Name))
	if a.Name[:n] != b.Name[:n] {
		if a.Name < b.Name {
			return -1
		}
		return 1
	}
	return int(byteAt(a, n)) - int(byteAt(b, n))
}

// byteAt is the byte of e's name at i, which is at most the name's length.
func byteAt(e Entry, i int) byte {
	switch {
	case i < len(e.Name):
		return e.Name[i]
	case e.Mode.IsTree():
		return '/'
	}
	return 0
}
