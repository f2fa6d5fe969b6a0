package transfer

import (
	"context"
	"fmt"
	"math/bits"
	"sort"

	"github.com/ingot-forge/ingot/git"
	"github.com/ingot-forge/ingot/git/bitmap"
	"github.com/ingot-forge/ingot/git/pack"
)

// layer is a stored pack whose objects have positions.
type layer struct {
	pack       *pack.Pack
	start, end int   // positions
	runs       []run // what is sent so far, ascending
}

// run is a stretch of a stored pack that is sent: the entry at an offset in it
// goes to that offset plus shift in the pack sent.
type run struct{ from, to, shift int64 }

// full reports whether all objects of the pack are in a set.
func (l *layer) full(set bitmap.Set) bool {
	for at := l.start; at < l.end; {
		if n, ok := nextRun(set, at, l.end); !ok || n != at {
			return false
		}
		at = runEnd(set, at, l.end)
	}
	return l.end-l.start == l.pack.Index().Count()
}

// nextRun returns the first position from at on that is in a set.
func nextRun(set bitmap.Set, at, end int) (int, bool) {
	for at < end {
		if w := set[at/64] >> (at % 64); w != 0 {
			at += bits.TrailingZeros64(w)
			return at, at < end
		}
		at = at/64*64 + 64
	}
	return end, false
}

// runEnd returns the first position from at on that is not in a set.
func runEnd(set bitmap.Set, at, end int) int {
	for at < end {
		if w := ^set[at/64] >> (at % 64); w != 0 {
			return min(end, at+bits.TrailingZeros64(w))
		}
		at = at/64*64 + 64
	}
	return end
}

// sentAt returns where the entry at an offset of the stored pack went.
func (l *layer) sentAt(offset int64) (int64, bool) {
	i := sort.Search(len(l.runs), func(i int) bool { return l.runs[i].from > offset }) - 1
	if i < 0 || offset >= l.runs[i].to {
		return 0, false
	}
	return offset + l.runs[i].shift, true
}

// ran notes that a stretch of the stored pack goes to an offset.
func (l *layer) ran(from, to, out int64) {
	if n := len(l.runs); n > 0 && l.runs[n-1].to == from && l.runs[n-1].shift == out-from {
		l.runs[n-1].to = to
		return
	}
	l.runs = append(l.runs, run{from, to, out - from})
}

// chunkEntries is how many entries are looked at before those among them that
// have to be made anew are given to all cores.
const chunkEntries = 256

// fromLayers sends what the set says: from each layer, front to back. Bases come
// before their deltas, as they do in the stored pack, or lie in a layer below.
func (b *builder) fromLayers(ctx context.Context) error {
	for i := range b.layers {
		l := &b.layers[i]
		if b.options.ofsDelta && l.full(b.sel.Send) {
			// Nothing in it refers to anything outside, so none of it changes.
			from, to := int64(pack.HeaderSize), l.pack.End()
			l.ran(from, to, b.w.offset)
			for from < to { // in steps, so that readers see them
				n := min(to-from, blockSpan)
				if err := b.w.stored(l.pack, from, from+n); err != nil {
					return err
				}
				from += n
			}
			b.sent.packReused += l.end - l.start
			continue
		}
		var chunk []pack.Entry
		for at, ok := nextRun(b.sel.Send, l.start, l.end); ok; at, ok = nextRun(b.sel.Send, at, l.end) {
			for end := runEnd(b.sel.Send, at, l.end); at < end; at++ {
				e, err := l.pack.EntryAt(ctx, at-l.start)
				if err != nil {
					return err
				}
				if chunk = append(chunk, e); len(chunk) == chunkEntries {
					if err := b.entries(ctx, l, chunk); err != nil {
						return err
					}
					chunk = chunk[:0]
				}
			}
		}
		if err := b.entries(ctx, l, chunk); err != nil {
			return err
		}
	}
	return nil
}

// link says how an entry is sent.
type link struct {
	how  how
	base git.ID // onID; onOffset in another layer
	at   int64  // onOffset in another layer: where in the pack sent; else -1
}

type how uint8

const (
	asStored how = iota // it is whole
	onOffset            // a delta, whose base is before it in the pack sent
	onID                // a delta, whose base is in the pack sent, or with the client
	anew                // made whole
)

