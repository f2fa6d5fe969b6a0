package pack_test

import (
	"bytes"
	"compress/zlib"
	"crypto/sha1"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"hash"
	"io"
	"math/rand/v2"
	"runtime"
	"slices"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/ingot-forge/ingot/git"
	"github.com/ingot-forge/ingot/git/pack"
)

// builder makes packs by hand, right and wrong ones.
type builder struct {
	format git.Format
	body   []byte
	count  uint32
	z      *zlib.Writer
}

func newBuilder(f git.Format) *builder {
	return &builder{format: f, body: []byte("PACK\x00\x00\x00\x02\x00\x00\x00\x00")}
}

// raw adds an entry whose bytes are given, and returns its offset.
func (b *builder) raw(p ...[]byte) int {
	at := len(b.body)
	b.body = append(b.body, bytes.Join(p, nil)...)
	b.count++
	return at
}

func (b *builder) whole(kind git.Kind, data string) int {
	return b.raw(entryHead(byte(kind), len(data)), b.deflate(data))
}

func (b *builder) ofs(base int, delta string) int {
	return b.raw(entryHead(6, len(delta)), distance(len(b.body)-base), b.deflate(delta))
}

func (b *builder) ref(base git.ID, delta string) int {
	return b.raw(entryHead(7, len(delta)), base[:b.format.Size()], b.deflate(delta))
}

func (b *builder) deflate(data string) []byte {
	var out bytes.Buffer
	if b.z == nil {
		b.z, _ = zlib.NewWriterLevel(&out, zlib.BestSpeed)
	}
	b.z.Reset(&out)
	io.WriteString(b.z, data)
	b.z.Close()
	return out.Bytes()
}

func (b *builder) bytes() []byte {
	p := bytes.Clone(b.body)
	binary.BigEndian.PutUint32(p[8:], b.count)
	var h hash.Hash = sha1.New()
	if b.format == git.SHA256 {
		h = sha256.New()
	}
	h.Write(p)
	return h.Sum(p)
}

func entryHead(kind byte, size int) []byte {
	p := []byte{kind<<4 | byte(size&15)}
	for size >>= 4; size > 0; size >>= 7 {
		p[len(p)-1] |= 0x80
		p = append(p, byte(size&0x7f))
	}
	return p
}

func distance(n int) []byte {
	p := []byte{byte(n & 0x7f)}
	for n >>= 7; n > 0; n >>= 7 {
		n--
		p = append(p, 0x80|byte(n&0x7f))
	}
	slices.Reverse(p)
	return p
}

// deltaOf is a delta of two sizes and instructions.
func deltaOf(base, result int, ops ...string) string {
	p := binary.AppendUvarint(nil, uint64(base))
	p = binary.AppendUvarint(p, uint64(result))
	return string(p) + strings.Join(ops, "")
}

func insertOp(s string) string { return string([]byte{byte(len(s))}) + s }

// copyOp copies n bytes, below 64 KiB, from offset off, below 64 KiB.
func copyOp(off, n int) string {
	return string([]byte{0x80 | 0x33, byte(off), byte(off >> 8), byte(n), byte(n >> 8)})
}

func idOf(t testing.TB, kind git.Kind, data string) git.ID {
	t.Helper()
	id, err := git.NewHasher(git.SHA1).Hash(kind, []byte(data))
	if err != nil {
		t.Fatal(err)
	}
	return id
}

const base = "twenty bytes of base"

