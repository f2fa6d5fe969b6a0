package history_test

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"strings"
	"testing"

	"github.com/ingot-forge/ingot/git"
	"github.com/ingot-forge/ingot/git/history"
)

func TestParseFilter(t *testing.T) {
	oid := git.ID{0xab}
	resolve := func(name string) (git.ID, error) {
		if name != "main:sparse" && name != oid.String() {
			return git.ID{}, git.ErrNotFound
		}
		return oid, nil
	}
	for _, tt := range []struct{ spec, want string }{
		{"blob:none", "blob:none"},
		{"blob:limit=0", "blob:limit=0"},
		{"blob:limit=100", "blob:limit=100"},
		{"blob:limit=1k", "blob:limit=1024"},
		{"blob:limit=2M", "blob:limit=2097152"},
		{"blob:limit=1g", "blob:limit=1073741824"},
		{"blob:limit=0x10", "blob:limit=16"},
		{"blob:limit=010", "blob:limit=8"},
		{"blob:limit=18446744073709551615", "blob:limit=18446744073709551615"},
		{"blob:limit=18446744073709551616", ""},
		{"blob:limit=18014398509481984k", ""},
		{"blob:limit=", ""},
		{"blob:limit=k", ""},
		{"blob:limit=-1", ""},
		{"blob:limit=1_0", ""},
		{"tree:0", "tree:0"},
		{"tree:1k", "tree:1024"},
		{"tree:", ""},
		{"tree:x", ""},
		{"object:type=commit", "object:type=commit"},
		{"object:type=blob", "object:type=blob"},
		{"object:type=", ""},
		{"object:type=thing", ""},
		{"sparse:oid=main:sparse", "sparse:oid=" + oid.String()},
		{"sparse:oid=other", ""},
		{"sparse:path=x", ""},
		{"", ""},
		{"auto", ""},
		{"blob:nonesuch", ""},
		{"combine:blob:none", "blob:none"},
		{"combine:blob:none+tree:1", "combine:blob:none+tree:1"},
		{"combine:+blob:none++tree:1+", "combine:blob:none+tree:1"},
		{"combine:combine:blob:none%2btree:1+object:type%3Dtree", "combine:blob:none+tree:1+object:type=tree"},
		{"combine:sparse:oid=main%3asparse", "sparse:oid=" + oid.String()},
		{"combine:", ""},
		{"combine:+", ""},
		{"combine:blob:none+", "blob:none"},
		{"combine:tree:1 ", ""},
		{"combine:tree:1+~", ""},
		{"combine:tree:1%", ""},
		{"combine:%00", ""},
		{"combine:" + strings.Repeat("tree:1+", 16), "combine:" + strings.Repeat("tree:1+", 15) + "tree:1"},
		{"combine:" + strings.Repeat("tree:1+", 17), ""},
		{strings.Repeat("combine:", 17) + "tree:1", ""},
		{strings.Repeat("combine:", 16) + "tree:1", "tree:1"},
	} {
		f, err := history.ParseFilter(tt.spec, resolve)
		if tt.want == "" {
			if err == nil {
				t.Errorf("ParseFilter(%q) = %q, want an error", tt.spec, f)
			}
			continue
		}
		if err != nil || f.String() != tt.want {
			t.Errorf("ParseFilter(%q) = %v, %v, want %q", tt.spec, f, err, tt.want)
		}
	}
	if _, err := history.ParseFilter("sparse:oid=other", resolve); !errors.Is(err, git.ErrNotFound) {
		t.Errorf("error %v does not match resolve's", err)
	}
	if _, err := history.ParseFilter("sparse:oid="+oid.String(), nil); err == nil {
		t.Error("sparse:oid without resolve is accepted")
	}
}

// Whatever is accepted has a normal form that means the same.
func FuzzParseFilter(f *testing.F) {
	for _, spec := range []string{"blob:none", "blob:limit=1k", "tree:010", "object:type=tag", "sparse:oid=a b+c%",
		"combine:blob:none+tree:1", "combine:combine:a%2btree:%31", "combine:sparse:oid=%2520"} {
		f.Add(spec)
	}
	resolve := func(name string) (git.ID, error) { return git.ID{byte(len(name)), 1}, nil }
	again := func(name string) (git.ID, error) { return git.SHA1.Parse(name) }
	f.Fuzz(func(t *testing.T, spec string) {
		filter, err := history.ParseFilter(spec, resolve)
		if err != nil {
			return
		}
		normal := filter.String()
		back, err := history.ParseFilter(normal, again)
		if err != nil || back.String() != normal {
			t.Errorf("%q is normally %q, which is %v, %v", spec, normal, back, err)
		}
	})
}

