package diff

import (
	"bytes"
	"fmt"
)

// sample is what is kept of a file to tell how like others it is: how many
// bytes it has in chunks of each hash. A chunk is a line, or 64 bytes of it.
type sample struct {
	sized  bool
	size   int64
	data   []byte // read, but not yet in chunks
	done   bool
	chunks []chunk
}

type chunk struct{ hash, bytes uint32 }

const (
	chunkBytes  = 64
	chunkHashes = 107927 // a prime
)

// maxHeld is how many bytes of files are held in memory for later, rather than
// put into chunks at once. A sample's chunks take up to 8 bytes a byte.
const maxHeld = 64 << 20

// measure learns the size of a file, by reading it if there is no cheaper way.
// It is not ok when too many bytes have been read.
func (r *renamer) measure(s *sample, side Side) (ok bool, err error) {
	if s.sized {
		return true, nil
	}
	if r.options.Header != nil {
		if _, s.size, err = r.options.Header(r.ctx, side.ID); err != nil {
			return false, fmt.Errorf("reading %q: %w", side.Path, err)
		}
		s.sized = true
		return true, nil
	}
	if ok, err := r.read(s, side); err != nil || !ok {
		return false, err
	}
	if r.options.Bytes-r.bytes > maxHeld {
		r.chunk(s)
	}
	return true, nil
}

func (r *renamer) read(s *sample, side Side) (ok bool, err error) {
	if s.sized && s.size > r.bytes {
		return false, nil
	}
	data, err := content(r.ctx, r.objects, r.format, side)
	if err != nil {
		return false, err
	}
	if r.bytes -= int64(len(data)); r.bytes < 0 {
		return false, nil
	}
	s.sized, s.size, s.data = true, int64(len(data)), data
	return true, nil
}

// chunks counts the chunks of a measured sample.
func (r *renamer) chunks(s *sample, side Side) (ok bool, err error) {
	if s.done {
		return true, nil
	}
	if s.data == nil {
		if ok, err := r.read(s, side); err != nil || !ok {
			return false, err
		}
	}
	r.chunk(s)
	return true, nil
}

// chunk puts a sample that was read into chunks.
func (r *renamer) chunk(s *sample) {
	if r.counts == nil {
		r.counts = make([]uint32, chunkHashes)
	}
	r.hashes = countChunks(r.hashes[:0], s.data, r.counts)
	s.chunks = make([]chunk, len(r.hashes))
	for i, h := range r.hashes {
		s.chunks[i] = chunk{h, r.counts[h]}
		r.counts[h] = 0
	}
	s.data, s.done = nil, true
}

// countChunks counts the bytes of data by the hash of their chunk, and appends
// the hashes met. Of text, the CR before a line feed does not count. As in git
// before 2.44, what follows the last whole chunk does not either.
func countChunks(hashes []uint32, data []byte, counts []uint32) []uint32 {
	isText := bytes.IndexByte(data[:min(len(data), binaryPrefix)], 0) < 0
	var n, a, b uint32
	for i, c := range data {
		if c == '\r' && isText && i+1 < len(data) && data[i+1] == '\n' {
			continue
		}
		a, b = (a<<7^b>>25)+uint32(c), b<<7^a>>25
		if n++; n < chunkBytes && c != '\n' {
			continue
		}
		h := (a + b*0x61) % chunkHashes
		if counts[h] == 0 {
			hashes = append(hashes, h)
		}
		counts[h] += n
		n, a, b = 0, 0, 0
	}
	return hashes
}

// against spreads a target's chunks, so that inBoth can look them up: many
// sources are compared with each target.
func (r *renamer) against(s *sample) {
	if r.spreadOf == s {
		return
	}
	if r.spread == nil {
		r.spread = make([]uint32, chunkHashes)
	}
	if r.spreadOf != nil {
		for _, c := range r.spreadChunks {
			r.spread[c.hash] = 0
		}
	}
	r.spreadOf, r.spreadChunks = s, s.chunks
	for _, c := range s.chunks {
		r.spread[c.hash] = c.bytes
	}
}

// inBoth adds up the bytes that are in chunks of both a sample and the spread
// one.
func (r *renamer) inBoth(s *sample) int64 {
	n, spread := uint64(0), r.spread[:chunkHashes]
	for _, c := range s.chunks {
		if c.hash < chunkHashes { // always; the compiler does not know
			n += uint64(min(c.bytes, spread[c.hash]))
		}
	}
	return int64(n)
}
