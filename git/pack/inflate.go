package pack

import (
	"encoding/binary"
	"fmt"
	"io"
	"sync"

	"github.com/ingot-forge/ingot/git"
)

// Inflate inflates the zlib stream (RFC 1950) that starts src into dst, whose
// length is the size that the stream must have, and returns how many bytes of
// src the stream took. A stream that is damaged, or longer or shorter than dst,
// is git.ErrCorrupt; one that src ends before is io.ErrUnexpectedEOF, and more
// input may help. After an error the content of dst is undefined. Inflate
// allocates nothing and never reads or writes outside the slices. What it
// refuses is what zlib refuses.
//
// Entries of packs are small, some hundred bytes, and say how long they are.
// A decoder that has all input and all room at once needs no window, no state
// machine and no buffer to be flushed: on entries it is more than twice as fast
// as compress/zlib.
func Inflate(dst, src []byte) (n int, err error) {
	d := decoders.Get().(*decoder)
	n, err = d.inflate(dst, src)
	decoders.Put(d)
	return n, err
}

// inflateHead inflates the start of a stream into dst and returns how much of it
// is filled. The stream is longer than dst or ends with it.
func inflateHead(dst, src []byte) (filled, n int, err error) {
	d := decoders.Get().(*decoder)
	n, err = d.inflate(dst, src)
	filled = d.out
	decoders.Put(d)
	if err == errTooLong {
		err = nil
	}
	return filled, n, err
}

var decoders = sync.Pool{New: func() any { return new(decoder) }}

// Faults of a zlib stream. They are made once: a hostile pack has millions.
var (
	errZlibHeader = zlibFault("bad header")
	errDictionary = zlibFault("wants a preset dictionary")
	errBlockType  = zlibFault("bad block type")
	errStored     = zlibFault("bad length of a stored block")
	errLengths    = zlibFault("bad code lengths")
	errNoEnd      = zlibFault("block cannot end")
	errCode       = zlibFault("invalid code")
	errDistance   = zlibFault("distance goes back beyond the start")
	errTooLong    = zlibFault("longer than its object")
	errTooShort   = zlibFault("shorter than its object")
	errChecksum   = zlibFault("checksum does not match")
)

func zlibFault(what string) error { return fmt.Errorf("%w: zlib stream: %s", git.ErrCorrupt, what) }

// decoder is the state of Inflate between two symbols. The low n bits of buf
// are the next bits of the stream, and in is where src goes on behind them. Bits
// of buf above n are either zero or already what src has next, so refilling may
// or them in once more. dst and src are parameters of the methods, not fields,
// so that they need not escape to the heap.
type decoder struct {
	in, out int
	buf     uint64
	n       uint

	lit  litTable // of the current block, if it brings its own
	dist distTable
	pre  [preSize]uint32 // decodes the lengths of the two

	preLengths, litLengths, distLengths codeLengths
}

func (d *decoder) inflate(dst, src []byte) (int, error) {
	if len(src) < 2 {
		return 0, io.ErrUnexpectedEOF
	}
	if src[0]&0x0f != 8 || src[0]>>4 > 7 || binary.BigEndian.Uint16(src)%31 != 0 {
		return 0, errZlibHeader
	}
	if src[1]&0x20 != 0 {
		return 0, errDictionary
	}
	d.in, d.out, d.buf, d.n = 2, 0, 0, 0
	for last := false; !last; {
		d.refill(src)
		if d.n < 3 {
			return 0, io.ErrUnexpectedEOF
		}
		last = d.buf&1 == 1
		kind := d.buf >> 1 & 3
		d.consume(3)
		var err error
		switch kind {
		case 0:
			err = d.stored(dst, src)
		case 1:
			err = d.block(dst, src, fixedLit, fixedDist)
		case 2:
			if err = d.header(src); err == nil {
				err = d.block(dst, src, &d.lit, &d.dist)
			}
		default:
			err = errBlockType
		}
		if err != nil {
			return 0, err
		}
	}
	if d.out < len(dst) {
		return 0, errTooShort
	}
	d.align()
	if len(src)-d.in < 4 {
		return 0, io.ErrUnexpectedEOF
	}
	if binary.BigEndian.Uint32(src[d.in:]) != adler32(dst) {
		return 0, errChecksum
	}
	return d.in + 4, nil
}

