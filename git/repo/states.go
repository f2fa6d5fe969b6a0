package repo

import (
	"container/list"
	"sync"
)

// states keeps the states of the repositories used last. They serve as since of
// Catalog.Load, never as the truth.
type states struct {
	max int

	mu   sync.Mutex
	byID map[ID]*list.Element // of *State
	used list.List            // most recently used first
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
	return e.Value.(*State)
}

// keep remembers a state, unless a newer one is kept.
func (s *states) keep(state *State) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if e, ok := s.byID[state.ID]; ok {
		if e.Value.(*State).Version < state.Version {
			e.Value = state
		}
		return
	}
	if s.byID == nil {
		s.byID = make(map[ID]*list.Element)
	}
	s.byID[state.ID] = s.used.PushFront(state)
	if s.used.Len() > s.max {
		last := s.used.Back()
		s.used.Remove(last)
		delete(s.byID, last.Value.(*State).ID)
	}
}

// forget drops what is kept of a repository: it is gone, or the catalogue went
// back to an older version (restored from a backup).
func (s *states) forget(id ID) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if e, ok := s.byID[id]; ok {
		s.used.Remove(e)
		delete(s.byID, id)
	}
}
