package git_test

import (
	"bytes"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/ingot-forge/ingot/git"
	"pgregory.net/rapid"
)

// entries collects what Entries yields.
func entries(f git.Format, data []byte) (all []git.Entry, err error) {
	for e, entryErr := range git.Entries(f, data) {
		if err != nil {
			panic("Entries went on after an error")
		}
		if entryErr != nil {
			err = entryErr
			continue
		}
		all = append(all, e)
	}
	return all, err
}

func TestNextEntry(t *testing.T) {
	id := strings.Repeat("\x01", 20)
	for _, c := range []struct {
		data string
		mode git.Mode
		name string
		fail string
	}{
		{"100644 a\x00" + id, git.ModeBlob, "a", ""},
		{"100755 run me\x00" + id, git.ModeExecutable, "run me", ""},
		{"40000 d\x00" + id, git.ModeTree, "d", ""},
		{"040000 d\x00" + id, git.ModeTree, "d", ""},
		{"0100644 a\x00" + id, git.ModeBlob, "a", ""},
		{"120000 l\x00" + id, git.ModeSymlink, "l", ""},
		{"160000 s\x00" + id, git.ModeSubmodule, "s", ""},
		{"100664 g\x00" + id, git.ModeGroupWrite, "g", ""},
		{"0 zero\x00" + id, 0, "zero", ""},
		{"177777 most\x00" + id, 0o177777, "most", ""},
		{"100644 " + strings.Repeat("n", 5000) + "\x00" + id, git.ModeBlob, strings.Repeat("n", 5000), ""},
		{"200000 over\x00" + id, 0, "", "mode"},
		{"1100644 over\x00" + id, 0, "", "mode"},
		{"00100644 long\x00" + id, 0, "", "mode"},
		{strings.Repeat("1", 40) + " a\x00" + id, 0, "", "mode"},
		{" a\x00" + id + id, 0, "", "mode"},
		{"100844 a\x00" + id, 0, "", "mode"},
		{"-00644 a\x00" + id, 0, "", "mode"},
		{"100644\x00a\x00" + id, 0, "", "mode"},
		{"100644 \x00" + id, 0, "", "empty name"},
		{"40000 \x00" + id, 0, "", "empty name"},
		{"100644 a" + strings.Repeat("b", 100), 0, "", "short"},
		{"100644 a\x00" + id[:19], 0, "", "short"},
		{"100644 a\x00", 0, "", "short"},
		{"100644 a", 0, "", "short"},
		{"100644 ", 0, "", "short"},
		{"1006", 0, "", "short"},
		{"", 0, "", "short"},
	} {
		mode, name, got, rest, err := git.NextEntry(git.SHA1, []byte(c.data))
		if c.fail != "" {
			if !errors.Is(err, git.ErrCorrupt) || !strings.Contains(err.Error(), c.fail) {
				t.Errorf("%.60q: got %v, want %q", c.data, err, c.fail)
			}
			continue
		}
		if err != nil || mode != c.mode || string(name) != c.name || got != git.SHA1.FromBytes([]byte(id)) || len(rest) != 0 {
			t.Errorf("%.60q: got %o %.60q %s %q %v", c.data, mode, name, got, rest, err)
		}
	}
}

func TestEntriesError(t *testing.T) {
	data := "100644 a\x00" + strings.Repeat("\x01", 20) + "x"
	got, err := entries(git.SHA1, []byte(data))
	if len(got) != 1 || !errors.Is(err, git.ErrCorrupt) || !strings.Contains(err.Error(), "byte 29") {
		t.Errorf("got %v, %v", got, err)
	}
}

