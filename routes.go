package ingot

import (
	"net/http"
	"net/netip"

	"github.com/go-chi/chi/v5"

	"github.com/ingot-forge/ingot/serve"
	"github.com/ingot-forge/ingot/serve/api"
	"github.com/ingot-forge/ingot/serve/githttp"
	"github.com/ingot-forge/ingot/serve/web"
)

// routes puts the ways in under their addresses. Every request is observed and
// has its deadlines, whichever way it goes.
func (i *Instance) routes() http.Handler {
	who := &serve.Authenticator{Accounts: i.Accounts, Proxies: i.config.Proxies}
	r := chi.NewRouter()
	r.Get("/healthz", func(w http.ResponseWriter, _ *http.Request) { serve.Answer{Status: 200, Message: "ok"}.Plain(w) })
	r.Get("/readyz", i.readyz)
	r.Get("/metrics", i.metricsFor(who))
	(&githttp.Handler{Hosting: i.Hosting, Who: who, Metrics: i.metrics, Log: i.log}).Routes(r)
	r.Mount(api.Base, api.New(api.Config{Hosting: i.Hosting, Accounts: i.Accounts, Who: who, Log: i.log,
		URL: i.config.URL, SSH: i.config.SSH, Version: i.config.Version}))
	pages := web.New(web.Config{Hosting: i.Hosting, Accounts: i.Accounts, Who: who, Log: i.log,
		URL: i.config.URL, SSH: i.config.SSH, Version: i.config.Version})
	r.NotFound(pages.ServeHTTP)
	r.MethodNotAllowed(func(w http.ResponseWriter, _ *http.Request) {
		serve.Answer{Status: http.StatusMethodNotAllowed, Message: "method not allowed"}.Plain(w)
	})
	deadlines := i.config.Limits.deadlines()
	return serve.Observe(i.log, i.metrics, http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
		if len(req.TransferEncoding) > 0 {
			// net/http prefers the chunks where a request has a length too and
			// does not tell us; a proxy in front may have preferred the length.
			// What follows on this connection is nobody's request.
			w.Header().Set("Connection", "close")
		}
		if req.Method == http.MethodHead {
			// Routed as a GET; net/http leaves the body out.
			get := *req
			get.Method = http.MethodGet
			req = &get
		}
		w, req.Body = deadlines.Guard(w, req)
		r.ServeHTTP(w, req)
	}))
}

// readyz tells a load balancer whether to send requests here.
func (i *Instance) readyz(w http.ResponseWriter, r *http.Request) {
	if err := i.ready(r.Context()); err != nil {
		i.log.Error("not ready", "error", err)
		serve.Answer{Status: http.StatusServiceUnavailable, Message: "not ready", RetryAfter: 1}.Plain(w)
		return
	}
	serve.Answer{Status: 200, Message: "ready"}.Plain(w)
}

// metricsFor shows the metrics to administrators, and to the machine itself when
// no proxy stands between: they count what strangers need not know.
func (i *Instance) metricsFor(who *serve.Authenticator) http.HandlerFunc {
	metrics := i.metrics.Handler()
	return func(w http.ResponseWriter, r *http.Request) {
		actor, err := who.Actor(r)
		peer, parseErr := netip.ParseAddrPort(r.RemoteAddr)
		local := parseErr == nil && peer.Addr().Unmap().IsLoopback() &&
			r.Header.Get("X-Forwarded-For") == "" && r.Header.Get("Forwarded") == ""
		switch {
		case err != nil:
			serve.AnswerTo(r.Context(), i.log, err).Plain(w)
		case !local && !actor.IsAdmin():
			serve.Answer{Status: http.StatusNotFound, Message: "not found"}.Plain(w)
		default:
			metrics.ServeHTTP(w, r)
		}
	}
}
