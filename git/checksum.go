package git

import (
	"crypto/sha1"
	"crypto/sha256"
	"hash"
)

// NewChecksum returns the hash that ends packs, indexes and whatever else git stores
// in files: of all that is before it. Unlike ids it guards against damage by accident, so
// plain SHA-1 will do.
func NewChecksum(f Format) hash.Hash {
	if f == SHA256 {
		return sha256.New()
	}
	return sha1.New()
}
