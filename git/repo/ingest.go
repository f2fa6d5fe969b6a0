package repo

import (
	"context"
	"fmt"
	"io"
	"slices"
	"sync/atomic"

	"github.com/ingot-forge/ingot/git"
	"github.com/ingot-forge/ingot/git/fsck"
	"github.com/ingot-forge/ingot/git/pack"
)

// IngestOptions say how a pushed pack is taken in.
type IngestOptions struct {
	Progress func(pack.Progress) // may be nil
	Note     func(msg string)    // hears fsck findings that do not refuse, one at a time; may be nil
	// Tips are links that must hold besides those of the pack's objects: the new
	// targets of refs. Each must be in the pack or in the snapshot.
	Tips []git.ID
	// Unknown, if not nil, returns those of ids that the pusher may not lean on:
	// those that no ref reaches, or that do not exist. Whoever names one, or sends a
	// delta of one, is told the same in either case. It is asked after the pack has
	// come, by one goroutine at a time, a few times: about each base of a thin
	// pack before it is read; about the commits, tags and tips outside the pack; and about
	// the trees and blobs outside that are not where the parents' old trees have
	// them. near are commits in whose trees ids mostly are.
	Unknown func(ctx context.Context, ids, near []git.ID) ([]git.ID, error)
}

// Ingest reads one pack from r, stores it, resolves its deltas against itself
// and snap, checks every object as fsck does, and checks that whatever its
// objects and the tips name is in the pack or in snap and of the kind that it
// is named as. Nothing is visible afterwards. A pack of no objects stages nothing: nil, nil.
// Errors: those of pack.Receive, *fsck.Problem, *MissingError and *KindError.
//
// snap is all that the pack may lean on: objects of other repositories are
// missing, whoever stores them.
func (s *Store) Ingest(ctx context.Context, snap *Snapshot, r io.Reader, o IngestOptions) (*Staged, error) {
	in := &ingest{
		store:   s,
		snap:    snap,
		options: o,
		format:  snap.state.Format,
		stream:  countingReader{r: r},
		links:   newLinker(snap.state.Format),
	}
	in.checker = fsck.New(in.format, in.note())
	in.checker.LimitNames(s.config.EntryName)
	in.links.most = in.mostNamed()
	return in.run(ctx)
}

// ingest is one run of Ingest.
type ingest struct {
	store   *Store
	snap    *Snapshot
	options IngestOptions
	format  git.Format
	stream  countingReader
	checker *fsck.Checker
	links   *linker
}

func (in *ingest) note() func(*fsck.Problem) {
	if in.options.Note == nil {
		return nil
	}
	return func(p *fsck.Problem) { in.options.Note(p.Error()) }
}

// mostNamed bounds the ids that objects may name by what they can know: those
// of the snapshot, and those that were sent, at not much less than 20 random
// bytes each, however they are packed.
func (in *ingest) mostNamed() func() int64 {
	const leastBytes, slack = 16, 1 << 16
	known := in.snap.objectCount() + slack
	return func() int64 { return known + in.stream.n.Load()/leastBytes }
}

// run goes from the stream to the pack, which is in its row or in two published files.
func (in *ingest) run(ctx context.Context) (_ *Staged, err error) {
	draft := in.store.draft(ctx, in.snap.rowRoom(in.store.config.RowBytes))
	defer func() {
		// After Publish this does nothing, and before it an error of Discard
		// would only hide why; Sweep takes what it leaves.
		_ = draft.Discard()
	}()
	received, err := pack.Receive(ctx, &in.stream, draft, pack.Options{
		Format:   in.format,
		Limits:   in.store.config.Limits,
		Workers:  in.store.config.Workers,
		Bases:    in.bases(),
		Visit:    in.visit,
		Progress: in.options.Progress,
	})
	if err != nil {
		return nil, err
	}
	if err := in.checkLinks(ctx); err != nil {
		return nil, err
	}
	if received.Objects == 0 {
		return nil, nil
	}
	if err := in.checkSpecial(ctx, draft, received); err != nil {
		return nil, err
	}
	return in.store.publish(ctx, draft, received.Index, Pack{
		Bytes:    received.Bytes,
		Objects:  int64(received.Objects),
		Checksum: received.Checksum,
	})
}

