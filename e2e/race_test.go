package e2e

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
)

// racers is how many clients push to one ref at once.
const racers = 20

// barrier is a pre-push hook. Git runs it when it has the server's refs and
// before it sends anything: there each client waits for all others.
const barrier = `#!/bin/sh
cat >/dev/null
touch "$RACE_DIR/$$"
while [ "$(ls "$RACE_DIR" | wc -l)" -lt %d ]; do sleep 0.02; done
`

// TestRaceForOneRef lets many clients push to one branch, all of which have seen
// it at the same commit: one wins, the others are told, and nothing is left of
// their commits but what no ref reaches.
func TestRaceForOneRef(t *testing.T) {
	s := start(t, t.TempDir())
	token := s.user(t, "alice", "repo")
	url := s.url(token, "alice/race.git")
	base := filepath.Join(t.TempDir(), "base")
	mustGit(t, "", "init", "-q", base)
	mustGit(t, base, "commit", "-q", "--allow-empty", "-m", "base")
	mustGit(t, base, "push", "-q", url, "main")

	hook := fmt.Sprintf(barrier, racers)
	waiting := t.TempDir()
	type racer struct{ dir, id, answer string }
	var clients [racers]racer
	var wins atomic.Int32
	var winner racer
	var all sync.WaitGroup
	for i := range clients {
		dir := filepath.Join(t.TempDir(), fmt.Sprint(i))
		mustGit(t, "", "clone", "-q", base, dir)
		mustGit(t, dir, "commit", "-q", "--allow-empty", "-m", fmt.Sprint("client ", i))
		if err := os.WriteFile(filepath.Join(dir, ".git", "hooks", "pre-push"), []byte(hook), 0o700); err != nil {
			t.Fatal(err)
		}
		clients[i] = racer{dir: dir, id: strings.TrimSpace(mustGit(t, dir, "rev-parse", "main"))}
	}
	for i := range clients {
		c := &clients[i]
		all.Go(func() {
			cmd := exec.CommandContext(t.Context(), "git", "push", "--porcelain", url, "main")
			cmd.Dir, cmd.Env = c.dir, environment("RACE_DIR="+waiting)
			out, err := cmd.CombinedOutput()
			c.answer = string(out)
			if err == nil {
				wins.Add(1)
				winner = *c
			}
		})
	}
	all.Wait()
	if wins.Load() != 1 {
		t.Fatalf("%d of %d pushes won:\n%v", wins.Load(), racers, clients)
	}
	for _, c := range clients {
		if c.dir != winner.dir && !strings.Contains(c.answer, "!\trefs/heads/main:refs/heads/main\t[remote rejected]") {
			t.Errorf("a loser was told:\n%s", c.answer)
		}
	}
	again := filepath.Join(t.TempDir(), "again.git")
	mustGit(t, "", "clone", "-q", "--mirror", url, again)
	if head := strings.TrimSpace(mustGit(t, again, "rev-parse", "main")); head != winner.id {
		t.Errorf("main is %s; the winner pushed %s", head, winner.id)
	}
	if n := strings.TrimSpace(mustGit(t, again, "rev-list", "--count", "--all")); n != "2" {
		t.Errorf("%s commits are reachable, not 2", n)
	}
	if out := s.admin(t, "", "fsck"); !strings.Contains(out, "alice/race: 0 faults") {
		t.Errorf("ingot admin fsck:\n%s", out)
	}
}

// TestCloneWhileOthersPush clones again and again, in every way, while others
// push branches of their own; each clone is whole, and in the end everything
// pushed is there.
func TestCloneWhileOthersPush(t *testing.T) {
	const pushers, pushes = 4, 8
	s := start(t, t.TempDir())
	token := s.user(t, "alice", "repo")
	url, ssh := s.url(token, "alice/busy.git"), "ssh://git@"+s.ssh+"/alice/busy.git"
	key := "core.sshCommand=" + sshCommand(addKey(t, s, "alice"))
	source := generateHistory(t, 16)
	mustGit(t, source, "push", "-q", "--mirror", url)

	ctx, done := context.WithCancel(t.Context())
	var pushing, cloning sync.WaitGroup
	var heads sync.Map
	for p := range pushers {
		dir := filepath.Join(t.TempDir(), "pusher")
		mustGit(t, "", "clone", "-q", source, dir)
		pushing.Go(func() {
			branch := fmt.Sprint("pusher", p)
			for i := range pushes {
				content := bytes.Repeat(fmt.Appendf(nil, "line %d of %s\n", i, branch), 200)
				if err := os.WriteFile(filepath.Join(dir, branch), content, 0o600); err != nil {
					t.Error(err)
					return
				}
				to := url
				if i%2 == 1 {
					to = ssh
				}
				for _, args := range [][]string{{"add", branch}, {"commit", "-q", "-m", branch}, {"-c", key, "push", "-q", to, "HEAD:refs/heads/" + branch}} {
					if _, err := git(ctx, dir, args...); err != nil {
						t.Error(err)
						return
					}
				}
			}
			head, err := git(ctx, dir, "rev-parse", "HEAD")
			if err != nil {
				t.Error(err)
			}
			heads.Store(branch, strings.TrimSpace(head))
		})
	}
	for _, way := range [][]string{{"-c", "protocol.version=0", "clone", "-q", "--mirror", url}, {"clone", "-q", "--mirror", url},
		{"-c", key, "clone", "-q", "--mirror", ssh}} {
		dir := t.TempDir()
		cloning.Go(func() {
			for n := 0; ctx.Err() == nil; n++ {
				clone := filepath.Join(dir, fmt.Sprint(n))
				for _, args := range [][]string{append(way, clone), {"-C", clone, "fsck", "--full", "--strict"}} {
					if _, err := git(t.Context(), "", args...); err != nil {
						t.Errorf("clone %d: %v", n, err)
						return
					}
				}
			}
		})
	}
	pushing.Wait()
	done()
	cloning.Wait()
	last := filepath.Join(t.TempDir(), "last.git")
	mustGit(t, "", "clone", "-q", "--mirror", url, last)
	for p := range pushers {
		branch := fmt.Sprint("pusher", p)
		want, _ := heads.Load(branch)
		if got := strings.TrimSpace(mustGit(t, last, "rev-parse", branch)); got != want {
			t.Errorf("%s is at %s; pushed was %v", branch, got, want)
		}
	}
	if out := s.admin(t, "", "fsck"); !strings.Contains(out, "alice/busy: 0 faults") {
		t.Errorf("ingot admin fsck:\n%s", out)
	}
}

// addKey gives a user an SSH key and returns the file of its private part.
func addKey(t testing.TB, s *server, login string) string {
	t.Helper()
	file := filepath.Join(t.TempDir(), "key")
	if out, err := exec.Command("ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", file).CombinedOutput(); err != nil {
		t.Fatalf("ssh-keygen: %v\n%s", err, out)
	}
	public, err := os.ReadFile(file + ".pub")
	if err != nil {
		t.Fatal(err)
	}
	token := s.admin(t, "", "token", "create", login, "--scopes", "admin:public_key")
	body, err := json.Marshal(map[string]string{"title": "test", "key": string(public)})
	if err != nil {
		t.Fatal(err)
	}
	if status, answer, err := call(s, token, "POST", "/user/keys", body); err != nil || status != http.StatusCreated {
		t.Fatalf("adding the key: %d %s %v", status, answer, err)
	}
	return file
}
