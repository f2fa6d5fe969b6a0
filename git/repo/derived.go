package repo

import (
	"bytes"
	"context"
	"sync"

	"github.com/ingot-forge/ingot/git/bitmap"
	"github.com/ingot-forge/ingot/git/commitgraph"
	"github.com/ingot-forge/ingot/git/pack"
)

// Derived data stand beside a pack, under its name: RevFile, BitmapFile and
// GraphFile. Compaction writes them. Whatever is missing or does not fit is done
// without: every answer is the same, only slower. What is damaged Config.Damaged
// hears of, and the next compaction writes anew.
//
// A file says which layers it lies on, packs by their checksums and layers of
// the graph by theirs, so nothing else needs to record what belongs together.

// snapshotDerived is what a snapshot holds of derived data.
type snapshotDerived struct {
	mu      sync.Mutex
	bitmaps *pooled[*bitmapStack]
	graph   *pooled[*commitgraph.Graph]
	// looked are set once it is known that there is something, or nothing.
	lookedBitmaps, lookedGraph bool
}

// Bitmaps returns the reachability bitmaps of the snapshot and the packs that
// are their layers, bottom first; nil if there are none. Packs of the snapshot
// that are not among the layers are newer than the bitmaps. It is opened once
// for all snapshots that share the packs, and holds until Close. The error is that of ctx.
func (s *Snapshot) Bitmaps(ctx context.Context) (*bitmap.Index, []*pack.Pack, error) {
	d := &s.derived
	d.mu.Lock()
	defer d.mu.Unlock()
	if !d.lookedBitmaps {
		stack, err := s.stack(ctx, bitmapLayers)
		if err != nil {
			return nil, nil, err
		}
		if len(stack) > 0 {
			names := s.names(stack)
			v, err := s.store.derived.bitmapsOf(ctx, s.state.Format, names)
			if ctx.Err() != nil {
				return nil, nil, ctx.Err()
			}
			if err != nil {
				s.store.derived.damaged(BitmapFile(names[len(names)-1]), err)
			} else {
				d.bitmaps = v
			}
		}
		d.lookedBitmaps = true
	}
	if d.bitmaps == nil {
		return nil, nil, nil
	}
	return d.bitmaps.value.index, d.bitmaps.value.packs, nil
}

// Graph returns the commit graph of the snapshot; nil if there is none. Commits
// may be missing in it, those that came after it was written. It holds until
// Close. The error is that of ctx.
func (s *Snapshot) Graph(ctx context.Context) (*commitgraph.Graph, error) {
	d := &s.derived
	d.mu.Lock()
	defer d.mu.Unlock()
	if !d.lookedGraph {
		stack, err := s.stack(ctx, graphLayers)
		if err != nil {
			return nil, err
		}
		if len(stack) > 0 {
			names := s.names(stack)
			v, err := s.store.derived.graphOf(ctx, s.state.Format, names)
			if ctx.Err() != nil {
				return nil, ctx.Err()
			}
			if err != nil {
				s.store.derived.damaged(GraphFile(names[len(names)-1]), err)
			} else {
				d.graph = v
			}
		}
		d.lookedGraph = true
	}
	if d.graph == nil {
		return nil, nil
	}
	return d.graph.value, nil
}

// closeDerived lets go of what the snapshot holds.
func (s *Snapshot) closeDerived() {
	d := &s.derived
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.bitmaps != nil {
		s.store.derived.bitmaps.release(d.bitmaps)
	}
	if d.graph != nil {
		s.store.derived.graphs.release(d.graph)
	}
	d.bitmaps, d.graph, d.lookedBitmaps, d.lookedGraph = nil, nil, false, false
}

func (s *Snapshot) names(places []int) []string {
	names := make([]string, len(places))
	for i, place := range places {
		names[i] = s.state.Packs[place].Name
	}
	return names
}

// stack returns the places of the packs that are the layers of the largest stack
// whose files, of one kind, are all there, bottom first. layersOf tells one kind from another.
func (s *Snapshot) stack(ctx context.Context, layersOf func(Pack, *packDerived) [][]byte) ([]int, error) {
	layers := make([]layer, 0, len(s.state.Packs))
	for place, row := range s.state.Packs {
		if !s.store.config.derivable(row) {
			continue
		}
		v, err := s.store.derived.of(ctx, s.state.Format, row.Name)
		if err != nil {
			return nil, err
		}
		// Checksums are copied: the file may be closed before they are compared.
		sums := layersOf(row, v.value)
		for i := range sums {
			sums[i] = bytes.Clone(sums[i])
		}
		s.store.derived.byPack.release(v)
		if len(sums) > 0 {
			layers = append(layers, layer{place: place, objects: row.Objects, stack: sums})
		}
	}
	return largestStack(layers), nil
}

// bitmapLayers are the packs that a pack's bitmaps count the objects of.
func bitmapLayers(row Pack, p *packDerived) [][]byte {
	if p.bitmap == nil {
		return nil
	}
	stack := p.bitmap.Stack()
	if len(stack) == 0 || !bytes.Equal(stack[len(stack)-1], row.Checksum) {
		return nil
	}
	return append([][]byte(nil), stack...)
}

// graphLayers are the layers of the graph up to that of a pack.
func graphLayers(_ Pack, p *packDerived) [][]byte {
	if p.graph == nil {
		return nil
	}
	hash := p.graph[len(p.graph)-hashSize(p.graph):]
	return append(append([][]byte(nil), p.below...), hash)
}

// hashSize is that of the hashes in a commit graph whose bases were read.
func hashSize(graph []byte) int {
	if graph[5] == 2 {
		return 32
	}
	return 20
}

// layer is what one derived file says: it lies on top of a stack, which it names.
type layer struct {
	place   int   // of its pack
	objects int64 // of its pack
	stack   [][]byte
}

// largestStack returns the places of the layers that make the stack of most objects,
// bottom first; of such stacks the one of fewest layers.
func largestStack(layers []layer) []int {
	byTop := make(map[string][]layer, len(layers)) // layers of equal packs may differ below
	for _, l := range layers {
		top := string(l.stack[len(l.stack)-1])
		byTop[top] = append(byTop[top], l)
	}
	var best []int
	most := int64(-1)
	for _, l := range layers {
		places, objects := below(byTop, l)
		if places != nil && (objects > most || objects == most && len(places) < len(best)) {
			best, most = places, objects
		}
	}
	return best
}

// below returns the places of the layers that l lies on and its own, if all are there.
func below(byTop map[string][]layer, l layer) (places []int, objects int64) {
	for n := range l.stack {
		found := false
		for _, c := range byTop[string(l.stack[n])] {
			if n == len(l.stack)-1 && c.place != l.place || !equalStacks(c.stack, l.stack[:n+1]) {
				continue
			}
			places, objects, found = append(places, c.place), objects+c.objects, true
			break
		}
		if !found {
			return nil, 0
		}
	}
	return places, objects
}

func equalStacks(a, b [][]byte) bool {
	if len(a) != len(b) {
		return false
	}
	for i := range a {
		if !bytes.Equal(a[i], b[i]) {
			return false
		}
	}
	return true
}
