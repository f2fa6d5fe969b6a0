package fsck

import (
	"bytes"
	"encoding/binary"
	"math/bits"

	"github.com/ingot-forge/ingot/git"
)

// tree checks a tree. A large push has tens of millions of entries, so this is
// written for the common one: the name's first eight bytes are taken as a word,
// and words tell whether the name must be looked at closely (closeName) and
// whether the entry is in order, or that must be looked at closely (ordered).
func (c *Checker) tree(f *findings, data []byte) {
	idSize := c.format.Size()
	var found uint64 // messages
	var prev span
	var prevKey uint64
	names := order{data: data}
	for at := 0; at < len(data); {
		mode, start, end := git.EntrySpan(c.format, data[at:])
		if start == 0 {
			found |= 1 << badTree
			break
		}
		if data[at] == '0' {
			found |= 1 << zeroPaddedFilemode
		}
		entry := span{at + start, at + end, mode.IsTree()}
		at += end + 1 + idSize
		// The id follows the name, so eight bytes can be loaded even where the
		// name is shorter.
		if binary.LittleEndian.Uint64(data[entry.end+1:]) == 0 && isZero(data[entry.end+1:at]) {
			found |= 1 << nullSha1
		}
		key := binary.BigEndian.Uint64(data[entry.start:])
		n := entry.end - entry.start
		if n < 8 {
			key &^= ^uint64(0) >> (8 * n)
		}
		odd := oddBytes(key)
		if n > 8 {
			odd |= oddTail(data[entry.start:entry.end], c.longestName)
		}
		if odd != 0 || leads[key>>56] && !plain(key) {
			found |= c.closeName(data[entry.start:entry.end], mode, data[entry.end+1:at])
		}
		if mode != git.ModeBlob && mode != git.ModeTree && !goodMode(mode) {
			found |= 1 << badFilemode
		}
		// From here on the key orders as git does: a tree's name ends in a slash.
		if n < 8 && entry.tree {
			key |= '/' << (56 - 8*n)
		}
		differ := bits.LeadingZeros64(key^prevKey) &^ 7
		a, b := byte(prevKey<<differ>>56), byte(key<<differ>>56)
		if differ < 64 && a != 0 && a != '/' && b != 0 && b != '/' {
			if a > b {
				found |= 1 << treeNotSorted
			}
		} else if prev.end != 0 {
			found |= names.check(prev, entry)
		}
		prev, prevKey = entry, key
	}
	for m := message(0); found != 0 && m < endOfTreeMessages; m++ {
		if found&(1<<m) != 0 {
			f.add(m, "")
		}
	}
}

// span is where in a tree an entry's name is, and whether it names a tree.
type span struct {
	start, end int
	tree       bool
}

// oddBytes returns other than 0 if word holds a byte above 127, a slash or a
// backslash. It knows zero bytes by the borrow of a subtraction.
func oddBytes(word uint64) uint64 {
	const ones, high = 0x0101010101010101, 0x8080808080808080
	slash, backslash := word^(ones*'/'), word^(ones*'\\')
	return (word | (slash-ones)&^slash | (backslash-ones)&^backslash) & high
}

// oddTail is oddBytes of the rest of a name longer than eight bytes, of which
// there may be most.
func oddTail(name []byte, most int) uint64 {
	odd := uint64(0)
	if len(name) > most {
		odd = 1
	}
	for i := 8; ; i += 8 {
		if i+8 >= len(name) {
			return odd | oddBytes(binary.LittleEndian.Uint64(name[len(name)-8:]))
		}
		odd |= oddBytes(binary.LittleEndian.Uint64(name[i:]))
	}
}

// leads marks the bytes that start the ASCII names that mean something to git
// on some file system: ".", "..", ".git", "git~1", "maba30~1", "~1000000".
var leads = [256]bool{'.': true, 'g': true, 'G': true, 'm': true, 'M': true, '~': true}

// plain reports, of an ASCII name without slashes that starts with one of leads,
// that it is none of those names: ".editorconfig", "main.go". key is its start.
func plain(key uint64) bool {
	if key>>56 != '.' {
		// Only the short names that NTFS gives are without the dot.
		const ones, high = 0x0101010101010101, 0x8080808080808080
		tilde := key ^ ones*'~'
		return (tilde-ones)&^tilde&high == 0
	}
	switch byte(key >> 48) {
	case 0, '.', 'g', 'G', 'm', 'M':
		return false
	}
	return true
}

