package transfer

import (
	"context"
	"errors"
	"io"
	"slices"
	"strconv"
	"strings"

	"github.com/ingot-forge/ingot/git"
	"github.com/ingot-forge/ingot/git/repo"
	"github.com/ingot-forge/ingot/git/wire"
)

// UploadOptions say how a fetch is served.
type UploadOptions struct {
	Version Version
	// Stateless: every request stands alone, as over HTTP. Otherwise the
	// conversation, advertisement included, runs over r and w to its end.
	Stateless bool
	// SessionID, if not empty, is told to the client, which logs it.
	SessionID string
	// HideRefs reports refs that are neither listed nor fetched from; may be nil.
	HideRefs func(name string) bool
	// Served hears, after an answer with a pack, what was sent; may be nil.
	Served func(objects int, bytes int64)
}

// Upload serves one request (Stateless) or one whole conversation. Errors that
// the client was told of are returned too, for the log; see Told.
func (s *Server) Upload(ctx context.Context, snap *repo.Snapshot, r io.Reader, w io.Writer, o UploadOptions) error {
	if !o.Stateless {
		if err := s.AdvertiseUpload(ctx, snap, w, o); err != nil {
			return err
		}
	}
	from := &client{r: r}
	u := &upload{
		client: from, server: s, snap: snap, format: snap.State().Format, view: view{snap.State(), o.HideRefs}, options: o,
		in: wire.NewReader(from), w: w, out: wire.NewWriter(w),
	}
	u.known = known{snap: snap, view: u.view}
	if o.Version != 2 {
		return u.tell(u.serveV0(ctx))
	}
	for {
		more, err := u.serveV2(ctx)
		if err != nil || !more || o.Stateless {
			return u.tell(err)
		}
		u.out = wire.NewWriter(w) // without the marks of sideband-all
	}
}

// upload is one conversation with a client that fetches.
type upload struct {
	server  *Server
	snap    *repo.Snapshot
	format  git.Format
	view    view
	known   known
	options UploadOptions
	client  *client
	in      *wire.Reader // of client
	w       io.Writer
	out     *wire.Writer // the packets before the pack
	bare    bool         // a pack without sideband has begun: nothing can be told any more
}

// tell reports an error to the client, in a packet, unless that was done.
func (u *upload) tell(err error) error {
	var peer *wire.PeerError
	if err == nil || u.bare || errors.Is(err, Told) || errors.As(err, &peer) || u.client.gone(err) {
		return err
	}
	u.out.Error(explain(err))
	if sendErr := u.out.Send(); sendErr != nil {
		return errors.Join(err, sendErr)
	}
	if !u.options.Stateless {
		// In versions 0 and 1 the client writes on before it reads; were the
		// connection closed on it, it would speak of that and not of the reason.
		drain(u.in)
	}
	return told(err)
}

// serveV2 serves one request of version 2; more is false at the end of the conversation.
func (u *upload) serveV2(ctx context.Context) (more bool, err error) {
	q, err := wire.ReadRequest(u.in)
	if q == nil || err != nil {
		return false, err
	}
	if q.ObjectFormat != u.format.String() {
		return false, refusef("mismatched object format: server %s; client %.20q", u.format, q.ObjectFormat)
	}
	switch q.Command {
	case "ls-refs":
		return true, u.listRefs()
	case "object-info":
		return true, u.objectInfo(ctx)
	}
	return true, u.fetchV2(ctx)
}

