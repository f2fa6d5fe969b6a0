package githttp

import (
	"io"
	"net/http"
	"sync/atomic"

	"github.com/ingot-forge/ingot/serve"
)

// answer sends what the engine writes, at once: it comes in batches as large as
// is good for the wire, and progress is of no use late.
type answer struct {
	http.ResponseWriter
	contentType string    // of what is written; set before
	reading     *readBody // a request that may not be read to its end yet; nil: net/http sees to it
	begun       bool
}

func (a *answer) Write(p []byte) (int, error) {
	a.begin()
	n, err := a.ResponseWriter.Write(p)
	if err == nil {
		err = http.NewResponseController(a.ResponseWriter).Flush()
	}
	return n, err
}

// vectored is an answer that also takes many pieces at once (wire.VectorWriter),
// without copying them.
type vectored struct {
	*answer
	vectors *serve.Vectors
}

// WriteVectors sends the pieces, at once.
func (v vectored) WriteVectors(bufs [][]byte) (int64, error) {
	v.begin()
	return v.vectors.WriteVectors(bufs)
}

// begin sends the headers, once.
func (a *answer) begin() {
	if a.begun {
		return
	}
	a.begun = true
	a.announceClose()
	h := a.Header()
	h.Set("Content-Type", a.contentType)
	h.Set("Cache-Control", "no-cache, max-age=0, must-revalidate")
	h.Set("Expires", "Fri, 01 Jan 1980 00:00:00 GMT")
	h.Set("Pragma", "no-cache")
	a.WriteHeader(http.StatusOK)
}

// refuse answers with a status instead; nothing was written yet.
func (a *answer) refuse(with serve.Answer) {
	a.announceClose()
	with.Plain(a.ResponseWriter)
}

// announceClose ends the connection with this answer if some of the request is
// unread: what follows on it would be taken for the next one.
func (a *answer) announceClose() {
	if a.reading != nil && !a.reading.ended.Load() {
		a.Header().Set("Connection", "close")
	}
}

// readBody knows whether all of a request has been read: net/http says so with
// the last byte, or the last chunk. It may be asked while another goroutine reads.
type readBody struct {
	io.Reader
	ended atomic.Bool
}

func (b *readBody) Read(p []byte) (int, error) {
	n, err := b.Reader.Read(p)
	if err == io.EOF {
		b.ended.Store(true)
	}
	return n, err
}
