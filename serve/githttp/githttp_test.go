package githttp_test

import (
	"bytes"
	"compress/gzip"
	"fmt"
	"io"
	"strings"
	"testing"
	"time"

	"github.com/ingot-forge/ingot"
	"github.com/ingot-forge/ingot/forge"
	"github.com/ingot-forge/ingot/forge/hosting"
)

func TestAdvertisement(t *testing.T) {
	w := open(t, ingot.Limits{})
	w.fill(t)
	for _, c := range []struct{ service, protocol, begin string }{
		{"git-upload-pack", "", packet("# service=git-upload-pack\n") + flush + "%04x" + w.main + " HEAD\x00"},
		{"git-upload-pack", "version=0", packet("# service=git-upload-pack\n") + flush + "%04x" + w.main + " HEAD\x00"},
		{"git-upload-pack", "version=1", packet("# service=git-upload-pack\n") + flush + packet("version 1\n") + "%04x" + w.main + " HEAD\x00"},
		{"git-upload-pack", "version=2", packet("version 2\n") + packet("agent=ingot/1.2\n")},
		{"git-upload-pack", "version=1:version=2", packet("version 2\n")},
		{"git-upload-pack", "version=7", packet("# service=git-upload-pack\n") + flush + "%04x" + w.main},
		{"git-receive-pack", "", packet("# service=git-receive-pack\n") + flush + "%04x" + w.main + " refs/heads/main\x00"},
		{"git-receive-pack", "version=1", packet("# service=git-receive-pack\n") + flush + packet("version 1\n") + "%04x"},
		{"git-receive-pack", "version=2", packet("# service=git-receive-pack\n") + flush + "%04x" + w.main + " refs/heads/main\x00"},
	} {
		r := get(w.alice, "alice/open.git", c.service)
		if c.protocol != "" {
			r = r.with("Git-Protocol", c.protocol)
		}
		a := w.do(t, r).want(t, 200, "")
		// The line with the capabilities is as long as they are.
		begin, rest, varying := strings.Cut(c.begin, "%04x")
		if !strings.HasPrefix(a.text, begin) || varying && (len(a.text) < len(begin)+4 || !strings.HasPrefix(a.text[len(begin)+4:], rest)) || !strings.HasSuffix(a.text, flush) {
			t.Errorf("%s in %q begins %.120q, want %q", c.service, c.protocol, a.text, c.begin)
		}
		if id := a.header.Get("X-Request-Id"); id == "" || !strings.Contains(a.text, "session-id="+id) {
			t.Errorf("%s in %q: the session is not named by the request's id %q: %q", c.service, c.protocol, id, a.text)
		}
		checkHeader(t, a, "application/x-"+c.service+"-advertisement")
	}
}

// checkHeader checks what makes an answer git's, and keeps caches off it.
func checkHeader(t *testing.T, a answer, contentType string) {
	t.Helper()
	for name, want := range map[string]string{"Content-Type": contentType, "Cache-Control": "no-cache, max-age=0, must-revalidate",
		"Expires": "Fri, 01 Jan 1980 00:00:00 GMT", "Pragma": "no-cache"} {
		if got := a.header.Get(name); got != want {
			t.Errorf("%s is %q, want %q", name, got, want)
		}
	}
}

