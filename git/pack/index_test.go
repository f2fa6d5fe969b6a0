package pack_test

import (
	"bytes"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/ingot-forge/ingot/git"
	"github.com/ingot-forge/ingot/git/pack"
)

// entriesOf takes an index apart, in another order.
func entriesOf(x *pack.Index) []pack.IndexEntry {
	entries := make([]pack.IndexEntry, x.Count())
	for i, at := range rand.Perm(len(entries)) {
		entries[i] = pack.IndexEntry{ID: x.ID(at), Offset: x.Offset(at), CRC: x.CRC(at)}
	}
	return entries
}

func TestAppendIndexMakesGitsBytes(t *testing.T) {
	for _, f := range []git.Format{git.SHA1, git.SHA256} {
		fix := newFixture(t, f, 60)
		x, err := pack.OpenIndex(f, fix.index)
		if err != nil {
			t.Fatal(err)
		}
		if err := x.Verify(int64(len(fix.pack))); err != nil {
			t.Fatal(err)
		}
		if !bytes.Equal(x.PackChecksum(), fix.pack[len(fix.pack)-f.Size():]) {
			t.Errorf("%s: checksum %x of the pack", f, x.PackChecksum())
		}
		got := pack.AppendIndex(f, []byte("front"), entriesOf(x), x.PackChecksum())
		if !bytes.Equal(got, append([]byte("front"), fix.index...)) {
			t.Errorf("%s: index differs from git's", f)
		}
		if n := testing.AllocsPerRun(10, func() { x.Find(x.ID(3)) }); n > 0 {
			t.Errorf("Find allocates %v times", n)
		}
	}
}

// Git is made to use the table of large offsets for small ones.
func TestLargeOffsetsOfGit(t *testing.T) {
	fix := newFixture(t, git.SHA1, 10)
	file := filepath.Join(t.TempDir(), "large.idx")
	stockGit(t, fix.dir, nil, "index-pack", "--index-version=2,0x100", "-o", file, fix.file+".pack")
	data, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if len(data) == len(fix.index) {
		t.Fatal("no large offsets")
	}
	x, err := pack.OpenIndex(git.SHA1, data)
	if err != nil {
		t.Fatal(err)
	}
	if err := x.Verify(int64(len(fix.pack))); err != nil {
		t.Error(err)
	}
	plain, err := pack.OpenIndex(git.SHA1, fix.index)
	if err != nil {
		t.Fatal(err)
	}
	for at := range x.Count() {
		if x.Offset(at) != plain.Offset(at) {
			t.Fatalf("offset %d at place %d, want %d", x.Offset(at), at, plain.Offset(at))
		}
	}
}

// Git reads what we write for offsets of 2 GiB and more.
func TestLargeOffsetsOfOurs(t *testing.T) {
	entries := []pack.IndexEntry{
		{ID: git.ID{1, 1}, Offset: 12, CRC: 1},
		{ID: git.ID{1, 2}, Offset: 1<<31 - 1, CRC: 2},
		{ID: git.ID{2, 1}, Offset: 1 << 31, CRC: 3},
		{ID: git.ID{0xff, 1}, Offset: 1<<40 + 7, CRC: 4},
		{ID: git.ID{0, 1}, Offset: 1<<32 + 5, CRC: 5},
	}
	data := pack.AppendIndex(git.SHA1, nil, entries, make([]byte, 20))
	x, err := pack.OpenIndex(git.SHA1, data)
	if err != nil {
		t.Fatal(err)
	}
	if err := x.Verify(1 << 41); err != nil {
		t.Error(err)
	}
	if err := x.Verify(1 << 40); !errors.Is(err, git.ErrCorrupt) {
		t.Errorf("of a pack too short: %v", err)
	}
	var want strings.Builder
	for i, e := range entries {
		if at, ok := x.Find(e.ID); !ok || at != i || x.Offset(at) != e.Offset || x.CRC(at) != e.CRC {
			t.Errorf("%s: place %d, offset %d", e.ID, at, x.Offset(at))
		}
		fmt.Fprintf(&want, "%d %s (%08x)\n", e.Offset, git.SHA1.Hex(e.ID), e.CRC)
	}
	if got := stockGit(t, t.TempDir(), bytes.NewReader(data), "show-index"); string(got) != want.String() {
		t.Errorf("git reads\n%swant\n%s", got, want.String())
	}
	damaged := bytes.Clone(data)
	binary.BigEndian.PutUint32(damaged[8+1024+5*24:], 1<<31+9) // beyond the table
	if x, err = pack.OpenIndex(git.SHA1, damaged); err != nil || x.Offset(0) != -1 {
		t.Errorf("large offset beyond its table: %d, %v", x.Offset(0), err)
	}
}

