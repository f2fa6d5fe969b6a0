package pack

import (
	"context"
	"errors"
	"fmt"
	"hash"
	"hash/crc32"
	"io"
	"math"

	"github.com/ingot-forge/ingot/git"
)

// writeBuffer gathers entries, some hundred bytes each, into writes that are
// worth a system call; what is larger than it passes it by.
const writeBuffer = 64 << 10

// Writer writes one pack of a known number of objects to a stream. One Writer
// serves one goroutine. After an error the pack is unusable, and every later
// call returns the same error.
type Writer struct {
	out    output
	format git.Format
	left   int // entries to come
	check  checked
	entry  []byte // scratch: an entry, or the header of one
	err    error
}

// NewWriter starts a pack of count objects on w.
func NewWriter(w io.Writer, f git.Format, count int) (*Writer, error) {
	if count < 0 || int64(count) > math.MaxUint32 {
		return nil, fmt.Errorf("a pack cannot have %d objects", count)
	}
	p := &Writer{format: f, left: count}
	p.out = output{w: w, sum: git.NewChecksum(f), buf: make([]byte, 0, writeBuffer)}
	if _, err := p.out.Write(AppendHeader(make([]byte, 0, packHead), uint32(count))); err != nil {
		return nil, err
	}
	return p, nil
}

// SumEntries makes the Writer compute what an index wants of each entry: see EntryCRC. It
// is called before the first entry. A pack that is only sent does without.
func (w *Writer) SumEntries() { w.out.sums = true }

// EntryCRC returns the CRC-32 of the entry written last, header included.
func (w *Writer) EntryCRC() uint32 { return w.out.crc }

// Offset is the number of bytes written so far: where the next entry will start.
func (w *Writer) Offset() int64 { return w.out.written }

// Copy writes an entry that src has stored whole (Kind 1 to 4), as it is. It
// fails with git.ErrCorrupt if the bytes do not have the CRC that src's index
// gives, so that damage does not spread from pack to pack.
func (w *Writer) Copy(ctx context.Context, src *Pack, e Entry) error {
	if e.Kind.IsDelta() {
		return w.end(fmt.Errorf("pack entry at offset %d to be copied is a delta", e.Offset))
	}
	if err := w.begin(); err != nil {
		return err
	}
	w.check = checked{w: &w.out}
	return w.end(w.check.copy(ctx, src, e, e.Offset))
}

// CopyDelta writes an entry that src has stored as a delta, with its header
// made anew: as an OfsDelta when baseOffset (of the base's entry in this pack) is
// not negative, as a RefDelta of baseID otherwise. It fails as Copy does.
func (w *Writer) CopyDelta(ctx context.Context, src *Pack, e Entry, baseOffset int64, baseID git.ID) error {
	if !e.Kind.IsDelta() {
		return w.end(fmt.Errorf("pack entry at offset %d to be copied is no delta", e.Offset))
	}
	if err := w.begin(); err != nil {
		return err
	}
	if err := w.deltaHead(e.Size, baseOffset, baseID); err != nil {
		return w.end(err)
	}
	if _, err := w.out.Write(w.entry); err != nil {
		return w.end(err)
	}
	head, err := src.read(ctx, e.Offset, e.Data-e.Offset)
	if err != nil {
		return w.end(entryError(e.Offset, err))
	}
	w.check = checked{w: &w.out, crc: crc32.ChecksumIEEE(head)}
	return w.end(w.check.copy(ctx, src, e, e.Data))
}

// Object writes an object that is deflated now.
func (w *Writer) Object(kind git.Kind, data []byte) error {
	if err := w.begin(); err != nil {
		return err
	}
	w.entry = appendHead(w.entry[:0], kind, int64(len(data)))
	return w.end(w.deflate(data))
}

// Delta writes a delta, as DeltaIndex.Create makes it, that is deflated now. Its
// base is given as in CopyDelta.
func (w *Writer) Delta(delta []byte, baseOffset int64, baseID git.ID) error {
	if err := w.begin(); err != nil {
		return err
	}
	if err := w.deltaHead(int64(len(delta)), baseOffset, baseID); err != nil {
		return w.end(err)
	}
	return w.end(w.deflate(delta))
}

