package serve_test

import (
	"bytes"
	"encoding/json"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/ingot-forge/ingot/serve"
)

// observe serves handler behind Observe on a real connection, sends one request
// and returns its answer, what the client got of the body, and the log.
func observe(t *testing.T, handler http.HandlerFunc, target string) (*http.Response, string, []map[string]any, error) {
	t.Helper()
	var log bytes.Buffer
	m := serve.NewMetrics()
	s := httptest.NewUnstartedServer(serve.Observe(slog.New(slog.NewJSONHandler(&log, nil)), m, handler))
	s.Config.ErrorLog = slog.NewLogLogger(slog.DiscardHandler, slog.LevelDebug)
	s.Start()
	r, err := http.NewRequest("GET", s.URL+target, nil)
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Authorization", "Bearer SECRET")
	answer, err := http.DefaultTransport.(*http.Transport).Clone().RoundTrip(r)
	body := []byte{}
	if err == nil {
		defer answer.Body.Close()
		body, err = io.ReadAll(answer.Body)
	}
	s.Close() // waits for the handler, and so for the log
	if strings.Contains(log.String(), "SECRET") {
		t.Errorf("the log has the secret:\n%s", log.String())
	}
	var lines []map[string]any
	for d := json.NewDecoder(&log); d.More(); {
		var line map[string]any
		if err := d.Decode(&line); err != nil {
			t.Fatal(err)
		}
		lines = append(lines, line)
	}
	w := httptest.NewRecorder()
	m.Handler().ServeHTTP(w, httptest.NewRequest("GET", "/metrics", nil))
	for _, want := range []string{"ingot_http_requests_in_flight 0", "ingot_http_request_seconds_count 1"} {
		if !strings.Contains(w.Body.String(), want) {
			t.Errorf("metrics lack %q", want)
		}
	}
	return answer, string(body), lines, err
}

func TestObserve(t *testing.T) {
	answer, body, lines, err := observe(t, func(w http.ResponseWriter, r *http.Request) {
		w.WriteHeader(http.StatusTeapot)
		io.WriteString(w, serve.RequestID(r.Context()))
	}, "/some/path?token=SECRET&access_token=SECRET")
	if err != nil || answer.StatusCode != http.StatusTeapot {
		t.Fatal(answer, err)
	}
	id := answer.Header.Get("X-Request-Id")
	if len(id) != 16 || body != id {
		t.Errorf("request id %q in the header, %q in the context", id, body)
	}
	if len(lines) != 1 {
		t.Fatalf("%d lines: %v", len(lines), lines)
	}
	l := lines[0]
	if l["msg"] != "request" || l["id"] != id || l["method"] != "GET" || l["path"] != "/some/path" ||
		l["status"] != 418.0 || l["bytes"] != 16.0 || l["aborted"] != false {
		t.Errorf("%v", l)
	}
}

// TestObservePanic: a panic becomes a 500 that names the request and nothing
// else; the log has the rest.
func TestObservePanic(t *testing.T) {
	answer, body, lines, err := observe(t, func(http.ResponseWriter, *http.Request) { panic("/var/lib: hash of bob") }, "/")
	if err != nil || answer.StatusCode != http.StatusInternalServerError {
		t.Fatal(answer, err)
	}
	if want := "internal error (request " + answer.Header.Get("X-Request-Id") + ")\n"; body != want {
		t.Errorf("%q, want %q", body, want)
	}
	if len(lines) != 2 || lines[0]["msg"] != "panic" || lines[0]["panic"] != "/var/lib: hash of bob" ||
		!strings.Contains(lines[0]["stack"].(string), "TestObservePanic") || lines[1]["status"] != 500.0 {
		t.Errorf("%v", lines)
	}
}

// TestObserveBroken: half an answer must not look whole, whether the handler
// broke or gave up.
func TestObserveBroken(t *testing.T) {
	for name, value := range map[string]any{"panic": "broke", "abort": http.ErrAbortHandler} {
		_, body, lines, err := observe(t, func(w http.ResponseWriter, _ *http.Request) {
			io.WriteString(w, "half")
			_ = http.NewResponseController(w).Flush()
			panic(value)
		}, "/")
		if err == nil {
			t.Errorf("%s: the client took %q for the whole answer", name, body)
		}
		if last := lines[len(lines)-1]; last["aborted"] != true {
			t.Errorf("%s: %v", name, last)
		}
	}
}

// TestObserveControls: what is in between does not hide the connection's own
// abilities.
func TestObserveControls(t *testing.T) {
	answer, _, _, err := observe(t, func(w http.ResponseWriter, r *http.Request) {
		guarded, _ := (serve.Deadlines{}).Guard(w, r)
		if err := http.NewResponseController(guarded).EnableFullDuplex(); err != nil {
			t.Errorf("full duplex: %v", err)
		}
		w.WriteHeader(http.StatusEarlyHints) // not the answer
		w.WriteHeader(http.StatusNoContent)
	}, "/")
	if err != nil || answer.StatusCode != http.StatusNoContent {
		t.Error(answer, err)
	}
}

// TestMetricsAreBounded: no stranger makes labels.
func TestMetricsAreBounded(t *testing.T) {

	m := serve.NewMetrics()
	h := serve.Observe(slog.New(slog.DiscardHandler), m, http.NotFoundHandler())
	for _, method := range []string{"GET", "get", "PROPFIND", "X" + strings.Repeat("Y", 100)} {
		h.ServeHTTP(httptest.NewRecorder(), httptest.NewRequest(method, "/"+method, nil))
	}
	w := httptest.NewRecorder()
	m.Handler().ServeHTTP(w, httptest.NewRequest("GET", "/metrics", nil))
	for _, want := range []string{`{method="GET",status="404"} 1`, `{method="other",status="404"} 3`} {
		if !strings.Contains(w.Body.String(), "ingot_http_requests_total"+want) {
			t.Errorf("metrics lack %s", want)
		}
	}
	if strings.Contains(w.Body.String(), "PROPFIND") {
		t.Error("a label has a method of the client's")
	}
}
