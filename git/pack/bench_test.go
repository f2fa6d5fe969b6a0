package pack_test

import (
	"bytes"
	"compress/zlib"
	"context"
	"io"
	"os"
	"strings"
	"testing"

	kzlib "github.com/klauspost/compress/zlib"

	"github.com/ingot-forge/ingot/git"
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

// benchPack opens the pack that INGOT_BENCH_PACK names, or a generated one.
func benchPack(b *testing.B, cache *pack.Cache) *pack.Pack {
	name := os.Getenv("INGOT_BENCH_PACK")
	if name == "" {
		return newFixture(b, git.SHA1, 300).mustOpen(b, 0, cache)
	}
	data, err := os.ReadFile(name)
	if err != nil {
		b.Fatal(err)
	}
	index, err := os.ReadFile(strings.TrimSuffix(name, ".pack") + ".idx")
	if err != nil {
		b.Fatal(err)
	}
	p, err := open(git.SHA1, data, index, 0, cache)
	if err != nil {
		b.Fatal(err)
	}
	return p
}

func BenchmarkVerify(b *testing.B) {
	p := benchPack(b, nil)
	for b.Loop() {
		if err := p.Verify(context.Background(), nil, nil); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(p.Index().Count())*float64(b.N)/b.Elapsed().Seconds(), "objects/s")
}

func BenchmarkObject(b *testing.B) {
	p := benchPack(b, pack.NewCache(96<<20))
	order := make([]int, 0, p.Index().Count())
	for offset := int64(12); len(order) < cap(order); {
		at, err := p.At(offset)
		if err != nil {
			b.Fatal(err)
		}
		e, err := p.Entry(context.Background(), at)
		if err != nil {
			b.Fatal(err)
		}
		order = append(order, at)
		offset = e.End
	}
	read := func(b *testing.B, place func(i int) int) {
		for i := 0; b.Loop(); i++ {
			if _, _, err := p.Object(context.Background(), place(i)); err != nil {
				b.Fatal(err)
			}
		}
	}
	b.Run("in the order of the pack", func(b *testing.B) { read(b, func(i int) int { return order[i%len(order)] }) })
	b.Run("at random", func(b *testing.B) { read(b, func(i int) int { return i * 7919 % len(order) }) })
}

func BenchmarkAppendIndex(b *testing.B) {
	x := benchPack(b, nil).Index()
	for b.Loop() {
		b.StopTimer()
		entries := entriesOf(x)
		b.StartTimer()
		pack.AppendIndex(git.SHA1, nil, entries, x.PackChecksum())
	}
}

func BenchmarkFind(b *testing.B) {
	x := benchPack(b, nil).Index()
	for i := 0; b.Loop(); i++ {
		if _, ok := x.Find(x.ID(i * 7919 % x.Count())); !ok {
			b.Fatal("not found")
		}
	}
}

func BenchmarkDeflate(b *testing.B) {
	entries, total := benchEntries(b)
	var buf []byte
	contents := make([][]byte, len(entries))
	stored := 0
	for i, e := range entries {
		contents[i] = make([]byte, e.size)
		n, err := pack.Inflate(contents[i], e.stream)
		if err != nil {
			b.Fatal(err)
		}
		stored += n
	}
	b.SetBytes(total)
	for b.Loop() {
		made := 0
		for _, c := range contents {
			buf = pack.Deflate(buf[:0], c)
			made += len(buf)
		}
		b.ReportMetric(float64(made)/float64(stored), "of-stored-size")
	}
}
