package transfer

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"

	"github.com/ingot-forge/ingot/git"
	"github.com/ingot-forge/ingot/git/history"
	"github.com/ingot-forge/ingot/git/pack"
	"github.com/ingot-forge/ingot/git/wire"
)

// packOptions say how a client takes a pack.
type packOptions struct {
	largeBand, smallBand bool // side-band-64k or side-band; neither: the pack comes bare
	ofsDelta             bool
	progress             bool
	includeTag           bool
}

// sendPack computes what is missing and sends it. Once the pack has begun there
// is one way to tell of an error that every client understands: band 3, and
// without a sideband a stream that breaks off. A pack that ends well is whole.
func (u *upload) sendPack(ctx context.Context, r history.Request, o packOptions) error {
	if !o.largeBand && !o.smallBand {
		u.bare = true
		bare := bufio.NewWriterSize(u.w, 64<<10)
		sent, err := u.buildPack(ctx, bare, r, o, nil)
		if err != nil {
			return err // and the pack breaks off
		}
		if err := bare.Flush(); err != nil {
			return err
		}
		u.served(sent)
		return nil
	}
	band := wire.NewSideband(u.w, o.largeBand)
	stop := band.KeepAlive(keepAlive)
	defer stop()
	var progress func(string)
	if o.progress {
		progress = func(text string) { band.Progress(text) }
	}
	sent, err := u.buildPack(ctx, band, r, o, progress)
	stop()
	if err != nil {
		if sendErr := band.Error(explain(err)); sendErr != nil {
			return errors.Join(err, sendErr)
		}
		return errors.Join(told(err), band.Close())
	}
	if err := band.Close(); err != nil {
		return err
	}
	u.served(sent)
	return nil
}

// sent is what a pack came to.
type sent struct {
	objects, deltas int
	reused          int // objects copied as they are stored
	bytes           int64
}

func (u *upload) served(s sent) {
	if u.options.Served != nil {
		u.options.Served(s.objects, s.bytes)
	}
}

// buildPack writes the pack that answers r to w. progress may be nil.
func (u *upload) buildPack(ctx context.Context, w io.Writer, r history.Request, o packOptions, progress func(string)) (sent, error) {
	m := newMeter(progress)
	objects, bases, err := history.Missing(ctx, u.snap, r, func(found int) { m.count("Enumerating objects", found) })
	if err != nil {
		return sent{}, err
	}
	if o.includeTag {
		if objects, err = u.includeTags(ctx, objects); err != nil {
			return sent{}, err
		}
	}
	m.done("Enumerating objects", len(objects))
	p, err := planPack(ctx, u.snap, objects)
	if err != nil {
		return sent{}, err
	}
	p.ofsDelta, p.format = o.ofsDelta, u.format
	if r.Thin {
		p.clientHas(bases)
	}
	if len(r.Haves) > 0 {
		if p.search, err = newSearch(ctx, u.snap, u.format, objects, p.has); err != nil {
			return sent{}, err
		}
	}
	out, err := pack.NewWriter(w, u.format, len(p.items))
	if err != nil {
		return sent{}, err
	}
	if err := p.write(ctx, out); err != nil {
		return sent{}, err
	}
	if _, err := out.Close(); err != nil {
		return sent{}, err
	}
	s := p.sent
	s.objects, s.bytes = len(p.items), out.Offset()
	m.say(fmt.Sprintf("Total %d (delta %d), reused %d\n", s.objects, s.deltas, s.reused))
	return s, nil
}

// maxTagChain bounds how many annotated tags may point to each other in a row.
const maxTagChain = 64

// includeTags adds the annotated tags whose final target is sent: visible ones,
// with the tags in between.
func (u *upload) includeTags(ctx context.Context, objects []history.Object) ([]history.Object, error) {
	// The smaller side is kept in a set: what refs name, not what is sent.
	sending := make(map[git.ID]bool)
	var tags []git.ID
	for ref := range u.view.matching([]string{"refs/tags/"}) {
		if !ref.Peeled.IsZero() {
			sending[ref.Peeled], sending[ref.Target] = false, false
			tags = append(tags, ref.Target)
		}
	}
	if len(tags) == 0 {
		return objects, nil
	}
	for _, o := range objects {
		if _, asked := sending[o.ID]; asked || o.Kind == git.KindTag {
			sending[o.ID] = true
		}
	}
	for ref := range u.view.matching([]string{"refs/tags/"}) {
		if ref.Peeled.IsZero() || !sending[ref.Peeled] {
			continue
		}
		id := ref.Target
		for depth := 0; id != ref.Peeled; depth++ {
			if depth == maxTagChain {
				return nil, fmt.Errorf("tag %s: %w: more than %d tags in a row", ref.Target, git.ErrCorrupt, maxTagChain)
			}
			kind, data, err := u.snap.Object(ctx, id)
			if err != nil {
				return nil, err
			}
			if kind != git.KindTag {
				break
			}
			if !sending[id] {
				sending[id] = true
				objects = append(objects, history.Object{ID: id, Kind: kind})
			}
			tag, err := git.ParseTag(u.format, data)
			if err != nil {
				return nil, err
			}
			id = tag.Target
		}
	}
	return objects, nil
}
