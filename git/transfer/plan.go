package transfer

import (
	"cmp"
	"context"
	"fmt"
	"slices"

	"github.com/ingot-forge/ingot/git"
	"github.com/ingot-forge/ingot/git/history"
	"github.com/ingot-forge/ingot/git/pack"
	"github.com/ingot-forge/ingot/git/repo"
)

// plan says where the objects of a pack come from and in which order they are
// written: pack by pack, by offset, so that storage is read from front to back
// and most bases come before their deltas by themselves.
//
// Stored entries are copied as they are, deltas included, when their base is in
// the pack that is sent or when the client has it; anything else is inflated
// and written whole. No delta cycle can come out: a base is written before the
// deltas that refer to it, and where that is impossible because they already wait
// for it, the object is written whole. (An object may be stored in several
// packs, in one as a delta of what in another is a delta of it.)
type plan struct {
	format   git.Format
	snap     *repo.Snapshot
	ofsDelta bool // the client reads offset deltas

	packs []*pack.Pack
	first []int           // where the items of each pack start; one more at the end
	items []item          // by pack, then by offset
	out   []int64         // of each item: its offset in the pack sent; 0 not written yet, waiting
	has   map[git.ID]bool // what the client has; nil if the pack must stand alone
	stack []int

	search *search // nil: no new deltas are made

	sent sent
}

// waiting marks an item in plan.out whose base is being written.
const waiting = -1

// item is one object to send: its place in a stored pack.
type item struct {
	pack, at int32
	offset   int64
	key      baseKey
}

// planPack looks up where the objects are stored.
func planPack(ctx context.Context, snap *repo.Snapshot, objects []history.Object) (*plan, error) {
	p := &plan{snap: snap, items: make([]item, 0, len(objects)), out: make([]int64, len(objects))}
	number := make(map[*pack.Pack]int32)
	var last *pack.Pack
	var n int32
	for _, o := range objects {
		from, at, err := snap.Find(ctx, o.ID)
		if err != nil {
			return nil, err
		}
		if from != last {
			known := false
			if n, known = number[from]; !known {
				n = int32(len(p.packs))
				number[from] = n
				p.packs = append(p.packs, from)
			}
			last = from
		}
		p.items = append(p.items, item{pack: n, at: int32(at), offset: from.Index().Offset(at),
			key: baseKey{o.Kind, o.NameHash}})
	}
	slices.SortFunc(p.items, func(a, b item) int {
		if a.pack != b.pack {
			return cmp.Compare(a.pack, b.pack)
		}
		return cmp.Compare(a.offset, b.offset)
	})
	for i, it := range p.items {
		for len(p.first) <= int(it.pack) {
			p.first = append(p.first, i)
		}
	}
	p.first = append(p.first, len(p.items))
	return p, nil
}

// clientHas makes the pack thin: deltas may refer to these objects.
func (p *plan) clientHas(bases []history.Object) {
	p.has = make(map[git.ID]bool, len(bases))
	for _, o := range bases {
		p.has[o.ID] = true
	}
}

// find returns which item is the entry at an offset of a stored pack, or -1.
func (p *plan) find(pack int32, offset int64) int {
	items := p.items[p.first[pack]:p.first[pack+1]]
	i, ok := slices.BinarySearchFunc(items, offset, func(it item, offset int64) int { return cmp.Compare(it.offset, offset) })
	if !ok {
		return -1
	}
	return p.first[pack] + i
}

func (p *plan) write(ctx context.Context, w *pack.Writer) error {
	for i := range p.items {
		if p.out[i] != 0 {
			continue
		}
		if err := ctx.Err(); err != nil {
			return err
		}
		// Bases that are not written yet go onto the stack, above what waits for them.
		p.stack = append(p.stack[:0], i)
		for len(p.stack) > 0 {
			if err := p.step(ctx, w, p.stack[len(p.stack)-1]); err != nil {
				return err
			}
		}
	}
	return nil
}

