package wire

import (
	"bytes"
	"errors"
	"io"
	"strings"
)

// Request is the head of a version 2 request. Its arguments follow in the
// stream up to a flush packet, and are read by ReadLsRefs, ReadFetch or ReadObjectInfo.
type Request struct {
	Command      string
	ObjectFormat string // "sha1" where the client says nothing
	Agent        string
	SessionID    string
	Options      []string // server-option, in order
}

// maxServerOptions bounds the capability lines of a request.
const maxServerOptions = 64

// ReadRequest reads the head of a version 2 request. It returns nil, and no
// error, where the client ends the conversation: at the end of the stream or at
// a lone flush packet.
func ReadRequest(r *Reader) (*Request, error) {
	q := &Request{ObjectFormat: "sha1"}
	for lines := 0; ; lines++ {
		// A flush packet after the head is left to the arguments' reader, which
		// so sees the end of the request in either form.
		kind, data, err := r.Peek()
		if errors.Is(err, io.EOF) && lines == 0 {
			return nil, nil
		}
		if err != nil {
			return nil, unexpectedEnd(err, "a request")
		}
		switch {
		case kind == Flush && lines == 0:
			return nil, nil
		case kind == End:
			return nil, protocolErrorf("unexpected response end packet in a request")
		case kind == Flush || kind == Delim:
			if q.Command == "" {
				return nil, protocolErrorf("no command requested")
			}
			if kind == Delim {
				r.Next()
			}
			return q, nil
		case lines == maxServerOptions:
			return nil, &LimitError{What: "capabilities in a request", Max: maxServerOptions}
		}
		if err := q.capability(string(line(data))); err != nil {
			return nil, err
		}
		r.Next()
	}
}

func (q *Request) capability(text string) error {
	name, value, _ := strings.Cut(text, "=")
	switch name {
	case "command":
		if q.Command != "" {
			return protocolErrorf("command %q requested after already requesting command %q", clipped(value), q.Command)
		}
		switch value {
		case "ls-refs", "fetch", "object-info":
			q.Command = value
		default:
			return protocolErrorf("invalid command %q", clipped(value))
		}
	case "object-format":
		q.ObjectFormat = value
	case "agent":
		q.Agent = value
	case "session-id":
		q.SessionID = value
	case "server-option":
		q.Options = append(q.Options, value)
	default:
		return protocolErrorf("unknown capability %q", clipped(text))
	}
	return nil
}

// LsRefs are the arguments of the ls-refs command.
type LsRefs struct {
	Peel, Symrefs, Unborn bool
	// Prefixes of the names that are asked for; none means all. When there are
	// more than the limit none is kept: they are a hint, and a client that is
	// told of more refs than it asked for drops them.
	Prefixes []string
}

// ReadLsRefs reads the arguments of ls-refs, with at most maxPrefixes prefixes kept.
func ReadLsRefs(r *Reader, maxPrefixes int) (*LsRefs, error) {
	a, dropped := &LsRefs{}, false
	err := arguments(r, "ls-refs", func(text []byte) error {
		switch string(text) {
		case "peel":
			a.Peel = true
		case "symrefs":
			a.Symrefs = true
		case "unborn":
			a.Unborn = true
		default:
			prefix, ok := bytes.CutPrefix(text, []byte("ref-prefix "))
			if !ok {
				return protocolErrorf("ls-refs: unexpected line: %q", clip(text))
			}
			if dropped = dropped || len(a.Prefixes) >= maxPrefixes; dropped {
				a.Prefixes = nil
				return nil
			}
			a.Prefixes = append(a.Prefixes, string(prefix))
		}
		return nil
	})
	return a, err
}

// arguments calls take for each line up to the flush packet that ends a request.
func arguments(r *Reader, command string, take func(text []byte) error) error {
	for {
		text, kind, err := r.Line()
		if err != nil {
			return unexpectedEnd(err, command+" arguments")
		}
		switch kind {
		case Data:
			if err := take(text); err != nil {
				return err
			}
		case Flush:
			return nil
		default:
			return protocolErrorf("%s: expected flush after arguments, got a %s packet", command, kind)
		}
	}
}

// unexpectedEnd turns the end of the stream where a message must go on into an
// error that io.EOF does not match.
func unexpectedEnd(err error, where string) error {
	if err == io.EOF {
		return &endError{where}
	}
	return err
}

type endError struct{ where string }

func (e *endError) Error() string { return "stream ends inside " + e.where }
func (e *endError) Unwrap() error { return io.ErrUnexpectedEOF }

func clipped(s string) string { return string(clip([]byte(s))) }
