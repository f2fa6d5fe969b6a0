package wire

import "io"

// VectorWriter is a stream that takes many pieces at once, so that bytes which
// lie scattered in memory reach a connection without being copied together.
type VectorWriter interface {
	// WriteVectors writes the pieces one after the other and returns how many bytes
	// of them were written; fewer than all only with an error. It keeps none of
	// them, and may overwrite bufs, but not the bytes.
	WriteVectors(bufs [][]byte) (int64, error)
}

// Vectors returns w as a VectorWriter: itself if it is one, and else one that
// writes piece by piece.
func Vectors(w io.Writer) VectorWriter {
	if v, ok := w.(VectorWriter); ok {
		return v
	}
	return pieces{w}
}

type pieces struct{ w io.Writer }

func (p pieces) WriteVectors(bufs [][]byte) (written int64, err error) {
	for _, b := range bufs {
		n, err := p.w.Write(b)
		written += int64(n)
		if err != nil {
			return written, err
		}
	}
	return written, nil
}

// framesPerVector is how many frames of data Sideband hands on at once, if they
// are full: about a megabyte.
const framesPerVector = 16

// WriteVectors sends the pieces in band 1, at once, behind what Write gathered. If the
// stream is a VectorWriter they are not copied: it gets them with the heads of
// the frames in between.
func (s *Sideband) WriteVectors(bufs [][]byte) (int64, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.finish()
	left := 0
	for _, b := range bufs {
		left += len(b)
	}
	total := int64(left)
	w, direct := s.w.(VectorWriter)
	if !direct {
		for _, b := range bufs {
			s.gather(b)
		}
		s.finish()
		s.write()
		return total, s.err
	}
	if s.heads == nil {
		s.heads = make([]byte, 0, framesPerVector*bandHead)
	}
	if len(s.buf) > 0 {
		s.vecs = append(s.vecs, s.buf)
	}
	room := 0 // in the frame that was begun
	for _, b := range bufs {
		for len(b) > 0 && s.err == nil {
			if room == 0 {
				if len(s.heads) == cap(s.heads) {
					s.putVectors(w)
				}
				room = min(left, s.frame-bandHead)
				s.heads = append(s.heads, '0', '0', '0', '0', BandData)
				head := s.heads[len(s.heads)-bandHead:]
				putLength(head, bandHead+room)
				s.vecs = append(s.vecs, head)
			}
			n := min(room, len(b))
			s.vecs = append(s.vecs, b[:n])
			b = b[n:]
			room -= n
			left -= n
		}
	}
	s.putVectors(w)
	if s.err != nil {
		return 0, s.err
	}
	return total, nil
}

// putVectors writes s.vecs, and with them what lies in s.buf and s.heads.
func (s *Sideband) putVectors(w VectorWriter) {
	if s.err == nil && len(s.vecs) > 0 {
		_, s.err = w.WriteVectors(s.vecs)
	}
	clear(s.vecs)
	s.vecs, s.heads, s.buf = s.vecs[:0], s.heads[:0], s.buf[:0]
	s.quiet = false
}
