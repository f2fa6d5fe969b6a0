// Package wire reads and writes git's pkt-lines and the messages made of them,
// as gitprotocol-common(5), gitprotocol-pack(5), gitprotocol-capabilities(5) and
// gitprotocol-v2(5) have them. It does not know what the messages mean for a
// repository: that is transfer's part.
package wire
