package history_test

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"testing"

	"github.com/ingot-forge/ingot/git"
	"github.com/ingot-forge/ingot/git/history"
)

// Whatever is derived, whatever was asked before, whatever near says: an object is
// known if the tips reach it, and only then.
func TestKnown(t *testing.T) {
	seeds := 300
	if testing.Short() {
		seeds = 60
	}
	for seed := range seeds {
		r := seeded(seed)
		m := randomModel(r, 2+r.IntN(80), seed%2 == 0)
		tips := pick(r, m.commits, 1+r.IntN(3))
		if seed%4 == 0 { // more than are looked at first
			tips = append(pick(r, m.commits[:1+len(m.commits)/3], 20), tips...)
		}
		if seed%3 == 0 {
			tips = append(tips, m.tag(m.tag(m.commits[r.IntN(len(m.commits))], "inner"), "outer"), m.tag(m.blob("tagged"), "blob"),
				m.tree(map[string]string{"only/here": "x"}), m.blob("tip"))
		}
		var d history.Derived
		if seed%5 > 0 {
			d = m.randomStack(t, r)
		}
		if seed%5 == 2 {
			d.Graph = nil
		}
		if seed%5 == 3 {
			d.Bitmaps = nil
		}
		in := m.closure(set{}, nil, tips...)
		all := slices.SortedFunc(maps.Keys(m.Memory), func(a, b git.ID) int { return slices.Compare(a[:], b[:]) })
		k := history.NewKnown(m, git.SHA1, tips, d)
		if seed%2 == 1 {
			k = history.NewKnownTips(m, git.SHA1, history.Tips{
				First: pick(r, tips, r.IntN(3)),
				All:   func() []git.ID { return tips },
				Is:    func(id git.ID) bool { return slices.Contains(tips, id) },
			}, d)
		}
		for range 6 {
			ids := append(pick(r, all, r.IntN(8)), git.ID{5})
			if r.IntN(4) == 0 {
				ids = pick(r, m.commits, 3)
			}
			var near []git.ID
			if r.IntN(2) == 0 {
				near = append(pick(r, m.commits, 1+r.IntN(2)), pick(r, all, r.IntN(2))...)
			}
			missing, err := k.Missing(context.Background(), ids, near)
			if err != nil {
				t.Fatal(err)
			}
			want := slices.DeleteFunc(slices.Clone(ids), func(id git.ID) bool { return in[id] })
			if !slices.Equal(missing, want) {
				t.Fatalf("seed %d: of %v missing %v, want %v", seed, ids, missing, want)
			}
		}
	}
}

// directories is a project of many directories, and a commit that changes one file deep in it.
func directories() (m *model, old, tip git.ID) {
	m = newModel()
	files := map[string]string{}
	for i := range 3000 {
		files[fmt.Sprintf("d%d/e%d/f%d", i%30, i%300, i)] = fmt.Sprint(i)
	}
	old = m.commit(1, files)
	for i := range 50 {
		files = maps.Clone(files)
		files["d2/e2/f2"] = fmt.Sprint("version ", i)
		old = m.commit(int64(2+i), files, old)
	}
	files = maps.Clone(files)
	files["d1/e1/f1"] = "new"
	return m, old, m.commit(100, files, old)
}

