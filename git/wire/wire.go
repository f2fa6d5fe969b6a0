// Package wire reads and writes git's pkt-lines and the messages made of them,
// as gitprotocol-common(5), gitprotocol-pack(5), gitprotocol-capabilities(5) and
// gitprotocol-v2(5) have them. It does not know what the messages mean for a
// repository: that is transfer's part.
//
// A stream is a sequence of packets. Each starts with four hexadecimal digits:
//
//	0000        flush: the end of a message
//	0001        delimiter: the end of a section (version 2)
//	0002        response end: the end of a stateless answer (version 2)
//	0003        not allowed
//	0004…fff0   a data packet of so many bytes, the four digits included
//
// Reader takes packets out of a stream without copying them, Writer batches
// them into large writes, and Sideband carries a pack, messages and errors in
// one stream. The functions Read… parse whole messages; each bounds how many
// lines it keeps and names the line that it does not understand.
package wire

import (
	"bytes"
	"fmt"
)

const (
	// MaxPacket is the longest packet, its four digits included.
	MaxPacket = 65520
	// MaxData is the most data that one packet carries.
	MaxData = MaxPacket - 4
	// smallPacket is the longest packet of side-band, the predecessor of side-band-64k.
	smallPacket = 1000
)

// Kind is the kind of a packet.
type Kind uint8

const (
	Data  Kind = iota // a packet with a payload, which may be empty
	Flush             // 0000
	Delim             // 0001
	End               // 0002
)

// String returns the packet's name in messages.
func (k Kind) String() string {
	switch k {
	case Data:
		return "data"
	case Flush:
		return "flush"
	case Delim:
		return "delimiter"
	case End:
		return "response end"
	}
	return fmt.Sprintf("kind(%d)", uint8(k))
}

// ProtocolError says what a peer sent that the protocol does not allow.
type ProtocolError struct{ msg string }

func (e *ProtocolError) Error() string { return e.msg }

func protocolErrorf(format string, args ...any) error {
	return &ProtocolError{msg: fmt.Sprintf(format, args...)}
}

// LimitError says that a message has more of something than is allowed.
type LimitError struct {
	What string // "want lines", "bytes of push options", …
	Max  int
}

func (e *LimitError) Error() string {
	return fmt.Sprintf("too many %s: at most %d are taken", e.What, e.Max)
}

// PeerError is what the other end reported by an ERR packet.
type PeerError struct{ Message string }

func (e *PeerError) Error() string { return "the other end reported: " + e.Message }

// line returns the text of a data packet: one line feed at its end does not count.
func line(data []byte) []byte { return bytes.TrimSuffix(data, []byte{'\n'}) }

// clip keeps a hostile line short enough for an error message.
func clip(b []byte) []byte {
	if len(b) > 100 {
		return b[:100]
	}
	return b
}