// step writes the item on top of the stack, or puts its base on top of it.
func (p *plan) step(ctx context.Context, w *pack.Writer, i int) error {
	if p.out[i] > 0 {
		p.stack = p.stack[:len(p.stack)-1]
		return nil
	}
	it := p.items[i]
	from := p.packs[it.pack]
	e, err := from.Entry(ctx, int(it.at))
	if err != nil {
		return err
	}
	if !e.Kind.IsDelta() {
		return p.whole(ctx, w, i, e)
	}
	base, baseID, err := p.base(ctx, it, e)
	if err != nil {
		return err
	}
	offset := w.Offset()
	switch {
	case base >= 0 && p.out[base] == 0:
		p.out[i] = waiting
		p.stack = append(p.stack, base)
		return nil
	case base >= 0 && p.out[base] > 0 && p.ofsDelta:
		err = w.CopyDelta(ctx, from, e, p.out[base], git.ID{})
	case base >= 0 && p.out[base] > 0:
		err = w.CopyDelta(ctx, from, e, -1, p.id(base))
	case base < 0 && p.has[baseID]:
		err = w.CopyDelta(ctx, from, e, -1, baseID)
	default:
		return p.whole(ctx, w, i, e)
	}
	p.sent.deltas++
	p.sent.reused++
	return p.written(i, offset, 0, err)
}

// whole writes an item that is stored whole, or as a delta that cannot be sent:
// as a new delta if there is a good one, and else without a base.
func (p *plan) whole(ctx context.Context, w *pack.Writer, i int, e pack.Entry) error {
	it := p.items[i]
	from := p.packs[it.pack]
	offset, stored := w.Offset(), !e.Kind.IsDelta()
	searched := p.search != nil && (it.key.kind == git.KindTree || it.key.kind == git.KindBlob)
	if stored && (!searched || e.Size > maxSearched) {
		p.sent.reused++
		return p.written(i, offset, 0, w.Copy(ctx, from, e))
	}
	kind, data, err := from.Object(ctx, int(it.at))
	if err != nil {
		return fmt.Errorf("object %s: %w", p.format.Hex(p.id(i)), err)
	}
	if searched {
		// A delta is worth it below what the stored bytes are, or half the
		// content: it is deflated on top.
		limit := len(data) / 2
		if stored {
			limit = int(e.End - e.Data)
		}
		delta, base, err := p.search.best(ctx, it.key, data, limit-p.format.Size())
		if err != nil {
			return err
		}
		if delta != nil {
			baseOffset := int64(-1)
			if base.item >= 0 && p.ofsDelta {
				baseOffset = p.out[base.item]
			}
			p.sent.deltas++
			return p.written(i, offset, base.depth+1, w.Delta(delta, baseOffset, base.id))
		}
	}
	if stored {
		p.sent.reused++
		return p.written(i, offset, 0, w.Copy(ctx, from, e))
	}
	return p.written(i, offset, 0, w.Object(kind, data))
}

// written notes that an item went to an offset, on so many new deltas in a row.
func (p *plan) written(i int, offset int64, depth int, err error) error {
	p.out[i] = offset
	p.stack = p.stack[:len(p.stack)-1]
	if p.search != nil {
		p.search.add(p.items[i].key, base{id: p.id(i), item: i, depth: depth})
	}
	return err
}

// base finds the base of a stored delta: the item that it is, or -1 and its id.
func (p *plan) base(ctx context.Context, it item, e pack.Entry) (int, git.ID, error) {
	from := p.packs[it.pack]
	id := e.BaseID
	if e.Kind == pack.OfsDelta {
		if i := p.find(it.pack, e.Base); i >= 0 {
			return i, git.ID{}, nil
		}
		at, err := from.At(e.Base)
		if err != nil {
			return 0, git.ID{}, err
		}
		id = from.Index().ID(at)
	}
	// It may be sent from another place than the one beside its delta: an
	// object that several packs have is found in one of them.
	stored, at, err := p.snap.Find(ctx, id)
	if err != nil {
		return 0, git.ID{}, err
	}
	for n, q := range p.packs {
		if q == stored {
			return p.find(int32(n), q.Index().Offset(at)), id, nil
		}
	}
	return -1, id, nil
}

func (p *plan) id(i int) git.ID {
	return p.packs[p.items[i].pack].Index().ID(int(p.items[i].at))
}
