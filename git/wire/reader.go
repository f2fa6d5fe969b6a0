package wire

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
)

// Reader takes packets out of a stream. It reads ahead, so what follows the
// packets is had from Rest and not from the stream. A Reader holds one buffer of
// MaxPacket bytes, whatever it is sent.
type Reader struct {
	buf     *bufio.Reader
	peeked  bool // the packet at the front was parsed: kind and size tell it
	kind    Kind
	size    int // of the packet at the front, digits included
	discard int // bytes of the packet that Next gave out last
}

// NewReader returns a Reader of the packets in r.
func NewReader(r io.Reader) *Reader { return &Reader{buf: bufio.NewReaderSize(r, MaxPacket)} }

// Next returns the next packet and moves past it. The data aliases the Reader's
// buffer and holds until the next call. At the end of the stream, between two
// packets, the error is io.EOF; inside one it matches io.ErrUnexpectedEOF. An
// ERR packet of the other end is a *PeerError.
func (r *Reader) Next() (Kind, []byte, error) {
	kind, data, err := r.Peek()
	if err != nil {
		return 0, nil, err
	}
	r.peeked, r.discard = false, r.size
	return kind, data, nil
}

// Peek returns the next packet and does not move; its data holds until the next call.
func (r *Reader) Peek() (Kind, []byte, error) {
	if err := r.settle(); err != nil {
		return 0, nil, err
	}
	if !r.peeked {
		head, err := r.buf.Peek(4)
		if err != nil {
			return 0, nil, r.short("length", len(head), err)
		}
		if r.kind, r.size, err = parseLength(head); err != nil {
			return 0, nil, err
		}
		r.peeked = true
	}
	if r.kind != Data {
		return r.kind, nil, nil
	}
	packet, err := r.buf.Peek(r.size)
	if err != nil {
		return 0, nil, r.short("packet", len(packet), err)
	}
	data := packet[4:]
	if message, ok := bytes.CutPrefix(data, []byte("ERR ")); ok {
		return 0, nil, &PeerError{Message: string(clip(line(message)))}
	}
	return Data, data, nil
}

// settle drops the packet that Next gave out, which its caller is done with now.
func (r *Reader) settle() error {
	_, err := r.buf.Discard(r.discard) // it was peeked at: never fails
	r.discard = 0
	return err
}

func (r *Reader) short(what string, have int, err error) error {
	if !errors.Is(err, io.EOF) {
		return err
	}
	if what == "length" && have == 0 {
		return io.EOF
	}
	return fmt.Errorf("stream ends inside a pkt-line (%s cut after %d bytes): %w", what, have, io.ErrUnexpectedEOF)
}

// parseLength decodes the four digits that start a packet.
func parseLength(head []byte) (Kind, int, error) {
	n := 0
	for _, c := range head[:4] {
		switch {
		case '0' <= c && c <= '9':
			n = n<<4 | int(c-'0')
		case 'a' <= c && c <= 'f':
			n = n<<4 | int(c-'a'+10)
		case 'A' <= c && c <= 'F':
			n = n<<4 | int(c-'A'+10)
		default:
			return 0, 0, protocolErrorf("bad pkt-line length %q: not hexadecimal", head[:4])
		}
	}
	switch {
	case n == 0:
		return Flush, 4, nil
	case n == 1:
		return Delim, 4, nil
	case n == 2:
		return End, 4, nil
	case n < 4:
		return 0, 0, protocolErrorf("bad pkt-line length %q: below 0004", head[:4])
	case n > MaxPacket:
		return 0, 0, protocolErrorf("bad pkt-line length %q: above %04x", head[:4], MaxPacket)
	}
	return Data, n, nil
}

// Line returns the text of the next data packet, without the line feed at its
// end, and moves past it; ok is false, at any other kind of packet, which kind tells.
func (r *Reader) Line() (text []byte, kind Kind, err error) {
	kind, data, err := r.Next()
	return line(data), kind, err
}

// Rest returns what follows the packets read so far. It implements
// io.ByteReader, and shares the Reader's buffer: reading from it and from the
// Reader in turns is allowed.
func (r *Reader) Rest() *bufio.Reader {
	r.settle()
	return r.buf
}
