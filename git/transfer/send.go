package transfer

import (
	"context"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"hash"
	"slices"

	"github.com/ingot-forge/ingot/git"
	"github.com/ingot-forge/ingot/git/history"
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
		sent, err := u.follow(ctx, wire.Vectors(u.w), r, o, func(string) {})
		if err != nil {
			return err // and the pack breaks off
		}
		u.served(sent)
		return nil
	}
	band := wire.NewSideband(u.w, o.largeBand)
	stop := band.KeepAlive(keepAlive)
	defer stop()
	tell := func(string) {}
	if o.progress {
		tell = func(text string) { band.Progress(text) }
	}
	sent, err := u.follow(ctx, band, r, o, tell)
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
	objects      int
	deltas       int   // among those that were looked at
	reused       int   // looked at, and sent as they are stored
	reusedDeltas int   // the deltas among these
	packReused   int   // not even looked at
	bytes        int64 // of the pack
}

// String says it as git does.
func (s sent) String() string {
	return fmt.Sprintf("Total %d (delta %d), reused %d (delta %d), pack-reused %d\n", s.objects, s.deltas, s.reused, s.reusedDeltas, s.packReused)
}

func (u *upload) served(s sent) {
	if u.options.Served != nil {
		u.options.Served(s.objects, s.bytes)
	}
}

// follow sends the pack that answers r to w, by a recipe that may have been made
// for somebody else who asked for the same. Who may have what was decided before.
func (u *upload) follow(ctx context.Context, w wire.VectorWriter, r history.Request, o packOptions, tell func(string)) (sent, error) {
	packs := make(map[string]bool, len(u.snap.State().Packs))
	for i := range u.snap.State().Packs {
		packs[u.snap.State().Packs[i].Name] = true
	}
	all := &u.server.recipes
	d := all.join(ctx, u.recipeKey(r, o), packs, func(ctx context.Context, into *recipe) (sent, error) {
		snap := u.snap.Retain()
		defer snap.Close()
		b := &builder{format: u.format, snap: snap, view: u.view, request: r, options: o,
			maxPlanned: orDefault(u.server.maxPlanned, maxPlanned), searches: &u.server.searches,
			w:     newRecipeWriter(ctx, all, into, u.format, snap),
			meter: newMeter(func(text string) { all.tell(into, text) })}
		return b.build(ctx)
	})
	defer d.leave()
	return stream(ctx, u.snap, d, w, tell)
}

// recipeKey is made of all that an answer depends on.
func (u *upload) recipeKey(r history.Request, o packOptions) (key recipeKey) {
	k := keyHash{sha256.New()}
	k.number(uint64(u.snap.State().ID))
	for _, ids := range [][]git.ID{r.Wants, r.Haves, r.Shallow, r.Boundary, r.Unshallow} {
		k.set(ids)
	}
	filter := ""
	if r.Filter != nil {
		filter = r.Filter.String()
	}
	k.number(uint64(len(filter)))
	k.Write([]byte(filter))
	for _, is := range []bool{r.Filter != nil, r.Thin, o.ofsDelta, o.includeTag} {
		if is {
			k.number(1)
		} else {
			k.number(0)
		}
	}
	if o.includeTag {
		for ref := range u.view.matching([]string{"refs/tags/"}) {
			if !ref.Peeled.IsZero() {
				k.Write(ref.Target[:])
				k.Write(ref.Peeled[:])
			}
		}
	}
	return recipeKey(k.Sum(nil))
}

// keyHash hashes what a key is made of, so that nothing can pass for something else.
type keyHash struct{ hash.Hash }

func (k keyHash) number(n uint64) {
	var b [8]byte
	binary.BigEndian.PutUint64(b[:], n)
	k.Write(b[:])
}

// set hashes ids whose order does not matter.
func (k keyHash) set(ids []git.ID) {
	ids = slices.Clone(ids)
	slices.SortFunc(ids, func(a, b git.ID) int { return slices.Compare(a[:], b[:]) })
	k.number(uint64(len(ids)))
	for i := range ids {
		k.Write(ids[i][:])
	}
}
