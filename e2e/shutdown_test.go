package e2e

import (
	"crypto/rand"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

// TestShutdownFinishesWhatRuns sends the server SIGTERM in the midst of clones and
// pushes over both transports: it takes nothing new, they end well, and only then
// does it end, well too.
func TestShutdownFinishesWhatRuns(t *testing.T) {
	data := t.TempDir()
	s := start(t, data)
	token := s.user(t, "alice", "repo")
	key := "core.sshCommand=" + sshCommand(addKey(t, s, "alice"))

	// More than the kernel buffers, so that the server is not done sending.
	source := randomRepository(t, 24<<20)
	mustGit(t, source, "push", "-q", s.url(token, "alice/large.git"), "main")
	small := randomRepository(t, 2<<20)

	web := func(d *dam, repo string) string {
		return "http://x:" + token + "@" + d.addr + "/alice/" + repo + ".git"
	}
	secure := func(d *dam, repo string) string { return "ssh://git@" + d.addr + "/alice/" + repo + ".git" }
	clones := t.TempDir()
	httpDown, sshDown := newDam(t, s.http, false), newDam(t, s.ssh, false)
	httpUp, sshUp := newDam(t, s.http, true), newDam(t, s.ssh, true)
	running := []struct {
		dam  *dam
		dir  string
		args []string
	}{
		{httpDown, "", []string{"clone", "-q", "--mirror", web(httpDown, "large"), filepath.Join(clones, "http.git")}},
		{sshDown, "", []string{"-c", key, "clone", "-q", "--mirror", secure(sshDown, "large"), filepath.Join(clones, "ssh.git")}},
		{httpUp, small, []string{"push", "-q", web(httpUp, "http"), "main"}},
		{sshUp, small, []string{"-c", key, "push", "-q", secure(sshUp, "ssh"), "main"}},
	}
	idle := s.inFlight(t)
	var all sync.WaitGroup
	for _, r := range running {
		all.Go(func() {
			if _, err := git(t.Context(), r.dir, r.args...); err != nil {
				t.Error(err)
			}
		})
	}
	for i, r := range running {
		select {
		case <-r.dam.full:
		case <-time.After(30 * time.Second):
			t.Fatalf("git %v did not get under way (%d)", r.args, i)
		}
	}
	// What has got through the dam may still be on its way to the server, which would
	// rightly close a connection that asks for nothing.
	for deadline := time.Now().Add(20 * time.Second); s.inFlight(t) < idle+2; time.Sleep(20 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatal("the server did not begin to answer both HTTP requests")
		}
	}
	if err := s.cmd.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	for _, addr := range []string{s.http, s.ssh} {
		for deadline := time.Now().Add(10 * time.Second); ; time.Sleep(20 * time.Millisecond) {
			conn, err := net.Dial("tcp", addr)
			if err != nil {
				break
			}
			conn.Close()
			if time.Now().After(deadline) {
				t.Errorf("%s still takes connections", addr)
				break
			}
		}
	}
	select {
	case <-s.done:
		t.Error("the server ended before its requests")
	default:
	}
	for _, r := range running {
		close(r.dam.open)
	}
	all.Wait()
	select {
	case <-s.done:
	case <-time.After(20 * time.Second):
		t.Fatal("the server did not end when its requests had")
	}
	if s.err != nil {
		t.Errorf("the server ended with %v", s.err)
	}
	for _, name := range []string{"http.git", "ssh.git"} {
		mustGit(t, filepath.Join(clones, name), "fsck", "--full", "--strict")
	}
	again := start(t, data)
	want := strings.TrimSpace(mustGit(t, small, "rev-parse", "main"))
	for _, repo := range []string{"http", "ssh"} {
		if refs := mustGit(t, "", "ls-remote", again.url(token, "alice/"+repo+".git"), "main"); !strings.HasPrefix(refs, want) {
			t.Errorf("alice/%s, whose push ended well, has %q", repo, refs)
		}
	}
	if out := again.admin(t, "", "fsck"); strings.Count(out, ": 0 faults") != 3 {
		t.Errorf("ingot admin fsck:\n%s", out)
	}
}

// inFlight returns how many HTTP requests the server is answering, as its metrics say.
func (s *server) inFlight(t testing.TB) int {
	t.Helper()
	res, err := http.Get("http://" + s.http + "/metrics")
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	text, err := io.ReadAll(res.Body)
	if err != nil {
		t.Fatal(err)
	}
	_, value, _ := strings.Cut(string(text), "\ningot_http_requests_in_flight ")
	line, _, _ := strings.Cut(value, "\n")
	n, err := strconv.Atoi(line)
	if err != nil {
		t.Fatalf("metrics: %d, %v", res.StatusCode, err)
	}
	return n
}

// randomRepository makes a repository of one commit with size bytes in it that
// can't be compressed.
func randomRepository(t testing.TB, size int) string {
	t.Helper()
	dir := filepath.Join(t.TempDir(), "repository")
	mustGit(t, "", "init", "-q", dir)
	content := make([]byte, size)
	rand.Read(content)
	if err := os.WriteFile(filepath.Join(dir, "content"), content, 0o600); err != nil {
		t.Fatal(err)
	}
	mustGit(t, dir, "-c", "core.compression=0", "add", "content")
	mustGit(t, dir, "commit", "-q", "-m", "content")
	return dir
}

// dam stands between a client and the server and lets only so much through,
// towards the client or towards the server, until it is opened.
type dam struct {
	addr string
	full chan struct{} // closed when something waits
	open chan struct{}
	once sync.Once
}

// damHolds is how much gets through a closed dam: more than a conversation
// before its pack, less than any pack here.
const damHolds = 256 << 10

func newDam(t testing.TB, to string, upstream bool) *dam {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	d := &dam{addr: l.Addr().String(), full: make(chan struct{}), open: make(chan struct{})}
	go func() {
		for {
			client, err := l.Accept()
			if err != nil {
				return
			}
			server, err := net.Dial("tcp", to)
			if err != nil {
				client.Close()
				continue
			}
			up, down := free, d.hold
			if upstream {
				up, down = d.hold, free
			}
			go up(server, client)
			go down(client, server)
		}
	}()
	return d
}

func free(to, from net.Conn) {
	io.Copy(to, from)
	to.(*net.TCPConn).CloseWrite()
}

func (d *dam) hold(to, from net.Conn) {
	if n, _ := io.CopyN(to, from, damHolds); n == damHolds {
		d.once.Do(func() { close(d.full) })
		<-d.open
	}
	free(to, from)
}
