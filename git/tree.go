package git

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"iter"
	"math/bits"
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

// The limits of a mode as stored: sixteen bits, in six octal digits, and one
// zero in front as some old tools wrote. Stock git takes any number of digits
// and lets them overflow, so that two readers can see two modes.
const (
	maxModeDigits = 7
	maxMode       = 0o177777
)

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
	mode, start, end := EntrySpan(f, data)
	if start == 0 {
		return 0, nil, id, nil, explainEntry(data)
	}
	name, rest = data[start:end], data[end+1:]
	// Array conversions, because copies of a size known to the compiler are
	// moves, not calls.
	if f == SHA256 {
		return mode, name, ID(rest[:32]), rest[32:], nil
	}
	*(*[20]byte)(id[:]) = [20]byte(rest[:20])
	return mode, name, id, rest[20:], nil
}

// EntrySpan is NextEntry for loops over millions of trees, twice as fast since
// it passes no id: the first entry's name is data[start:end], its id the
// f.Size() bytes from end+1, and the next entry follows those. start is 0 where
// data starts with no well-formed entry; NextEntry says what is wrong with it.
func EntrySpan(f Format, data []byte) (mode Mode, start, end int) {
	if len(data) < 8 {
		return 0, 0, 0
	}
	// Nearly all entries are files and directories, whose modes are told apart
	// by one load.
	if word := binary.LittleEndian.Uint64(data); word<<8 == blobStart {
		mode, start = ModeBlob, 7
	} else if word<<16 == treeStart {
		mode, start = ModeTree, 6
	} else if word<<8 == executableStart {
		mode, start = ModeExecutable, 7
	} else if mode, start = parseMode(data); start == 0 {
		return 0, 0, 0
	}
	end = indexNUL(data, start)
	if end <= start || len(data)-end <= f.Size() {
		return 0, 0, 0
	}
	return mode, start, end
}

// indexNUL finds the first NUL of data from start on; -1 if there is none. Names
// are short, so looking at eight bytes at a time here is quicker than a call.
func indexNUL(data []byte, start int) int {
	const ones, high = 0x0101010101010101, 0x8080808080808080
	for i := start; i+8 <= len(data); i += 8 {
		word := binary.LittleEndian.Uint64(data[i:])
		if zero := (word - ones) &^ word & high; zero != 0 {
			return i + bits.TrailingZeros64(zero)/8
		}
		start = i + 8
	}
	if i := bytes.IndexByte(data[start:], 0); i >= 0 {
		return start + i
	}
	return -1
}

// explainEntry says why data starts with no well-formed entry.
func explainEntry(data []byte) error {
	_, start := parseMode(data)
	switch {
	case start == 0 && len(data) < 8 && bytes.IndexByte(data, ' ') < 0:
		return errEntryShort
	case start == 0:
		return errEntryMode
	case start < len(data) && data[start] == 0:
		return errEntryName
	}
	return errEntryShort
}

// What the common kinds of entry start with, "100644 ", "100755 " and "40000 ",
// in a little-endian word, shifted so that nothing else is in it.
const (
	blobStart       = uint64('1')<<8 | '0'<<16 | '0'<<24 | '6'<<32 | '4'<<40 | '4'<<48 | ' '<<56
	executableStart = uint64('1')<<8 | '0'<<16 | '0'<<24 | '7'<<32 | '5'<<40 | '5'<<48 | ' '<<56
	treeStart       = uint64('4')<<16 | '0'<<24 | '0'<<32 | '0'<<40 | '0'<<48 | ' '<<56
)

// parseMode reads the octal digits and the space that start an entry. start is
// where the name starts, 0 if there is no mode.
func parseMode(data []byte) (mode Mode, start int) {
	for i := 0; i < len(data) && i <= maxModeDigits; i++ {
		c := data[i]
		if c == ' ' && i > 0 && mode <= maxMode {
			return mode, i + 1
		}
		if c-'0' > 7 {
			break
		}
		mode = mode<<3 | Mode(c-'0')
	}
	return 0, 0
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
