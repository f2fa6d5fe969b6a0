package pack

const (
	// maxDeltaSize bounds the two sizes that a delta names. It keeps what is
	// computed with them far from overflowing; real limits are the caller's.
	maxDeltaSize = 1 << 62
	// minDelta is the shortest delta that git takes.
	minDelta = 4
)

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
			return 0, nil, errDeltaSize
		}
		size |= int64(b&0x7f) << (7 * i)
		if b < 0x80 {
			if size > maxDeltaSize {
				return 0, nil, errDeltaSize
			}
			return size, p[i+1:], nil
		}
	}
	return 0, nil, errDeltaSizes
}

// ApplyDelta appends to dst what delta makes of base. It checks every length
// and range; a bad delta is git.ErrCorrupt, as is one whose result is larger
// than limit. dst must not overlap base or delta. Nothing large is allocated
// before it is known that the instructions do make so much.
func ApplyDelta(dst, base, delta []byte, limit int64) ([]byte, error) {
	baseSize, size, ops, err := DeltaSizes(delta)
	switch {
	case err != nil:
		return dst, err
	case len(delta) < minDelta:
		return dst, corrupt("delta: %d bytes are too few", len(delta))
	case baseSize != int64(len(base)):
		return dst, corrupt("delta: made for a base of %d bytes, not %d", baseSize, len(base))
	case size > limit:
		return dst, corrupt("delta: result of %d bytes is over the limit of %d", size, limit)
	}
	start := len(dst)
	if size > trustedSize && size > int64(cap(dst)-start) {
		if n, err := deltaResult(ops, size); err != nil || n != size {
			return dst, corrupt("delta: its instructions do not make the %d bytes announced", size)
		}
	}
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
				return dst[:start], corrupt("delta: copies %d bytes at %d of a base of %d", n, off, len(base))
			}
			from = base[off : off+n]
		case op > 0:
			if int(op) > len(ops) {
				return dst[:start], errDeltaInsert
			}
			from, ops = ops[:op], ops[op:]
		default:
			return dst[:start], errDeltaReserved
		}
		if len(from) > len(out) {
			return dst[:start], corrupt("delta: result exceeds the %d bytes announced", size)
		}
		copy(out, from)
		out = out[len(from):]
	}
	if len(out) > 0 {
		return dst[:start], corrupt("delta: result is %d bytes short of the %d announced", len(out), size)
	}
	return dst, nil
}

// deltaResult returns how many bytes the instructions make, or stops beyond limit.
func deltaResult(ops []byte, limit int64) (size int64, err error) {
	for len(ops) > 0 && size <= limit {
		op := ops[0]
		ops = ops[1:]
		switch {
		case op >= 0x80:
			var n int
			if _, n, ops, err = copyOp(op, ops); err != nil {
				return 0, err
			}
			size += int64(n)
		case op == 0:
			return 0, errDeltaReserved
		case int(op) > len(ops):
			return 0, errDeltaInsert
		default:
			size += int64(op)
			ops = ops[op:]
		}
	}
	return size, nil
}

// Faults of a delta that need no numbers to be told.
var (
	errDeltaSize     = corrupt("delta: size out of range")
	errDeltaSizes    = corrupt("delta: ends within its sizes")
	errDeltaCopy     = corrupt("delta: ends within a copy")
	errDeltaInsert   = corrupt("delta: ends within an insertion")
	errDeltaReserved = corrupt("delta: reserved instruction 0")
)

// copyOp reads the operands of a copy: bits 0 to 3 of op say which of four
// bytes of the offset follow, bits 4 to 6 which of three bytes of the length.
func copyOp(op byte, p []byte) (off, n int, rest []byte, err error) {
	var v [7]byte
	for i := range v {
		if op&(1<<i) != 0 {
			if len(p) == 0 {
				return 0, 0, nil, errDeltaCopy
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
