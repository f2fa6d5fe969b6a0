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

// server is one of those that are measured.
type server interface {
	// url is the address of a repository; token what it takes to be let in.
	url(name string) string
	token() string
	// create makes an empty repository.
	create(name string) error
	// cpu is the processor time used so far, by the server and all it started.
	cpu() time.Duration
	// memory is what the server and all it started have in memory now, mapped files left out.
	memory() int64
	stop()
}

// ingotServer is `ingot serve` as a process of its own.
type ingotServer struct {
	program, data  string
	cmd            *exec.Cmd
	address, debug string
	secret         string
	filled         bool          // see bench.fill
	before         time.Duration // CPU of the processes before this one
}

func startIngot(program, data string) (*ingotServer, error) {
	s := &ingotServer{program: program, data: data}
	if err := s.start(); err != nil {
		return nil, err
	}
	if err := s.admin("user", "create", "bench"); err != nil {
		return nil, err
	}
	out, err := s.adminOutput("token", "create", "bench", "--scopes", "repo,delete_repo")
	s.secret = strings.TrimSpace(out)
	return s, err
}

func (s *ingotServer) start() error {
	s.address, s.debug = "", ""
	s.cmd = exec.Command(s.program, "serve", "--data", s.data, "--http", "127.0.0.1:0", "--ssh", "off", "--log-level", "warn",
		"--debug", "127.0.0.1:0")
	s.cmd.Stderr = os.Stderr
	out, err := s.cmd.StdoutPipe()
	if err != nil {
		return err
	}
	if err := s.cmd.Start(); err != nil {
		return err
	}
	lines := bufio.NewScanner(out)
	for (s.address == "" || s.debug == "") && lines.Scan() {
		what, addr, _ := strings.Cut(strings.TrimSpace(lines.Text()), " ")
		addr = strings.TrimSpace(addr)
		switch what {
		case "http":
			s.address = strings.TrimPrefix(addr, "http://")
		case "debug":
			s.debug = addr
		}
	}
	if s.address == "" {
		return errors.New("ingot serve did not start")
	}
	go io.Copy(io.Discard, out)
	return nil
}

// restart makes the server forget what it keeps in memory.
func (s *ingotServer) restart() error {
	s.before = s.cpu()
	s.stop()
	client.CloseIdleConnections()
	return s.start()
}

func (s *ingotServer) adminOutput(args ...string) (string, error) {
	cmd := exec.Command(s.program, append(append([]string{"admin"}, args...), "--data", s.data)...)
	var stderr strings.Builder
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		err = fmt.Errorf("ingot admin %s: %w: %s", args[0], err, stderr.String())
	}
	return string(out), err
}

func (s *ingotServer) admin(args ...string) error {
	_, err := s.adminOutput(args...)
	return err
}

func (s *ingotServer) url(name string) string {
	return "http://" + s.address + "/bench/" + name + ".git"
}
func (s *ingotServer) token() string            { return s.secret }
func (s *ingotServer) create(name string) error { return nil } // pushing makes it
func (s *ingotServer) stop()                    { s.cmd.Process.Signal(os.Interrupt); s.cmd.Wait() }

// cpu reads utime and stime of /proc/PID/stat, in ticks of 10 ms.
func (s *ingotServer) cpu() time.Duration {
	stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", s.cmd.Process.Pid))
	if err != nil {
		return s.before
	}
	fields := strings.Fields(string(stat[strings.LastIndexByte(string(stat), ')')+1:]))
	user, _ := strconv.Atoi(fields[11])
	system, _ := strconv.Atoi(fields[12])
	return s.before + time.Duration(user+system)*10*time.Millisecond
}

func (s *ingotServer) memory() int64 { return anonymous(s.cmd.Process.Pid) }

// anonymous is the resident memory of a process that no file stands behind.
func anonymous(pid int) int64 {
	status, _ := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	for line := range strings.Lines(string(status)) {
		if rest, ok := strings.CutPrefix(line, "RssAnon:"); ok {
			kb, _ := strconv.ParseInt(strings.TrimSpace(strings.TrimSuffix(strings.TrimSpace(rest), "kB")), 10, 64)
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
func (s *stockServer) token() string           { return "" }
func (s *stockServer) path(name string) string { return filepath.Join(s.root, name+".git") }

func (s *stockServer) create(name string) error {
	dir := s.path(name)
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

// memory sums up the git processes that this one has started, and those that they have.
func (s *stockServer) memory() (sum int64) {
	parent := make(map[int]int)
	names, _ := filepath.Glob("/proc/[0-9]*/stat")
	for _, name := range names {
		stat, _ := os.ReadFile(name)
		_, rest, ok := strings.Cut(string(stat), "(git")
		fields := strings.Fields(rest[strings.LastIndexByte(rest, ')')+1:])
		if ok && len(fields) > 1 {
			pid, _ := strconv.Atoi(filepath.Base(filepath.Dir(name)))
			parent[pid], _ = strconv.Atoi(fields[1])
		}
	}
	for pid := range parent {
		for up, ok := pid, true; ok; up, ok = parent[up] {
			if parent[up] == os.Getpid() {
				sum += anonymous(pid)
				break
			}
		}
	}
	return sum
}

func (s *stockServer) stop() { s.listener.Close() }

// readyServer sends and takes bytes that lie ready: what no server can beat.
type readyServer struct {
	listener net.Listener
	bytes    []byte
}

func startReady(bytes []byte) (*readyServer, error) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	s := &readyServer{listener: listener, bytes: bytes}
	go http.Serve(listener, http.HandlerFunc(s.serve))
	return s, nil
}

// serve answers with as many bytes as the query says.
func (s *readyServer) serve(w http.ResponseWriter, r *http.Request) {
	_, _ = drain(r.Body)
	n, _ := strconv.ParseInt(r.URL.RawQuery, 10, 64)
	w.Header().Set("Content-Length", strconv.FormatInt(n, 10))
	for n > 0 {
		piece := s.bytes[:min(n, int64(len(s.bytes)))]
		if _, err := w.Write(piece); err != nil {
			return
		}
		n -= int64(len(piece))
	}
}

func (s *readyServer) send(n int64) (time.Duration, error) {
	start := time.Now()
	res, err := client.Get(fmt.Sprintf("http://%s/?%d", s.listener.Addr(), n))
	if err != nil {
		return 0, err
	}
	defer res.Body.Close()
	_, err = drain(res.Body)
	return time.Since(start), err
}
