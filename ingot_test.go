package ingot_test

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/ingot-forge/ingot"
	"github.com/ingot-forge/ingot/forge"
	"github.com/ingot-forge/ingot/forge/account"
	"github.com/ingot-forge/ingot/forge/hosting"
)

func open(t *testing.T, data string) *ingot.Instance {
	t.Helper()
	i, err := ingot.Open(t.Context(), ingot.Config{Data: data, URL: "http://forge.example/", Log: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := i.Close(context.Background()); err != nil {
			t.Error(err)
		}
	})
	return i
}

func get(i *ingot.Instance, path string, change func(*http.Request)) *httptest.ResponseRecorder {
	w := httptest.NewRecorder()
	r := httptest.NewRequest("GET", path, nil)
	if change != nil {
		change(r)
	}
	i.Handler().ServeHTTP(w, r)
	return w
}

// TestOpen: what is not there is made, and is there the next time.
func TestOpen(t *testing.T) {
	data := filepath.Join(t.TempDir(), "not", "there", "yet")
	first, err := ingot.Open(t.Context(), ingot.Config{Data: data, Log: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	if w := get(first, "/readyz", nil); w.Code != 200 {
		t.Errorf("ready: %d %s", w.Code, w.Body)
	}
	if _, err := first.Accounts.CreateUser(t.Context(), forge.Machine(), account.NewUser{Login: "alice"}); err != nil {
		t.Fatal(err)
	}
	if err := first.Close(context.Background()); err != nil {
		t.Fatal(err)
	}
	if w := get(first, "/readyz", nil); w.Code != 503 || strings.Contains(w.Body.String(), "sql") {
		t.Errorf("ready after closing: %d %s", w.Code, w.Body)
	}
	if _, err := open(t, data).Accounts.FindUser(t.Context(), forge.Machine(), "alice"); err != nil {
		t.Errorf("after opening again: %v", err)
	}
	info, err := os.Stat(data)
	if err != nil || info.Mode().Perm()&0o007 != 0 {
		t.Errorf("others may look into the data: %v, %v", info.Mode(), err)
	}
}

func TestOpenRefuses(t *testing.T) {
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]ingot.Config{
		"no data directory": {},
		"postgres://host":   {Data: t.TempDir(), Database: "postgres://host"},
		"s3://bucket":       {Data: t.TempDir(), Blobs: "s3://bucket"},
		"file":              {Data: file},
	} {
		i, err := ingot.Open(t.Context(), c)
		if err == nil {
			i.Close(context.Background())
			t.Errorf("%s: opened", name)
		} else if !strings.Contains(err.Error(), name) {
			t.Errorf("%s: the error does not name it: %v", name, err)
		}
	}
}

// TestTwoAtOnce: several may have one directory open, and see what the others do.
func TestTwoAtOnce(t *testing.T) {
	data := t.TempDir()
	a, b := open(t, data), open(t, data)
	ctx := t.Context()
	if _, err := a.Accounts.CreateUser(ctx, forge.Machine(), account.NewUser{Login: "alice", Password: "correct horse"}); err != nil {
		t.Fatal(err)
	}
	made, err := b.Hosting.Create(ctx, forge.Machine(), "alice", hosting.NewRepository{Name: "project"})
	if err != nil {
		t.Fatal(err)
	}
	if seen, err := a.Hosting.Get(ctx, forge.Machine(), "alice", "project"); err != nil || seen.ID != made.ID {
		t.Errorf("%+v, %v", seen, err)
	}
	// What one remembers of a password ends with the other's change of it.
	signIn := func(i *ingot.Instance, password string) error {
		w := get(i, "/api/v3/user", func(r *http.Request) { r.SetBasicAuth("alice", password) })
		if w.Code != 200 {
			return fmt.Errorf("%d %s", w.Code, w.Body)
		}
		return nil
	}
	if err := signIn(a, "correct horse"); err != nil {
		t.Fatal(err)
	}
	if err := b.Accounts.SetPassword(ctx, forge.Machine(), "alice", "another one"); err != nil {
		t.Fatal(err)
	}
	if signIn(a, "correct horse") == nil {
		t.Error("the old password still works on the other one")
	}
	if err := signIn(a, "another one"); err != nil {
		t.Error(err)
	}
}

func TestOperatorsAddresses(t *testing.T) {
	i := open(t, t.TempDir())
	if w := get(i, "/healthz", nil); w.Code != 200 {
		t.Errorf("healthz: %d", w.Code)
	}
	server := httptest.NewServer(i.Handler())
	defer server.Close()
	for _, path := range []string{"/healthz", "/readyz", "/", "/api/v3/meta"} {
		res, err := http.Head(server.URL + path)
		if err != nil {
			t.Fatal(err)
		}
		if body, err := io.ReadAll(res.Body); res.StatusCode != 200 || len(body) > 0 || err != nil {
			t.Errorf("HEAD %s: %d %q %v", path, res.StatusCode, body, err)
		}
		res.Body.Close()
	}
	for _, login := range []string{"boss", "alice"} {
		if _, err := i.Accounts.CreateUser(t.Context(), forge.Machine(), account.NewUser{Login: login, Password: "correct horse", Admin: login == "boss"}); err != nil {
			t.Fatal(err)
		}
	}
	for name, c := range map[string]struct {
		from, forwarded, login string
		status                 int
	}{
		"the machine itself":    {"127.0.0.1:5", "", "", 200},
		"the machine, over six": {"[::1]:5", "", "", 200},
		"a proxy on it":         {"127.0.0.1:5", "192.0.2.1", "", 404},
		"a stranger":            {"192.0.2.1:5", "", "", 404},
		"a user":                {"192.0.2.1:5", "", "alice", 404},
		"an administrator":      {"192.0.2.1:5", "", "boss", 200},
	} {
		w := get(i, "/metrics", func(r *http.Request) {
			r.RemoteAddr = c.from
			if c.forwarded != "" {
				r.Header.Set("X-Forwarded-For", c.forwarded)
			}
			if c.login != "" {
				r.SetBasicAuth(c.login, "correct horse")
			}
		})
		if w.Code != c.status {
			t.Errorf("metrics for %s: %d, want %d", name, w.Code, c.status)
		}
	}
}

// TestHiddenIsMissingOverHTTP: over git's protocol a private repository gets the
// answer of a name never used, byte for byte, whoever asks that may not see it.
func TestHiddenIsMissingOverHTTP(t *testing.T) {
	i := open(t, t.TempDir())
	ctx := t.Context()
	for _, login := range []string{"alice", "bob"} {
		if _, err := i.Accounts.CreateUser(ctx, forge.Machine(), account.NewUser{Login: login, Password: "correct horse"}); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := i.Hosting.Create(ctx, forge.Machine(), "alice", hosting.NewRepository{Name: "hidden", Private: true}); err != nil {
		t.Fatal(err)
	}
	for _, login := range []string{"", "bob"} {
		for _, c := range []struct{ method, path string }{{"GET", "/info/refs?service=git-upload-pack"}, {"GET", "/info/refs?service=git-receive-pack"},
			{"GET", "/info/refs"}, {"POST", "/git-upload-pack"}, {"POST", "/git-receive-pack"}, {"POST", "/git-receive-pack?service=git-upload-pack"},
			{"GET", "/HEAD"}, {"GET", "/objects/info/packs"}} {
			var answers []string
			for _, name := range []string{"hidden", "hidden.git", "none", "none.git", "hidden.git.git", "x.lock"} {
				r := httptest.NewRequest(c.method, "/alice/"+name+c.path, strings.NewReader("0000"))
				if c.method == "POST" {
					service, _, _ := strings.Cut(c.path[1:], "?")
					r.Header.Set("Content-Type", "application/x-"+service+"-request")
				}
				if login != "" {
					r.SetBasicAuth(login, "correct horse")
				}
				w := httptest.NewRecorder()
				i.Handler().ServeHTTP(w, r)
				w.Header().Del("X-Request-Id")
				answers = append(answers, fmt.Sprint(w.Code, w.Header(), w.Body))
				if answers[len(answers)-1] != answers[0] || w.Code < 400 {
					t.Errorf("%s to %q: %s%s\n%s\n%s", c.method, login, name, c.path, answers[len(answers)-1], answers[0])
				}
			}
		}
	}
}

// A program of one's own that has a forge under its address.
func Example() {
	ctx := context.Background()
	data, err := os.MkdirTemp("", "ingot")
	if err != nil {
		panic(err)
	}
	defer os.RemoveAll(data)
	forgeURL := "https://example.org"
	instance, err := ingot.Open(ctx, ingot.Config{Data: data, URL: forgeURL, Log: slog.New(slog.DiscardHandler)})
	if err != nil {
		panic(err)
	}
	defer instance.Close(ctx)

	// The program is the machine: it may make users and repositories.
	me := forge.Machine()
	if _, err := instance.Accounts.CreateUser(ctx, me, account.NewUser{Login: "alice"}); err != nil {
		panic(err)
	}
	if _, err := instance.Hosting.Create(ctx, me, "alice", hosting.NewRepository{Name: "project"}); err != nil {
		panic(err)
	}

	// git clone https://example.org/alice/project.git, the API and the pages:
	server := httptest.NewServer(instance.Handler())
	defer server.Close()
	answer, err := http.Get(server.URL + "/alice/project.git/info/refs?service=git-upload-pack")
	if err != nil {
		panic(err)
	}
	defer answer.Body.Close()
	fmt.Println(answer.Status, answer.Header.Get("Content-Type"))
	// Output: 200 OK application/x-git-upload-pack-advertisement
}
