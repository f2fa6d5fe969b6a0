package e2e

import (
	"bufio"
	"bytes"
	"context"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"
)

// ingot is the program under test, built once by TestMain.
var ingot string

func TestMain(m *testing.M) {
	dir, err := os.MkdirTemp("", "ingot-e2e-")
	if err != nil {
		panic(err)
	}
	ingot = filepath.Join(dir, "ingot")
	build := exec.Command("go", "build", "-o", ingot, "../cmd/ingot")
	build.Stderr = os.Stderr
	if err := build.Run(); err != nil {
		fmt.Fprintln(os.Stderr, "building ingot:", err)
		os.Exit(1)
	}
	code := m.Run()
	os.RemoveAll(dir)
	os.Exit(code)
}

// server is one running `ingot serve` on a data directory.
type server struct {
	data string // its --data
	http string // "127.0.0.1:41234"
	ssh  string // "127.0.0.1:45678"
	cmd  *exec.Cmd
	done chan struct{}

	mu  sync.Mutex
	log bytes.Buffer
	err error // of the process, once done is closed
}

// start runs `ingot serve` on data and returns when it answers. It is stopped
// with the test.
func start(t testing.TB, data string, flags ...string) *server {
	t.Helper()
	s, err := launch(data, flags...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		s.stop()
		if t.Failed() {
			t.Logf("server log:\n%s", s.output())
		}
	})
	return s
}

func launch(data string, flags ...string) (*server, error) {
	args := append([]string{"serve", "--data", data, "--http", "127.0.0.1:0", "--ssh", "127.0.0.1:0"}, flags...)
	s := &server{data: data, cmd: exec.Command(ingot, args...), done: make(chan struct{})}
	s.cmd.Env = environment()
	out, err := s.cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	s.cmd.Stderr = s.writer()
	if err := s.cmd.Start(); err != nil {
		return nil, err
	}
	ready := make(chan struct{})
	go func() {
		// The server says where it listens: "http  http://127.0.0.1:41234",
		// "ssh  ssh://git@127.0.0.1:45678".
		lines := bufio.NewScanner(out)
		for lines.Scan() {
			s.mu.Lock()
			fmt.Fprintln(&s.log, lines.Text())
			if _, addr, ok := strings.Cut(lines.Text(), "http://"); ok && s.http == "" {
				s.http = strings.Trim(strings.Fields(addr)[0], "/")
			}
			if _, addr, ok := strings.Cut(lines.Text(), "ssh://git@"); ok && s.ssh == "" {
				s.ssh = strings.Trim(strings.Fields(addr)[0], "/")
				close(ready)
			}
			s.mu.Unlock()
		}
		io.Copy(io.Discard, out)
		s.err = s.cmd.Wait()
		close(s.done)
	}()
	select {
	case <-ready:
	case <-s.done:
		return nil, fmt.Errorf("ingot serve ended at once: %v\n%s", s.err, s.output())
	case <-time.After(20 * time.Second):
		s.kill()
		return nil, fmt.Errorf("ingot serve did not say where it listens:\n%s", s.output())
	}
	for range 200 {
		if res, err := http.Get("http://" + s.http + "/readyz"); err == nil {
			res.Body.Close()
			if res.StatusCode == http.StatusOK {
				return s, nil
			}
		}
		time.Sleep(10 * time.Millisecond)
	}
	s.kill()
	return nil, fmt.Errorf("ingot serve is not ready:\n%s", s.output())
}

// stop asks the server to end as an operator would and waits for it.
func (s *server) stop() {
	s.cmd.Process.Signal(os.Interrupt)
	select {
	case <-s.done:
	case <-time.After(30 * time.Second):
		s.kill()
	}
}

// kill ends the server as a crash would.
func (s *server) kill() {
	s.cmd.Process.Kill()
	<-s.done
}

func (s *server) output() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.log.String()
}

func (s *server) writer() io.Writer { return lockedWriter{s} }

type lockedWriter struct{ s *server }

func (w lockedWriter) Write(p []byte) (int, error) {
	w.s.mu.Lock()
	defer w.s.mu.Unlock()
	return w.s.log.Write(p)
}

