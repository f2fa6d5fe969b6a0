package transfer

import (
	"cmp"
	"context"
	"fmt"
	"slices"

	"github.com/ingot-forge/ingot/git"
	"github.com/ingot-forge/ingot/git/history"
	"github.com/ingot-forge/ingot/git/pack"
)

// plan says where objects come from, in which order they are sent, and how: pack
// by pack, by offset, so that storage is read from front to back and most bases
// come before their deltas by themselves.
//
// Stored entries are taken as they are, deltas included, when their base is in
// the pack that is sent or when the client has it; anything else is sent as a new
// delta if a good one is found, and else made whole. No delta cycle can come
// out: a base comes before the deltas that refer to it, and where that is
// impossible because they already wait for it, the object is made whole. (An
// object may be stored in several packs, in one as a delta of what in another is
// a delta of it.)
type plan struct {
	*builder
	packs []*pack.Pack
	first []int  // where the items of each pack start; one more at the end
	items []item // by pack, then by offset
	stack []int

	steps []step   // in the order in which they are sent
	ids   []git.ID // bases that are no items: see step
	laid  []int64  //
}

// item is one object to send: its place in a stored pack.
type item struct {
	pack, at int32
	state    int32 // unplanned, waiting, or the number of its step
	offset   int64
	key      baseKey
}

const (
	unplanned = -2
	waiting   = -1 // its base is being planned
)

// step is one entry of the pack to be sent.
type step struct {
	item int32
	how  how
	// base is, for onItem, the step of the base; for onID the place in plan.ids, and
	// for onOffset that in plan.laid.
	base int32
}

// onItem is a delta whose base is the entry of another step, before it.
const onItem how = anew + 1

// planned sends what is looked at object by object.
func (b *builder) planned(ctx context.Context) error {
	p := &plan{builder: b}
	if err := p.locate(ctx); err != nil {
		return err
	}
	p.steps = make([]step, 0, len(p.items))
	for i := range p.items {
		if err := ctx.Err(); err != nil {
			return err
		}
		// Bases that are not planned yet go onto the stack, above what waits for them.
		p.stack = append(p.stack[:0], i)
		for len(p.stack) > 0 {
			if err := p.decide(ctx, p.stack[len(p.stack)-1]); err != nil {
				return err
			}
		}
	}
	found, err := p.search(ctx)
	if err != nil {
		return err
	}
	return p.send(ctx, found)
}

