package e2e

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"flag"
	"fmt"
	mathrand "math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

var crashRounds = flag.Int("crash.rounds", 6, "how often TestCrash kills the server")

// pushers is how many clients push while the server is killed.
const pushers = 4

// pusher pushes commit after commit to a branch of its own and remembers what
// the server said.
type pusher struct {
	dir, ref string

	mu       sync.Mutex
	acked    string // the last push that the server acknowledged
	inFlight string // a push whose answer has not come, or never will
}

// push makes a commit on top of the last acknowledged one and pushes it, size
// bytes of random content in it.
func (p *pusher) push(ctx context.Context, url string, size int) error {
	content := make([]byte, size)
	rand.Read(content)
	if err := os.WriteFile(filepath.Join(p.dir, "content"), content, 0o600); err != nil {
		return err
	}
	p.mu.Lock()
	parent := p.acked
	p.mu.Unlock()
	if parent != "" {
		if _, err := git(ctx, p.dir, "reset", "-q", "--soft", parent); err != nil {
			return err
		}
	}
	if _, err := git(ctx, p.dir, "add", "content"); err != nil {
		return err
	}
	if _, err := git(ctx, p.dir, "commit", "-q", "-m", hex.EncodeToString(content[:8])); err != nil {
		return err
	}
	id, err := git(ctx, p.dir, "rev-parse", "HEAD")
	if err != nil {
		return err
	}
	id = strings.TrimSpace(id)
	p.mu.Lock()
	p.inFlight = id
	p.mu.Unlock()
	_, err = git(ctx, p.dir, "push", "-q", "--force", url, "HEAD:"+p.ref)
	if err == nil {
		p.mu.Lock()
		p.acked, p.inFlight = id, ""
		p.mu.Unlock()
	}
	return err
}

// settle checks where the server has the branch after a crash: where it was
// acknowledged to be, or where the push in flight wanted it.
func (p *pusher) settle(t *testing.T, at string) {
	t.Helper()
	p.mu.Lock()
	defer p.mu.Unlock()
	switch at {
	case p.acked:
	case p.inFlight:
		p.acked = at
	default:
		t.Errorf("%s is at %q; acknowledged was %q, in flight %q", p.ref, at, p.acked, p.inFlight)
	}
	p.inFlight = ""
}

// TestCrash kills the server with SIGKILL at random moments while clients push, into rows and
// into files, and packs are joined and data derived from them.
// After each restart every acknowledged push is there, no ref is where nobody
// put it, and the repository is whole; in the end what the crashes left behind
// is swept, and nothing else.
func TestCrash(t *testing.T) {
	data := t.TempDir()
	s, err := launch(data)
	if err != nil {
		t.Fatal(err)
	}
	token := s.user(t, "alice", "repo")
	workers := make([]*pusher, pushers)
	for i := range workers {
		workers[i] = &pusher{dir: t.TempDir(), ref: fmt.Sprintf("refs/heads/worker-%d", i)}
		mustGit(t, workers[i].dir, "init", "-q")
		// So many objects that packs have derived data, in each round anew.
		for n := range 400 {
			if err := os.WriteFile(filepath.Join(workers[i].dir, fmt.Sprint("file-", n)), fmt.Appendf(nil, "%d of %d\n", n, i), 0o600); err != nil {
				t.Fatal(err)
			}
		}
		mustGit(t, workers[i].dir, "add", ".")
		if err := workers[i].push(t.Context(), s.url(token, "alice/crash.git"), 10); err != nil {
			t.Fatal(err)
		}
	}
	landed := 0
	for round := range *crashRounds {
		ctx, stop := context.WithCancel(t.Context())
		var running sync.WaitGroup
		var mu sync.Mutex
		for _, w := range workers {
			running.Go(func() {
				url := s.url(token, "alice/crash.git")
				for ctx.Err() == nil {
					size := 100
					if mathrand.IntN(4) == 0 {
						size = 1 << (10 + mathrand.IntN(13)) // up to 4 MiB
					}
					if w.push(ctx, url, size) != nil {
						return // the server is gone
					}
					mu.Lock()
					landed++
					mu.Unlock()
				}
			})
		}
		// Packs are joined beside the pushes, again and again, by processes that are killed as well.
		running.Go(func() {
			for ctx.Err() == nil {
				compact := exec.CommandContext(ctx, ingot, "admin", "compact", "--all", "alice/crash", "--data", data)
				compact.Env = environment()
				_ = compact.Run() // killed, or outrun by the server's own
			}
		})
		time.Sleep(time.Duration(100+mathrand.IntN(2400)) * time.Millisecond)
		s.kill()
		stop()
		running.Wait()
		if s, err = launch(data); err != nil {
			t.Fatalf("round %d: restart: %v", round, err)
		}
		at := remoteRefs(t, s.url(token, "alice/crash.git"))
		for _, w := range workers {
			w.settle(t, at[w.ref])
			delete(at, w.ref)
		}
		if len(at) > 0 {
			t.Errorf("round %d: refs that nobody pushed: %v", round, at)
		}
		// Every round would be fine too; it takes longer the more was pushed.
		if round%20 == 0 || round == *crashRounds-1 {
			if out, err := runAdmin(data, "", "fsck"); err != nil || !strings.Contains(out, ": 0 faults") {
				t.Errorf("round %d: fsck: %v\n%s", round, err, out)
			}
		}
		if t.Failed() {
			t.Fatalf("round %d; server log:\n%s", round, s.output())
		}
	}
	derived := 0
	for file := range storedFiles(t, data) {
		if strings.HasSuffix(file, ".bitmap") {
			derived++
		}
	}
	t.Logf("%d rounds, %d pushes acknowledged, %d files of bitmaps", *crashRounds, landed, derived)
	if out, err := runAdmin(data, "", "compact", "--all"); err != nil {
		t.Errorf("compaction after the crashes: %v\n%s", err, out)
	}
	if landed == 0 {
		t.Error("no push was ever acknowledged: the test did not test")
	}
	clone := filepath.Join(t.TempDir(), "clone.git")
	mustGit(t, "", "clone", "-q", "--mirror", s.url(token, "alice/crash.git"), clone)
	mustGit(t, clone, "fsck", "--full", "--strict")
	s.stop()
	sweepIsExact(t, data)
}

