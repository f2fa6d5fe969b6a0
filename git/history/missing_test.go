package history_test

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/ingot-forge/ingot/git"
	"github.com/ingot-forge/ingot/git/history"
)

// missing runs Missing and checks what holds of any answer.
func missing(t *testing.T, m *model, r history.Request) set {
	t.Helper()
	known := func(ids []git.ID) (in []git.ID) {
		for _, id := range ids {
			if _, ok := m.Memory[id]; ok {
				in = append(in, id)
			}
		}
		return in
	}
	sent, bases, err := history.Missing(context.Background(), m, r, nil)
	if err != nil {
		t.Fatal(err)
	}
	got := set{}
	rank, last := map[git.Kind]int{git.KindCommit: 0, git.KindTag: 1, git.KindTree: 2, git.KindBlob: 2}, 0
	for _, o := range sent {
		if got[o.ID] {
			t.Errorf("%s is sent twice", o.ID)
		}
		got[o.ID] = true
		if kind := m.Memory[o.ID].Kind; kind != o.Kind {
			t.Errorf("%s is a %s, sent as a %s", o.ID, kind, o.Kind)
		}
		if rank[o.Kind] < last {
			t.Errorf("%s %s comes too late", o.Kind, o.ID)
		}
		last = rank[o.Kind]
	}
	cut := setOf(slices.Concat(r.Shallow, r.Boundary, r.Unshallow)...)
	has := m.closure(set{}, cut, known(r.Haves)...)
	m.closure(has, cut, r.Unshallow...)
	for _, o := range bases {
		if !has[o.ID] {
			t.Errorf("base %s is nothing that the client has", o.ID)
		}
		if kind := m.Memory[o.ID].Kind; kind != o.Kind {
			t.Errorf("base %s is a %s, listed as a %s", o.ID, kind, o.Kind)
		}
	}
	if r.Filter == nil {
		wants := slices.Clone(r.Wants)
		for _, id := range r.Unshallow {
			wants = append(wants, m.links(id, nil)...)
		}
		for id := range got {
			has[id] = true
		}
		for id := range m.closure(set{}, cut, wants...) {
			if !has[id] {
				t.Errorf("%s %s is missing on the client", m.Memory[id].Kind, id)
			}
		}
	}
	return got
}

// The client always ends up complete, whatever the graph, the dates, the cuts.
func TestMissingCompletes(t *testing.T) {
	seeds := 1500
	if testing.Short() {
		seeds = 150
	}
	for seed := range seeds {
		r := seeded(seed)
		m := randomModel(r, 2+r.IntN(60), seed%3 != 0)
		req := history.Request{
			Wants: pick(r, m.commits, 1+r.IntN(4)), Haves: pick(r, m.commits, r.IntN(5)), Thin: seed%2 == 0}
		if seed%4 == 1 {
			all := slices.SortedFunc(maps.Keys(m.Memory), func(a, b git.ID) int { return slices.Compare(a[:], b[:]) })
			req.Wants = append(req.Wants, pick(r, all, 2)...)
			req.Haves = append(req.Haves, pick(r, all, r.IntN(2))...)
			req.Wants = append(req.Wants, m.tag(m.tag(req.Wants[0], "inner"), "outer"))
		}
		if seed%5 == 0 {
			req.Derived = m.randomStack(t, r)
		}
		if seed%4 == 2 {
			req.Shallow = pick(r, m.commits, r.IntN(4))
			req.Boundary = pick(r, m.commits, r.IntN(4))
			for _, id := range req.Shallow {
				if r.IntN(2) == 0 {
					req.Unshallow = append(req.Unshallow, id)
				}
			}
		}
		missing(t, m, req)
		if t.Failed() {
			t.Fatalf("seed %d", seed)
		}
	}
}

// Stock git is the measure of what is sent: no more than it sends, but for
// what moved between directories in ways that it finds by opening every tree.
func TestMissingAgainstGit(t *testing.T) {
	seeds := 60
	if testing.Short() {
		seeds = 8
	}
	var ours, stock, extra int
	for seed := range seeds {
		r := seeded(1000 + seed)
		m := randomModel(r, 20+r.IntN(60), seed%2 == 0)
		repo := m.export(t, nil)
		var d history.Derived
		if seed%3 == 0 {
			d = m.randomStack(t, r)
		}
		for range 6 {
			wants, haves := pick(r, m.commits[len(m.commits)/2:], 1+r.IntN(3)), pick(r, m.commits, r.IntN(4))
			got := missing(t, m, history.Request{Wants: wants, Haves: haves, Derived: d})
			want := repo.revList(wants, haves)
			ours, stock = ours+m.bytes(got), stock+m.bytes(want)
			for id := range got {
				if want[id] {
					continue
				}
				extra++
				if m.Memory[id].Kind == git.KindCommit {
					t.Errorf("seed %d: commit %s is sent, but not by git", seed, id)
				}
			}
			if len(haves) == 0 && len(got) != len(want) {
				t.Errorf("seed %d: a clone sends %d objects, git %d", seed, len(got), len(want))
			}
		}
	}
	t.Logf("%d bytes, git %d; %d objects that git does not send", ours, stock, extra)
	if float64(ours) > 1.02*float64(stock) {
		t.Errorf("sent %d bytes, git %d", ours, stock)
	}
}

