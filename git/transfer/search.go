package transfer

import (
	"cmp"
	"context"
	"iter"
	"slices"
	"sync"
	"sync/atomic"

	"github.com/ingot-forge/ingot/git"
	"github.com/ingot-forge/ingot/git/pack"
)

// search finds new deltas for what is not stored as one that can be sent: in a
// small fetch most objects are newer versions of what the client has, and whole
// they would cost ten times as much. What it tries as bases are objects with the
// same path, which the client has or which come before in the pack.

const (
	// searchBudget bounds the bytes that one fetch compares: so many take a core a
	// second or two. What is left out is what saves least.
	searchBudget = 256 << 20
	// maxSearched is the largest object that a delta is made for.
	maxSearched = 4 << 20
	// minSearched is the smallest: below, a delta saves nothing.
	minSearched = 50
	// maxTried bounds the bases of each sort (the client has them, or they are sent)
	// that are tried for one object, and kept for one path; minTried is how many there are
	// in a fetch of triedObjects, and more in a smaller one, where they cost little.
	maxTried     = 50
	minTried     = 10
	triedObjects = 2000
	// largeFetch is how many objects make a fetch in which a related base is not compared at all,
	// and triedLarge how many others are for one blob.
	largeFetch = 4 * triedObjects
	triedLarge = 3
	// maxMade bounds how many new deltas lean on each other, as git's
	// pack.depth does: clients undo them one by one.
	maxMade = 50
	// fineDelta is the size in bytes up to which a stored delta against what the
	// client has is sent without looking for a better one. Where more than
	// triedObjects are sent, all of them are: most are fine.
	fineDelta = 300
	// goodDelta is the size up to which a delta is good enough to end the search for
	// a better one: a tree in which one entry changed takes less.
	goodDelta = 100
	// leastDeflated is below what a delta is stored as it is: deflating would not make it shorter.
	leastDeflated = 64
	// maxFound bounds the memory that the deltas found take until they are sent.
	maxFound = 16 << 20
)

// fresh is a delta that was made for this pack.
type fresh struct {
	made
	base int32  // step of its base; -1: the client has it
	id   git.ID // of its base
}

// group is the steps whose objects are versions of each other, in the order in
// which they are sent.
type group struct {
	key   baseKey
	steps []int32
	gain  int64  // bytes that are at stake
	had   []base // the client has them; the last is the likeliest
	sent  []base // come before in the pack
	found map[int32]*fresh
}

// base is an object that deltas may lean on.
type base struct {
	id    git.ID
	step  int32 // -1: the client has it
	depth int   // new deltas below it
	chain chain // once it was asked for
	// content and index are there once it was compared.
	content []byte
	index   *pack.DeltaIndex
}

// search returns the new deltas worth sending, by step. Groups know nothing of each other, so all
// cores search; within one, what comes later may lean on what came before.
func (p *plan) search(ctx context.Context) (map[int32]*fresh, error) {
	if len(p.request.Haves) == 0 {
		return nil, nil
	}
	groups, err := p.groups(ctx)
	if err != nil || len(groups) == 0 {
		return nil, err
	}
	done, err := p.searches.take(ctx)
	if err != nil {
		return nil, err
	}
	defer done()
	var budget, room atomic.Int64
	budget.Store(searchBudget)
	room.Store(maxFound)
	var mu sync.Mutex // guards over and p.meter
	over := int64(0)
	if err := eachOf(ctx, groups, func(ctx context.Context, g *group) error {
		err := p.searchGroup(ctx, g, &budget, &room)
		mu.Lock()
		defer mu.Unlock()
		over++
		p.meter.part("Compressing objects", over, int64(len(groups)))
		return err
	}); err != nil {
		return nil, err
	}
	p.meter.all("Compressing objects", int64(len(groups)))
	found := make(map[int32]*fresh)
	for _, g := range groups {
		for s, f := range g.found {
			found[s] = f
		}
	}
	return found, nil
}