func (u *upload) listRefs() error {
	a, err := wire.ReadLsRefs(u.in, orDefault(u.server.Limits.RefPrefixes, DefaultLimits.RefPrefixes))
	if err != nil {
		return err
	}
	line := func(ref repo.Ref, symref string) {
		b := u.format.AppendHex(u.out.Start(), ref.Target)
		b = append(append(b, ' '), ref.Name...)
		if symref != "" && a.Symrefs {
			b = append(append(b, " symref-target:"...), symref...)
		}
		if a.Peel && !ref.Peeled.IsZero() {
			b = u.format.AppendHex(append(b, " peeled:"...), ref.Peeled)
		}
		u.out.Finish(append(b, '\n'))
	}
	if startsAny("HEAD", a.Prefixes) && !u.view.hidden(u.view.state.Head) {
		if head, ok := u.view.find("HEAD"); ok {
			line(head, u.view.state.Head)
		} else if a.Unborn && a.Symrefs {
			u.out.Line("unborn HEAD symref-target:" + u.view.state.Head)
		}
	}
	for ref := range u.view.matching(a.Prefixes) {
		line(ref, "")
	}
	u.out.Flush()
	return u.out.Send()
}

func startsAny(name string, prefixes []string) bool {
	for _, p := range prefixes {
		if strings.HasPrefix(name, p) {
			return true
		}
	}
	return len(prefixes) == 0
}

// objectInfo tells the sizes of objects. Like a fetch it knows only what the visible refs reach.
func (u *upload) objectInfo(ctx context.Context) error {
	a, err := wire.ReadObjectInfo(u.in, u.format, orDefault(u.server.Limits.ObjectInfos, DefaultLimits.ObjectInfos))
	if err != nil {
		return err
	}
	unreachable, err := u.unreachable(ctx, a.IDs)
	if err != nil {
		return err
	}
	if a.Size && len(a.IDs) > 0 {
		u.out.Finish(append(u.out.Start(), "size"...))
	}
	for _, id := range a.IDs {
		b := u.format.AppendHex(u.out.Start(), id)
		switch {
		case unreachable[id]:
			b = append(b, ' ')
		case a.Size:
			_, size, err := u.snap.Header(ctx, id)
			if err != nil {
				return err
			}
			b = strconv.AppendInt(append(b, ' '), size, 10)
		}
		u.out.Finish(b)
	}
	u.out.Flush()
	return u.out.Send()
}

// unreachable returns those of the ids that no visible ref reaches.
func (u *upload) unreachable(ctx context.Context, ids []git.ID) (map[git.ID]bool, error) {
	missing, err := u.known.missing(ctx, ids, nil)
	if err != nil {
		return nil, err
	}
	set := make(map[git.ID]bool, len(missing))
	for _, id := range missing {
		set[id] = true
	}
	return set, nil
}

// admit checks that the client may have what it wants.
func (u *upload) admit(ctx context.Context, wants []git.ID) error {
	if u.known.likely == nil {
		u.known.likely = wants
	}
	missing, err := u.unreachable(ctx, wants)
	if err != nil {
		return err
	}
	for _, id := range wants {
		if missing[id] {
			return refusef("upload-pack: not our ref %s", u.format.Hex(id))
		}
	}
	return nil
}

// common returns those of the client's objects that the repository has and the
// client may know of, each once.
func (u *upload) common(ctx context.Context, haves []git.ID) ([]git.ID, error) {
	var stored []git.ID
	for _, id := range unique(slices.Clone(haves)) {
		ok, err := u.mayBeCommon(ctx, id)
		if err != nil {
			return nil, err
		}
		if ok {
			stored = append(stored, id)
		}
	}
	hidden, err := u.unreachable(ctx, stored)
	return slices.DeleteFunc(stored, func(id git.ID) bool { return hidden[id] }), err
}

// mayBeCommon spares what clients have and the server has not, most of a
// negotiation, the question whether a ref reaches it. Of what is no commit, only
// what refs point to counts: clients name nothing else, and for the rest all trees would be read.
func (u *upload) mayBeCommon(ctx context.Context, id git.ID) (bool, error) {
	kind, _, err := u.snap.Header(ctx, id)
	switch {
	case errors.Is(err, git.ErrNotFound):
		return false, nil
	case err != nil:
		return false, err
	}
	return kind == git.KindCommit || len(u.view.notTips([]git.ID{id})) == 0, nil
}
