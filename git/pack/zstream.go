package pack

import (
	"bytes"
	"errors"
	"fmt"
	"io"

	"github.com/klauspost/compress/flate"
	"github.com/klauspost/compress/zlib"

	"github.com/ingot-forge/ingot/git"
)

// Inflater inflates a zlib stream of any size piece by piece; where the size is
// known and fits in memory, Inflate is faster. One Inflater serves one goroutine.
type Inflater struct {
	z   io.ReadCloser
	err error
}

// NewInflater returns a reader of the zlib stream in r. When r is an
// io.ByteReader no byte beyond the stream's end is read. Damage is
// git.ErrCorrupt, a stream that r ends before io.ErrUnexpectedEOF; errors of r
// itself come through.
func NewInflater(r io.Reader) (*Inflater, error) {
	z := new(Inflater)
	if err := z.Reset(r); err != nil {
		return nil, err
	}
	return z, nil
}

// Reset makes z read the zlib stream in r, as NewInflater does, and keeps its buffers.
func (z *Inflater) Reset(r io.Reader) (err error) {
	if z.z == nil {
		z.z, err = zlib.NewReader(r)
	} else {
		err = z.z.(zlib.Resetter).Reset(r, nil)
	}
	z.err = streamError(err)
	return z.err
}

// Read implements io.Reader. It returns io.EOF once the stream has ended and
// its checksum was found right.
func (z *Inflater) Read(p []byte) (int, error) {
	if z.err != nil {
		return 0, z.err
	}
	n, err := z.z.Read(p)
	if err != io.EOF {
		err = streamError(err)
	}
	z.err = err
	return n, err
}

// streamError says in this package's terms what went wrong with a zlib stream.
func streamError(err error) error {
	if err == nil {
		return nil
	}
	var damage flate.CorruptInputError
	switch {
	case err == io.EOF:
		return io.ErrUnexpectedEOF
	case errors.As(err, &damage), errors.Is(err, zlib.ErrChecksum),
		errors.Is(err, zlib.ErrHeader), errors.Is(err, zlib.ErrDictionary):
		return fmt.Errorf("%w: %v", git.ErrCorrupt, err)
	}
	return err
}

// Deflater makes zlib streams. One Deflater serves one goroutine.
type Deflater struct {
	out bytes.Buffer
	z   *zlib.Writer
}

// deflateLevel gives streams about as long as those of git's default.
const deflateLevel = 6

// NewDeflater returns a Deflater of git's default level.
func NewDeflater() *Deflater {
	z := new(Deflater)
	var err error
	if z.z, err = zlib.NewWriterLevel(&z.out, deflateLevel); err != nil {
		panic(err) // only for a level out of range
	}
	return z
}

// Deflate appends the zlib stream of data to dst.
func (z *Deflater) Deflate(dst, data []byte) []byte {
	z.out = *bytes.NewBuffer(dst)
	z.z.Reset(&z.out)
	z.z.Write(data) // to a bytes.Buffer neither can fail
	z.z.Close()
	dst = z.out.Bytes()
	z.out = bytes.Buffer{}
	return dst
}