// Close writes the trailer and returns it. It fails if the number of entries
// written is not the one announced. w itself is not closed.
func (w *Writer) Close() (checksum []byte, err error) {
	if w.err != nil {
		return nil, w.err
	}
	if w.left > 0 {
		return nil, w.end(fmt.Errorf("pack lacks %d of the objects announced", w.left))
	}
	if err := w.out.flush(); err != nil {
		return nil, w.end(err)
	}
	checksum = w.out.sum.Sum(nil)
	if _, err := w.out.w.Write(checksum); err != nil {
		return nil, w.end(err)
	}
	w.out.written += int64(len(checksum))
	return checksum, nil
}

// begin starts an entry, unless the pack has failed or is full.
func (w *Writer) begin() error {
	if w.err == nil && w.left == 0 {
		w.err = errors.New("pack already has all the objects announced")
	}
	w.out.crc = 0
	return w.err
}

// end ends an entry. It remembers the error with which the pack fails.
func (w *Writer) end(err error) error {
	if w.err == nil {
		w.err = err
		w.left--
	}
	return w.err
}

// deltaHead makes the header of a delta of size bytes in w.entry.
func (w *Writer) deltaHead(size, baseOffset int64, baseID git.ID) error {
	if baseOffset < 0 {
		w.entry = append(appendHead(w.entry[:0], git.Kind(RefDelta), size), baseID[:w.format.Size()]...)
		return nil
	}
	at := w.out.written
	if baseOffset < packHead || baseOffset >= at {
		return fmt.Errorf("a delta at offset %d cannot have its base at offset %d", at, baseOffset)
	}
	w.entry = appendBack(appendHead(w.entry[:0], git.Kind(OfsDelta), size), at-baseOffset)
	return nil
}

// deflate writes the header in w.entry and data behind it.
func (w *Writer) deflate(data []byte) error {
	w.entry = Deflate(w.entry, data)
	_, err := w.out.Write(w.entry)
	if cap(w.entry) > keptScratch {
		w.entry = nil
	}
	return err
}

// appendBack appends the distance of an OfsDelta to its base, the inverse of readBack.
func appendBack(dst []byte, back int64) []byte {
	var buf [10]byte
	i := len(buf) - 1
	buf[i] = byte(back & 0x7f)
	for back >>= 7; back > 0; back >>= 7 {
		back--
		i--
		buf[i] = byte(back&0x7f) | 0x80
	}
	return append(dst, buf[i:]...)
}

// output buffers, hashes and counts what goes to w.
type output struct {
	w       io.Writer
	sum     hash.Hash // of what has left buf
	buf     []byte
	written int64 // buf included
	sums    bool
	crc     uint32 // of the entry at hand, if sums is set
}

func (o *output) Write(p []byte) (int, error) {
	if o.sums {
		o.crc = crc32.Update(o.crc, crc32.IEEETable, p)
	}
	if len(p) > cap(o.buf)-len(o.buf) {
		if err := o.flush(); err != nil {
			return 0, err
		}
	}
	o.written += int64(len(p))
	if len(p) >= cap(o.buf) {
		o.sum.Write(p)
		return o.w.Write(p)
	}
	o.buf = append(o.buf, p...)
	return len(p), nil
}

func (o *output) flush() error {
	o.sum.Write(o.buf)
	_, err := o.w.Write(o.buf)
	o.buf = o.buf[:0]
	return err
}

// checked passes stored bytes on to w and computes their CRC.
type checked struct {
	w   io.Writer
	crc uint32
}

func (c *checked) Write(p []byte) (int, error) {
	c.crc = crc32.Update(c.crc, crc32.IEEETable, p)
	return c.w.Write(p)
}

// copy copies e from one of its offsets to its end, and then wants its CRC.
func (c *checked) copy(ctx context.Context, src *Pack, e Entry, from int64) error {
	if err := src.copyRange(ctx, c, from, e.End); err != nil {
		return err
	}
	if c.crc != e.CRC {
		return entryError(e.Offset, corrupt("CRC does not match the index"))
	}
	return nil
}
