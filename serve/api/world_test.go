package api_test

import (
	"context"
	"encoding/json"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/ingot-forge/ingot"
	"github.com/ingot-forge/ingot/forge"
	"github.com/ingot-forge/ingot/forge/account"
	"github.com/ingot-forge/ingot/forge/hosting"
)

const public = "https://forge.example"

// world is a whole instance behind a real connection. Alice has the repositories
// "open" (public, pushed to) and "hidden" (private); bob has nothing.
type world struct {
	*httptest.Server
	instance *ingot.Instance
	alice    string // tokens with all scopes
	bob      string
}

func open(t *testing.T) *world {
	t.Helper()
	ctx := t.Context()
	i, err := ingot.Open(ctx, ingot.Config{Data: t.TempDir(), URL: public, SSH: "forge.example:2222", Log: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { i.Close(context.Background()) })
	w := &world{Server: httptest.NewServer(i.Handler()), instance: i}
	t.Cleanup(w.Server.Close)
	for _, login := range []string{"alice", "bob"} {
		if _, err := i.Accounts.CreateUser(ctx, forge.Machine(), account.NewUser{Login: login, Email: login + "@example.org", Password: "correct horse"}); err != nil {
			t.Fatal(err)
		}
	}
	w.alice = w.token(t, "alice", 0, "repo delete_repo user admin:public_key")
	w.bob = w.token(t, "bob", 0, "repo delete_repo user admin:public_key")
	for name, private := range map[string]bool{"open": false, "hidden": true} {
		if _, err := i.Hosting.Create(ctx, forge.Machine(), "alice", hosting.NewRepository{Name: name, Private: private}); err != nil {
			t.Fatal(err)
		}
	}
	return w
}

func (w *world) token(t *testing.T, login string, only forge.RepositoryID, scopes string) string {
	t.Helper()
	set, err := forge.ParseScopes(scopes)
	if err != nil {
		t.Fatal(err)
	}
	token, _, err := w.instance.Accounts.CreateToken(t.Context(), forge.Machine(), login, account.NewToken{Name: "test", Scopes: set, Only: only})
	if err != nil {
		t.Fatal(err)
	}
	return token
}

// push pushes two commits on main, the branch feature/one, and a light and an
// annotated tag to a repository of alice's, and returns main's commit.
func (w *world) push(t *testing.T, name string) string {
	t.Helper()
	dir := filepath.Join(t.TempDir(), "work")
	git := func(args ...string) string {
		t.Helper()
		cmd := exec.Command("git", args...)
		cmd.Dir = dir
		if args[0] == "init" {
			cmd.Dir = ""
		}
		cmd.Env = append(os.Environ(), "GIT_CONFIG_NOSYSTEM=1", "GIT_CONFIG_GLOBAL=/dev/null", "GIT_TERMINAL_PROMPT=0",
			"GIT_AUTHOR_NAME=a", "GIT_AUTHOR_EMAIL=a@example.org", "GIT_COMMITTER_NAME=a", "GIT_COMMITTER_EMAIL=a@example.org")
		out, err := cmd.CombinedOutput()
		if err != nil {
			t.Fatalf("git %s: %v\n%s", strings.Join(args, " "), err, out)
		}
		return strings.TrimSpace(string(out))
	}
	git("init", "-q", "-b", "main", dir)
	git("commit", "-q", "--allow-empty", "-m", "one")
	git("branch", "feature/one")
	git("tag", "light")
	git("tag", "-a", "-m", "annotated", "v1.0")
	git("commit", "-q", "--allow-empty", "-m", "two")
	git("push", "-q", strings.Replace(w.URL, "http://", "http://x:"+w.alice+"@", 1)+"/alice/"+name+".git", "--all")
	git("push", "-q", strings.Replace(w.URL, "http://", "http://x:"+w.alice+"@", 1)+"/alice/"+name+".git", "--tags")
	return git("rev-parse", "main")
}

// answer is what a call came back with.
type answer struct {
	status int
	header http.Header
	text   string
}

// call calls the API: path is below /api/v3, token "" is anonymous.
func (w *world) call(t *testing.T, token, method, path, body string, header ...string) answer {
	t.Helper()
	r, err := http.NewRequest(method, w.URL+"/api/v3"+path, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	if token != "" {
		r.Header.Set("Authorization", "Bearer "+token)
	}
	for i := 0; i < len(header); i += 2 {
		r.Header.Set(header[i], header[i+1])
	}
	res, err := http.DefaultTransport.RoundTrip(r)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	text, err := io.ReadAll(res.Body)
	if err != nil {
		t.Fatal(err)
	}
	a := answer{res.StatusCode, res.Header, string(text)}
	a.conform(t, r, path)
	return a
}

// want checks the status and returns the body.
func (a answer) want(t *testing.T, status int) answer {
	t.Helper()
	if a.status != status {
		t.Fatalf("status %d, want %d: %s", a.status, status, a.text)
	}
	return a
}

func (a answer) object(t *testing.T) map[string]any {
	t.Helper()
	var v map[string]any
	if err := json.Unmarshal([]byte(a.text), &v); err != nil {
		t.Fatalf("%v: %s", err, a.text)
	}
	return v
}

func (a answer) list(t *testing.T) []map[string]any {
	t.Helper()
	var v []map[string]any
	if err := json.Unmarshal([]byte(a.text), &v); err != nil || v == nil {
		t.Fatalf("%v: %s", err, a.text)
	}
	return v
}

// column returns one field of every object.
func column(list []map[string]any, field string) string {
	var words []string
	for _, one := range list {
		word, _ := one[field].(string)
		words = append(words, word)
	}
	return strings.Join(words, " ")
}
