// Package bitmap answers which objects a commit reaches without walking to them:
// reachability bitmaps, in the format that gitformat-bitmap(5) describes.
//
// A repository is a stack of packs. Every object has one position: packs follow
// each other from the bottom of the stack upwards, the objects of a pack in the
// order of their offsets, and an object that several packs have counts in the
// lowest (its later positions are never set). A File belongs to the top pack of
// a stack and has, for some commits, the set of positions that the commit
// reaches. The file of a stack of one pack is what git calls the pack's .bitmap, and
// git reads it; a higher one is a layer, which says what lies below it, so that
// what a push adds never makes the bitmaps of the large old pack be written again.
//
//   - Build makes the file of the top pack of a stack; Open reads one.
//   - Index joins the files of a stack and answers by position.
//   - Set is a set of positions that takes what a commit reaches in by Index.Reaches.
//
// What always holds: a File never makes Index panic or set a bit that is no
// position, whatever its bytes are; that the bits are right is Index.Verify's to say.
//
// # File
//
// All numbers are big-endian. H is the size of an object id, 20 or 32.
//
//	"BITM" in the file of a stack of one pack, "BITL" in that of a higher layer
//	version 1 (2 bytes)
//	flags (2 bytes): 1 (closed: what a commit that has an entry reaches is
//	    in the stack) always; 4 if there are name hashes; 16 if there is a lookup table
//	count of entries (4 bytes)
//	the hash that ends the pack (H bytes)
//	only after "BITL": count of packs below, at least 1 (4 bytes), and the hash that
//	    ends each, bottom first (H bytes each)
//	4 EWAH bitmaps: the positions of commits, trees, blobs, tags. Those of a layer have
//	    positions of its own pack only.
//	entries, one after the other
//	lookup table
//	name hashes
//	hash of all the above (H bytes)
//
// An entry is
//
//	the commit (4 bytes): its place in the index of the pack, plus the counts
//	    of the packs below that which has it
//	n (1 byte, at most 160): 0, or the bitmap is XORed with that of the
//	    entry n before this one (which may in turn be XORed)
//	flags (1 byte): 0, ignored
//	EWAH bitmap: the positions that the commit reaches, itself included
//
// The lookup table has a row for each entry, ascending by commit: the commit (4
// bytes), where in the file its entry starts (8 bytes), and the row of the entry that it is
// XORed with, or 2³²-1 (4 bytes). It is there for git; Open goes through the entries.
//
// Name hashes are of the objects of the file's own pack, by their places in its index (4
// bytes each): git's pack_name_hash of a path at which the object was met, 0 for those without.
//
// # EWAH bitmap
//
//	how many bits it stands for (4 bytes)
//	n (4 bytes)
//	n × 8 bytes: words
//	the number of the last of them that is a run-length word (4 bytes)
//
// A run-length word has a bit b (bit 0), a count r (bits 1-32) and a count l (bits 33-63):
// r words follow whose bits are all b, and then l words that are stored behind the
// run-length word as they are. Bit i%64 of the word i/64 stands for position i.
package bitmap

import (
	"fmt"

	"github.com/ingot-forge/ingot/git"
)

const (
	magicPack  = "BITM"
	magicLayer = "BITL"
	version    = 1

	flagClosed = 0x1
	flagHashes = 0x4
	flagLookup = 0x10

	fileHead  = 12  // magic, version, flags, count of entries
	lookupRow = 16  // bytes
	maxXOR    = 160 // entries back

	// maxPositions bounds a stack. The format would take twice as many.
	maxPositions = 1<<31 - 64
)

// kinds are the four in the order of a file.
var kinds = [4]git.Kind{git.KindCommit, git.KindTree, git.KindBlob, git.KindTag}

func corrupt(format string, a ...any) error {
	return fmt.Errorf("%w: bitmap: "+format, append([]any{git.ErrCorrupt}, a...)...)
}
