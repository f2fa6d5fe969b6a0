package wire

import (
	"io"
	"sync"
	"time"
)

// The bands of a multiplexed stream.
const (
	BandData     = 1
	BandProgress = 2
	BandError    = 3
)

// framesPerWrite is how many full frames Write gathers: a quarter of a megabyte
// makes the cost of a write vanish, and is all that is copied.
const framesPerWrite = 4

// Sideband multiplexes data, progress and an error into packets. Its methods
// may be called from several goroutines at once; data keeps its order. The first
// error of the stream sticks.
type Sideband struct {
	mu    sync.Mutex
	w     io.Writer
	frame int    // longest packet
	buf   []byte // whole frames, and the one being filled
	open  int    // where the frame being filled starts, -1 if none is
	quiet bool   // nothing was written since the last Tick
	err   error

	vecs  [][]byte // scratch of WriteVectors
	heads []byte   // of the frames in vecs
}

// NewSideband returns a Sideband on w: of side-band-64k's large packets, or of
// side-band's small ones.
func NewSideband(w io.Writer, large bool) *Sideband {
	s := &Sideband{w: w, frame: smallPacket, open: -1}
	if large {
		s.frame = MaxPacket
	}
	return s
}

const bandHead = 5 // four digits and the band's number

// Write sends p in band 1. It is gathered; Flush or Close sends what is left.
func (s *Sideband) Write(p []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	n := s.gather(p)
	return n, s.err
}

// gather copies p into frames and writes whenever there are enough of them.
func (s *Sideband) gather(p []byte) int {
	total := len(p)
	for len(p) > 0 && s.err == nil {
		if s.open < 0 {
			s.begin(BandData)
		}
		n := min(len(p), s.open+s.frame-len(s.buf))
		s.buf = append(s.buf, p[:n]...)
		p = p[n:]
		if len(s.buf) == s.open+s.frame {
			s.finish()
			if len(s.buf) >= framesPerWrite*s.frame {
				s.write()
			}
		}
	}
	return total - len(p)
}

// Progress sends text in band 2, at once. Line ends are the caller's: "\r" has
// the client overwrite the line.
func (s *Sideband) Progress(text string) error { return s.message(BandProgress, text) }

// Error sends text in band 3: the client prints it and fails.
func (s *Sideband) Error(text string) error {
	if len(text) > maxMessage {
		text = text[:maxMessage]
	}
	return s.message(BandError, text+"\n")
}

func (s *Sideband) message(band byte, text string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.finish()
	for len(text) > 0 {
		n := min(len(text), s.frame-bandHead)
		s.begin(band)
		s.buf = append(s.buf, text[:n]...)
		s.finish()
		text = text[n:]
	}
	s.write()
	return s.err
}

// Tick keeps a connection alive: if nothing was written since the last call, it
// sends what is gathered, or else an empty packet of band 1, which clients ignore.
func (s *Sideband) Tick() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.quiet {
		s.finish()
		if len(s.buf) == 0 {
			s.begin(BandData)
			s.finish()
		}
		s.write()
	}
	s.quiet = true
	return s.err
}

// KeepAlive calls Tick at every interval until stop is called, which returns
// when the last Tick is over.
func (s *Sideband) KeepAlive(interval time.Duration) (stop func()) {
	done, over := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(over)
		ticker := time.NewTicker(interval)
		defer ticker.Stop()
		for {
			select {
			case <-ticker.C:
				s.Tick()
			case <-done:
				return
			}
		}
	}()
	return sync.OnceFunc(func() { close(done); <-over })
}

// Flush sends what is gathered.
func (s *Sideband) Flush() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.finish()
	s.write()
	return s.err
}

// Close sends what is gathered and the flush packet that ends the stream.
func (s *Sideband) Close() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.finish()
	s.buf = append(s.buf, "0000"...)
	s.write()
	return s.err
}

func (s *Sideband) begin(band byte) {
	s.open = len(s.buf)
	s.buf = append(s.buf, '0', '0', '0', '0', band)
}

func (s *Sideband) finish() {
	if s.open >= 0 {
		putLength(s.buf[s.open:], len(s.buf)-s.open)
		s.open = -1
	}
}

func (s *Sideband) write() {
	if len(s.buf) == 0 {
		return
	}
	if s.err == nil {
		_, s.err = s.w.Write(s.buf)
	}
	s.buf = s.buf[:0]
	s.quiet = false
}
