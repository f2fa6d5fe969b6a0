package ssh_test

import (
	"bytes"
	"context"
	"crypto/ed25519"
	"crypto/rand"
	"errors"
	"io"
	"log/slog"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	gossh "golang.org/x/crypto/ssh"

	"github.com/ingot-forge/ingot"
	"github.com/ingot-forge/ingot/forge"
	"github.com/ingot-forge/ingot/forge/account"
	"github.com/ingot-forge/ingot/forge/hosting"
	"github.com/ingot-forge/ingot/serve"
	"github.com/ingot-forge/ingot/serve/ssh"
)

// world is a server over a fresh instance, with alice, who has a private and a
// public repository, and bob; each has a key.
type world struct {
	*ssh.Server
	instance   *ingot.Instance
	address    string
	served     chan error
	log        *bytes.Buffer
	alice, bob gossh.Signer
}

func open(t *testing.T, l ssh.Limits) *world {
	t.Helper()
	ctx := t.Context()
	i, err := ingot.Open(ctx, ingot.Config{Data: t.TempDir(), Log: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { i.Close(context.Background()) })
	w := &world{instance: i, served: make(chan error, 1), log: new(bytes.Buffer)}
	w.alice, w.bob = w.user(t, "alice"), w.user(t, "bob")
	for name, private := range map[string]bool{"private": true, "public": false} {
		if _, err := i.Hosting.Create(ctx, forge.Machine(), "alice", hosting.NewRepository{Name: name, Private: private}); err != nil {
			t.Fatal(err)
		}
	}
	w.serve(t, i.Hosting, l)
	return w
}

// serve begins to serve h, which may be nil to have everything break.
func (w *world) serve(t *testing.T, h *hosting.Service, l ssh.Limits) {
	t.Helper()
	var err error
	log := slog.New(slog.NewTextHandler(w.log, nil)) // read after Shutdown only
	w.Server, err = ssh.New(t.Context(), h, w.instance.Accounts, serve.NewMetrics(), log, "test", l)
	if err != nil {
		t.Fatal(err)
	}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	w.address = listener.Addr().String()
	go func() { w.served <- w.Serve(listener) }()
	t.Cleanup(func() { w.shutdown(t) })
}

func (w *world) shutdown(t *testing.T) {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
	defer cancel()
	if err := w.Shutdown(ctx); err != nil {
		t.Errorf("shutdown: %v", err)
	}
}

func newKey(t *testing.T) gossh.Signer {
	t.Helper()
	_, private, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	signer, err := gossh.NewSignerFromKey(private)
	if err != nil {
		t.Fatal(err)
	}
	return signer
}

// user makes a user with a key.
func (w *world) user(t *testing.T, login string) gossh.Signer {
	t.Helper()
	if _, err := w.instance.Accounts.CreateUser(t.Context(), forge.Machine(), account.NewUser{Login: login, Password: "correct horse"}); err != nil {
		t.Fatal(err)
	}
	signer := newKey(t)
	line := string(gossh.MarshalAuthorizedKey(signer.PublicKey()))
	if _, err := w.instance.Accounts.AddKey(t.Context(), forge.Machine(), login, "test", line); err != nil {
		t.Fatal(err)
	}
	return signer
}

func (w *world) dialAs(user string, methods ...gossh.AuthMethod) (*gossh.Client, error) {
	return gossh.Dial("tcp", w.address, &gossh.ClientConfig{User: user, Auth: methods, Timeout: 10 * time.Second,
		HostKeyCallback: gossh.InsecureIgnoreHostKey()})
}

func (w *world) dial(t *testing.T, signers ...gossh.Signer) *gossh.Client {
	t.Helper()
	client, err := w.dialAs("git", gossh.PublicKeys(signers...))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { client.Close() })
	return client
}

// run runs one command to its end.
func run(t *testing.T, client *gossh.Client, line string) (stdout, stderr string, status int) {
	t.Helper()
	session, err := client.NewSession()
	if err != nil {
		t.Fatal(err)
	}
	defer session.Close()
	var out, complaints bytes.Buffer
	session.Stdin, session.Stdout, session.Stderr = strings.NewReader("0000"), &out, &complaints
	err = session.Run(line)
	var exit *gossh.ExitError
	if errors.As(err, &exit) {
		status = exit.ExitStatus()
	} else if err != nil {
		t.Fatalf("%q: %v", line, err)
	}
	return out.String(), complaints.String(), status
}

