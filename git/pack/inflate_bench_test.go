package pack_test

import (
	"bytes"
	"compress/zlib"
	"io"
	"os"
	"testing"

	kzlib "github.com/klauspost/compress/zlib"

	"github.com/ingot-forge/ingot/git/pack"
)

// entry is a zlib stream and the size of its content.
type entry struct {
	stream []byte
	size   int
}

// benchEntries returns the entries at the start of the pack that the environment
// variable INGOT_BENCH_PACK names, or generated ones.
func benchEntries(b *testing.B) (entries []entry, total int64) {
	const maxBytes = 32 << 20
	name := os.Getenv("INGOT_BENCH_PACK")
	if name == "" {
		for _, data := range samples() {
			for len(data) > 0 {
				n := min(len(data), 500)
				entries = append(entries, entry{deflate(b, data[:n], 106), n})
				total += int64(n)
				data = data[n:]
			}
		}
		return entries, total
	}
	f, err := os.Open(name)
	if err != nil {
		b.Fatal(err)
	}
	defer f.Close()
	src, err := io.ReadAll(io.LimitReader(f, maxBytes))
	if err != nil {
		b.Fatal(err)
	}
	for src = src[12:]; ; {
		size, i := int(src[0]&15), 0
		for ; src[i] >= 0x80; i++ {
			size |= int(src[i+1]&0x7f) << (4 + 7*i)
		}
		switch src[0] >> 4 & 7 {
		case 6:
			for i++; src[i] >= 0x80; i++ {
			}
		case 7:
			i += 20
		}
		i++
		n, err := pack.Inflate(make([]byte, size), src[i:])
		if err != nil || len(src) < i+n+1000 {
			return entries, total
		}
		entries = append(entries, entry{src[i:], size})
		total += int64(size)
		src = src[i+n:]
	}
}

func BenchmarkInflate(b *testing.B) {
	entries, total := benchEntries(b)
	dst := make([]byte, 64<<20)
	b.Logf("%d entries of %d bytes on average", len(entries), total/int64(len(entries)))
	b.Run("ours", func(b *testing.B) {
		b.SetBytes(total)
		for b.Loop() {
			for _, e := range entries {
				if _, err := pack.Inflate(dst[:e.size], e.stream); err != nil {
					b.Fatal(err)
				}
			}
		}
	})
	type resetter interface {
		Reset(r io.Reader, dict []byte) error
	}
	readers := map[string]func(io.Reader) (io.ReadCloser, error){"std": zlib.NewReader, "klauspost": kzlib.NewReader}
	for name, open := range readers {
		b.Run(name, func(b *testing.B) {
			b.SetBytes(total)
			var r bytes.Reader
			r.Reset(entries[0].stream)
			z, err := open(&r)
			if err != nil {
				b.Fatal(err)
			}
			for b.Loop() {
				for _, e := range entries {
					r.Reset(e.stream)
					if err := z.(resetter).Reset(&r, nil); err != nil {
						b.Fatal(err)
					}
					if _, err := io.ReadFull(z, dst[:e.size]); err != nil {
						b.Fatal(err)
					}
				}
			}
		})
	}
}
