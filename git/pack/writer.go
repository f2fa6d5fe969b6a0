package pack

import (
	"context"
	"io"

	"github.com/ingot-forge/ingot/git"
)

// Writer writes one pack of a known number of objects to a stream.
type Writer struct{}

// NewWriter starts a pack of count objects on w.
func NewWriter(w io.Writer, f git.Format, count int) (*Writer, error) { panic("contract") }

// Offset is the number of bytes written so far: where the next entry will start.
func (w *Writer) Offset() int64 { panic("contract") }

// Copy writes an entry that src has stored whole (Kind 1 to 4), as it is.
func (w *Writer) Copy(ctx context.Context, src *Pack, e Entry) error { panic("contract") }

// CopyDelta writes an entry that src has stored as a delta, with its header
// made anew: as an OfsDelta when baseOffset (of the base's entry in this pack) is
// not negative, as a RefDelta of baseID otherwise.
func (w *Writer) CopyDelta(ctx context.Context, src *Pack, e Entry, baseOffset int64, baseID git.ID) error {
	panic("contract")
}

// Object writes an object that is deflated now.
func (w *Writer) Object(kind git.Kind, data []byte) error { panic("contract") }

// Close writes the trailer and returns it. It fails if the number of entries
// written is not the one announced. w itself is not closed.
func (w *Writer) Close() (checksum []byte, err error) { panic("contract") }
