package fsck_test

import (
	"bytes"
	"errors"
	"strings"
	"testing"

	"github.com/ingot-forge/ingot/git"
	"github.com/ingot-forge/ingot/git/fsck"
)

// FuzzObject checks any bytes as each kind. What passes must be fit for the
// decoders of package git, and come back from them as it was.
func FuzzObject(f *testing.F) {
	for _, objects := range [][]object{oddTrees(), commits()[:10], tags()[:10]} {
		for _, o := range objects {
			f.Add(uint8(o.kind), o.data)
		}
	}
	f.Fuzz(func(t *testing.T, k uint8, data []byte) {
		kind := git.Kind(k)
		err := fsck.New(git.SHA1, nil).Object(git.ID{1}, kind, data)
		var p *fsck.Problem
		if err != nil && (!errors.As(err, &p) || p.Message == "" || p.Detail == "" || !p.Severity.Refuses()) {
			t.Fatalf("not a refusal: %v", err)
		}
		if err != nil {
			return
		}
		var back []byte
		switch kind {
		case git.KindBlob:
			return
		case git.KindTree:
			var list []git.Entry
			for e, err := range git.Entries(git.SHA1, data) {
				if err != nil {
					t.Fatal(err)
				}
				list = append(list, e)
			}
			back = git.AppendTree(git.SHA1, nil, list)
		case git.KindCommit:
			c, err := git.ParseCommit(git.SHA1, data)
			if err != nil {
				t.Fatal(err)
			}
			back = git.AppendCommit(git.SHA1, nil, c)
		case git.KindTag:
			tag, err := git.ParseTag(git.SHA1, data)
			if err != nil {
				t.Fatal(err)
			}
			back = git.AppendTag(git.SHA1, nil, tag)
		default:
			t.Fatalf("kind %d passes", kind)
		}
		if !bytes.Equal(back, data) {
			t.Fatalf("%s %q\ncame back as\n%q", kind, data, back)
		}
	})
}

// FuzzGitmodules judges any bytes as a .gitmodules. What passes has no setting
// that could do harm, by a reading much simpler than git's.
func FuzzGitmodules(f *testing.F) {
	for _, text := range gitmodules() {
		f.Add([]byte(text))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		blob := object{git.KindBlob, data}
		if refusal(t, tree(entryOf("100644", ".gitmodules", idOf(blob))), blob) != nil {
			return
		}
		parse(string(data), func(name, value string) {
			name, ok := strings.CutPrefix(name, "submodule.")
			dot := strings.LastIndexByte(name, '.')
			if !ok || dot < 0 {
				return
			}
			name, key := name[:dot], name[dot+1:]
			bad := strings.Contains("/"+strings.ReplaceAll(name, `\`, "/")+"/", "/../")
			switch key {
			case "url":
				bad = bad || strings.HasPrefix(value, "-") || strings.Contains(value, "\n")
			case "path":
				bad = bad || strings.HasPrefix(value, "-") || strings.Contains(value, "\r") || strings.HasPrefix(strings.ToLower(value), ".git/")
			case "update":
				bad = bad || strings.HasPrefix(value, "!")
			}
			if bad {
				t.Fatalf("%q passes, with %s of %q: %q", data, key, name, value)
			}
		})
	})
}
