package hosting

import (
	"context"
	"fmt"
	"io"
	"sort"

	"github.com/ingot-forge/ingot/git"
	"github.com/ingot-forge/ingot/git/pack"
)

// reached is what the refs of a bare repository reach.
type reached struct {
	// offsets has where each object begins in the pack that is written;
	// notWritten at first.
	offsets map[git.ID]int64
	tags    map[git.ID]git.ID // what annotated tags point to
	others  map[git.ID]bool   // targets of refs that are no commits
}

const notWritten = -1

// reach finds what the refs reach. Only that is imported: what lies about
// besides may lack half of what it names. progress hears how many objects
// have been found.
func (b *bare) reach(ctx context.Context, progress func(found int)) (*reached, error) {
	r := &reached{offsets: map[git.ID]int64{}, tags: map[git.ID]git.ID{}, others: map[git.ID]bool{}}
	type link struct{ id, from git.ID }
	var todo []link // not yet read; each in offsets already
	add := func(id, from git.ID) {
		if _, ok := r.offsets[id]; !ok {
			r.offsets[id] = notWritten
			todo = append(todo, link{id, from})
		}
	}
	for _, id := range b.refs {
		add(id, git.ID{})
	}
	var parents []git.ID
	for n := 0; len(todo) > 0; n++ {
		if n%1024 == 0 {
			progress(len(r.offsets))
			if err := ctx.Err(); err != nil {
				return nil, err
			}
		}
		next := todo[len(todo)-1]
		todo = todo[:len(todo)-1]
		kind, data, err := b.Object(ctx, next.id)
		if err != nil {
			return nil, fmt.Errorf("object %s, named by %s: %w", next.id, namer(next.from), err)
		}
		if kind != git.KindCommit && next.from.IsZero() { // targets of refs come first, so from is right
			r.others[next.id] = true
		}
		switch kind {
		case git.KindCommit:
			var tree git.ID
			if tree, parents, _, err = git.CommitLinks(b.format, data, parents[:0]); err != nil {
				return nil, fmt.Errorf("commit %s: %w", next.id, err)
			}
			add(tree, next.id)
			for _, id := range parents {
				add(id, next.id)
			}
		case git.KindTag:
			tag, err := git.ParseTag(b.format, data)
			if err != nil {
				return nil, fmt.Errorf("tag %s: %w", next.id, err)
			}
			r.tags[next.id] = tag.Target
			add(tag.Target, next.id)
		case git.KindTree:
			for entry, err := range git.Entries(b.format, data) {
				if err != nil {
					return nil, fmt.Errorf("tree %s: %w", next.id, err)
				}
				switch entry.Mode {
				case git.ModeSubmodule:
				case git.ModeTree:
					add(entry.ID, next.id)
				default: // blobs need not be read, only be there
					if _, ok := r.offsets[entry.ID]; ok {
						continue
					}
					r.offsets[entry.ID] = notWritten
					if ok, err := b.has(entry.ID); err != nil || !ok {
						return nil, fmt.Errorf("object %s, named by %s: %w", entry.ID, next.id, orNotFound(err, entry.ID))
					}
				}
			}
		}
	}
	progress(len(r.offsets))
	return r, nil
}

func namer(id git.ID) string {
	if id.IsZero() {
		return "a ref"
	}
	return id.String()
}

func orNotFound(err error, id git.ID) error {
	if err == nil {
		err = git.NotFound(id)
	}
	return err
}

// peel follows annotated tags from id.
func (r *reached) peel(id git.ID) (peeled git.ID) {
	for tag, ok := r.tags[id]; ok; tag, ok = r.tags[peeled] {
		peeled = tag // ids make cycles impossible
	}
	return peeled
}

// writePack writes all of it as one pack. Stored entries are copied as they
// are, in the order of the packs they come from, so that a delta's base comes
// before it; where it does not, the object is written whole.
func (b *bare) writePack(ctx context.Context, r *reached, out io.Writer) error {
	w, err := pack.NewWriter(out, b.format, len(r.offsets))
	if err != nil {
		return err
	}
	for _, p := range b.packs {
		places := r.unwritten(p.Index())
		for _, at := range places {
			if err := r.copy(ctx, w, p.Pack, at); err != nil {
				return err
			}
		}
	}
	for id, offset := range r.offsets {
		if offset != notWritten {
			continue
		}
		kind, data, err := b.loose(id)
		if err != nil {
			return err
		}
		r.offsets[id] = w.Offset()
		if err := w.Object(kind, data); err != nil {
			return err
		}
	}
	_, err = w.Close()
	return err
}

// unwritten returns the places in an index of what is still to be written, in
// the order of the pack.
func (r *reached) unwritten(x *pack.Index) []int {
	var places []int
	for at := range x.Count() {
		if offset, ok := r.offsets[x.ID(at)]; ok && offset == notWritten {
			places = append(places, at)
		}
	}
	sort.Slice(places, func(i, j int) bool { return x.Offset(places[i]) < x.Offset(places[j]) })
	return places
}

// copy writes the object at a place of a pack.
func (r *reached) copy(ctx context.Context, w *pack.Writer, p *pack.Pack, at int) error {
	id := p.Index().ID(at)
	if r.offsets[id] != notWritten {
		return nil // twice in the pack
	}
	e, err := p.Entry(ctx, at)
	if err != nil {
		return err
	}
	r.offsets[id] = w.Offset()
	baseID := e.BaseID
	switch e.Kind {
	case pack.OfsDelta:
		base, err := p.At(e.Base)
		if err != nil {
			return err
		}
		baseID = p.Index().ID(base)
	case pack.RefDelta:
	default:
		return w.Copy(ctx, p, e)
	}
	if base, ok := r.offsets[baseID]; ok && base != notWritten && baseID != id {
		return w.CopyDelta(ctx, p, e, base, baseID)
	}
	kind, data, err := p.Object(ctx, at)
	if err != nil {
		return err
	}
	return w.Object(kind, data)
}
