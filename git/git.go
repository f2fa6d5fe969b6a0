// Package git holds what every part of the engine speaks of: object ids, the
// four kinds of object with their encodings, the names of refs, and Objects,
// the one method through which algorithms read a repository.
//
// Everything here is pure: no package below git/ runs a process, and this one
// does no I/O at all. Formats are those of gitformat-pack(5), git-hash-object(1)
// and git-check-ref-format(1); each is checked against stock git in the tests.
package git

import (
	"context"
	"encoding/hex"
	"errors"
	"fmt"
)

// Format is the hash function that names a repository's objects.
type Format uint8

const (
	SHA1   Format = iota // 20-byte ids, computed with collision detection
	SHA256               // 32-byte ids
)

// MaxIDSize is the size in bytes of the longest id of any format.
const MaxIDSize = 32

// Size returns the number of bytes of an id: 20 or 32.
func (f Format) Size() int {
	if f == SHA256 {
		return 32
	}
	return 20
}

// HexSize returns the number of hexadecimal digits of an id: 40 or 64.
func (f Format) HexSize() int { return 2 * f.Size() }

// String returns git's name of the format, as in the object-format capability.
func (f Format) String() string {
	if f == SHA256 {
		return "sha256"
	}
	return "sha1"
}

// ParseFormat is the inverse of Format.String.
func ParseFormat(name string) (Format, error) {
	switch name {
	case "sha1":
		return SHA1, nil
	case "sha256":
		return SHA256, nil
	}
	return 0, fmt.Errorf("unknown object format %q", name)
}

// ID names an object. A SHA-1 id fills the first 20 bytes and leaves the rest
// zero, so one comparable type serves both formats; which one it is belongs to
// the repository, not to the id. The zero ID names no object.
type ID [MaxIDSize]byte

// IsZero reports whether id is the zero ID, which stands for "no object" in
// ref updates.
func (id ID) IsZero() bool { return id == ID{} }

// Hex returns the id in lower-case hexadecimal, f.HexSize() digits long.
func (f Format) Hex(id ID) string { return hex.EncodeToString(id[:f.Size()]) }

// AppendHex appends what Hex returns.
func (f Format) AppendHex(dst []byte, id ID) []byte { return hex.AppendEncode(dst, id[:f.Size()]) }

// String returns the id in hexadecimal. It guesses the format from the id's
// trailing bytes (a SHA-256 id ends in twelve zero bytes once in 2^96), so it
// is for messages; formats and protocols use Format.Hex.
func (id ID) String() string {
	for _, b := range id[20:] {
		if b != 0 {
			return SHA256.Hex(id)
		}
	}
	return SHA1.Hex(id)
}

// Parse reads exactly f.HexSize() hexadecimal digits. Upper case is accepted,
// as git does.
func (f Format) Parse(s string) (ID, error) {
	var id ID
	if len(s) != f.HexSize() {
		return ID{}, fmt.Errorf("bad object id %q: want %d hexadecimal digits", clip(s), f.HexSize())
	}
	if _, err := hex.Decode(id[:f.Size()], []byte(s)); err != nil {
		return ID{}, fmt.Errorf("bad object id %q: not hexadecimal", clip(s))
	}
	return id, nil
}

// FromBytes returns the id whose raw bytes start b, which holds at least
// f.Size() bytes.
func (f Format) FromBytes(b []byte) ID {
	var id ID
	copy(id[:f.Size()], b)
	return id
}

// clip keeps a hostile string short enough for an error message.
func clip(s string) string {
	if len(s) > 80 {
		return s[:80] + "…"
	}
	return s
}

// Kind is one of the four kinds of object. The values are those of a pack
// entry's header.
type Kind uint8

const (
	KindCommit Kind = 1
	KindTree   Kind = 2
	KindBlob   Kind = 3
	KindTag    Kind = 4
)

// String returns git's name of the kind.
func (k Kind) String() string {
	switch k {
	case KindCommit:
		return "commit"
	case KindTree:
		return "tree"
	case KindBlob:
		return "blob"
	case KindTag:
		return "tag"
	}
	return fmt.Sprintf("kind(%d)", uint8(k))
}

// ParseKind is the inverse of Kind.String.
func ParseKind(name string) (Kind, error) {
	switch name {
	case "commit":
		return KindCommit, nil
	case "tree":
		return KindTree, nil
	case "blob":
		return KindBlob, nil
	case "tag":
		return KindTag, nil
	}
	return 0, fmt.Errorf("unknown object kind %q", clip(name))
}

// Objects is where algorithms read objects. It may be called from several
// goroutines at once.
type Objects interface {
	// Object returns an object's kind and its content, which the caller must
	// not change. An object that is not there is ErrNotFound; one whose stored
	// bytes are damaged is ErrCorrupt.
	Object(ctx context.Context, id ID) (Kind, []byte, error)
}

var (
	// ErrNotFound is matched by the error for an object that is not there.
	ErrNotFound = errors.New("object not found")
	// ErrCorrupt is matched by errors for stored or received bytes that break
	// their format.
	ErrCorrupt = errors.New("corrupt data")
	// ErrCollision is matched when content bears the marks of a SHA-1
	// collision attack.
	ErrCollision = errors.New("SHA-1 collision attack detected")
)

// NotFound returns the error for a missing object; it matches ErrNotFound.
func NotFound(id ID) error { return fmt.Errorf("%w: %s", ErrNotFound, id) }

// Memory is the in-memory model of Objects, for tests and small computations.
type Memory map[ID]struct {
	Kind Kind
	Data []byte
}

// Object implements Objects.
func (m Memory) Object(_ context.Context, id ID) (Kind, []byte, error) {
	o, ok := m[id]
	if !ok {
		return 0, nil, NotFound(id)
	}
	return o.Kind, o.Data, nil
}
