package pack_test

import (
	"bytes"
	"compress/flate"
	"compress/zlib"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/adler32"
	"io"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	kzlib "github.com/klauspost/compress/zlib"

	"github.com/ingot-forge/ingot/git"
	"github.com/ingot-forge/ingot/git/pack"
)

// samples returns contents of the kinds and sizes that repositories have.
func samples() map[string][]byte {
	rng := rand.New(rand.NewPCG(1, 2))
	noise := make([]byte, 100_000)
	for i := range noise {
		noise[i] = byte(rng.Uint32())
	}
	words := strings.Fields("the quick brown fox jumps over a lazy dog while tree parent author committer 1234 +0000")
	var text bytes.Buffer
	for text.Len() < 200_000 {
		text.WriteString(words[rng.IntN(len(words))])
		text.WriteByte(" \n"[rng.IntN(8)/7])
	}
	var tree []byte
	for i := range 300 {
		tree = fmt.Appendf(tree, "100644 file%d.c\x00", i)
		tree = append(tree, noise[i*20:i*20+20]...)
	}
	skewed := make([]byte, 60_000) // gives codes of more than ten bits
	for i := range skewed {
		for skewed[i] < 40 && rng.IntN(2) == 0 {
			skewed[i]++
		}
	}
	return map[string][]byte{
		"empty":   nil,
		"byte":    {7},
		"short":   []byte("tree 1\n"),
		"noise":   noise,
		"text":    text.Bytes(),
		"commit":  text.Bytes()[:250],
		"tree":    tree,
		"skewed":  skewed,
		"zeros":   make([]byte, 70_000),
		"pairs":   bytes.Repeat([]byte{1, 2}, 500),
		"threes":  bytes.Repeat([]byte{1, 2, 3}, 300),
		"sevens":  bytes.Repeat([]byte("abcdefg"), 99),
		"mixture": append(append(append([]byte{}, text.Bytes()[:3000]...), noise[:3000]...), make([]byte, 3000)...),
	}
}

