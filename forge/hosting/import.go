package hosting

import (
	"context"
	"errors"
	"io"
	"io/fs"
	"maps"
	"slices"
	"strings"

	"github.com/ingot-forge/ingot/forge"
	"github.com/ingot-forge/ingot/git/pack"
	"github.com/ingot-forge/ingot/git/repo"
)

// ImportProgress says how far an import is.
type ImportProgress struct {
	Stage       string // "reading", "receiving", "resolving", "refs"
	Done, Total int64  // Total is 0 while it is not known
}

// importRefs is how many refs one commit of an import moves. The first one
// brings the objects too.
const importRefs = 50_000

// Import fills a repository, which it makes unless it is there and empty, with
// what the refs of a git repository in files reach. The format is that of the
// source; refs of a working copy (remotes, stash, bisect) are left out. progress
// may be nil. The actor must be allowed to forge.Operate: whatever the server
// can read could be asked for. After an error a repository that Import made is
// gone, unless part of its refs were in place already.
func (s *Service) Import(ctx context.Context, actor *forge.Actor, owner string, n NewRepository,
	from fs.FS, progress func(ImportProgress)) (*forge.Repository, error) {
	if err := forge.PermitUser(actor, forge.Operate, 0, false, s.clock()); err != nil {
		return nil, err
	}
	if progress == nil {
		progress = func(ImportProgress) {}
	}
	done, err := s.pushes.take(ctx, actor)
	if err != nil {
		return nil, err
	}
	defer done()
	source, err := openBare(from)
	if err != nil {
		return nil, err
	}
	defer source.close()
	n.Format = source.format
	r, made, err := s.importTarget(ctx, actor, owner, n)
	if err != nil {
		return nil, err
	}
	if err := s.fill(ctx, actor, r, source, progress); err != nil {
		if made {
			_ = s.unmake(ctx, actor, r) // err is what matters
		}
		return nil, err
	}
	h, err := s.OpenID(ctx, actor, forge.Read, r.ID)
	if err != nil {
		return nil, err
	}
	return h.Repository, nil
}

// importTarget finds or makes the repository to fill.
func (s *Service) importTarget(ctx context.Context, actor *forge.Actor,
	owner string, n NewRepository) (r *forge.Repository, made bool, err error) {
	h, err := s.Open(ctx, actor, forge.Push, owner, n.Name)
	if forge.KindOf(err) == forge.NotFound {
		r, err = s.Create(ctx, actor, owner, n)
		return r, err == nil, err
	}
	if err != nil {
		return nil, false, err
	}
	snap, err := h.Snapshot(ctx)
	if err != nil {
		return nil, false, err
	}
	defer snap.Close()
	if state := snap.State(); state.Refs.Len() > 0 || len(state.Packs) > 0 {
		return nil, false, forge.Conflictf("name", forge.CodeAlreadyExists, "Repository %s is not empty", h.Repository.FullName())
	} else if state.Format != n.Format {
		return nil, false, forge.Conflictf("name", forge.CodeAlreadyExists, "Repository %s has object format %s, the source %s",
			h.Repository.FullName(), state.Format, n.Format)
	}
	return h.Repository, false, nil
}

// fill brings objects and refs of source into r.
func (s *Service) fill(ctx context.Context, actor *forge.Actor, r *forge.Repository,
	source *bare, progress func(ImportProgress)) error {
	store := s.stores.Git.Store
	snap, err := store.Snapshot(ctx, repo.ID(r.ID))
	if err != nil {
		return err
	}
	defer snap.Close()
	found, err := source.reach(ctx, func(n int) { progress(ImportProgress{Stage: "reading", Done: int64(n)}) })
	if err != nil {
		return forge.Invalidf("", "", "cannot import: %s", err)
	}
	moves := make([]repo.RefUpdate, 0, len(source.refs))
	for _, name := range slices.Sorted(maps.Keys(source.refs)) {
		id := source.refs[name]
		if strings.HasPrefix(name, branches) && found.others[id] {
			return forge.Invalidf("", "", "cannot import: %s points to %s, which is no commit", name, id)
		}
		moves = append(moves, repo.RefUpdate{Name: name, New: id, Peeled: found.peel(id)})
	}
	var staged *repo.Staged
	if len(found.offsets) > 0 {
		if staged, err = ingest(ctx, store, snap, source, found, progress); err != nil {
			return err
		}
	}
	change := &repo.Change{Repository: repo.ID(r.ID), Who: actor.Login(), Why: "import", Time: s.now(),
		Event: event(forge.EventRepository, forge.RepositoryEvent{Actor: who(actor), Action: "imported", Owner: r.Owner, Name: r.Name})}
	if staged != nil {
		change.Add = []repo.Pack{staged.Pack}
	}
	if head := snap.State().Head; source.head != "" && source.head != head {
		change.Head = &repo.HeadUpdate{Old: head, New: source.head}
	}
	for done := 0; ; {
		n := min(importRefs, len(moves)-done)
		change.Refs = moves[done : done+n]
		if _, err := store.Commit(ctx, change); err != nil {
			if staged != nil && done == 0 && !errors.Is(err, repo.ErrUnknown) {
				_ = staged.Discard(context.WithoutCancel(ctx)) // Sweep does it otherwise
			}
			return explainCommit(actor, source.format, err)
		}
		done += n
		progress(ImportProgress{Stage: "refs", Done: int64(done), Total: int64(len(moves))})
		if done == len(moves) {
			return nil
		}
		change = &repo.Change{Repository: change.Repository, Who: change.Who, Why: change.Why, Time: s.now()}
	}
}

// ingest takes the objects in as if they were pushed: with every check that a
// push gets.
func ingest(ctx context.Context, store *repo.Store, snap *repo.Snapshot,
	source *bare, found *reached, progress func(ImportProgress)) (*repo.Staged, error) {
	r, w := io.Pipe()
	written := make(chan struct{})
	go func() {
		defer close(written)
		w.CloseWithError(source.writePack(ctx, found, w))
	}()
	staged, err := store.Ingest(ctx, snap, r, repo.IngestOptions{Progress: func(p pack.Progress) {
		stage := "receiving"
		if p.Resolving {
			stage = "resolving"
		}
		progress(ImportProgress{Stage: stage, Done: p.Done, Total: p.Total})
	}})
	r.CloseWithError(context.Canceled) // so that the writer ends if Ingest gave up
	<-written
	if err != nil && ctx.Err() == nil {
		err = forge.Invalidf("", "", "cannot import: %s", err)
	}
	return staged, err
}