// groups returns those in which there is something to search for, those with
// most at stake first.
func (p *plan) groups(ctx context.Context) ([]*group, error) {
	byKey := make(map[baseKey]*group)
	var groups []*group
	for _, st := range p.steps {
		it := &p.items[st.item]
		if !p.searched(st, it) {
			continue
		}
		e, err := p.packs[it.pack].Entry(ctx, int(it.at))
		if err != nil {
			return nil, err
		}
		if st.how == onID && p.fine(e) {
			continue
		}
		g := byKey[it.key]
		if g == nil {
			g = &group{key: it.key}
			byKey[it.key] = g
			groups = append(groups, g)
		}
		g.gain += e.End - e.Data
	}
	for s, st := range p.steps {
		if g := byKey[p.items[st.item].key]; g != nil {
			g.steps = append(g.steps, int32(s))
		}
	}
	if g := byKey[baseKey{kind: git.KindTree}]; g != nil && p.sel.Has != nil && len(p.steps) <= triedObjects {
		roots, err := p.edgeRoots(ctx)
		if err != nil {
			return nil, err
		}
		for _, id := range roots {
			g.had = keep(g.had, p.tried(), base{id: id, step: -1})
		}
	}
	for _, o := range p.sel.Bases {
		if g := byKey[keyOf(o)]; g != nil {
			g.had = keep(g.had, p.tried(), base{id: o.ID, step: -1})
		}
	}
	sortByGain(groups)
	return groups, nil
}

// edgeRoots returns the root trees, which the client has, of the commits next to
// those that are sent. What sets tell knows only the newest of these; but a branch
// that was merged differs least from where it once forked.
func (p *plan) edgeRoots(ctx context.Context) (roots []git.ID, err error) {
	var parents []git.ID
	for s, st := range p.steps {
		if p.items[st.item].key.kind != git.KindCommit {
			continue
		}
		_, data, err := p.snap.Object(ctx, p.id(s))
		if err != nil {
			return nil, err
		}
		if _, parents, _, err = git.CommitLinks(p.format, data, parents); err != nil {
			return nil, err
		}
	}
	slices.SortFunc(parents, func(a, b git.ID) int { return slices.Compare(a[:], b[:]) })
	for _, id := range slices.Compact(parents) {
		if !p.has(id) {
			continue
		}
		_, data, err := p.snap.Object(ctx, id)
		if err != nil {
			return nil, err
		}
		root, _, _, err := git.CommitLinks(p.format, data, nil)
		if err != nil {
			return nil, err
		}
		if p.has(root) {
			roots = append(roots, root)
		}
	}
	return roots, nil
}

// searched reports whether a delta is looked for. A stored one against what the client has
// was made against whatever was near when the pack was: often a much older version.
func (p *plan) searched(st step, it *item) bool {
	return (st.how == asStored || st.how == anew || st.how == onID) && (it.key.kind == git.KindTree || it.key.kind == git.KindBlob)
}

// searchGroup looks for the deltas of one group.
func (p *plan) searchGroup(ctx context.Context, g *group, budget, room *atomic.Int64) error {
	for _, s := range g.steps {
		st := p.steps[s]
		it := &p.items[st.item]
		depth := 0
		if p.searched(st, it) && budget.Load() > 0 && room.Load() > 0 {
			f, on, err := p.best(ctx, g, st, it, budget)
			if err != nil {
				return err
			}
			if f != nil {
				if g.found == nil {
					g.found = make(map[int32]*fresh)
				}
				g.found[s] = f
				depth = on + 1
				room.Add(-int64(len(f.stream)))
			}
		}
		g.sent = keep(g.sent, p.tried(), base{id: p.id(int(s)), step: s, depth: depth})
	}
	g.had, g.sent = nil, nil
	return nil
}

// keep keeps a base, in place of the oldest where there are enough.
func keep(bases []base, most int, b base) []base {
	if len(bases) == most {
		copy(bases, bases[1:])
		bases = bases[:most-1]
	}
	return append(bases, b)
}

// tried is how many bases of each sort are kept for one path.
func (p *plan) tried() int {
	return min(maxTried, max(minTried, minTried*triedObjects/len(p.steps)))
}

// fine reports whether a stored delta against what the client has is sent as it is.
func (p *plan) fine(e pack.Entry) bool {
	return e.End-e.Data < fineDelta || len(p.steps) > triedObjects
}

// all goes through the bases, the likeliest first: those of the client, then what was sent last.
func (g *group) all(yield func(*base) bool) {
	for _, bases := range [][]base{g.had, g.sent} {
		for i := len(bases) - 1; i >= 0; i-- {
			if !yield(&bases[i]) {
				return
			}
		}
	}
}

