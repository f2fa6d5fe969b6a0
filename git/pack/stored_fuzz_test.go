package pack_test

import (
	"context"
	"errors"
	"io"
	"testing"

	"github.com/ingot-forge/ingot/git"
	"github.com/ingot-forge/ingot/git/pack"
)

// FuzzStored reads any bytes as a stored pack and its index. Whatever they are,
// reading ends in an object or in an error that says corrupt, never in a panic,
// and what Verify lets pass reads without one.
func FuzzStored(f *testing.F) {
	h := &handmade{}
	base := h.add(1, []byte{0xba, 0x01}, []byte("0123456789abcdefghijklmnop"))
	delta := []byte("\x1a\x1c\x90\x1a\x02xy")
	at := int64(12 + len(h.body))
	h.add(2, append([]byte{0xe7 &^ 0x80}, byte(at-base)), delta)
	h.add(3, refHead(len(delta), 1), delta)
	data := append([]byte{'P', 'A', 'C', 'K', 0, 0, 0, 2, 0, 0, 0, byte(len(h.entries))}, h.body...)
	data = append(data, make([]byte, 20)...)
	f.Add(data, pack.AppendIndex(git.SHA1, nil, h.entries, data[len(data)-20:]))
	f.Add([]byte("PACK\x00\x00\x00\x02\x00\x00\x00\x00"), []byte("\xfftOc\x00\x00\x00\x02"))
	f.Fuzz(func(t *testing.T, data, index []byte) {
		ctx := context.Background()
		for _, view := range []int{0, 5} {
			p, err := open(git.SHA1, data, index, view, pack.NewCache(1<<20))
			if err != nil {
				if !errors.Is(err, git.ErrCorrupt) {
					t.Fatalf("open: %v", err)
				}
				return
			}
			whole := p.Verify(ctx, nil, nil) == nil
			for place := range min(p.Index().Count(), 50) {
				id := p.Index().ID(place)
				if found, ok := p.Index().Find(id); whole && (!ok || p.Index().ID(found) != id) {
					t.Fatalf("%s is at place %d, but Find says %d, %v", id, place, found, ok)
				}
				_, content, err := p.Object(ctx, place)
				if err == nil && len(content) > 1<<26 {
					t.Fatalf("%d bytes out of %d", len(content), len(data))
				}
				if err != nil && (whole || !errors.Is(err, git.ErrCorrupt) && !errors.Is(err, io.ErrUnexpectedEOF) && !errors.Is(err, git.ErrNotFound)) {
					t.Fatalf("object at place %d of a pack that is whole=%v: %v", place, whole, err)
				}
				if _, _, err := p.Header(ctx, place); err != nil && whole {
					t.Fatalf("header at place %d: %v", place, err)
				}
			}
		}
	})
}
