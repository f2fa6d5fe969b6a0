package git_test

import (
	"bytes"
	"errors"
	"reflect"
	"strings"
	"testing"

	"github.com/ingot-forge/ingot/git"
)

const (
	treeHex   = "4b825dc642cb6eb9a060e54bf8d69288fbee4904"
	parentHex = "1111111111111111111111111111111111111111"
	author    = "author A U Thor <author@example.com> 1112912053 +0200\n"
	committer = "committer C O Mitter <committer@example.com> 1112912113 -0730\n"
	simple    = "tree " + treeHex + "\nparent " + parentHex + "\n" + author + committer + "\nmessage\n"
	simpleTag = "object " + treeHex + "\ntype tree\ntag v1\ntagger T <t@example.com> 1 +0000\n\nmessage\n"
)

// oddCommits are commits in forms that git writes no more, or never wrote but
// reads. All must come back byte for byte.
var oddCommits = []string{
	strings.Replace(simple, "A U Thor <", "<", 1),
	strings.Replace(simple, "A U Thor <", " <", 1),
	strings.Replace(simple, "A U Thor <", "A U Thor<", 1),
	strings.Replace(simple, "A U Thor <", "A U Thor  <", 1),
	strings.Replace(simple, "1112912053", "01112912053", 1),
	strings.Replace(simple, "1112912053", "", 1),
	strings.Replace(simple, "1112912053", "-5", 1),
	strings.Replace(simple, "1112912053", strings.Repeat("9", 50), 1),
	strings.Replace(simple, " +0200", "", 1),
	strings.Replace(simple, "> 1112912053 +0200", ">", 1),
	strings.Replace(simple, "<author@example.com> ", "", 1),
	strings.Replace(simple, "author@", "<<>>author@", 1),
	strings.Replace(simple, "+0200", "+0200 trailing ", 1),
	strings.Replace(simple, author[7:], "\n", 1),
	strings.Replace(simple, treeHex, strings.ToUpper(treeHex), 1),
	strings.Replace(simple, "\n\nmessage\n", "", 1) + "\n",
	strings.Replace(simple, "\n\nmessage", "\nencoding latin1", 1),
	strings.Replace(simple, "\n\nmessage\n", "\nencoding latin1", 1),
	strings.Replace(simple, "\n\nmessage\n", "\nencoding\nx", 1),
	strings.Replace(simple, "\n\nmessage", "\n continued\n\nmessage", 1),
	strings.Replace(simple, "\n\nmessage", "\ngpgsig a\n b\n \n  c\n\nmessage", 1),
	strings.Replace(simple, "\n\nmessage", "\n\n", 1),
	strings.Replace(simple, "message", "mess\x00age\xff", 1),
	strings.Replace(simple, "\n\nmessage", "\nauthor B <b> 1 +0000\ntree x\n\nmessage", 1),
}

func TestCommit(t *testing.T) {
	text := "tree " + treeHex + "\nparent " + parentHex + "\nparent " + strings.Repeat("2", 40) + "\n" + author + committer +
		"encoding ISO-8859-1\ngpgsig -----BEGIN\n \n abc\n -----END\nx-note y\n\nTitle\n\nBody\n"
	got, err := git.ParseCommit(git.SHA1, []byte(text))
	if err != nil {
		t.Fatal(err)
	}
	tree, _ := git.SHA1.Parse(treeHex)
	one, _ := git.SHA1.Parse(parentHex)
	two, _ := git.SHA1.Parse(strings.Repeat("2", 40))
	want := &git.Commit{
		Tree: tree, Parents: []git.ID{one, two},
		Author:    git.Signature{Name: "A U Thor", Email: "author@example.com", Seconds: 1112912053, Zone: "+0200"},
		Committer: git.Signature{Name: "C O Mitter", Email: "committer@example.com", Seconds: 1112912113, Zone: "-0730"},
		Headers:   []git.Header{{Key: "encoding", Value: "ISO-8859-1"}, {Key: "gpgsig", Value: "-----BEGIN\n\nabc\n-----END"}, {Key: "x-note", Value: "y"}},
		Message:   "Title\n\nBody\n",
	}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("got %+v\nwant %+v", got, want)
	}
	if back := git.AppendCommit(git.SHA1, []byte("x"), got); string(back) != "x"+text {
		t.Errorf("came back as %q", back)
	}
}

func TestOddCommits(t *testing.T) {
	for _, text := range append(oddCommits, simple) {
		c, err := git.ParseCommit(git.SHA1, []byte(text))
		if err != nil {
			t.Errorf("%q: %v", text, err)
			continue
		}
		if back := git.AppendCommit(git.SHA1, nil, c); string(back) != text {
			t.Errorf("%q\ncame back as\n%q", text, back)
		}
		_, _, seconds, err := git.CommitLinks(git.SHA1, []byte(text), nil)
		if err != nil || seconds != c.Committer.Seconds {
			t.Errorf("%q: CommitLinks reads %d, %v, ParseCommit %d", text, seconds, err, c.Committer.Seconds)
		}
	}
}

