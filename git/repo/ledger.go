package repo

import (
	"hash/maphash"
	"sync"
	"sync/atomic"

	"github.com/ingot-forge/ingot/git"
)

// ledger notes of ids what the objects of one ingest (or check) say of them:
// that they are objects themselves, and of what kind; and that others name them,
// as what. In the end each id that is named must be an object, of that kind.
//
// It costs some 50 bytes for each distinct id, in chunks that never move, so
// that it grows without copying and a note has a number for good.
type ledger struct {
	seed   maphash.Seed
	shards [ledgerShards]ledgerShard
	named  atomic.Int64 // notes made because an id was named, all shards together
}

// Sixteen shards keep a dozen workers apart, since most ids never come here: see
// linker. A note's number is its place in the shard and the shard, in 32 bits.
const (
	shardBits    = 4
	ledgerShards = 1 << shardBits
	chunkNotes   = 256
	maxNotes     = 1<<(32-shardBits) - 1 // of one shard: 268 million
	nobody       = 1<<32 - 1             // no note's number
)

// ledgerShard is an open-addressing table of numbers. mu guards all of it.
type ledgerShard struct {
	mu     sync.Mutex
	slots  []uint32 // 1 + the place of a note, or 0; a power of two of them, at most three quarters used
	chunks []*[chunkNotes]note
	count  uint32
}

// note is what is known of one id.
type note struct {
	id    git.ID
	from  uint32   // 1 + number of the object that named it first; 0 if none did
	kind  git.Kind // of the object, once it was seen; 0 before
	named uint8    // a bit 1<<kind for each kind that it is named as
	known uint8    // likewise, for what the repository itself names it as
	alien bool     // not to be leaned on: as good as missing
}

func newLedger() *ledger { return &ledger{seed: maphash.MakeSeed()} }

// object notes that id is an object of a kind and returns the note's number,
// from which its links are to be named. ok is false when the table is full.
func (l *ledger) object(id git.ID, kind git.Kind) (number uint32, ok bool) {
	s, n, number, _, ok := l.lock(id)
	if ok {
		n.kind = kind
	}
	s.mu.Unlock()
	return number, ok
}

// name notes that the object with number from, or nobody, names id, as a kind.
func (l *ledger) name(from uint32, id git.ID, kind git.Kind) (ok bool) {
	s, n, _, made, ok := l.lock(id)
	if ok {
		if n.named == 0 {
			n.from = from + 1 // nobody becomes 0
		}
		n.named |= 1 << kind
	}
	if made {
		l.named.Add(1)
	}
	s.mu.Unlock()
	return ok
}

// lock returns the note of id, made if need be, in its shard, which it leaves
// locked also when ok is false.
//
// The hash is seeded: ids in trees are whatever a stranger writes there.
func (l *ledger) lock(id git.ID) (s *ledgerShard, n *note, number uint32, made, ok bool) {
	h := maphash.Bytes(l.seed, id[:])
	shard := uint32(h >> (64 - shardBits))
	s = &l.shards[shard]
	s.mu.Lock()
	if uint64(s.count)*4 >= uint64(len(s.slots))*3 {
		s.grow(l.seed)
	}
	mask := uint64(len(s.slots) - 1)
	for i := h & mask; ; i = (i + 1) & mask {
		place := s.slots[i]
		if place == 0 {
			if s.count == maxNotes {
				return s, nil, 0, false, false
			}
			n = s.append(id)
			s.slots[i] = s.count
			return s, n, (s.count-1)<<shardBits | shard, true, true
		}
		if n = s.at(place - 1); n.id == id {
			return s, n, (place-1)<<shardBits | shard, false, true
		}
	}
}

func (s *ledgerShard) at(place uint32) *note { return &s.chunks[place/chunkNotes][place%chunkNotes] }

func (s *ledgerShard) append(id git.ID) *note {
	if s.count%chunkNotes == 0 {
		s.chunks = append(s.chunks, new([chunkNotes]note))
	}
	n := s.at(s.count)
	n.id = id
	s.count++
	return n
}

func (s *ledgerShard) grow(seed maphash.Seed) {
	s.slots = make([]uint32, max(2*len(s.slots), 64))
	mask := uint64(len(s.slots) - 1)
	for place := range s.count {
		i := maphash.Bytes(seed, s.at(place).id[:]) & mask
		for s.slots[i] != 0 {
			i = (i + 1) & mask
		}
		s.slots[i] = place + 1
	}
}

// find returns the note of id, or nil. Nobody may change the ledger meanwhile.
func (l *ledger) find(id git.ID) *note {
	h := maphash.Bytes(l.seed, id[:])
	s := &l.shards[h>>(64-shardBits)]
	if len(s.slots) == 0 {
		return nil
	}
	mask := uint64(len(s.slots) - 1)
	for i := h & mask; s.slots[i] != 0; i = (i + 1) & mask {
		if n := s.at(s.slots[i] - 1); n.id == id {
			return n
		}
	}
	return nil
}

// from returns the id and kind of the object that first named n.
func (l *ledger) from(n *note) (git.ID, git.Kind) {
	if n.from == 0 {
		return git.ID{}, 0
	}
	number := n.from - 1
	namer := l.shards[number%ledgerShards].at(number >> shardBits)
	return namer.id, namer.kind
}

// each calls visit for every note until it returns an error. Nobody may change
// the ledger meanwhile.
func (l *ledger) each(visit func(n *note) error) error {
	for i := range l.shards {
		s := &l.shards[i]
		for place := range s.count {
			if err := visit(s.at(place)); err != nil {
				return err
			}
		}
	}
	return nil
}
