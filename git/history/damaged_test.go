package history_test

import (
	"context"
	"maps"
	"slices"
	"testing"

	"github.com/ingot-forge/ingot/git"
	"github.com/ingot-forge/ingot/git/bitmap"
	"github.com/ingot-forge/ingot/git/history"
)

// damagedBitmaps opens without complaint and fails when the tip is asked for.
func damagedBitmaps(t *testing.T, m *model, tip git.ID) *bitmap.Index {
	t.Helper()
	layers := []bitmap.Layer{layer(t, seeded(1), sorted(m.closure(set{}, nil, tip)))}
	open := func(data []byte) (*bitmap.Index, error) {
		var err error
		if layers[0].File = nil; data != nil {
			if layers[0].File, err = bitmap.Open(git.SHA1, data); err != nil {
				return nil, err
			}
		}
		return bitmap.NewIndex(git.SHA1, slices.Clone(layers))
	}
	x, err := open(nil)
	if err != nil {
		t.Fatal(err)
	}
	data, err := bitmap.Build(context.Background(), m, git.SHA1, x, bitmap.BuildOptions{Tips: []git.ID{tip}})
	if err != nil {
		t.Fatal(err)
	}
	for i := range 8 * len(data) {
		data[i/8] ^= 1 << (i % 8)
		if x, err := open(data); err == nil {
			if at, ok := x.Find(tip); ok && x.Has(at) {
				if _, err := x.Reaches(at, bitmap.NewSet(x.Len())); err != nil {
					return x
				}
			}
		}
		data[i/8] ^= 1 << (i % 8)
	}
	t.Fatal("no bit does such damage")
	return nil
}

// Damaged bitmaps cost time, and nothing else.
func TestDamagedBitmaps(t *testing.T) {
	m := randomModel(seeded(1), 100, false)
	tip := m.commits[99]
	d := history.Derived{Bitmaps: damagedBitmaps(t, m, tip)}
	got, s := selected(t, m, history.Request{Wants: []git.ID{tip}, Derived: d})
	in := m.closure(set{}, nil, tip)
	if s.Send != nil || !maps.Equal(got, in) {
		t.Errorf("%d objects sent, want %d", len(got), len(in))
	}
	k := history.NewKnown(m, git.SHA1, []git.ID{tip}, d)
	ids := slices.SortedFunc(maps.Keys(m.Memory), func(a, b git.ID) int { return slices.Compare(a[:], b[:]) })
	missing, err := k.Missing(context.Background(), ids, nil)
	if err != nil || len(missing) != len(ids)-len(in) {
		t.Errorf("%d of %d missing, %v, want %d", len(missing), len(ids), err, len(ids)-len(in))
	}
}
