package serve

import (
	"context"
	"errors"
	"net"
	"net/http"
	"strconv"
	"time"
)

// connKey is the context key of a request's connection. Like its addresses, which
// net/http puts there itself, it is data about the request.
type connKey struct{}

// WithConn is an http.Server.ConnContext. It lets NewVectors write to the
// server's connections, and belongs on a server whose handler is Observe's: what
// else wrapped the answers, to compress them say, would be passed by.
func WithConn(ctx context.Context, c net.Conn) context.Context {
	return context.WithValue(ctx, connKey{}, c)
}

// Vectors writes to the body of an HTTP/1.1 answer past net/http, which would copy
// or take one piece at a time: pieces that lie scattered in memory go to the
// connection by one system call. Each call's are one chunk of the body, between
// those that net/http writes; so keep-alive, Shutdown, deadlines, log and metrics
// are what they are for any other answer.
type Vectors struct {
	conn    net.Conn
	control *http.ResponseController
	guard   *deadline // may be nil
	seen    *observed // may be nil
	begun   bool
	vecs    [][]byte
	head    []byte
}

// NewVectors returns the Vectors of an answer, nil where its body does not go to a
// plain connection in chunks: then only w can be written to. The answer has a body and sets
// neither Content-Length nor Transfer-Encoding.
func NewVectors(w http.ResponseWriter, r *http.Request) *Vectors {
	conn, _ := r.Context().Value(connKey{}).(net.Conn)
	switch conn.(type) {
	case *net.TCPConn, *net.UnixConn:
	default:
		return nil
	}
	if r.ProtoMajor != 1 || r.ProtoMinor < 1 || r.TLS != nil {
		return nil
	}
	v := &Vectors{conn: conn, control: http.NewResponseController(w)}
	for {
		switch known := w.(type) {
		case *observed:
			v.seen = known
		case *guardedWriter:
			v.guard = known.c
		}
		inner, ok := w.(interface{ Unwrap() http.ResponseWriter })
		if !ok {
			return v
		}
		w = inner.Unwrap()
	}
}

// WriteVectors writes the pieces one after the other, behind what was written to
// the answer and flushed before. It overwrites bufs. After an error, the answer
// cannot go on.
func (v *Vectors) WriteVectors(bufs [][]byte) (int64, error) {
	if !v.begun {
		// From here on net/http has no more to say but chunks and their end.
		if err := v.control.Flush(); err != nil {
			return 0, err
		}
		v.begun = true
	}
	total := int64(0)
	for _, b := range bufs {
		total += int64(len(b))
	}
	if total == 0 { // such a chunk would end the body
		return 0, nil
	}
	v.head = append(strconv.AppendInt(v.head[:0], total, 16), "\r\n"...)
	v.vecs = append(append(append(v.vecs[:0], v.head), bufs...), v.head[len(v.head)-2:])
	left := net.Buffers(v.vecs)
	for {
		if v.guard != nil {
			v.guard.writing(time.Now())
		}
		n, err := left.WriteTo(v.conn)
		if err == nil {
			break
		}
		var slow net.Error
		if v.guard == nil || n == 0 || !errors.As(err, &slow) || !slow.Timeout() || !v.guard.again(time.Now()) {
			return 0, err
		}
		// It was slow, but it went on.
	}
	clear(v.vecs)
	if v.seen != nil {
		v.seen.bytes += total
	}
	return total, nil
}
