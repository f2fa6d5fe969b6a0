package transfer

import (
	"context"
	"fmt"

	"github.com/ingot-forge/ingot/git"
	"github.com/ingot-forge/ingot/git/bitmap"
	"github.com/ingot-forge/ingot/git/history"
	"github.com/ingot-forge/ingot/git/pack"
	"github.com/ingot-forge/ingot/git/repo"
)

// builder makes the recipe that answers one request. It works on a snapshot of
// its own, as it may outlive the session that began it.
type builder struct {
	format  git.Format
	snap    *repo.Snapshot
	view    view
	request history.Request
	options packOptions

	maxPlanned int
	searches   *searches

	w     *recipeWriter
	meter *meter
	sel   *history.Selection
	index *bitmap.Index // nil: no sets
	// layers are the packs of index, in its order.
	layers []layer
	links  []link // scratch

	sent sent
}

// maxPlanned bounds the fetches, in objects, for which each object is looked at by
// itself, to find new deltas: so many take some ten megabytes. What is larger is
// told from the sets alone.
const maxPlanned = 1 << 17

// build makes the whole recipe.
func (b *builder) build(ctx context.Context) (sent, error) {
	var err error
	if b.request.Derived, err = derived(ctx, b.snap); err != nil {
		return sent{}, err
	}
	if err := b.choose(ctx); err != nil {
		return sent{}, err
	}
	count := b.sel.Count
	b.meter.done("Enumerating objects", count)
	b.sent.objects = count
	if whole := b.oneFile(); whole != nil {
		if err := b.w.file(whole); err != nil {
			return sent{}, err
		}
		b.sent.packReused = count
		return b.finished(), nil
	}
	if err := b.w.bytes(pack.AppendHeader(nil, uint32(count))); err != nil {
		return sent{}, err
	}
	if b.sel.Send != nil && (len(b.request.Haves) == 0 || count > b.maxPlanned) {
		if err := b.fromLayers(ctx); err != nil {
			return sent{}, err
		}
	}
	if err := b.planned(ctx); err != nil {
		return sent{}, err
	}
	if err := b.w.close(); err != nil {
		return sent{}, err
	}
	return b.finished(), nil
}

func (b *builder) finished() sent {
	b.sent.bytes = b.w.offset
	return b.sent
}

// choose finds what is to be sent.
func (b *builder) choose(ctx context.Context) error {
	sel, err := history.Select(ctx, b.snap, b.request, func(found int) { b.meter.count("Enumerating objects", found) })
	if err != nil {
		return err
	}
	b.sel = sel
	if sel.Send != nil || sel.Has != nil {
		index, packs, err := b.snap.Bitmaps(ctx)
		if err != nil {
			return err
		}
		b.index = index
		for l, p := range packs {
			b.layers = append(b.layers, layer{pack: p, start: index.Start(l), end: index.Start(l + 1)})
		}
	}
	if b.options.includeTag {
		if err := b.includeTags(ctx); err != nil {
			return err
		}
	}
	if sel.Send == nil {
		sel.Count = len(sel.Objects)
		return nil
	}
	// What has a position is in the set, and counts once.
	outside := sel.Objects[:0]
	for _, o := range sel.Objects {
		if at, ok := b.index.Find(o.ID); ok {
			sel.Send.Add(at)
		} else {
			outside = append(outside, o)
		}
	}
	sel.Objects = outside
	sel.Count = sel.Send.Count() + len(outside)
	return nil
}

// has reports whether the client has an object, and takes deltas against it.
func (b *builder) has(id git.ID) bool {
	if !b.request.Thin {
		return false
	}
	if b.sel.IsBase(id) {
		return true
	}
	if b.sel.Has == nil {
		return false
	}
	at, ok := b.index.Find(id)
	return ok && b.sel.Has.Has(at)
}

// sends reports whether an object with a position is sent.
func (b *builder) sends(id git.ID) bool {
	if b.sel.Send == nil {
		return false
	}
	at, ok := b.index.Find(id)
	return ok && b.sel.Send.Has(at)
}

// find returns where an object is stored. An object that several packs have is
// taken from one of them, always the same: that of its position if it has one.
func (b *builder) find(ctx context.Context, id git.ID) (*pack.Pack, int, error) {
	if b.index != nil {
		if position, ok := b.index.Find(id); ok {
			l, at := b.index.Place(position)
			return b.layers[l].pack, at, nil
		}
	}
	return b.snap.Find(ctx, id)
}

// oneFile returns the pack that is, as it is stored, the one to be sent; nil if
// there is none.
func (b *builder) oneFile() *pack.Pack {
	if b.sel.Send == nil || len(b.sel.Objects) > 0 || !b.options.ofsDelta {
		return nil
	}
	for l := range b.layers {
		if b.layers[l].full(b.sel.Send) && b.layers[l].pack.Index().Count() == b.sel.Count {
			return b.layers[l].pack
		}
	}
	return nil
}

// maxTagChain bounds how many annotated tags may point to each other in a row.
const maxTagChain = 64

// includeTags adds the annotated tags whose final target is sent: visible ones,
// with the tags in between.
func (b *builder) includeTags(ctx context.Context) error {
	tags := b.view.matching([]string{tagPrefix})
	if b.sel.Send == nil {
		tags = b.view.annotated(b.sel.Objects)
	}
	// The smaller side is kept in a set: what refs name, not what is sent.
	sending := make(map[git.ID]bool)
	for ref := range tags {
		if !ref.Peeled.IsZero() {
			sending[ref.Peeled], sending[ref.Target] = b.sends(ref.Peeled), b.sends(ref.Target)
		}
	}
	if len(sending) == 0 {
		return nil
	}
	for _, o := range b.sel.Objects {
		if _, asked := sending[o.ID]; asked || o.Kind == git.KindTag {
			sending[o.ID] = true
		}
	}
	for ref := range tags {
		if ref.Peeled.IsZero() || !sending[ref.Peeled] {
			continue
		}
		id := ref.Target
		for depth := 0; id != ref.Peeled; depth++ {
			if depth == maxTagChain {
				return fmt.Errorf("tag %s: %w: more than %d tags in a row", ref.Target, git.ErrCorrupt, maxTagChain)
			}
			kind, data, err := b.snap.Object(ctx, id)
			if err != nil {
				return err
			}
			if kind != git.KindTag {
				break
			}
			if !sending[id] && !b.sends(id) {
				sending[id] = true
				b.sel.Objects = append(b.sel.Objects, history.Object{ID: id, Kind: kind})
			}
			tag, err := git.ParseTag(b.format, data)
			if err != nil {
				return err
			}
			id = tag.Target
		}
	}
	return nil
}
