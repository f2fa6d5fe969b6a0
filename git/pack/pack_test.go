package pack_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"strings"
	"sync"
	"testing"

	"github.com/ingot-forge/ingot/git"
	"github.com/ingot-forge/ingot/git/pack"
)

// Every object of packs that git made must come out as git itself has it,
// however the source splits its views and whatever the cache keeps.
func TestObjectsAreThoseOfGit(t *testing.T) {
	ctx := context.Background()
	for _, f := range []git.Format{git.SHA1, git.SHA256} {
		for _, config := range []string{"repack.useDeltaBaseOffset=true", "repack.useDeltaBaseOffset=false"} {
			x := newFixture(t, f, 60, config)
			deltas := 0
			for _, view := range []int{0, 1 << 20, 4096, 61, 3} {
				for _, cache := range []*pack.Cache{nil, pack.NewCache(10_000), pack.NewCache(64 << 20)} {
					p := x.mustOpen(t, view, cache)
					if p.Index().Count() != len(x.objects) {
						t.Fatalf("%d objects, want %d", p.Index().Count(), len(x.objects))
					}
					for _, at := range rand.Perm(p.Index().Count()) {
						id := p.Index().ID(at)
						want := x.objects[id]
						kind, size, err := p.Header(ctx, at)
						if err != nil || kind != want.kind || size != int64(len(want.data)) {
							t.Fatalf("header of %s: %s of %d bytes, %v; want %s of %d", id, kind, size, err, want.kind, len(want.data))
						}
						kind, data, err := p.Object(ctx, at)
						if err != nil || kind != want.kind || !bytes.Equal(data, want.data) {
							t.Fatalf("%s: %s, %v; differs from git's", id, kind, err)
						}
						e, err := p.Entry(ctx, at)
						if err != nil {
							t.Fatal(err)
						}
						if e.Kind.IsDelta() {
							deltas++
						}
					}
				}
			}
			if deltas < 100 {
				t.Errorf("%d deltas: the fixture tests too little", deltas)
			}
		}
	}
}

// Entries, their streams and the reverse index fit together without a gap.
func TestEntriesTileThePack(t *testing.T) {
	ctx := context.Background()
	x := newFixture(t, git.SHA1, 60)
	p := x.mustOpen(t, 1000, nil)
	offset, trailer := int64(12), int64(len(x.pack)-20)
	for n := 0; offset < trailer; n++ {
		at, err := p.At(offset)
		if err != nil {
			t.Fatal(err)
		}
		e, err := p.Entry(ctx, at)
		if err != nil {
			t.Fatal(err)
		}
		if e.Offset != offset || p.Index().Offset(at) != offset || e.CRC != p.Index().CRC(at) {
			t.Fatalf("entry at %d is said to be at %d", offset, e.Offset)
		}
		var stream bytes.Buffer
		if err := p.Copy(ctx, &stream, e); err != nil {
			t.Fatal(err)
		}
		content := make([]byte, e.Size)
		if n, err := pack.Inflate(content, stream.Bytes()); err != nil || n != stream.Len() {
			t.Fatalf("entry at %d: took %d of %d bytes, %v", offset, n, stream.Len(), err)
		}
		z, err := p.Content(ctx, e)
		if err != nil {
			t.Fatal(err)
		}
		if streamed, err := io.ReadAll(z); err != nil || !bytes.Equal(streamed, content) {
			t.Fatalf("entry at %d: streamed content differs, %v", offset, err)
		}
		if _, err := p.At(offset + 1); !errors.Is(err, git.ErrCorrupt) {
			t.Fatalf("an entry at %d: %v", offset+1, err)
		}
		offset = e.End
	}
	if offset != trailer {
		t.Errorf("entries end at %d, trailer is at %d", offset, trailer)
	}
}

func TestObjectFromManyGoroutines(t *testing.T) {
	x := newFixture(t, git.SHA1, 60)
	p := x.mustOpen(t, 0, pack.NewCache(300_000))
	var wg sync.WaitGroup
	for g := range 8 {
		wg.Go(func() {
			rng := rand.New(rand.NewPCG(uint64(g), 1))
			for range 300 {
				at := rng.IntN(p.Index().Count())
				want := x.objects[p.Index().ID(at)]
				kind, data, err := p.Object(context.Background(), at)
				if err != nil || kind != want.kind || !bytes.Equal(data, want.data) {
					t.Errorf("place %d: %s, %v", at, kind, err)
				}
				if _, err := p.Entry(context.Background(), at); err != nil {
					t.Error(err)
				}
			}
		})
	}
	wg.Wait()
}

