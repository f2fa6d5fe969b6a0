package history_test

import (
	"context"
	"crypto/sha1"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/ingot-forge/ingot/git"
	"github.com/ingot-forge/ingot/git/bitmap"
	"github.com/ingot-forge/ingot/git/commitgraph"
	"github.com/ingot-forge/ingot/git/history"
	"github.com/ingot-forge/ingot/git/pack"
)

// layer makes the index of a pack with the given objects, in a random order.
func layer(t testing.TB, r *rand.Rand, ids []git.ID) bitmap.Layer {
	t.Helper()
	ids = slices.Clone(ids)
	r.Shuffle(len(ids), func(i, j int) { ids[i], ids[j] = ids[j], ids[i] })
	entries := make([]pack.IndexEntry, len(ids))
	for i, id := range ids {
		entries[i] = pack.IndexEntry{ID: id, Offset: int64(12 + 10*i)}
	}
	sum := sha1.Sum([]byte{byte(r.Uint32()), byte(r.Uint32()), byte(r.Uint32())})
	x, err := pack.OpenIndex(git.SHA1, pack.AppendIndex(git.SHA1, nil, entries, sum[:]))
	if err != nil {
		t.Fatal(err)
	}
	rev, err := pack.NewRev(x)
	if err != nil {
		t.Fatal(err)
	}
	return bitmap.Layer{Pack: x, Rev: rev}
}

// stack makes bitmaps and commit graph of a stack of packs: each has what the first
// so many commits of the model reach, besides what those below it have, and a
// few that they have, too. What is above the last is in no pack.
func (m *model) stack(t testing.TB, r *rand.Rand, counts ...int) history.Derived {
	t.Helper()
	ctx := context.Background()
	var d history.Derived
	var layers []bitmap.Layer
	var graphs [][]byte
	below := set{}
	for _, n := range counts {
		tips := m.commits[:n]
		var ids []git.ID
		all := m.closure(set{}, nil, tips...)
		for _, id := range sorted(all) {
			if !below[id] || r.IntN(20) == 0 {
				ids = append(ids, id)
			}
		}
		if len(graphs) > 0 && len(ids) == 0 {
			continue
		}
		below = all
		layers = append(layers, layer(t, r, ids))
		x, err := bitmap.NewIndex(git.SHA1, layers)
		if err != nil {
			t.Fatal(err)
		}
		// A few commits only get bitmaps, so that there is something to walk.
		data, err := bitmap.Build(ctx, m, git.SHA1, x, bitmap.BuildOptions{Tips: pick(r, tips, 1+r.IntN(2))})
		if err != nil {
			t.Fatal(err)
		}
		if layers[len(layers)-1].File, err = bitmap.Open(git.SHA1, data); err != nil {
			t.Fatal(err)
		}
		data, err = commitgraph.Build(ctx, m, git.SHA1, d.Graph, tips, commitgraph.BuildOptions{})
		if err != nil {
			t.Fatal(err)
		}
		if data != nil {
			graphs = append(graphs, data)
			if d.Graph, err = commitgraph.Open(git.SHA1, graphs); err != nil {
				t.Fatal(err)
			}
		}
	}
	var err error
	if d.Bitmaps, err = bitmap.NewIndex(git.SHA1, layers); err != nil {
		t.Fatal(err)
	}
	return d
}

func sorted(s set) []git.ID {
	ids := make([]git.ID, 0, len(s))
	for id := range s {
		ids = append(ids, id)
	}
	slices.SortFunc(ids, func(a, b git.ID) int { return slices.Compare(a[:], b[:]) })
	return ids
}

// randomStack is a stack of one to three packs over a part of the model.
func (m *model) randomStack(t testing.TB, r *rand.Rand) history.Derived {
	t.Helper()
	var counts []int
	for range 1 + r.IntN(3) {
		counts = append(counts, 1+r.IntN(len(m.commits)))
	}
	slices.Sort(counts)
	return m.stack(t, r, slices.Compact(counts)...)
}
