package pack

import (
	"context"
	"fmt"
	"io"
)

const (
	// viewAhead is how much is asked for at the start of an entry: most entries
	// are complete in it, so that one View serves header and stream.
	viewAhead = 4096
	// entryHeadMax is more than the header of an entry takes: a size of 9
	// bytes and a base of 9 or 32.
	entryHeadMax = 64
	// inflateRatio is more than deflate can reach (258 bytes from 2 bits).
	inflateRatio = 1040
	// trustedSize is the most that is allocated on the word of an entry's header
	// alone; beyond it the size must be in reach of the stored bytes.
	trustedSize = 1 << 20
	// copyView is how much of an entry is asked for at once to be copied.
	copyView = 2 << 20
)

// stored is an entry with what of its stream is at hand.
type stored struct {
	head
	offset int64
	data   int64  // offset of the stream
	base   int64  // OfsDelta: offset of the base
	rest   []byte // of the pack from data on, perhaps nothing
}

// stored reads the header of the entry at offset.
func (p *Pack) stored(ctx context.Context, offset int64) (s stored, err error) {
	if offset < packHead || offset >= p.end {
		return s, entryError(offset, corrupt("outside the pack"))
	}
	v, err := p.view(ctx, offset, min(viewAhead, p.end-offset))
	if err != nil {
		return s, entryError(offset, err)
	}
	h, ok, err := readHead(p.format, v)
	if !ok && err == nil { // the view is split here
		if v, err = p.read(ctx, offset, min(entryHeadMax, p.end-offset)); err != nil {
			return s, entryError(offset, err)
		}
		if h, ok, err = readHead(p.format, v); !ok && err == nil {
			err = corrupt("ends within its header")
		}
	}
	if err != nil {
		return s, entryError(offset, err)
	}
	s = stored{head: h, offset: offset, data: offset + int64(h.bytes), rest: v[h.bytes:]}
	if h.kind == OfsDelta {
		s.base = offset - h.back
		if h.back == 0 || s.base < packHead {
			return s, entryError(offset, corrupt("delta base %d bytes before it", h.back))
		}
	}
	return s, nil
}

// view returns at least one and at most n bytes at off.
func (p *Pack) view(ctx context.Context, off, n int64) ([]byte, error) {
	v, err := p.src.View(ctx, off, int(n))
	if err != nil {
		if err == io.EOF {
			err = io.ErrUnexpectedEOF // all that is asked for lies within the size
		}
		return nil, err
	}
	if len(v) == 0 {
		return nil, io.ErrNoProgress
	}
	return v[:min(int64(len(v)), n)], nil
}

// read returns exactly n bytes at off; they are copied only where views are split.
func (p *Pack) read(ctx context.Context, off, n int64) ([]byte, error) {
	v, err := p.view(ctx, off, n)
	if err != nil || int64(len(v)) == n {
		return v, err
	}
	buf := append(make([]byte, 0, n), v...)
	for int64(len(buf)) < n {
		if v, err = p.view(ctx, off+int64(len(buf)), n-int64(len(buf))); err != nil {
			return nil, err
		}
		buf = append(buf, v...)
	}
	return buf, nil
}

// checkSize makes sure that the inflated size that s announces, which is about
// to be allocated, can be true.
func (p *Pack) checkSize(s *stored) error {
	if s.size <= trustedSize {
		return nil
	}
	if err := p.order.make(p); err != nil {
		return err
	}
	r, ok := p.order.Rank(s.offset)
	if !ok {
		return corrupt("no pack entry starts at offset %d", s.offset)
	}
	if room := p.order.end(p, r) - s.data; s.size/inflateRatio > room {
		return entryError(s.offset, corrupt("%d bytes cannot inflate to %d", room, s.size))
	}
	return nil
}

// inflate fills dst, which is as long as the stream of s is inflated, and
// returns where in the pack the stream ends.
func (p *Pack) inflate(ctx context.Context, dst []byte, s *stored) (end int64, err error) {
	return p.retry(ctx, s, int64(len(dst)), func(src []byte) (int, error) { return Inflate(dst, src) })
}

// retry calls try with the start of the stream of s, of which size bytes are to
// be inflated, and with more of it for as long as that is too little.
func (p *Pack) retry(ctx context.Context, s *stored, size int64,
	try func(src []byte) (int, error)) (end int64, err error) {
	src := s.rest
	for {
		n, err := try(src)
		if err == nil {
			return s.data + int64(n), nil
		}
		room := p.end - s.data
		if err == io.ErrUnexpectedEOF {
			if int64(len(src)) >= room {
				return 0, entryError(s.offset, corrupt("zlib stream runs into the end of the pack"))
			}
			// What does not compress takes 5 bytes more for every 16 KiB or so.
			want := max(2*int64(len(src)), size+size>>10+64)
			src, err = p.read(ctx, s.data, min(want, room))
			if err == nil {
				continue
			}
		}
		return 0, entryError(s.offset, err)
	}
}

// copyRange writes the stored bytes from one offset to another.
func (p *Pack) copyRange(ctx context.Context, w io.Writer, from, to int64) error {
	if from < 0 || to > p.end {
		return corrupt("pack range from %d to %d", from, to)
	}
	for from < to {
		v, err := p.view(ctx, from, min(copyView, to-from))
		if err != nil {
			return fmt.Errorf("pack at offset %d: %w", from, err)
		}
		if _, err := w.Write(v); err != nil {
			return err
		}
		from += int64(len(v))
	}
	return nil
}

// section reads a range of a source. As an io.ByteReader it lets an inflater
// stop exactly at the end of its stream.
type section struct {
	ctx     context.Context // of the call that the section lives in
	src     Source
	at, end int64 // of what is behind buf
	buf     []byte
}

func (s *section) fill() error {
	if len(s.buf) > 0 {
		return nil
	}
	if s.at >= s.end {
		return io.EOF
	}
	v, err := s.src.View(s.ctx, s.at, int(min(copyView, s.end-s.at)))
	if err != nil {
		return err
	}
	if len(v) == 0 {
		return io.ErrNoProgress
	}
	s.buf = v[:min(int64(len(v)), s.end-s.at)]
	s.at += int64(len(s.buf))
	return nil
}

func (s *section) Read(p []byte) (int, error) {
	if err := s.fill(); err != nil {
		return 0, err
	}
	n := copy(p, s.buf)
	s.buf = s.buf[n:]
	return n, nil
}

func (s *section) ReadByte() (byte, error) {
	if err := s.fill(); err != nil {
		return 0, err
	}
	b := s.buf[0]
	s.buf = s.buf[1:]
	return b, nil
}

// left is how many bytes were not read.
func (s *section) left() int64 { return s.end - s.at + int64(len(s.buf)) }