// TestChangedCommit sees to it that an odd commit that was changed is written
// as changed.
func TestChangedCommit(t *testing.T) {
	for _, text := range oddCommits {
		c, err := git.ParseCommit(git.SHA1, []byte(text))
		if err != nil {
			t.Fatal(err)
		}
		c.Committer.Name, c.Message = "Someone Else", "other\n"
		back, err := git.ParseCommit(git.SHA1, git.AppendCommit(git.SHA1, nil, c))
		if err != nil || back.Committer.Name != "Someone Else" || back.Message != "other\n" {
			t.Errorf("%q: got %+v, %v", text, back, err)
		}
	}
}

// TestSignature has what is read of signatures that are none.
func TestSignature(t *testing.T) {
	for line, want := range map[string]git.Signature{
		"A <a@b> 5 +0100":                  {Name: "A", Email: "a@b", Seconds: 5, Zone: "+0100"},
		"<a@b> 5 +0100":                    {Email: "a@b", Seconds: 5, Zone: "+0100"},
		" <> 5 +0100":                      {Seconds: 5, Zone: "+0100"},
		"A <a>b> 5 +0100":                  {Name: "A", Email: "a>b", Seconds: 5, Zone: "+0100"},
		"A <a@b> +0100":                    {Name: "A", Email: "a@b"},
		"A <a@b> 5":                        {Name: "A", Email: "a@b", Seconds: 5},
		"A <a@b>":                          {Name: "A", Email: "a@b"},
		" nobody 5 +0100":                  {Name: "nobody 5 +0100"},
		"A <a@b> 1e3 +0100":                {Name: "A", Email: "a@b", Seconds: 1, Zone: "+0100"},
		"A <a> 99999999999999999999 +0100": {Name: "A", Email: "a", Zone: "+0100"},
		"A <a> 9223372036854775807 +0100":  {Name: "A", Email: "a", Seconds: 1<<63 - 1, Zone: "+0100"},
	} {
		c, err := git.ParseCommit(git.SHA1, []byte("tree "+treeHex+"\nauthor "+line+"\n"+committer+"\n"))
		if err != nil {
			t.Errorf("%q: %v", line, err)
			continue
		}
		if line == "A <a@b> +0100" {
			want.Zone = c.Author.Zone // which of the two the one word is, is left open
		}
		if c.Author != want {
			t.Errorf("%q: got %+v, want %+v", line, c.Author, want)
		}
	}
}

func TestMalformedCommits(t *testing.T) {
	for _, c := range []struct{ text, want string }{
		{"", "has no tree line"},
		{"tree", "has no tree line"},
		{"tree " + treeHex, "ends within its tree line"},
		{strings.Replace(simple, "tree ", "Tree ", 1), "has no tree line"},
		{strings.Replace(simple, treeHex, treeHex[:39], 1), "bad object id"},
		{strings.Replace(simple, treeHex, treeHex+"0", 1), "bad object id"},
		{strings.Replace(simple, treeHex, treeHex[:39]+"g", 1), "not hexadecimal"},
		{strings.Replace(simple, parentHex, "", 1), "bad object id"},
		{strings.Replace(simple, author, "", 1), "has no author line"},
		{strings.Replace(simple, committer, "", 1), "has no committer line"},
		{strings.Replace(simple, author, author+author, 1), "has no committer line"},
		{simple[:len(simple)-len("\n\nmessage\n")], "ends within its committer line"},
	} {
		_, err := git.ParseCommit(git.SHA1, []byte(c.text))
		if !errors.Is(err, git.ErrCorrupt) || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%q: got %v, want %q", c.text, err, c.want)
		}
	}
}

func TestCommitLinks(t *testing.T) {
	before := []git.ID{{9}}
	tree, parents, seconds, err := git.CommitLinks(git.SHA1, []byte(simple), before)
	one, _ := git.SHA1.Parse(parentHex)
	if err != nil || git.SHA1.Hex(tree) != treeHex || len(parents) != 2 || parents[0] != before[0] || parents[1] != one || seconds != 1112912113 {
		t.Errorf("got %s %v %d %v", tree, parents, seconds, err)
	}
	for _, text := range []string{"", "tree x\n", simple[:40], strings.Replace(simple, parentHex, parentHex[1:], 1), strings.Replace(simple, parentHex, "g"+parentHex[1:], 1)} {
		if _, _, _, err := git.CommitLinks(git.SHA1, []byte(text), nil); !errors.Is(err, git.ErrCorrupt) {
			t.Errorf("%q: %v", text, err)
		}
	}
	room := make([]git.ID, 0, 4)
	data := []byte(simple)
	if n := testing.AllocsPerRun(100, func() { git.CommitLinks(git.SHA1, data, room) }); n != 0 {
		t.Errorf("%v allocations", n)
	}
}