// url is the address of a path, with a token in it if token is not "".
func (s *server) url(token, path string) string {
	if token != "" {
		return "http://x:" + token + "@" + s.http + "/" + path
	}
	return "http://" + s.http + "/" + path
}

// admin runs `ingot admin …` on the server's data directory and returns what it
// printed.
func (s *server) admin(t testing.TB, stdin string, args ...string) string {
	t.Helper()
	out, err := runAdmin(s.data, stdin, args...)
	if err != nil {
		t.Fatal(err)
	}
	return out
}

func runAdmin(data, stdin string, args ...string) (string, error) {
	cmd := exec.Command(ingot, append(append([]string{"admin"}, args...), "--data", data)...)
	cmd.Env = environment()
	cmd.Stdin = strings.NewReader(stdin)
	var stdout, stderr bytes.Buffer
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	if err := cmd.Run(); err != nil {
		return stdout.String(), fmt.Errorf("ingot admin %s: %v\n%s%s", strings.Join(args, " "), err, stdout.String(), stderr.String())
	}
	return strings.TrimSpace(stdout.String()), nil
}

// user makes a user and returns a token of theirs with the scopes.
func (s *server) user(t testing.TB, login, scopes string) string {
	t.Helper()
	s.admin(t, "correct horse battery staple\n", "user", "create", login, "--password-stdin", "--email", login+"@example.org")
	return s.admin(t, "", "token", "create", login, "--scopes", scopes)
}

// environment is a clean one: no configuration of the machine reaches git or ingot.
func environment(extra ...string) []string {
	env := []string{
		"PATH=" + os.Getenv("PATH"), "HOME=" + os.TempDir(), "TMPDIR=" + os.TempDir(), "LANG=C.UTF-8", "TZ=UTC",
		"GIT_CONFIG_NOSYSTEM=1", "GIT_CONFIG_GLOBAL=/dev/null", "GIT_TERMINAL_PROMPT=0",
		"GIT_AUTHOR_NAME=A U Thor", "GIT_AUTHOR_EMAIL=author@example.org", "GIT_AUTHOR_DATE=1700000000 +0100",
		"GIT_COMMITTER_NAME=C O Mitter", "GIT_COMMITTER_EMAIL=committer@example.org", "GIT_COMMITTER_DATE=1700000000 -0200",
		"GOCACHE=" + goEnv("GOCACHE"), "GOMODCACHE=" + goEnv("GOMODCACHE"), "GOPATH=" + goEnv("GOPATH"),
	}
	for _, key := range []string{"GOPROXY", "GOFLAGS", "GOSUMDB", "GONOSUMDB", "GOTOOLCHAIN"} {
		if v, ok := os.LookupEnv(key); ok {
			env = append(env, key+"="+v)
		}
	}
	return append(env, extra...)
}

var goEnv = func() func(string) string {
	var mu sync.Mutex
	known := map[string]string{}
	return func(key string) string {
		mu.Lock()
		defer mu.Unlock()
		if _, ok := known[key]; !ok {
			out, _ := exec.Command("go", "env", key).Output()
			known[key] = strings.TrimSpace(string(out))
		}
		return known[key]
	}
}()

// git runs git in dir and returns what it printed on both streams.
func git(ctx context.Context, dir string, args ...string) (string, error) {
	cmd := exec.CommandContext(ctx, "git", args...)
	cmd.Dir = dir
	cmd.Env = environment("GIT_CONFIG_COUNT=2",
		"GIT_CONFIG_KEY_0=init.defaultBranch", "GIT_CONFIG_VALUE_0=main",
		"GIT_CONFIG_KEY_1=gc.auto", "GIT_CONFIG_VALUE_1=0")
	out, err := cmd.CombinedOutput()
	if err != nil {
		return string(out), fmt.Errorf("git %s: %v\n%s", strings.Join(args, " "), err, out)
	}
	return string(out), nil
}

// mustGit is git for steps that have to work.
func mustGit(t testing.TB, dir string, args ...string) string {
	t.Helper()
	out, err := git(t.Context(), dir, args...)
	if err != nil {
		t.Fatal(err)
	}
	return out
}
