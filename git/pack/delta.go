package pack

import (
	"fmt"

	"github.com/ingot-forge/ingot/git"
)

// maxDeltaSize bounds the two sizes that a delta names. It keeps what is
// computed with them far from overflowing; real limits are the caller's.
const maxDeltaSize = 1 << 62

// DeltaSizes reads the two sizes that start a delta: of its base and of its
// result. rest is the instructions that follow.
func DeltaSizes(delta []byte) (base, result int64, rest []byte, err error) {
	if base, rest, err = deltaSize(delta); err != nil {
		return 0, 0, nil, err
	}
	if result, rest, err = deltaSize(rest); err != nil {
		return 0, 0, nil, err
	}
	return base, result, rest, nil
}

// deltaSize reads one size: seven bits a byte, lowest first, high bit set on
// all bytes but the last.
func deltaSize(p []byte) (size int64, rest []byte, err error) {
	for i, b := range p {
		if i >= 9 { // 9*7 bits fill an int64
			return 0, nil, fmt.Errorf("%w: delta: size out of range", git.ErrCorrupt)
		}
		size |= int64(b&0x7f) << (7 * i)
		if b < 0x80 {
			if size > maxDeltaSize {
				return 0, nil, fmt.Errorf("%w: delta: size out of range", git.ErrCorrupt)
			}
			return size, p[i+1:], nil
		}
	}
	return 0, nil, fmt.Errorf("%w: delta: ends within its sizes", git.ErrCorrupt)
}

// ApplyDelta appends to dst what delta makes of base. It checks every length
// and range; a bad delta is git.ErrCorrupt, as is one whose result is larger
// than limit. dst must not overlap base or delta.
func ApplyDelta(dst, base, delta []byte, limit int64) ([]byte, error) {
	baseSize, size, ops, err := DeltaSizes(delta)
	if err != nil {
		return dst, err
	}
	if baseSize != int64(len(base)) {
		return dst, fmt.Errorf("%w: delta: made for a base of %d bytes, not %d", git.ErrCorrupt, baseSize, len(base))
	}
	if size > limit {
		return dst, fmt.Errorf("%w: delta: result of %d bytes is over the limit of %d", git.ErrCorrupt, size, limit)
	}
	start := len(dst)
	dst = grow(dst, int(size))
	out := dst[start:]
	for len(ops) > 0 {
		op := ops[0]
		ops = ops[1:]
		var from []byte
		switch {
		case op >= 0x80:
			var off, n int
			if off, n, ops, err = copyOp(op, ops); err != nil {
				return dst[:start], err
			}
			if off > len(base) || n > len(base)-off {
				return dst[:start], fmt.Errorf("%w: delta: copies %d bytes at %d of a base of %d",
					git.ErrCorrupt, n, off, len(base))
			}
			from = base[off : off+n]
		case op > 0:
			if int(op) > len(ops) {
				return dst[:start], fmt.Errorf("%w: delta: ends within an insertion", git.ErrCorrupt)
			}
			from, ops = ops[:op], ops[op:]
		default:
			return dst[:start], fmt.Errorf("%w: delta: reserved instruction 0", git.ErrCorrupt)
		}
		if len(from) > len(out) {
			return dst[:start], fmt.Errorf("%w: delta: result exceeds the announced %d bytes", git.ErrCorrupt, size)
		}
		copy(out, from)
		out = out[len(from):]
	}
	if len(out) > 0 {
		return dst[:start], fmt.Errorf("%w: delta: result is %d bytes short of the announced %d",
			git.ErrCorrupt, len(out), size)
	}
	return dst, nil
}

// copyOp reads the operands of a copy: bits 0 to 3 of op say which of four
// bytes of the offset follow, bits 4 to 6 which of three bytes of the length.
func copyOp(op byte, p []byte) (off, n int, rest []byte, err error) {
	var v [7]byte
	for i := range v {
		if op&(1<<i) != 0 {
			if len(p) == 0 {
				return 0, 0, nil, fmt.Errorf("%w: delta: ends within a copy", git.ErrCorrupt)
			}
			v[i], p = p[0], p[1:]
		}
	}
	off = int(v[0]) | int(v[1])<<8 | int(v[2])<<16 | int(v[3])<<24
	n = int(v[4]) | int(v[5])<<8 | int(v[6])<<16
	if n == 0 {
		n = 0x10000
	}
	return off, n, p, nil
}

// grow returns p longer by n bytes, whose content is undefined.
func grow(p []byte, n int) []byte {
	if n <= cap(p)-len(p) {
		return p[:len(p)+n]
	}
	q := make([]byte, len(p)+n)
	copy(q, p)
	return q
}
