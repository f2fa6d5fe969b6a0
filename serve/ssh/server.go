// Package ssh serves git over SSH in the same process: upload-pack,
// receive-pack and upload-archive, and a greeting for `ssh git@host`. There is
// no shell, no command line and no forwarding: an exec request is parsed into a
// service and a repository's name, or refused.
//
// Who asks is taken from the permissions that belong to the key whose signature
// was verified, never from keys that were merely offered.
package ssh

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/netip"
	"sync"
	"time"

	"golang.org/x/crypto/ssh"

	"github.com/ingot-forge/ingot/forge"
	"github.com/ingot-forge/ingot/forge/account"
	"github.com/ingot-forge/ingot/forge/hosting"
	"github.com/ingot-forge/ingot/serve"
)

// Limits bound what connections may cost. The zero value of a field means its
// default.
type Limits struct {
	Connections          int           // open at once; 1024
	ConnectionsPerCaller int           // of one address, signed in or not; 64
	Sessions             int           // open at once on one connection; 8
	Handshake            time.Duration // from connecting to being signed in; 15 s
	Idle                 time.Duration // without a byte either way; 1 min
	Whole                time.Duration // of one git command; 2 h
}

func (l Limits) withDefaults() Limits {
	set := func(v *int, d int) {
		if *v == 0 {
			*v = d
		}
	}
	wait := func(v *time.Duration, d time.Duration) {
		if *v == 0 {
			*v = d
		}
	}
	set(&l.Connections, 1024)
	set(&l.ConnectionsPerCaller, 64)
	set(&l.Sessions, 8)
	wait(&l.Handshake, 15*time.Second)
	wait(&l.Idle, time.Minute)
	wait(&l.Whole, 2*time.Hour)
	return l
}

// Server serves SSH connections of one instance.
type Server struct {
	hosting  *hosting.Service
	accounts *account.Service
	metrics  *serve.Metrics
	log      *slog.Logger
	limits   Limits
	config   *ssh.ServerConfig

	mu        sync.Mutex // guards what follows
	closing   bool
	listeners map[net.Listener]bool
	conns     map[net.Conn]*load
	callers   map[string]int // connections by network
	running   sync.WaitGroup // connections
}

// load counts the git commands that run on a connection, so that shutdown
// closes idle connections at once and waits for the others.
type load struct{ commands int }

// signer is the key that a client signed with, and whose it is.
type signer struct {
	actor *forge.Actor
	key   ssh.PublicKey
}

// signerKey is where it travels in ssh.Permissions.
type signerKey struct{}

// New returns a Server whose host keys are kept with the accounts, so that every
// node of an instance has the same.
func New(ctx context.Context, h *hosting.Service, a *account.Service, m *serve.Metrics, log *slog.Logger, agent string, l Limits) (*Server, error) {
	s := &Server{hosting: h, accounts: a, metrics: m, log: log, limits: l.withDefaults(),
		listeners: map[net.Listener]bool{}, conns: map[net.Conn]*load{}, callers: map[string]int{}}
	s.config = &ssh.ServerConfig{
		MaxAuthTries:      6,
		ServerVersion:     "SSH-2.0-" + agent,
		PublicKeyCallback: s.offered,
		// No ssh-rsa: its signatures are SHA-1.
		PublicKeyAuthAlgorithms: []string{ssh.KeyAlgoED25519, ssh.KeyAlgoSKED25519, ssh.KeyAlgoSKECDSA256,
			ssh.KeyAlgoECDSA256, ssh.KeyAlgoECDSA384, ssh.KeyAlgoECDSA521, ssh.KeyAlgoRSASHA256, ssh.KeyAlgoRSASHA512},
	}
	for _, kind := range hostKeyKinds {
		signer, err := hostKey(ctx, a, kind)
		if err != nil {
			return nil, fmt.Errorf("ssh host key %s: %w", kind.name, err)
		}
		s.config.AddHostKey(signer)
	}
	return s, nil
}