// refill puts at least 56 bits into buf, or all that src still has.
func (d *decoder) refill(src []byte) {
	if len(src)-d.in >= 8 {
		d.buf |= binary.LittleEndian.Uint64(src[d.in:]) << (d.n & 63)
		d.in += int((63 - d.n) >> 3)
		d.n |= 56
		return
	}
	for d.n < 56 && d.in < len(src) {
		d.buf |= uint64(src[d.in]) << (d.n & 63)
		d.in++
		d.n += 8
	}
}

// consume drops the next n bits, which buf has.
func (d *decoder) consume(n uint) {
	d.buf >>= n & 63
	d.n -= n
}

// align drops what is left of the current byte and gives back the whole bytes in buf.
func (d *decoder) align() {
	d.in -= int(d.n >> 3)
	d.buf, d.n = 0, 0
}

// stored copies a block that is not compressed.
func (d *decoder) stored(dst, src []byte) error {
	d.align()
	if len(src)-d.in < 4 {
		return io.ErrUnexpectedEOF
	}
	n := binary.LittleEndian.Uint16(src[d.in:])
	if n != ^binary.LittleEndian.Uint16(src[d.in+2:]) {
		return errStored
	}
	d.in += 4
	if int(n) > len(dst)-d.out {
		return errTooLong
	}
	if int(n) > len(src)-d.in {
		return io.ErrUnexpectedEOF
	}
	copy(dst[d.out:], src[d.in:d.in+int(n)])
	d.in += int(n)
	d.out += int(n)
	return nil
}

// preOrder is the order in which the lengths of the first of three codes come.
var preOrder = [19]uint8{16, 17, 18, 0, 8, 7, 9, 6, 10, 5, 11, 4, 12, 3, 13, 2, 14, 1, 15}

// header reads the codes of a block: one for lengths of codes, in which the
// lengths of the other two come, of literals and of distances.
func (d *decoder) header(src []byte) error {
	d.refill(src)
	if d.n < 14 {
		return io.ErrUnexpectedEOF
	}
	literals := int(d.buf&31) + 257
	distances := int(d.buf>>5&31) + 1
	count := int(d.buf>>10&15) + 4
	d.consume(14)
	if literals > 286 || distances > 30 {
		return errLengths
	}
	var lengths [19]uint8
	for _, symbol := range preOrder[:count] {
		if d.n < 3 {
			if d.refill(src); d.n < 3 {
				return io.ErrUnexpectedEOF
			}
		}
		lengths[symbol] = uint8(d.buf & 7)
		d.consume(3)
	}
	c := &d.preLengths
	c.reset()
	for symbol, l := range lengths {
		if l > 0 {
			c.add(symbol, l)
		}
	}
	if c.used < 2 { // which build lets pass, for it is fine in the other codes
		return errLengths
	}
	bits, ok := c.build(d.pre[:], preEntries[:], preBits)
	if !ok {
		return errLengths
	}
	if err := d.codes(src, literals, distances, bits); err != nil {
		return err
	}
	if !d.litLengths.has(256) {
		return errNoEnd
	}
	if d.lit.bits, ok = d.litLengths.build(d.lit.entry[:], litEntries[:], litBits); !ok {
		return errLengths
	}
	if d.dist.bits, ok = d.distLengths.build(d.dist.entry[:], distEntries[:], distBits); !ok {
		return errLengths
	}
	return nil
}

// codes reads the lengths of the codes of literals and then of distances, in
// one sequence with runs that may cross from the ones into the others.
func (d *decoder) codes(src []byte, literals, distances int, bits uint) error {
	d.litLengths.reset()
	d.distLengths.reset()
	mask := uint64(1)<<bits - 1
	last := uint8(0)
	for i := 0; i < literals+distances; {
		if d.n < 14 { // 7 of the code, 7 extra
			d.refill(src)
		}
		e := d.pre[d.buf&mask&(preSize-1)]
		n := uint(e & 0xff)
		if n > d.n {
			return io.ErrUnexpectedEOF
		}
		extra := int(d.buf & (1<<n - 1) >> (e >> 8 & 15))
		d.consume(n)
		run := 1
		switch symbol := e >> 16; symbol {
		case 16:
			if i == 0 {
				return errLengths
			}
			run = 3 + extra
		case 17:
			last, run = 0, 3+extra
		case 18:
			last, run = 0, 11+extra
		default:
			last = uint8(symbol)
		}
		if run > literals+distances-i {
			return errLengths
		}
		if last == 0 {
			i += run
			continue
		}
		for ; run > 0; run-- {
			if i < literals {
				d.litLengths.add(i, last)
			} else {
				d.distLengths.add(i-literals, last)
			}
			i++
		}
	}
	return nil
}
