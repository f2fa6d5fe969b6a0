package transfer

import (
	"context"
	"io"

	"github.com/ingot-forge/ingot/git"
	"github.com/ingot-forge/ingot/git/history"
	"github.com/ingot-forge/ingot/git/wire"
)

// serveV0 serves a fetch of version 0 or 1: wants, then the negotiation, then
// the pack. Over HTTP the client repeats its wants with each round of the negotiation.
func (u *upload) serveV0(ctx context.Context) error {
	q, err := wire.ReadWants(u.in, u.format, u.server.Limits.fetch())
	if q == nil || err != nil {
		return err
	}
	if err := u.admit(ctx, q.Wants); err != nil {
		return err
	}
	q.Wants = unique(q.Wants)
	cut, err := u.shallow(ctx, q)
	if err != nil {
		return err
	}
	if q.Deepens() {
		u.shallowLines(cut)
		u.out.Flush()
	}
	// A filter that is wrong is told of before the negotiation starts.
	request, err := u.request(ctx, q, nil, cut)
	if err != nil {
		return err
	}
	if err := u.out.Send(); err != nil {
		return err
	}
	n := negotiation{upload: u, wants: q.Wants, noDone: u.options.Stateless && q.Capabilities.Has("no-done")}
	switch {
	case q.Capabilities.Has("multi_ack_detailed"):
		n.mode = detailed
	case q.Capabilities.Has("multi_ack"):
		n.mode = multi
	}
	finished, err := n.run(ctx)
	if err != nil || !finished {
		return err
	}
	if err := u.out.Send(); err != nil {
		return err
	}
	request.Haves = n.common
	large := q.Capabilities.Has("side-band-64k")
	return u.sendPack(ctx, request, packOptions{
		largeBand: large, smallBand: !large && q.Capabilities.Has("side-band"),
		ofsDelta: q.OfsDelta, progress: !q.NoProgress, includeTag: q.IncludeTag,
	})
}

// ackMode is how commits in common are acknowledged.
type ackMode int

const (
	single   ackMode = iota // only the first
	multi                   // each, "continue"
	detailed                // each, "common", and "ready" when there are enough
)

// negotiation finds what client and server have in common.
type negotiation struct {
	*upload
	wants  []git.ID
	mode   ackMode
	noDone bool // the client does not say done after "ready"

	common []git.ID
	seen   map[git.ID]bool
	last   string // the last commit in common
	// gotCommon and gotOther are of the present round, sentReady of all.
	gotCommon, gotOther, sentReady bool

	judged int // how many commits in common were not enough; -1: they are
	walks  int // that judged
}

// maxWalks is how often a negotiation is judged whenever there is one commit more
// in common. After that there must be twice as many: a walk may take long, and a
// client that hides what would end the negotiation could ask for one with every line.
const maxWalks = 256

// run returns finished once the pack is to be sent, and not finished where a
// stateless client has to come again or has gone.
func (n *negotiation) run(ctx context.Context) (finished bool, err error) {
	haves := 0
	n.seen = make(map[git.ID]bool)
	for first := true; ; first = false {
		line, err := wire.ReadNegotiation(n.in, n.format)
		if err == io.EOF && first && n.options.Stateless {
			return false, nil // it came only for the shallow lines
		}
		if err == io.EOF {
			return false, io.ErrUnexpectedEOF
		}
		if err != nil {
			return false, err
		}
		switch {
		case line.Done:
			switch {
			case len(n.common) == 0:
				n.out.Line("NAK")
			case n.mode != single:
				n.out.Line("ACK " + n.last)
			}
			return true, nil
		case line.End:
			if finished, err := n.round(ctx); err != nil || finished {
				return finished, err
			}
			if err := n.out.Send(); err != nil || n.options.Stateless {
				return false, err
			}
		default:
			if haves++; haves > n.server.Limits.fetch().Haves {
				return false, &wire.LimitError{What: "have lines", Max: n.server.Limits.fetch().Haves}
			}
			if err := n.have(ctx, line.Have); err != nil {
				return false, err
			}
		}
	}
}

// round ends a round of haves: the client waits for an answer. It returns
// finished where the pack follows without more being said.
func (n *negotiation) round(ctx context.Context) (finished bool, err error) {
	if n.mode == detailed && n.gotCommon && !n.gotOther {
		ready, err := n.ready(ctx)
		if err != nil {
			return false, err
		}
		if ready {
			n.sentReady = true
			n.out.Line("ACK " + n.last + " ready")
		}
	}
	n.gotCommon, n.gotOther = false, false
	if len(n.common) == 0 || n.mode != single {
		n.out.Line("NAK")
	}
	if n.noDone && n.sentReady {
		n.out.Line("ACK " + n.last)
		return true, nil
	}
	return false, nil
}

// have answers one of the client's commits.
func (n *negotiation) have(ctx context.Context, id git.ID) error {
	known, err := n.mayBeCommon(ctx, id)
	if known {
		known, err = n.known.has(ctx, id)
	}
	if err != nil {
		return err
	}
	hex := n.format.Hex(id)
	if !known {
		n.gotOther = true
		return n.enough(ctx, hex)
	}
	n.gotCommon, n.last = true, hex
	added := !n.seen[id]
	if added {
		n.seen[id] = true
		n.common = append(n.common, id)
	}
	switch {
	case n.mode == detailed:
		n.out.Line("ACK " + hex + " common")
	case n.mode == multi:
		n.out.Line("ACK " + hex + " continue")
	case added && len(n.common) == 1:
		n.out.Line("ACK " + hex)
	}
	return nil
}

// enough answers a commit that the server does not have: once what is in common
// suffices, the client is told to stop looking below it.
func (n *negotiation) enough(ctx context.Context, hex string) error {
	if n.mode == single {
		return nil
	}
	ready, err := n.ready(ctx)
	if err != nil || !ready {
		return err
	}
	if n.mode == detailed {
		n.sentReady = true
		n.out.Line("ACK " + hex + " ready")
	} else {
		n.out.Line("ACK " + hex + " continue")
	}
	return nil
}

// ready reports whether the commits in common suffice, as far as is known. The
// walk is repeated only when there are more of them than last time.
func (n *negotiation) ready(ctx context.Context) (bool, error) {
	if n.judged < 0 {
		return true, nil
	}
	if len(n.common) == n.judged || n.walks >= maxWalks && len(n.common) < 2*n.judged {
		return false, nil
	}
	n.walks++
	from, err := derived(ctx, n.snap)
	if err != nil {
		return false, err
	}
	ok, err := history.ReadyToSend(ctx, n.snap, n.format, n.wants, n.common, from)
	if err != nil {
		return false, err
	}
	n.judged = len(n.common)
	if ok {
		n.judged = -1
	}
	return ok, nil
}
