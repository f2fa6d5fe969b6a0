package pack

import (
	"context"
	"errors"
	"fmt"
	"hash"
	"hash/crc32"
	"io"

	"github.com/ingot-forge/ingot/git"
)

const (
	// blockBytes is the window on the stream: entries that fit are inflated
	// straight from it. It is also the size of most writes to the draft.
	blockBytes = 1 << 20
	// firstBlock is the size of the first block, for most pushes are small.
	firstBlock = 32 << 10
	// blocksAhead is how many blocks may exist at once: one being scanned, the
	// others being hashed and stored.
	blocksAhead = 4
	// smallestRead is the share of a block below which its rest is left and the
	// next one begun, rather than asking the reader for a few bytes.
	smallestRead = 16
	// maxEmptyReads is how often a reader may return nothing, without an error.
	maxEmptyReads = 100
)

// errWindowFull reports that the bytes not consumed yet fill a whole block.
var errWindowFull = errors.New("window is full")

// stream is the window on the incoming pack. The scanner looks at rest and
// consumes with skip; consumed bytes go to store, which hashes them and writes
// them to the draft beside the scan, unless the pack fits in the first block.
type stream struct {
	ctx   context.Context
	crew  *crew
	r     io.Reader
	err   error // what r said together with its last bytes
	limit int64 // of the whole stream; 0 for none

	buf   []byte
	at    int   // buf[at:have] is read and not consumed
	have  int   //
	start int64 // offset in the pack of buf[0]

	full chan []byte // consumed bytes, in order; nil while store does not run
	free chan []byte // blocks to be used again
	made int         // blocks that exist

	sum    hash.Hash // of all that store has seen
	out    io.Writer
	stored int64
}

func newStream(c *crew, f git.Format, r io.Reader, out io.Writer, limit int64) *stream {
	return &stream{ctx: c.ctx, crew: c, r: r, limit: limit, out: out, sum: git.NewChecksum(f), buf: make([]byte, firstBlock)}
}

// end tells store that no more is to come.
func (s *stream) end() {
	if s.full != nil {
		close(s.full)
	}
}

// offset is the place in the pack of the first byte of rest.
func (s *stream) offset() int64 { return s.start + int64(s.at) }

// rest is what is at hand; it holds until more is called.
func (s *stream) rest() []byte { return s.buf[s.at:s.have] }

func (s *stream) skip(n int) { s.at += n }

// more makes rest longer by one Read. It fails with errWindowFull when rest is
// a whole block already. The end of the stream is an error: more is called only
// for bytes that a complete pack has.
func (s *stream) more() error {
	if err := s.ctx.Err(); err != nil {
		return err
	}
	if len(s.buf)-s.have < len(s.buf)/smallestRead && (s.at > 0 || len(s.buf) < blockBytes) {
		if err := s.turn(); err != nil {
			return err
		}
	}
	if s.have == len(s.buf) {
		return errWindowFull
	}
	n := 0
	for range maxEmptyReads {
		if n > 0 || s.err != nil {
			break
		}
		n, s.err = s.r.Read(s.buf[s.have:])
	}
	if n > 0 {
		s.have += n
		if s.limit > 0 && s.start+int64(s.have) > s.limit {
			return &LimitError{Limit: "pack size", Max: s.limit}
		}
		return nil
	}
	switch {
	case s.err == nil:
		return io.ErrNoProgress
	case s.err == io.EOF:
		s.err = io.ErrUnexpectedEOF
		fallthrough
	case errors.Is(s.err, io.ErrUnexpectedEOF):
		return fmt.Errorf("%w: pack ends early, after %d bytes: %w", git.ErrCorrupt, s.start+int64(s.have), s.err)
	}
	return fmt.Errorf("read pack: %w", s.err)
}

// turn hands the consumed bytes over to store and goes on with a new block.
func (s *stream) turn() error {
	if s.full == nil {
		s.full = make(chan []byte, blocksAhead)
		s.free = make(chan []byte, blocksAhead)
		s.crew.run(s.store)
	}
	next, err := s.block()
	if err != nil {
		return err
	}
	old, used := s.buf, s.at
	s.have = copy(next, s.rest())
	s.buf, s.at = next, 0
	s.start += int64(used)
	return s.hand(old[:used])
}

// hand gives consumed bytes to store.
func (s *stream) hand(p []byte) error {
	if len(p) == 0 {
		return nil
	}
	select {
	case s.full <- p:
		return nil
	case <-s.ctx.Done():
		return s.ctx.Err()
	}
}

// block returns a block that nobody uses.
func (s *stream) block() ([]byte, error) {
	select {
	case b := <-s.free:
		return b, nil
	default:
	}
	if s.made < blocksAhead {
		s.made++
		return make([]byte, blockBytes), nil
	}
	select {
	case b := <-s.free:
		return b, nil
	case <-s.ctx.Done():
		return nil, s.ctx.Err()
	}
}

// finish reads the trailer, which it returns, and hands over what is before
// it. Bytes behind it do not belong there.
func (s *stream) finish(size int) (trailer []byte, err error) {
	for s.have-s.at < size {
		if err := s.more(); err != nil {
			return nil, err
		}
	}
	at := s.at // where it is now: more may have moved it
	trailer = append([]byte(nil), s.buf[at:at+size]...)
	if extra := s.have - at - size; extra > 0 {
		return nil, corrupt("%d bytes of garbage after the pack, which ends at offset %d",
			extra, s.offset()+int64(size))
	}
	if s.full == nil {
		return trailer, s.keep(s.buf[:at])
	}
	return trailer, s.hand(s.buf[:at])
}

// store hashes and writes what the scanner has consumed, until full is closed.
func (s *stream) store() error {
	for p := range s.full {
		if err := s.keep(p); err != nil {
			return err
		}
		if cap(p) == blockBytes {
			s.free <- p[:blockBytes] // has room for every block there is
		}
	}
	return nil
}

func (s *stream) keep(p []byte) error {
	s.sum.Write(p)
	if _, err := s.out.Write(p); err != nil {
		return fmt.Errorf("store pack: %w", err)
	}
	s.stored += int64(len(p))
	return nil
}

// entryReader reads on from the window as a byte stream, across blocks, and
// keeps the CRC of what it consumed.
type entryReader struct {
	s    *stream
	from int // s.buf[from:s.at] is not in crc yet
	crc  uint32
}

// begin starts an entry whose first head bytes, at the front of the window, are
// its header.
func (e *entryReader) begin(s *stream, head int) {
	*e = entryReader{s: s, from: s.at}
	s.skip(head)
}

// sum returns the CRC of all that was consumed since begin.
func (e *entryReader) sum() uint32 {
	e.crc = crc32.Update(e.crc, crc32.IEEETable, e.s.buf[e.from:e.s.at])
	e.from = e.s.at
	return e.crc
}

func (e *entryReader) refill() error {
	e.sum()
	err := e.s.more()
	e.from = e.s.at
	return err
}

func (e *entryReader) ReadByte() (byte, error) {
	if e.s.at == e.s.have {
		if err := e.refill(); err != nil {
			return 0, err
		}
	}
	b := e.s.buf[e.s.at]
	e.s.at++
	return b, nil
}

func (e *entryReader) Read(p []byte) (int, error) {
	if e.s.at == e.s.have {
		if err := e.refill(); err != nil {
			return 0, err
		}
	}
	n := copy(p, e.s.rest())
	e.s.skip(n)
	return n, nil
}
