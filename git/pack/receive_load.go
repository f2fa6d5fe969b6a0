package pack

import (
	"bufio"
	"errors"
	"fmt"
	"io"
)

// load reads entry e from the draft again and inflates it into dst, or into a
// buffer of the right size where dst is too small.
func (w *resolver) load(e uint32, dst []byte) ([]byte, error) {
	from, to := w.index[e].Offset, w.stored
	if int(e)+1 < w.entries {
		to = w.index[e+1].Offset
	}
	if to-from > blockBytes {
		return w.loadLarge(from, to, dst)
	}
	if int64(cap(w.packed)) < to-from {
		w.packed = make([]byte, to-from, max(2*(to-from), 4<<10))
	}
	w.packed = w.packed[:to-from]
	if err := readFull(w.out, w.packed, from); err != nil {
		return dst, err
	}
	h, dst, err := w.loadHead(w.packed, dst)
	if err != nil {
		return dst, err
	}
	if _, err := Inflate(dst, w.packed[h.bytes:]); err != nil {
		return dst, fmt.Errorf("read again: %w", err)
	}
	return dst, nil
}

// loadLarge is load for an entry that is not read at once.
func (w *resolver) loadLarge(from, to int64, dst []byte) ([]byte, error) {
	r := bufio.NewReaderSize(io.NewSectionReader(w.out, from, to-from), scratchBytes)
	start, err := r.Peek(maxHead)
	if err != nil {
		return dst, err
	}
	h, dst, err := w.loadHead(start, dst)
	if err != nil {
		return dst, err
	}
	r.Discard(h.bytes) // peeked at, so it can't fail
	if w.z == nil {
		w.z, err = NewInflater(r)
	} else {
		err = w.z.Reset(r)
	}
	if err != nil {
		return dst, fmt.Errorf("read again: %w", err)
	}
	for n := 0; n < len(dst); {
		if err := w.ctx.Err(); err != nil {
			return dst, err
		}
		k, err := io.ReadFull(w.z, dst[n:min(len(dst), n+blockBytes)])
		if n += k; err != nil {
			return dst, fmt.Errorf("read again: %w", err)
		}
	}
	return dst, nil
}

// loadHead decodes the header of an entry and returns dst with the length that it tells.
func (w *resolver) loadHead(p, dst []byte) (head, []byte, error) {
	h, ok, err := readHead(w.Format, p)
	if err == nil && !ok {
		err = corrupt("header was longer before")
	}
	if err == nil && h.size > maxInMemory {
		err = &LimitError{Limit: "object size", Max: maxInMemory}
	}
	if err == nil {
		err = w.mayHold(h.size)
	}
	if err != nil {
		return h, dst, err
	}
	if int64(cap(dst)) < h.size || dst == nil {
		w.buffers.put(dst)
		dst = w.buffers.get(h.size)
	}
	return h, dst[:h.size], nil
}

// readFull fills p from offset at. A reader at its end may say so or not.
func readFull(r io.ReaderAt, p []byte, at int64) error {
	n, err := r.ReadAt(p, at)
	if n == len(p) {
		return nil
	}
	if err == nil || err == io.EOF {
		err = errors.New("it is shorter than what was written")
	}
	return fmt.Errorf("read the stored pack at offset %d: %w", at+int64(n), err)
}