// TestTreeLikeGit has git mktree sort and encode the same entries.
func TestTreeLikeGit(t *testing.T) {
	for _, f := range []git.Format{git.SHA1, git.SHA256} {
		o := newOracle(t, f)
		blob := o.run([]byte("x"), "hash-object", "-w", "--stdin")
		dir := o.run(nil, "mktree")
		var list []git.Entry
		var input strings.Builder
		for i, name := range []string{"foo", "foo.bar", "foo-bar", "foo0", "a", "a.c", "a0", "ab", "é", "Z", "foo.barbaz"} {
			e := git.Entry{Mode: git.ModeBlob, Name: name, ID: o.parse(blob)}
			if i%2 == 0 {
				e.Mode, e.ID = git.ModeTree, o.parse(dir)
			}
			list = append(list, e)
			kind := "blob"
			if e.Mode.IsTree() {
				kind = "tree"
			}
			fmt.Fprintf(&input, "%06o %s %s\t%s\x00", e.Mode, kind, f.Hex(e.ID), name)
		}
		before := fmt.Sprint(list)
		data := git.AppendTree(f, []byte("before"), list)[len("before"):]
		id, err := git.NewHasher(f).Hash(git.KindTree, data)
		if want := o.run([]byte(input.String()), "mktree", "-z"); err != nil || f.Hex(id) != want {
			t.Errorf("%s: %s, %v, but git makes %s", f, f.Hex(id), err, want)
		}
		if fmt.Sprint(list) != before {
			t.Error("AppendTree sorted the caller's entries")
		}
		got, err := entries(f, data)
		if err != nil || !bytes.Equal(git.AppendTree(f, nil, got), data) {
			t.Errorf("%s: %v does not give back the tree: %v", f, got, err)
		}
	}
}

func TestTreeRoundTrip(t *testing.T) {
	name := rapid.StringMatching(`[ -~é]{1,20}`)
	mode := rapid.SampledFrom([]git.Mode{git.ModeBlob, git.ModeTree, git.ModeExecutable, git.ModeSymlink, git.ModeSubmodule})
	rapid.Check(t, func(t *rapid.T) {
		f := rapid.SampledFrom([]git.Format{git.SHA1, git.SHA256}).Draw(t, "format")
		want := map[string]git.Entry{}
		var list []git.Entry
		for _, n := range rapid.SliceOfDistinct(name, rapid.ID).Draw(t, "names") {
			e := git.Entry{Mode: mode.Draw(t, "mode"), Name: n}
			copy(e.ID[:f.Size()], rapid.SliceOfN(rapid.Byte(), f.Size(), f.Size()).Draw(t, "id"))
			list, want[n] = append(list, e), e
		}
		got, err := entries(f, git.AppendTree(f, nil, list))
		if err != nil || len(got) != len(want) {
			t.Fatalf("got %v, %v", got, err)
		}
		for _, e := range got {
			if e != want[e.Name] {
				t.Fatalf("got %v, want %v", e, want[e.Name])
			}
		}
	})
}

func FuzzNextEntry(f *testing.F) {
	id := strings.Repeat("\x01", 20)
	f.Add([]byte("100644 a\x00" + id + "40000 dir\x00" + id))
	f.Add([]byte("0100644 a\x00" + id + "x"))
	f.Add([]byte(strings.Repeat("7", 40) + " a\x00" + id))
	f.Fuzz(func(t *testing.T, data []byte) {
		for _, format := range []git.Format{git.SHA1, git.SHA256} {
			list, err := entries(format, data)
			if err != nil && !errors.Is(err, git.ErrCorrupt) {
				t.Fatal(err)
			}
			if len(list) > 0 && list[0].Name == "" {
				t.Fatal("an entry without a name")
			}
			again, err := entries(format, git.AppendTree(format, nil, list))
			if err != nil || len(again) != len(list) {
				t.Fatalf("%v\nbecame %v, %v", list, again, err)
			}
		}
	})
}

func BenchmarkNextEntry(b *testing.B) {
	var list []git.Entry
	for i := range 100 {
		list = append(list, git.Entry{Mode: git.ModeBlob, Name: fmt.Sprintf("file-name-%d.c", i), ID: git.ID{1, 2}})
	}
	data := git.AppendTree(git.SHA1, nil, list)
	b.Run("NextEntry", func(b *testing.B) {
		b.ReportAllocs()
		for n := 0; n < b.N; {
			for rest := data; len(rest) > 0; n++ {
				_, _, _, next, err := git.NextEntry(git.SHA1, rest)
				if err != nil {
					b.Fatal(err)
				}
				rest = next
			}
		}
	})
	b.Run("EntrySpan", func(b *testing.B) {
		b.ReportAllocs()
		for n := 0; n < b.N; {
			for at := 0; at < len(data); n++ {
				_, start, end := git.EntrySpan(git.SHA1, data[at:])
				if start == 0 {
					b.Fatal("malformed")
				}
				at += end + 21
			}
		}
	})
}
