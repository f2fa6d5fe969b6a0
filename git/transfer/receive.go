package transfer

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/ingot-forge/ingot/git"
	"github.com/ingot-forge/ingot/git/fsck"
	"github.com/ingot-forge/ingot/git/pack"
	"github.com/ingot-forge/ingot/git/repo"
	"github.com/ingot-forge/ingot/git/wire"
)

// Push is what a client asks receive-pack for.
type Push struct {
	// Commands are all that were asked for, in the client's order. Peeled is
	// known for those that are about to move.
	Commands    []repo.RefUpdate
	Atomic      bool
	Options     []string // push options, in order
	Certificate []byte   // a signed push's certificate, as sent; nil otherwise. Its signature is not verified.
	// NonceStatus and NonceSlop (how old a nonce of status SLOP is) judge the
	// certificate's nonce; empty without a certificate.
	NonceStatus NonceStatus
	NonceSlop   time.Duration
}

// ReceiveOptions say how a push is served.
type ReceiveOptions struct {
	Version   Version
	Stateless bool
	// SessionID, if not empty, is told to the client, which logs it.
	SessionID string
	// HideRefs reports refs that are neither listed nor pushed to; may be nil.
	HideRefs func(name string) bool
	Who      string // goes to the ref log
	// Accept is asked once, after the pack is stored and checked and before
	// anything becomes visible. refuse[i], if not "", is why command i is not
	// carried out ("protected branch"); with Atomic one refusal stops all.
	// event, which may be nil, makes what is appended to the event log with the
	// commit; moved is what is about to move, and it may be called again with
	// less if some refs turn out to have moved meanwhile. An error refuses
	// everything. May be nil.
	Accept func(ctx context.Context, p *Push) (refuse []string, event func(moved []repo.RefUpdate) *repo.Event, err error)
}

// Report is what a push came to.
type Report struct {
	Moved   []repo.RefUpdate
	Refused map[string]string // ref name to reason
	Objects int
	Bytes   int64
	Version int64 // of the repository afterwards; 0 if nothing moved
}

// Receive serves one push (Stateless) or one whole conversation. The report
// tells what happened also when err is not nil. A push of which every part was
// refused for reasons that lie in it is no error.
//
// Refs are compared and moved in one commit of the catalogue. Without atomic,
// those that turn out to have moved meanwhile are refused and the others move.
// What git's defaults for bare repositories refuse is refused: deleting the current branch, names that
// are no ref names, branches that are no commits. Forced updates are allowed.
//
// When the first branches come into a repository without any, and HEAD's branch
// is not among them, HEAD is pointed at main or master if that was pushed, and
// otherwise at the branch with the latest commit.
func (s *Server) Receive(ctx context.Context, snap *repo.Snapshot, r io.Reader, w io.Writer, o ReceiveOptions) (*Report, error) {
	from := &client{r: r}
	x := &receive{
		client: from, server: s, snap: snap, options: o, view: view{snap.State(), o.HideRefs}, format: snap.State().Format,
		in: wire.NewReader(from), w: w, nonce: s.nonce(snap.State().ID),
		report: &Report{Refused: map[string]string{}},
	}
	if !o.Stateless {
		if err := s.advertiseReceive(snap, w, o, x.nonce); err != nil {
			return x.report, err
		}
	}
	push, err := wire.ReadPush(x.in, x.format, s.Limits.push())
	if push == nil {
		return x.report, err
	}
	x.push = push
	if err == nil {
		if want, ok := push.Capabilities.Value("object-format"); ok && want != x.format.String() || !ok && x.format != git.SHA1 {
			err = refusef("unsupported object format %.20q: this repository has %s", want, x.format)
		}
	}
	if push.Capabilities.Has("side-band-64k") {
		x.band = wire.NewSideband(w, true)
		defer x.band.KeepAlive(keepAlive)()
	}
	if err != nil {
		return x.report, x.abort(err)
	}
	return x.report, x.run(ctx)
}

// receive is one conversation with a client that pushes.
type receive struct {
	server   *Server
	snap     *repo.Snapshot
	format   git.Format
	view     view
	options  ReceiveOptions
	client   *client
	in       *wire.Reader // of client
	w        io.Writer
	band     *wire.Sideband // nil if the client asked for none
	nonce    string
	push     *wire.Push
	commands []*command
	staged   *repo.Staged
	report   *Report
}

// run serves a push whose commands have come in.
func (x *receive) run(ctx context.Context) error {
	x.judge()
	var unpackErr error
	if x.push.Pack() {
		unpackErr = x.unpack(ctx)
	}
	var err error
	if unpackErr == nil {
		err = x.execute(ctx)
	}
	if x.staged != nil && x.report.Version == 0 && !errors.Is(err, repo.ErrUnknown) {
		// The context may be what failed; what is stored has to go nevertheless.
		discardErr := x.staged.Discard(context.WithoutCancel(ctx))
		err = errors.Join(err, discardErr)
	}
	if unpackErr != nil && x.options.Stateless {
		drain(x.in)
	}
	if answerErr := x.answer(unpackErr); answerErr != nil {
		return errors.Join(unpackErr, err, answerErr)
	}
	if unpackErr != nil && !x.options.Stateless {
		drain(x.in)
	}
	if err := errors.Join(unpackErr, err); err != nil {
		return told(err)
	}
	return nil
}

