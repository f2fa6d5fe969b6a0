package git_test

import (
	"bytes"
	"testing"

	"github.com/ingot-forge/ingot/git"
)

func TestCommonPrefix(t *testing.T) {
	long := bytes.Repeat([]byte("0123456789abcdef"), 40)
	for same := range len(long) {
		other := bytes.Clone(long)
		other[same] ^= 1
		if got := git.CommonPrefix(long, other); got != same {
			t.Fatalf("%d bytes alike, not %d", got, same)
		}
		if got := git.CommonPrefix(other, other[:same]); got != same {
			t.Fatalf("with itself cut to %d bytes: %d alike", same, got)
		}
	}
}

func TestSameEntries(t *testing.T) {
	for _, f := range []git.Format{git.SHA1, git.SHA256} {
		one := append([]byte("100644 one\x00"), make([]byte, f.Size())...)
		two := append([]byte("40000 two\x00"), make([]byte, f.Size())...)
		both := append(bytes.Clone(one), two...)
		for _, c := range []struct {
			what string
			a, b []byte
			want int
		}{
			{"nothing", nil, nil, 0},
			{"the same", both, both, len(both)},
			{"one more", both, one, len(one)},
			{"half an entry more", both, both[:len(both)-1], len(one)},
			{"another last byte", both, append(bytes.Clone(both[:len(both)-1]), 1), len(one)},
			{"not a tree", []byte("100644 one"), []byte("100644 one"), 0},
		} {
			if got := git.SameEntries(f, c.a, c.b); got != c.want {
				t.Errorf("%s, %s: %d bytes, not %d", f, c.what, got, c.want)
			}
		}
	}
}

// As git's pack_name_hash, which is not to be had from the command line: its
// definition is that of the last sixteen characters that are not blank.
func TestNameHash(t *testing.T) {
	for path, want := range map[string]uint32{"": 0, "a": 0x61 << 24, "ab": 0x61<<22 + 0x62<<24, "a b\n": 0x61<<22 + 0x62<<24} {
		if got := git.NameHash(0, path); got != want {
			t.Errorf("NameHash(%q) = %#x, want %#x", path, got, want)
		}
	}
	if whole, parts := git.NameHash(0, "dir/file"), git.NameHash(git.NameHash(0, "dir/"), []byte("file")); whole != parts {
		t.Errorf("%#x in one, %#x in two", whole, parts)
	}
}
