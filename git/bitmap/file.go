package bitmap

import (
	"bytes"
	"encoding/binary"

	"github.com/ingot-forge/ingot/git"
)

// File is one opened bitmap file. It may be used from several goroutines at once.
type File struct {
	format  git.Format
	data    []byte
	stack   [][]byte
	kinds   [4]ewah // in the order of the variable of that name
	entries []entry
	hashes  []byte // 4 bytes for each place of the pack's index; nil if there are none
}

// entry is the bitmap of one commit.
type entry struct {
	commit uint32 // as stored: a place in the indexes of the stack, one after the other
	base   int32  // the entry that bits are XORed with; -1 if they are whole
	bits   ewah
}

// Open reads a file whose bytes are data, which it keeps and which must not
// change. Lengths and counts are checked before anything is trusted; a bad file
// is git.ErrCorrupt. What the bits claim is not checked: see Index.Verify.
// Pseudo-merges, which git 2.47 and later can be told to write, are not supported.
func Open(f git.Format, data []byte) (*File, error) {
	size := f.Size()
	if len(data) < fileHead+2*size {
		return nil, corrupt("%d bytes are too few", len(data))
	}
	magic := string(data[:4])
	if magic != magicPack && magic != magicLayer {
		return nil, corrupt("bad signature %q", magic)
	}
	if v := binary.BigEndian.Uint16(data[4:]); v != version {
		return nil, corrupt("version %d is not supported", v)
	}
	flags := binary.BigEndian.Uint16(data[6:])
	if flags&flagClosed == 0 || flags&^(flagClosed|flagHashes|flagLookup) != 0 {
		return nil, corrupt("flags %#x are not supported", flags)
	}
	count := int64(binary.BigEndian.Uint32(data[8:]))
	x := &File{format: f, data: data}
	own := data[fileHead : fileHead+size : fileHead+size]
	rest := data[fileHead+size : len(data)-size]
	if magic == magicLayer {
		var err error
		if rest, err = x.readBelow(rest); err != nil {
			return nil, err
		}
	}
	x.stack = append(x.stack, own)
	for i := range x.kinds {
		var err error
		if x.kinds[i], rest, err = parseEWAH(rest); err != nil {
			return nil, err
		}
	}
	rest, err := x.readEntries(rest, count)
	if err != nil {
		return nil, err
	}
	if flags&flagLookup != 0 {
		if int64(len(rest)) < lookupRow*count {
			return nil, corrupt("has no room for a lookup table of %d rows", count)
		}
		rest = rest[lookupRow*count:]
	}
	if flags&flagHashes != 0 && len(rest)%4 == 0 {
		x.hashes, rest = rest, nil
	}
	if len(rest) != 0 {
		return nil, corrupt("%d bytes too many", len(rest))
	}
	return x, nil
}

// readBelow reads the names of the packs below.
func (x *File) readBelow(rest []byte) ([]byte, error) {
	size := x.format.Size()
	if len(rest) < 4 {
		return nil, corrupt("ends before the packs below")
	}
	n := int64(binary.BigEndian.Uint32(rest))
	rest = rest[4:]
	if n == 0 || n*int64(size) > int64(len(rest)) {
		return nil, corrupt("is said to lie on %d packs", n)
	}
	x.stack = make([][]byte, 0, n+1)
	for range n {
		x.stack = append(x.stack, rest[:size:size])
		rest = rest[size:]
	}
	return rest, nil
}

func (x *File) readEntries(rest []byte, count int64) ([]byte, error) {
	const least = 6 + ewahHead + ewahTail
	if count*least > int64(len(rest)) {
		return nil, corrupt("%d bytes hold no %d entries", len(rest), count)
	}
	x.entries = make([]entry, count)
	for i := range x.entries {
		if len(rest) < least {
			return nil, corrupt("ends within entry %d of %d", i, count)
		}
		commit, back := binary.BigEndian.Uint32(rest), int(rest[4])
		base := -1
		if back > 0 {
			base = i - back
		}
		if back > maxXOR || back > 0 && base < 0 {
			return nil, corrupt("entry %d goes %d entries back", i, back)
		}
		bits, next, err := parseEWAH(rest[6:])
		if err != nil {
			return nil, err
		}
		x.entries[i] = entry{commit: commit, base: int32(base), bits: bits}
		rest = next
	}
	return rest, nil
}

// Stack returns the checksums of the packs that the file's positions are made
// of, bottom first; the last is that of the pack it belongs to.
func (x *File) Stack() [][]byte { return x.stack }

// checkSum compares the checksum at the end.
func (x *File) checkSum() error {
	body := x.data[:len(x.data)-x.format.Size()]
	sum := git.NewChecksum(x.format)
	sum.Write(body)
	if !bytes.Equal(sum.Sum(nil), x.data[len(body):]) {
		return corrupt("checksum does not match")
	}
	return nil
}

// or adds the bitmap of an entry to dst, whose words are all that the positions
// of the file's stack fill. scratch is as long as dst, and is what a bitmap is
// put together in if it is XORed: the order in which that is done makes no difference.
func (x *File) or(i int, dst, scratch Set) error {
	if x.entries[i].base < 0 {
		return x.entries[i].bits.or(dst)
	}
	clear(scratch)
	for at := int32(i); at >= 0; at = x.entries[at].base { // descends: every base is an earlier entry
		if err := x.entries[at].bits.xor(scratch); err != nil {
			return err
		}
	}
	dst.or(scratch)
	return nil
}
