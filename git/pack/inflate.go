package pack

import (
	"bytes"
	"compress/zlib"
	"errors"
	"fmt"
	"io"
	"sync"

	"github.com/ingot-forge/ingot/git"
)

type inflateReader struct {
	src bytes.Reader
	z   io.ReadCloser
}

var inflateReaders = sync.Pool{New: func() any { return new(inflateReader) }}

// Inflate inflates the zlib stream that starts src into dst, whose length is
// the size that the stream must have, and returns how many bytes of src the
// stream took. A stream that is damaged, or longer or shorter than dst, is
// git.ErrCorrupt; one that src ends before is io.ErrUnexpectedEOF. It allocates
// nothing and never reads or writes outside the slices.
func Inflate(dst, src []byte) (n int, err error) {
	r := inflateReaders.Get().(*inflateReader)
	defer inflateReaders.Put(r)
	r.src.Reset(src)
	if r.z == nil {
		r.z, err = zlib.NewReader(&r.src)
	} else {
		err = r.z.(zlib.Resetter).Reset(&r.src, nil)
	}
	if err != nil {
		return 0, inflateError(err)
	}
	if _, err := io.ReadFull(r.z, dst); err != nil {
		if err == io.ErrUnexpectedEOF && r.src.Len() > 0 {
			return 0, fmt.Errorf("%w: zlib stream is shorter than its object", git.ErrCorrupt)
		}
		return 0, inflateError(err)
	}
	var more [1]byte
	switch k, err := r.z.Read(more[:]); {
	case k > 0:
		return 0, fmt.Errorf("%w: zlib stream is longer than its object", git.ErrCorrupt)
	case err != io.EOF:
		return 0, inflateError(err)
	}
	return len(src) - r.src.Len(), nil
}

func inflateError(err error) error {
	if errors.Is(err, io.ErrUnexpectedEOF) || err == io.EOF {
		return io.ErrUnexpectedEOF
	}
	return fmt.Errorf("%w: %v", git.ErrCorrupt, err)
}
