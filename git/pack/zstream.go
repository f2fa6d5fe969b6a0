package pack

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"sync"

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

const (
	// deflateLevel gives streams about as long as those of git's default.
	deflateLevel = 6
	// quickLevel takes half the time, for what is sent once and not kept.
	quickLevel = 1
	// storedBelow is below what deflating a delta saves nothing.
	storedBelow = 64
)

// deflaters are kept because a new one allocates and clears a megabyte, which
// takes longer than all that a small push or fetch has to deflate.
var deflaters, quickDeflaters = deflatersOf(deflateLevel), deflatersOf(quickLevel)

func deflatersOf(level int) *sync.Pool {
	return &sync.Pool{New: func() any {
		d := new(deflater)
		var err error
		if d.z, err = zlib.NewWriterLevel(&d.out, level); err != nil {
			panic(err) // only for a level out of range
		}
		return d
	}}
}

type deflater struct {
	out bytes.Buffer
	z   *zlib.Writer
}

// Deflate appends the zlib stream of data to dst.
func Deflate(dst, data []byte) []byte { return deflate(deflaters, dst, data) }

// DeflateQuickly is Deflate for deltas that are sent once: streams are some
// hundredths longer, and made in half the time. What is short is stored.
func DeflateQuickly(dst, data []byte) []byte {
	if len(data) >= storedBelow {
		return deflate(quickDeflaters, dst, data)
	}
	// One stored block, the last.
	dst = append(dst, 0x78, 0x01, 1)
	dst = binary.LittleEndian.AppendUint16(dst, uint16(len(data)))
	dst = binary.LittleEndian.AppendUint16(dst, ^uint16(len(data)))
	dst = append(dst, data...)
	return binary.BigEndian.AppendUint32(dst, adler32(data))
}

func deflate(pool *sync.Pool, dst, data []byte) []byte {
	d := pool.Get().(*deflater)
	defer pool.Put(d)
	d.out = *bytes.NewBuffer(dst)
	d.z.Reset(&d.out)
	d.z.Write(data) // to a bytes.Buffer neither can fail
	d.z.Close()
	dst = d.out.Bytes()
	d.out = bytes.Buffer{}
	return dst
}
