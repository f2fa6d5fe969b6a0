package serve

import (
	"context"
	"errors"
	"log/slog"
	"math"
	"net/http"
	"strconv"

	"github.com/ingot-forge/ingot/forge"
)

// Answer is what HTTP says of an error.
type Answer struct {
	Status     int
	Message    string // may be shown to anybody
	RetryAfter int    // seconds; 0: none
	Fields     []forge.FieldError
}

// AnswerTo maps an error to its answer. Kinds of the core become their status;
// anything else is ours: it is logged whole and answered with the request's id
// only, so that no path, SQL or name leaks.
func AnswerTo(ctx context.Context, log *slog.Logger, err error) Answer {
	var e *forge.Error
	var tooLarge *http.MaxBytesError
	switch {
	case errors.As(err, &e):
		return answerToKind(e)
	case errors.As(err, &tooLarge):
		return Answer{Status: http.StatusRequestEntityTooLarge,
			Message: "request body is larger than " + strconv.FormatInt(tooLarge.Limit, 10) + " bytes"}
	case errors.Is(err, context.Canceled):
		return Answer{Status: 499, Message: "client closed the request"} // nginx's word for it; nobody reads it
	case errors.Is(err, context.DeadlineExceeded):
		return Answer{Status: http.StatusServiceUnavailable, Message: "the request took too long", RetryAfter: 5}
	}
	id := RequestID(ctx)
	log.Error("request failed", "request", id, "error", err)
	return Answer{Status: http.StatusInternalServerError, Message: "internal error (request " + id + ")"}
}

func answerToKind(e *forge.Error) Answer {
	a := Answer{Message: e.Message, Fields: e.Fields, RetryAfter: int(math.Ceil(e.RetryAfter.Seconds()))}
	switch e.Kind {
	case forge.Invalid:
		a.Status = http.StatusUnprocessableEntity
	case forge.Denied:
		a.Status = http.StatusForbidden
		if e.Anonymous {
			a.Status = http.StatusUnauthorized
		}
	case forge.NotFound:
		a.Status = http.StatusNotFound
	case forge.Conflict:
		a.Status = http.StatusConflict
	case forge.Exhausted:
		a.Status = http.StatusTooManyRequests
		a.RetryAfter = max(a.RetryAfter, 1)
	default:
		a.Status = http.StatusInternalServerError
	}
	return a
}

// Plain writes the answer as text, which git shows to its user. A 401 asks for
// credentials.
func (a Answer) Plain(w http.ResponseWriter) {
	h := w.Header()
	if a.Status == http.StatusUnauthorized {
		h.Set("WWW-Authenticate", `Basic realm="Ingot", charset="UTF-8"`)
	}
	if a.RetryAfter > 0 {
		h.Set("Retry-After", strconv.Itoa(a.RetryAfter))
	}
	h.Set("Content-Type", "text/plain; charset=utf-8")
	h.Set("X-Content-Type-Options", "nosniff")
	w.WriteHeader(a.Status)
	_, _ = w.Write([]byte(a.Message + "\n")) // a client that left needs no answer
}