// visit sees each object once, from several goroutines.
func (in *ingest) visit(id git.ID, kind git.Kind, size int64, data []byte) error {
	// A blob that was streamed comes without data. Blobs need no check unless
	// they prove special, and then checkSpecial reads them.
	if data != nil || size == 0 {
		if err := in.checker.Object(id, kind, data); err != nil {
			return err
		}
	}
	return in.links.object(id, kind, data)
}

// checkLinks checks that whatever is named is there.
func (in *ingest) checkLinks(ctx context.Context) error {
	parents, outside := in.links.outside()
	alien, err := in.admitTops(ctx)
	if err != nil {
		return err
	}
	// Looking up a few ids is cheaper than to compare; asking about them is not.
	const lookUpFewer = 64
	if outside > lookUpFewer || in.options.Unknown != nil {
		parents = slices.DeleteFunc(parents, func(id git.ID) bool { return alien[id] })
		if err := in.links.compare(ctx, in.snap, parents); err != nil {
			return err
		}
	}
	if err := in.admitRest(ctx, parents); err != nil {
		return err
	}
	if err := in.links.judge(ctx, in.snap, func(fault error) error { return fault }); err != nil {
		return err
	}
	for _, tip := range in.options.Tips {
		if n := in.links.ledger.find(tip); n != nil && n.kind != 0 {
			continue
		}
		has := !alien[tip]
		if has {
			if has, err = in.snap.Has(ctx, tip); err != nil {
				return err
			}
		}
		if !has {
			return &MissingError{ID: tip}
		}
	}
	return nil
}

// checkSpecial ends fsck: blobs that trees call .gitmodules or .gitattributes
// may have come before those trees, and have to be read again.
func (in *ingest) checkSpecial(ctx context.Context, draft pack.Draft, received *pack.Received) error {
	index, err := pack.OpenIndex(in.format, received.Index)
	if err != nil {
		return err
	}
	src := draftSource{draft, received.Bytes}
	stored, err := pack.Open(ctx, in.format, src, index, nil)
	if err != nil {
		return err
	}
	return in.checker.Finish(ctx, special{ingest: in, pack: stored})
}

// special reads blobs for fsck, out of the pack that is not published yet or
// else the snapshot. It refuses by size what fsck would refuse by size.
type special struct {
	*ingest
	pack *pack.Pack
}

func (s special) Object(ctx context.Context, id git.ID) (git.Kind, []byte, error) {
	at, staged := s.pack.Index().Find(id)
	var size int64
	var err error
	if staged {
		_, size, err = s.pack.Header(ctx, at)
	} else {
		_, size, err = s.snap.Header(ctx, id)
	}
	switch {
	case err != nil:
		return 0, nil, err
	case size > fsck.MaxAttributesSize:
		return 0, nil, &fsck.Problem{
			Object: id, Message: "gitattributesLarge", Severity: fsck.Error,
			Detail: fmt.Sprintf(".gitmodules or .gitattributes of %d bytes is too large to parse", size),
		}
	case staged:
		return s.pack.Object(ctx, at)
	}
	return s.snap.Object(ctx, id)
}

// countingReader counts what is read; others may look at n meanwhile.
type countingReader struct {
	r io.Reader
	n atomic.Int64
}

func (c *countingReader) Read(p []byte) (int, error) {
	n, err := c.r.Read(p)
	c.n.Add(int64(n))
	return n, err
}

// draftSource reads a draft as a pack.Source.
type draftSource struct {
	draft io.ReaderAt
	size  int64
}

func (d draftSource) Size() int64 { return d.size }

func (d draftSource) View(_ context.Context, off int64, n int) ([]byte, error) {
	if off >= d.size {
		return nil, io.EOF
	}
	// A view may be short; readers ask again. Whole requests can be as large as the pack.
	const most = 1 << 16
	p := make([]byte, min(int64(n), d.size-off, most))
	if got, err := d.draft.ReadAt(p, off); got < len(p) {
		return nil, err
	}
	return p, nil
}
