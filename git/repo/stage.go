package repo

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"maps"
	"slices"

	"github.com/ingot-forge/ingot/git"
	"github.com/ingot-forge/ingot/git/pack"
)

// Stage takes in objects that were made here: by a merge, an edit, a commit of
// the API. It writes them as a pack and is then the same as Ingest, with all its
// checks, also that each object hashes to its key (*MissingError otherwise, if
// anything names it). Objects that snap has already, and that may be leaned on,
// are left out; when none remain, Stage stages nothing: nil, nil.
func (s *Store) Stage(ctx context.Context, snap *Snapshot, objects git.Memory, o IngestOptions) (*Staged, error) {
	ids, err := newObjects(ctx, snap, objects, o)
	if err != nil {
		return nil, err
	}
	slices.SortFunc(ids, func(a, b git.ID) int { return bytes.Compare(a[:], b[:]) })

	r, w := io.Pipe()
	written := make(chan error, 1)
	go func() {
		err := writePack(w, snap.state.Format, ids, objects)
		w.CloseWithError(err) // nil is io.EOF
		written <- err
	}()
	staged, err := s.Ingest(ctx, snap, r, o)
	r.Close() // ends the writer, had Ingest not read to the end
	if w := <-written; err == nil && w != nil {
		err = fmt.Errorf("write pack: %w", w)
	}
	return staged, err
}

// newObjects returns the ids of objects that the snapshot lacks.
func newObjects(ctx context.Context, snap *Snapshot, objects git.Memory, o IngestOptions) (ids []git.ID, err error) {
	var stored []git.ID
	for id := range maps.Keys(objects) {
		has, err := snap.Has(ctx, id)
		if err != nil {
			return nil, err
		}
		if has {
			stored = append(stored, id)
		} else {
			ids = append(ids, id)
		}
	}
	if len(stored) == 0 || o.Unknown == nil {
		return ids, nil
	}
	// They were made here, so that they are stored is no reason to refuse them.
	var near []git.ID
	for _, object := range objects {
		if object.Kind != git.KindCommit {
			continue
		}
		if _, parents, _, err := git.CommitLinks(snap.state.Format, object.Data, nil); err == nil {
			near = append(near, parents...)
		}
	}
	unknown, err := o.Unknown(ctx, stored, near)
	return append(ids, unknown...), err
}

func writePack(dst io.Writer, f git.Format, ids []git.ID, objects git.Memory) error {
	w, err := pack.NewWriter(dst, f, len(ids))
	if err != nil {
		return err
	}
	for _, id := range ids {
		if err := w.Object(objects[id].Kind, objects[id].Data); err != nil {
			return err
		}
	}
	_, err = w.Close()
	return err
}