// A commit that was painted too late, because its descendants lie, is found all
// the same.
func TestMissingClockSkew(t *testing.T) {
	m := newModel()
	base := m.commit(100, map[string]string{"f": "0"})
	shared := m.commit(1000, map[string]string{"f": "1"}, base)
	// What the client has goes on from shared with dates of long ago.
	have := shared
	for i := range 12 { // stock git gives up after 5
		have = m.commit(10, map[string]string{"f": fmt.Sprint("have", i)}, have)
	}
	other := m.commit(200, map[string]string{"f": "other"}, base)
	want := m.commit(2000, map[string]string{"f": "2"}, shared)
	got := missing(t, m, history.Request{Wants: []git.ID{want}, Haves: []git.ID{have, other}})
	if exact := setOf(want, m.tree(map[string]string{"f": "2"}), m.blob("2")); !maps.Equal(got, exact) {
		t.Errorf("sent %d objects, want %d", len(got), len(exact))
	}
}

// A fetch of one commit reads what changed, not what is there.
func TestMissingReadsLittle(t *testing.T) {
	m := newModel()
	files := map[string]string{}
	for i := range 5000 {
		files[fmt.Sprintf("d%d/e%d/f%d", i%40, i%200, i)] = fmt.Sprint(i)
	}
	old := m.commit(1, files)
	files = maps.Clone(files)
	files["d1/e1/f1"] = "new"
	tip := m.commit(2, files, old)
	c := &counting{Objects: m}
	sent, bases, err := history.Missing(context.Background(), c,
		history.Request{Wants: []git.ID{tip}, Haves: []git.ID{old}, Thin: true}, nil)
	if err != nil {
		t.Fatal(err)
	}
	if len(sent) != 5 { // commit, three trees, blob
		t.Errorf("%d objects sent, want 5", len(sent))
	}
	// Twice each commit, to learn its kind and its links; three new trees and
	// the old ones beside them; at most as many looked at for what moved.
	if c.reads > 2*2+3+3+4 {
		t.Errorf("%d objects read", c.reads)
	}
	for _, want := range []history.Object{
		{ID: m.tree(m.files[old]), Kind: git.KindTree},
		{ID: m.blob("1"), Kind: git.KindBlob, NameHash: git.NameHash(0, "d1/e1/f1")},
	} {
		if !slices.Contains(bases, want) {
			t.Errorf("%v is not among the %d bases", want, len(bases))
		}
	}
}

// Reverts, moves and copies within what the client has are not sent again.
func TestMissingMoves(t *testing.T) {
	m := newModel()
	old := m.commit(1, map[string]string{"a/1": "one", "a/2": "two", "b/3": "three", "c/4": "four"})
	tip := m.commit(2, map[string]string{"z/1": "one", "z/2": "two", "b/3": "three", "b/5": "one"}, old)
	back := m.commit(3, m.files[old], tip)
	got := missing(t, m, history.Request{Wants: []git.ID{back}, Haves: []git.ID{old}})
	root := m.tree(m.files[tip])
	b := m.tree(map[string]string{"3": "three", "5": "one"})
	if exact := setOf(back, tip, root, b); !maps.Equal(got, exact) {
		t.Errorf("sent %d objects, want %d", len(got), len(exact))
	}
}

// What was met before the directory that it comes from was opened is taken out
// again, with all that hangs from it.
func TestMissingMovesAhead(t *testing.T) {
	m := newModel()
	files := map[string]string{"z/sub/deep/1": "one", "z/2": "two", "z/3": "three"}
	for i := range 20 { // more than are looked at for what moved
		files[fmt.Sprintf("z/gone%d/x", i)] = fmt.Sprint("x", i)
	}
	old := m.commit(1, files)
	tip := m.commit(2, map[string]string{"a/sub/deep/1": "one", "a/4": "four", "z/2": "two"}, old)
	got := missing(t, m, history.Request{Wants: []git.ID{tip}, Haves: []git.ID{old}})
	exact := setOf(tip, m.tree(m.files[tip]), m.tree(map[string]string{"sub/deep/1": "one", "4": "four"}),
		m.tree(map[string]string{"2": "two"}), m.blob("four"))
	if !maps.Equal(got, exact) {
		t.Errorf("sent %d objects, want %d", len(got), len(exact))
	}
}

