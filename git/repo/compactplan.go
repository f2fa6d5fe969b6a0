package repo

import (
	"cmp"
	"slices"
)

// planCompaction chooses which packs to join, and returns their places, the largest
// pack first; none if nothing is to be joined. kept is how many larger ones stay.
//
// The packs that stay are each at least twice as large as all smaller ones
// together, so with a total of n bytes there are at most log₃(n)+1 of them; and a
// byte is only written again into a pack at least half as large again as the one it was in,
// so that happens a logarithmic number of times as well.
//
// Size is bytes, not objects as in git's repack --geometric: bytes are what joining
// costs, and a large file must not be copied for every few small pushes beside it.
func planCompaction(packs []Pack, all bool) (join []int, kept int) {
	places := make([]int, len(packs))
	rest := int64(0) // of those not decided on
	for i, p := range packs {
		places[i] = i
		rest += p.Bytes
	}
	slices.SortStableFunc(places, func(a, b int) int { return cmp.Compare(packs[b].Bytes, packs[a].Bytes) })
	if !all {
		for kept < len(places) {
			size := packs[places[kept]].Bytes
			rest -= size
			if size/2 < rest {
				break
			}
			kept++
		}
	}
	if len(places)-kept < 2 {
		return nil, len(places)
	}
	return places[kept:], kept
}
