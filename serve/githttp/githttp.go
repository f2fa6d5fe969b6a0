// Package githttp serves git's smart HTTP protocol (gitprotocol-http(5)): the
// advertisement at info/refs, git-upload-pack and git-receive-pack. It turns a
// request into an actor, a reader and a writer; hosting decides who may, and
// the engine's transfer speaks the protocol.
//
// What a caller may do follows from the handler it reached, never from the
// query. Anonymous callers are answered 401 for private repositories and for
// names that do not exist alike, so that git asks its user for credentials and
// nobody learns which of the two it was.
package githttp

import (
	"compress/gzip"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"

	"github.com/go-chi/chi/v5"

	"github.com/ingot-forge/ingot/forge"
	"github.com/ingot-forge/ingot/forge/hosting"
	"github.com/ingot-forge/ingot/git/transfer"
	"github.com/ingot-forge/ingot/serve"
)

// Handler serves the git protocol of one instance.
type Handler struct {
	Hosting *hosting.Service
	Who     *serve.Authenticator
	Metrics *serve.Metrics
	Log     *slog.Logger
}

// The services, as addresses, queries and content types name them.
const (
	uploadPack  = "git-upload-pack"
	receivePack = "git-receive-pack"
)

// Routes adds the three addresses of a repository to r.
func (h *Handler) Routes(r chi.Router) {
	r.Get("/{owner}/{repo}/info/refs", h.answering(h.advertise))
	r.Post("/{owner}/{repo}/"+uploadPack, h.answering(h.fetch))
	r.Post("/{owner}/{repo}/"+receivePack, h.answering(h.push))
}

// answering ends the answer of one of the three below, all of which write it by
// the protocol or return why not.
func (h *Handler) answering(serve func(*answer, *http.Request) error) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		out := &answer{ResponseWriter: w}
		h.finish(out, r, serve(out, r))
	}
}

func (h *Handler) advertise(out *answer, r *http.Request) error {
	actor, err := h.Who.Actor(r)
	if err != nil {
		return err
	}
	service := r.URL.Query().Get("service")
	owner, name := names(r)
	var admitted interface {
		Advertise(ctx context.Context, w io.Writer, wire hosting.Wire) error
		Close()
	}
	switch service {
	case uploadPack:
		admitted, err = h.Hosting.Fetch(r.Context(), actor, owner, name)
	case receivePack:
		admitted, err = h.Hosting.Push(r.Context(), actor, owner, name)
	default:
		// Without a service it is the "dumb" protocol, which needs a repository
		// laid out as files.
		return &refusal{http.StatusForbidden, "only git's smart HTTP protocol is served here; please use git 1.6.6 or newer"}
	}
	if err != nil {
		return err
	}
	defer admitted.Close()
	out.contentType = "application/x-" + service + "-advertisement"
	return admitted.Advertise(r.Context(), out, wireOf(r))
}

func (h *Handler) fetch(out *answer, r *http.Request) error {
	actor, body, err := h.accept(r, uploadPack, r.Body)
	if err != nil {
		return err
	}
	owner, name := names(r)
	fetch, err := h.Hosting.Fetch(r.Context(), actor, owner, name)
	if err != nil {
		return err
	}
	defer fetch.Close()
	out.contentType = "application/x-git-upload-pack-result"
	var to io.Writer = out
	if vectors := serve.NewVectors(out.ResponseWriter, r); vectors != nil {
		to = vectored{out, vectors}
	}
	err = fetch.Serve(r.Context(), body, to, wireOf(r))
	h.Metrics.Transfer("upload-pack", "http", fetch.Objects, err)
	return err
}

