package code_test

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/ingot-forge/ingot/forge"
	"github.com/ingot-forge/ingot/forge/code"
	"github.com/ingot-forge/ingot/forge/hosting"
	"github.com/ingot-forge/ingot/forge/hosting/hostingtest"
	"github.com/ingot-forge/ingot/git"
	"github.com/ingot-forge/ingot/git/repo"
	"github.com/ingot-forge/ingot/git/repo/memrepo"
	"github.com/ingot-forge/ingot/git/transfer"
)

// world is a service over models in memory, where alice has the repository "r", and a
// repository of stock git beside it.
type world struct {
	*hosting.Service
	t     *testing.T
	alice *forge.Actor
	dir   string
}

func open(t *testing.T) *world {
	t.Helper()
	m := hostingtest.NewMemory()
	store := repo.New(new(memrepo.Files), m, repo.Config{})
	t.Cleanup(func() {
		if err := store.Close(); err != nil {
			t.Error(err)
		}
	})
	w := &world{t: t, dir: filepath.Join(t.TempDir(), "work")}
	w.Service = hosting.NewService(hosting.Stores{Repositories: m, Collaborators: m, Forks: m, Events: m, Owners: m, RefLog: m,
		Git: &transfer.Server{Store: store, Agent: "ingot/test"}}, hosting.Config{})
	w.alice = &forge.Actor{User: m.AddUser(forge.User{Login: "alice", Name: "Alice A."}), Credential: forge.Credential{Kind: forge.ByPassword}}
	if _, err := w.Create(t.Context(), w.alice, "", hosting.NewRepository{Name: "r"}); err != nil {
		t.Fatal(err)
	}
	if err := os.MkdirAll(w.dir, 0o777); err != nil {
		t.Fatal(err)
	}
	w.git("init", "-q", "-b", "main")
	return w
}

// git runs stock git and returns what it prints.
func (w *world) git(args ...string) string {
	w.t.Helper()
	cmd := exec.Command("git", args...)
	cmd.Dir = w.dir
	cmd.Env = append(os.Environ(), "GIT_CONFIG_NOSYSTEM=1", "GIT_CONFIG_GLOBAL=/dev/null", "LC_ALL=C.UTF-8", "TZ=UTC",
		"GIT_AUTHOR_NAME=A", "GIT_AUTHOR_EMAIL=a@example.org", "GIT_COMMITTER_NAME=C", "GIT_COMMITTER_EMAIL=c@example.org")
	out, err := cmd.Output()
	if err != nil {
		w.t.Fatalf("git %s: %v", strings.Join(args, " "), err)
	}
	return string(out)
}

func (w *world) write(path, text string) {
	w.t.Helper()
	full := filepath.Join(w.dir, path)
	if err := os.MkdirAll(filepath.Dir(full), 0o777); err != nil {
		w.t.Fatal(err)
	}
	if err := os.WriteFile(full, []byte(text), 0o666); err != nil {
		w.t.Fatal(err)
	}
}

func (w *world) commit(message string, more ...string) {
	w.t.Helper()
	w.git("add", "-A")
	w.git(append([]string{"commit", "-q", "--allow-empty", "--cleanup=verbatim", "-m", message}, more...)...)
}

// view opens "r" for an action.
func (w *world) view(action forge.Action) *code.View {
	w.t.Helper()
	h, err := w.Open(w.t.Context(), w.alice, action, "alice", "r")
	if err != nil {
		w.t.Fatal(err)
	}
	v, err := code.Open(w.t.Context(), h)
	if err != nil {
		w.t.Fatal(err)
	}
	w.t.Cleanup(v.Close)
	return v
}

// push takes all that stock git has into "r".
func (w *world) push() {
	w.t.Helper()
	v := w.view(forge.Push)
	pack := w.git("pack-objects", "--all", "--stdout", "-q")
	staged, err := v.Handle.Ingest(w.t.Context(), v.Snapshot(), bytes.NewReader([]byte(pack)), repo.IngestOptions{})
	if err != nil {
		w.t.Fatal(err)
	}
	var refs []repo.RefUpdate
	for line := range strings.Lines(w.git("for-each-ref", "--format=%(objectname) %(refname)")) {
		id, name, _ := strings.Cut(strings.TrimSpace(line), " ")
		target, err := git.SHA1.Parse(id)
		if err != nil {
			w.t.Fatal(err)
		}
		old, _ := v.Snapshot().Ref(name)
		refs = append(refs, repo.RefUpdate{Name: name, Old: old.Target, New: target})
	}
	if _, err := v.Handle.Commit(w.t.Context(), v.Snapshot(), refs, staged, "push"); err != nil {
		w.t.Fatal(err)
	}
}

func wantKind(t *testing.T, what string, err error, want forge.Kind) {
	t.Helper()
	if got := forge.KindOf(err); got != want || err == nil != (want == 0) {
		t.Errorf("%s: %v, want %s", what, err, want)
	}
}
