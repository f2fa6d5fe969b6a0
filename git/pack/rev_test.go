package pack_test

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"os"
	"path/filepath"
	"testing"

	"github.com/ingot-forge/ingot/git"
	"github.com/ingot-forge/ingot/git/pack"
)

// stockRev is the reverse index that git makes of the fixture's pack.
func (x *fixture) stockRev(t testing.TB) []byte {
	t.Helper()
	dir := t.TempDir()
	file := filepath.Join(dir, "again.pack")
	if err := os.WriteFile(file, x.pack, 0o644); err != nil {
		t.Fatal(err)
	}
	stockGit(t, dir, nil, "index-pack", "--rev-index", "--object-format="+x.format.String(), file)
	rev, err := os.ReadFile(filepath.Join(dir, "again.rev"))
	if err != nil {
		t.Fatal(err)
	}
	return rev
}

func TestRevIsGits(t *testing.T) {
	for _, f := range []git.Format{git.SHA1, git.SHA256} {
		t.Run(f.String(), func(t *testing.T) {
			x := newFixture(t, f, 60)
			index, err := pack.OpenIndex(f, x.index)
			if err != nil {
				t.Fatal(err)
			}
			made, err := pack.NewRev(index)
			if err != nil {
				t.Fatal(err)
			}
			want := x.stockRev(t)
			if got := made.Append(f, []byte("before")); !bytes.Equal(got, append([]byte("before"), want...)) {
				t.Error("the bytes are not those of git index-pack --rev-index")
			}
			opened, err := pack.OpenRev(f, want, index)
			if err != nil {
				t.Fatal(err)
			}
			for _, r := range []*pack.Rev{made, opened} {
				checkRev(t, index, r)
			}
		})
	}
}

// checkRev checks r's answers for every entry, and for offsets where none starts.
func checkRev(t *testing.T, x *pack.Index, r *pack.Rev) {
	t.Helper()
	if err := r.Verify(); err != nil {
		t.Error(err)
	}
	if r.Count() != x.Count() {
		t.Fatalf("%d entries, want %d", r.Count(), x.Count())
	}
	last := int64(0)
	for rank := range r.Count() {
		offset := r.Offset(rank)
		if offset <= last || x.Offset(r.Place(rank)) != offset {
			t.Fatalf("rank %d: place %d, offset %d after %d", rank, r.Place(rank), offset, last)
		}
		if got, ok := r.Rank(offset); !ok || got != rank {
			t.Fatalf("Rank(%d) = %d, %v, want %d", offset, got, ok, rank)
		}
		if _, ok := r.Rank(offset - 1); ok && offset-1 != last {
			t.Fatalf("Rank(%d): nothing starts there", offset-1)
		}
		last = offset
	}
	for _, offset := range []int64{-1 << 63, -1, 0, 11, last + 1, 1<<63 - 1} {
		if _, ok := r.Rank(offset); ok {
			t.Errorf("Rank(%d): nothing starts there", offset)
		}
	}
}

// TestRevOfManySizes looks every entry up where offsets are spread evenly, where they
// are not at all, and where they leave no room to be sorted as numbers with their places.
func TestRevOfManySizes(t *testing.T) {
	for _, step := range []func(i int) int64{
		func(int) int64 { return 1 },
		func(i int) int64 { return int64(1 + i%300) },
		func(i int) int64 { return 1 + int64(1)<<(i%40)/1000 },
		func(i int) int64 { return 1 + int64(i)*int64(i) },
		func(i int) int64 { return 1 + int64(1)<<max(0, 58-i) },
	} {
		for _, n := range []int{0, 1, 2, 3, 100, 10_000} {
			entries := make([]pack.IndexEntry, n)
			offset := int64(12)
			for i := range entries {
				binary.BigEndian.PutUint64(entries[i].ID[:], uint64(i)*0x9e3779b97f4a7c15)
				entries[i].Offset = offset
				offset += step(i)
			}
			x, err := pack.OpenIndex(git.SHA1, pack.AppendIndex(git.SHA1, nil, entries, make([]byte, 20)))
			if err != nil {
				t.Fatal(err)
			}
			r, err := pack.NewRev(x)
			if err != nil {
				t.Fatal(err)
			}
			if n <= 100 {
				checkRev(t, x, r)
				continue
			}
			for rank := range n {
				if got, ok := r.Rank(r.Offset(rank)); !ok || got != rank {
					t.Fatalf("Rank(%d) = %d, %v, want %d", r.Offset(rank), got, ok, rank)
				}
			}
		}
	}
}

func TestNewRevOfBadOffsets(t *testing.T) {
	for _, offsets := range [][]int64{{11}, {0, 20}, {12, 30, 12}, {12, 1 << 62, 1 << 62}} {
		entries := make([]pack.IndexEntry, len(offsets))
		for i, offset := range offsets {
			entries[i] = pack.IndexEntry{ID: git.ID{byte(i)}, Offset: offset}
		}
		x, err := pack.OpenIndex(git.SHA1, pack.AppendIndex(git.SHA1, nil, entries, make([]byte, 20)))
		if err != nil {
			t.Fatal(err)
		}
		if _, err := pack.NewRev(x); !errors.Is(err, git.ErrCorrupt) {
			t.Errorf("offsets %d: %v, want git.ErrCorrupt", offsets, err)
		}
	}
}