// greeting is what a shell says.
func greeting(t *testing.T, client *gossh.Client) string {
	t.Helper()
	session, err := client.NewSession()
	if err != nil {
		t.Fatal(err)
	}
	defer session.Close()
	var out bytes.Buffer
	session.Stdout = &out
	if err := session.Shell(); err != nil {
		t.Fatal(err)
	}
	if err := session.Wait(); err != nil {
		t.Fatal(err)
	}
	return out.String()
}

// pretender offers one key and signs with another.
type pretender struct {
	gossh.Signer
	offered gossh.PublicKey
}

func (p pretender) PublicKey() gossh.PublicKey { return p.offered }

// TestOfferedKeyIsNotSigningKey: whoever offers another's key, which is public,
// and then signs with an own one, is who signed; and a key that was only offered
// does not count as used.
func TestOfferedKeyIsNotSigningKey(t *testing.T) {
	w := open(t, ssh.Limits{})
	stolen := pretender{w.bob, w.alice.PublicKey()}
	if _, err := w.dialAs("git", gossh.PublicKeys(stolen)); err == nil {
		t.Fatal("signed in with a key that the client does not have")
	}
	// OpenSSH offers every key that it has the public half of. Carol's private
	// half is locked by a passphrase that it cannot ask for, so it goes on to
	// dave's.
	dir := t.TempDir()
	carol, dave := filepath.Join(dir, "carol"), filepath.Join(dir, "dave")
	for path, passphrase := range map[string]string{carol: "locked", dave: ""} {
		if out, err := exec.Command("ssh-keygen", "-q", "-t", "ed25519", "-N", passphrase, "-C", "", "-f", path).CombinedOutput(); err != nil {
			t.Fatalf("ssh-keygen, which make setup installs: %v\n%s", err, out)
		}
		line, err := os.ReadFile(path + ".pub")
		if err != nil {
			t.Fatal(err)
		}
		w.user(t, filepath.Base(path))
		if _, err := w.instance.Accounts.AddKey(t.Context(), forge.Machine(), filepath.Base(path), "", string(line)); err != nil {
			t.Fatal(err)
		}
	}
	_, port, _ := net.SplitHostPort(w.address)
	cmd := exec.CommandContext(t.Context(), "ssh", "-v", "-F", "/dev/null", "-i", carol, "-i", dave, "-p", port, "-o", "IdentitiesOnly=yes",
		"-o", "IdentityAgent=none", "-o", "BatchMode=yes", "-o", "StrictHostKeyChecking=no", "-o", "UserKnownHostsFile=/dev/null", "git@127.0.0.1")
	var trace bytes.Buffer
	cmd.Stderr = &trace
	hi, err := cmd.Output()
	if err != nil || !strings.HasPrefix(string(hi), "Hi dave!") {
		t.Errorf("offered carol's key, signed with dave's: %q, %v", hi, err)
	}
	if !strings.Contains(trace.String(), "Server accepts key: "+carol) {
		t.Errorf("carol's key was not even offered:\n%s", trace.String())
	}
	for login, used := range map[string]bool{"carol": false, "dave": true} {
		keys, err := w.instance.Accounts.ListKeys(t.Context(), forge.Machine(), login, 0, 10)
		if err != nil || keys[1].Used.IsZero() == used {
			t.Errorf("%s: %+v, %v", login, keys[1], err)
		}
	}
}

func TestSignInRefused(t *testing.T) {
	w := open(t, ssh.Limits{})
	yes := true
	gone := w.user(t, "gone")
	if _, err := w.instance.Accounts.EditUser(t.Context(), forge.Machine(), "gone", account.UserEdit{Suspended: &yes}); err != nil {
		t.Fatal(err)
	}
	answers := gossh.KeyboardInteractive(func(_, _ string, questions []string, _ []bool) ([]string, error) {
		return make([]string, len(questions)), nil
	})
	for name, c := range map[string]struct {
		user   string
		method gossh.AuthMethod
	}{
		"unknown key":          {"git", gossh.PublicKeys(newKey(t))},
		"another name":         {"alice", gossh.PublicKeys(w.alice)},
		"root":                 {"root", gossh.PublicKeys(w.alice)},
		"suspended":            {"git", gossh.PublicKeys(gone)},
		"password":             {"git", gossh.Password("correct horse")},
		"password by name":     {"alice", gossh.Password("correct horse")},
		"keyboard-interactive": {"git", answers},
	} {
		if client, err := w.dialAs(c.user, c.method); err == nil {
			t.Errorf("%s: let in as %q", name, greeting(t, client))
		}
	}
	if client, err := w.dialAs("git"); err == nil {
		t.Errorf("nothing: let in as %q", greeting(t, client))
	}
}