// entries sends entries of one layer.
func (b *builder) entries(ctx context.Context, l *layer, chunk []pack.Entry) error {
	links := b.links[:0]
	var offsets []int64
	for i := range chunk {
		link, err := b.link(l, &chunk[i], chunk[:i])
		if err != nil {
			return err
		}
		if links = append(links, link); link.how == anew {
			offsets = append(offsets, chunk[i].Offset)
		}
	}
	b.links = links
	var next func() (made, error)
	if len(offsets) > 0 {
		var stop func()
		next, stop = ahead(ctx, offsets, func(ctx context.Context, offset int64) (made, error) {
			at, err := l.pack.At(offset)
			if err != nil {
				return made{}, err
			}
			return remake(ctx, b.format, l.pack, at)
		})
		defer stop()
	}
	for i := range chunk {
		e := &chunk[i]
		out := b.w.offset
		var err error
		switch links[i].how {
		case asStored:
			err = b.w.whole(l.pack, *e)
		case onOffset:
			base := links[i].at
			if base < 0 {
				var ok bool
				if base, ok = l.sentAt(e.Base); !ok {
					return fmt.Errorf("%w: pack entry at offset %d: no entry starts at %d, where its base should be", git.ErrCorrupt, e.Offset, e.Base)
				}
			}
			err = b.w.onOffset(l.pack, *e, base)
		case onID:
			err = b.w.onID(l.pack, *e, links[i].base)
		case anew:
			var m made
			if m, err = next(); err == nil {
				err = b.w.anew(m)
			}
		}
		if err != nil {
			return err
		}
		l.ran(e.Offset, e.End, out)
		b.counted(links[i].how)
	}
	return nil
}

func (b *builder) counted(h how) {
	switch h {
	case asStored:
		b.sent.reused++
	case onOffset, onID, onItem:
		b.sent.reused++
		b.sent.deltas++
		b.sent.reusedDeltas++
	}
}

// link decides how an entry of a layer is sent; before are those of its chunk
// that are sent before it.
func (b *builder) link(l *layer, e *pack.Entry, before []pack.Entry) (link, error) {
	switch {
	case !e.Kind.IsDelta():
		return link{how: asStored}, nil
	case e.Kind == pack.RefDelta:
		if b.sends(e.BaseID) || b.has(e.BaseID) {
			return link{how: onID, base: e.BaseID}, nil
		}
		return link{how: anew}, nil
	}
	sent := false
	if len(before) > 0 && e.Base >= before[0].Offset {
		i := sort.Search(len(before), func(i int) bool { return before[i].Offset >= e.Base })
		sent = i < len(before) && before[i].Offset == e.Base
	} else {
		_, sent = l.sentAt(e.Base)
	}
	if sent && b.options.ofsDelta {
		return link{how: onOffset, at: -1}, nil
	}
	at, err := l.pack.At(e.Base)
	if err != nil {
		return link{}, err
	}
	id := l.pack.Index().ID(at)
	if sent {
		return link{how: onID, base: id}, nil
	}
	if b.sends(id) { // from a layer below
		if out, ok := b.laid(id); ok && b.options.ofsDelta {
			return link{how: onOffset, at: out}, nil
		}
		return link{how: onID, base: id}, nil
	}
	if b.has(id) {
		return link{how: onID, base: id}, nil
	}
	return link{how: anew}, nil
}

// laid returns where an object went that was sent from a layer.
func (b *builder) laid(id git.ID) (int64, bool) {
	if b.index == nil {
		return 0, false
	}
	position, ok := b.index.Find(id)
	if !ok {
		return 0, false
	}
	n, at := b.index.Place(position)
	l := &b.layers[n]
	return l.sentAt(l.pack.Index().Offset(at))
}

// remake inflates an object and deflates it whole.
func remake(ctx context.Context, f git.Format, p *pack.Pack, at int) (made, error) {
	kind, data, err := p.Object(ctx, at)
	if err != nil {
		return made{}, fmt.Errorf("object %s: %w", f.Hex(p.Index().ID(at)), err)
	}
	return made{kind: kind, size: int64(len(data)), stream: pack.Deflate(nil, data)}, nil
}
