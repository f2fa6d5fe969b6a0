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

// selected runs Select, checks what holds of any answer, and returns what is sent.
func selected(t *testing.T, m *model, r history.Request) (sent set, s *history.Selection) {
	t.Helper()
	s, err := history.Select(context.Background(), m, r, nil)
	if err != nil {
		t.Fatal(err)
	}
	sent = set{}
	put := func(id git.ID) {
		if sent[id] {
			t.Errorf("%s is sent twice", id)
		}
		sent[id] = true
	}
	has := m.closure(set{}, setOf(slices.Concat(r.Shallow, r.Boundary, r.Unshallow)...), m.in(r.Haves)...)
	if s.Send != nil {
		for at := range r.Bitmaps.Len() {
			if s.Send.Has(at) {
				put(r.Bitmaps.ID(at))
			}
		}
		for id := range has {
			if at, ok := r.Bitmaps.Find(id); ok && r.Filter == nil && (s.Has == nil || !s.Has.Has(at)) && !sent[id] {
				t.Errorf("that the client has %s is not known", id)
			}
		}
	}
	rank, last := map[git.Kind]int{git.KindCommit: 0, git.KindTag: 1, git.KindTree: 2, git.KindBlob: 2}, 0
	for _, o := range s.Objects {
		put(o.ID)
		if kind := m.Memory[o.ID].Kind; kind != o.Kind {
			t.Errorf("%s is a %s, sent as a %s", o.ID, kind, o.Kind)
		}
		if rank[o.Kind] < last {
			t.Errorf("%s %s comes too late", o.Kind, o.ID)
		}
		last = rank[o.Kind]
	}
	if s.Count != len(sent) {
		t.Errorf("counts %d objects, sends %d", s.Count, len(sent))
	}
	if !r.Thin && len(s.Bases) > 0 {
		t.Errorf("%d bases that nobody asked for", len(s.Bases))
	}
	sure := has // what deltas may start from
	if r.Filter != nil && len(m.in(r.Haves)) > 0 {
		sure = set{}
		clone, _, err := history.Missing(context.Background(), m, history.Request{Wants: m.in(r.Haves), Filter: r.Filter}, nil)
		if err != nil {
			t.Fatal(err)
		}
		for _, o := range clone {
			sure[o.ID] = true
		}
	}
	if s.Has != nil {
		for at := range r.Bitmaps.Len() {
			if s.Has.Has(at) && !sure[r.Bitmaps.ID(at)] {
				t.Errorf("the client need not have %s", r.Bitmaps.ID(at))
			}
		}
	}
	bases := set{}
	for _, o := range s.Bases {
		if !sure[o.ID] || m.Memory[o.ID].Kind != o.Kind {
			t.Errorf("base %s %s is nothing that the client has", o.Kind, o.ID)
		}
		bases[o.ID] = true
	}
	for id := range m.Memory {
		if s.IsBase(id) != bases[id] {
			t.Errorf("that %s is a base: %v, want %v", id, s.IsBase(id), bases[id])
		}
	}
	return sent, s
}

// checkBases checks that the old versions of all that changed are bases.
func checkBases(t *testing.T, m *model, s *history.Selection, old, new git.ID) {
	t.Helper()
	bases := set{}
	for _, o := range s.Bases {
		bases[o.ID] = true
	}
	isFile := func(content string) bool { return content != "" && content != "->submodule" }
	for path, content := range m.files[old] {
		if now := m.files[new][path]; now != content && isFile(now) && isFile(content) && !bases[m.blob(content)] {
			t.Errorf("the old version of %s is not among the bases", path)
		}
	}
}

// in returns those of ids that are in the model.
func (m *model) in(ids []git.ID) (in []git.ID) {
	for _, id := range ids {
		if _, ok := m.Memory[id]; ok {
			in = append(in, id)
		}
	}
	return in
}

