package git

import (
	"crypto/sha256"
	"hash"
	"strconv"

	"github.com/pjbgf/sha1cd"
)

// Hasher computes object ids. The zero Hasher is not usable; one Hasher serves
// one goroutine, for any number of objects, and allocates only when it is made.
type Hasher struct {
	format Format
	sum    hash.Hash
	sha1   sha1cd.CollisionResistantHash // sum again, where the format is SHA1
	header [32]byte                      // "commit 18446744073709551615\0" is 28
	digest [MaxIDSize]byte
}

// NewHasher returns a Hasher for ids of format f.
func NewHasher(f Format) *Hasher {
	h := &Hasher{format: f}
	if f == SHA256 {
		h.sum = sha256.New()
		return h
	}
	h.sum = sha1cd.New()
	// The assertion holds for every build of sha1cd; a silent fall back to a
	// hash that detects nothing would be worse than this panic.
	h.sha1 = h.sum.(sha1cd.CollisionResistantHash)
	return h
}

// Hash returns the id of a whole object. It fails with ErrCollision, only.
func (h *Hasher) Hash(kind Kind, data []byte) (ID, error) {
	h.Start(kind, int64(len(data)))
	h.sum.Write(data)
	return h.Sum()
}

// Start begins an object whose size bytes of content then come by Write.
func (h *Hasher) Start(kind Kind, size int64) {
	h.sum.Reset()
	b := append(h.header[:0], kind.String()...)
	b = append(b, ' ')
	b = strconv.AppendInt(b, size, 10)
	h.sum.Write(append(b, 0))
}

// Write adds content. It never fails.
func (h *Hasher) Write(p []byte) (int, error) { return h.sum.Write(p) }

// Sum ends what Start began. It fails with ErrCollision, only.
func (h *Hasher) Sum() (ID, error) {
	if h.format == SHA256 {
		h.sum.Sum(h.digest[:0])
		return h.digest, nil
	}
	if _, attack := h.sha1.CollisionResistantSum(h.digest[:0]); attack {
		return ID{}, ErrCollision
	}
	return h.digest, nil
}