func TestTags(t *testing.T) {
	for _, text := range []string{
		simpleTag,
		strings.Replace(simpleTag, "tagger T <t@example.com> 1 +0000\n", "", 1),
		strings.Replace(simpleTag, "tagger T <", "tagger <", 1),
		strings.Replace(simpleTag, "\n\nmessage\n", "\n", 1),
		strings.Replace(simpleTag, "\n\nmessage\n", "\n\n", 1),
		strings.Replace(simpleTag, "\n\nm", "\ngpgsig-sha256 a\n b\n\nm", 1),
		strings.Replace(simpleTag, "message\n", "message\n-----BEGIN PGP SIGNATURE-----\n\nabc\n", 1),
	} {
		tag, err := git.ParseTag(git.SHA1, []byte(text))
		if err != nil {
			t.Errorf("%q: %v", text, err)
			continue
		}
		if back := git.AppendTag(git.SHA1, nil, tag); string(back) != text {
			t.Errorf("%q\ncame back as\n%q", text, back)
		}
		if tag.Name != "v1" || tag.TargetKind != git.KindTree || git.SHA1.Hex(tag.Target) != treeHex {
			t.Errorf("%q: got %+v", text, tag)
		}
	}
	for _, text := range []string{"", simpleTag[:60], strings.Replace(simpleTag, "tree\n", "thing\n", 1), strings.Replace(simpleTag, "tag v1\n", "", 1),
		strings.Replace(simpleTag, treeHex, "x", 1), strings.Replace(simpleTag, "type", "kind", 1)} {
		if _, err := git.ParseTag(git.SHA1, []byte(text)); !errors.Is(err, git.ErrCorrupt) {
			t.Errorf("%q: %v", text, err)
		}
	}
}

// TestObjectsLikeGit has git write a commit and a tag, and writes the same.
func TestObjectsLikeGit(t *testing.T) {
	for _, f := range []git.Format{git.SHA1, git.SHA256} {
		o := newOracle(t, f)
		tree := o.run(nil, "mktree")
		first := o.run(nil, "commit-tree", tree, "-m", "first")
		merge := o.run([]byte("title\n\nbody\n"), "commit-tree", tree, "-p", first)
		o.run(nil, "-c", "user.name=T", "-c", "user.email=t@example.com", "tag", "-a", "-m", "the tag", "v1", merge)

		c, err := git.ParseCommit(f, []byte(o.run(nil, "cat-file", "commit", merge)+"\n"))
		if err != nil {
			t.Fatal(err)
		}
		made := &git.Commit{Tree: o.parse(tree), Parents: []git.ID{o.parse(first)}, Author: c.Author, Committer: c.Committer, Message: "title\n\nbody\n"}
		id, _ := git.NewHasher(f).Hash(git.KindCommit, git.AppendCommit(f, nil, made))
		if f.Hex(id) != merge {
			t.Errorf("%s: commit %s, but git makes %s", f, f.Hex(id), merge)
		}
		madeTag := &git.Tag{Target: o.parse(merge), TargetKind: git.KindCommit, Name: "v1", Tagger: &c.Committer, Message: "the tag\n"}
		id, _ = git.NewHasher(f).Hash(git.KindTag, git.AppendTag(f, nil, madeTag))
		if want := o.run(nil, "rev-parse", "v1"); f.Hex(id) != want {
			t.Errorf("%s: tag %s, but git makes %s", f, f.Hex(id), want)
		}
	}
}

func FuzzParseCommit(f *testing.F) {
	f.Add([]byte(simple))
	for _, text := range oddCommits {
		f.Add([]byte(text))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		c, err := git.ParseCommit(git.SHA1, data)
		tree, parents, seconds, linksErr := git.CommitLinks(git.SHA1, data, nil)
		if err != nil {
			if !errors.Is(err, git.ErrCorrupt) {
				t.Fatal(err)
			}
			return
		}
		if back := git.AppendCommit(git.SHA1, nil, c); !bytes.Equal(back, data) {
			t.Fatalf("%q\ncame back as\n%q", data, back)
		}
		if linksErr != nil || tree != c.Tree || len(parents) != len(c.Parents) || seconds != c.Committer.Seconds {
			t.Fatalf("two readings: %+v and %s %v %d %v", c, tree, parents, seconds, linksErr)
		}
	})
}

func FuzzParseTag(f *testing.F) {
	f.Add([]byte(simpleTag))
	f.Add([]byte(strings.Replace(simpleTag, "\n\nm", "\ngpgsig-sha256 a\n b\n\nm", 1)))
	f.Fuzz(func(t *testing.T, data []byte) {
		tag, err := git.ParseTag(git.SHA1, data)
		if err != nil {
			if !errors.Is(err, git.ErrCorrupt) {
				t.Fatal(err)
			}
			return
		}
		if back := git.AppendTag(git.SHA1, nil, tag); !bytes.Equal(back, data) {
			t.Fatalf("%q\ncame back as\n%q", data, back)
		}
	})
}

func BenchmarkParseCommit(b *testing.B) {
	data := []byte(simple)
	b.Run("ParseCommit", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			git.ParseCommit(git.SHA1, data)
		}
	})
	b.Run("CommitLinks", func(b *testing.B) {
		b.ReportAllocs()
		parents := make([]git.ID, 0, 4)
		for b.Loop() {
			git.CommitLinks(git.SHA1, data, parents)
		}
	})
}