// What a push of one commit leans on is found in the trees beside what it changes.
func TestKnownNear(t *testing.T) {
	m, old, tip := directories()
	brought := setOf(tip, m.tree(m.files[tip]), m.blob("new"))
	for _, id := range m.links(m.tree(m.files[tip]), nil) {
		brought[id] = !m.closure(set{}, nil, old)[id]
		for _, below := range m.links(id, nil) {
			brought[below] = !m.closure(set{}, nil, old)[below]
		}
	}
	leansOn := set{}
	for id, is := range brought {
		for _, below := range m.links(id, nil) {
			if is && !brought[below] {
				leansOn[below] = true
			}
		}
	}
	covered := m.stack(t, seeded(1), len(m.commits)-1)
	for name, d := range map[string]history.Derived{"nothing": {}, "bitmaps": covered, "graph": {Graph: covered.Graph}} {
		d.Header = func(ctx context.Context, id git.ID) (git.Kind, int64, error) {
			o, ok := m.Memory[id]
			if !ok {
				return 0, 0, git.NotFound(id)
			}
			return o.Kind, int64(len(o.Data)), nil
		}
		c := &counting{Objects: m}
		listed := 0
		k := history.NewKnownTips(c, git.SHA1, history.Tips{
			All: func() []git.ID { listed++; return []git.ID{old} },
			Is:  func(id git.ID) bool { return id == old },
		}, d)
		missing, err := k.Missing(context.Background(), sorted(leansOn), []git.ID{old})
		if err != nil || len(missing) != 0 {
			t.Errorf("%s: %d of %d missing, %v", name, len(missing), len(leansOn), err)
		}
		if c.reads > 1+3 || listed > 0 { // the commit, and the trees down to the file
			t.Errorf("%s: %d objects read for %d ids, tips listed %d times", name, c.reads, len(leansOn), listed)
		}
		// What hangs from near is nothing if the tips do not reach near.
		missing, err = k.Missing(context.Background(), []git.ID{m.blob("new")}, []git.ID{tip})
		if err != nil || len(missing) != 1 {
			t.Errorf("%s: %d missing of what only near reaches, %v", name, len(missing), err)
		}
		if listed != 1 {
			t.Errorf("%s: tips listed %d times", name, listed)
		}
	}
	// With bitmaps old content costs no tree, and what is asked again no read.
	c := &counting{Objects: m}
	k := history.NewKnown(c, git.SHA1, []git.ID{old}, covered)
	for _, content := range []string{"version 3", "version 7"} {
		missing, err := k.Missing(context.Background(), []git.ID{m.blob(content)}, nil)
		if err != nil || len(missing) != 0 || c.reads > 0 {
			t.Errorf("%q: %d missing, %v, after %d reads", content, len(missing), err, c.reads)
		}
	}
}

func TestKnownErrors(t *testing.T) {
	m := newModel()
	c := m.commit(1, map[string]string{"f": "1"})
	lost := m.commitTree(2, git.ID{8}, c)
	k := history.NewKnown(m, git.SHA1, []git.ID{lost}, history.Derived{})
	if missing, err := k.Missing(context.Background(), []git.ID{c}, nil); err != nil || len(missing) != 0 {
		t.Errorf("parent: %v, %v", missing, err)
	}
	for range 2 { // a walk that was broken off is not taken for one that ended
		if missing, err := k.Missing(context.Background(), []git.ID{m.blob("2")}, nil); !errors.Is(err, git.ErrNotFound) {
			t.Errorf("below a tree that is lost: %v, %v", missing, err)
		}
	}
	k = history.NewKnown(m, git.SHA1, []git.ID{{9}}, history.Derived{})
	if missing, err := k.Missing(context.Background(), []git.ID{c}, nil); !errors.Is(err, git.ErrNotFound) {
		t.Errorf("a tip that is lost: %v, %v", missing, err)
	}
}

func BenchmarkKnown(b *testing.B) {
	m, old, tip := directories()
	leansOn := append(m.links(m.tree(m.files[old]), nil), old)
	covered := m.stack(b, seeded(1), len(m.commits)-1)
	tips := append(pick(seeded(1), m.commits[:40], 1000), old)
	for _, bb := range []struct {
		name      string
		ids, near []git.ID
	}{
		{"push", leansOn, []git.ID{old}},
		{"old-blob", []git.ID{m.blob("version 3")}, nil},
		{"unknown", []git.ID{tip}, nil},
	} {
		b.Run(bb.name, func(b *testing.B) {
			for b.Loop() {
				if _, err := history.NewKnown(m, git.SHA1, tips, covered).Missing(context.Background(), bb.ids, bb.near); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

// TestKnownFirst asks about what the first tips reach: the others, of which there may be a
// million, are not listed.
func TestKnownFirst(t *testing.T) {
	m, old, tip := directories()
	k := history.NewKnownTips(m, git.SHA1, history.Tips{
		First: []git.ID{tip},
		All:   func() []git.ID { t.Error("all tips were listed"); return nil },
		Is:    func(id git.ID) bool { return id == tip },
	}, history.Derived{})
	if missing, err := k.Missing(t.Context(), []git.ID{old}, nil); err != nil || len(missing) > 0 {
		t.Errorf("missing %v, %v", missing, err)
	}
}
