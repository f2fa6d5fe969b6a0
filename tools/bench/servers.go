package main

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/cgi"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// server is one of the two that are measured.
type server interface {
	// url is the address of a repository, with what it takes to be let in.
	url(name string) string
	token() string
	// create makes an empty repository.
	create(name string) error
	// cpu is the processor time used so far, by the server and all it started.
	cpu() time.Duration
	// memory is the resident size now; peak the largest since reset was called.
	memory() int64
	peak() int64
	stop()
}

// ingotServer is `ingot serve` as a process of its own.
type ingotServer struct {
	cmd     *exec.Cmd
	address string
	secret  string
}

func startIngot(program, data string) (*ingotServer, error) {
	s := &ingotServer{cmd: exec.Command(program, "serve", "--data", data, "--http", "127.0.0.1:0", "--ssh", "off", "--log-level", "warn")}
	s.cmd.Stderr = os.Stderr
	out, err := s.cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	if err := s.cmd.Start(); err != nil {
		return nil, err
	}
	lines := bufio.NewScanner(out)
	for s.address == "" && lines.Scan() {
		if _, addr, ok := strings.Cut(lines.Text(), "http://"); ok {
			s.address = strings.TrimSpace(addr)
		}
	}
	if s.address == "" {
		return nil, errors.New("ingot serve did not start")
	}
	go io.Copy(io.Discard, out)
	admin := func(args ...string) (string, error) {
		out, err := exec.Command(program, append(append([]string{"admin"}, args...), "--data", data)...).Output()
		return strings.TrimSpace(string(out)), err
	}
	if _, err := admin("user", "create", "bench"); err != nil {
		return nil, err
	}
	s.secret, err = admin("token", "create", "bench", "--scopes", "repo")
	return s, err
}

func (s *ingotServer) url(name string) string {
	return "http://" + s.address + "/bench/" + name + ".git"
}
func (s *ingotServer) token() string       { return s.secret }
func (s *ingotServer) create(string) error { return nil } // pushing makes it
func (s *ingotServer) stop()               { s.cmd.Process.Signal(os.Interrupt); s.cmd.Wait() }

// cpu reads utime and stime of /proc/PID/stat, in ticks of 10 ms.
func (s *ingotServer) cpu() time.Duration {
	stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", s.cmd.Process.Pid))
	if err != nil {
		return 0
	}
	fields := strings.Fields(string(stat[strings.LastIndexByte(string(stat), ')')+1:]))
	user, _ := strconv.Atoi(fields[11])
	system, _ := strconv.Atoi(fields[12])
	return time.Duration(user+system) * 10 * time.Millisecond
}

func (s *ingotServer) memory() int64 {
	// Writing 5 resets the peak.
	_ = os.WriteFile(fmt.Sprintf("/proc/%d/clear_refs", s.cmd.Process.Pid), []byte("5"), 0)
	return s.status("VmRSS:")
}
func (s *ingotServer) peak() int64 { return s.status("VmHWM:") }

func (s *ingotServer) status(key string) int64 {
	status, _ := os.ReadFile(fmt.Sprintf("/proc/%d/status", s.cmd.Process.Pid))
	for line := range strings.Lines(string(status)) {
		if fields := strings.Fields(line); len(fields) > 1 && fields[0] == key {
			kb, _ := strconv.ParseInt(fields[1], 10, 64)
			return kb << 10
		}
	}
	return 0
}

// stockServer is git http-backend, one process a request, behind net/http.
type stockServer struct {
	root     string
	listener net.Listener
}

func startStock(root string) (*stockServer, error) {
	path, err := exec.Command("git", "--exec-path").Output()
	if err != nil {
		return nil, err
	}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	backend := filepath.Join(strings.TrimSpace(string(path)), "git-http-backend")
	handler := &cgi.Handler{Path: backend, Env: []string{"GIT_PROJECT_ROOT=" + root, "GIT_HTTP_EXPORT_ALL=1", "REMOTE_USER=bench",
		"GIT_CONFIG_NOSYSTEM=1", "GIT_CONFIG_GLOBAL=/dev/null"}, InheritEnv: []string{"PATH"}, Stderr: io.Discard}
	go http.Serve(listener, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		handler.ServeHTTP(w, r)
	}))
	return &stockServer{root: root, listener: listener}, nil
}

func (s *stockServer) url(name string) string {
	return "http://" + s.listener.Addr().String() + "/" + name + ".git"
}
func (s *stockServer) token() string { return "" }

func (s *stockServer) create(name string) error {
	dir := filepath.Join(s.root, name+".git")
	for _, args := range [][]string{{"init", "-q", "--bare", dir}, {"-C", dir, "symbolic-ref", "HEAD", "refs/heads/main"},
		{"-C", dir, "config", "receive.fsckObjects", "true"}, {"-C", dir, "config", "http.receivepack", "true"},
		{"-C", dir, "config", "uploadpack.allowFilter", "true"}, {"-C", dir, "config", "receive.unpackLimit", "100"},
		{"-C", dir, "config", "gc.auto", "0"}, {"-C", dir, "config", "core.fsync", "committed"}} {
		if _, err := gitIn("", nil, args...); err != nil {
			return err
		}
	}
	return nil
}

func (s *stockServer) cpu() time.Duration {
	var u syscall.Rusage
	if syscall.Getrusage(syscall.RUSAGE_CHILDREN, &u) != nil {
		return 0
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}
func (s *stockServer) memory() int64 { return 0 }
func (s *stockServer) peak() int64   { return 0 }
func (s *stockServer) stop()         { s.listener.Close() }
