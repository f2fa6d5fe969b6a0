package ssh

import (
	"context"
	"errors"
	"fmt"
	"net"
	"runtime/debug"
	"strings"
	"sync"
	"syscall"
	"time"

	"golang.org/x/crypto/ssh"

	"github.com/ingot-forge/ingot/forge"
	"github.com/ingot-forge/ingot/forge/hosting"
	"github.com/ingot-forge/ingot/git/transfer"
	"github.com/ingot-forge/ingot/serve"
)

// converse serves one connection to its end.
func (s *Server) converse(conn net.Conn) {
	conn.SetDeadline(time.Now().Add(s.limits.Handshake))
	live := &liveConn{Conn: conn, idle: s.limits.Idle}
	signed, channels, requests, err := ssh.NewServerConn(live, s.config)
	if err != nil {
		s.log.Info("ssh sign-in failed", "from", conn.RemoteAddr().String(), "error", err)
		return
	}
	live.signedIn()
	who, ok := signed.Permissions.ExtraData[signerKey{}].(signer)
	if !ok { // can't be: the only way in is a key
		signed.Close()
		return
	}
	go ssh.DiscardRequests(requests) // refuses forwards; keep-alives get their "no"

	ctx, cancel := context.WithCancel(context.Background())
	if err := s.accounts.KeyUsed(ctx, who.key); err != nil {
		s.log.Warn("noting the use of a key", "user", who.actor.Login(), "error", err) // not worth failing for
	}
	var sessions sync.WaitGroup
	slots := make(chan struct{}, s.limits.Sessions)
	for offered := range channels {
		if offered.ChannelType() != "session" {
			offered.Reject(ssh.Prohibited, "only sessions are served here")
			continue
		}
		select {
		case slots <- struct{}{}:
		default:
			offered.Reject(ssh.ResourceShortage, "too many sessions on one connection")
			continue
		}
		channel, requests, err := offered.Accept()
		if err != nil {
			<-slots
			continue
		}
		sessions.Go(func() {
			defer func() { <-slots }()
			s.session(ctx, conn, who.actor, channel, requests)
		})
	}
	// The client is gone: whatever still runs for it stops.
	cancel()
	sessions.Wait()
}

// session serves one channel: environment first, then one command.
func (s *Server) session(ctx context.Context, conn net.Conn, actor *forge.Actor, channel ssh.Channel, requests <-chan *ssh.Request) {
	defer channel.Close()
	protocol := ""
	for req := range requests {
		switch req.Type {
		case "env":
			var env struct{ Name, Value string }
			ok := ssh.Unmarshal(req.Payload, &env) == nil && env.Name == "GIT_PROTOCOL" && len(env.Value) <= 256
			if ok {
				protocol = env.Value
			}
			req.Reply(ok, nil)
		case "exec", "shell":
			if !s.begin(conn) {
				req.Reply(false, nil)
				return
			}
			req.Reply(true, nil)
			go ssh.DiscardRequests(requests)
			status := s.runSafely(ctx, actor, channel, req, protocol)
			_, _ = channel.SendRequest("exit-status", false, ssh.Marshal(struct{ Status uint32 }{status}))
			s.end(conn)
			return
		default: // pty-req, subsystem, x11-req, auth-agent-req, …
			req.Reply(false, nil)
		}
	}
}

// runSafely is run, but what breaks in it ends that command and nothing else.
func (s *Server) runSafely(ctx context.Context, actor *forge.Actor, channel ssh.Channel, req *ssh.Request, protocol string) (status uint32) {
	ctx, id := serve.NameRequest(ctx)
	defer func() {
		if p := recover(); p != nil {
			s.log.Error("panic", "request", id, "panic", fmt.Sprint(p), "stack", string(debug.Stack()))
			complain(channel, "internal error (request "+id+")")
			status = 128
		}
	}()
	return s.run(ctx, actor, channel, req, protocol)
}