// By sets exactly what the client lacks is sent; by a walk what Missing sends.
func TestSelect(t *testing.T) {
	seeds := 200
	if testing.Short() {
		seeds = 60
	}
	bySets, byWalk := 0, 0
	for seed := range seeds {
		r := seeded(seed)
		m := randomModel(r, 60+r.IntN(140), seed%3 == 0)
		n := len(m.commits)
		req := history.Request{Wants: pick(r, m.commits[n/2:], 1+r.IntN(4)), Thin: seed%2 == 0,
			Derived: m.randomStack(t, r)}
		if seed%4 > 0 {
			req.Haves = append(pick(r, m.commits[:1+r.IntN(n)], 1+r.IntN(3)), git.ID{7})
		}
		if seed%5 == 1 {
			all := sorted(m.closure(set{}, nil, m.commits...))
			req.Wants = append(req.Wants, pick(r, all, 2)...)
			req.Wants = append(req.Wants, m.tag(m.tag(req.Wants[0], "inner"), "outer"))
			if len(req.Haves) > 0 {
				req.Haves = append(append(req.Haves, pick(r, all, r.IntN(3))...), m.tag(req.Haves[0], "had"))
			}
		}
		if seed%7 == 1 {
			req.Graph = nil
		}
		sent, s := selected(t, m, req)
		has := m.closure(set{}, nil, m.in(req.Haves)...)
		if s.Send == nil {
			byWalk++
			if want := missing(t, m, req); !maps.Equal(sent, want) {
				t.Errorf("%d objects sent, Missing sends %d", len(sent), len(want))
			}
		} else {
			bySets++
			want := m.closure(set{}, nil, req.Wants...)
			for id := range has {
				delete(want, id)
			}
			for _, id := range req.Wants {
				if kind := m.Memory[id].Kind; (kind == git.KindTree || kind == git.KindBlob) && !slices.Contains(req.Haves, id) {
					want[id] = true // by name
				}
			}
			if !maps.Equal(sent, want) {
				t.Errorf("%d objects sent, want %d", len(sent), len(want))
			}
		}
		if s.Send != nil && req.Thin && len(m.in(req.Haves)) == 1 && !has[req.Wants[0]] {
			checkBases(t, m, s, req.Haves[0], req.Wants[0])
		}
		if t.Failed() {
			t.Fatalf("seed %d", seed)
		}
	}
	if bySets < seeds/4 || byWalk < seeds/10 {
		t.Errorf("%d answers by sets, %d by walks: the test is blind", bySets, byWalk)
	}
}

// What sets leave out by a filter is what stock git leaves out, and what Missing does.
func TestSelectFiltersAgainstGit(t *testing.T) {
	specs := []string{"", "blob:none", "blob:limit=0", "blob:limit=11", "blob:limit=1k", "tree:0", "tree:1", "tree:3",
		"object:type=commit", "object:type=tree", "object:type=blob", "object:type=tag", "combine:blob:limit=11+object:type=blob"}
	rounds := 6
	if testing.Short() {
		rounds = 1
	}
	for seed := range rounds {
		r := seeded(seed)
		m := randomModel(r, 150, false)
		tag := m.tag(m.commits[140], "t")
		repo := m.export(t, nil)
		d := m.randomStack(t, r)
		all := sorted(m.closure(set{}, nil, m.commits...))
		for _, spec := range specs {
			for _, haves := range [][]git.ID{nil, pick(r, m.commits[:20], 1)} {
				wants := append(pick(r, m.commits[100:], 2), tag)
				req := history.Request{Wants: wants, Haves: haves, Thin: true, Derived: d}
				var args []string
				if spec != "" {
					var err error
					if req.Filter, err = history.ParseFilter(spec, nil); err != nil {
						t.Fatal(err)
					}
					args = []string{"--filter=" + spec}
				}
				got, s := selected(t, m, req)
				want := repo.revList(wants, haves, args...)
				has := m.closure(set{}, nil, haves...)
				for id := range want {
					if !got[id] && !has[id] { // without bitmaps git sends some that the client has
						t.Errorf("seed %d, %q: %s %s is not sent", seed, spec, m.Memory[id].Kind, id)
					}
				}
				for id := range got {
					if s.Send != nil && !want[id] {
						t.Errorf("seed %d, %q: %s %s is sent, but not by git", seed, spec, m.Memory[id].Kind, id)
					}
				}
				if s.Send != nil && len(haves) == 0 && !maps.Equal(got, want) {
					t.Errorf("seed %d, %q: %d objects sent, git %d", seed, spec, len(got), len(want))
				}
				// By name, beside commits.
				req.Wants = append(wants, pick(r, all, 3)...)
				got, s = selected(t, m, req)
				if walked := missing(t, m, req); s.Send != nil && len(haves) == 0 && !maps.Equal(got, walked) {
					t.Errorf("seed %d, %q, by name: %d objects sent, Missing sends %d", seed, spec, len(got), len(walked))
				}
			}
		}
	}
}