func TestOpenRefuses(t *testing.T) {
	x := newFixture(t, git.SHA1, 5)
	for name, change := range map[string]func(p []byte) []byte{
		"no bytes":  func([]byte) []byte { return nil },
		"signature": func(p []byte) []byte { p[0] = 'p'; return p },
		"version 3": func(p []byte) []byte { p[7] = 3; return p },
		"count":     func(p []byte) []byte { p[11]++; return p },
		"too short": func(p []byte) []byte { return p[:31] },
	} {
		if _, err := open(git.SHA1, change(bytes.Clone(x.pack)), x.index, 0, nil); !errors.Is(err, git.ErrCorrupt) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// handmade is a pack of entries written byte by byte, under ids that need not be true.
type handmade struct {
	body    []byte
	entries []pack.IndexEntry
}

func (h *handmade) add(id byte, head, content []byte) int64 {
	offset := int64(12 + len(h.body))
	h.body = pack.Deflate(append(h.body, head...), content)
	h.entries = append(h.entries, pack.IndexEntry{ID: git.ID{id}, Offset: offset})
	return offset
}

func (h *handmade) open(t *testing.T) *pack.Pack {
	data := append([]byte{'P', 'A', 'C', 'K', 0, 0, 0, 2, 0, 0, 0, byte(len(h.entries))}, h.body...)
	data = append(data, make([]byte, 20)...)
	p, err := open(git.SHA1, data, pack.AppendIndex(git.SHA1, nil, h.entries, data[len(data)-20:]), 0, nil)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func refHead(size int, id byte) []byte {
	return append([]byte{0x70 | byte(size), id}, make([]byte, 19)...)
}

func TestDamagedChains(t *testing.T) {
	ctx := context.Background()
	delta := []byte{1, 1, 1, 'x'} // whatever of one byte becomes "x"
	cases := map[string]func(h *handmade){
		"circle of one":  func(h *handmade) { h.add(1, refHead(4, 1), delta) },
		"circle of two":  func(h *handmade) { h.add(1, refHead(4, 2), delta); h.add(2, refHead(4, 1), delta) },
		"no such base":   func(h *handmade) { h.add(1, refHead(4, 9), delta) },
		"base is itself": func(h *handmade) { h.add(1, []byte{0x64, 0}, delta) },
		"base in header": func(h *handmade) { h.add(1, []byte{0x64, 5}, delta) },
		"base far before": func(h *handmade) {
			h.add(1, []byte{0x64, 0xff, 0xff, 0xff, 0xff, 0x7f}, delta)
		},
		"endless base": func(h *handmade) { h.add(1, append([]byte{0x64}, bytes.Repeat([]byte{0xff}, 30)...), delta) },
		"endless size": func(h *handmade) { h.add(1, bytes.Repeat([]byte{0xb4}, 30), delta) },
		"type 0":       func(h *handmade) { h.add(1, []byte{0x04}, delta) },
		"type 5":       func(h *handmade) { h.add(1, []byte{0x54}, delta) },
		"size too big": func(h *handmade) { h.add(1, []byte{0x35}, delta) },
		"size in PiB":  func(h *handmade) { h.add(1, []byte{0xb4, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x7f}, delta) },
		"reserved 0": func(h *handmade) {
			h.add(1, refHead(4, 2), []byte{1, 1, 0, 'x'})
			h.add(2, []byte{0x31}, []byte("y"))
		},
		"base of 2": func(h *handmade) { h.add(1, refHead(4, 2), delta); h.add(2, []byte{0x32}, []byte("yy")) },
		"result in PiB": func(h *handmade) {
			h.add(1, refHead(11, 2), []byte{1, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x7f, 1, 'x', 'x'})
			h.add(2, []byte{0x31}, []byte("y"))
		},
	}
	for name, build := range cases {
		h := new(handmade)
		build(h)
		p := h.open(t)
		_, _, err := p.Object(ctx, 0)
		if !errors.Is(err, git.ErrCorrupt) || !strings.Contains(err.Error(), "offset 12") {
			t.Errorf("%s: %v", name, err)
		}
		if err := p.Verify(ctx, nil, nil); !errors.Is(err, git.ErrCorrupt) {
			t.Errorf("%s: verified with %v", name, err)
		}
		p.Header(ctx, 0) // whatever it says, it must end
	}
}

// Many RefDeltas in a row are followed without recursion, up to a limit.
func TestLongChain(t *testing.T) {
	ctx := context.Background()
	for _, length := range []int{200, 10_001} {
		h := &handmade{}
		base := h.add(0, []byte{0x31}, []byte("y"))
		for range length {
			back := int64(12+len(h.body)) - base
			base = h.add(0, []byte{0x64, byte(back)}, []byte{1, 1, 1, byte('a' + len(h.entries)%26)})
		}
		for i := range h.entries {
			h.entries[i].ID = git.ID{byte(i >> 8), byte(i)}
		}
		data := append([]byte{'P', 'A', 'C', 'K', 0, 0, 0, 2, 0, 0, byte(len(h.entries) >> 8), byte(len(h.entries))}, h.body...)
		data = append(data, make([]byte, 20)...)
		p, err := open(git.SHA1, data, pack.AppendIndex(git.SHA1, nil, h.entries, data[len(data)-20:]), 0, nil)
		if err != nil {
			t.Fatal(err)
		}
		_, got, err := p.Object(ctx, length)
		if length <= 10_000 {
			if want := fmt.Sprintf("%c", 'a'+length%26); err != nil || string(got) != want {
				t.Errorf("chain of %d: %q, %v; want %q", length, got, err, want)
			}
		} else if !errors.Is(err, git.ErrCorrupt) {
			t.Errorf("chain of %d: %v", length, err)
		}
	}
}
