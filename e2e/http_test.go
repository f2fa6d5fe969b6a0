package e2e

import (
	"bufio"
	"bytes"
	"compress/gzip"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptrace"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

const uploadRequest = "application/x-git-upload-pack-request"

// lsRefs asks for the refs, in version 2.
const lsRefs = "0014command=ls-refs\n0001" + "0009peel\n" + "0000"

// TestHTTP checks what of HTTP/1.1 git's traffic uses, by hand where no client
// can be made to do it.
func TestHTTP(t *testing.T) {
	s := start(t, t.TempDir())
	token := s.user(t, "alice", "repo")
	work := filepath.Join(t.TempDir(), "work")
	mustGit(t, "", "init", "-q", work)
	mustGit(t, work, "commit", "-q", "--allow-empty", "-m", "first")
	mustGit(t, work, "push", "-q", s.url(token, "alice/r.git"), "main")
	head := strings.TrimSpace(mustGit(t, work, "rev-parse", "main"))

	t.Run("keep-alive", func(t *testing.T) {
		client := &http.Client{Transport: &http.Transport{}}
		for i, body := range []string{"", lsRefs, "nonsense", lsRefs, strings.Repeat("x", 100<<10), lsRefs} {
			reused := false
			trace := &httptrace.ClientTrace{GotConn: func(c httptrace.GotConnInfo) { reused = c.Reused }}
			method, path := "POST", "/alice/r.git/git-upload-pack"
			if body == "" {
				method, path = "GET", "/alice/r.git/info/refs?service=git-upload-pack"
			}
			req, err := http.NewRequestWithContext(httptrace.WithClientTrace(t.Context(), trace), method, "http://"+s.http+path, strings.NewReader(body))
			if err != nil {
				t.Fatal(err)
			}
			req.Header.Set("Authorization", "Bearer "+token)
			req.Header.Set("Git-Protocol", "version=2")
			req.Header.Set("Content-Type", uploadRequest)
			res, err := client.Do(req)
			if err != nil {
				t.Fatal(err)
			}
			answer, err := io.ReadAll(res.Body)
			res.Body.Close()
			if err != nil {
				t.Fatal(err)
			}
			if (body == lsRefs) != strings.Contains(string(answer), head+" refs/heads/main") {
				t.Errorf("request %d is answered %d %q", i, res.StatusCode, answer)
			}
			if i > 0 && !reused {
				t.Errorf("request %d needed a new connection", i)
			}
		}
	})

	t.Run("bodies", func(t *testing.T) {
		var packed bytes.Buffer
		z := gzip.NewWriter(&packed)
		io.WriteString(z, lsRefs)
		z.Close()
		for _, c := range []struct {
			name, encoding string
			body           io.Reader
			status         int
		}{
			{"plain", "", strings.NewReader(lsRefs), 200},
			{"in chunks", "", pieces(lsRefs), 200},
			{"gzip", "gzip", bytes.NewReader(packed.Bytes()), 200},
			{"gzip in chunks", "x-gzip", pieces(packed.String()), 200},
			{"not gzip", "gzip", strings.NewReader(lsRefs), 400},
			{"unknown encoding", "br", strings.NewReader(lsRefs), 415},
		} {
			req, err := http.NewRequest("POST", "http://"+s.http+"/alice/r.git/git-upload-pack", c.body)
			if err != nil {
				t.Fatal(err)
			}
			req.SetBasicAuth("alice", token)
			req.Header.Set("Git-Protocol", "version=2")
			req.Header.Set("Content-Type", uploadRequest)
			if c.encoding != "" {
				req.Header.Set("Content-Encoding", c.encoding)
			}
			res, err := http.DefaultClient.Do(req)
			if err != nil {
				t.Fatal(err)
			}
			answer, _ := io.ReadAll(res.Body)
			res.Body.Close()
			if res.StatusCode != c.status || (c.status == 200) != strings.Contains(string(answer), head) {
				t.Errorf("%s: %d %q", c.name, res.StatusCode, answer)
			}
		}
	})

	t.Run("expect", func(t *testing.T) {
		const form = "POST /alice/r.git/%s HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer %s\r\nContent-Type: application/x-%s-request\r\n" +
			"Git-Protocol: version=2\r\nExpect: 100-continue\r\nContent-Length: %d\r\n\r\n"
		conn, answers := dial(t, s.http)
		fmt.Fprintf(conn, form, "git-upload-pack", token, "git-upload-pack", len(lsRefs))
		if line, err := answers.ReadString('\n'); err != nil || !strings.HasPrefix(line, "HTTP/1.1 100 ") {
			t.Fatalf("before the body: %q %v", line, err)
		}
		answers.ReadString('\n') // the empty line
		io.WriteString(conn, lsRefs)
		res, err := http.ReadResponse(answers, nil)
		if err != nil {
			t.Fatal(err)
		}
		if answer, _ := io.ReadAll(res.Body); res.StatusCode != 200 || !strings.Contains(string(answer), head) {
			t.Errorf("after the body: %d %q", res.StatusCode, answer)
		}

		// Who may not is told before it sends anything.
		conn, answers = dial(t, s.http)
		fmt.Fprintf(conn, form, "git-receive-pack", "ingot_wrong", "git-receive-pack", 1<<30)
		if res, err := http.ReadResponse(answers, nil); err != nil || res.StatusCode != 401 {
			t.Errorf("a push without credentials is answered %v %v", res, err)
		}
	})
}

// pieces returns a reader of unknown length that gives a few bytes at a time.
func pieces(text string) io.Reader {
	r, w := io.Pipe()
	go func() {
		for len(text) > 0 {
			n := min(3, len(text))
			io.WriteString(w, text[:n])
			text = text[n:]
		}
		w.Close()
	}()
	return r
}

func dial(t *testing.T, addr string) (net.Conn, *bufio.Reader) {
	t.Helper()
	conn, err := net.Dial("tcp", addr)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	conn.SetDeadline(time.Now().Add(20 * time.Second))
	return conn, bufio.NewReader(conn)
}