// offered finds the owner of a key that a client offers. It may be called for
// several keys; only the permissions of the one that signs count afterwards.
func (s *Server) offered(meta ssh.ConnMetadata, key ssh.PublicKey) (*ssh.Permissions, error) {
	if meta.User() != "git" {
		return nil, errors.New("sign in as git")
	}
	ctx, cancel := context.WithTimeout(context.Background(), s.limits.Handshake)
	defer cancel()
	actor, err := s.accounts.Key(ctx, key, address(meta.RemoteAddr()))
	if err != nil {
		return nil, err
	}
	return &ssh.Permissions{ExtraData: map[any]any{signerKey{}: signer{actor, key}}}, nil
}

// Serve accepts connections from l until Shutdown, and then returns nil.
func (s *Server) Serve(l net.Listener) error {
	s.mu.Lock()
	if s.closing {
		s.mu.Unlock()
		l.Close()
		return nil
	}
	s.listeners[l] = true
	s.mu.Unlock()
	for {
		conn, err := l.Accept()
		if err != nil {
			s.mu.Lock()
			closing := s.closing
			s.mu.Unlock()
			if closing {
				return nil
			}
			var temporary net.Error
			if errors.As(err, &temporary) && temporary.Timeout() || isTooManyFiles(err) {
				time.Sleep(50 * time.Millisecond) // let some connections end
				continue
			}
			return err
		}
		s.admit(conn)
	}
}

// admit starts serving a connection unless a limit says no.
func (s *Server) admit(conn net.Conn) {
	caller := forge.Network(address(conn.RemoteAddr()))
	s.mu.Lock()
	full := s.closing || len(s.conns) >= s.limits.Connections || s.callers[caller] >= s.limits.ConnectionsPerCaller
	if !full {
		s.conns[conn] = &load{}
		s.callers[caller]++
		s.running.Add(1)
	}
	s.mu.Unlock()
	if full {
		s.log.Warn("ssh connection refused", "from", conn.RemoteAddr().String())
		conn.Close()
		return
	}
	go func() {
		defer s.running.Done()
		defer func() {
			if p := recover(); p != nil {
				s.log.Error("panic", "ssh", conn.RemoteAddr().String(), "panic", fmt.Sprint(p))
			}
			conn.Close()
			s.mu.Lock()
			delete(s.conns, conn)
			if s.callers[caller]--; s.callers[caller] == 0 {
				delete(s.callers, caller)
			}
			s.mu.Unlock()
		}()
		s.converse(conn)
	}()
}

// Shutdown stops accepting, closes idle connections, and waits for running
// commands until ctx ends; then it closes what is left.
func (s *Server) Shutdown(ctx context.Context) error {
	s.mu.Lock()
	s.closing = true
	for l := range s.listeners {
		l.Close()
	}
	for conn, load := range s.conns {
		if load.commands == 0 {
			conn.Close()
		}
	}
	s.mu.Unlock()
	done := make(chan struct{})
	go func() { s.running.Wait(); close(done) }()
	select {
	case <-done:
		return nil
	case <-ctx.Done():
	}
	s.mu.Lock()
	for conn := range s.conns {
		conn.Close()
	}
	s.mu.Unlock()
	<-done
	return ctx.Err()
}

// begin counts a command in and tells whether it may run; end counts it out.
func (s *Server) begin(conn net.Conn) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closing || s.conns[conn] == nil {
		return false
	}
	s.conns[conn].commands++
	return true
}

func (s *Server) end(conn net.Conn) {
	s.mu.Lock()
	defer s.mu.Unlock()
	load := s.conns[conn]
	load.commands--
	if s.closing && load.commands == 0 {
		// The client has its answer and reads it off the closed connection.
		time.AfterFunc(time.Second, func() { conn.Close() })
	}
}

func address(a net.Addr) netip.Addr {
	if tcp, ok := a.(*net.TCPAddr); ok {
		return tcp.AddrPort().Addr().Unmap()
	}
	return netip.Addr{}
}
