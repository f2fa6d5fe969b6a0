package pack_test

import (
	"bytes"
	"context"
	"crypto/sha1"
	"errors"
	"testing"

	"github.com/ingot-forge/ingot/git"
	"github.com/ingot-forge/ingot/git/pack"
)

// FuzzReceive feeds arbitrary bytes, whose trailer is mended so that more than
// the trailer is tested. What is received must be a pack that can be opened and
// verified; it must not matter how the bytes arrive and how much memory there is.
func FuzzReceive(f *testing.F) {
	b := newBuilder(git.SHA1)
	at := b.whole(git.KindBlob, base)
	next := b.ofs(at, deltaOf(20, 30, copyOp(0, 20), insertOp("and ten mo")))
	b.ofs(next, deltaOf(30, 5, insertOp("small")))
	b.ref(idOf(f, git.KindBlob, "small"), deltaOf(5, 10, copyOp(0, 5), copyOp(0, 5)))
	b.whole(git.KindTree, "")
	f.Add(b.bytes(), uint16(0))
	b = newBuilder(git.SHA1)
	b.ref(idOf(f, git.KindBlob, base), deltaOf(20, 3, insertOp("end")))
	b.ref(idOf(f, git.KindBlob, "end"), deltaOf(3, 4, copyOp(0, 3), insertOp("!")))
	f.Add(b.bytes(), uint16(7))
	f.Add(newBuilder(git.SHA1).bytes(), uint16(1))

	bases := git.Memory{idOf(f, git.KindBlob, base): {Kind: git.KindBlob, Data: []byte(base)}}
	f.Fuzz(func(t *testing.T, data []byte, size uint16) {
		if len(data) > sha1.Size {
			sum := sha1.Sum(data[:len(data)-sha1.Size])
			data = append(bytes.Clone(data[:len(data)-sha1.Size]), sum[:]...)
		}
		limits := pack.Limits{ObjectBytes: 1 << 20, Objects: 1000, DeltaDepth: 100}
		d := new(draft)
		r, err := pack.Receive(t.Context(), bytes.NewReader(data), d, pack.Options{Bases: bases, Limits: limits})
		limits.MemoryBytes = 1
		d2 := new(draft)
		r2, err2 := pack.Receive(t.Context(), pieces{bytes.NewReader(data), 1 + int(size)}, d2,
			pack.Options{Bases: bases, Limits: limits})
		if (err == nil) != (err2 == nil) {
			t.Fatalf("in one piece: %v; in pieces of %d: %v", err, 1+int(size), err2)
		}
		if err != nil {
			if limit := (*pack.LimitError)(nil); !errors.Is(err, git.ErrCorrupt) && !errors.As(err, &limit) {
				t.Fatal(err)
			}
			return
		}
		if !bytes.Equal(r.Index, r2.Index) || !bytes.Equal(d.data, d2.data) {
			t.Fatal("result depends on how the bytes arrive")
		}
		p, err := open(git.SHA1, d.data, r.Index, 0, nil)
		if err != nil {
			t.Fatal(err)
		}
		if err := p.Verify(context.Background(), nil, nil); err != nil {
			t.Fatal(err)
		}
	})
}
