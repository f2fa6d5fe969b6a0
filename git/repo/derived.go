package repo

import (
	"context"

	"github.com/ingot-forge/ingot/git/bitmap"
	"github.com/ingot-forge/ingot/git/commitgraph"
	"github.com/ingot-forge/ingot/git/pack"
)

// Derived data stand beside a pack, under its name: RevFile, BitmapFile and
// GraphFile. Compaction writes them. Whatever is missing or does not fit is done
// without: every answer is the same, only slower.

// Bitmaps returns the reachability bitmaps of the snapshot and the packs that
// are their layers, bottom first; nil if there are none. Packs of the snapshot
// that are not among the layers are newer than the bitmaps. It is opened once
// for all snapshots that share the packs.
func (s *Snapshot) Bitmaps(ctx context.Context) (*bitmap.Index, []*pack.Pack, error) {
	return nil, nil, nil
}

// Graph returns the commit graph of the snapshot; nil if there is none. Commits
// may be missing in it, those that came after it was written.
func (s *Snapshot) Graph(ctx context.Context) (*commitgraph.Graph, error) { return nil, nil }
