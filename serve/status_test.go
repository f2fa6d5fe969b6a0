package serve_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/ingot-forge/ingot/forge"
	"github.com/ingot-forge/ingot/serve"
)

func TestAnswerTo(t *testing.T) {
	alice := &forge.Actor{User: &forge.User{ID: 1, Login: "alice"}}
	stranger := &forge.Actor{}
	for _, c := range []struct {
		err     error
		status  int
		message string
		retry   int
		logged  bool
	}{
		{forge.Invalidf("name", forge.CodeInvalid, "bad name"), 422, "bad name", 0, false},
		{forge.Deniedf(alice, "no"), 403, "no", 0, false},
		{forge.Deniedf(stranger, "no"), 401, "no", 0, false},
		{forge.NotFoundf(alice, "none"), 404, "none", 0, false},
		{forge.NotFoundf(stranger, "none"), 404, "none", 0, false},
		{forge.Conflictf("", "", "moved"), 409, "moved", 0, false},
		{forge.Exhaustedf(1500*time.Millisecond, "busy"), 429, "busy", 2, false},
		{forge.Exhaustedf(0, "busy"), 429, "busy", 1, false},
		{fmt.Errorf("wrapped: %w", forge.NotFoundf(alice, "none")), 404, "none", 0, false},
		{&http.MaxBytesError{Limit: 7}, 413, "request body is larger than 7 bytes", 0, false},
		{context.Canceled, 499, "client closed the request", 0, false},
		{fmt.Errorf("reading: %w", context.DeadlineExceeded), 503, "the request took too long", 5, false},
		{errors.New("open /var/lib/ingot/secret: SELECT hash FROM users"), 500, "internal error (request )", 0, true},
		{errors.Join(errors.New("/etc/passwd"), errors.New("more")), 500, "internal error (request )", 0, true},
	} {
		var log bytes.Buffer
		a := serve.AnswerTo(t.Context(), slog.New(slog.NewTextHandler(&log, nil)), c.err)
		if a.Status != c.status || a.Message != c.message || a.RetryAfter != c.retry {
			t.Errorf("%v: %d %q after %d, want %d %q after %d", c.err, a.Status, a.Message, a.RetryAfter, c.status, c.message, c.retry)
		}
		if logged := log.Len() > 0; logged != c.logged {
			t.Errorf("%v: logged %q", c.err, log.String())
		}
	}
}

func TestPlain(t *testing.T) {
	w := httptest.NewRecorder()
	serve.Answer{Status: 401, Message: "authentication required", RetryAfter: 3}.Plain(w)
	h := w.Result().Header
	if w.Code != 401 || w.Body.String() != "authentication required\n" || h.Get("Retry-After") != "3" ||
		!strings.HasPrefix(h.Get("WWW-Authenticate"), "Basic ") || h.Get("X-Content-Type-Options") != "nosniff" ||
		!strings.HasPrefix(h.Get("Content-Type"), "text/plain") {
		t.Errorf("%d %q %v", w.Code, w.Body, h)
	}
	w = httptest.NewRecorder()
	serve.Answer{Status: 404, Message: "<b>"}.Plain(w)
	if h := w.Result().Header; h.Get("WWW-Authenticate") != "" || h.Get("Retry-After") != "" {
		t.Errorf("a 404 has %v", h)
	}
}