// What a merge takes from either side is not sent.
func TestMissingMerge(t *testing.T) {
	m := newModel()
	base := m.commit(1, map[string]string{"a/1": "1", "a/2": "2"})
	left := m.commit(2, map[string]string{"a/1": "left", "a/2": "2"}, base)
	right := m.commit(3, map[string]string{"a/1": "1", "a/2": "right"}, base)
	tip := m.commit(4, map[string]string{"a/1": "left", "a/2": "right"}, left, right)
	for _, haves := range [][]git.ID{{left, right}, {right, left}} {
		got := missing(t, m, history.Request{Wants: []git.ID{tip}, Haves: haves})
		a := m.tree(map[string]string{"1": "left", "2": "right"})
		if exact := setOf(tip, m.tree(m.files[tip]), a); !maps.Equal(got, exact) {
			t.Errorf("sent %d objects, want %d", len(got), len(exact))
		}
	}
}

// Who wants an object by name lacks it, though it hangs from what it has.
func TestMissingByNameAtTheEdge(t *testing.T) {
	m := newModel()
	old := m.commit(1, map[string]string{"a/1": "one", "2": "two"})
	tip := m.commit(2, map[string]string{"a/1": "one", "2": "changed"}, old)
	one := m.blob("one")
	got := missing(t, m, history.Request{Wants: []git.ID{tip, one, m.tree(m.files[old])}, Haves: []git.ID{old}})
	exact := setOf(tip, m.tree(m.files[tip]), m.blob("changed"), one, m.tree(m.files[old]))
	for id := range exact {
		if !got[id] {
			t.Errorf("%s %s is not sent", m.Memory[id].Kind, id)
		}
	}
}

func TestMissingByName(t *testing.T) {
	m := newModel()
	files := map[string]string{"a/1": "one", "2": "two"}
	c := m.commit(1, files)
	root, a, one, two := m.tree(files), m.tree(map[string]string{"1": "one"}), m.blob("one"), m.blob("two")
	tag := m.tag(c, "v1")
	outer := m.tag(tag, "v1-signed")
	blobTag := m.tag(two, "key")
	ids := func(ids ...git.ID) []git.ID { return ids }
	for _, tt := range []struct {
		name         string
		wants, haves []git.ID
		send         set
	}{
		{"commit", ids(c), nil, setOf(c, root, a, one, two)},
		{"the same as had", ids(c), ids(c), set{}},
		{"tag of tag", ids(outer), nil, setOf(outer, tag, c, root, a, one, two)},
		{"tag of what is had", ids(outer), ids(c), setOf(outer, tag)},
		{"tag that is had", ids(outer), ids(tag), setOf(outer)},
		{"had by a tag", ids(c), ids(outer), set{}},
		{"tree", ids(a), nil, setOf(a, one)},
		{"tree of a commit that is had", ids(a), ids(c), setOf(a, one)},
		{"tree that is had", ids(root), ids(root), set{}},
		{"tree beside a tree", ids(root), ids(a), setOf(root, two)},
		{"commit with its tree had", ids(c), ids(root), setOf(c)},
		{"blob", ids(one), nil, setOf(one)},
		{"blob that is had", ids(root), ids(one), setOf(root, a, two)},
		{"tag of blob", ids(blobTag), nil, setOf(blobTag, two)},
		{"everything twice", ids(c, c, root, one, tag, tag, two), nil, setOf(c, root, a, one, two, tag)},
		{"had but unknown", ids(c), ids(git.ID{9}), setOf(c, root, a, one, two)},
	} {
		t.Run(tt.name, func(t *testing.T) {
			got := missing(t, m, history.Request{Wants: tt.wants, Haves: tt.haves, Thin: true})
			if !maps.Equal(got, tt.send) {
				t.Errorf("sent %v\nwant %v", got, tt.send)
			}
		})
	}
}

