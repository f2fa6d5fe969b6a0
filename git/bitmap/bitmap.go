// Package bitmap answers which objects a commit reaches without walking to them:
// reachability bitmaps, in the format that gitformat-bitmap(5) describes.
//
// A repository is a stack of packs. Every object has one position: packs follow
// each other from the bottom of the stack upwards, the objects of a pack in the
// order of their offsets, and an object that several packs have counts in the
// lowest (its later positions are never set). A File belongs to the top pack of
// a stack and has, for some commits, the set of positions that the commit
// reaches. The file of a stack of one pack is byte for byte what git calls the
// pack's .bitmap; a higher one is a layer, which says what lies below it, so that
// what a push adds never makes the bitmaps of the large old pack be written again.
package bitmap

import (
	"context"

	"github.com/ingot-forge/ingot/git"
	"github.com/ingot-forge/ingot/git/commitgraph"
	"github.com/ingot-forge/ingot/git/pack"
)

// Set is a set of positions: bit i%64 of word i/64.
type Set []uint64

// NewSet returns an empty set of positions below n.
func NewSet(n int) Set { return make(Set, (n+63)/64) }

// Has reports whether i, a position below the size of the set, is in it.
func (s Set) Has(i int) bool { return s[i/64]>>(i%64)&1 != 0 }

// Add puts i into the set and reports whether it is new.
func (s Set) Add(i int) bool {
	w, b := &s[i/64], uint64(1)<<(i%64)
	was := *w&b != 0
	*w |= b
	return !was
}

// File is one opened bitmap file. It may be used from several goroutines at once.
type File struct{}

// Open reads a file whose bytes are data, which it keeps and which must not
// change. Lengths and counts are checked before anything is trusted; a bad file
// is git.ErrCorrupt. What the bits claim is not checked: see Index.Verify.
func Open(f git.Format, data []byte) (*File, error) { panic("contract") }

// Stack returns the checksums of the packs that the file's positions are made
// of, bottom first; the last is that of the pack it belongs to.
func (x *File) Stack() [][]byte { panic("contract") }

// Layer is a pack of a stack: its index and the order of its entries.
type Layer struct {
	Pack *pack.Index
	Rev  *pack.Rev
	File *File // that belongs to this pack on top of the layers below it; nil if it is to be built
}

// Index is a stack with its files. It may be used from several goroutines at once.
type Index struct{}

// NewIndex joins layers, bottom first. A file whose stack is not that of the
// layers up to it, or whose counts don't fit, is git.ErrCorrupt.
func NewIndex(f git.Format, layers []Layer) (*Index, error) { panic("contract") }

// Len is the number of positions.
func (x *Index) Len() int { panic("contract") }

// Find returns the position of an object.
func (x *Index) Find(id git.ID) (position int, ok bool) { panic("contract") }

// Place returns the layer of a position, and the object's place in the layer's index.
func (x *Index) Place(position int) (layer, at int) { panic("contract") }

// Start returns the position of the first entry of a layer; Start(number of layers) is Len().
func (x *Index) Start(layer int) int { panic("contract") }

// ID returns the id of the object at a position.
func (x *Index) ID(position int) git.ID { panic("contract") }

// Kind returns the kind of the object at a position (0 if the position is that
// of a repeated object).
func (x *Index) Kind(position int) git.Kind { panic("contract") }

// Kinds returns all positions of one kind. It is shared: read-only.
func (x *Index) Kinds(kind git.Kind) Set { panic("contract") }

// NameHash returns the hash of a path that the object at a position has (see
// history.NameHash); 0 for commits and tags.
func (x *Index) NameHash(position int) uint32 { panic("contract") }

// Reaches adds to the set what the commit at a position reaches, itself
// included, and returns true, if there is a bitmap for it. It costs as much as the
// bitmap has words when compressed.
func (x *Index) Reaches(position int, into Set) (ok bool, err error) { panic("contract") }

// Has reports whether there is a bitmap for the commit at a position.
func (x *Index) Has(position int) bool { panic("contract") }

// BuildOptions say what Build makes.
type BuildOptions struct {
	// Tips are where refs point (tags peeled or not): what clients ask for. They get
	// bitmaps before other commits.
	Tips []git.ID
	// Graph answers for commits without reading them; may be nil.
	Graph *commitgraph.Graph
	// Progress hears how many of the commits chosen have their bitmap; may be nil.
	Progress func(done, total int)
}

// Build returns the bytes of the file for the top layer of x, whose File is nil
// (and those of the layers below are used). The stack must be closed: what an object in
// it names is in it, or is reached by no commit that gets a bitmap; such commits
// are left out. It holds in memory a few sets of x.Len() bits, and the bitmaps
// made, compressed.
func Build(ctx context.Context, objects git.Objects, f git.Format, x *Index, o BuildOptions) ([]byte, error) {
	panic("contract")
}
