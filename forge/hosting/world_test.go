package hosting_test

import (
	"bytes"
	"context"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/ingot-forge/ingot/forge"
	"github.com/ingot-forge/ingot/forge/hosting"
	"github.com/ingot-forge/ingot/forge/hosting/hostingtest"
	"github.com/ingot-forge/ingot/git/repo"
	"github.com/ingot-forge/ingot/git/repo/memrepo"
	"github.com/ingot-forge/ingot/git/transfer"
)

// world is a service over models in memory, with some users.
type world struct {
	*hosting.Service
	memory             *hostingtest.Memory
	store              *repo.Store
	alice, bob, admin  *forge.Actor
	anonymous, machine *forge.Actor
}

func open(t *testing.T, l hosting.Limits) *world {
	t.Helper()
	m := hostingtest.NewMemory()
	store := repo.New(new(memrepo.Files), m, repo.Config{})
	t.Cleanup(func() {
		if err := store.Close(); err != nil {
			t.Error(err)
		}
	})
	w := &world{memory: m, store: store, anonymous: &forge.Actor{}, machine: forge.Machine()}
	w.Service = hosting.NewService(hosting.Stores{Repositories: m, Collaborators: m, Forks: m, Events: m, Owners: m, RefLog: m,
		Git: &transfer.Server{Store: store, Agent: "ingot/test"}}, hosting.Config{Limits: l})
	w.alice, w.bob = w.user("alice"), w.user("bob")
	w.admin = &forge.Actor{User: m.AddUser(forge.User{Login: "boss", Admin: true}), Credential: forge.Credential{Kind: forge.ByPassword}}
	return w
}

func (w *world) user(login string) *forge.Actor {
	return &forge.Actor{User: w.memory.AddUser(forge.User{Login: login}), Credential: forge.Credential{Kind: forge.ByPassword}}
}

// token returns an actor as another, by a token.
func token(a *forge.Actor, only forge.RepositoryID, scopes ...forge.Scope) *forge.Actor {
	return &forge.Actor{User: a.User, Credential: forge.Credential{Kind: forge.ByToken, ID: 7, Scopes: scopes, Only: only}}
}