func TestServices(t *testing.T) {
	w := open(t, ingot.Limits{})
	w.fill(t)
	v2 := post("", "alice/open", "git-upload-pack", lsRefs).with("Git-Protocol", "version=2")
	checkHeader(t, w.do(t, v2).want(t, 200, packet(w.main+" refs/heads/side\n")), "application/x-git-upload-pack-result")
	// The same without the header is no request of version 0.
	if a := w.do(t, post("", "alice/open", "git-upload-pack", lsRefs)).want(t, 200, "ERR "); strings.Contains(a.text, "refs/heads/side") {
		t.Errorf("version 2 was spoken unasked: %q", a.text)
	}
	a := w.do(t, post(w.alice, "alice/open", "git-receive-pack", command(w.main, zero, "refs/heads/side"))).want(t, 200, packet("ok refs/heads/side\n"))
	checkHeader(t, a, "application/x-git-receive-pack-result")
	// An answer of no bytes is an answer of the protocol too.
	for _, service := range []string{"git-upload-pack", "git-receive-pack"} {
		a := w.do(t, post(w.alice, "alice/open", service, flush)).want(t, 200, "")
		if a.text != "" {
			t.Errorf("%s answers a flush with %q", service, a.text)
		}
		checkHeader(t, a, "application/x-"+service+"-result")
	}

	clone := packet("want "+w.main+"\n") + flush + packet("done\n")
	w.do(t, post("", "alice/open", "git-upload-pack", clone)).want(t, 200, "PACK")

	metrics := w.do(t, request{method: "GET", path: "/metrics"}).want(t, 200, "").text
	for _, want := range []string{
		`ingot_git_objects_total{service="upload-pack"} 3`, // commit, tree, blob
		`ingot_git_transfers_total{result="ok",service="upload-pack",transport="http"} 3`,
		`ingot_git_transfers_total{result="error",service="upload-pack",transport="http"} 1`,
		`ingot_git_transfers_total{result="ok",service="receive-pack",transport="http"} 4`, // two of them from filling
		`ingot_git_objects_total{service="receive-pack"} 6`,
	} {
		if !strings.Contains(metrics, want+"\n") {
			t.Errorf("metrics lack %s", want)
		}
	}
}

// TestHTTPRefusals: what is wrong with a request as such is said by a status and
// in words.
func TestHTTPRefusals(t *testing.T) {
	w := open(t, ingot.Limits{})
	const dumb = "only git's smart HTTP protocol is served here"
	for _, query := range []string{"", "?service=", "?service=git-upload-archive", "?service=upload-pack", "?service=git-upload-pack%0a", "?SERVICE=git-upload-pack"} {
		for _, name := range []string{"open", "hidden", "never"} {
			a := w.do(t, request{method: "GET", path: "/alice/" + name + "/info/refs" + query}).want(t, 403, dumb)
			if got := a.header.Get("Content-Type"); got != "text/plain; charset=utf-8" {
				t.Errorf("%q: Content-Type %q", query, got)
			}
		}
	}
	for _, service := range []string{"git-upload-pack", "git-receive-pack"} {
		good := post(w.alice, "alice/open", service, flush)
		other := map[string]string{"git-upload-pack": "git-receive-pack", "git-receive-pack": "git-upload-pack"}[service]
		for _, wrong := range []string{"", "text/plain", "application/x-" + other + "-request", "application/x-" + service + "-result"} {
			a := w.do(t, good.with("Content-Type", wrong))
			a.want(t, 415, fmt.Sprintf("Content-Type is %q; this address takes %q", wrong, "application/x-"+service+"-request"))
		}
		w.do(t, good.with("Content-Type", strings.Repeat("x", 1000))).want(t, 415, `"`+strings.Repeat("x", 80)+`"`)
		w.do(t, good.with("Content-Encoding", "br")).want(t, 415, `Content-Encoding "br" is not known`)
		w.do(t, good.with("Content-Encoding", "identity")).want(t, 200, "")
		for _, method := range []string{"PUT", "DELETE", "PATCH", "OPTIONS"} {
			r := good
			r.method = method
			w.do(t, r).want(t, 405, "")
			r.path = "/alice/open/info/refs?service=" + service
			w.do(t, r).want(t, 405, "")
		}
		r := good
		r.method = "GET"
		w.do(t, r).want(t, 405, "")
		// HEAD is GET without the body.
		head := get(w.alice, "alice/open", service)
		head.method = "HEAD"
		checkHeader(t, w.do(t, head).want(t, 200, ""), "application/x-"+service+"-advertisement")
		head.path = "/alice/never/info/refs?service=" + service
		head.token = ""
		w.do(t, head).want(t, 401, "")
	}
}