// maxWarnings is how many findings that do not refuse a push are shown one by
// one: a pusher reads no more, and a large old repository has a hundred thousand.
const maxWarnings = 20

// unpack takes the pack in. An error means that none of it is there; one that
// lies in single refs is noted with those.
func (x *receive) unpack(ctx context.Context) error {
	warnings := 0
	staged, err := x.server.Store.Ingest(ctx, x.snap, x.in.Rest(), repo.IngestOptions{
		Progress: x.ingestProgress(),
		Unknown:  x.server.Unknown(x.snap),
		Note: func(msg string) {
			if warnings++; warnings <= maxWarnings {
				x.say("warning: " + msg)
			}
		},
	})
	if more := warnings - maxWarnings; more > 0 {
		x.say(fmt.Sprintf("warning: %d more warnings", more))
	}
	x.staged = staged
	if staged != nil {
		x.report.Objects, x.report.Bytes = int(staged.Pack.Objects), staged.Pack.Bytes
	}
	var missing *repo.MissingError
	if !errors.As(err, &missing) {
		return err
	}
	x.say("error: " + missing.Error())
	reason := "missing necessary objects"
	if len(x.push.Shallow) > 0 {
		reason = "shallow update not allowed"
	}
	for _, c := range x.commands {
		if !c.New.IsZero() {
			c.refuse("%s", reason)
		}
	}
	return nil
}

// ingestProgress shows how far the pack is, unless the client wants quiet.
func (x *receive) ingestProgress() func(pack.Progress) {
	if x.band == nil || x.push.Capabilities.Has("quiet") {
		return nil
	}
	m := newMeter(func(text string) { x.band.Progress(text) })
	shown := ""
	return func(p pack.Progress) {
		title := "Indexing objects"
		if p.Resolving {
			title = "Resolving deltas"
		}
		if p.Done < p.Total {
			if m.part(title, p.Done, p.Total) {
				shown = title
			}
			return
		}
		// A line that was begun is ended; of small pushes nothing is shown.
		if shown == title {
			shown = ""
			m.all(title, p.Total)
		}
	}
}

// say sends a line of text to the person at the other end.
func (x *receive) say(text string) {
	if x.band != nil {
		x.band.Progress(text + "\n")
	}
}

// unpackStatus is why a pack was not taken, in the report.
func (x *receive) unpackStatus(err error) string {
	var problem *fsck.Problem
	var limit *pack.LimitError
	var kind *repo.KindError
	switch {
	case err == nil:
		return ""
	case errors.As(err, &problem):
		return problem.Error()
	case errors.As(err, &limit):
		return limit.Error()
	case errors.As(err, &kind):
		return kind.Error()
	case errors.Is(err, git.ErrCollision):
		return git.ErrCollision.Error()
	case x.client.gone(err):
		return "the pack ends early"
	case stalled(err):
		return explain(err)
	case errors.Is(err, git.ErrCorrupt), errors.Is(err, git.ErrNotFound):
		return err.Error()
	}
	return explain(err)
}

// answer reports what became of the pack and of each command.
func (x *receive) answer(unpackErr error) error {
	status := x.unpackStatus(unpackErr)
	if status != "" {
		x.say("error: " + status)
	}
	rep := wire.Report{Unpack: status}
	for _, c := range x.commands {
		if unpackErr != nil {
			c.reason = "unpacker error"
		}
		if c.reason != "" {
			x.report.Refused[c.Name] = c.reason
		}
		rep.Refs = append(rep.Refs, wire.RefStatus{Name: c.Name, Error: c.reason})
	}
	var text bytes.Buffer
	if x.push.Capabilities.Has("report-status") || x.push.Capabilities.Has("report-status-v2") {
		if err := wire.WriteReport(&text, &rep); err != nil {
			return err
		}
	}
	if x.band == nil {
		_, err := x.w.Write(text.Bytes())
		return err
	}
	if _, err := x.band.Write(text.Bytes()); err != nil {
		return err
	}
	return x.band.Close()
}

// abort ends a conversation whose commands could not be read.
func (x *receive) abort(err error) error {
	var peer *wire.PeerError
	if errors.As(err, &peer) || x.client.gone(err) {
		return err // nobody listens
	}
	if x.options.Stateless {
		drain(x.in)
	}
	if x.band != nil {
		x.band.Error(explain(err))
		if closeErr := x.band.Close(); closeErr != nil {
			return errors.Join(err, closeErr)
		}
	} else {
		out := wire.NewWriter(x.w)
		out.Error(explain(err))
		if sendErr := out.Send(); sendErr != nil {
			return errors.Join(err, sendErr)
		}
	}
	if !x.options.Stateless {
		drain(x.in)
	}
	return told(err)
}

// maxDrain bounds how much of what is refused is read. A client that still sends
// reads no answer, and one whose connection is closed on it may never see one.
const maxDrain = 64 << 20

// drain reads what a client still sends. Over HTTP that is before the answer, as
// clients read it only then; in a conversation it is after the answer, since
// the client waits for that before it hangs up.
func drain(in *wire.Reader) { io.CopyN(io.Discard, in.Rest(), maxDrain) }

// command is one ref update and what becomes of it.
type command struct {
	repo.RefUpdate
	reason string // why it is refused; "" while it is not
	noop   bool   // there is nothing to move
}

// refuse notes the first reason there is.
func (c *command) refuse(format string, args ...any) {
	if c.reason == "" {
		c.reason = fmt.Sprintf(format, args...)
	}
}
