package repo

const (
	// mostJoined is how many packs are joined at once. Each is open meanwhile, as two
	// mapped files; Linux allows a process some 65,000 mappings in all.
	mostJoined = 4096
	// stepBytes is how much is joined at once where more than two packs are: what an
	// interruption costs at most, unless a single pack is larger.
	stepBytes = 1 << 30
)

// planCompaction chooses which packs to join: all from kept on, none if that is
// their number. packs are in the order of the stack: those that others lean on first.
//
// The packs that stay are each at least twice as large as all after them
// together, so with a total of n bytes there are at most log₃(n)+1 of them. What is joined
// starts with a pack less than twice as large as all after it, so that one moves into
// a pack half as large again, and so does every byte that was in a pack kept before;
// that happens a logarithmic number of times. A pack that was
// pushed may have to be written again once besides, however large: only thus does what
// is joined always lie on top of the stack, and no layer below has to be made anew.
//
// Size is bytes, not objects as in git's repack --geometric: bytes are what joining
// costs, and a large file must not be copied for every few small pushes beside it.
func planCompaction(packs []Pack, all bool) (kept int) {
	if all {
		return 0
	}
	rest := int64(0)
	for _, p := range packs {
		rest += p.Bytes
	}
	for ; kept < len(packs); kept++ {
		size := packs[kept].Bytes
		rest -= size
		if size/2 < rest {
			break
		}
	}
	return kept
}

// planStep chooses which of the packs that are to be joined are joined first: those from
// the place returned on. Each step at least doubles the last pack, so that
// all steps together write no more than about twice what the last one does.
func planStep(packs []Pack) (from int) {
	from = len(packs)
	bytes, most := int64(0), int64(stepBytes)
	for from > 0 {
		n := len(packs) - from
		next := packs[from-1].Bytes
		if n == 1 {
			most = max(most, 2*bytes)
		}
		if n >= 2 && (n == mostJoined || bytes+next > most) {
			break
		}
		bytes += next
		from--
	}
	return from
}
