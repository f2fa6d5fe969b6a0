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
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"sync/atomic"

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

// Routes adds the three addresses of a repository to r.
func (h *Handler) Routes(r chi.Router) {
	r.Get("/{owner}/{repo}/info/refs", h.advertise)
	r.Post("/{owner}/{repo}/git-upload-pack", h.uploadPack)
	r.Post("/{owner}/{repo}/git-receive-pack", h.receivePack)
}

func (h *Handler) advertise(w http.ResponseWriter, r *http.Request) {
	actor, err := h.Who.Actor(r)
	if err != nil {
		h.fail(w, r, err)
		return
	}
	service := r.URL.Query().Get("service")
	wire := wireOf(r)
	owner, name := chi.URLParam(r, "owner"), chi.URLParam(r, "repo")
	out := &answer{ResponseWriter: w, contentType: "application/x-" + service + "-advertisement"}
	switch service {
	case "git-upload-pack":
		fetch, err := h.Hosting.Fetch(r.Context(), actor, owner, name)
		if err != nil {
			h.fail(w, r, err)
			return
		}
		defer fetch.Close()
		err = fetch.Advertise(r.Context(), out, wire)
		h.finish(out, r, err)
	case "git-receive-pack":
		push, err := h.Hosting.Push(r.Context(), actor, owner, name)
		if err != nil {
			h.fail(w, r, err)
			return
		}
		defer push.Close()
		err = push.Advertise(r.Context(), out, wire)
		h.finish(out, r, err)
	default:
		// Without a service it is the "dumb" protocol, which needs a repository
		// laid out as files.
		serve.Answer{Status: http.StatusForbidden, Message: "only git's smart HTTP protocol is served here; please use git 1.6.6 or newer"}.Plain(w)
	}
}

// wireOf says how the client speaks. The session id that it may log is the
// request's own, by which the server's log names what it did.
func wireOf(r *http.Request) hosting.Wire {
	return hosting.Wire{Version: transfer.ParseVersion(r.Header.Get("Git-Protocol")), Stateless: true,
		SessionID: serve.RequestID(r.Context())}
}

func (h *Handler) uploadPack(w http.ResponseWriter, r *http.Request) {
	actor, body, ok := h.accept(w, r, "git-upload-pack")
	if !ok {
		return
	}
	fetch, err := h.Hosting.Fetch(r.Context(), actor, chi.URLParam(r, "owner"), chi.URLParam(r, "repo"))
	if err != nil {
		h.fail(w, r, err)
		return
	}
	defer fetch.Close()
	out := &answer{ResponseWriter: w, contentType: "application/x-git-upload-pack-result"}
	err = fetch.Serve(r.Context(), body, out, wireOf(r))
	h.Metrics.Transfer("upload-pack", "http", 0, err)
	h.finish(out, r, err)
}

func (h *Handler) receivePack(w http.ResponseWriter, r *http.Request) {
	counted := &countedBody{ReadCloser: r.Body, length: r.ContentLength}
	r.Body = counted
	actor, body, ok := h.accept(w, r, "git-receive-pack")
	if !ok {
		return
	}
	push, err := h.Hosting.Push(r.Context(), actor, chi.URLParam(r, "owner"), chi.URLParam(r, "repo"))
	if err != nil {
		h.fail(w, r, err)
		return
	}
	defer push.Close()
	// Progress and refusals go out while the pack still comes in. Then net/http
	// no longer makes sure that the body is read to its end before the
	// connection serves another request, so we do.
	if err := http.NewResponseController(w).EnableFullDuplex(); err != nil {
		h.Log.Debug("no full duplex", "error", err)
	}
	out := &answer{ResponseWriter: w, contentType: "application/x-git-receive-pack-result", reading: counted}
	report, err := push.Serve(r.Context(), body, out, wireOf(r))
	objects := 0
	if report != nil {
		objects = report.Objects
	}
	h.Metrics.Transfer("receive-pack", "http", objects, err)
	h.finish(out, r, err)
}

