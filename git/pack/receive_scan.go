package pack

import (
	"bytes"
	"context"
	"encoding/binary"
	"fmt"
	"hash/crc32"
	"io"

	"github.com/ingot-forge/ingot/git"
)

const (
	// maxRatio is the best that deflate can do: 258 bytes by two bits, and a
	// little less once the codes are told. Fewer stored bytes than this can't
	// be a whole stream, so inflating them need not be tried.
	maxRatio = 1032
	// scratchBytes is the piece in which large streams are inflated.
	scratchBytes = 64 << 10
)

// scanner goes through the entries of the stream once. Whole objects are
// inflated and given to the namer; deltas go to the shelf, or are inflated only
// to find their end.
type scanner struct {
	*intake
	s       *stream
	namer   *namer
	own     *git.Hasher // for blobs that are hashed while they are inflated
	z       *Inflater
	through entryReader
	scratch []byte
}

// scan reads the stream to its end: afterwards the draft has all of it but the
// trailer, the table has every entry, and whole objects have their ids.
func (in *intake) scan(ctx context.Context, r io.Reader) error {
	c := newCrew(ctx)
	s := newStream(c, in.Format, r, in.out, in.Limits.PackBytes)
	n := newNamer(c, in)
	c.fail((&scanner{intake: in, s: s, namer: n}).run())
	s.end()
	close(n.todo)
	if err := c.wait(); err != nil {
		return err
	}
	in.stored = s.stored
	if got := s.sum.Sum(nil); !bytes.Equal(got, in.trailer) {
		return corrupt("pack trailer is %x, but its bytes hash to %x", in.trailer, got)
	}
	return nil
}

func (sc *scanner) run() error {
	for len(sc.s.rest()) < packHead {
		if err := sc.s.more(); err != nil {
			return err
		}
	}
	count, err := packCount(sc.s.rest())
	if err != nil {
		return err
	}
	most := int64(maxEntries)
	if sc.Limits.Objects > 0 {
		most = min(most, sc.Limits.Objects)
	}
	if int64(count) > most {
		return &LimitError{Limit: "objects in the pack", Max: most}
	}
	sc.s.skip(packHead)
	for i := range count {
		at := sc.s.offset()
		sc.table.grow(int(count))
		if err := sc.entry(at); err != nil {
			return entryError(at, err)
		}
		if (i+1)%reportEvery == 0 {
			sc.report(Progress{Done: int64(i + 1), Total: int64(count), Bytes: sc.s.offset()})
		}
	}
	sc.entries = int(count)
	if sc.trailer, err = sc.s.finish(sc.Format.Size()); err != nil {
		return err
	}
	if err := sc.namer.finish(); err != nil {
		return err
	}
	sc.report(Progress{Done: int64(count), Total: int64(count), Bytes: sc.s.offset() + int64(len(sc.trailer))})
	return nil
}

// entry takes in the entry that starts at offset at.
func (sc *scanner) entry(at int64) error {
	h, err := sc.head()
	if err != nil {
		return err
	}
	if sc.Limits.ObjectBytes > 0 && h.size > sc.Limits.ObjectBytes {
		return &LimitError{Limit: "object size", Max: sc.Limits.ObjectBytes}
	}
	if err := sc.spend(h.size); err != nil {
		return err
	}
	n := sc.add(at, h.kind)
	switch h.kind {
	case OfsDelta:
		base, ok := sc.find(at - h.back)
		if !ok || base == n {
			return corrupt("delta's base at offset %d, where no entry starts", at-h.back)
		}
		sc.hang(n, base)
		return sc.delta(n, h)
	case RefDelta:
		sc.refDeltas++
		sc.refs.found = append(sc.refs.found, refDelta{base: h.baseID, entry: n})
		return sc.delta(n, h)
	}
	kind := git.Kind(h.kind)
	sc.links[n].kind = kind
	if kind == git.KindBlob && h.size >= StreamBytes {
		return sc.blob(n, h)
	}
	if h.size > largeBytes {
		return sc.large(n, h)
	}
	data, err := sc.namer.room(h.size)
	if err != nil {
		return err
	}
	if sc.index[n].CRC, err = sc.inflate(data, h.bytes); err != nil {
		return err
	}
	sc.namer.add(n, kind, data)
	return nil
}

