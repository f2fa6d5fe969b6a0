package hosting

import (
	"context"
	"io"

	"github.com/ingot-forge/ingot/forge"
	"github.com/ingot-forge/ingot/git/repo"
	"github.com/ingot-forge/ingot/git/transfer"
)

// Wire says how the client speaks.
type Wire struct {
	Version   transfer.Version
	Stateless bool   // one request of many, as over HTTP
	SessionID string // if not empty, the client is told of it
}

// Fetch is one admitted clone, fetch or archive.
type Fetch struct {
	Repository *forge.Repository
	Objects    int // sent so far; of use after Serve

	service *Service
	actor   *forge.Actor
	snap    *repo.Snapshot
}

// Fetch lets an actor in for one clone, fetch or archive. The caller closes it.
// Its errors, and those of kind Exhausted that Serve and Archive return, come
// before anything was written to the client.
func (s *Service) Fetch(ctx context.Context, actor *forge.Actor, owner, name string) (*Fetch, error) {
	h, err := s.Open(ctx, actor, forge.Read, owner, name)
	if err != nil {
		return nil, err
	}
	snap, err := h.Snapshot(ctx)
	if err != nil {
		return nil, err
	}
	return &Fetch{Repository: h.Repository, service: s, actor: actor, snap: snap}, nil
}

func (f *Fetch) options(wire Wire) transfer.UploadOptions {
	return transfer.UploadOptions{Version: wire.Version, Stateless: wire.Stateless, SessionID: wire.SessionID,
		HideRefs: hidden, Served: func(objects int, _ int64) { f.Objects += objects }}
}

// Advertise writes the answer to GET info/refs?service=git-upload-pack.
func (f *Fetch) Advertise(ctx context.Context, w io.Writer, wire Wire) error {
	return f.service.stores.Git.AdvertiseUpload(ctx, f.snap, w, f.options(wire))
}

// Serve serves one request, or one whole conversation, when its turn has come.
// Errors that the client was told of match transfer.Told.
func (f *Fetch) Serve(ctx context.Context, r io.Reader, w io.Writer, wire Wire) error {
	done, err := f.service.fetches.take(ctx, f.actor)
	if err != nil {
		return err
	}
	defer done()
	return f.service.stores.Git.Upload(ctx, f.snap, r, w, f.options(wire))
}

// Archive serves one git upload-archive conversation, when its turn has come.
func (f *Fetch) Archive(ctx context.Context, r io.Reader, w io.Writer) error {
	done, err := f.service.fetches.take(ctx, f.actor)
	if err != nil {
		return err
	}
	defer done()
	return f.service.stores.Git.Archive(ctx, f.snap, r, w)
}

// Close ends it.
func (f *Fetch) Close() { f.snap.Close() }