// locate looks up where the objects are stored.
func (p *plan) locate(ctx context.Context) error {
	number := make(map[*pack.Pack]int32)
	add := func(from *pack.Pack, at int, key baseKey) {
		n, known := number[from]
		if !known {
			n = int32(len(p.packs))
			number[from] = n
			p.packs = append(p.packs, from)
		}
		p.items = append(p.items, item{pack: n, at: int32(at), state: unplanned, offset: from.Index().Offset(at), key: key})
	}
	if p.sel.Send != nil && len(p.layers) > 0 && p.w.offset == pack.HeaderSize { // not sent from the layers
		p.items = make([]item, 0, p.sel.Count)
		for at, ok := nextRun(p.sel.Send, 0, p.index.Len()); ok; at, ok = nextRun(p.sel.Send, at+1, p.index.Len()) {
			l, place := p.index.Place(at)
			add(p.layers[l].pack, place, baseKey{p.index.Kind(at), p.index.NameHash(at)})
		}
	}
	for _, o := range p.sel.Objects {
		from, at, err := p.find(ctx, o.ID)
		if err != nil {
			return err
		}
		add(from, at, baseKey{o.Kind, o.NameHash})
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
	return nil
}

// itemAt returns which item is the entry at an offset of a stored pack, or -1.
func (p *plan) itemAt(pack int32, offset int64) int {
	items := p.items[p.first[pack]:p.first[pack+1]]
	i, ok := slices.BinarySearchFunc(items, offset, func(it item, offset int64) int { return cmp.Compare(it.offset, offset) })
	if !ok {
		return -1
	}
	return p.first[pack] + i
}

// decide plans the item on top of the stack, or puts its base on top of it.
func (p *plan) decide(ctx context.Context, i int) error {
	it := &p.items[i]
	if it.state >= 0 {
		p.stack = p.stack[:len(p.stack)-1]
		return nil
	}
	e, err := p.packs[it.pack].Entry(ctx, int(it.at))
	if err != nil {
		return err
	}
	if !e.Kind.IsDelta() {
		p.step(i, asStored, 0)
		return nil
	}
	base, id, err := p.base(ctx, it, e)
	if err != nil {
		return err
	}
	switch {
	case base >= 0 && p.items[base].state == unplanned:
		it.state = waiting
		p.stack = append(p.stack, base)
	case base >= 0 && p.items[base].state >= 0:
		p.step(i, onItem, p.items[base].state)
	case base < 0 && p.sends(id): // from a layer
		if out, ok := p.builder.laid(id); ok && p.options.ofsDelta {
			p.laid = append(p.laid, out)
			p.step(i, onOffset, int32(len(p.laid)-1))
			break
		}
		p.ids = append(p.ids, id)
		p.step(i, onID, int32(len(p.ids)-1))
	case base < 0 && p.has(id):
		p.ids = append(p.ids, id)
		p.step(i, onID, int32(len(p.ids)-1))
	default:
		p.step(i, anew, 0)
	}
	return nil
}

// step ends the planning of the item on top of the stack.
func (p *plan) step(i int, how how, base int32) {
	p.stack = p.stack[:len(p.stack)-1]
	p.items[i].state = int32(len(p.steps))
	p.steps = append(p.steps, step{item: int32(i), how: how, base: base})
}

// base finds the base of a stored delta: the item that it is, or -1 and its id.
func (p *plan) base(ctx context.Context, it *item, e pack.Entry) (int, git.ID, error) {
	from := p.packs[it.pack]
	id := e.BaseID
	if e.Kind == pack.OfsDelta {
		if i := p.itemAt(it.pack, e.Base); i >= 0 {
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
	stored, at, err := p.find(ctx, id)
	if err != nil {
		return 0, git.ID{}, err
	}
	for n, q := range p.packs {
		if q == stored {
			return p.itemAt(int32(n), q.Index().Offset(at)), id, nil
		}
	}
	return -1, id, nil
}

// id returns the id of the object of a step.
func (p *plan) id(s int) git.ID {
	it := &p.items[p.steps[s].item]
	return p.packs[it.pack].Index().ID(int(it.at))
}

// send sends the steps; found has the new deltas, by step.
func (p *plan) send(ctx context.Context, found map[int32]*fresh) error {
	var jobs []*item
	for s, st := range p.steps {
		if st.how == anew && found[int32(s)] == nil {
			jobs = append(jobs, &p.items[st.item])
		}
	}
	next, stop := ahead(ctx, jobs, func(ctx context.Context, it *item) (made, error) {
		return remake(ctx, p.format, p.packs[it.pack], int(it.at))
	})
	defer stop()
	out := make([]int64, len(p.steps))
	for s := range p.steps {
		out[s] = p.w.offset
		if err := p.sendStep(ctx, s, out, found[int32(s)], next); err != nil {
			return err
		}
	}
	return nil
}

func (p *plan) sendStep(ctx context.Context, s int, out []int64, found *fresh, next func() (made, error)) error {
	st := p.steps[s]
	it := &p.items[st.item]
	from := p.packs[it.pack]
	if found != nil {
		p.sent.deltas++
		if found.base >= 0 && p.options.ofsDelta {
			return p.w.delta(found.made, out[found.base], git.ID{})
		}
		return p.w.delta(found.made, -1, found.id)
	}
	if st.how == anew {
		m, err := next()
		if err != nil {
			return err
		}
		return p.w.anew(m)
	}
	p.counted(st.how)
	e, err := from.Entry(ctx, int(it.at))
	if err != nil {
		return err
	}
	switch {
	case st.how == asStored:
		return p.w.whole(from, e)
	case st.how == onItem && p.options.ofsDelta:
		return p.w.onOffset(from, e, out[st.base])
	case st.how == onItem:
		return p.w.onID(from, e, p.id(int(st.base)))
	case st.how == onOffset:
		return p.w.onOffset(from, e, p.laid[st.base])
	case st.how == onID:
		return p.w.onID(from, e, p.ids[st.base])
	}
	return fmt.Errorf("a step of unknown kind %d", st.how)
}

// baseKey says which objects are versions of each other.
type baseKey struct {
	kind git.Kind
	name uint32 // git.NameHash of the path
}

func keyOf(o history.Object) baseKey { return baseKey{o.Kind, o.NameHash} }
