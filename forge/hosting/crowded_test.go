package hosting

import "testing"

// TestCrowded: a repository of many packs is told of once, until somebody heard.
func TestCrowded(t *testing.T) {
	s := NewService(Stores{}, Config{})
	heard := func() bool {
		select {
		case <-s.Crowded():
			return true
		default:
			return false
		}
	}
	s.notePush(1, crowdedFrom-1)
	if heard() {
		t.Error("few packs are told of")
	}
	s.notePush(1, crowdedFrom)
	s.notePush(2, crowdedFrom+1)
	if !heard() || heard() {
		t.Error("many packs are not told of once")
	}
	if ids := s.pushed.take(); len(ids) != 2 {
		t.Errorf("noted: %v", ids)
	}
}