func TestFindAndPrefix(t *testing.T) {
	rng := rand.New(rand.NewPCG(11, 12))
	random := func() (id git.ID) {
		for i := range 20 {
			id[i] = byte(rng.Uint32())
		}
		return id
	}
	for _, count := range []int{0, 1, 2, 300, 5_000} {
		for _, skewed := range []bool{false, true} {
			entries := make([]pack.IndexEntry, count)
			for i := range entries {
				id := random()
				if skewed { // nearly all ids alike, as nobody could make them
					id[0], id[1], id[2] = 7, byte(rng.IntN(2))*255, byte(rng.IntN(2))
				}
				entries[i] = pack.IndexEntry{ID: id, Offset: int64(12 + i)}
			}
			data := pack.AppendIndex(git.SHA1, nil, entries, make([]byte, 20))
			x, err := pack.OpenIndex(git.SHA1, data)
			if err != nil {
				t.Fatal(err)
			}
			for i, e := range entries {
				if at, ok := x.Find(e.ID); !ok || at != i {
					t.Fatalf("%d objects: place %d is found at %d, %v", count, i, at, ok)
				}
			}
			digits := []string{"0", "7", "f", "00", "ff", "07", "0700", "07ff01", "fffffffff", "g", "0g", "", strings.Repeat("0", 41)}
			for range 60 {
				id := random()
				if _, ok := x.Find(id); ok {
					t.Fatalf("found %s", id)
				}
				if count > 0 && rng.IntN(2) == 0 {
					id = entries[rng.IntN(count)].ID
				}
				h := git.SHA1.Hex(id)
				digits = append(digits, h[:1+rng.IntN(6)], h[:1+rng.IntN(40)], h)
			}
			for _, d := range digits {
				has := func(e pack.IndexEntry) bool { return d != "" && strings.HasPrefix(git.SHA1.Hex(e.ID), d) }
				first := max(0, slices.IndexFunc(entries, has))
				n := 0
				for _, e := range entries[first:] {
					if !has(e) {
						break
					}
					n++
				}
				from, to := x.Prefix(d)
				if to-from != n || n > 0 && from != first {
					t.Fatalf("%d objects, prefix %q: %d to %d, want %d from %d", count, d, from, to, n, first)
				}
			}
		}
	}
}

func TestOpenIndexRefuses(t *testing.T) {
	entries := []pack.IndexEntry{{ID: git.ID{5}, Offset: 12}, {ID: git.ID{9}, Offset: 30}}
	good := pack.AppendIndex(git.SHA1, nil, entries, make([]byte, 20))
	for name, change := range map[string]func(p []byte) []byte{
		"no bytes":       func([]byte) []byte { return nil },
		"signature":      func(p []byte) []byte { p[0] = 0; return p },
		"version 3":      func(p []byte) []byte { p[7] = 3; return p },
		"fan-out falls":  func(p []byte) []byte { p[8+4*100+3] = 0; return p },
		"huge count":     func(p []byte) []byte { copy(p[8+4*255:], "\xff\xff\xff\xff"); return p },
		"a byte short":   func(p []byte) []byte { return p[:len(p)-1] },
		"a byte long":    func(p []byte) []byte { return append(p, 0) },
		"3 large ones":   func(p []byte) []byte { return append(p, make([]byte, 24)...) },
		"header only":    func(p []byte) []byte { return p[:8+1024] },
		"count too high": func(p []byte) []byte { p[8+4*255+3] = 3; return p },
	} {
		if _, err := pack.OpenIndex(git.SHA1, change(bytes.Clone(good))); !errors.Is(err, git.ErrCorrupt) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestIndexVerify(t *testing.T) {
	id := func(s string) (id git.ID) { hex.Decode(id[:], []byte(s)); return id }
	entries := func() []pack.IndexEntry {
		return []pack.IndexEntry{{ID: id("05"), Offset: 12}, {ID: id("0501"), Offset: 30}, {ID: id("09"), Offset: 50}}
	}
	for name, change := range map[string]func(e []pack.IndexEntry){
		"in the header":  func(e []pack.IndexEntry) { e[0].Offset = 11 },
		"in the trailer": func(e []pack.IndexEntry) { e[0].Offset = 80 },
		"twice":          func(e []pack.IndexEntry) { e[0].Offset = 50 },
	} {
		e := entries()
		change(e)
		x, err := pack.OpenIndex(git.SHA1, pack.AppendIndex(git.SHA1, nil, e, make([]byte, 20)))
		if err != nil {
			t.Fatal(err)
		}
		if err := x.Verify(100); !errors.Is(err, git.ErrCorrupt) {
			t.Errorf("%s: %v", name, err)
		}
	}
	const ids = 8 + 1024
	for name, change := range map[string]func(p []byte){
		"order":    func(p []byte) { p[ids+1] = 2 },
		"fan-out":  func(p []byte) { p[ids+40] = 8 },
		"checksum": func(p []byte) { p[len(p)-1]++ },
	} {
		p := pack.AppendIndex(git.SHA1, nil, entries(), make([]byte, 20))
		change(p)
		if name != "checksum" {
			resum(p)
		}
		x, err := pack.OpenIndex(git.SHA1, p)
		if err != nil {
			t.Fatal(err)
		}
		if err := x.Verify(100); !errors.Is(err, git.ErrCorrupt) {
			t.Errorf("%s: %v", name, err)
		}
	}
}
