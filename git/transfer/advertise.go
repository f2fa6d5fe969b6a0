package transfer

import (
	"context"
	"io"

	"github.com/ingot-forge/ingot/git"
	"github.com/ingot-forge/ingot/git/repo"
	"github.com/ingot-forge/ingot/git/wire"
)

// AdvertiseUpload writes what a client reads first from git-upload-pack:
// version 0 or 1 refs with capabilities, or version 2's capabilities. Over HTTP
// (Stateless) the "# service" line comes first, save in version 2, as git has it.
func (s *Server) AdvertiseUpload(ctx context.Context, snap *repo.Snapshot, w io.Writer, o UploadOptions) error {
	out, v := wire.NewWriter(w), view{snap.State(), o.HideRefs}
	if o.Version == 2 {
		s.advertiseV2(out, v.state.Format, o)
		return out.Send()
	}
	start(out, "git-upload-pack", o.Stateless, o.Version)
	capabilities := wire.Capabilities("multi_ack thin-pack side-band side-band-64k ofs-delta shallow deepen-since deepen-not" +
		" deepen-relative no-progress include-tag multi_ack_detailed allow-tip-sha1-in-want allow-reachable-sha1-in-want")
	if o.Stateless {
		capabilities = capabilities.With("no-done", "")
	}
	head, hasHead := v.find("HEAD")
	if hasHead {
		// Not by With: a ref name may have bytes beyond ASCII.
		capabilities += wire.Capabilities(" symref=HEAD:" + v.state.Head)
	}
	capabilities = capabilities.With("filter", "")
	capabilities = s.identify(capabilities, v.state.Format, o.SessionID)
	list := refList{out: out, format: v.state.Format, capabilities: capabilities, peel: true}
	if hasHead {
		list.add(head)
	}
	for ref := range v.all() {
		list.add(ref)
	}
	list.end()
	return out.Send()
}

func (s *Server) advertiseV2(out *wire.Writer, f git.Format, o UploadOptions) {
	out.Line("version 2")
	out.Line("agent=" + wire.CleanValue(s.Agent))
	out.Line("ls-refs=unborn")
	out.Line("fetch=shallow wait-for-done filter ref-in-want sideband-all")
	out.Line("server-option")
	out.Line("object-format=" + f.String())
	if o.SessionID != "" {
		out.Line("session-id=" + wire.CleanValue(o.SessionID))
	}
	out.Line("object-info")
	out.Flush()
}

// AdvertiseReceive writes what a client reads first from git-receive-pack.
// Version 2 has no push: who asks for it is answered in version 0, as git does.
func (s *Server) AdvertiseReceive(ctx context.Context, snap *repo.Snapshot, w io.Writer, o ReceiveOptions) error {
	return s.advertiseReceive(snap, w, o, s.nonce(snap.State().ID))
}

func (s *Server) advertiseReceive(snap *repo.Snapshot, w io.Writer, o ReceiveOptions, nonce string) error {
	out, v := wire.NewWriter(w), view{snap.State(), o.HideRefs}
	version := o.Version
	if version == 2 {
		version = 0
	}
	start(out, "git-receive-pack", o.Stateless, version)
	capabilities := wire.Capabilities("report-status report-status-v2 delete-refs side-band-64k quiet atomic ofs-delta")
	if nonce != "" {
		capabilities = capabilities.With("push-cert", nonce)
	}
	capabilities = capabilities.With("push-options", "")
	capabilities = s.identify(capabilities, v.state.Format, o.SessionID)
	list := refList{out: out, format: v.state.Format, capabilities: capabilities}
	for ref := range v.all() {
		list.add(ref)
	}
	list.end()
	return out.Send()
}

// identify adds what both services say of themselves.
func (s *Server) identify(c wire.Capabilities, f git.Format, session string) wire.Capabilities {
	if session != "" {
		c = c.With("session-id", session)
	}
	return c.With("object-format", f.String()).With("agent", s.Agent)
}

// start writes what precedes the refs in versions 0 and 1.
func start(out *wire.Writer, service string, http bool, version Version) {
	if http {
		out.Line("# service=" + service)
		out.Flush()
	}
	if version == 1 {
		out.Line("version 1")
	}
}

// refList writes the refs of versions 0 and 1: capabilities stand behind the first.
type refList struct {
	out          *wire.Writer
	format       git.Format
	capabilities wire.Capabilities
	peel         bool // annotated tags are followed by what they point to
	begun        bool
}

func (l *refList) add(ref repo.Ref) {
	suffix := ""
	if !l.begun {
		suffix = "\x00" + string(l.capabilities)
		l.begun = true
	}
	l.out.Ref(l.format, ref.Target, ref.Name, suffix)
	if l.peel && !ref.Peeled.IsZero() {
		l.out.Ref(l.format, ref.Peeled, ref.Name, "^{}")
	}
}

func (l *refList) end() {
	if !l.begun {
		l.add(repo.Ref{Name: "capabilities^{}"})
	}
	l.out.Flush()
}
