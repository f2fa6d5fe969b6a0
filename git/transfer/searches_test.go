package transfer

import (
	"context"
	"errors"
	"testing"
)

func TestSearchesAreBounded(t *testing.T) {
	var s searches
	var ends []func()
	for range searchesAtOnce {
		done, err := s.take(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		ends = append(ends, done)
	}
	gone, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := s.take(gone); !errors.Is(err, context.Canceled) {
		t.Errorf("one more, of who has left: %v", err)
	}
	ends[0]()
	if _, err := s.take(t.Context()); err != nil {
		t.Errorf("after one is over: %v", err)
	}
}