// TestHiddenIsMissing: a private repository and a name never used give the same
// words and the same status, to read and to write.
func TestHiddenIsMissing(t *testing.T) {
	w := open(t, ssh.Limits{})
	client := w.dial(t, w.bob)
	for _, service := range []string{"git-upload-pack", "git-receive-pack", "git-upload-archive"} {
		type answer struct {
			out, err string
			status   int
		}
		var answers []answer
		for _, path := range []string{"alice/private.git", "alice/none.git", "nobody/none.git", "alice/private.git.git", "../private", "api/v3"} {
			var a answer
			a.out, a.err, a.status = run(t, client, service+" '"+path+"'")
			answers = append(answers, a)
			if a != answers[0] || a.status != 128 || a.out != "" || a.err != "ERROR: Repository not found\r\n" {
				t.Errorf("%s %s: %+v", service, path, a)
			}
		}
	}
	if out, _, status := run(t, client, "git-upload-pack 'alice/public.git'"); status != 0 || out == "" {
		t.Errorf("a public one: %d %q", status, out)
	}
	if _, text, status := run(t, client, "git-receive-pack 'alice/public.git'"); status == 0 || !strings.Contains(text, "Must have write rights") {
		t.Errorf("pushing to another's public one: %d %q", status, text)
	}
}

// TestNothingElseIsServed: forwards, subsystems, terminals and environments are
// refused, and the connection goes on.
func TestNothingElseIsServed(t *testing.T) {
	w := open(t, ssh.Limits{})
	client := w.dial(t, w.alice)
	for _, kind := range []string{"direct-tcpip", "direct-streamlocal@openssh.com", "x11", "auth-agent@openssh.com", "tun@openssh.com", "shell"} {
		if _, _, err := client.OpenChannel(kind, gossh.Marshal(struct {
			Host string
			Port uint32
			From string
			At   uint32
		}{"127.0.0.1", 22, "127.0.0.1", 1})); err == nil {
			t.Errorf("channel %s was opened", kind)
		}
	}
	for _, kind := range []string{"tcpip-forward", "streamlocal-forward@openssh.com", "hostkeys-prove-00@openssh.com"} {
		if ok, _, err := client.SendRequest(kind, true, gossh.Marshal(struct {
			Host string
			Port uint32
		}{"", 0})); ok || err != nil {
			t.Errorf("request %s: %v, %v", kind, ok, err)
		}
	}
	session, err := client.NewSession()
	if err != nil {
		t.Fatal(err)
	}
	defer session.Close()
	for name, value := range map[string]string{"LD_PRELOAD": "/tmp/x.so", "GIT_DIR": "/etc", "GIT_EXEC_PATH": "/tmp", "PATH": "/tmp", "git_protocol": "version=2",
		"GIT_PROTOCOL": strings.Repeat("x", 300)} {
		if err := session.Setenv(name, value); err == nil {
			t.Errorf("%s=%.20s was taken", name, value)
		}
	}
	if err := session.Setenv("GIT_PROTOCOL", "version=2"); err != nil {
		t.Errorf("GIT_PROTOCOL: %v", err)
	}
	if err := session.RequestPty("xterm", 80, 24, nil); err == nil {
		t.Error("a terminal was given")
	}
	if err := session.RequestSubsystem("sftp"); err == nil {
		t.Error("a subsystem was started")
	}
	for _, kind := range []string{"x11-req", "auth-agent-req@openssh.com", "signal", "nonsense"} {
		if ok, err := session.SendRequest(kind, true, nil); ok || err != nil {
			t.Errorf("%s: %v, %v", kind, ok, err)
		}
	}
	var out bytes.Buffer
	session.Stdin, session.Stdout = strings.NewReader("0000"), &out
	if err := session.Run("git-upload-pack 'alice/private.git'"); err != nil || !strings.Contains(out.String(), "version 2") {
		t.Errorf("after all that: %q, %v", out.String(), err)
	}
}

