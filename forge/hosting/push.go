package hosting

import (
	"bufio"
	"context"
	"errors"
	"io"
	"strings"
	"sync/atomic"
	"time"

	"github.com/ingot-forge/ingot/forge"
	"github.com/ingot-forge/ingot/git"
	"github.com/ingot-forge/ingot/git/repo"
	"github.com/ingot-forge/ingot/git/transfer"
)

// Push is one admitted push.
type Push struct {
	Repository *forge.Repository // nil until it is made

	service *Service
	actor   *forge.Actor
	snap    *repo.Snapshot // of an empty repository until there is a Repository
	making  *making        // what Serve has to make first; nil if there is a Repository
}

// making is a repository that a push is going to make.
type making struct {
	owner *forge.User
	name  string
}

// Push lets an actor in for one push. A repository that does not exist, under a
// name where the actor may create it, is let in too: it is made, private, when
// the client begins to push, and is gone again if that comes to nothing. The
// caller closes it.
func (s *Service) Push(ctx context.Context, actor *forge.Actor, owner, name string) (*Push, error) {
	h, err := s.Open(ctx, actor, forge.Push, owner, name)
	if forge.KindOf(err) == forge.NotFound {
		return s.pushToNothing(ctx, actor, owner, strings.TrimSuffix(name, ".git"), err)
	}
	if err != nil {
		return nil, err
	}
	return h.push(ctx)
}

func (h *Handle) push(ctx context.Context) (*Push, error) {
	snap, err := h.Snapshot(ctx)
	if err != nil {
		return nil, err
	}
	return &Push{Repository: h.Repository, service: h.service, actor: h.Actor, snap: snap}, nil
}

// pushToNothing admits a push that makes its repository. Whoever may not make
// one there gets notFound, the answer that the name alone gave.
func (s *Service) pushToNothing(ctx context.Context, actor *forge.Actor, owner, name string, notFound error) (*Push, error) {
	if actor.IsAnonymous() || forge.CheckRepositoryName(name) != nil {
		return nil, notFound
	}
	user, err := s.owner(ctx, actor, owner)
	if forge.KindOf(err) == forge.NotFound {
		return nil, notFound
	}
	if err != nil {
		return nil, err
	}
	if forge.PermitUser(actor, forge.CreateRepository, user.ID, true, s.clock()) != nil {
		return nil, notFound
	}
	snap, err := emptySnapshot(ctx, git.SHA1, branches+s.branch)
	if err != nil {
		return nil, err
	}
	return &Push{service: s, actor: actor, snap: snap, making: &making{user, name}}, nil
}

// Advertise writes the answer to GET info/refs?service=git-receive-pack. It
// makes nothing.
func (p *Push) Advertise(ctx context.Context, w io.Writer, wire Wire) error {
	return p.service.stores.Git.AdvertiseReceive(ctx, p.snap, w, p.options(wire))
}

// Serve serves one push, or one whole conversation, when its turn has come.
// Errors that the client was told of match transfer.Told; those of kind
// Exhausted come before anything was written to the client.
func (p *Push) Serve(ctx context.Context, r io.Reader, w io.Writer, wire Wire) (*transfer.Report, error) {
	done, err := p.service.pushes.take(ctx, p.actor)
	if err != nil {
		return nil, err
	}
	defer done()
	serve := p.serve
	if p.making != nil {
		serve = p.serveNew
	}
	report, err := serve(ctx, r, w, wire)
	if report != nil && len(report.Moved) > 0 {
		p.service.notePush(p.Repository.ID, len(p.snap.State().Packs))
	}
	return report, err
}

func (p *Push) serve(ctx context.Context, r io.Reader, w io.Writer, wire Wire) (*transfer.Report, error) {
	return p.service.stores.Git.Receive(ctx, p.snap, r, w, p.options(wire))
}

func (p *Push) options(wire Wire) transfer.ReceiveOptions {
	format := p.snap.State().Format
	return transfer.ReceiveOptions{Version: wire.Version, Stateless: wire.Stateless, SessionID: wire.SessionID,
		HideRefs: hidden, Who: p.actor.Login(),
		Accept: func(_ context.Context, asked *transfer.Push) ([]string, func([]repo.RefUpdate) *repo.Event, error) {
			return nil, func(moved []repo.RefUpdate) *repo.Event {
				return pushEvent(p.actor, format, moved, asked.Options, asked.Certificate)
			}, nil
		}}
}

// serveNew serves a push that makes its repository: not before the client has
// begun to push, and not for good unless a ref moved.
func (p *Push) serveNew(ctx context.Context, r io.Reader, w io.Writer, wire Wire) (*transfer.Report, error) {
	if !wire.Stateless {
		if err := p.Advertise(ctx, w, wire); err != nil {
			return nil, err
		}
	}
	in := bufio.NewReader(r)
	head, err := in.Peek(len(flush))
	if errors.Is(err, io.EOF) || string(head) == flush {
		return &transfer.Report{}, nil // there was nothing to push
	}
	if err != nil {
		return nil, err
	}
	made, err := p.make(ctx)
	if err != nil {
		return nil, err
	}
	receive := &afterAdvertisement{r: in, w: w}
	receive.begun.Store(wire.Stateless)
	report, err := p.service.stores.Git.Receive(ctx, p.snap, receive, writerOf{receive}, p.options(wire))
	if made && (report == nil || len(report.Moved) == 0) {
		err = errors.Join(err, p.service.unmake(ctx, p.actor, p.Repository))
	}
	return report, err
}

// flush is the pkt-line with which a client that has nothing to push hangs up.
const flush = "0000"

// make makes the repository, or finds the one that another has made meanwhile.
func (p *Push) make(ctx context.Context) (made bool, err error) {
	s, m := p.service, p.making
	r, err := s.create(ctx, p.actor, m.owner, NewRepository{Name: m.name, Private: true})
	made = err == nil
	if err != nil && forge.KindOf(err) != forge.Conflict {
		return false, err
	}
	h, err := s.Open(ctx, p.actor, forge.Push, m.owner.Login, m.name)
	if err == nil {
		var snap *repo.Snapshot
		if snap, err = h.Snapshot(ctx); err == nil {
			p.snap.Close()
			p.snap, p.Repository, p.making = snap, h.Repository, nil
			return made, nil
		}
	}
	if made {
		err = errors.Join(err, s.unmake(ctx, p.actor, r))
	}
	return false, err
}

// unmakeWait bounds the removal of a repository that came to nothing, which
// must happen also when the client's connection, and with it ctx, is gone.
const unmakeWait = 10 * time.Second

// unmake removes a repository that came to nothing, unless somebody has used it
// meanwhile.
func (s *Service) unmake(ctx context.Context, actor *forge.Actor, r *forge.Repository) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), unmakeWait)
	defer cancel()
	err := s.remove(ctx, actor, r, true)
	if kind := forge.KindOf(err); kind == forge.Conflict || kind == forge.NotFound {
		return nil
	}
	return err
}

// Close ends it.
func (p *Push) Close() { p.snap.Close() }

// afterAdvertisement joins a conversation in which the client has the
// advertisement already: what is written before the first read is held back.
type afterAdvertisement struct {
	r     io.Reader
	w     io.Writer
	begun atomic.Bool
}

func (a *afterAdvertisement) Read(p []byte) (int, error) {
	a.begun.Store(true)
	return a.r.Read(p)
}

// writerOf is the writing side, apart so that neither is mistaken for both.
type writerOf struct{ *afterAdvertisement }

func (a writerOf) Write(p []byte) (int, error) {
	if !a.begun.Load() {
		return len(p), nil
	}
	return a.w.Write(p)
}