func TestReceiveHostile(t *testing.T) {
	full := func(b *builder) []byte { return b.bytes() }
	one := func(p ...[]byte) func(b *builder) []byte {
		return func(b *builder) []byte { b.raw(p...); return full(b) }
	}
	onBase := func(delta string) func(b *builder) []byte {
		return func(b *builder) []byte { b.ofs(b.whole(git.KindBlob, base), delta); return full(b) }
	}
	var z builder
	bomb := z.deflate(strings.Repeat("\x00", 64<<20))
	cases := []struct {
		name string
		make func(b *builder) []byte
		says string
	}{
		{"nothing", func(*builder) []byte { return nil }, "ends early"},
		{"no pack", func(*builder) []byte { return []byte(strings.Repeat("DELETE FROM ", 5)) }, "starts with"},
		{"version 9", func(b *builder) []byte { b.body[7] = 9; return full(b) }, "version 9"},
		{"type 0", one([]byte{0x00}), "type 0"},
		{"type 5", one([]byte{0x50}), "type 5"},
		{"endless size", one(bytes.Repeat([]byte{0xbf}, 40)), "out of range"},
		{"endless distance", one([]byte{0x61}, bytes.Repeat([]byte{0xff}, 40)), "out of range"},
		{"says more than it has", one(entryHead(3, 50), z.deflate("short")), ""},
		{"says less than it has", one(entryHead(3, 3), z.deflate("longer")), ""},
		{"says nothing, is a bomb", one(entryHead(3, 0), bomb), ""},
		{"says a little, is a bomb", one(entryHead(2, 1000), bomb), ""},
		{"delta is a bomb", func(b *builder) []byte {
			at := b.whole(git.KindBlob, base)
			b.raw(entryHead(6, 30), distance(len(b.body)-at), bomb)
			return full(b)
		}, ""},
		{"zlib garbage", one(entryHead(3, 5), []byte("not deflated at all, this is")), ""},
		{"base is itself", one(entryHead(6, 5), []byte{0}, z.deflate("12345")), "base at offset 12"},
		{"base before the pack", one(entryHead(6, 5), distance(4000), z.deflate("12345")), "base at offset"},
		{"base is the header", one(entryHead(6, 5), distance(12), z.deflate("12345")), "base at offset 0"},
		{"base is within an entry", func(b *builder) []byte {
			b.ofs(b.whole(git.KindBlob, base)+1, deltaOf(20, 1, insertOp("x")))
			return full(b)
		}, "base at offset 13"},
		{"empty delta", onBase(""), ""},
		{"delta ends in its sizes", onBase("\xff\xff"), ""},
		{"delta for another base", onBase(deltaOf(21, 1, copyOp(0, 1))), "base of 21"},
		{"delta copies past the base", onBase(deltaOf(20, 10, copyOp(15, 10))), "copies 10 bytes"},
		{"delta makes too little", onBase(deltaOf(20, 10, copyOp(0, 5))), "short"},
		{"delta makes too much", onBase(deltaOf(20, 10, copyOp(0, 20))), "exceeds"},
		{"delta announces a lot", onBase(deltaOf(20, 1<<40, copyOp(0, 20))), "limit"},
		{"delta announces more than it could make", onBase(deltaOf(20, 3<<30, copyOp(0, 20))), "do not make"},
		{"reserved instruction", onBase(deltaOf(20, 5, "\x00\x00")), "reserved"},
		{"delta ends in a copy", onBase(deltaOf(20, 5, "\x01x\x91")), "within a copy"},
		{"delta ends in an insertion", onBase(deltaOf(20, 5, "\x05abc")), "within an insertion"},
		{"fewer entries than counted", func(b *builder) []byte {
			b.whole(git.KindBlob, base)
			b.count++
			return full(b)
		}, ""},
		{"four billion entries", func(b *builder) []byte { b.count = 1<<32 - 1; return full(b) }, "objects in the pack"},
		{"more entries than counted", func(b *builder) []byte {
			b.whole(git.KindBlob, base)
			b.whole(git.KindBlob, "another")
			b.count--
			return full(b)
		}, "garbage"},
		{"the same twice", func(b *builder) []byte {
			b.whole(git.KindBlob, base)
			b.ofs(b.whole(git.KindBlob, "another"), deltaOf(7, 20, insertOp(base)))
			return full(b)
		}, "twice"},
		{"base nowhere", func(b *builder) []byte {
			b.ref(idOf(t, git.KindBlob, base), deltaOf(20, 1, insertOp("x")))
			return full(b)
		}, "1 unresolved delta"},
		{"circle", func(b *builder) []byte {
			b.ref(idOf(t, git.KindBlob, "bbb"), deltaOf(3, 3, insertOp("aaa")))
			b.ref(idOf(t, git.KindBlob, "aaa"), deltaOf(3, 3, insertOp("bbb")))
			b.whole(git.KindBlob, base)
			return full(b)
		}, "2 unresolved deltas"},
		{"circle beside an object of its name", func(b *builder) []byte {
			b.ref(idOf(t, git.KindBlob, "bbb"), deltaOf(3, 3, insertOp("aaa")))
			b.ref(idOf(t, git.KindBlob, "aaa"), deltaOf(3, 3, insertOp("bbb")))
			b.whole(git.KindBlob, "aaa")
			return full(b)
		}, "twice"},
		{"own base", func(b *builder) []byte {
			b.ref(idOf(t, git.KindBlob, "aaa"), deltaOf(3, 3, copyOp(0, 3)))
			return full(b)
		}, "unresolved"},
		{"trailer", func(b *builder) []byte {
			p := full(b)
			p[len(p)-1]++
			return p
		}, "trailer"},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			data := c.make(newBuilder(git.SHA1))
			for _, bases := range []git.Objects{nil, git.Memory{}} {
				var before, after runtime.MemStats
				runtime.ReadMemStats(&before)
				err := receiveError(t, data, pack.Options{Bases: bases})
				runtime.ReadMemStats(&after)
				if limit := (*pack.LimitError)(nil); err != nil && !errors.Is(err, git.ErrCorrupt) && !errors.As(err, &limit) {
					t.Errorf("neither corrupt nor over a limit: %v", err)
				}
				if err != nil && !strings.Contains(err.Error(), c.says) {
					t.Errorf("error %q does not say %q", err, c.says)
				}
				if n := after.TotalAlloc - before.TotalAlloc; n > 16<<20 {
					t.Errorf("allocated %d bytes for a pack of %d", n, len(data))
				}
			}
		})
	}
}