func (w *world) create(t *testing.T, owner *forge.Actor, name string, private bool) *forge.Repository {
	t.Helper()
	r, err := w.Create(t.Context(), owner, "", hosting.NewRepository{Name: name, Private: private})
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func wantKind(t *testing.T, what string, err error, want forge.Kind) {
	t.Helper()
	if got := forge.KindOf(err); got != want || err == nil != (want == 0) {
		t.Errorf("%s: %v, want %s", what, err, want)
	}
}

// git runs stock git, away from the settings of who runs the tests.
func git(t *testing.T, dir string, args ...string) string {
	t.Helper()
	out, err := tryGit(dir, args...)
	if err != nil {
		t.Fatalf("git %s: %v\n%s", strings.Join(args, " "), err, out)
	}
	return strings.TrimSpace(out)
}

func tryGit(dir string, args ...string) (string, error) {
	cmd := exec.Command("git", append([]string{"-c", "init.defaultBranch=main", "-c", "protocol.version=2"}, args...)...)
	cmd.Dir = dir
	cmd.Env = append(os.Environ(), "GIT_CONFIG_NOSYSTEM=1", "GIT_CONFIG_GLOBAL=/dev/null", "GIT_TERMINAL_PROMPT=0", "LC_ALL=C",
		"GIT_AUTHOR_NAME=A", "GIT_AUTHOR_EMAIL=a@example.org", "GIT_AUTHOR_DATE=1700000000 +0000",
		"GIT_COMMITTER_NAME=C", "GIT_COMMITTER_EMAIL=c@example.org", "GIT_COMMITTER_DATE=1700000000 +0000")
	out, err := cmd.CombinedOutput()
	return string(out), err
}

// workingCopy makes a repository with two commits, a tag and a branch.
func workingCopy(t *testing.T) string {
	t.Helper()
	dir := filepath.Join(t.TempDir(), "work")
	git(t, ".", "init", "-q", dir)
	for i, text := range []string{"one\n", "two\n"} {
		if err := os.WriteFile(filepath.Join(dir, "file"), []byte(strings.Repeat(text, 100*(i+1))), 0o666); err != nil {
			t.Fatal(err)
		}
		git(t, dir, "add", ".")
		git(t, dir, "commit", "-q", "-m", text)
	}
	git(t, dir, "tag", "-a", "-m", "first", "v1", "HEAD~1")
	git(t, dir, "branch", "side", "HEAD~1")
	return dir
}

// serve makes the service reachable for stock git over HTTP, everything as one
// actor.
func (w *world) serve(t *testing.T, actor *forge.Actor) (url string) {
	t.Helper()
	s := httptest.NewServer(http.HandlerFunc(func(out http.ResponseWriter, r *http.Request) {
		path := strings.Split(strings.TrimPrefix(r.URL.Path, "/"), "/")
		if len(path) < 3 {
			http.Error(out, "no such address", http.StatusNotFound)
			return
		}
		http.NewResponseController(out).EnableFullDuplex()
		wire := hosting.Wire{Version: transfer.ParseVersion(r.Header.Get("Git-Protocol")), Stateless: true}
		service := strings.Join(path[2:], "/")
		if service == "info/refs" {
			service += " " + r.URL.Query().Get("service")
			out.Header().Set("Content-Type", "application/x-"+r.URL.Query().Get("service")+"-advertisement")
		} else {
			out.Header().Set("Content-Type", "application/x-"+service+"-result")
		}
		if err := w.answer(r.Context(), actor, service, path[0], path[1], r.Body, out, wire); err != nil {
			out.Header().Set("Content-Type", "text/plain")
			http.Error(out, err.Error(), http.StatusForbidden)
		}
	}))
	t.Cleanup(s.Close)
	return s.URL
}

func (w *world) answer(ctx context.Context, actor *forge.Actor, service, owner, name string, in io.Reader, out io.Writer, wire hosting.Wire) error {
	switch service {
	case "info/refs git-receive-pack", "git-receive-pack":
		push, err := w.Push(ctx, actor, owner, name)
		if err != nil {
			return err
		}
		defer push.Close()
		if service != "git-receive-pack" {
			return push.Advertise(ctx, out, wire)
		}
		push.Serve(ctx, in, out, wire)
		return nil
	case "info/refs git-upload-pack", "git-upload-pack":
		fetch, err := w.Fetch(ctx, actor, owner, name)
		if err != nil {
			return err
		}
		defer fetch.Close()
		if service != "git-upload-pack" {
			return fetch.Advertise(ctx, out, wire)
		}
		fetch.Serve(ctx, in, out, wire)
		return nil
	}
	return forge.NotFoundf(actor, "no such service")
}

// refs lists the refs of a repository, "" if there is no such repository.
func (w *world) refs(t *testing.T, owner, name string) string {
	t.Helper()
	h, err := w.Open(t.Context(), w.machine, forge.Read, owner, name)
	if forge.KindOf(err) == forge.NotFound {
		return ""
	}
	if err != nil {
		t.Fatal(err)
	}
	snap, err := h.Snapshot(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer snap.Close()
	text := "HEAD " + snap.State().Head
	for r := range snap.State().Refs.All() {
		text += "; " + snap.State().Format.Hex(r.Target)[:8] + " " + r.Name
	}
	return text
}

// conversation is a client's side of a conversation: what it sends comes when
// the server has said what answers it.
type conversation struct {
	bytes.Buffer // what the server said
	send         func(said string) []byte
	left         []byte
	asked        bool
}

func (c *conversation) Read(p []byte) (int, error) {
	if !c.asked {
		c.asked, c.left = true, c.send(c.String())
	}
	if len(c.left) == 0 {
		return 0, io.EOF
	}
	n := copy(p, c.left)
	c.left = c.left[n:]
	return n, nil
}

const patience = 30 * time.Second
