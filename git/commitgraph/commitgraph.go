// Package commitgraph reads and writes commit graphs: what walks need to know of
// each commit (parents, root tree, time, generation number, which paths it
// changed) in tables that are read without inflating anything. The format is that
// of gitformat-commit-graph(5), version 1, with corrected commit dates (generation data version 2)
// and changed-path Bloom filters (version 1 hashes, 10 bits an entry, 7
// hashes, at most 512 paths), as a chain of layers: a layer refers
// to the commits of those below it and never changes when one is put on top.
package commitgraph

import (
	"context"

	"github.com/ingot-forge/ingot/git"
)

// Graph is a chain of opened layers. It may be used from several goroutines at once.
type Graph struct{}

// Open reads a chain whose layers, bottom first, are the given bytes, which it
// keeps and which must not change. Everything that a lookup relies on is
// checked first (lengths, counts, fan-out, that each layer lies on those below it), in time that does not
// grow with the number of commits; a bad chain is git.ErrCorrupt.
func Open(f git.Format, layers [][]byte) (*Graph, error) { panic("contract") }

// Len is the number of commits; positions are below it.
func (g *Graph) Len() int { panic("contract") }

// Find returns the position of a commit.
func (g *Graph) Find(id git.ID) (position uint32, ok bool) { panic("contract") }

// ID returns the id of the commit at a position.
func (g *Graph) ID(position uint32) git.ID { panic("contract") }

// Tree returns the root tree of a commit.
func (g *Graph) Tree(position uint32) git.ID { panic("contract") }

// Seconds returns the committer time of a commit, as git's commit graph keeps it
// (34 bits: before 1970 is 0).
func (g *Graph) Seconds(position uint32) int64 { panic("contract") }

// Generation returns the corrected commit date: greater than that of every ancestor.
func (g *Graph) Generation(position uint32) uint64 { panic("contract") }

// AppendParents appends the positions of a commit's parents, in order. A
// damaged table is git.ErrCorrupt.
func (g *Graph) AppendParents(dst []uint32, position uint32) ([]uint32, error) { panic("contract") }

// Path is a path made ready to be looked up in Bloom filters.
type Path struct{}

// NewPath prepares a path ("git/pack", without slashes at its ends; of a file or a directory).
func NewPath(path string) *Path { panic("contract") }

// MayChange reports whether a commit may have changed a path against its first parent. false
// is certain; true may be wrong, and is the answer where there is no filter.
func (g *Graph) MayChange(position uint32, p *Path) bool { panic("contract") }

// BuildOptions say how a layer is built.
type BuildOptions struct {
	// Copied are graphs that may have some of the commits already, with their filters: these are
	// copied instead of being computed.
	Copied []*Graph
	// Progress hears how many commits are done; may be nil.
	Progress func(done, total int)
}

// Build returns the bytes of a layer on top of below (nil: the first) with the
// commits that tips reach and that below does not have. Tips that are not
// commits are followed or ignored. Without new commits it returns nil, nil.
func Build(ctx context.Context, objects git.Objects, f git.Format, below *Graph, tips []git.ID, o BuildOptions) ([]byte, error) {
	panic("contract")
}

// Checksum returns the trailer of a layer's bytes, by which the layers above and git's
// commit-graph-chain file name it.
func Checksum(f git.Format, layer []byte) []byte { panic("contract") }