// What sets cannot answer is walked.
func TestSelectWalks(t *testing.T) {
	r := seeded(1)
	m := randomModel(r, 120, false)
	d := m.stack(t, r, 120)
	tip := m.commits[119:]
	tree, blob := m.tree(m.files[tip[0]]), m.blob("x")
	depth, err := history.ParseFilter("tree:2", nil)
	if err != nil {
		t.Fatal(err)
	}
	for name, req := range map[string]history.Request{
		"no bitmaps":    {Wants: tip},
		"shallow":       {Wants: tip, Shallow: m.commits[:1], Derived: d},
		"boundary":      {Wants: tip, Boundary: tip, Derived: d},
		"depth":         {Wants: tip, Filter: depth, Derived: d},
		"blob and tree": {Wants: []git.ID{blob, tree}, Derived: d},
		"few commits":   {Wants: tip, Haves: m.links(tip[0], nil), Derived: d},
	} {
		got, s := selected(t, m, req)
		if want := missing(t, m, req); s.Send != nil || !maps.Equal(got, want) {
			t.Errorf("%s: %d objects sent, Missing sends %d", name, len(got), len(want))
		}
	}
}

// coveredProject is a long history with bitmaps, and a few commits above these.
func coveredProject(t testing.TB, commits, above int) (*model, history.Derived) {
	m := project(commits, 200)
	return m, m.stack(t, seeded(1), commits-above)
}

// A clone reads what lies above the bitmaps, and nothing else.
func TestSelectReadsLittle(t *testing.T) {
	m, d := coveredProject(t, 300, 3)
	c := &counting{Objects: m}
	d.Header = func(ctx context.Context, id git.ID) (git.Kind, int64, error) { return m.Memory[id].Kind, 0, nil }
	s, err := history.Select(context.Background(), c, history.Request{Wants: m.commits[299:], Derived: d}, nil)
	if err != nil {
		t.Fatal(err)
	}
	want := len(m.closure(set{}, nil, m.commits[299]))
	if s.Count != want || len(s.Objects) != 3*4 { // commit, root, directory, file
		t.Errorf("%d objects sent, %d of them listed, want %d", s.Count, len(s.Objects), want)
	}
	if c.reads > 3*3+200 { // and what lies between the tip of the stack and its bitmap
		t.Errorf("%d objects read", c.reads)
	}
}

