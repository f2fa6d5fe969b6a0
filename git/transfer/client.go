package transfer

import (
	"errors"
	"io"
)

// client is what a client sends. It marks the errors of reading it, so that they
// are told apart from those of our own storage.
type client struct {
	r     io.Reader
	ended bool // nothing more will come
}

func (c *client) Read(p []byte) (int, error) {
	n, err := c.r.Read(p)
	if err != nil {
		c.ended = true
		if err != io.EOF {
			err = &clientError{err}
		}
	}
	return n, err
}

// gone reports whether err is that the client stopped in the middle, so that
// nobody is left who could be told.
func (c *client) gone(err error) bool {
	return c.ended && errors.Is(err, io.ErrUnexpectedEOF) && !stalled(err)
}

// clientError says that a request could not be read to its end: the client took
// too long, left, or sent what cannot be decompressed. To callers that is a
// stream that ended early, whatever the transport calls it.
type clientError struct{ err error }

func (e *clientError) Error() string        { return "read the request: " + e.err.Error() }
func (e *clientError) Unwrap() error        { return e.err }
func (e *clientError) Is(target error) bool { return target == io.ErrUnexpectedEOF }

// stalled reports whether err is that a client took too long to send. Such a
// client may still listen.
func stalled(err error) bool {
	var c *clientError
	var t interface{ Timeout() bool }
	return errors.As(err, &c) && errors.As(c.err, &t) && t.Timeout()
}
