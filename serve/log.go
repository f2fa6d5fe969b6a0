package serve

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"fmt"
	"log/slog"
	"net/http"
	"runtime/debug"
	"time"
)

// requestKey is the context key of the request's id. Ids are data about the
// request, not a service, so they may travel in a context.
type requestKey struct{}

// NameRequest gives a request, or an SSH command, its id.
func NameRequest(ctx context.Context) (_ context.Context, id string) {
	var raw [8]byte
	rand.Read(raw[:]) // never fails
	id = hex.EncodeToString(raw[:])
	return context.WithValue(ctx, requestKey{}, id), id
}

// RequestID returns the id that NameRequest gave the request, for answers and
// logs; "" outside a request.
func RequestID(ctx context.Context) string {
	id, _ := ctx.Value(requestKey{}).(string)
	return id
}

// Observe wraps the whole handler: it names each request, logs one line when it
// is over, counts it, and turns a panic into a 500 that says nothing of the
// inside. The query is never logged: clients put secrets there.
func Observe(log *slog.Logger, m *Metrics, next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		ctx, id := NameRequest(r.Context())
		w.Header().Set("X-Request-Id", id)
		seen := &observed{ResponseWriter: w}
		start := time.Now()
		m.begin()
		defer func() {
			if p := recover(); p != nil {
				if p == http.ErrAbortHandler {
					seen.aborted = true
				} else {
					log.Error("panic", "request", id, "panic", fmt.Sprint(p), "stack", string(debug.Stack()))
					if seen.status == 0 {
						http.Error(seen, "internal error (request "+id+")", http.StatusInternalServerError)
					} else {
						// Half an answer is out: only a broken connection tells
						// the client that it is not whole.
						seen.aborted = true
					}
				}
			}
			took := time.Since(start)
			m.end(r.Method, seen.code(), took, seen.bytes)
			log.Info("request", "id", id, "method", r.Method, "path", r.URL.Path, "status", seen.code(),
				"bytes", seen.bytes, "took", took.Round(10*time.Microsecond), "from", r.RemoteAddr, "aborted", seen.aborted)
			if seen.aborted {
				panic(http.ErrAbortHandler)
			}
		}()
		next.ServeHTTP(seen, r.WithContext(ctx))
	})
}

// observed remembers what was answered. Unwrap keeps http.ResponseController
// working through it.
type observed struct {
	http.ResponseWriter
	status  int
	bytes   int64
	aborted bool
}

func (o *observed) WriteHeader(status int) {
	if o.status == 0 && status >= 200 { // 1xx are not the answer
		o.status = status
	}
	o.ResponseWriter.WriteHeader(status)
}

func (o *observed) Write(p []byte) (int, error) {
	if o.status == 0 {
		o.status = http.StatusOK
	}
	n, err := o.ResponseWriter.Write(p)
	o.bytes += int64(n)
	return n, err
}

func (o *observed) Unwrap() http.ResponseWriter { return o.ResponseWriter }

func (o *observed) code() int {
	if o.status == 0 {
		return http.StatusOK // net/http answers 200 for a handler that wrote nothing
	}
	return o.status
}
