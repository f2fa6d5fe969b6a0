package pack

import (
	"sync"
	"sync/atomic"

	"github.com/ingot-forge/ingot/git"
)

const (
	cacheShards    = 16       // at most
	cacheShardSize = 16 << 20 // at least, so that large objects fit
	cacheOverhead  = 160      // of an object in the cache besides its content, about
)

// Cache keeps inflated objects that serve as delta bases, bounded in bytes over
// all the packs that share it; the least recently used go first. It may be used
// from several goroutines at once. A nil *Cache keeps nothing.
type Cache struct {
	packs  atomic.Uint64 // numbers given to packs
	shards []cacheShard
}

// cacheShard is one part of a cache, chosen by a hash of the key so that
// goroutines seldom wait for each other.
type cacheShard struct {
	mu    sync.Mutex // guards all below; never held while anything is read or inflated
	max   int64
	bytes int64
	items map[cacheKey]*cacheItem
	ring  cacheItem // ring.next is the most, ring.prev the least recently used
}

type cacheKey struct {
	pack   uint64
	offset int64
}

type cacheItem struct {
	key        cacheKey
	kind       git.Kind
	data       []byte
	next, prev *cacheItem
}

// NewCache returns a Cache of at most maxBytes.
func NewCache(maxBytes int64) *Cache {
	n := max(1, min(cacheShards, maxBytes/cacheShardSize))
	c := &Cache{shards: make([]cacheShard, n)}
	for i := range c.shards {
		s := &c.shards[i]
		s.max = maxBytes / n
		s.items = make(map[cacheKey]*cacheItem)
		s.ring.next, s.ring.prev = &s.ring, &s.ring
	}
	return c
}

// register returns a number for a pack that is about to use the cache.
func (c *Cache) register() uint64 {
	if c == nil {
		return 0
	}
	return c.packs.Add(1)
}

func (c *Cache) shard(k cacheKey) *cacheShard {
	h := (k.pack ^ uint64(k.offset)) * 0x9e3779b97f4a7c15
	return &c.shards[h>>32%uint64(len(c.shards))]
}

// get returns an object; its content is shared.
func (c *Cache) get(pack uint64, offset int64) (git.Kind, []byte, bool) {
	if c == nil {
		return 0, nil, false
	}
	k := cacheKey{pack, offset}
	s := c.shard(k)
	s.mu.Lock()
	defer s.mu.Unlock()
	it, ok := s.items[k]
	if !ok {
		return 0, nil, false
	}
	if s.ring.next != it {
		it.unlink()
		it.linkAfter(&s.ring)
	}
	return it.kind, it.data, true
}

// put keeps an object, whose content must not change any more. One that would
// take more than half of its shard is not worth what would have to go for it.
func (c *Cache) put(pack uint64, offset int64, kind git.Kind, data []byte) {
	if c == nil {
		return
	}
	k := cacheKey{pack, offset}
	s := c.shard(k)
	size := int64(cap(data)) + cacheOverhead
	if size > s.max/2 {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if _, ok := s.items[k]; ok {
		return // another goroutine was faster
	}
	for s.bytes += size; s.bytes > s.max; {
		old := s.ring.prev
		old.unlink()
		delete(s.items, old.key)
		s.bytes -= int64(cap(old.data)) + cacheOverhead
	}
	it := &cacheItem{key: k, kind: kind, data: data}
	s.items[k] = it
	it.linkAfter(&s.ring)
}

func (it *cacheItem) unlink() {
	it.prev.next, it.next.prev = it.next, it.prev
}

func (it *cacheItem) linkAfter(at *cacheItem) {
	it.prev, it.next = at, at.next
	at.next.prev = it
	at.next = it
}
