package lasttree_test

import (
	"errors"
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/ingot-forge/ingot/git"
	"github.com/ingot-forge/ingot/git/lasttree"
)

// encode writes a tree of blobs, of which the value of each name is the last byte of the id.
func encode(f git.Format, entries map[string]byte) (data []byte) {
	for _, name := range slices.Sorted(maps.Keys(entries)) {
		data = append(data, "100644 "+name+"\x00"...)
		id := make([]byte, f.Size())
		id[f.Size()-1] = entries[name]
		data = append(data, id...)
	}
	return data
}

// TestAtRandom compares what is met of trees that change at random with all that they have.
func TestAtRandom(t *testing.T) {
	for seed := range uint64(50) {
		rng := rand.New(rand.NewPCG(seed, 0))
		f := []git.Format{git.SHA1, git.SHA256}[seed%2]
		var trees lasttree.Trees[int]
		met, have := map[string]bool{}, map[string]bool{}
		dirs := []map[string]byte{{}, {}}
		passed := 0
		for n := range 300 {
			dir := rng.IntN(2)
			entries := dirs[dir]
			for range rng.IntN(4) {
				name := fmt.Sprintf("file%d", rng.IntN(40))
				if rng.IntN(3) == 0 {
					delete(entries, name)
				} else {
					entries[name] = byte(rng.IntN(4))
				}
			}
			got := map[string]bool{}
			err := trees.Each(f, uint32(dir)*0x01000000, encode(f, entries), n, nil, func(_ git.Mode, name []byte, id git.ID) error {
				key := fmt.Sprint(dir, string(name), id[f.Size()-1])
				got[key], met[key] = true, true
				return nil
			})
			if err != nil {
				t.Fatal(err)
			}
			passed += len(entries) - len(got)
			for name, value := range entries {
				have[fmt.Sprint(dir, name, value)] = true
			}
			for key := range got {
				if !have[key] {
					t.Fatalf("seed %d: met %s, which no tree has", seed, key)
				}
			}
		}
		if len(met) != len(have) {
			t.Fatalf("seed %d: met %d entries of %d", seed, len(met), len(have))
		}
		if passed == 0 {
			t.Fatalf("seed %d: no entry was passed over", seed)
		}
	}
}

func TestServes(t *testing.T) {
	data := encode(git.SHA1, map[string]byte{"a": 1, "b": 2})
	var trees lasttree.Trees[string]
	count := func(mark string, serves func(string) bool) (n int) {
		err := trees.Each(git.SHA1, 0, data, mark, serves, func(git.Mode, []byte, git.ID) error { n++; return nil })
		if err != nil {
			t.Fatal(err)
		}
		return n
	}
	if n := count("first", func(string) bool { t.Error("asked about a tree that is not there"); return true }); n != 2 {
		t.Errorf("%d entries of a first tree, not 2", n)
	}
	if n := count("second", func(mark string) bool { return mark != "first" }); n != 2 {
		t.Errorf("%d entries beside one that does not serve, not 2", n)
	}
	if n := count("third", func(mark string) bool { return mark == "second" }); n != 0 {
		t.Errorf("%d entries beside the same tree, not 0", n)
	}
}

// TestEnds holds that a tree that was not gone through to its end stands for none.
func TestEnds(t *testing.T) {
	data := encode(git.SHA1, map[string]byte{"a": 1, "b": 2, "c": 3})
	stop := errors.New("stop")
	for _, c := range []struct {
		name string
		data []byte
		do   error
		want error
	}{
		{"stopped", data, stop, stop},
		{"cut short", data[:len(data)-1], nil, git.ErrCorrupt},
	} {
		t.Run(c.name, func(t *testing.T) {
			var trees lasttree.Trees[struct{}]
			n := 0
			err := trees.Each(git.SHA1, 7, c.data, struct{}{}, nil, func(git.Mode, []byte, git.ID) error {
				if n++; n == 2 {
					return c.do
				}
				return nil
			})
			if !errors.Is(err, c.want) {
				t.Fatalf("error %v, not %v", err, c.want)
			}
			n = 0
			err = trees.Each(git.SHA1, 7, data, struct{}{}, nil, func(git.Mode, []byte, git.ID) error { n++; return nil })
			if err != nil || n != 3 {
				t.Errorf("%d entries afterwards, not 3; error %v", n, err)
			}
		})
	}
}