func TestReceiveLimits(t *testing.T) {
	chain := func(b *builder) {
		at := b.whole(git.KindBlob, base)
		for i := range 10 {
			at = b.ofs(at, deltaOf(20, 20, insertOp(fmt.Sprintf("link %15d", i))))
		}
	}
	for _, c := range []struct {
		limit string
		make  func(b *builder)
		set   func(l *pack.Limits, max int64)
		max   int64 // the least that lets the pack through
	}{
		{"objects in the pack", chain, func(l *pack.Limits, max int64) { l.Objects = max }, 11},
		{"delta depth", chain, func(l *pack.Limits, max int64) { l.DeltaDepth = int(max) }, 10},
		{"object size", chain, func(l *pack.Limits, max int64) { l.ObjectBytes = max }, 23}, // of a delta
		{"object size", func(b *builder) { b.whole(git.KindBlob, strings.Repeat("z", pack.StreamBytes)) },
			func(l *pack.Limits, max int64) { l.ObjectBytes = max }, pack.StreamBytes},
		{"object size", func(b *builder) {
			b.ofs(b.whole(git.KindBlob, base), deltaOf(20, 200, strings.Repeat(copyOp(0, 20), 10)))
		}, func(l *pack.Limits, max int64) { l.ObjectBytes = max }, 200},
		// The base, then ten deltas of 23 bytes that make 20 each.
		{"inflated size of the pack", chain, func(l *pack.Limits, max int64) { l.TotalBytes = max }, int64(len(base)) + 10*(23+20)},
		{"pack size", func(b *builder) { b.whole(git.KindBlob, "") },
			func(l *pack.Limits, max int64) { l.PackBytes = max }, int64(12 + 1 + len(newBuilder(git.SHA1).deflate("")) + 20)},
	} {
		b := newBuilder(git.SHA1)
		c.make(b)
		data := b.bytes()
		var l pack.Limits
		c.set(&l, c.max)
		if _, err := pack.Receive(t.Context(), bytes.NewReader(data), new(draft), pack.Options{Limits: l}); err != nil {
			t.Errorf("%s of %d: %v", c.limit, c.max, err)
		}
		c.set(&l, c.max-1)
		var over *pack.LimitError
		if err := receiveError(t, data, pack.Options{Limits: l}); !errors.As(err, &over) ||
			over.Limit != c.limit || over.Max != c.max-1 || !strings.Contains(err.Error(), fmt.Sprint(c.max-1)) {
			t.Errorf("%s over %d: %v", c.limit, c.max-1, err)
		}
	}
}