// deflate compresses data with klauspost's encoder at a level, or with the
// standard library's at level-100.
func deflate(t testing.TB, data []byte, level int) []byte {
	t.Helper()
	var out bytes.Buffer
	var w io.WriteCloser
	var err error
	if level >= 90 {
		w, err = zlib.NewWriterLevel(&out, level-100)
	} else {
		w, err = kzlib.NewWriterLevel(&out, level)
	}
	if err != nil {
		t.Fatal(err)
	}
	if _, err := w.Write(data); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

func TestInflateEveryLevel(t *testing.T) {
	for name, data := range samples() {
		for _, level := range []int{-2, -1, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 98, 99, 100, 101, 105, 109} {
			stream := deflate(t, data, level)
			for _, behind := range []int{0, 1, 7, 8, 30} {
				src := append(bytes.Clone(stream), bytes.Repeat([]byte{0xa5}, behind)...)
				dst := make([]byte, len(data))
				n, err := pack.Inflate(dst, src)
				if err != nil || n != len(stream) || !bytes.Equal(dst, data) {
					t.Fatalf("%s at level %d with %d bytes behind: took %d of %d bytes, equal %v, %v",
						name, level, behind, n, len(stream), bytes.Equal(dst, data), err)
				}
			}
		}
	}
}

func TestInflateWantsTheExactSize(t *testing.T) {
	for name, data := range samples() {
		stream := deflate(t, data, 6)
		for _, size := range []int{0, len(data) - 1, len(data) + 1, len(data) + 1000} {
			if size < 0 || size == len(data) {
				continue
			}
			if _, err := pack.Inflate(make([]byte, size), stream); !errors.Is(err, git.ErrCorrupt) {
				t.Errorf("%s: %d bytes into %d: %v", name, len(data), size, err)
			}
		}
	}
}

func TestInflateTruncated(t *testing.T) {
	for name, data := range samples() {
		data = data[:min(len(data), 5000)]
		for _, level := range []int{-2, 0, 1, 6, 9, 109} {
			stream := deflate(t, data, level)
			dst := make([]byte, len(data))
			for n := range stream {
				if _, err := pack.Inflate(dst, stream[:n:n]); err != io.ErrUnexpectedEOF {
					t.Fatalf("%s at level %d: %d of %d bytes: %v", name, level, n, len(stream), err)
				}
			}
		}
	}
}

// bits assembles a deflate stream by hand: pairs of value and width.
func bits(pairs ...int) []byte {
	var out []byte
	acc, n := 0, 0
	for i := 0; i < len(pairs); i += 2 {
		acc |= pairs[i] << n
		for n += pairs[i+1]; n >= 8; n -= 8 {
			out = append(out, byte(acc))
			acc >>= 8
		}
	}
	return append(out, byte(acc))
}

// zlibOf wraps a deflate stream of data.
func zlibOf(body, data []byte) []byte {
	return binary.BigEndian.AppendUint32(append([]byte{0x78, 0x9c}, body...), adler32.Checksum(data))
}

func TestInflateRefuses(t *testing.T) {
	good := deflate(t, []byte("hello"), 6)
	flip := func(i int, mask byte) []byte {
		s := bytes.Clone(good)
		s[i] ^= mask
		return s
	}
	dictionary := []byte{0x78, 0x20 | 1, 0, 0, 0, 0}
	dictionary[1] += byte(31-binary.BigEndian.Uint16(dictionary)%31) % 31
	// One code length (18: a run of zeros) of one bit: an incomplete first code.
	loneCode := bits(1, 1, 2, 2, 0, 5, 0, 5, 0, 4, 0, 3, 0, 3, 1, 3, 0, 3, 0, 32, 0, 32)
	for name, src := range map[string][]byte{
		"method":            flip(0, 1),
		"window":            flip(0, 0x80),
		"header check":      flip(1, 1),
		"dictionary":        dictionary,
		"checksum":          flip(len(good)-1, 1),
		"block type 3":      zlibOf([]byte{7, 0, 0, 0, 0, 0, 0, 0, 0, 0}, nil),
		"stored length":     zlibOf([]byte{1, 1, 0, 1, 0, 0, 0, 0, 0, 0}, nil),
		"distance too far":  zlibOf(bits(1, 1, 1, 2, 0x40, 7, 0, 5, 0, 7, 0, 32), make([]byte, 3)),
		"length symbol 286": zlibOf(bits(1, 1, 1, 2, 0b01100011, 8, 0, 32), nil),
		"distance code 30":  zlibOf(bits(1, 1, 1, 2, 0b00001100, 8, 0x40, 7, 0b01111, 5, 0, 32), nil),
		"287 literals":      zlibOf(bits(1, 1, 2, 2, 30, 5, 0, 5, 0, 4, 0, 32, 0, 32), nil),
		"31 distances":      zlibOf(bits(1, 1, 2, 2, 0, 5, 30, 5, 0, 4, 0, 32, 0, 32), nil),
		"empty first code":  zlibOf(bits(1, 1, 2, 2, 0, 5, 0, 5, 0, 4, 0, 12, 0, 32, 0, 32), nil),
		"lone first code":   zlibOf(loneCode, nil),
		"oversubscribed":    zlibOf(bits(1, 1, 2, 2, 0, 5, 0, 5, 0, 4, 1, 3, 1, 3, 1, 3, 0, 3, 0, 32), nil),
	} {
		for size := range 6 {
			if _, err := pack.Inflate(make([]byte, size), src); !errors.Is(err, git.ErrCorrupt) {
				t.Errorf("%s, %d bytes: %v", name, size, err)
			}
		}
	}
}

func TestInflateAllocatesNothing(t *testing.T) {
	data := samples()["text"][:5000]
	src := deflate(t, data, 6)
	if n := testing.AllocsPerRun(100, func() {
		var dst [5000]byte
		if _, err := pack.Inflate(dst[:], src); err != nil {
			t.Fatal(err)
		}
	}); n >= 1 { // below one: the pool may be emptied in between
		t.Errorf("%v allocations", n)
	}
}

// oracle inflates with the standard library; consumed is what it took of src.
func oracle(src []byte, size int) (data []byte, consumed int, err error) {
	r := bytes.NewReader(src)
	z, err := zlib.NewReader(r)
	if err != nil {
		return nil, 0, err
	}
	data = make([]byte, size)
	if n, err := io.ReadFull(z, data); err != nil {
		if err == io.ErrUnexpectedEOF || err == io.EOF {
			// Either of the stream, or of src.
			if _, err2 := z.Read(make([]byte, 1)); err2 == io.EOF {
				return nil, 0, fmt.Errorf("too short: %d", n)
			}
			return nil, 0, io.ErrUnexpectedEOF
		}
		return nil, 0, err
	}
	switch n, err := z.Read(make([]byte, 1)); {
	case n > 0:
		return nil, 0, errors.New("too long")
	case err != io.EOF:
		return nil, 0, err
	}
	return data, len(src) - r.Len(), nil
}

// rawOracle inflates src as a bare deflate stream, nil if it is none.
func rawOracle(src []byte) (data []byte, used int) {
	r := bytes.NewReader(src)
	data, err := io.ReadAll(io.LimitReader(flate.NewReader(r), 1<<16+1))
	if err != nil || len(data) > 1<<16 {
		return nil, 0
	}
	return append([]byte{}, data...), len(src) - r.Len()
}

func FuzzInflate(f *testing.F) {
	for _, data := range samples() {
		data = data[:min(len(data), 600)]
		for _, level := range []int{-2, 0, 1, 6, 109} {
			f.Add(deflate(f, data, level), len(data), byte(level))
		}
	}
	levels := []int{-2, 0, 1, 3, 6, 9, 109}
	f.Fuzz(func(t *testing.T, src []byte, size int, level byte) {
		if size < 0 || size > 1<<16 {
			return
		}
		check := func(src []byte, size int) {
			want, consumed, wantErr := oracle(src, size)
			guarded := make([]byte, size+16)
			for i := range guarded {
				guarded[i] = 0xee
			}
			dst := guarded[8 : 8+size : 8+size]
			n, err := pack.Inflate(dst, src[:len(src):len(src)])
			for _, b := range append(guarded[:8:8], guarded[8+size:]...) {
				if b != 0xee {
					t.Fatal("wrote outside dst")
				}
			}
			switch {
			case (err == nil) != (wantErr == nil):
				t.Fatalf("got %v, want %v", err, wantErr)
			case err == nil:
				if n != consumed || !bytes.Equal(dst, want) {
					t.Fatalf("took %d, want %d; equal %v", n, consumed, bytes.Equal(dst, want))
				}
				for cut := max(0, n-1-int(level)%40); cut < n; cut += 1 + (n-cut)/3 {
					if _, err := pack.Inflate(dst, src[:cut:cut]); err != io.ErrUnexpectedEOF {
						t.Fatalf("cut from %d to %d bytes: %v", n, cut, err)
					}
				}
			case err == io.ErrUnexpectedEOF:
				// Input that can still become good, or whose fault shows with the next bytes.
				if wantErr != io.ErrUnexpectedEOF {
					_, err := pack.Inflate(dst, append(bytes.Clone(src), make([]byte, 8)...))
					if !errors.Is(err, git.ErrCorrupt) {
						t.Fatalf("calls for more input (then %v), want %v", err, wantErr)
					}
				}
			case !errors.Is(err, git.ErrCorrupt):
				t.Fatalf("neither end of input nor damage: %v", err)
			case wantErr == io.ErrUnexpectedEOF:
				// Some faults can be told before the oracle meets them.
				early := []string{"longer", "shorter", "dictionary", "cannot end", "code lengths"}
				if !slices.ContainsFunc(early, func(s string) bool { return strings.Contains(err.Error(), s) }) {
					t.Fatalf("%v, where more input is wanted", err)
				}
			}
		}
		check(src, size)
		// What has no checksum in its way: the input as a bare deflate stream with the right one.
		body := append([]byte{0x78, 0x9c}, src...)
		check(body, size)
		if z, used := rawOracle(src); z != nil {
			check(binary.BigEndian.AppendUint32(body[:2+used:2+used], adler32.Checksum(z)), len(z))
		}
		// The input as content.
		check(deflate(t, src, levels[int(level)%len(levels)]), len(src))
	})
}