// best returns the smallest delta that makes the object of a step out of a base,
// and how many new ones that base leans on; nil if none is worth it.
func (p *plan) best(ctx context.Context, g *group, st step, it *item, budget *atomic.Int64) (*fresh, int, error) {
	if len(g.had)+len(g.sent) == 0 {
		return nil, 0, nil // the first of its path
	}
	from := p.packs[it.pack]
	e, err := from.Entry(ctx, int(it.at))
	if err != nil {
		return nil, 0, err
	}
	if st.how == onID && p.fine(e) {
		return nil, 0, nil
	}
	_, size, err := from.Header(ctx, int(it.at)) // before it is read: it may be too large for memory
	if err != nil || size < minSearched || size > maxSearched {
		return nil, 0, err
	}
	// A delta is worth it below what the stored bytes are, or half the content: it
	// is deflated on top.
	limit := int(size)/2 - p.format.Size()
	if st.how != anew {
		limit = int(e.End-e.Data) - p.format.Size()
	}
	found, on, err := p.delta(ctx, g, from, int(it.at), limit, budget)
	if found == nil || err != nil {
		return nil, 0, err
	}
	m := made{size: int64(len(found)), stream: p.deflate(found)}
	return &fresh{made: m, base: on.step, id: on.id}, on.depth, nil
}

// delta looks for a delta of at most limit bytes that makes an object out of a base: for trees by
// comparing, which takes little there; for blobs by what is stored, and where that says nothing, or
// not enough for a small fetch, by comparing as well.
func (p *plan) delta(ctx context.Context, g *group, from *pack.Pack, at, limit int, budget *atomic.Int64) ([]byte, *base, error) {
	var related []byte
	var on *base
	if g.key.kind == git.KindBlob {
		line, err := chainOf(ctx, from, at)
		if err != nil {
			return nil, nil, err
		}
		related, on, err = p.related(ctx, g, line, limit)
		if err != nil {
			return nil, nil, err
		}
		if on != nil && (p.large() || related != nil && len(related) <= p.good()) {
			return related, on, nil
		}
	}
	_, data, err := from.Object(ctx, at)
	if err != nil {
		return nil, nil, err
	}
	bases := g.all
	if on != nil {
		bases = func(yield func(*base) bool) { yield(on) }
		if related != nil {
			limit = len(related) - 1
		}
	}
	compared, with, err := p.compared(ctx, g.key.kind, bases, data, limit, budget)
	if compared == nil || err != nil {
		return related, on, err
	}
	return compared, with, nil
}

// compared looks for the smallest delta of data by comparing it with bases.
func (p *plan) compared(ctx context.Context, kind git.Kind, bases iter.Seq[*base], data []byte, limit int,
	budget *atomic.Int64) (best []byte, on *base, err error) {
	tried := 0
	for b := range bases {
		if b.depth >= maxMade || limit <= 0 {
			continue
		}
		if kind == git.KindBlob && p.large() && tried == triedLarge {
			break
		}
		tried++
		if b.content == nil {
			_, size, err := p.snap.Header(ctx, b.id)
			if err != nil {
				return nil, nil, err
			}
			if size > maxSearched {
				b.depth = maxMade // nobody looks at it again
				continue
			}
			if _, b.content, err = p.snap.Object(ctx, b.id); err != nil {
				return nil, nil, err
			}
		}
		var d []byte
		if kind == git.KindTree {
			d = pack.TreeDelta(p.format, nil, b.content, data, limit)
		} else {
			if b.index == nil {
				b.index = pack.NewDeltaIndex(b.content)
				budget.Add(-int64(len(b.content)))
			}
			budget.Add(-int64(len(data)))
			d = b.index.Create(nil, data, limit)
		}
		if d != nil {
			best, on, limit = d, b, len(d)-1
			if len(d) <= goodDelta {
				break
			}
		}
	}
	return best, on, nil
}

// large reports whether so much is sent that what takes time counts for more than a few bytes.
func (p *plan) large() bool { return len(p.steps) > largeFetch }

// good is up to which size a delta of a blob out of stored ones is not compared: comparing finds
// some of it elsewhere in the base, which over all saves a tenth.
func (p *plan) good() int {
	switch n := len(p.steps); {
	case n <= triedObjects:
		return goodDelta
	case n <= largeFetch:
		return 4 * goodDelta
	}
	return maxSearched
}

// deflate deflates a new delta.
func (p *plan) deflate(delta []byte) []byte {
	if len(delta) < leastDeflated || len(p.steps) > triedObjects {
		return pack.DeflateQuickly(nil, delta)
	}
	return pack.Deflate(nil, delta)
}

// sortByGain puts those with most at stake first.
func sortByGain(groups []*group) {
	slices.SortStableFunc(groups, func(a, b *group) int { return cmp.Compare(b.gain, a.gain) })
}
