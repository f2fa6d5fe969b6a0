package pack

import "github.com/ingot-forge/ingot/git"

// Rev is an opened reverse index (gitformat-pack(5), .rev files, version 1): the
// entries of a pack in the order of their offsets, which is the order of the
// bits in its bitmaps. It may be used from several goroutines at once.
type Rev struct{}

// OpenRev reads a reverse index whose bytes are data, which it keeps and which must not
// change. Header, length and the checksum of the pack are compared with x; a bad
// one is git.ErrCorrupt. Verify checks the rest.
func OpenRev(f git.Format, data []byte, x *Index) (*Rev, error) { panic("contract") }

// NewRev computes the reverse index of x in memory. An index of damaged offsets is git.ErrCorrupt.
func NewRev(x *Index) (*Rev, error) { panic("contract") }

// AppendRev appends the bytes of the .rev file, equal to that of git index-pack --rev-index.
func (r *Rev) Append(f git.Format, dst []byte) []byte { panic("contract") }

// Count is the number of entries.
func (r *Rev) Count() int { panic("contract") }

// Place returns the place in the index of the entry of a rank (0: the first of the pack).
func (r *Rev) Place(rank int) int { panic("contract") }

// Offset returns the offset of the entry of a rank.
func (r *Rev) Offset(rank int) int64 { panic("contract") }

// Rank returns the rank of the entry that starts at an offset.
func (r *Rev) Rank(offset int64) (rank int, ok bool) { panic("contract") }

// Verify checks that the ranks are those of x.
func (r *Rev) Verify() error { panic("contract") }
