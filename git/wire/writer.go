package wire

import (
	"fmt"
	"io"

	"github.com/ingot-forge/ingot/git"
)

// batchBytes is how much a Writer gathers before it writes: a few hundred
// kilobytes make the cost of one write vanish, and more only costs memory.
const batchBytes = 256 << 10

// Writer gathers packets and writes them in large pieces. The first error sticks
// and is returned by Send. One goroutine uses a Writer.
type Writer struct {
	w    io.Writer
	buf  []byte
	band byte // 0, or the sideband that every data packet is marked with
	err  error
}

// NewWriter returns a Writer of packets to w.
func NewWriter(w io.Writer) *Writer { return &Writer{w: w} }

// Mark makes every later data packet start with the number of a sideband, as
// version 2 has it after sideband-all.
func (w *Writer) Mark(band byte) { w.band = band }

// Start begins a data packet: append its payload to what Start returns and give
// that to Finish. Nothing is allocated per packet.
func (w *Writer) Start() []byte {
	if len(w.buf) > batchBytes {
		w.Send()
	}
	if w.buf == nil {
		w.buf = make([]byte, 0, 4096)
	}
	b := append(w.buf, "0000"...)
	if w.band != 0 {
		b = append(b, w.band)
	}
	return b
}

// Finish ends the packet that Start began. A payload longer than MaxData is an
// error, and nothing of it is written.
func (w *Writer) Finish(b []byte) {
	n := len(b) - len(w.buf)
	if n > MaxPacket {
		w.fail(fmt.Errorf("pkt-line of %d bytes: at most %d are allowed", n, MaxPacket))
		return
	}
	putLength(b[len(w.buf):], n)
	w.buf = b
}

func putLength(b []byte, n int) {
	const digits = "0123456789abcdef"
	b[0], b[1], b[2], b[3] = digits[n>>12&15], digits[n>>8&15], digits[n>>4&15], digits[n&15]
}

// Line writes a data packet of s and a line feed.
func (w *Writer) Line(s string) { w.Finish(append(append(w.Start(), s...), '\n')) }

// Ref writes one line of a ref list, "<id> <name><suffix>\n".
func (w *Writer) Ref(f git.Format, id git.ID, name, suffix string) {
	b := f.AppendHex(w.Start(), id)
	b = append(b, ' ')
	b = append(b, name...)
	b = append(b, suffix...)
	w.Finish(append(b, '\n'))
}

// Error writes the packet by which a server ends a conversation with a message:
// ERR, or band 3 after Mark.
func (w *Writer) Error(message string) {
	if len(message) > maxMessage {
		message = message[:maxMessage]
	}
	if w.band != 0 {
		w.band = BandError
		w.Line(message)
		return
	}
	w.Line("ERR " + message)
}

// maxMessage bounds a message to a client, so that it fits any packet.
const maxMessage = 900

// Flush, Delim and End write the packets of these names.
func (w *Writer) Flush() { w.buf = append(w.buf, "0000"...) }
func (w *Writer) Delim() { w.buf = append(w.buf, "0001"...) }
func (w *Writer) End()   { w.buf = append(w.buf, "0002"...) }

// Send writes out what was gathered and returns the first error there was.
func (w *Writer) Send() error {
	if w.err == nil && len(w.buf) > 0 {
		_, w.err = w.w.Write(w.buf)
	}
	w.buf = w.buf[:0]
	return w.err
}

func (w *Writer) fail(err error) {
	if w.err == nil {
		w.err = err
	}
}
