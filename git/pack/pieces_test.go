package pack_test

import (
	"bytes"
	"errors"
	"fmt"
	"testing"

	"pgregory.net/rapid"

	"github.com/ingot-forge/ingot/git"
	"github.com/ingot-forge/ingot/git/pack"
)

// descend makes versions upon versions, and their pieces in terms of the first.
func descend(t *rapid.T, origin []byte) ([]byte, *pack.Pieces) {
	data, pieces := origin, pack.NewPieces(len(origin))
	for range rapid.IntRange(0, 6).Draw(t, "generations") {
		next := edited(t, data)
		delta := pack.NewDeltaIndex(data).Create(nil, next, 0)
		if delta == nil {
			continue // nothing is left of it
		}
		var err error
		if pieces, err = pieces.Apply(delta); err != nil {
			t.Fatal(err)
		}
		data = next
	}
	return data, pieces
}

func TestDeltasBetweenRelatives(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		origin := rapid.SliceOfN(rapid.ByteRange('a', 'f'), 1, 5000).Draw(t, "origin")
		base, has := descend(t, origin)
		target, wants := descend(t, origin)
		if has.Size() != len(base) || wants.Size() != len(target) {
			t.Fatalf("sizes %d and %d, want %d and %d", has.Size(), wants.Size(), len(base), len(target))
		}
		asked := false
		delta, err := wants.Delta([]byte("front"), has, 1<<30, func() ([]byte, error) { asked = true; return target, nil })
		if err != nil {
			t.Fatal(err)
		}
		if len(target) == 0 {
			if delta != nil {
				t.Fatalf("a delta that makes nothing: %q", delta)
			}
			return
		}
		delta, ok := bytes.CutPrefix(delta, []byte("front"))
		if got, err := pack.ApplyDelta(nil, base, delta, 1<<30); !ok || err != nil || !bytes.Equal(got, target) {
			t.Fatalf("applied: %.40q, %v, want %.40q (content asked: %v)", got, err, target, asked)
		}
	})
}

// What only goes down a chain of deltas needs no content, and what comes up one
// says of the object no more than the base lacks.
func TestDeltaOfPiecesIsSmall(t *testing.T) {
	var origin []byte
	for i := range 500 {
		origin = fmt.Appendf(origin, "%x\n", i*i*i)
	}
	origin = append(append(bytes.Clone(origin[:1000]), "something new in the middle"...), origin[1000:]...)
	old := append(bytes.Clone(origin[:1000]), origin[1027:]...)
	has, err := pack.NewPieces(len(origin)).Apply(pack.NewDeltaIndex(origin).Create(nil, old, 0))
	if err != nil {
		t.Fatal(err)
	}
	delta, err := pack.NewPieces(len(origin)).Delta(nil, has, 1000, func() ([]byte, error) { return origin, nil })
	if err != nil || len(delta) > 60 {
		t.Errorf("new from old: %d bytes, %v", len(delta), err)
	}
	if got, err := pack.ApplyDelta(nil, old, delta, 1<<20); err != nil || !bytes.Equal(got, origin) {
		t.Errorf("new from old: %v", err)
	}
	content := func() ([]byte, error) { t.Error("content asked"); return nil, errors.New("none") }
	delta, err = has.Delta(nil, pack.NewPieces(len(origin)), 1000, content)
	if got, applied := pack.ApplyDelta(nil, origin, delta, 1<<20); err != nil || applied != nil || !bytes.Equal(got, old) {
		t.Errorf("old from new: %v, %v", err, applied)
	}
	if delta, err := pack.NewPieces(len(origin)).Delta(nil, has, 20, content); delta != nil || err != nil {
		t.Errorf("a delta over the limit: %d bytes, %v", len(delta), err)
	}
}

// Copies of copies grow without bound, on a few bytes each; pieces do not.
func TestPiecesAreBounded(t *testing.T) {
	pieces, size := pack.NewPieces(4), 4
	for range 40 {
		// All of the base twice, with a byte in between.
		delta := append(sizes(size, 2*size+1), 0xb0, byte(size), byte(size>>8), 1, 'x', 0xb0, byte(size), byte(size>>8))
		var err error
		if pieces, err = pieces.Apply(delta); err != nil {
			t.Fatal(err)
		}
		if pieces == nil {
			return
		}
		size = 2*size + 1
	}
	t.Error("pieces grow without bound")
}

// sizes is the start of a delta.
func sizes(base, result int) (b []byte) {
	for _, n := range []int{base, result} {
		for ; n >= 0x80; n >>= 7 {
			b = append(b, byte(n)|0x80)
		}
		b = append(b, byte(n))
	}
	return b
}

// Apply takes what ApplyDelta takes, and makes the same of it.
func FuzzPieces(f *testing.F) {
	base := []byte("0123456789 and so on")
	f.Add(base, []byte("\x14\x05\x01x\x91\x08\x02\x02yz"))
	f.Add(base, []byte("\x14\x28\x90\x14\x90\x14"))
	f.Fuzz(func(t *testing.T, base, delta []byte) {
		want, err := pack.ApplyDelta(nil, base, delta, 1<<16)
		pieces, piecesErr := pack.NewPieces(len(base)).Apply(delta)
		if piecesErr != nil && !errors.Is(piecesErr, git.ErrCorrupt) {
			t.Fatal(piecesErr)
		}
		if err == nil && piecesErr != nil {
			t.Fatalf("ApplyDelta takes what Pieces refuses: %v", piecesErr)
		}
		if err != nil || pieces == nil || len(want) == 0 {
			return
		}
		content := func() ([]byte, error) { return want, nil }
		same, err := pieces.Delta(nil, pack.NewPieces(len(base)), 1<<30, content)
		if got, applied := pack.ApplyDelta(nil, base, same, 1<<16); err != nil || applied != nil || !bytes.Equal(got, want) {
			t.Fatalf("%q, %v, %v, want %q", got, err, applied, want)
		}
		if len(base) == 0 {
			return
		}
		back, err := pack.NewPieces(len(base)).Delta(nil, pieces, 1<<30, func() ([]byte, error) { return base, nil })
		if got, applied := pack.ApplyDelta(nil, want, back, 1<<16); err != nil || applied != nil && len(back) >= 4 || len(back) >= 4 && !bytes.Equal(got, base) {
			t.Fatalf("back: %q, %v, %v, want %q", got, err, applied, base)
		}
	})
}