// A pack of a few kilobytes that would make gigabytes by copying costs what the
// limit allows, and fails while it comes in; so does one whose objects have to be
// made again and again for want of memory.
func TestReceiveTotal(t *testing.T) {
	const size = 1 << 20
	b := newBuilder(git.SHA1)
	at := b.whole(git.KindBlob, strings.Repeat("a", size))
	for i := range 4096 {
		b.ofs(at, deltaOf(size, size, insertOp(fmt.Sprintf("%04d", i))+strings.Repeat(copyOp(0, 0xfffc), size/0xfffc)+
			copyOp(0, size-4-size/0xfffc*0xfffc)))
	}
	data := b.bytes()
	var seen atomic.Int64
	visit := func(_ git.ID, _ git.Kind, size int64, _ []byte) error { seen.Add(size); return nil }
	const most = 64 * size
	err := receiveError(t, data, pack.Options{Visit: visit, Limits: pack.Limits{TotalBytes: most}})
	var over *pack.LimitError
	if !errors.As(err, &over) || *over != (pack.LimitError{Limit: "inflated size of the pack", Max: most}) {
		t.Errorf("%d bytes that make 4 GiB: %v", len(data), err)
	}
	if seen.Load() > most {
		t.Errorf("%d bytes were made, for a limit of %d", seen.Load(), most)
	}

	// A comb: each link of the chain is needed again on the way back.
	b = newBuilder(git.SHA1)
	at = b.whole(git.KindBlob, strings.Repeat("a", 32<<10))
	const links = 200
	for i := range links {
		d := func(s string) string {
			return deltaOf(32<<10, 32<<10, insertOp(fmt.Sprintf("%s%07d", s, i))+copyOp(8, 32<<10-8))
		}
		b.ofs(at, d("a"))
		at = b.ofs(at, d("b"))
	}
	l := pack.Limits{TotalBytes: 5 * links * 32 << 10}
	if _, err := pack.Receive(t.Context(), bytes.NewReader(b.bytes()), new(draft), pack.Options{Limits: l}); err != nil {
		t.Error(err)
	}
	l.MemoryBytes = 1
	if err := receiveError(t, b.bytes(), pack.Options{Limits: l}); !errors.As(err, &over) || over.Limit != "inflated size of the pack" {
		t.Errorf("a comb of %d links without memory: %v", links, err)
	}
}