// run carries a command out and returns its exit status.
func (s *Server) run(ctx context.Context, actor *forge.Actor, channel ssh.Channel, req *ssh.Request, protocol string) uint32 {
	if req.Type == "shell" {
		fmt.Fprintf(channel, "Hi %s! You've successfully authenticated, but Ingot does not provide shell access.\r\n", actor.Login())
		return 0
	}
	var exec struct{ Line string }
	if err := ssh.Unmarshal(req.Payload, &exec); err != nil {
		return 128
	}
	c, err := parseCommand(exec.Line)
	if err != nil {
		complain(channel, err.Error())
		return 128
	}
	ctx, cancel := context.WithTimeout(ctx, s.limits.Whole)
	defer cancel()
	// Closing is what ends a read that waits for the client.
	defer context.AfterFunc(ctx, func() {
		time.AfterFunc(time.Second, func() { channel.Close() }) // also when nobody reads the complaint
		complain(channel, "the command took too long")
	})()
	start := time.Now()
	objects, err := s.serve(ctx, actor, c, channel, transfer.ParseVersion(protocol))
	s.metrics.Transfer(c.service, "ssh", objects, err)
	s.log.Info("ssh command", "id", serve.RequestID(ctx), "service", c.service, "repository", c.owner+"/"+c.repo, "user", actor.Login(),
		"from", actor.Address.String(), "took", time.Since(start).Round(10*time.Microsecond), "error", err)
	if err == nil {
		return 0
	}
	if !errors.Is(err, transfer.Told) {
		complain(channel, serve.AnswerTo(ctx, s.log, err).Message)
	}
	return 128
}

func (s *Server) serve(ctx context.Context, actor *forge.Actor, c command, channel ssh.Channel, version transfer.Version) (objects int, err error) {
	wire := hosting.Wire{Version: version, SessionID: serve.RequestID(ctx)}
	if c.service == "receive-pack" {
		push, err := s.hosting.Push(ctx, actor, c.owner, c.repo)
		if err != nil {
			return 0, err
		}
		defer push.Close()
		report, err := push.Serve(ctx, channel, channel, wire)
		if report != nil {
			objects = report.Objects
		}
		return objects, err
	}
	fetch, err := s.hosting.Fetch(ctx, actor, c.owner, c.repo)
	if err != nil {
		return 0, err
	}
	defer fetch.Close()
	if c.service == "upload-archive" {
		return 0, fetch.Archive(ctx, channel, channel)
	}
	err = fetch.Serve(ctx, channel, channel, wire)
	return fetch.Objects, err
}

// complain tells the person at the other end, who may be looking at a terminal:
// control characters do not get through.
func complain(channel ssh.Channel, message string) {
	message = strings.Map(func(r rune) rune {
		if r < ' ' && r != '\n' || r == 0x7f || r >= 0x80 && r < 0xa0 {
			return '?'
		}
		return r
	}, message)
	fmt.Fprintf(channel.Stderr(), "ERROR: %s\r\n", message)
}

// liveConn lets a signed-in connection live as long as bytes move on it, either
// way. Before that, the deadline of the handshake stands.
type liveConn struct {
	net.Conn
	idle time.Duration

	mu    sync.Mutex
	on    bool
	moved time.Time // when the deadline was last moved
}

func (c *liveConn) signedIn() {
	c.mu.Lock()
	c.on = true
	c.mu.Unlock()
	c.touch()
}

// touch moves the deadline, at most once a second.
func (c *liveConn) touch() {
	now := time.Now()
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.on && now.Sub(c.moved) > time.Second {
		c.moved = now
		c.Conn.SetDeadline(now.Add(c.idle))
	}
}

func (c *liveConn) Read(p []byte) (int, error) {
	n, err := c.Conn.Read(p)
	if n > 0 {
		c.touch()
	}
	return n, err
}

func (c *liveConn) Write(p []byte) (int, error) {
	n, err := c.Conn.Write(p)
	if n > 0 {
		c.touch()
	}
	return n, err
}

// isTooManyFiles reports whether accepting failed for want of file descriptors.
func isTooManyFiles(err error) bool {
	return errors.Is(err, syscall.EMFILE) || errors.Is(err, syscall.ENFILE)
}