// closeName judges a name that may mean something to git. rawID is what the
// entry names.
func (c *Checker) closeName(name []byte, mode git.Mode, rawID []byte) (found uint64) {
	if len(name) > c.longestName {
		found |= 1 << largePathname
	}
	switch {
	case string(name) == ".":
		found |= 1 << hasDot
	case string(name) == "..":
		found |= 1 << hasDotdot
	case bytes.IndexByte(name, '/') >= 0:
		found |= 1 << fullPathname
	}
	if hfsDotGit(name) || ntfsDotGit(name) {
		found |= 1 << hasDotgit
	}
	symlink := mode&0o170000 == git.ModeSymlink
	as := role(0)
	if dotGitmodules.matches(name) {
		as |= modules
	}
	if dotGitattributes.matches(name) {
		as |= attributes
	}
	if symlink && dotGitignore.matches(name) {
		found |= 1 << gitignoreSymlink
	}
	if symlink && dotMailmap.matches(name) {
		found |= 1 << mailmapSymlink
	}
	// To Windows, what follows a backslash is a name too.
	for rest := name; ; {
		i := bytes.IndexByte(rest, '\\')
		if i < 0 {
			break
		}
		rest = rest[i+1:]
		if ntfsDotGit(rest) {
			found |= 1 << hasDotgit
		}
		if dotGitmodules.ntfs(rest) {
			as |= modules
		}
	}
	if symlink {
		if as&modules != 0 {
			found |= 1 << gitmodulesSymlink
		}
		if as&attributes != 0 {
			found |= 1 << gitattributesSymlink
		}
	} else if as != 0 && !c.remember(c.format.FromBytes(rawID), as) {
		found |= 1 << tooManySpecialBlobs
	}
	return found
}

// goodMode reports whether git writes mode. A group-writable file, as git wrote
// before 2005, is as bad as any other: the check is strict.
func goodMode(mode git.Mode) bool {
	switch mode {
	case git.ModeBlob, git.ModeExecutable, git.ModeSymlink, git.ModeTree, git.ModeSubmodule:
		return true
	}
	return false
}

// order compares the names of neighbours, and finds two entries of one name
// also where they are none. A tree sorts as if its name ended in a slash, so
// that others can be in between:
//
//	foo
//	foo.bar
//	foo.bar.baz
//	foo.bar/
//	foo/
//
// A file that is followed by names it starts is a candidate; they nest, so a
// stack holds them, and each is looked at once or twice.
type order struct {
	data       []byte
	candidates []span
}

func (o *order) check(a, b span) (found uint64) {
	nameA, nameB := o.data[a.start:a.end], o.data[b.start:b.end]
	n := git.CommonPrefix(nameA, nameB)
	byteA, byteB := byteAt(nameA, n), byteAt(nameB, n)
	if n < len(nameA) && n < len(nameB) {
		if byteA > byteB {
			return 1 << treeNotSorted
		}
		return 0
	}
	if byteA == 0 && byteB == 0 {
		return 1 << duplicateEntries
	}
	if byteA == 0 && a.tree {
		byteA = '/'
	}
	if byteB == 0 && b.tree {
		byteB = '/'
	}
	if byteA == 0 && belowSlash(byteB) {
		o.candidates = append(o.candidates, a)
	} else if byteB == '/' && belowSlash(byteA) && o.isCandidate(nameB) {
		return 1 << duplicateEntries
	}
	if byteA >= byteB {
		return 1 << treeNotSorted
	}
	return 0
}

// isCandidate reports whether a file called name came before, and drops the
// candidates that no later tree can be called.
func (o *order) isCandidate(name []byte) bool {
	for len(o.candidates) > 0 {
		last := o.candidates[len(o.candidates)-1]
		file := o.data[last.start:last.end]
		if !bytes.HasPrefix(name, file) {
			o.candidates = o.candidates[:len(o.candidates)-1]
			continue
		}
		if len(name) == len(file) {
			o.candidates = o.candidates[:len(o.candidates)-1]
			return true
		}
		if belowSlash(name[len(file)]) {
			return false
		}
		o.candidates = o.candidates[:len(o.candidates)-1]
	}
	return false
}

func belowSlash(c byte) bool { return 0 < c && c < '/' }

// byteAt is the byte of name at i, 0 at its end.
func byteAt(name []byte, i int) byte {
	if i < len(name) {
		return name[i]
	}
	return 0
}

func isZero(b []byte) bool {
	for _, c := range b {
		if c != 0 {
			return false
		}
	}
	return true
}
