package pack_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"maps"
	"math/rand/v2"
	"strings"
	"sync"
	"testing"

	"github.com/ingot-forge/ingot/git"
	"github.com/ingot-forge/ingot/git/pack"
)

func TestVerify(t *testing.T) {
	for _, f := range []git.Format{git.SHA1, git.SHA256} {
		x := newFixture(t, f, 60, "repack.useDeltaBaseOffset=false")
		for _, view := range []int{0, 777} {
			p := x.mustOpen(t, view, nil)
			var mu sync.Mutex
			seen := make(map[git.ID]bool)
			last := 0
			err := p.Verify(context.Background(), func(id git.ID, kind git.Kind, data []byte) error {
				mu.Lock()
				defer mu.Unlock()
				want := x.objects[id]
				if seen[id] || kind != want.kind || !bytes.Equal(data, want.data) {
					t.Errorf("%s: seen %v, %s; differs from git's", id, seen[id], kind)
				}
				seen[id] = true
				return nil
			}, func(done, total int) {
				if total != len(x.objects) || done <= 0 || done > total {
					t.Errorf("progress: %d of %d", done, total)
				}
				last = max(last, done)
			})
			if err != nil || len(seen) != len(x.objects) || last != len(x.objects) {
				t.Errorf("%d of %d objects seen, progress to %d, %v", len(seen), len(x.objects), last, err)
			}
		}
	}
}