// filtered lists what a clone of want gets.
func filtered(t *testing.T, m *model, spec string, wants, haves []git.ID) set {
	t.Helper()
	f, err := history.ParseFilter(spec, git.SHA1.Parse)
	if err != nil {
		t.Fatal(err)
	}
	return missing(t, m, history.Request{Wants: wants, Haves: haves, Filter: f})
}

func TestFiltersAgainstGit(t *testing.T) {
	specs := []string{"blob:none", "blob:limit=0", "blob:limit=11", "blob:limit=1k", "tree:0", "tree:1", "tree:2",
		"tree:3", "tree:100", "object:type=commit", "object:type=tree", "object:type=blob", "object:type=tag"}
	rounds := 6
	if testing.Short() {
		rounds = 1
	}
	for seed := range rounds {
		r := seeded(seed)
		m := randomModel(r, 40, false)
		repo := m.export(t, nil)
		for _, spec := range specs {
			wants, haves := pick(r, m.commits, 1), pick(r, m.commits, r.IntN(2))
			got, want := filtered(t, m, spec, wants, haves), repo.revList(wants, haves, "--filter="+spec)
			if len(haves) == 0 && !maps.Equal(got, want) {
				t.Errorf("seed %d, %s: %d objects sent, git %d", seed, spec, len(got), len(want))
			}
			for id := range want {
				if !got[id] {
					t.Errorf("seed %d, %s: %s %s is not sent", seed, spec, m.Memory[id].Kind, id)
				}
			}
			if float64(m.bytes(got)) > 1.1*float64(m.bytes(want)) {
				t.Errorf("seed %d, %s: %d bytes sent, git %d", seed, spec, m.bytes(got), m.bytes(want))
			}
		}
	}
}

// What is wanted by name is sent, whatever the filter, and a named tree does
// not count as a level.
func TestFilterByName(t *testing.T) {
	m := newModel()
	c := m.commit(1, map[string]string{"a/b/c": "1", "d": "2"})
	b, one := m.tree(map[string]string{"c": "1"}), m.blob("1")
	a := m.tree(map[string]string{"b/c": "1"})
	tagged := m.tag(one, "blob")
	repo := m.export(t, nil)
	for _, tt := range []struct {
		spec  string
		wants []git.ID
		send  set
	}{
		{"blob:none", []git.ID{one}, setOf(one)},
		{"blob:none", []git.ID{tagged}, setOf(tagged, one)},
		{"blob:none", []git.ID{b}, setOf(b)},
		{"tree:0", []git.ID{a}, setOf(a)},
		{"tree:1", []git.ID{a}, setOf(a, b)},
		{"tree:2", []git.ID{a}, setOf(a, b, one)},
		{"tree:0", []git.ID{c}, setOf(c)},
		{"object:type=tag", []git.ID{c, one}, setOf(c, one)},
		{"blob:limit=1", []git.ID{c}, setOf(c, m.tree(m.files[c]), a, b)},
	} {
		got := filtered(t, m, tt.spec, tt.wants, nil)
		if !maps.Equal(got, tt.send) {
			t.Errorf("%s: sent %v, want %v", tt.spec, got, tt.send)
		}
		if stock := repo.revList(tt.wants, nil, "--filter="+tt.spec); !maps.Equal(got, stock) {
			t.Errorf("%s: sent %v, git %v", tt.spec, got, stock)
		}
	}
}

