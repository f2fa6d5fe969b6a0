package pack_test

import (
	"bytes"
	"errors"
	"math/rand/v2"
	"testing"

	"pgregory.net/rapid"

	"github.com/ingot-forge/ingot/git"
	"github.com/ingot-forge/ingot/git/pack"
)

func TestApplyDelta(t *testing.T) {
	base := []byte("0123456789")
	long := bytes.Repeat([]byte("abcdefgh"), 10_000)
	for name, c := range map[string]struct {
		base  []byte
		delta string
		want  string // "" for damage
	}{
		"copy":               {base, "\x0a\x03\x91\x02\x03", "234"},
		"copy from start":    {base, "\x0a\x02\x90\x02", "01"},
		"insert":             {base, "\x0a\x02\x02xy", "xy"},
		"both":               {base, "\x0a\x05\x01x\x91\x08\x02\x02yz", "x89yz"},
		"length 0 is 64 Ki":  {long, "\x80\xf1\x04\x80\x80\x04\x80", string(long[:0x10000])},
		"three length bytes": {long, "\x80\xf1\x04\x81\x80\x04\xf0\x01\x00\x01", string(long[:0x10001])},
		"no bytes":           {base, "", ""},
		"one size":           {base, "\x0a", ""},
		"endless size":       {base, "\x0a\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01", ""},
		"wrong base":         {base, "\x0b\x02\x02xy", ""},
		"reserved":           {base, "\x0a\x02\x00\x02xy", ""},
		"insert cut":         {base, "\x0a\x03\x03xy", ""},
		"copy cut":           {base, "\x0a\x03\x91\x02", ""},
		"copy beyond":        {base, "\x0a\x03\x91\x08\x03", ""},
		"copy far beyond":    {base, "\x0a\x03\x9f\xff\xff\xff\xff\x03", ""},
		"result short":       {base, "\x0a\x04\x91\x02\x03", ""},
		"result long":        {base, "\x0a\x02\x91\x02\x03", ""},
		"result huge":        {base, "\x0a\xff\xff\xff\xff\xff\xff\xff\x7f\x91\x02\x03", ""},
		"too few bytes":      {nil, "\x00\x00", ""},
		"over the limit":     {long, "\x80\xf1\x04\x80\x80\x08\x80\x80", ""},
	} {
		got, err := pack.ApplyDelta([]byte("front"), c.base, []byte(c.delta), 0x10001)
		switch {
		case c.want != "" && (err != nil || string(got) != "front"+c.want):
			t.Errorf("%s: %.20q, %v", name, got, err)
		case c.want == "" && (!errors.Is(err, git.ErrCorrupt) || string(got) != "front"):
			t.Errorf("%s: %.20q, %v", name, got, err)
		}
	}
}

// edited returns base after some edits of the kinds that files undergo.
func edited(t *rapid.T, base []byte) []byte {
	target := bytes.Clone(base)
	for range rapid.IntRange(0, 8).Draw(t, "edits") {
		at := rapid.IntRange(0, len(target)).Draw(t, "at")
		n := rapid.IntRange(0, len(target)-at).Draw(t, "n")
		piece := rapid.SliceOfN(rapid.Byte(), 0, 300).Draw(t, "piece")
		switch rapid.IntRange(0, 3).Draw(t, "kind") {
		case 0: // insert
			target = append(target[:at:at], append(piece, target[at:]...)...)
		case 1: // delete
			target = append(target[:at:at], target[at+n:]...)
		case 2: // overwrite
			copy(target[at:], piece)
		case 3: // repeat a part somewhere
			target = append(target, target[at:at+n]...)
		}
		if len(target) > 1<<18 {
			target = target[:1<<18]
		}
	}
	return target
}

func TestApplyUndoesCreate(t *testing.T) {
	text := samples()["text"]
	noise := samples()["noise"]
	rapid.Check(t, func(t *rapid.T) {
		from := [][]byte{text, noise, make([]byte, 100_000)}[rapid.IntRange(0, 2).Draw(t, "from")]
		base := from[:rapid.IntRange(0, len(from)).Draw(t, "size")]
		target := edited(t, base)
		x := pack.NewDeltaIndex(base)
		delta := x.Create([]byte("front"), target, 0)
		if len(target) == 0 {
			if delta != nil {
				t.Fatal("delta of an empty target")
			}
			return
		}
		if !bytes.HasPrefix(delta, []byte("front")) {
			t.Fatal("dst lost")
		}
		delta = delta[5:]
		got, err := pack.ApplyDelta(nil, base, delta, int64(len(target)))
		if err != nil || !bytes.Equal(got, target) {
			t.Fatalf("%d bytes of delta make %d bytes, want %d: %v", len(delta), len(got), len(target), err)
		}
		b, r, _, err := pack.DeltaSizes(delta)
		if err != nil || b != int64(len(base)) || r != int64(len(target)) {
			t.Fatalf("sizes %d and %d, want %d and %d: %v", b, r, len(base), len(target), err)
		}
		if exact := x.Create(nil, target, len(delta)); !bytes.Equal(exact, delta) {
			t.Fatalf("with just enough room: %d bytes", len(exact))
		}
		if short := x.Create(nil, target, len(delta)-1); short != nil {
			t.Fatalf("%d bytes, where %d are allowed", len(short), len(delta)-1)
		}
	})
}