// A large fetch offers the old versions of what it sends.
func TestSelectBases(t *testing.T) {
	m, d := coveredProject(t, 300, 3)
	s, err := history.Select(context.Background(), m, history.Request{Wants: m.commits[299:], Haves: m.commits[50:51],
		Thin: true, Derived: d}, nil)
	if err != nil {
		t.Fatal(err)
	}
	if s.Send == nil {
		t.Fatal("249 commits are walked")
	}
	want := set{}
	old, new := m.files[m.commits[50]], m.files[m.commits[299]]
	bases := map[history.Object]bool{}
	for _, o := range s.Bases {
		if bases[o] {
			t.Errorf("base %v twice", o)
		}
		bases[o] = true
	}
	for path, content := range old {
		if new[path] == content {
			continue
		}
		want[m.blob(content)] = true
		if o := (history.Object{ID: m.blob(content), Kind: git.KindBlob, NameHash: git.NameHash(0, path)}); !bases[o] {
			t.Errorf("the old version of %s is not among the bases", path)
		}
	}
	if root := (history.Object{ID: m.tree(old), Kind: git.KindTree}); !bases[root] {
		t.Error("the old root tree is not among the bases")
	}
	for o := range bases {
		if o.Kind == git.KindBlob && !want[o.ID] {
			t.Errorf("base %s did not change", o.ID)
		}
	}
}

// A directory stands in a tree as if its name ended in a slash.
func TestSelectBasesBesideDirectories(t *testing.T) {
	m := newModel()
	var parents []git.ID
	for i := range 60 {
		files := map[string]string{"d/x": "x", "d0": "0"}
		if i%2 == 1 {
			files["d.c"] = "new" // stands before the others, but only on one side
		}
		for path := range files {
			files[path] += fmt.Sprint(i)
		}
		parents = []git.ID{m.commit(int64(i), files, parents...)}
	}
	s, err := history.Select(context.Background(), m, history.Request{Wants: m.commits[59:], Haves: m.commits[:1],
		Thin: true, Derived: m.stack(t, seeded(1), 60)}, nil)
	if err != nil || s.Send == nil {
		t.Fatal(err, "or a walk")
	}
	checkBases(t, m, s, m.commits[0], m.commits[59])
}

func TestSelectErrors(t *testing.T) {
	r := seeded(3)
	m := randomModel(r, 80, false)
	d := m.stack(t, r, 80)
	ctx := context.Background()
	if _, err := history.Select(ctx, m, history.Request{Wants: []git.ID{{9}}, Derived: d}, nil); !errors.Is(err, git.ErrNotFound) {
		t.Errorf("unknown want: error %v", err)
	}
	// A tree names a blob of the stack as a tree, and a tree of it as a blob.
	tree := m.tree(m.files[m.commits[79]])
	var blob git.ID
	for _, id := range sorted(m.closure(set{}, nil, tree)) {
		if m.Memory[id].Kind == git.KindBlob {
			blob = id
		}
	}
	for name, e := range map[string]git.Entry{
		"blob as tree": {Mode: git.ModeTree, Name: "d", ID: blob},
		"tree as blob": {Mode: git.ModeBlob, Name: "f", ID: tree},
	} {
		bad := m.commitTree(1, m.add(git.KindTree, git.AppendTree(git.SHA1, nil, []git.Entry{e})))
		if _, ok := d.Bitmaps.Find(e.ID); !ok {
			t.Fatalf("%s: %s is not in the stack", name, e.ID)
		}
		if _, err := history.Select(ctx, m, history.Request{Wants: []git.ID{bad}, Derived: d}, nil); !errors.Is(err, git.ErrCorrupt) {
			t.Errorf("%s: error %v", name, err)
		}
	}
	cancelled, cancel := context.WithCancel(ctx)
	cancel()
	if _, err := history.Select(cancelled, m, history.Request{Wants: m.commits, Derived: d}, nil); !errors.Is(err, context.Canceled) {
		t.Errorf("error %v after the context ended", err)
	}
}

func BenchmarkSelect(b *testing.B) {
	m, d := coveredProject(b, 1000, 10)
	for _, bb := range []struct {
		name  string
		haves []git.ID
	}{{"clone", nil}, {"fetch-100", m.commits[899:900]}, {"fetch-1", m.commits[998:999]}} {
		b.Run(bb.name, func(b *testing.B) {
			for b.Loop() {
				r := history.Request{Wants: m.commits[999:], Haves: bb.haves, Thin: true, Derived: d}
				if _, err := history.Select(context.Background(), m, r, nil); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