// A combination lets through what all parts let through in the same place,
// found here by going through all places.
func TestFilterCombined(t *testing.T) {
	for seed := range 40 {
		r := seeded(seed)
		m := randomModel(r, 20, false)
		sparse := m.blob("/a/\n!q\n")
		depth, limit := 1+r.IntN(4), 9+r.IntN(4)
		spec := fmt.Sprintf("combine:tree:%d+blob:limit=%d+sparse:oid=%s", depth, limit, git.SHA1.Hex(sparse))
		want := set{}
		for c := range m.closure(set{}, nil, m.commits[19]) {
			if m.Memory[c].Kind != git.KindCommit {
				continue
			}
			want[c] = true
			for path, content := range m.files[c] {
				dirs := strings.Split(path, "/")
				for i := range dirs {
					if i < depth {
						under := map[string]string{}
						prefix := strings.Join(dirs[:i], "/") + "/"
						for p, content := range m.files[c] {
							if rest, ok := strings.CutPrefix("/"+p, "/"+strings.TrimPrefix(prefix, "/")); ok {
								under[rest] = content
							}
						}
						want[m.tree(under)] = true
					}
				}
				in := strings.HasPrefix(path, "a/") && dirs[len(dirs)-1] != "q"
				if in && !strings.HasPrefix(content, "->") && len(dirs) < depth && len(content) < limit {
					want[m.blob(content)] = true
				}
			}
			if len(m.files[c]) == 0 {
				want[m.tree(nil)] = true
			}
		}
		if got := filtered(t, m, spec, m.commits[19:], nil); !maps.Equal(got, want) {
			t.Errorf("seed %d, %s: %d objects sent, want %d", seed, spec, len(got), len(want))
		}
	}
}

// The sizes come from Header where there is one; blobs are not read.
func TestFilterUsesHeader(t *testing.T) {
	m := newModel()
	c := m.commit(1, map[string]string{"small": "1", "large": strings.Repeat("x", 1000)})
	objects := noBlobs{m}
	f, err := history.ParseFilter("blob:limit=1000", nil)
	if err != nil {
		t.Fatal(err)
	}
	sent, _, err := history.Missing(context.Background(), objects, history.Request{Wants: []git.ID{c}, Filter: f,
		Derived: history.Derived{Header: func(ctx context.Context, id git.ID) (git.Kind, int64, error) {
			kind, data, err := m.Object(ctx, id)
			return kind, int64(len(data)), err
		}}}, nil)
	if err != nil || len(sent) != 3 {
		t.Errorf("%d objects sent, %v", len(sent), err)
	}
}

type noBlobs struct{ *model }

func (n noBlobs) Object(ctx context.Context, id git.ID) (git.Kind, []byte, error) {
	kind, data, err := n.model.Object(ctx, id)
	if kind == git.KindBlob {
		return 0, nil, errors.New("a blob was read")
	}
	return kind, data, err
}

func TestSparseAgainstGit(t *testing.T) {
	lists := []string{"", "*", "/*", "/", "!*", "q", "q\n!a/", "a/", "/a/", "!/a/\n/*", "a", "a/b", "/a/b/c/q", "b/",
		"*/b", "a/*", "a/**", "**/b", "**/b/q", "**", "a/**/q", "**/", "a**", "/**/c", "*\n!*/\n", "/*\n!/*/\n/a/\n",
		"[qr]", "[!q]", "[^q-s]", "[[:alpha:]]", "[[:nope:]]", "[q", "[]q]", "[q\\]]", "\\q", "q\\", "#q\nr", "\\#q",
		"!q\nq", "q\r\n\r\n!a/\r\n", "q  \nr\\ \n", "\xef\xbb\xbfq", "a/?", "?/b", "a/[[:lower:]]/c", "m*/", "*m1",
		"q\x00r\n", "a\\/b", "**\\/q", "/a/**/b/../q", "a//b", "//", "*[qr]", "a/b/", "d/**/f", "d/*/f/q", "d/*/q"}
	names := []string{"q", "r", "a", "b", "c", "d", "e", "m1", "*", "**", "?", "[qr]", "/", "/", "/", "!", "\n", "\n", "\\"}
	r := seeded(7)
	extra := 60
	if testing.Short() {
		extra = 0
	}
	for range extra {
		var b strings.Builder
		for range 1 + r.IntN(12) {
			b.WriteString(names[r.IntN(len(names))])
		}
		// Stock git 2.39 takes "**" for the start of a directory behind a
		// literal, which later versions mend.
		if !strings.Contains(b.String(), "**") {
			lists = append(lists, b.String())
		}
	}
	m := randomModel(r, 30, false)
	oids := make([]git.ID, len(lists))
	for i, list := range lists {
		oids[i] = m.blob(list)
	}
	repo := m.export(t, nil)
	wants := m.commits[len(m.commits)-1:]
	for i, list := range lists {
		spec := "sparse:oid=" + git.SHA1.Hex(oids[i])
		got, want := filtered(t, m, spec, wants, nil), repo.revList(wants, nil, "--filter="+spec)
		if !maps.Equal(got, want) {
			t.Errorf("%q: %d objects sent, git %d", list, len(got), len(want))
		}
	}
}

