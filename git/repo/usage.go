package repo

import (
	"context"
	"errors"
)

// Usage is what a repository takes in storage. What it shares with its forks
// counts in each of them.
type Usage struct {
	Packs   int
	Objects int64 // objects in several packs count several times
	Bytes   int64 // of the packs
	Derived int64 // bytes of their indexes and of what else is derived from them
}

// Usage adds up what a repository has now, not what compaction has replaced and
// Sweep will remove.
func (s *Store) Usage(ctx context.Context, id ID) (u Usage, err error) {
	state, err := s.load(ctx, id)
	if err != nil {
		return Usage{}, err
	}
	for _, p := range state.Packs {
		u.Packs++
		u.Objects += p.Objects
		u.Bytes += p.Bytes
		u.Derived += int64(len(p.Index))
		if p.InRow() {
			continue
		}
		for _, name := range []string{IndexFile(p.Name), RevFile(p.Name), BitmapFile(p.Name), GraphFile(p.Name)} {
			f, err := s.files.Open(ctx, name)
			if errors.Is(err, ErrNoFile) {
				continue
			}
			if err != nil {
				return Usage{}, err
			}
			u.Derived += f.Size()
			if err := f.Close(); err != nil {
				return Usage{}, err
			}
		}
	}
	return u, nil
}
