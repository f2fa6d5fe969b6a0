package pack

import (
	"encoding/binary"
	"io"
)

// block decodes the symbols of one compressed block. One full buffer of 56 bits
// is enough for a length (15 bits, 5 extra) with its distance (15, 13 extra), or
// for three literals. The first loop runs while src has 16 bytes more, so that
// it may refill twice without looking; the second one minds every bit.
func (d *decoder) block(dst, src []byte, lit *litTable, dist *distTable) error {
	in, out, buf, n := d.in, d.out, d.buf, d.n
	litMask := uint64(1)<<lit.bits - 1
	distMask := uint64(1)<<dist.bits - 1
	for in <= len(src)-16 {
		buf |= binary.LittleEndian.Uint64(src[in:]) << (n & 63)
		in += int((63 - n) >> 3)
		n |= 56
		e := lit.entry[buf&litMask]
		if e&entryLiteral != 0 {
			if out >= len(dst) {
				d.out = out
				return errTooLong
			}
			dst[out] = byte(e >> 16)
			out++
			buf >>= e & 63
			n -= uint(e & 63)
			e = lit.entry[buf&litMask]
			if e&entryLiteral != 0 {
				if out >= len(dst) {
					d.out = out
					return errTooLong
				}
				dst[out] = byte(e >> 16)
				out++
				buf >>= e & 63
				n -= uint(e & 63)
				e = lit.entry[buf&litMask]
				if e&entryLiteral != 0 {
					if out >= len(dst) {
						d.out = out
						return errTooLong
					}
					dst[out] = byte(e >> 16)
					out++
					buf >>= e & 63
					n -= uint(e & 63)
					continue
				}
			}
			buf |= binary.LittleEndian.Uint64(src[in:]) << (n & 63)
			in += int((63 - n) >> 3)
			n |= 56
		}
		if e&entrySpecial != 0 {
			if e&entryLevel2 == entryLevel2 {
				buf >>= e & 63
				n -= uint(e & 63)
				e = lit.entry[uint64(e>>16)+buf&(1<<(e>>8&15)-1)]
			}
			if e&entryLiteral != 0 {
				if out >= len(dst) {
					d.out = out
					return errTooLong
				}
				dst[out] = byte(e >> 16)
				out++
				buf >>= e & 63
				n -= uint(e & 63)
				continue
			}
			if e&entrySpecial != 0 {
				if e&entryEnd != entryEnd {
					return errCode
				}
				buf >>= e & 63
				n -= uint(e & 63)
				d.in, d.out, d.buf, d.n = in, out, buf, n
				return nil
			}
		}
		length := int(e>>16) + int(buf&(1<<(e&63)-1)>>(e>>8&15))
		buf >>= e & 63
		n -= uint(e & 63)

		e = dist.entry[buf&distMask]
		if e&entrySpecial != 0 {
			if e&entryLevel2 == entryLevel2 {
				buf >>= e & 63
				n -= uint(e & 63)
				e = dist.entry[uint64(e>>16)+buf&(1<<(e>>8&15)-1)]
			}
			if e&entrySpecial != 0 {
				return errCode
			}
		}
		distance := int(e>>16) + int(buf&(1<<(e&63)-1)>>(e>>8&15))
		buf >>= e & 63
		n -= uint(e & 63)
		if distance > out {
			return errDistance
		}
		if length > len(dst)-out {
			d.out = out
			return errTooLong
		}
		copyMatch(dst, out, distance, length)
		out += length
	}
	d.in, d.out, d.buf, d.n = in, out, buf, n
	return d.blockTail(dst, src, lit, dist, litMask, distMask)
}

// copyMatch copies length bytes from distance bytes before dst[out] to there;
// 1 <= distance <= out, 3 <= length <= len(dst)-out. Where the two overlap the
// bytes repeat.
func copyMatch(dst []byte, out, distance, length int) {
	from := out - distance
	if length+8 <= len(dst)-out {
		// Words of 8 bytes may write beyond the match, where nothing is yet. Each
		// is right for as many bytes as it lies behind its source.
		step := min(distance, 8)
		for end := out + length; out < end; out += step {
			binary.LittleEndian.PutUint64(dst[out:], binary.LittleEndian.Uint64(dst[from:]))
			from += step
		}
		return
	}
	for range length {
		dst[out] = dst[from]
		out++
		from++
	}
}

// blockTail decodes the rest of a block close to the end of src.
func (d *decoder) blockTail(dst, src []byte, lit *litTable, dist *distTable, litMask, distMask uint64) error {
	for {
		d.refill(src)
		e, err := d.symbol(lit.entry[:], litMask)
		if err != nil {
			return err
		}
		if e&entryLiteral != 0 {
			if d.out >= len(dst) {
				return errTooLong
			}
			dst[d.out] = byte(e >> 16)
			d.out++
			d.consume(uint(e & 63))
			continue
		}
		if e&entrySpecial != 0 {
			if e&entryEnd != entryEnd {
				return errCode
			}
			d.consume(uint(e & 63))
			return nil
		}
		length := d.value(e)
		if e, err = d.symbol(dist.entry[:], distMask); err != nil {
			return err
		}
		if e&entrySpecial != 0 {
			return errCode
		}
		distance := d.value(e)
		if distance > d.out {
			return errDistance
		}
		if length > len(dst)-d.out {
			return errTooLong
		}
		copyMatch(dst, d.out, distance, length)
		d.out += length
	}
}

// symbol finds the entry of the next code and makes sure that the stream has
// all its bits. Bits that are missing were taken as zeros to find it, so nothing
// can be said of an entry before that.
func (d *decoder) symbol(table []uint32, mask uint64) (uint32, error) {
	e := table[d.buf&mask]
	if e&entryLevel2 == entryLevel2 {
		if n := uint(e & 63); n <= d.n {
			d.consume(n)
			e = table[uint64(e>>16)+d.buf&(1<<(e>>8&15)-1)]
		}
	}
	if uint(e&63) > d.n {
		return 0, io.ErrUnexpectedEOF
	}
	return e, nil
}

// value consumes a code with its extra bits and returns what they stand for.
func (d *decoder) value(e uint32) int {
	v := int(e>>16) + int(d.buf&(1<<(e&63)-1)>>(e>>8&15))
	d.consume(uint(e & 63))
	return v
}