// TestComplaintsAreHarmless: what is told reaches a terminal.
func TestComplaintsAreHarmless(t *testing.T) {
	w := open(t, ssh.Limits{})
	client := w.dial(t, w.alice)
	for _, line := range []string{"\x1b[31mred", "git-upload-pack 'a\x1b[2J/b'", "a\x9bb", "\u009b31m", "x\x7f\x08\r\n\ay"} {
		_, text, status := run(t, client, line)
		if status != 128 || !strings.HasPrefix(text, "ERROR: ") || strings.ContainsFunc(strings.TrimSuffix(text, "\r\n"), func(r rune) bool {
			return r < ' ' || r >= 0x7f && r < 0xa0
		}) {
			t.Errorf("%q: %d %q", line, status, text)
		}
	}
}

// TestPanicEndsOneCommand: what breaks takes neither the connection nor the
// server with it, and tells nothing of the inside.
func TestPanicEndsOneCommand(t *testing.T) {
	w := open(t, ssh.Limits{})
	broken := &world{instance: w.instance, served: make(chan error, 1), log: new(bytes.Buffer)}
	broken.serve(t, nil, ssh.Limits{})
	client := broken.dial(t, w.alice)
	for range 2 {
		_, text, status := run(t, client, "git-upload-pack 'alice/private.git'")
		if status != 128 || !strings.HasPrefix(text, "ERROR: internal error (request ") || strings.Contains(text, "nil") {
			t.Errorf("%d %q", status, text)
		}
	}
	if hi := greeting(t, client); !strings.HasPrefix(hi, "Hi alice!") {
		t.Errorf("afterwards: %q", hi)
	}
	client.Close()
	broken.shutdown(t)
	if !strings.Contains(broken.log.String(), "nil pointer") {
		t.Errorf("the log does not say what broke:\n%s", broken.log)
	}
}

// ends reports whether the server closes a connection within a while.
func ends(t *testing.T, conn net.Conn, within time.Duration) bool {
	t.Helper()
	_ = conn.SetReadDeadline(time.Now().Add(within))
	_, err := io.Copy(io.Discard, conn)
	var late net.Error
	return !errors.As(err, &late) || !late.Timeout()
}

func (w *world) connect(t *testing.T) net.Conn {
	t.Helper()
	conn, err := net.Dial("tcp", w.address)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	return conn
}

func TestLimits(t *testing.T) {
	t.Run("handshake", func(t *testing.T) {
		w := open(t, ssh.Limits{Handshake: 200 * time.Millisecond})
		if !ends(t, w.connect(t), 10*time.Second) {
			t.Error("a connection that says nothing stays")
		}
		half := w.connect(t)
		io.WriteString(half, "SSH-2.0-half\r\n")
		if !ends(t, half, 10*time.Second) {
			t.Error("a connection that says no more than its version stays")
		}
	})
	t.Run("idle", func(t *testing.T) {
		w := open(t, ssh.Limits{Idle: 200 * time.Millisecond})
		client := w.dial(t, w.alice)
		gone := make(chan error, 1)
		go func() { gone <- client.Wait() }()
		select {
		case <-gone:
		case <-time.After(10 * time.Second):
			t.Error("an idle connection stays")
		}
	})
	t.Run("connections of one caller", func(t *testing.T) {
		w := open(t, ssh.Limits{ConnectionsPerCaller: 2})
		first := w.dial(t, w.alice)
		w.dial(t, w.bob)
		if _, err := w.dialAs("git", gossh.PublicKeys(w.alice)); err == nil {
			t.Error("a third was let in")
		}
		first.Close()
		for try := 0; ; try++ { // the server hears of the end a little later
			if client, err := w.dialAs("git", gossh.PublicKeys(w.alice)); err == nil {
				client.Close()
				break
			} else if try == 200 {
				t.Fatalf("after one has ended: %v", err)
			}
			time.Sleep(10 * time.Millisecond)
		}
	})
	t.Run("sessions of one connection", func(t *testing.T) {
		w := open(t, ssh.Limits{Sessions: 2})
		client := w.dial(t, w.alice)
		for n := range 3 {
			_, err := client.NewSession()
			if (err == nil) != (n < 2) {
				t.Errorf("session %d: %v", n, err)
			}
		}
	})
	t.Run("one command", func(t *testing.T) {
		w := open(t, ssh.Limits{Whole: 200 * time.Millisecond})
		session, err := w.dial(t, w.alice).NewSession()
		if err != nil {
			t.Fatal(err)
		}
		in, err := session.StdinPipe()
		if err != nil {
			t.Fatal(err)
		}
		defer in.Close()
		if err := session.Start("git-upload-pack 'alice/private.git'"); err != nil {
			t.Fatal(err)
		}
		ended := make(chan error, 1)
		go func() { ended <- session.Wait() }()
		select {
		case err := <-ended:
			if err == nil {
				t.Error("a command that was cut off ended well")
			}
		case <-time.After(10 * time.Second):
			t.Error("a command goes on past its limit")
		}
	})
}

