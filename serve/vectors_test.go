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
	"time"

	"github.com/ingot-forge/ingot/serve"
)

// pieces cuts p into many.
func pieces(p []byte) (bufs [][]byte) {
	for n := 0; len(p) > 0; n++ {
		k := min(len(p), n*n+1)
		bufs = append(bufs, p[:k], nil)
		p = p[k:]
	}
	return bufs
}

// TestVectors: what is written past net/http stands where it belongs in the
// body, is counted and logged, and leaves the connection as it was.
func TestVectors(t *testing.T) {
	body := bytes.Repeat([]byte("0123456789abcdef"), 100_000)
	var log bytes.Buffer
	m := serve.NewMetrics()
	deadlines := serve.Deadlines{Idle: time.Minute, Whole: time.Hour}
	s := httptest.NewUnstartedServer(serve.Observe(slog.New(slog.NewJSONHandler(&log, nil)), m, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w, r.Body = deadlines.Guard(w, r)
		v := serve.NewVectors(w, r)
		if v == nil {
			t.Errorf("%s: no vectors on a plain connection", r.Proto)
			return
		}
		w.Header().Set("Content-Type", "x/y")
		io.WriteString(w, "before ")
		v.WriteVectors([][]byte{nil})
		for range 2 {
			if n, err := v.WriteVectors(pieces(body)); n != int64(len(body)) || err != nil {
				t.Errorf("wrote %d, %v", n, err)
			}
			io.WriteString(w, " between ")
			http.NewResponseController(w).Flush()
		}
		v.WriteVectors(pieces([]byte("end")))
		if r.URL.Path == "/broken" {
			panic(http.ErrAbortHandler)
		}
	})))
	s.Config.ConnContext = serve.WithConn
	s.Start()
	client := &http.Client{Transport: &http.Transport{}}
	want := "before " + string(body) + " between " + string(body) + " between end"
	remote := map[string]bool{}
	for _, path := range []string{"/", "/again", "/broken"} {
		r, err := client.Get(s.URL + path)
		if err != nil {
			t.Fatal(err)
		}
		got, err := io.ReadAll(r.Body)
		r.Body.Close()
		if path == "/broken" {
			if err == nil {
				t.Error("half an answer looks whole")
			}
			continue
		}
		if err != nil || string(got) != want || r.Header.Get("Content-Type") != "x/y" {
			t.Errorf("%s: %d bytes, want %d; %v", path, len(got), len(want), err)
		}
	}
	s.Close() // waits for the handlers
	for d := json.NewDecoder(&log); d.More(); {
		var line map[string]any
		if err := d.Decode(&line); err != nil {
			t.Fatal(err)
		}
		if line["bytes"] != float64(len(want)) || line["status"] != 200.0 || line["aborted"] != (line["path"] == "/broken") {
			t.Errorf("logged %v", line)
		}
		remote[line["from"].(string)] = true
	}
	if len(remote) != 1 {
		t.Errorf("%d connections for three requests", len(remote))
	}
}

// TestNoVectors: other connections are not written to.
func TestNoVectors(t *testing.T) {
	for name, start := range map[string]func(*httptest.Server){
		"no ConnContext": func(s *httptest.Server) { s.Config.ConnContext = nil; s.Start() },
		"TLS":            (*httptest.Server).StartTLS,
		"HTTP/2":         func(s *httptest.Server) { s.EnableHTTP2 = true; s.StartTLS() },
	} {
		s := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if serve.NewVectors(w, r) != nil {
				t.Errorf("%s: vectors", name)
			}
			io.WriteString(w, "ok")
		}))
		s.Config.ConnContext = serve.WithConn
		start(s)
		r, err := s.Client().Get(s.URL)
		if err != nil {
			t.Fatal(err)
		}
		if got, _ := io.ReadAll(r.Body); string(got) != "ok" {
			t.Errorf("%s: %q", name, got)
		}
		s.Close()
	}
}

// TestVectorsStall: a client that does not read is given up after Idle, one that
// reads slowly is not.
func TestVectorsStall(t *testing.T) {
	body := bytes.Repeat([]byte("x"), 16<<20)
	result := make(chan error, 1)
	s := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w, r.Body = serve.Deadlines{Idle: 300 * time.Millisecond, Whole: time.Minute}.Guard(w, r)
		_, err := serve.NewVectors(w, r).WriteVectors([][]byte{body})
		result <- err
	}))
	s.Config.ConnContext = serve.WithConn
	s.Start()
	defer s.Close()
	for _, slow := range []bool{true, false} {
		r, err := (&http.Transport{ReadBufferSize: 4096}).RoundTrip(httptest.NewRequest("GET", s.URL, strings.NewReader("")))
		if err != nil {
			t.Fatal(err)
		}
		buf := make([]byte, 2<<20)
		for n := int64(0); slow && n < int64(len(body)); {
			time.Sleep(200 * time.Millisecond)
			k, err := io.ReadFull(r.Body, buf)
			if n += int64(k); err != nil {
				t.Fatalf("cut off after %d bytes, though it went on: %v", n, err)
			}
		}
		if err := <-result; (err == nil) != slow {
			t.Errorf("reading slowly %v: %v", slow, err)
		}
		r.Body.Close()
	}
}
