package repo

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"time"
)

// Staged is a pack that is stored under its name, or small enough to be in
// its row, but not part of any repository: pass it to Commit, or Discard it.
type Staged struct {
	Pack  Pack
	files Files
}

// Discard removes the staged files. It must not be called after a Commit that
// succeeded or failed with ErrUnknown.
func (s *Staged) Discard(ctx context.Context) error {
	if s.Pack.InRow() {
		return nil // nothing is stored yet
	}
	return errors.Join(s.files.Delete(ctx, PackFile(s.Pack.Name)), s.files.Delete(ctx, IndexFile(s.Pack.Name)))
}

// publish gives a written pack and its index a new name and returns them staged;
// row lacks name and time. If they are small they are in the row, and nothing is
// written. Of two files, neither has to come first: nobody looks for either before a
// row names the pack, and rows are written after both. So they go at the
// same time, and their waits for the disk or the network overlap.
func (s *Store) publish(ctx context.Context, draft *draft, index []byte, row Pack) (*Staged, error) {
	var random [NameSize / 2]byte
	rand.Read(random[:]) // never fails
	row.Name = hex.EncodeToString(random[:])
	row.Added = s.config.Clock().UTC().Truncate(time.Microsecond) // before the files have their age
	if data, ok := draft.small(); ok && len(data)+len(index) <= draft.most {
		row.Data, row.Index = data, index
		return &Staged{files: s.files, Pack: row}, nil
	}
	staged := &Staged{files: s.files, Pack: row}
	indexed := make(chan error, 1)
	go func() { indexed <- s.publishIndex(ctx, IndexFile(row.Name), index) }()
	err := draft.Publish(ctx, PackFile(row.Name))
	if err = errors.Join(err, <-indexed); err != nil {
		// Also when ctx is what ended it. What this leaves, Sweep takes.
		_ = staged.Discard(context.WithoutCancel(ctx))
		return nil, fmt.Errorf("stage pack: %w", err)
	}
	return staged, nil
}

func (s *Store) publishIndex(ctx context.Context, name string, data []byte) error {
	draft, err := s.files.Draft(ctx)
	if err != nil {
		return err
	}
	if _, err = draft.Write(data); err == nil {
		err = draft.Publish(ctx, name)
	}
	if err != nil {
		_ = draft.Discard() // the error at hand says more
	}
	return err
}
