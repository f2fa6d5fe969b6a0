package serve

import (
	"io"
	"net/http"
	"time"
)

// Deadlines bound how long one request may take. They replace http.Server's
// fixed timeouts, which would cut a large push off as surely as a stalled one.
type Deadlines struct {
	Idle  time.Duration // between two reads or writes that move at least a byte
	Whole time.Duration // of the request altogether
}

// Steps closer together than this do not move the deadline again: setting one
// costs a system call's worth of work per write of a large clone.
const deadlineStep = time.Second

// Guard returns w and r.Body such that each read or write must make progress
// within d.Idle and everything must be over within d.Whole; past either, reads
// and writes fail and the connection is closed.
func (d Deadlines) Guard(w http.ResponseWriter, r *http.Request) (http.ResponseWriter, io.ReadCloser) {
	c := &deadline{d: d, control: http.NewResponseController(w), end: time.Now().Add(d.Whole)}
	return &guardedWriter{ResponseWriter: w, c: c}, &guardedBody{ReadCloser: r.Body, c: c}
}

type deadline struct {
	d           Deadlines
	control     *http.ResponseController
	end         time.Time
	read, write time.Time // when each deadline was last moved
}

func (c *deadline) next(now time.Time) time.Time {
	if next := now.Add(c.d.Idle); next.Before(c.end) {
		return next
	}
	return c.end
}

// writing moves the deadline of what is about to be written.
func (c *deadline) writing(now time.Time) {
	if now.Sub(c.write) > deadlineStep {
		c.write = now
		// A writer without deadlines (a test's recorder) has no peer to wait for.
		_ = c.control.SetWriteDeadline(c.next(now))
	}
}

// again reports whether a write that got somewhere before its deadline may go on.
func (c *deadline) again(now time.Time) bool {
	c.write = time.Time{}
	return now.Before(c.end)
}

type guardedWriter struct {
	http.ResponseWriter
	c *deadline
}

func (g *guardedWriter) Write(p []byte) (int, error) {
	g.c.writing(time.Now())
	return g.ResponseWriter.Write(p)
}

func (g *guardedWriter) Unwrap() http.ResponseWriter { return g.ResponseWriter }

type guardedBody struct {
	io.ReadCloser
	c   *deadline
	err error // that reading ended with; it does not begin again
}

func (g *guardedBody) Read(p []byte) (int, error) {
	if g.err != nil {
		return 0, g.err
	}
	if now := time.Now(); now.Sub(g.c.read) > deadlineStep {
		g.c.read = now
		_ = g.c.control.SetReadDeadline(g.c.next(now))
	}
	n, err := g.ReadCloser.Read(p)
	g.err = err
	if err == io.EOF {
		// From here on net/http reads ahead only to notice a client that leaves;
		// a deadline left in place would look like one.
		_ = g.c.control.SetReadDeadline(g.c.end)
	}
	return n, err
}