func TestPackUsesRev(t *testing.T) {
	x := newFixture(t, git.SHA1, 60)
	computed, given := x.mustOpen(t, 0, nil), x.mustOpen(t, 0, nil)
	rev, err := pack.OpenRev(x.format, x.stockRev(t), given.Index())
	if err != nil {
		t.Fatal(err)
	}
	given.UseRev(rev)
	if got, err := given.Rev(); err != nil || got != rev {
		t.Errorf("Rev() = %p, %v, want the one given, %p", got, err, rev)
	}
	ctx := context.Background()
	offset := int64(12)
	for range x.objects {
		at, err := computed.At(offset)
		if err != nil {
			t.Fatal(err)
		}
		want, err := computed.Entry(ctx, at)
		if err != nil {
			t.Fatal(err)
		}
		if got, err := given.Entry(ctx, at); err != nil || got != want {
			t.Fatalf("Entry(%d) = %+v, %v, want %+v", at, got, err, want)
		}
		offset = want.End
	}
	for rank := range rev.Count() {
		want, err := computed.Entry(ctx, rev.Place(rank))
		if err != nil {
			t.Fatal(err)
		}
		for _, p := range []*pack.Pack{given, computed} {
			if got, err := p.EntryAt(ctx, rank); err != nil || got != want {
				t.Fatalf("EntryAt(%d) = %+v, %v, want %+v", rank, got, err, want)
			}
		}
	}
}

// TestDamagedRev damages each byte of a reverse index: it is told at once, or by Verify, and
// never does a pack return another object's entry or panic.
func TestDamagedRev(t *testing.T) {
	x := newFixture(t, git.SHA1, 10)
	sound := x.mustOpen(t, 0, nil)
	rev := x.stockRev(t)
	ctx := context.Background()
	for i := range rev {
		damaged := bytes.Clone(rev)
		damaged[i] ^= 0x81
		r, err := pack.OpenRev(x.format, damaged, sound.Index())
		if err == nil {
			err = r.Verify()
		}
		if !errors.Is(err, git.ErrCorrupt) {
			t.Fatalf("byte %d: %v, want git.ErrCorrupt", i, err)
		}
		if r == nil || i%4 != 3 {
			continue
		}
		p := x.mustOpen(t, 0, nil)
		p.UseRev(r)
		for at := range sound.Index().Count() {
			want, err := sound.Entry(ctx, at)
			if err != nil {
				t.Fatal(err)
			}
			got, err := p.Entry(ctx, at)
			if err == nil {
				got.End = want.End // the CRC tells whether it is right
			}
			if err == nil && got != want || err != nil && !errors.Is(err, git.ErrCorrupt) {
				t.Fatalf("byte %d: Entry(%d) = %+v, %v, want %+v", i, at, got, err, want)
			}
		}
	}
	for _, n := range []int{0, 11, 12, len(rev) - 1} {
		if _, err := pack.OpenRev(x.format, rev[:n], sound.Index()); !errors.Is(err, git.ErrCorrupt) {
			t.Errorf("%d bytes: %v, want git.ErrCorrupt", n, err)
		}
	}
}

func FuzzOpenRev(f *testing.F) {
	x := newFixture(f, git.SHA1, 5)
	p := x.mustOpen(f, 0, nil)
	f.Add(x.stockRev(f))
	f.Fuzz(func(t *testing.T, data []byte) {
		r, err := pack.OpenRev(x.format, data, p.Index())
		if err != nil {
			if !errors.Is(err, git.ErrCorrupt) {
				t.Fatal(err)
			}
			return
		}
		for rank := range r.Count() {
			r.Place(rank)
		}
		for at := range r.Count() {
			offset := p.Index().Offset(at)
			if rank, ok := r.Rank(offset); ok && r.Offset(rank) != offset {
				t.Fatalf("Rank(%d) = %d, which is at %d", offset, rank, r.Offset(rank))
			}
		}
		if r.Verify() == nil && !bytes.Equal(r.Append(x.format, nil), data) {
			t.Fatal("verified, but not what is written")
		}
		opened := x.mustOpen(t, 0, nil)
		opened.UseRev(r)
		for at := range r.Count() {
			if _, err := opened.Entry(context.Background(), at); err != nil && !errors.Is(err, git.ErrCorrupt) {
				t.Fatal(err)
			}
		}
	})
}

func BenchmarkRank(b *testing.B) {
	x := newFixture(b, git.SHA1, 2000)
	index, err := pack.OpenIndex(x.format, x.index)
	if err != nil {
		b.Fatal(err)
	}
	r, err := pack.NewRev(index)
	if err != nil {
		b.Fatal(err)
	}
	for i := 0; b.Loop(); i++ {
		at := i * 7919 % r.Count()
		if rank, ok := r.Rank(index.Offset(at)); !ok || r.Place(rank) != at {
			b.Fatal("wrong rank")
		}
	}
}
