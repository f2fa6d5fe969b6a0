package pack

import "io"

// Inflate inflates the zlib stream that starts src into dst, whose length is
// the size that the stream must have, and returns how many bytes of src the
// stream took. A stream that is damaged, or longer or shorter than dst, is git.ErrCorrupt; one that
// src ends before is io.ErrUnexpectedEOF. It allocates nothing and never reads
// or writes outside the slices. It is the one-shot fast path: a purpose-written
// decoder for a buffer of known size (limits.md, "Building blocks").
func Inflate(dst, src []byte) (n int, err error) { panic("contract") }

// Inflater inflates zlib streams of any size piece by piece.
type Inflater struct{}

// NewInflater returns a reader of the zlib stream in r that reads no byte of r
// beyond the stream's end when r is an io.ByteReader.
func NewInflater(r io.Reader) (*Inflater, error) { panic("contract") }

// Read implements io.Reader.
func (z *Inflater) Read(p []byte) (int, error) { panic("contract") }

// Deflater makes zlib streams. One Deflater serves one goroutine.
type Deflater struct{}

// NewDeflater returns a Deflater of git's default level.
func NewDeflater() *Deflater { panic("contract") }

// Deflate appends the zlib stream of data to dst.
func (z *Deflater) Deflate(dst, data []byte) []byte { panic("contract") }
