package githttp_test

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/go-chi/chi/v5"

	"github.com/ingot-forge/ingot"
	"github.com/ingot-forge/ingot/forge"
	"github.com/ingot-forge/ingot/forge/hosting"
	"github.com/ingot-forge/ingot/serve"
	"github.com/ingot-forge/ingot/serve/githttp"
)

// patience is how long a test waits for what should come at once.
const patience = 10 * time.Second

// connection is one to the server, by hand.
type connection struct {
	net.Conn
	in *bufio.Reader
}

func (w *world) dial(t *testing.T) *connection {
	t.Helper()
	c, err := net.Dial("tcp", strings.TrimPrefix(w.URL, "http://"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	c.SetDeadline(time.Now().Add(patience))
	return &connection{c, bufio.NewReader(c)}
}

// push sends a push to open of which framing announces more, or just as much, as body is.
func (c *connection) push(t *testing.T, token, framing, body string) answer {
	t.Helper()
	_, err := fmt.Fprintf(c, "POST /alice/open/git-receive-pack HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer %s\r\n"+
		"Content-Type: application/x-git-receive-pack-request\r\n%s\r\n\r\n%s", token, framing, body)
	if err != nil {
		t.Fatal(err)
	}
	res, err := http.ReadResponse(c.in, nil)
	if err != nil {
		t.Fatal(err)
	}
	text, err := io.ReadAll(res.Body)
	if res.Close {
		res.Header.Set("Connection", "close") // ReadResponse takes it out
	}
	return answer{res.StatusCode, res.Header, string(text), err}
}

// closed checks that the server closes the connection, and takes nothing on it
// for another request.
func (c *connection) closed(t *testing.T) {
	t.Helper()
	io.WriteString(c, strings.Repeat("GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n", 4))
	rest, err := io.ReadAll(c.in)
	var timeout net.Error
	if len(rest) > 0 || errors.As(err, &timeout) && timeout.Timeout() {
		t.Errorf("the connection goes on: %q, %v", rest, err)
	}
}

// TestAnsweredEarly: a push that is answered before all of it has come ends its
// connection, and says so; others leave it open.
func TestAnsweredEarly(t *testing.T) {
	const more = "Content-Length: 1000000" // far more than net/http reads away by itself
	w := open(t, ingot.Limits{Pushes: 1, Wait: time.Millisecond})
	w.fill(t)
	remove := command(w.main, zero, "refs/heads/side")
	for body, want := range map[string]string{flush: "", remove: packet("ok refs/heads/side\n")} {
		c := w.dial(t)
		a := c.push(t, w.alice, more, body).want(t, 200, want)
		if got := a.header.Get("Connection"); got != "close" {
			t.Errorf("Connection is %q, though the request goes on", got)
		}
		c.closed(t)
	}
	c := w.dial(t)
	create := command(zero, w.main, "refs/heads/made")
	for _, one := range []struct{ body, want string }{{flush, ""}, {create + "no pack", "unpacker error"}, {flush, ""}} {
		a := c.push(t, w.alice, fmt.Sprintf("Content-Length: %d", len(one.body)), one.body).want(t, 200, one.want)
		if got := a.header.Get("Connection"); got != "" {
			t.Errorf("Connection is %q, though all was read", got)
		}
	}

	push, err := w.instance.Hosting.Push(t.Context(), forge.Machine(), "alice", "open")
	if err != nil {
		t.Fatal(err)
	}
	defer push.Close()
	hold(t, func(r io.Reader) { push.Serve(t.Context(), r, io.Discard, hosting.Wire{Stateless: true}) })
	a := c.push(t, w.alice, more, remove).want(t, 429, "server is busy")
	if got := a.header.Get("Connection"); got != "close" {
		t.Errorf("Connection is %q, though the refused request goes on", got)
	}
	c.closed(t)
}

// TestAnsweredEarlyInChunks is the same where no length was announced, with the
// handler alone: an instance closes behind every request in chunks.
func TestAnsweredEarlyInChunks(t *testing.T) {
	w := open(t, ingot.Limits{})
	w.fill(t)
	r := chi.NewRouter()
	h := &githttp.Handler{Hosting: w.instance.Hosting, Who: &serve.Authenticator{Accounts: w.instance.Accounts},
		Metrics: serve.NewMetrics(), Log: slog.New(slog.DiscardHandler)}
	h.Routes(r)
	server := httptest.NewServer(r)
	defer server.Close()
	alone := &world{Server: server}
	chunk := func(s string) string { return fmt.Sprintf("%x\r\n%s\r\n", len(s), s) }
	const chunked = "Transfer-Encoding: chunked"

	c := alone.dial(t)
	body := chunk(command(zero, w.main, "refs/heads/made")+"no pack") + chunk("")
	for range 2 {
		a := c.push(t, w.alice, chunked, body).want(t, 200, "unpacker error")
		if got := a.header.Get("Connection"); got != "" {
			t.Errorf("Connection is %q, though all was read", got)
		}
	}
	a := c.push(t, w.alice, chunked, chunk(command(w.main, zero, "refs/heads/side"))).want(t, 200, "ok refs/heads/side")
	if got := a.header.Get("Connection"); got != "close" {
		t.Errorf("Connection is %q, though the request goes on", got)
	}
	if _, err := io.WriteString(c, chunk(strings.Repeat("x", 300_000))); err != nil && !errors.Is(err, net.ErrClosed) {
		t.Log("the server has closed already:", err)
	}
	c.closed(t)
}

// TestCutOff: an answer that fails half-way does not look whole. Without a
// sideband there is nothing else by which the client could tell.
func TestCutOff(t *testing.T) {
	w := open(t, ingot.Limits{})
	w.fill(t)
	clone := post("", "alice/open", "git-upload-pack", packet("want "+w.main+" ofs-delta\n")+flush+packet("done\n"))
	if a := w.do(t, clone).want(t, 200, "PACK"); len(a.text) < 300_000 {
		t.Fatalf("the whole clone has %d bytes", len(a.text))
	}
	w.stop()
	damage(t, w.data)
	w.serve(t, ingot.Limits{})
	a := w.do(t, clone)
	if a.status != 200 || !strings.HasPrefix(a.text, "0008NAK\n") {
		t.Fatalf("nothing came before the error: %d %.200q", a.status, a.text)
	}
	if !errors.Is(a.cut, io.ErrUnexpectedEOF) {
		t.Errorf("the answer from a damaged pack looks whole: %d bytes, %v", len(a.text), a.cut)
	}
	metrics := w.do(t, request{method: "GET", path: "/metrics"}).want(t, 200, "").text
	if want := `ingot_git_transfers_total{result="error",service="upload-pack",transport="http"} 1`; !strings.Contains(metrics, want) {
		t.Errorf("metrics lack %s", want)
	}
}

// damage changes a byte in the middle of every pack.
func damage(t *testing.T, dir string) {
	t.Helper()
	damaged := 0
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || !strings.HasSuffix(path, ".pack") {
			return err
		}
		b, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		b[len(b)/2] ^= 0xff
		damaged++
		if err := os.Chmod(path, 0o600); err != nil {
			return err
		}
		return os.WriteFile(path, b, 0o600)
	})
	if err != nil || damaged == 0 {
		t.Fatalf("%d packs damaged: %v", damaged, err)
	}
}