func (h *Handler) push(out *answer, r *http.Request) error {
	sent := &readBody{Reader: r.Body}
	actor, body, err := h.accept(r, receivePack, sent)
	if err != nil {
		return err
	}
	owner, name := names(r)
	push, err := h.Hosting.Push(r.Context(), actor, owner, name)
	if err != nil {
		return err
	}
	defer push.Close()
	// Progress and refusals go out while the pack still comes in. Then net/http
	// no longer reads the body to its end before it answers, nor tells the
	// client that the connection ends with it, so we do.
	if err := http.NewResponseController(out.ResponseWriter).EnableFullDuplex(); err != nil {
		h.Log.Debug("no full duplex", "error", err)
	}
	out.reading = sent
	out.contentType = "application/x-git-receive-pack-result"
	report, err := push.Serve(r.Context(), body, out, wireOf(r))
	objects := 0
	if report != nil {
		objects = report.Objects
	}
	h.Metrics.Transfer("receive-pack", "http", objects, err)
	return err
}

func names(r *http.Request) (owner, name string) {
	return chi.URLParam(r, "owner"), chi.URLParam(r, "repo")
}

// wireOf says how the client speaks. The session id that it may log is the
// request's own, by which the server's log names what it did.
func wireOf(r *http.Request) hosting.Wire {
	return hosting.Wire{Version: transfer.ParseVersion(r.Header.Get("Git-Protocol")), Stateless: true,
		SessionID: serve.RequestID(r.Context())}
}

// accept checks what does not depend on the repository and returns who asks and
// what sent holds, decompressed.
func (h *Handler) accept(r *http.Request, service string, sent io.Reader) (*forge.Actor, io.Reader, error) {
	if got, want := r.Header.Get("Content-Type"), "application/x-"+service+"-request"; got != want {
		return nil, nil, &refusal{http.StatusUnsupportedMediaType, fmt.Sprintf("Content-Type is %.80q; this address takes %q", got, want)}
	}
	actor, err := h.Who.Actor(r)
	if err != nil {
		return nil, nil, err
	}
	switch encoding := r.Header.Get("Content-Encoding"); encoding {
	case "", "identity":
		return actor, sent, nil
	case "gzip", "x-gzip":
		// What comes out is bounded where it is parsed: by the protocol's
		// limits on lines, and on packs.
		body, err := gzip.NewReader(sent)
		if err != nil {
			return nil, nil, &refusal{http.StatusBadRequest, "request body is not gzip, though Content-Encoding says so"}
		}
		return actor, body, nil
	default:
		return nil, nil, &refusal{http.StatusUnsupportedMediaType, fmt.Sprintf("Content-Encoding %.80q is not known; use gzip or none", encoding)}
	}
}

// finish ends an answer. An error that the client was not told of becomes a
// status if nothing is out yet, and otherwise cuts the connection: an answer
// that looks whole must be whole.
func (h *Handler) finish(out *answer, r *http.Request, err error) {
	switch {
	case err == nil:
		out.begin() // an answer of no bytes has its headers too
	case errors.Is(err, transfer.Told):
		h.Log.Info("git request refused", "request", serve.RequestID(r.Context()), "error", err)
		out.begin()
	case !out.begun:
		out.refuse(h.answerTo(r, err))
	default:
		h.Log.Warn("git answer cut off", "request", serve.RequestID(r.Context()), "error", err)
		panic(http.ErrAbortHandler)
	}
}

// refusal is what HTTP itself has against a request.
type refusal struct {
	status  int
	message string
}

func (e *refusal) Error() string { return e.message }

// answerTo maps an error that came before the protocol began.
func (h *Handler) answerTo(r *http.Request, err error) serve.Answer {
	var refused *refusal
	var e *forge.Error
	switch {
	case errors.As(err, &refused):
		return serve.Answer{Status: refused.status, Message: refused.message}
	case errors.Is(err, io.ErrUnexpectedEOF):
		return serve.Answer{Status: http.StatusBadRequest, Message: "the request ends too early"}
	case errors.As(err, &e) && e.Kind == forge.NotFound && e.Anonymous:
		return serve.Answer{Status: http.StatusUnauthorized, Message: "authentication required"}
	}
	return serve.AnswerTo(r.Context(), h.Log, err)
}
