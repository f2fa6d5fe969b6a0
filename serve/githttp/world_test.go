package githttp_test

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/ingot-forge/ingot"
	"github.com/ingot-forge/ingot/forge"
	"github.com/ingot-forge/ingot/forge/account"
	"github.com/ingot-forge/ingot/forge/hosting"
)

// world is a whole instance behind real connections. Alice has the repositories
// "open" (public) and "hidden" (private); carol may read hidden; bob is a stranger.
type world struct {
	*httptest.Server
	instance          *ingot.Instance
	stop              func()
	data              string
	alice, bob, carol string // tokens with scope repo
	main              string // commit of the branches main and side of both repositories, once pushed
}

func open(t *testing.T, limits ingot.Limits) *world {
	t.Helper()
	w := &world{data: t.TempDir()}
	w.serve(t, limits)
	ctx := t.Context()
	for login, token := range map[string]*string{"alice": &w.alice, "bob": &w.bob, "carol": &w.carol} {
		if _, err := w.instance.Accounts.CreateUser(ctx, forge.Machine(), account.NewUser{Login: login, Email: login + "@example.org", Password: "correct horse"}); err != nil {
			t.Fatal(err)
		}
		var err error
		if *token, _, err = w.instance.Accounts.CreateToken(ctx, forge.Machine(), login, account.NewToken{Name: "test", Scopes: forge.Scopes{forge.ScopeRepo}}); err != nil {
			t.Fatal(err)
		}
	}
	for name, private := range map[string]bool{"open": false, "hidden": true} {
		if _, err := w.instance.Hosting.Create(ctx, forge.Machine(), "alice", hosting.NewRepository{Name: name, Private: private}); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.instance.Hosting.SetCollaborator(ctx, forge.Machine(), "alice", "hidden", "carol", forge.RoleRead); err != nil {
		t.Fatal(err)
	}
	return w
}

// serve opens the instance and serves it, until the test ends or stop is called.
func (w *world) serve(t *testing.T, limits ingot.Limits) {
	t.Helper()
	i, err := ingot.Open(t.Context(), ingot.Config{Data: w.data, Version: "1.2", Limits: limits, Log: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	server := httptest.NewUnstartedServer(i.Handler())
	server.Config.ConnContext = i.ConnContext
	server.Config.ErrorLog = slog.NewLogLogger(slog.DiscardHandler, slog.LevelError)
	server.Start()
	w.instance, w.Server = i, server
	w.stop = sync.OnceFunc(func() {
		server.Close()
		if err := i.Close(context.Background()); err != nil {
			t.Error(err)
		}
	})
	t.Cleanup(w.stop)
}

// fill pushes a commit with one incompressible file as main and side to both
// repositories.
func (w *world) fill(t *testing.T) {
	t.Helper()
	dir := t.TempDir()
	git := func(args ...string) string {
		t.Helper()
		cmd := exec.Command("git", args...)
		cmd.Dir = dir
		cmd.Env = append(os.Environ(), "GIT_CONFIG_NOSYSTEM=1", "GIT_CONFIG_GLOBAL=/dev/null", "GIT_TERMINAL_PROMPT=0",
			"GIT_AUTHOR_NAME=a", "GIT_AUTHOR_EMAIL=a@example.org", "GIT_COMMITTER_NAME=a", "GIT_COMMITTER_EMAIL=a@example.org")
		out, err := cmd.CombinedOutput()
		if err != nil {
			t.Fatalf("git %s: %v\n%s", strings.Join(args, " "), err, out)
		}
		return strings.TrimSpace(string(out))
	}
	if err := os.WriteFile(filepath.Join(dir, "noise"), noise(300_000), 0o600); err != nil {
		t.Fatal(err)
	}
	git("init", "-q", "-b", "main")
	git("add", "noise")
	git("commit", "-q", "-m", "one")
	for _, name := range []string{"open", "hidden"} {
		git("push", "-q", strings.Replace(w.URL, "http://", "http://x:"+w.alice+"@", 1)+"/alice/"+name, "main", "main:side")
	}
	w.main = git("rev-parse", "main")
}

// noise returns n bytes that do not compress, always the same.
func noise(n int) []byte {
	b := make([]byte, n)
	x := uint32(1)
	for i := range b {
		x = x*1664525 + 1013904223
		b[i] = byte(x >> 24)
	}
	return b
}

// request is one call; what is empty stays at what git sends.
type request struct {
	method, path string // path is below the server's address
	token        string // "" is anonymous
	header       map[string]string
	body         string
}

// post is a POST to one of the two services of a repository.
func post(token, repository, service, body string) request {
	return request{"POST", "/" + repository + "/" + service, token,
		map[string]string{"Content-Type": "application/x-" + service + "-request"}, body}
}

func get(token, repository, service string) request {
	return request{method: "GET", path: "/" + repository + "/info/refs?service=" + service, token: token, header: map[string]string{}}
}

// with returns the request with one header more.
func (r request) with(name, value string) request {
	header := map[string]string{name: value}
	for k, v := range r.header {
		if k != name {
			header[k] = v
		}
	}
	r.header = header
	return r
}

// answer is what a request came back with. cut is why the body did not come to
// its end.
type answer struct {
	status int
	header http.Header
	text   string
	cut    error
}

func (w *world) do(t *testing.T, r request) answer {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), r.method, w.URL+r.path, strings.NewReader(r.body))
	if err != nil {
		t.Fatal(err)
	}
	if r.token != "" {
		req.SetBasicAuth("x", r.token)
	}
	for name, value := range r.header {
		req.Header.Set(name, value)
	}
	// Not by a client, which would follow and decompress.
	res, err := http.DefaultTransport.RoundTrip(req)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	text, err := io.ReadAll(res.Body)
	return answer{res.StatusCode, res.Header, string(text), err}
}

// want checks that a whole answer came with a status, and text in it.
func (a answer) want(t *testing.T, status int, text string) answer {
	t.Helper()
	if a.status != status || !strings.Contains(a.text, text) || a.cut != nil {
		t.Errorf("answered %d %.300q (cut off: %v), want %d with %q", a.status, a.text, a.cut, status, text)
	}
	return a
}

// packet frames a pkt-line.
func packet(line string) string { return fmt.Sprintf("%04x%s", len(line)+4, line) }

const (
	flush     = "0000"
	delimiter = "0001"
	zero      = "0000000000000000000000000000000000000000"
)

// lsRefs asks version 2 for the refs.
var lsRefs = packet("command=ls-refs\n") + packet("object-format=sha1") + delimiter + packet("ref-prefix refs/heads/") + flush

// command asks to move one ref.
func command(from, to, ref string) string {
	return packet(from+" "+to+" "+ref+"\x00report-status object-format=sha1") + flush
}
