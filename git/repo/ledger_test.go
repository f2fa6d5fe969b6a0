package repo

import (
	"encoding/binary"
	"math/rand/v2"
	"sync"
	"testing"

	"github.com/ingot-forge/ingot/git"
)

// TestLedger compares the ledger with a map, filled from several goroutines.
func TestLedger(t *testing.T) {
	const ids = 60_000
	id := func(i int) (id git.ID) { // hostile: all alike but for the last bytes
		binary.BigEndian.PutUint32(id[16:], uint32(i))
		return id
	}
	l := newLedger()
	numbers := make([]uint32, ids)
	var wg sync.WaitGroup
	for g := range 4 {
		wg.Go(func() {
			for i := g; i < ids; i += 4 {
				number, ok := l.object(id(i), git.KindTree)
				if !ok {
					t.Errorf("table full at %d", i)
				}
				numbers[i] = number
			}
			rng := rand.New(rand.NewPCG(uint64(g), 1))
			for range ids {
				i := rng.IntN(ids/4)*4 + g
				l.name(numbers[i], id(2*i), git.KindBlob)
			}
		})
	}
	wg.Wait()

	seen := 0
	l.each(func(n *note) error {
		seen++
		i := int(binary.BigEndian.Uint32(n.id[16:]))
		from, kind := l.from(n)
		switch {
		case (n.kind != 0) != (i < ids):
			t.Errorf("note %d: kind %v", i, n.kind)
		case n.named == 0 && !from.IsZero():
			t.Errorf("note %d: not named, but from %s", i, from)
		case n.named != 0 && (n.named != 1<<git.KindBlob || from != id(i/2) || kind != git.KindTree):
			t.Errorf("note %d: named %b from %v %s", i, n.named, kind, from)
		}
		return nil
	})
	if seen <= ids || seen > 2*ids {
		t.Errorf("%d notes", seen)
	}
	for i := range ids {
		if n := l.find(id(i)); n == nil || n.kind != git.KindTree {
			t.Fatalf("object %d is not found", i)
		}
	}
	if n := l.find(id(5 * ids)); n != nil {
		t.Errorf("an id never noted is found: %+v", n)
	}
	if n := newLedger().find(id(1)); n != nil {
		t.Errorf("an empty ledger has %+v", n)
	}
}

func TestStatesAreBounded(t *testing.T) {
	s := states{max: 3, maxBytes: 1 << 20}
	for i := range ID(5) {
		s.keep(&State{ID: i, Version: 7})
		s.recent(0) // keeps it in use
	}
	for i, want := range []bool{true, false, false, true, true} {
		if got := s.recent(ID(i)); (got != nil) != want {
			t.Errorf("state %d is kept: %v", i, got != nil)
		}
	}
	s.keep(&State{ID: 3, Version: 6})
	if s.recent(3).Version != 7 {
		t.Error("an older state replaced a newer one")
	}
	s.keep(&State{ID: 3, Version: 8})
	if s.recent(3).Version != 8 {
		t.Error("a newer state was not kept")
	}
	s.forget(3)
	if s.recent(3) != nil || len(s.byID) != s.used.Len() {
		t.Error("forget did not")
	}
}

func TestPackNames(t *testing.T) {
	const name = "0123456789abcdef0123456789abcdef"
	for _, file := range []string{PackFile(name), IndexFile(name), RevFile(name), BitmapFile(name), GraphFile(name)} {
		if CheckFileName(file) != nil {
			t.Errorf("%s is no file name", file)
		}
		if got, ok := packOf(file); !ok || got != name {
			t.Errorf("packOf(%s) = %s, %v", file, got, ok)
		}
	}
	for _, file := range []string{"packs/01/pack-" + name, "packs/02/pack-" + name + ".pack", "packs/01/pack-" + name + ".pack.pack",
		"packs/01/pack-" + name + ".keep", "pack-" + name + ".pack", "packs/01/pack-0123.pack", "packs/01/pack-" + name[:31] + "G.pack", "", "/pack-"} {
		if got, ok := packOf(file); ok {
			t.Errorf("packOf(%q) = %q", file, got)
		}
	}
}