func TestGzip(t *testing.T) {
	w := open(t, ingot.Limits{})
	w.fill(t)
	for _, encoding := range []string{"gzip", "x-gzip"} {
		fetch := post("", "alice/open", "git-upload-pack", zip(t, lsRefs)).with("Git-Protocol", "version=2").with("Content-Encoding", encoding)
		w.do(t, fetch).want(t, 200, packet(w.main+" refs/heads/main\n"))
	}
	push := post(w.alice, "alice/open", "git-receive-pack", zip(t, command(w.main, zero, "refs/heads/side"))).with("Content-Encoding", "gzip")
	w.do(t, push).want(t, 200, packet("ok refs/heads/side\n"))
	for _, service := range []string{"git-upload-pack", "git-receive-pack"} {
		for _, body := range []string{"", "0000", "\x1f\x8b"} {
			w.do(t, post(w.alice, "alice/open", service, body).with("Content-Encoding", "gzip")).want(t, 400, "request body is not gzip")
		}
		cut := zip(t, packet(strings.Repeat("x", 100)))
		w.do(t, post(w.alice, "alice/open", service, cut[:len(cut)/2]).with("Content-Encoding", "gzip")).want(t, 400, "the request ends too early")
	}
}

func zip(t *testing.T, text string) string {
	t.Helper()
	var b bytes.Buffer
	z := gzip.NewWriter(&b)
	if _, err := io.WriteString(z, text); err != nil {
		t.Fatal(err)
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

func TestRequestEndsEarly(t *testing.T) {
	w := open(t, ingot.Limits{})
	w.fill(t)
	want := packet("want " + w.main + "\n")
	for _, c := range []struct{ service, body string }{
		{"git-upload-pack", "00"}, {"git-upload-pack", want[:20]},
		{"git-receive-pack", "00"}, {"git-receive-pack", command(w.main, zero, "refs/heads/side")[:60]},
	} {
		w.do(t, post(w.alice, "alice/open", c.service, c.body)).want(t, 400, "the request ends too early\n")
	}
	w.do(t, post(w.alice, "alice/open", "git-upload-pack", lsRefs[:30]).with("Git-Protocol", "version=2")).want(t, 400, "the request ends too early\n")
}

// TestHiddenIsMissing: for who may not see it, a private repository is a name that
// was never used, in every byte but the request's own.
func TestHiddenIsMissing(t *testing.T) {
	w := open(t, ingot.Limits{})
	w.fill(t)
	for who, status := range map[string]int{"": 401, w.bob: 404} {
		for _, to := range []func(name string) request{
			func(name string) request { return get(who, name, "git-upload-pack") },
			func(name string) request { return get(who, name, "git-receive-pack") },
			func(name string) request { return post(who, name, "git-upload-pack", flush) },
			func(name string) request {
				return post(who, name, "git-receive-pack", command(w.main, zero, "refs/heads/side"))
			},
		} {
			hidden := w.do(t, to("alice/hidden")).want(t, status, "\n")
			challenge := hidden.header.Get("WWW-Authenticate")
			if (challenge != "") != (status == 401) || status == 401 && (!strings.HasPrefix(challenge, "Basic ") || hidden.text != "authentication required\n") {
				t.Errorf("%d with WWW-Authenticate %q: %q", status, challenge, hidden.text)
			}
			for _, never := range []string{"alice/never", "alice/hidden.git", "alice/never.git", "nobody/never", "alice/x.wiki"} {
				a := w.do(t, to(never))
				if a.status != hidden.status || a.text != hidden.text || header(a) != header(hidden) {
					t.Errorf("%s is told apart from alice/hidden:\n%d %s%s\n%d %s%s", never, a.status, header(a), a.text, hidden.status, header(hidden), hidden.text)
				}
			}
		}
	}
	// Who has a credential that proves nothing hears so, whatever the name.
	for _, name := range []string{"alice/open", "alice/hidden", "alice/never"} {
		w.do(t, get("wrong", name, "git-upload-pack")).want(t, 401, "Bad credentials")
		w.do(t, post("wrong", name, "git-upload-pack", flush)).want(t, 401, "Bad credentials")
	}
}

// header returns what all answers to the same question have in common.
func header(a answer) string {
	common := a.header.Clone()
	common.Del("X-Request-Id")
	common.Del("Date")
	var b strings.Builder
	if err := common.Write(&b); err != nil {
		return err.Error()
	}
	return b.String()
}

// TestPathDecides: what a caller may do follows from the address, whatever the
// query says.
func TestPathDecides(t *testing.T) {
	w := open(t, ingot.Limits{})
	w.fill(t)
	remove := command(w.main, zero, "refs/heads/side")
	for _, query := range []string{"", "?service=git-upload-pack", "?service=git-receive-pack"} {
		// Carol reads hidden, and everybody reads open.
		for _, c := range []struct {
			token, name string
			status      int
		}{{w.carol, "alice/hidden", 403}, {w.bob, "alice/open", 403}, {"", "alice/open", 401}} {
			r := post(c.token, c.name, "git-receive-pack", remove)
			r.path += query
			w.do(t, r).want(t, c.status, "\n")
			r = post(c.token, c.name, "git-upload-pack", lsRefs).with("Git-Protocol", "version=2")
			r.path += query
			w.do(t, r).want(t, 200, packet(w.main+" refs/heads/side\n"))
		}
	}
	w.do(t, get(w.carol, "alice/hidden", "git-receive-pack")).want(t, 403, "\n")
	w.do(t, get(w.carol, "alice/hidden", "git-upload-pack")).want(t, 200, "# service=git-upload-pack")
}

// TestBusy: who finds no turn is told when to come again, before any answer of
// the protocol.
func TestBusy(t *testing.T) {
	w := open(t, ingot.Limits{Fetches: 1, Pushes: 1, Wait: 1100 * time.Millisecond})
	ctx := t.Context()
	fetch, err := w.instance.Hosting.Fetch(ctx, forge.Machine(), "alice", "open")
	if err != nil {
		t.Fatal(err)
	}
	defer fetch.Close()
	push, err := w.instance.Hosting.Push(ctx, forge.Machine(), "alice", "open")
	if err != nil {
		t.Fatal(err)
	}
	defer push.Close()
	hold(t, func(r io.Reader) { fetch.Serve(ctx, r, io.Discard, hosting.Wire{Stateless: true}) })
	hold(t, func(r io.Reader) { push.Serve(ctx, r, io.Discard, hosting.Wire{Stateless: true}) })
	for _, service := range []string{"git-upload-pack", "git-receive-pack"} {
		a := w.do(t, post(w.alice, "alice/open", service, flush)).want(t, 429, "server is busy")
		if got := a.header.Get("Retry-After"); got != "2" {
			t.Errorf("Retry-After %q, want the wait of 1.1 s in whole seconds", got)
		}
		w.do(t, get(w.alice, "alice/open", service)).want(t, 200, "") // costs no turn
	}
}

// hold runs serve, which has its turn once it reads, until the test ends.
func hold(t *testing.T, serve func(io.Reader)) {
	t.Helper()
	begun, over, ended := make(chan struct{}, 100), make(chan struct{}), make(chan struct{})
	go func() {
		defer close(ended)
		serve(readerFunc(func([]byte) (int, error) {
			begun <- struct{}{}
			<-over
			return 0, io.EOF
		}))
	}()
	<-begun
	t.Cleanup(func() { close(over); <-ended })
}

type readerFunc func([]byte) (int, error)

func (f readerFunc) Read(p []byte) (int, error) { return f(p) }
