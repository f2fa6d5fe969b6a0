// Package web renders the pages for people, on the server, without scripts. So
// far there is one: the start page, which lists repositories and tells how to
// push. Whatever address it does not know, or the visitor may not know of, gets
// the same "not found" page.
package web

import (
	"bytes"
	"context"
	_ "embed"
	"log/slog"
	"net/http"
	"strconv"

	"github.com/a-h/templ"

	"github.com/ingot-forge/ingot/forge"
	"github.com/ingot-forge/ingot/forge/account"
	"github.com/ingot-forge/ingot/forge/hosting"
	"github.com/ingot-forge/ingot/serve"
)

// Config says what the pages are about.
type Config struct {
	Hosting  *hosting.Service
	Accounts *account.Service
	Who      *serve.Authenticator
	Log      *slog.Logger
	URL      string // public address, no slash at its end
	SSH      string // public "host:port" of SSH; "" if it is not served
	Version  string
}

// pageSize is how many repositories the start page lists.
const pageSize = 50

//go:embed style.css
var style []byte

// New returns the handler of all pages.
func New(c Config) http.Handler {
	p := &pages{c}
	return secure(p)
}

// ServeHTTP chooses the page. A path is taken as it is: http.ServeMux would
// redirect unclean ones, and so confirm a little of what it was not asked.
func (p *pages) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if r.Method != http.MethodGet && r.Method != http.MethodHead {
		p.render(w, r, http.StatusNotFound, p.frame("Not found"), notFound())
		return
	}
	switch r.URL.Path {
	case "/":
		p.start(w, r)
	case "/assets/style.css":
		p.style(w, r)
	case "/robots.txt":
		p.robots(w, r)
	default:
		p.render(w, r, http.StatusNotFound, p.frame("Not found"), notFound())
	}
}

type pages struct{ Config }

func (p *pages) start(w http.ResponseWriter, r *http.Request) {
	actor, err := p.Who.Actor(r)
	if err != nil {
		p.fail(w, r, err)
		return
	}
	after, err := strconv.ParseInt(r.URL.Query().Get("after"), 10, 64)
	if err != nil || after < 0 {
		after = 0
	}
	list, err := p.Hosting.ListVisible(r.Context(), actor, hosting.Page{After: after, Limit: pageSize + 1})
	if err != nil {
		p.fail(w, r, err)
		return
	}
	next := int64(0)
	if len(list) > pageSize {
		list = list[:pageSize]
		next = int64(list[pageSize-1].ID)
	}
	p.render(w, r, http.StatusOK, p.frame("Repositories"), start(startPage{Repositories: list, Next: next, First: after == 0, URL: p.URL, SSH: p.SSH}))
}

func (p *pages) style(w http.ResponseWriter, _ *http.Request) {
	w.Header().Set("Content-Type", "text/css; charset=utf-8")
	w.Header().Set("Cache-Control", "public, max-age=300")
	_, _ = w.Write(style)
}

func (p *pages) robots(w http.ResponseWriter, _ *http.Request) {
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	_, _ = w.Write([]byte("User-agent: *\nDisallow: /api/\n"))
}

func (p *pages) fail(w http.ResponseWriter, r *http.Request, err error) {
	a := serve.AnswerTo(r.Context(), p.Log, err)
	if a.Status == http.StatusUnauthorized || a.RetryAfter > 0 {
		a.Plain(w)
		return
	}
	p.render(w, r, a.Status, p.frame("Error"), failed(a.Message))
}

// frame is what every page has around its content.
type frame struct {
	Title, Version string
}

func (p *pages) frame(title string) frame { return frame{Title: title, Version: p.Version} }

// render answers with a whole page or, if rendering fails, with none of it.
func (p *pages) render(w http.ResponseWriter, r *http.Request, status int, f frame, content templ.Component) {
	var page bytes.Buffer
	if err := layout(f).Render(templ.WithChildren(context.WithoutCancel(r.Context()), content), &page); err != nil {
		serve.AnswerTo(r.Context(), p.Log, err).Plain(w)
		return
	}
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.Header().Set("Cache-Control", "private, no-cache")
	w.WriteHeader(status)
	_, _ = w.Write(page.Bytes())
}

// secure sets what keeps a page from being used against its visitor: nothing is
// loaded from elsewhere, no script runs, nobody frames it.
func secure(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		h := w.Header()
		h.Set("Content-Security-Policy", "default-src 'none'; style-src 'self'; img-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'")
		h.Set("X-Content-Type-Options", "nosniff")
		h.Set("Referrer-Policy", "same-origin")
		h.Set("Cross-Origin-Opener-Policy", "same-origin")
		next.ServeHTTP(w, r)
	})
}

// cloneURL is what to give to git clone.
func cloneURL(base string, r *forge.Repository) string { return base + "/" + r.FullName() + ".git" }
