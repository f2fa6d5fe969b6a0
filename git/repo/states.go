package repo

import (
	"container/list"
	"sync"
)

// states keeps the states of the repositories used last. They serve as since of
// Catalog.Load, never as the truth. When there are too many, or they take too
// many bytes, those go that were not used for longest; the last one used
// stays, whatever its size.
type states struct {
	max      int
	maxBytes int64

	mu    sync.Mutex
	byID  map[ID]*list.Element // of *keptState
	used  list.List            // most recently used first
	bytes int64
}

type keptState struct {
	*State
	bytes int64
}

// recent returns the state of id that is kept, or nil.
func (s *states) recent(id ID) *State {
	s.mu.Lock()
	defer s.mu.Unlock()
	e, ok := s.byID[id]
	if !ok {
		return nil
	}
	s.used.MoveToFront(e)
	return e.Value.(*keptState).State
}

// keep remembers a state, unless a newer one is kept.
func (s *states) keep(state *State) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if e, ok := s.byID[state.ID]; ok {
		if e.Value.(*keptState).Version >= state.Version {
			return
		}
		s.remove(e)
	}
	if s.byID == nil {
		s.byID = make(map[ID]*list.Element)
	}
	kept := &keptState{state, state.bytes()}
	s.byID[state.ID] = s.used.PushFront(kept)
	s.bytes += kept.bytes
	for n := s.used.Len(); n > 1 && (n > s.max || s.bytes > s.maxBytes); n-- {
		s.remove(s.used.Back())
	}
}

// forget drops what is kept of a repository: it is gone, or the catalogue went
// back to an older version (restored from a backup).
func (s *states) forget(id ID) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if e, ok := s.byID[id]; ok {
		s.remove(e)
	}
}

// remove is called with mu held.
func (s *states) remove(e *list.Element) {
	kept := s.used.Remove(e).(*keptState)
	delete(s.byID, kept.ID)
	s.bytes -= kept.bytes
}

// bytes returns about how much memory a state takes.
func (s *State) bytes() int64 {
	const self, pack = 512, 256 // with names, checksums and what keeps track of them
	n := self + int64(len(s.Head)) + s.Refs.Bytes()
	for _, p := range s.Packs {
		n += pack + p.rowBytes()
	}
	return n
}