func TestMissingErrors(t *testing.T) {
	m := newModel()
	c := m.commit(1, map[string]string{"f": "1"})
	blob := m.blob("1")
	lost := git.ID{7}
	for _, tt := range []struct {
		name string
		want git.ID
		err  error
	}{
		{"unknown want", lost, git.ErrNotFound},
		{"parent that is no commit", m.commitTree(2, m.tree(nil), blob), git.ErrCorrupt},
		{"parent that is lost", m.commitTree(2, m.tree(nil), lost), git.ErrNotFound},
		{"tree that is no tree", m.commitTree(2, blob), git.ErrCorrupt},
		{"entry that is no tree", m.add(git.KindTree, git.AppendTree(git.SHA1, nil,
			[]git.Entry{{Mode: git.ModeTree, Name: "d", ID: blob}})), git.ErrCorrupt},
		{"entry that is a tree and a blob", m.add(git.KindTree, git.AppendTree(git.SHA1, nil, []git.Entry{
			{Mode: git.ModeBlob, Name: "d", ID: m.tree(nil)}, {Mode: git.ModeTree, Name: "e", ID: m.tree(nil)}})),
			git.ErrCorrupt},
		{"tree that is none", m.add(git.KindTree, []byte("100644 f")), git.ErrCorrupt},
		{"commit that is none", m.add(git.KindCommit, []byte("parent")), git.ErrCorrupt},
		{"tag that lies about the kind", m.add(git.KindTag, git.AppendTag(git.SHA1, nil,
			&git.Tag{Target: blob, TargetKind: git.KindTree, Name: "t"})), git.ErrCorrupt},
	} {
		t.Run(tt.name, func(t *testing.T) {
			_, _, err := history.Missing(context.Background(), m, history.Request{Wants: []git.ID{tt.want}}, nil)
			if !errors.Is(err, tt.err) {
				t.Errorf("error %v, want %v", err, tt.err)
			}
		})
	}
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if _, _, err := history.Missing(ctx, m, history.Request{Wants: []git.ID{c}}, nil); !errors.Is(err, context.Canceled) {
		t.Errorf("error %v after the context ended", err)
	}
}

// Trees nested a hundred thousand deep, and history as long, are walked.
func TestMissingDeep(t *testing.T) {
	m := newModel()
	tree := m.tree(map[string]string{"leaf": "1"})
	const depth = 100_000
	for range depth {
		tree = m.add(git.KindTree, git.AppendTree(git.SHA1, nil, []git.Entry{{Mode: git.ModeTree, Name: "d", ID: tree}}))
	}
	var tip git.ID
	for i := range depth {
		if i == 0 {
			tip = m.commitTree(0, tree)
		} else {
			tip = m.commitTree(0, tree, tip)
		}
	}
	for _, spec := range []string{"", "tree:200000", "object:type=blob"} {
		req := history.Request{Wants: []git.ID{tip}}
		want := depth + depth + 2
		if spec != "" {
			var err error
			if req.Filter, err = history.ParseFilter(spec, nil); err != nil {
				t.Fatal(err)
			}
		}
		if spec == "object:type=blob" {
			want = 2
		}
		sent, _, err := history.Missing(context.Background(), m, req, nil)
		if err != nil {
			t.Fatal(err)
		}
		if len(sent) != want {
			t.Errorf("%q: %d objects sent, want %d", spec, len(sent), want)
		}
	}
	// What is had is painted all the way down.
	if got := missing(t, m, history.Request{Wants: []git.ID{m.commits[10]}, Haves: []git.ID{tip}}); len(got) != 0 {
		t.Errorf("%d objects sent that are had", len(got))
	}
}

func TestNameHash(t *testing.T) {
	m := newModel()
	c := m.commit(1, map[string]string{"dir name/sub/Make file.c": "1"})
	sent, _, err := history.Missing(context.Background(), m, history.Request{Wants: []git.ID{c}}, nil)
	if err != nil {
		t.Fatal(err)
	}
	var got []uint32
	for _, o := range sent[1:] {
		got = append(got, o.NameHash)
	}
	want := []uint32{0, git.NameHash(0, "dir name"), git.NameHash(0, "dir name/sub"),
		git.NameHash(0, "dir name/sub/Make file.c")}
	if !slices.Equal(got, want) {
		t.Errorf("hashes %x, want %x", got, want)
	}
}

func TestMissingReports(t *testing.T) {
	m := randomModel(rand.New(rand.NewPCG(1, 1)), 300, false)
	last := 0
	sent, _, err := history.Missing(context.Background(), m, history.Request{Wants: m.commits}, func(found int) {
		if found < last {
			t.Errorf("found %d after %d", found, last)
		}
		last = found
	})
	if err != nil || last != len(sent) {
		t.Errorf("reported %d at last, sent %d, error %v", last, len(sent), err)
	}
}