// Stars and nested trees multiply paths and ways to match them; neither may
// multiply the work.
func TestSparseHostile(t *testing.T) {
	m := newModel()
	tree := m.tree(map[string]string{"a": "1"})
	for range 40 { // 8^40 paths
		var entries []git.Entry
		for _, name := range []string{"a", "b", "c", "aa", "ab", "ba", "aaa", "aab"} {
			entries = append(entries, git.Entry{Mode: git.ModeTree, Name: name, ID: tree})
		}
		tree = m.add(git.KindTree, git.AppendTree(git.SHA1, nil, entries))
	}
	c := m.commitTree(1, tree)
	long := m.commit(2, map[string]string{strings.Repeat("a", 4000): "2"}, c)
	for _, list := range []string{"nowhere", strings.Repeat("*a", 500) + "x", "/" + strings.Repeat("a*/**/", 300) + "x",
		strings.Repeat("**/", 500) + "x", strings.Repeat("[a-z]*", 300) + "X"} {
		got := filtered(t, m, "sparse:oid="+git.SHA1.Hex(m.blob(list)), []git.ID{long}, nil)
		if len(got) != 2+41+1 {
			t.Errorf("%d objects sent for a list of %d bytes", len(got), len(list))
		}
	}
	// Patterns that each wait for a directory of their own make a state of each
	// set of them: more than anybody needs.
	var list strings.Builder
	entries := []git.Entry{}
	for i := range 30 {
		fmt.Fprintf(&list, "**/n%d/**/x\n", i)
	}
	tree = m.tree(map[string]string{"a": "1"})
	for range 30 {
		entries = entries[:0]
		for i := range 30 {
			entries = append(entries, git.Entry{Mode: git.ModeTree, Name: fmt.Sprintf("n%d", i), ID: tree})
		}
		tree = m.add(git.KindTree, git.AppendTree(git.SHA1, nil, entries))
	}
	f, err := history.ParseFilter("sparse:oid="+git.SHA1.Hex(m.blob(list.String())), git.SHA1.Parse)
	if err != nil {
		t.Fatal(err)
	}
	_, _, err = history.Missing(context.Background(), m, history.Request{Wants: []git.ID{m.commitTree(3, tree)}, Filter: f}, nil)
	if err == nil {
		t.Error("patterns without end are followed to it")
	}
	big := m.blob(strings.Repeat("x", history.MaxSparseBytes+1))
	if f, err = history.ParseFilter("sparse:oid="+git.SHA1.Hex(big), git.SHA1.Parse); err != nil {
		t.Fatal(err)
	}
	if _, _, err = history.Missing(context.Background(), m, history.Request{Wants: []git.ID{c}, Filter: f}, nil); err == nil {
		t.Error("a pattern file over the limit is read")
	}
}

// FuzzSparse follows any patterns into any path; a list read twice says what it
// says once.
func FuzzSparse(f *testing.F) {
	f.Add([]byte("/a/**/b\n!*.c\n"), "a/x/b")
	f.Add([]byte("[[:alpha:]-z]\\*\n"), "q*")
	f.Add([]byte("**/**/a**\n\\"), "a/a")
	f.Fuzz(func(t *testing.T, patterns []byte, path string) {
		m := newModel()
		name := strings.Trim(strings.ReplaceAll(path, "\x00", ""), "/")
		if name == "" || strings.Contains(name, "//") || len(name) > 200 || len(patterns) > 2000 {
			return
		}
		c := m.commit(1, map[string]string{name: "content"})
		once := m.blob(string(patterns))
		twice := m.blob(string(patterns) + "\n" + string(patterns))
		size := func(oid git.ID) int {
			f, err := history.ParseFilter("sparse:oid="+git.SHA1.Hex(oid), git.SHA1.Parse)
			if err != nil {
				t.Fatal(err)
			}
			sent, _, err := history.Missing(context.Background(), m, history.Request{Wants: []git.ID{c}, Filter: f}, nil)
			if err != nil {
				t.Fatal(err)
			}
			return len(sent)
		}
		if a, b := size(once), size(twice); a != b && !strings.HasPrefix(string(patterns), "\xef\xbb\xbf") {
			t.Errorf("%d objects sent, and %d when the patterns stand twice", a, b)
		}
	})
}
