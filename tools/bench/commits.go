package main

import (
	"bytes"
	"compress/zlib"
	"crypto/sha1"
	"encoding/binary"
	"encoding/hex"
	"fmt"
)

// commits makes commits upon commits with thin packs, as a client's push would
// have them, without a process for each: every one changes one of some files in a
// directory of its own, so it brings a blob, a tree, a delta of the root tree, and
// itself.
type commits struct {
	tip   string
	root  []byte // the root tree
	at    int    // where the directory's id is in it; -1 before there is one
	files [pushedFiles][sha1.Size]byte
	count int
	used  int // files that exist
}

const (
	pushedFiles = 100
	pushedDir   = "zz-pushed" // behind all others, so that its entry is appended
)

func newCommits(f *fixture) *commits {
	tree, err := gitIn(f.repo, nil, "cat-file", "tree", f.tip+"^{tree}")
	if err != nil {
		panic(err) // the fixture is our own
	}
	return &commits{tip: f.tip, root: tree, at: -1}
}

// next returns the push command and the pack of one more commit.
func (c *commits) next() (command string, pack []byte) {
	var entries [][]byte
	blob := fmt.Appendf(nil, "push number %d\nand some text that stays the same in all of them\n", c.count)
	file := c.count % pushedFiles
	c.files[file] = objectID("blob", blob)
	c.used = min(max(c.used, file+1), pushedFiles)
	entries = append(entries, packEntry(3, blob, nil))

	var dir []byte
	for i := range c.used {
		dir = append(fmt.Appendf(dir, "100644 file-%03d\x00", i), c.files[i][:]...)
	}
	dirID := objectID("tree", dir)
	entries = append(entries, packEntry(2, dir, nil))

	old := c.root
	oldID := objectID("tree", old)
	if c.at < 0 {
		c.root = append(bytes.Clone(old), "40000 "+pushedDir+"\x00"...)
		c.at = len(c.root)
		c.root = append(c.root, dirID[:]...)
	} else {
		c.root = bytes.Clone(old)
		copy(c.root[c.at:], dirID[:])
	}
	entries = append(entries, packEntry(7, treeDelta(old, c.root), oldID[:]))

	commit := fmt.Appendf(nil, "tree %x\nparent %s\nauthor A <a@example.org> %d +0000\ncommitter A <a@example.org> %d +0000\n\npush %d\n",
		objectID("tree", c.root), c.tip, 1_900_000_000+c.count, 1_900_000_000+c.count, c.count)
	entries = append(entries, packEntry(1, commit, nil))
	id := objectID("commit", commit)
	command = c.tip + " " + hex.EncodeToString(id[:]) + " refs/heads/main"
	c.tip = hex.EncodeToString(id[:])
	c.count++

	return command, packOf(entries)
}

func (c *commits) push(s server, repo string) error {
	command, pack := c.next()
	_, err := receive(s, repo, pushBody([]string{command}, pack))
	return err
}

func objectID(kind string, data []byte) [sha1.Size]byte {
	return sha1.Sum(append(fmt.Appendf(nil, "%s %d\x00", kind, len(data)), data...))
}

// packEntry is an entry of a pack: header, base of a delta, deflated data.
func packEntry(kind byte, data, base []byte) []byte {
	size := len(data)
	head := []byte{kind<<4 | byte(size&15)}
	for size >>= 4; size > 0; size >>= 7 {
		head[len(head)-1] |= 0x80
		head = append(head, byte(size&0x7f))
	}
	out := bytes.NewBuffer(append(head, base...))
	z := zlib.NewWriter(out)
	z.Write(data)
	z.Close()
	return out.Bytes()
}

// treeDelta copies what is the same at the start and inserts the end: what differs lies there.
func treeDelta(old, changed []byte) []byte {
	same := 0
	for same < min(len(old), len(changed)) && old[same] == changed[same] {
		same++
	}
	d := binary.AppendUvarint(binary.AppendUvarint(nil, uint64(len(old))), uint64(len(changed)))
	for from := 0; from < same; {
		n := min(same-from, 0xffff)
		d = append(d, 0x80|0x0f|0x30, byte(from), byte(from>>8), byte(from>>16), byte(from>>24), byte(n), byte(n>>8))
		from += n
	}
	for rest := changed[same:]; len(rest) > 0; {
		n := min(len(rest), 127)
		d = append(append(d, byte(n)), rest[:n]...)
		rest = rest[n:]
	}
	return d
}

// packOf is a pack of entries; without any, one of no objects.
func packOf(entries [][]byte) []byte {
	pack := binary.BigEndian.AppendUint32([]byte("PACK\x00\x00\x00\x02"), uint32(len(entries)))
	for _, e := range entries {
		pack = append(pack, e...)
	}
	sum := sha1.Sum(pack)
	return append(pack, sum[:]...)
}