// TestShutdown: connections that do nothing end at once, a command that runs is
// waited for, nobody new is let in.
func TestShutdown(t *testing.T) {
	w := open(t, ssh.Limits{})
	idle := w.dial(t, w.bob)
	silent := w.connect(t)
	session, err := w.dial(t, w.alice).NewSession()
	if err != nil {
		t.Fatal(err)
	}
	in, err := session.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	out, err := session.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := session.Start("git-upload-pack 'alice/private.git'"); err != nil {
		t.Fatal(err)
	}
	if _, err := io.ReadFull(out, make([]byte, 4)); err != nil { // it runs
		t.Fatal(err)
	}
	ended := make(chan error, 1)
	go func() {
		ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
		defer cancel()
		ended <- w.Shutdown(ctx)
	}()
	if err := <-w.served; err != nil {
		t.Errorf("Serve returned %v", err)
	}
	_ = idle.Wait()
	if !ends(t, silent, 10*time.Second) {
		t.Error("a connection that says nothing outlives the shutdown")
	}
	if conn, err := net.Dial("tcp", w.address); err == nil {
		conn.Close()
		t.Error("a new connection was taken")
	}
	select {
	case err := <-ended:
		t.Fatalf("shutdown did not wait for the command: %v", err)
	case <-time.After(100 * time.Millisecond):
	}
	if _, err := io.WriteString(in, "0000"); err != nil {
		t.Fatal(err)
	}
	if err := session.Wait(); err != nil {
		t.Errorf("the command that was running: %v", err)
	}
	if err := <-ended; err != nil {
		t.Errorf("shutdown: %v", err)
	}
}

// TestShutdownGivesUp: it waits only as long as it was told to.
func TestShutdownGivesUp(t *testing.T) {
	w := open(t, ssh.Limits{})
	session, err := w.dial(t, w.alice).NewSession()
	if err != nil {
		t.Fatal(err)
	}
	if _, err := session.StdinPipe(); err != nil {
		t.Fatal(err)
	}
	out, err := session.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := session.Start("git-upload-pack 'alice/private.git'"); err != nil {
		t.Fatal(err)
	}
	if _, err := io.ReadFull(out, make([]byte, 4)); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(context.Background(), 50*time.Millisecond)
	defer cancel()
	if err := w.Shutdown(ctx); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("shutdown: %v", err)
	}
	if err := session.Wait(); err == nil {
		t.Error("the command that was cut off ended well")
	}
}

// TestHostKeysStay: an instance has the same host keys at its next start, and
// on its next node.
func TestHostKeysStay(t *testing.T) {
	w := open(t, ssh.Limits{})
	again := &world{instance: w.instance, served: make(chan error, 1), log: new(bytes.Buffer)}
	again.serve(t, w.instance.Hosting, ssh.Limits{})
	for _, algorithm := range []string{gossh.KeyAlgoED25519, gossh.KeyAlgoECDSA256} {
		var seen []string
		for _, address := range []string{w.address, again.address} {
			client, err := gossh.Dial("tcp", address, &gossh.ClientConfig{User: "git", Auth: []gossh.AuthMethod{gossh.PublicKeys(w.alice)},
				HostKeyAlgorithms: []string{algorithm}, HostKeyCallback: func(_ string, _ net.Addr, key gossh.PublicKey) error {
					seen = append(seen, gossh.FingerprintSHA256(key))
					return nil
				}})
			if err != nil {
				t.Fatal(err)
			}
			client.Close()
		}
		if len(seen) != 2 || seen[0] != seen[1] {
			t.Errorf("%s: %q", algorithm, seen)
		}
	}
}