// large takes in an object that has to be held in memory although it is large:
// in memory that grows with what is inflated, not with what the header says.
func (sc *scanner) large(n uint32, h head) (err error) {
	if h.size > maxInMemory {
		return &LimitError{Limit: "object size", Max: maxInMemory}
	}
	if err := sc.namer.waitLarge(h.size); err != nil {
		return err
	}
	var data bytes.Buffer
	if sc.index[n].CRC, err = sc.pass(&data, h); err != nil {
		return err
	}
	sc.namer.add(n, git.Kind(h.kind), data.Bytes())
	return nil
}

// head decodes the header at the front of the window, and leaves it there.
func (sc *scanner) head() (head, error) {
	for {
		h, ok, err := readHead(sc.Format, sc.s.rest())
		if ok || err != nil {
			return h, err
		}
		if err := sc.s.more(); err != nil {
			return h, err
		}
	}
}

// delta takes in the content of delta entry n.
func (sc *scanner) delta(n uint32, h head) (err error) {
	sc.deltas++
	kept := sc.kept.room(h.size)
	data := kept
	if data == nil {
		if h.size > blockBytes {
			return sc.largeDelta(n, h)
		}
		if int64(cap(sc.scratch)) < h.size {
			sc.scratch = make([]byte, max(h.size, scratchBytes))
		}
		data = sc.scratch[:h.size]
	}
	if sc.index[n].CRC, err = sc.inflate(data, h.bytes); err != nil {
		return err
	}
	size, err := sc.resultSize(data)
	if err != nil {
		return err
	}
	if kept != nil {
		sc.links[n].at = sc.kept.put(len(kept))
		sc.links[n].size = uint32(len(kept))
	}
	return sc.spend(size)
}

// largeDelta finds the end of a delta that is too large to be held, and what it
// says of the size of its object. Whether that is true is seen once it is applied.
func (sc *scanner) largeDelta(n uint32, h head) (err error) {
	var start prefix
	if sc.index[n].CRC, err = sc.pass(&start, h); err != nil {
		return err
	}
	_, size, _, err := DeltaSizes(start.kept[:start.n])
	if err != nil {
		return err
	}
	if err := sc.mayMake(size); err != nil {
		return err
	}
	return sc.spend(size)
}

// prefix keeps the start of what is written to it: as much as a delta's sizes take.
type prefix struct {
	kept [2 * binary.MaxVarintLen64]byte
	n    int
}

func (p *prefix) Write(data []byte) (int, error) {
	p.n += copy(p.kept[p.n:], data)
	return len(data), nil
}

// resultSize reads the size of what a delta makes, and checks it before anything
// is allocated for it.
func (in *intake) resultSize(delta []byte) (int64, error) {
	_, size, ops, err := DeltaSizes(delta)
	if err != nil {
		return 0, err
	}
	if err := in.mayMake(size); err != nil {
		return 0, err
	}
	if size > trustedSize {
		if n, err := deltaResult(ops, size); err != nil || n != size {
			return 0, corrupt("delta: its instructions do not make the %d bytes announced", size)
		}
	}
	return size, nil
}

// mayMake checks the size of an object that is going to be held in memory.
func (in *intake) mayMake(size int64) error {
	most := int64(maxInMemory)
	if in.Limits.ObjectBytes > 0 {
		most = min(most, in.Limits.ObjectBytes)
	}
	if size > most {
		return &LimitError{Limit: "object size", Max: most}
	}
	return nil
}

