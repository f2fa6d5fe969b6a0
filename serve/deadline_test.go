package serve_test

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/ingot-forge/ingot/serve"
)

// guarded serves handler behind d. Deadlines are the operating system's, so
// these tests take real time; the shortest step is a second.
func guarded(t *testing.T, d serve.Deadlines, handler http.HandlerFunc) *httptest.Server {
	t.Helper()
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w, r.Body = d.Guard(w, r)
		handler(w, r)
	}))
	t.Cleanup(s.Close)
	return s
}

func dial(t *testing.T, s *httptest.Server, request string) net.Conn {
	t.Helper()
	conn, err := net.Dial("tcp", s.Listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	if err := conn.SetDeadline(time.Now().Add(20 * time.Second)); err != nil {
		t.Fatal(err)
	}
	if _, err := io.WriteString(conn, request); err != nil {
		t.Fatal(err)
	}
	return conn
}

// TestStalledBody: a client that stops sending is not waited for.
func TestStalledBody(t *testing.T) {
	t.Parallel()
	done := make(chan error, 1)
	s := guarded(t, serve.Deadlines{Idle: 300 * time.Millisecond, Whole: time.Minute}, func(_ http.ResponseWriter, r *http.Request) {
		_, err := io.ReadAll(r.Body)
		done <- err
	})
	start := time.Now()
	dial(t, s, "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 10\r\n\r\nabc")
	if err := <-done; !errors.Is(err, os.ErrDeadlineExceeded) {
		t.Errorf("reading ended with %v", err)
	}
	if took := time.Since(start); took > 5*time.Second {
		t.Errorf("it took %s", took)
	}
}

// TestSlowBody: one that goes on sending is, however slow, until Whole.
func TestSlowBody(t *testing.T) {
	t.Parallel()
	type outcome struct {
		body string
		err  error
	}
	d := serve.Deadlines{Idle: 2 * time.Second, Whole: 3500 * time.Millisecond}
	drip := func(t *testing.T, bytes int) outcome {
		done := make(chan outcome, 1)
		s := guarded(t, d, func(_ http.ResponseWriter, r *http.Request) {
			body, err := io.ReadAll(r.Body)
			done <- outcome{string(body), err}
		})
		conn := dial(t, s, fmt.Sprintf("POST / HTTP/1.1\r\nHost: x\r\nContent-Length: %d\r\n\r\n", bytes))
		for range bytes {
			time.Sleep(500 * time.Millisecond)
			if _, err := io.WriteString(conn, "x"); err != nil {
				break
			}
		}
		return <-done
	}
	t.Run("within Whole", func(t *testing.T) {
		t.Parallel()
		if got := drip(t, 6); got.body != "xxxxxx" || got.err != nil { // longer than Idle
			t.Errorf("%q, %v", got.body, got.err)
		}
	})
	t.Run("past Whole", func(t *testing.T) {
		t.Parallel()
		if got := drip(t, 12); !errors.Is(got.err, os.ErrDeadlineExceeded) {
			t.Errorf("%q, %v", got.body, got.err)
		}
	})
}

// TestStalledReader: a client that does not read its answer is not waited for.
func TestStalledReader(t *testing.T) {
	t.Parallel()
	done := make(chan error, 1)
	s := guarded(t, serve.Deadlines{Idle: 300 * time.Millisecond, Whole: time.Minute}, func(w http.ResponseWriter, r *http.Request) {
		block := make([]byte, 1<<20)
		for range 1 << 10 {
			if _, err := w.Write(block); err != nil {
				done <- err
				return
			}
		}
		done <- nil
	})
	dial(t, s, "GET / HTTP/1.1\r\nHost: x\r\n\r\n")
	if err := <-done; !errors.Is(err, os.ErrDeadlineExceeded) {
		t.Errorf("writing ended with %v", err)
	}
}

// TestDeadlinesEndWithTheRequest: what one request left behind does not harm
// the next one on the same connection, which may have no body to write.
func TestDeadlinesEndWithTheRequest(t *testing.T) {
	t.Parallel()
	s := guarded(t, serve.Deadlines{Idle: 300 * time.Millisecond, Whole: time.Minute}, func(w http.ResponseWriter, r *http.Request) {
		if r.Method == http.MethodDelete {
			w.WriteHeader(http.StatusNoContent)
			return
		}
		body, err := io.ReadAll(r.Body)
		fmt.Fprintf(w, "%s %v", body, err)
	})
	conn := dial(t, s, "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\n\r\nhi")
	in := bufio.NewReader(conn)
	for _, method := range []string{"POST", "DELETE", "POST", "DELETE"} {
		if method == "DELETE" {
			time.Sleep(600 * time.Millisecond)
			fmt.Fprint(conn, "DELETE / HTTP/1.1\r\nHost: x\r\n\r\n")
		}
		answer, err := http.ReadResponse(in, &http.Request{Method: method})
		if err != nil {
			t.Fatalf("%s on the same connection: %v", method, err)
		}
		body, err := io.ReadAll(answer.Body)
		if err != nil || method == "POST" && string(body) != "hi <nil>" || method == "DELETE" && answer.StatusCode != 204 {
			t.Fatalf("%s: %s %q %v", method, answer.Status, body, err)
		}
		if method == "DELETE" {
			time.Sleep(600 * time.Millisecond)
			fmt.Fprint(conn, "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\n\r\nhi")
		}
	}
}

// TestSlowHandler: a handler that thinks for longer than Idle, its request read,
// answers all the same.
func TestSlowHandler(t *testing.T) {
	t.Parallel()
	s := guarded(t, serve.Deadlines{Idle: 200 * time.Millisecond, Whole: time.Minute}, func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.ReadAll(r.Body)
		select {
		case <-time.After(time.Second):
			fmt.Fprint(w, "thought")
		case <-r.Context().Done():
			t.Error("the request was taken for one whose client has left")
		}
	})
	answer, err := http.Post(s.URL, "text/plain", strings.NewReader("hi"))
	if err != nil {
		t.Fatal(err)
	}
	defer answer.Body.Close()
	if body, err := io.ReadAll(answer.Body); string(body) != "thought" || err != nil {
		t.Errorf("%q, %v", body, err)
	}
}