func TestVerifyHandsOnErrors(t *testing.T) {
	x := newFixture(t, git.SHA1, 20)
	p := x.mustOpen(t, 0, nil)
	stop := errors.New("stop")
	if err := p.Verify(context.Background(), func(git.ID, git.Kind, []byte) error { return stop }, nil); !errors.Is(err, stop) {
		t.Errorf("visit's error became %v", err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if err := p.Verify(ctx, nil, nil); !errors.Is(err, context.Canceled) {
		t.Errorf("cancelled: %v", err)
	}
}

// A blob beyond StreamBytes is verified without being held in memory.
func TestVerifyStreams(t *testing.T) {
	large := make([]byte, pack.StreamBytes+5)
	rng := rand.New(rand.NewPCG(5, 6))
	for i := range large {
		large[i] = byte(rng.Uint32()) & 15
	}
	id, err := git.NewHasher(git.SHA1).Hash(git.KindBlob, large)
	if err != nil {
		t.Fatal(err)
	}
	data, index := writePack(t, git.SHA1, []object{{git.KindBlob, large}, {git.KindBlob, []byte("small")}})
	visits := 0
	visit := func(got git.ID, kind git.Kind, data []byte) error {
		visits++
		if got == id && data != nil {
			t.Error("the large blob comes with content")
		}
		return nil
	}
	p, err := open(git.SHA1, data, index, 5000, nil)
	if err != nil {
		t.Fatal(err)
	}
	if err := p.Verify(context.Background(), visit, nil); err != nil || visits != 2 {
		t.Errorf("%d visits, %v", visits, err)
	}
	data[len(data)/2] ^= 4
	if p, err = open(git.SHA1, data, index, 0, nil); err != nil {
		t.Fatal(err)
	}
	if err := p.Verify(context.Background(), nil, nil); !errors.Is(err, git.ErrCorrupt) {
		t.Errorf("damaged: %v", err)
	}
}

// Whichever byte of a pack or an index is changed, Verify finds it, and no
// reading panics or takes absurd memory.
func TestDamageIsFound(t *testing.T) {
	ctx := context.Background()
	x := newFixture(t, git.SHA1, 8)
	rng := rand.New(rand.NewPCG(7, 8))
	flips := 250
	if testing.Short() {
		flips = 50
	}
	for n := range flips {
		data, index := bytes.Clone(x.pack), bytes.Clone(x.index)
		damaged, where := data, "pack"
		if n%2 == 1 {
			damaged, where = index, "index"
		}
		at := rng.IntN(len(damaged))
		switch n % 8 { // the dense parts get more than their share
		case 0, 2:
			at = rng.IntN(min(2000, len(damaged)))
		case 1:
			at = len(damaged) - 1 - rng.IntN(600)
		}
		mask := byte(1 << rng.IntN(8))
		damaged[at] ^= mask
		p, err := open(git.SHA1, data, index, 0, pack.NewCache(1<<20))
		if err == nil {
			for at := range p.Index().Count() {
				p.Header(ctx, at)
				p.Object(ctx, at)
				p.Entry(ctx, at)
			}
			err = p.Verify(ctx, nil, nil)
		}
		if !errors.Is(err, git.ErrCorrupt) {
			t.Fatalf("byte %d of the %s changed by %#x: %v", at, where, mask, err)
		}
	}
}

// The checksums are no precondition: with the trailers made right again, what
// they covered is found by the rest.
func TestDamageIsFoundBehindChecksums(t *testing.T) {
	ctx := context.Background()
	x := newFixture(t, git.SHA1, 8)
	rng := rand.New(rand.NewPCG(9, 10))
	unnoticed := 0
	for range 150 {
		data := bytes.Clone(x.pack)
		at := 12 + rng.IntN(len(data)-32)
		data[at] ^= 1 << rng.IntN(8)
		resum(data)
		p0 := x.mustOpen(t, 0, nil)
		entries := make([]pack.IndexEntry, p0.Index().Count())
		for i := range entries {
			e, err := p0.Entry(ctx, i)
			if err != nil {
				t.Fatal(err)
			}
			entries[i] = pack.IndexEntry{ID: p0.Index().ID(i), Offset: e.Offset, CRC: crcOf(data[e.Offset:e.End])}
		}
		p, err := open(git.SHA1, data, pack.AppendIndex(git.SHA1, nil, entries, data[len(data)-20:]), 0, nil)
		if err != nil {
			t.Fatal(err)
		}
		if err := p.Verify(ctx, nil, nil); err == nil {
			// The one change that may go unnoticed is one that changes no object.
			for i := range p.Index().Count() {
				kind, content, err := p.Object(ctx, i)
				if want := x.objects[p.Index().ID(i)]; err != nil || kind != want.kind || !bytes.Equal(content, want.data) {
					t.Fatalf("byte %d changed: verified, but object differs, %v", at, err)
				}
			}
			unnoticed++
		} else if !errors.Is(err, git.ErrCorrupt) {
			t.Fatal(err)
		}
	}
	if unnoticed > 15 {
		t.Errorf("%d of 150 changes unnoticed", unnoticed)
	}
}

// VerifyAll tells of each damaged object and visits all that do not need one,
// whether CRCs show the damage or only what inflates from it.
func TestVerifyAll(t *testing.T) {
	ctx := context.Background()
	x := newFixture(t, git.SHA1, 30)
	sound := x.mustOpen(t, 0, nil)
	n := sound.Index().Count()
	entries := make([]pack.Entry, n)
	for i := range entries {
		var err error
		if entries[i], err = sound.Entry(ctx, i); err != nil {
			t.Fatal(err)
		}
	}
	data := bytes.Clone(x.pack)
	damaged := make(map[int]bool)
	// needs reports whether object i is made from a damaged one.
	needs := func(i int) bool {
		for entries[i].Kind.IsDelta() {
			var err error
			if i, err = sound.At(entries[i].Base); err != nil {
				t.Fatal(err)
			}
			if damaged[i] {
				return true
			}
		}
		return false
	}
	for i := 3; i < n; i += n / 5 {
		damaged[i] = true
	}
	maps.DeleteFunc(damaged, func(i int, _ bool) bool { return needs(i) }) // only CRCs would tell of these
	for i := range damaged {
		data[entries[i].End-3] ^= 0x55 // in the checksum of the stream
	}
	lost := 0 // made from damaged objects
	want := make(map[git.ID]bool)
	for i := range entries {
		switch {
		case damaged[i]:
		case needs(i):
			lost++
		default:
			want[sound.Index().ID(i)] = true
		}
	}
	if len(damaged) < 2 || lost == 0 || len(want) < n/4 {
		t.Fatalf("of %d objects %d are damaged, %d lost and %d left: not worth testing", n, len(damaged), lost, len(want))
	}

	resummed := bytes.Clone(data)
	resum(resummed)
	index := make([]pack.IndexEntry, n)
	for i, e := range entries {
		index[i] = pack.IndexEntry{ID: sound.Index().ID(i), Offset: e.Offset, CRC: crcOf(data[e.Offset:e.End])}
	}
	for what, files := range map[string][2][]byte{
		"checksum does not match": {data, x.index},
		"":                        {resummed, pack.AppendIndex(git.SHA1, nil, index, resummed[len(resummed)-20:])},
	} {
		p, err := open(git.SHA1, files[0], files[1], 0, nil)
		if err != nil {
			t.Fatal(err)
		}
		var mu sync.Mutex
		seen := make(map[git.ID]bool)
		var faults []string
		err = p.VerifyAll(ctx, func(id git.ID, _ git.Kind, _ []byte) error {
			mu.Lock()
			defer mu.Unlock()
			seen[id] = true
			return nil
		}, func(err error) error {
			faults = append(faults, err.Error())
			return nil
		}, nil)
		if err != nil {
			t.Fatal(err)
		}
		if !maps.Equal(seen, want) {
			t.Errorf("%q: %d objects seen, want %d others", what, len(seen), len(want))
		}
		told := strings.Join(faults, "\n") + "\n"
		parts := []string{what, fmt.Sprintf("%d objects are made from damaged ones", lost)}
		for i := range damaged {
			parts = append(parts, fmt.Sprintf("offset %d:", entries[i].Offset))
		}
		for _, part := range parts {
			if !strings.Contains(told, part) {
				t.Errorf("%q: no fault says %q", what, part)
			}
		}
		if most := len(damaged) + 2; len(faults) > most {
			t.Errorf("%q: %d faults, want at most %d:\n%s", what, len(faults), most, told)
		}
	}

	p, err := open(git.SHA1, data, x.index, 0, nil)
	if err != nil {
		t.Fatal(err)
	}
	stop := errors.New("stop")
	if err := p.VerifyAll(ctx, nil, func(error) error { return stop }, nil); !errors.Is(err, stop) {
		t.Errorf("fault's error became %v", err)
	}
}