// blob hashes a large blob while it comes in.
func (sc *scanner) blob(n uint32, h head) (err error) {
	if sc.own == nil {
		sc.own = git.NewHasher(sc.Format)
	}
	sc.own.Start(git.KindBlob, h.size)
	if sc.index[n].CRC, err = sc.pass(sc.own, h); err != nil {
		return err
	}
	id, err := sc.own.Sum()
	if err != nil {
		return err
	}
	sc.index[n].ID = id
	if sc.Visit != nil {
		return sc.Visit(id, git.KindBlob, h.size, nil)
	}
	return nil
}

// inflate inflates the entry at the front of the window, whose header has head
// bytes, into dst, which has the size it must have. It consumes the entry and
// returns its CRC. While the entry is not there whole yet, it tries again after
// a Read that doubled what is at hand; otherwise it goes on piece by piece, so
// that bytes that come in drops cost no more than linear time.
func (sc *scanner) inflate(dst []byte, head int) (crc uint32, err error) {
	tried := 0
	for {
		in := sc.s.rest()
		have := len(in) - head
		if have < 2*tried {
			return sc.inflateSlowly(dst, head)
		}
		if have > len(dst)/maxRatio {
			n, err := Inflate(dst, in[head:])
			if err == nil {
				crc = crc32.ChecksumIEEE(in[:head+n])
				sc.s.skip(head + n)
				return crc, nil
			}
			if err != io.ErrUnexpectedEOF {
				return 0, err
			}
			tried = have
		}
		switch err := sc.s.more(); err {
		case nil:
		case errWindowFull:
			return sc.inflateSlowly(dst, head)
		default:
			return 0, err
		}
	}
}

func (sc *scanner) inflateSlowly(dst []byte, head int) (crc uint32, err error) {
	if err := sc.begin(head); err != nil {
		return 0, err
	}
	for n := 0; n < len(dst); {
		if err := sc.s.ctx.Err(); err != nil {
			return 0, err
		}
		k, err := sc.z.Read(dst[n:min(len(dst), n+scratchBytes)])
		n += k
		switch {
		case err == io.EOF && n < len(dst):
			return 0, corrupt("zlib stream ends after %d bytes of %d", n, len(dst))
		case err != nil && err != io.EOF:
			return 0, err
		}
	}
	return sc.end(int64(len(dst)))
}

// pass inflates the entry at the front of the window and writes it to w, which
// never fails.
func (sc *scanner) pass(w io.Writer, h head) (crc uint32, err error) {
	if err := sc.begin(h.bytes); err != nil {
		return 0, err
	}
	if cap(sc.scratch) < scratchBytes {
		sc.scratch = make([]byte, scratchBytes)
	}
	for left := h.size; left > 0; {
		if err := sc.s.ctx.Err(); err != nil {
			return 0, err
		}
		n, err := sc.z.Read(sc.scratch[:min(left, scratchBytes)])
		w.Write(sc.scratch[:n])
		left -= int64(n)
		switch {
		case err == io.EOF && left > 0:
			return 0, corrupt("zlib stream ends after %d bytes of %d", h.size-left, h.size)
		case err != nil && err != io.EOF:
			return 0, err
		}
	}
	return sc.end(h.size)
}

// begin starts to read the entry at the front of the window piece by piece.
func (sc *scanner) begin(head int) (err error) {
	sc.through.begin(sc.s, head)
	if sc.z == nil {
		sc.z, err = NewInflater(&sc.through)
		return err
	}
	return sc.z.Reset(&sc.through)
}

// end checks that the zlib stream ends after size bytes, and returns the CRC of
// the entry.
func (sc *scanner) end(size int64) (crc uint32, err error) {
	var more [1]byte
	for range maxEmptyReads {
		n, err := sc.z.Read(more[:])
		switch {
		case n > 0:
			return 0, corrupt("zlib stream is longer than the %d bytes announced", size)
		case err == io.EOF:
			return sc.through.sum(), nil
		case err != nil:
			return 0, err
		}
	}
	return 0, fmt.Errorf("zlib stream: %w", io.ErrNoProgress)
}