// Versions of one file must become about as small as git makes them, and what
// is hard on hash tables must not take forever.
func TestDeltasAreSmall(t *testing.T) {
	text := samples()["text"][:50_000]
	changed := append(append(append([]byte("new first line\n"), text[:20_000]...), "something in the middle"...), text[20_100:]...)
	if n := len(pack.NewDeltaIndex(text).Create(nil, changed, 0)); n > 80 {
		t.Errorf("delta of %d bytes for two insertions", n)
	}
	rng := rand.New(rand.NewPCG(13, 14))
	blocks := make([]byte, 0, 1<<20) // a block that comes again and again, each time followed by something else
	for len(blocks) < cap(blocks) {
		blocks = append(append(blocks, "0123456789abcdef"...), byte(rng.Uint32()), byte(rng.Uint32()), 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0)
	}
	target := bytes.Repeat([]byte("0123456789abcdef"), 1<<16)
	if delta := pack.NewDeltaIndex(blocks).Create(nil, target, 0); len(delta) > len(target) {
		t.Errorf("%d bytes", len(delta))
	}
	zeros := make([]byte, 1<<20)
	if n := len(pack.NewDeltaIndex(zeros).Create(nil, zeros[:1<<20-3], 0)); n > 100 {
		t.Errorf("delta of %d bytes for zeros", n)
	}
}

func FuzzApplyDelta(f *testing.F) {
	f.Add([]byte("0123456789"), []byte("\x0a\x05\x01x\x91\x08\x02\x02yz"))
	f.Add([]byte("0123456789"), []byte("\x0a\x03\x91\x02\x03"))
	f.Add(bytes.Repeat([]byte("ab"), 40_000), []byte("\x80\xf1\x04\x81\x80\x04\xf0\x01\x00\x01"))
	f.Fuzz(func(t *testing.T, base, delta []byte) {
		const limit = 1 << 20
		got, err := pack.ApplyDelta(nil, base, delta, limit)
		want, ok := slowDelta(base, delta, limit)
		if ok != (err == nil) || ok && !bytes.Equal(got, want) {
			t.Fatalf("got %d bytes, %v; want %d, %v", len(got), err, len(want), ok)
		}
		if err != nil && !errors.Is(err, git.ErrCorrupt) {
			t.Fatal(err)
		}
	})
}

// slowDelta applies a delta one byte at a time, as the format is written down.
func slowDelta(base, delta []byte, limit int) (out []byte, ok bool) {
	total := len(delta)
	next := func() (b byte) {
		if len(delta) == 0 {
			ok = false
			return 0
		}
		b, delta = delta[0], delta[1:]
		return b
	}
	size := func() (n uint64) {
		for shift := 0; ; shift += 7 {
			if len(delta) == 0 || shift > 56 {
				ok = false
				return 0
			}
			b := next()
			n |= uint64(b&0x7f) << shift
			if b < 0x80 {
				return n
			}
		}
	}
	ok = true
	baseSize, resultSize := size(), size()
	if !ok || total < 4 || baseSize != uint64(len(base)) || resultSize > uint64(limit) {
		return nil, false
	}
	for len(delta) > 0 {
		op := next()
		if op == 0 {
			return nil, false
		}
		if op < 0x80 {
			for range op {
				out = append(out, next())
			}
		} else {
			var v [7]int
			for i := range v {
				if op>>i&1 == 1 {
					v[i] = int(next())
				}
			}
			off := v[0] + v[1]<<8 + v[2]<<16 + v[3]<<24
			n := v[4] + v[5]<<8 + v[6]<<16
			if n == 0 {
				n = 0x10000
			}
			if off+n > len(base) {
				return nil, false
			}
			out = append(out, base[off:off+n]...)
		}
		if !ok || len(out) > int(resultSize) {
			return nil, false
		}
	}
	return out, uint64(len(out)) == resultSize
}