func remoteRefs(t *testing.T, url string) map[string]string {
	t.Helper()
	at := map[string]string{}
	for line := range strings.Lines(mustGit(t, "", "ls-remote", url)) {
		if fields := strings.Fields(line); len(fields) == 2 && fields[1] != "HEAD" {
			at[fields[1]] = fields[0]
		}
	}
	return at
}

// sweepIsExact lets all stored files grow old and sweeps: what is left belongs
// to repositories, which are whole, and a second sweep finds nothing.
func sweepIsExact(t *testing.T, data string) {
	t.Helper()
	old := time.Now().Add(-30 * 24 * time.Hour)
	before := storedFiles(t, data)
	for file := range before {
		if err := os.Chtimes(file, old, old); err != nil {
			t.Fatal(err)
		}
	}
	out, err := runAdmin(data, "", "sweep")
	if err != nil {
		t.Fatal(err)
	}
	after := storedFiles(t, data)
	t.Logf("%d files before, %d after; %s", len(before), len(after), out[strings.LastIndexByte(out, '\n')+1:])
	if out, err := runAdmin(data, "", "fsck"); err != nil || !strings.Contains(out, ": 0 faults") {
		t.Errorf("fsck after the sweep: %v\n%s", err, out)
	}
	if out, err := runAdmin(data, "", "sweep"); err != nil || !strings.HasPrefix(out, "0 files") {
		t.Errorf("a second sweep: %v\n%s", err, out)
	}
	for file := range after {
		if strings.Contains(file, "/drafts/") {
			t.Errorf("a draft is left: %s", file)
		}
	}
	for file := range after {
		stem := strings.TrimSuffix(file, filepath.Ext(file))
		if !after[stem+".pack"] || !after[stem+".idx"] {
			t.Errorf("%s is left without its pack or index", file)
		}
	}
}

func storedFiles(t *testing.T, data string) map[string]bool {
	t.Helper()
	files := map[string]bool{}
	err := filepath.WalkDir(filepath.Join(data, "blobs"), func(file string, entry os.DirEntry, err error) error {
		if err == nil && !entry.IsDir() {
			files[file] = true
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return files
}

// TestDiskFull fills the disk under a running server. The push that does not
// fit is refused in words, nothing of it is kept, what was acknowledged stays
// readable, and once there is room again pushes work.
func TestDiskFull(t *testing.T) {
	mounted := t.TempDir()
	if err := syscall.Mount("tmpfs", mounted, "tmpfs", 0, "size=24m"); err != nil {
		t.Skipf("needs to mount a small tmpfs: %v", err)
	}
	t.Cleanup(func() { exec.Command("umount", "-l", mounted).Run() })
	data := filepath.Join(mounted, "data")
	s := start(t, data)
	token := s.user(t, "alice", "repo")
	url := s.url(token, "alice/full.git")
	p := &pusher{dir: t.TempDir(), ref: "refs/heads/main"}
	mustGit(t, p.dir, "init", "-q")
	filler := filepath.Join(mounted, "filler")
	if err := os.WriteFile(filler, make([]byte, 6<<20), 0o600); err != nil {
		t.Fatal(err)
	}
	var full error
	for i := range 40 {
		if full = p.push(t.Context(), url, 900<<10); full != nil {
			if i < 3 {
				t.Fatalf("push %d failed already: %v", i, full)
			}
			break
		}
	}
	if full == nil {
		t.Fatal("the disk never got full")
	}
	if !strings.Contains(full.Error(), "no space left") && !strings.Contains(full.Error(), "disk is full") {
		t.Errorf("the refusal does not say that the disk is full:\n%v", full)
	}
	if at := remoteRefs(t, url)["refs/heads/main"]; at != p.acked {
		t.Errorf("main is at %s, acknowledged was %s", at, p.acked)
	}
	clone := filepath.Join(t.TempDir(), "clone")
	mustGit(t, "", "clone", "-q", url, clone)
	mustGit(t, clone, "fsck", "--full", "--strict")

	if err := os.Remove(filler); err != nil {
		t.Fatal(err)
	}
	if err := p.push(t.Context(), url, 100<<10); err != nil {
		t.Errorf("with room again: %v", err)
	}
	if out, err := runAdmin(data, "", "fsck"); err != nil || !strings.Contains(out, ": 0 faults") {
		t.Errorf("fsck: %v\n%s", err, out)
	}
	s.stop()
	sweepIsExact(t, data)
}
