package pack_test

import (
	"bytes"
	"fmt"
	"slices"
	"testing"

	"pgregory.net/rapid"

	"github.com/ingot-forge/ingot/git"
	"github.com/ingot-forge/ingot/git/pack"
)

// drawTree returns a tree in some order that is mostly that of trees: what is not well
// formed may make deltas large, never wrong.
func drawTree(t *rapid.T, f git.Format, name string) []byte {
	entries := rapid.SliceOfNDistinct(rapid.StringMatching(`[ab]{1,4}`), 0, 12, rapid.ID).Draw(t, name)
	if !rapid.Bool().Draw(t, "unsorted") {
		slices.Sort(entries)
	}
	var tree []byte
	for _, e := range entries {
		mode := rapid.SampledFrom([]string{"100644", "40000", "100755", "160000"}).Draw(t, "mode")
		id := bytes.Repeat([]byte{rapid.ByteRange(0, 3).Draw(t, "id")}, f.Size())
		tree = append(fmt.Appendf(tree, "%s %s\x00", mode, e), id...)
	}
	if rapid.IntRange(0, 9).Draw(t, "damage") == 0 {
		tree = tree[:rapid.IntRange(0, len(tree)).Draw(t, "cut")]
	}
	return tree
}

func TestTreeDelta(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		f := rapid.SampledFrom([]git.Format{git.SHA1, git.SHA256}).Draw(t, "format")
		base, target := drawTree(t, f, "base"), drawTree(t, f, "target")
		most := rapid.IntRange(0, 600).Draw(t, "most")
		delta := pack.TreeDelta(f, []byte("front"), base, target, most)
		if delta == nil {
			return
		}
		delta, ok := bytes.CutPrefix(delta, []byte("front"))
		if !ok || len(delta) > most {
			t.Fatalf("%d bytes, at most %d are allowed", len(delta), most)
		}
		if got, err := pack.ApplyDelta(nil, base, delta, 1<<20); len(delta) >= 4 && (err != nil || !bytes.Equal(got, target)) {
			t.Fatalf("%q, %v, want %q", got, err, target)
		}
	})
}

func TestTreeDeltasAreSmall(t *testing.T) {
	entry := func(name string, id byte) []byte {
		return append(fmt.Appendf(nil, "100644 %s\x00", name), bytes.Repeat([]byte{id}, 20)...)
	}
	var base, target []byte
	for i := range 500 {
		name := fmt.Sprintf("file-%03d", i)
		base = append(base, entry(name, byte(i))...)
		switch i {
		case 100: // gone
		case 200:
			target = append(target, entry(name, byte(i+1))...)
		case 300:
			target = append(append(target, entry(name, byte(i))...), entry(name+"a", 7)...)
		default:
			target = append(target, entry(name, byte(i))...)
		}
	}
	delta := pack.TreeDelta(git.SHA1, nil, base, target, 1000)
	if len(delta) == 0 || len(delta) > 100 {
		t.Errorf("three changes of 500 entries take %d bytes", len(delta))
	}
	if got, err := pack.ApplyDelta(nil, base, delta, 1<<20); err != nil || !bytes.Equal(got, target) {
		t.Errorf("applied: %v", err)
	}
	if delta := pack.TreeDelta(git.SHA1, nil, base, target, 60); delta != nil {
		t.Errorf("%d bytes, at most 60 are allowed", len(delta))
	}
}