// accept checks what does not depend on the repository and returns who asks and
// the request's body, decompressed. If it answered already, ok is false.
func (h *Handler) accept(w http.ResponseWriter, r *http.Request, service string) (actor *forge.Actor, body io.Reader, ok bool) {
	if got, want := r.Header.Get("Content-Type"), "application/x-"+service+"-request"; got != want {
		serve.Answer{Status: http.StatusUnsupportedMediaType, Message: fmt.Sprintf("Content-Type is %.80q; this address takes %q", got, want)}.Plain(w)
		return nil, nil, false
	}
	actor, err := h.Who.Actor(r)
	if err != nil {
		h.fail(w, r, err)
		return nil, nil, false
	}
	body = r.Body
	switch encoding := r.Header.Get("Content-Encoding"); encoding {
	case "", "identity":
	case "gzip", "x-gzip":
		// What comes out is bounded where it is parsed: by the protocol's
		// limits on lines, and on packs.
		body, err = gzip.NewReader(r.Body)
		if err != nil {
			serve.Answer{Status: http.StatusBadRequest, Message: "request body is not gzip, though Content-Encoding says so"}.Plain(w)
			return nil, nil, false
		}
	default:
		serve.Answer{Status: http.StatusUnsupportedMediaType, Message: fmt.Sprintf("Content-Encoding %.80q is not known; use gzip or none", encoding)}.Plain(w)
		return nil, nil, false
	}
	return actor, body, true
}

// fail answers an error that came before the protocol began.
func (h *Handler) fail(w http.ResponseWriter, r *http.Request, err error) {
	a := serve.AnswerTo(r.Context(), h.Log, err)
	var e *forge.Error
	if errors.As(err, &e) && e.Kind == forge.NotFound && e.Anonymous {
		a.Status, a.Message = http.StatusUnauthorized, "authentication required"
	}
	a.Plain(w)
}

// finish ends an answer whose protocol has run. An error that the client was
// not told of becomes a status if nothing is out yet, and otherwise cuts the
// connection: an answer that looks whole must be whole.
func (h *Handler) finish(out *answer, r *http.Request, err error) {
	switch {
	case err == nil:
		out.flush()
	case errors.Is(err, transfer.Told):
		h.Log.Info("git request refused", "request", serve.RequestID(r.Context()), "error", err)
		out.flush()
	case !out.begun && errors.Is(err, io.ErrUnexpectedEOF):
		serve.Answer{Status: http.StatusBadRequest, Message: "the request ends too early"}.Plain(out.ResponseWriter)
	case !out.begun:
		h.fail(out.ResponseWriter, r, err)
	default:
		h.Log.Warn("git answer cut off", "request", serve.RequestID(r.Context()), "error", err)
		panic(http.ErrAbortHandler)
	}
}

// answer sends what the engine writes, at once: it comes in batches as large as
// is good for the wire, and progress is of no use late.
type answer struct {
	http.ResponseWriter
	contentType string
	reading     *countedBody // a request that may not be read to its end yet; nil: net/http sees to it
	begun       bool
}

func (a *answer) Write(p []byte) (int, error) {
	a.begin()
	n, err := a.ResponseWriter.Write(p)
	if err == nil {
		err = http.NewResponseController(a.ResponseWriter).Flush()
	}
	return n, err
}

func (a *answer) begin() {
	if a.begun {
		return
	}
	a.begun = true
	h := a.Header()
	h.Set("Content-Type", a.contentType)
	h.Set("Cache-Control", "no-cache, max-age=0, must-revalidate")
	h.Set("Expires", "Fri, 01 Jan 1980 00:00:00 GMT")
	h.Set("Pragma", "no-cache")
	if a.reading != nil && !a.reading.complete() {
		h.Set("Connection", "close")
	}
	a.WriteHeader(http.StatusOK)
}

// countedBody knows whether all of a request has been read. It may be asked
// while another goroutine reads.
type countedBody struct {
	io.ReadCloser
	length int64 // announced; -1: not known
	read   atomic.Int64
	ended  atomic.Bool
}

func (c *countedBody) Read(p []byte) (int, error) {
	n, err := c.ReadCloser.Read(p)
	c.read.Add(int64(n))
	if err == io.EOF {
		c.ended.Store(true)
	}
	return n, err
}

func (c *countedBody) complete() bool { return c.ended.Load() || c.read.Load() == c.length }

// flush makes sure that an answer of no bytes has its headers too.
func (a *answer) flush() { a.begin() }
