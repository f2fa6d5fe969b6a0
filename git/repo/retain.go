package repo

import (
	"bytes"
	"context"

	"github.com/ingot-forge/ingot/git/pack"
)

// Retain returns a second snapshot of the same version, which is closed on its
// own: for work that may go on after whoever opened s has closed it.
func (s *Snapshot) Retain() *Snapshot { return s.store.snapshot(s.state, s.opened) }

// Pack returns the pack of a name (see State.Packs), opened; nil if the snapshot
// does not have it.
func (s *Snapshot) Pack(ctx context.Context, name string) (*pack.Pack, error) {
	for place := range s.state.Packs {
		if s.state.Packs[place].Name == name {
			return s.pack(ctx, place)
		}
	}
	return nil, nil
}

// PackName returns the name of an opened pack, "" if the snapshot does not have it.
func (s *Snapshot) PackName(p *pack.Pack) string {
	for i := range s.state.Packs {
		if bytes.Equal(s.state.Packs[i].Checksum, p.Index().PackChecksum()) {
			return s.state.Packs[i].Name
		}
	}
	return ""
}
