package transfer

import (
	"context"

	"github.com/ingot-forge/ingot/git/pack"
)

// New deltas out of stored ones. Packs store the newest version of a file whole
// and older ones as deltas of it, one leaning on the other; a fetch needs it the other way
// round. What the stored deltas between two objects say is enough to make the delta from
// either to the other (pack.Pieces), without an index of either.

const (
	// maxSteps bounds the stored deltas on the way from an object to where its chain ends.
	maxSteps = 64
	// minRelated is how long a way between two objects, in deflated bytes of the deltas on it, is
	// taken whatever their size.
	minRelated = 256
)

// chain is an object's entry, that of its base, and so on, in one pack.
type chain struct {
	from    *pack.Pack
	entries []pack.Entry
}

// chainOf follows the stored deltas from an entry on, as far as their pack has the bases.
func chainOf(ctx context.Context, from *pack.Pack, at int) (chain, error) {
	c := chain{from: from}
	for len(c.entries) < maxSteps {
		e, err := from.Entry(ctx, at)
		if err != nil {
			return chain{}, err
		}
		c.entries = append(c.entries, e)
		if e.Kind != pack.OfsDelta {
			break
		}
		if at, err = from.At(e.Base); err != nil {
			return chain{}, err
		}
	}
	return c, nil
}

// meet returns how many deltas lead from each of two objects to the first they both lean on, and
// their deflated bytes; ok is false if there is none, or if they are too large inflated.
func meet(a, b chain) (i, j int, bytes int64, ok bool) {
	if a.from != b.from || len(a.entries) == 0 || len(b.entries) == 0 {
		return 0, 0, 0, false
	}
	// Bases come before their deltas, so what is further on is the next to be left.
	inflated := int64(0)
	for a.entries[i].Offset != b.entries[j].Offset {
		c, n := &a, &i
		if b.entries[j].Offset > a.entries[i].Offset {
			c, n = &b, &j
		}
		bytes += c.entries[*n].End - c.entries[*n].Data
		inflated += c.entries[*n].Size
		if *n++; *n == len(c.entries) || inflated > maxSearched {
			return 0, 0, 0, false
		}
	}
	return i, j, bytes, true
}

// pieces returns an object in terms of the one that n deltas lead to, n > 0; nil if it
// has too many for that to be of use.
func (c chain) pieces(ctx context.Context, n int) (p *pack.Pieces, err error) {
	for i := n - 1; i >= 0; i-- {
		delta, err := c.from.Delta(ctx, c.entries[i])
		if err != nil {
			return nil, err
		}
		if p == nil {
			origin, _, _, err := pack.DeltaSizes(delta)
			if err != nil {
				return nil, err
			}
			p = pack.NewPieces(int(origin))
		}
		if p, err = p.Apply(delta); p == nil || err != nil {
			return nil, err
		}
	}
	return p, nil
}

// related makes the delta of an object out of the base that is its closest relative;
// nil if it has none, or none from which a delta takes at most limit bytes.
func (p *plan) related(ctx context.Context, g *group, target chain, limit int) ([]byte, *base, error) {
	var closest *base
	var steps, baseSteps int
	least := int64(max(limit, minRelated))
	for b := range g.all {
		if b.depth >= maxMade {
			continue
		}
		if b.chain.entries == nil {
			from, at, err := p.find(ctx, b.id)
			if err == nil {
				b.chain, err = chainOf(ctx, from, at)
			}
			if err != nil {
				return nil, nil, err
			}
		}
		if n, m, bytes, ok := meet(target, b.chain); ok && n+m > 0 && bytes < least {
			closest, steps, baseSteps, least = b, n, m, bytes
		}
	}
	if closest == nil {
		return nil, nil, nil
	}
	var wants, has *pack.Pieces
	var err error
	if steps > 0 {
		if wants, err = target.pieces(ctx, steps); wants == nil || err != nil {
			return nil, nil, err
		}
	}
	if baseSteps > 0 {
		if has, err = closest.chain.pieces(ctx, baseSteps); has == nil || err != nil {
			return nil, nil, err
		}
	}
	if wants == nil {
		wants = pack.NewPieces(has.Origin())
	} else if has == nil {
		has = pack.NewPieces(wants.Origin())
	}
	delta, err := wants.Delta(nil, has, limit, func() ([]byte, error) {
		at, err := target.from.At(target.entries[0].Offset)
		if err != nil {
			return nil, err
		}
		_, data, err := target.from.Object(ctx, at)
		return data, err
	})
	return delta, closest, err
}
