package repo

import (
	"bytes"
	"context"
	"slices"

	"github.com/ingot-forge/ingot/git"
)

// Prefix returns the ids, at most limit, of the objects in the packs that start
// with the given hexadecimal digits (lower case), each once, in their order. It says
// nothing of who may know them.
func (s *Snapshot) Prefix(ctx context.Context, digits string, limit int) ([]git.ID, error) {
	var ids []git.ID
	for place := range s.packs {
		p, err := s.pack(ctx, place)
		if err != nil {
			return nil, err
		}
		from, to := p.Index().Prefix(digits)
		for at := from; at < min(to, from+limit); at++ {
			ids = append(ids, p.Index().ID(at))
		}
	}
	slices.SortFunc(ids, func(a, b git.ID) int { return bytes.Compare(a[:], b[:]) })
	ids = slices.Compact(ids)
	return ids[:min(len(ids), limit)], nil
}