// A chain of any length takes neither stack nor memory, in whatever order its
// links come.
func TestReceiveLongChain(t *testing.T) {
	depth := 30_000
	if testing.Short() {
		depth = 5_000
	}
	link := func(i int) string { return fmt.Sprintf("link %15d", i) }
	for name, build := range map[string]func(b *builder){
		"ofs": func(b *builder) {
			at := b.whole(git.KindBlob, link(0))
			for i := 1; i <= depth; i++ {
				at = b.ofs(at, deltaOf(20, 20, insertOp(link(i))))
			}
		},
		"ref, bases last": func(b *builder) {
			for i := depth; i > 0; i-- {
				b.ref(idOf(t, git.KindBlob, link(i-1)), deltaOf(20, 20, insertOp(link(i))))
			}
			b.whole(git.KindBlob, link(0))
		},
	} {
		b := newBuilder(git.SHA1)
		build(b)
		data := b.bytes()
		for _, memory := range []int64{0, 1} {
			l := pack.Limits{DeltaDepth: depth, MemoryBytes: memory}
			r, err := pack.Receive(t.Context(), bytes.NewReader(data), new(draft), pack.Options{Limits: l})
			if err != nil || r.Objects != depth+1 {
				t.Fatalf("%s: %v", name, err)
			}
		}
		var over *pack.LimitError
		err := receiveError(t, data, pack.Options{Limits: pack.Limits{DeltaDepth: depth - 1}})
		if !errors.As(err, &over) || over.Limit != "delta depth" {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// A chain each of whose links has one more delta keeps every link in hand; with
// little memory they are made again and again, and still right.
func TestReceiveComb(t *testing.T) {
	const depth = 60
	content := func(i int, tooth bool) string {
		return fmt.Sprintf("%d %v", i, tooth) + strings.Repeat("abcdefgh", 4000)
	}
	for _, refs := range []bool{false, true} {
		b := newBuilder(git.SHA1)
		at := b.whole(git.KindBlob, content(0, false))
		add := func(from int, to string, i int) int {
			old := content(i-1, false)
			cut := len(old) - 32000
			d := deltaOf(len(old), len(to), insertOp(to[:len(to)-32000]), copyOp(cut, 32000))
			if refs {
				return b.ref(idOf(t, git.KindBlob, old), d)
			}
			return b.ofs(from, d)
		}
		for i := 1; i <= depth; i++ {
			next := add(at, content(i, false), i)
			add(at, content(i, true), i)
			at = next
		}
		data := b.bytes()
		want, _ := gitIndex(t, git.SHA1, data)
		for _, memory := range []int64{1, 300_000, 2_000_000, 0} {
			r, err := pack.Receive(t.Context(), bytes.NewReader(data), new(draft),
				pack.Options{Limits: pack.Limits{MemoryBytes: memory}})
			if err != nil {
				t.Fatal(err)
			}
			if !bytes.Equal(r.Index, want) {
				t.Errorf("refs %v, %d bytes of memory: index differs from git's", refs, memory)
			}
		}
	}
}

// Objects larger than the window, than a batch and than what is allocated at
// once, whole and as deltas, of content that deflates and that does not.
func TestReceiveLargeObjects(t *testing.T) {
	rng := rand.NewChaCha8([32]byte{5})
	noise := make([]byte, 3<<20)
	rng.Read(noise)
	text := strings.Repeat("a tree of this size has more entries than anyone reads\n", 320_000) // 17 MB
	b := newBuilder(git.SHA1)
	at := b.whole(git.KindBlob, string(noise))
	var insert strings.Builder
	for i := 0; i < 2<<20; i += 127 {
		insert.WriteString(insertOp(string(noise[i : i+127])))
	}
	n := insert.Len() / 128 * 127
	at = b.ofs(at, deltaOf(len(noise), n+5, insert.String(), copyOp(0, 5)))
	b.ofs(at, deltaOf(n+5, 20, copyOp(9, 20)))
	b.ofs(at, deltaOf(n+5, 30, copyOp(9, 30)))
	for i := range 6 {
		b.whole(git.KindCommit, text[i:5<<20])
	}
	at = b.whole(git.KindCommit, text)
	b.ofs(at, deltaOf(len(text), 9, copyOp(0, 9)))
	at = b.whole(git.KindBlob, text) // streamed, and wanted in memory after all
	b.ofs(at, deltaOf(len(text), 8, copyOp(0, 8)))
	data := b.bytes()
	want, _ := gitIndex(t, git.SHA1, data)
	for _, size := range []int{10_000, 1 << 30} {
		for _, memory := range []int64{1, 0} {
			var v visits
			r, err := pack.Receive(t.Context(), pieces{bytes.NewReader(data), size}, new(draft),
				pack.Options{Visit: v.visit, Limits: pack.Limits{MemoryBytes: memory}})
			if err != nil {
				t.Fatal(err)
			}
			if !bytes.Equal(r.Index, want) {
				t.Errorf("in pieces of %d, %d bytes of memory: index differs from git's", size, memory)
			}
			if r.Objects != len(v.seen) || v.nils != 1 {
				t.Errorf("%d objects visited of %d, %d without content", len(v.seen), r.Objects, v.nils)
			}
		}
	}
}

// A delta too large to be held is not read again to learn what it makes.
func TestReceiveLargeDelta(t *testing.T) {
	content := strings.Repeat("0123456789abcdef", 100_000)
	var ops strings.Builder
	for at := 0; at < len(content); at += 100 {
		ops.WriteString(insertOp(content[at : at+100]))
	}
	b := newBuilder(git.SHA1)
	delta := deltaOf(len(base), len(content), ops.String())
	b.ofs(b.whole(git.KindBlob, base), delta)
	need := int64(len(base) + len(delta) + len(content))
	if _, err := pack.Receive(t.Context(), bytes.NewReader(b.bytes()), new(draft), pack.Options{Limits: pack.Limits{TotalBytes: need}}); err != nil {
		t.Error(err)
	}
	var over *pack.LimitError
	if err := receiveError(t, b.bytes(), pack.Options{Limits: pack.Limits{TotalBytes: need - 1}}); !errors.As(err, &over) ||
		over.Limit != "inflated size of the pack" {
		t.Error(err)
	}
	l := pack.Limits{ObjectBytes: int64(len(delta)), TotalBytes: 1 << 40}
	b = newBuilder(git.SHA1)
	b.ofs(b.whole(git.KindBlob, base), deltaOf(len(base), 1<<40, ops.String()))
	if err := receiveError(t, b.bytes(), pack.Options{Limits: l}); !errors.As(err, &over) || over.Limit != "object size" {
		t.Error(err)
	}
}
