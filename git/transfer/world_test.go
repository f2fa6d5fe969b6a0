package transfer_test

import (
	"bufio"
	"bytes"
	"compress/gzip"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/cgi"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/ingot-forge/ingot/git"
	"github.com/ingot-forge/ingot/git/repo"
	"github.com/ingot-forge/ingot/git/repo/memrepo"
	"github.com/ingot-forge/ingot/git/transfer"
)

// pipeVariable, when set, makes the test binary an ssh client that connects to
// the Unix socket which it names: git runs it as GIT_SSH_COMMAND.
const pipeVariable = "TRANSFER_TEST_PIPE"

func TestMain(m *testing.M) {
	if socket := os.Getenv(pipeVariable); socket != "" {
		if err := pipe(socket, os.Args[len(os.Args)-1]); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		return
	}
	code := m.Run()
	if stock.dir != "" {
		os.RemoveAll(stock.dir)
	}
	os.Exit(code)
}

func pipe(socket, command string) error {
	conn, err := net.Dial("unix", socket)
	if err != nil {
		return err
	}
	fmt.Fprintf(conn, "%s\n%s\n", os.Getenv("GIT_PROTOCOL"), command)
	go func() {
		io.Copy(conn, os.Stdin)
		conn.(*net.UnixConn).CloseWrite()
	}()
	_, err = io.Copy(os.Stdout, conn)
	return err
}

// world is a server with repositories in memory, reachable over HTTP and by a
// stand-in for SSH, and a directory for clients.
type world struct {
	t       testing.TB
	dir     string
	catalog *memrepo.Catalog
	files   *memrepo.Files
	store   *repo.Store
	server  *transfer.Server
	http    *httptest.Server
	backend *httptest.Server // stock git's, for what is below stock/
	socket  string

	mu      sync.Mutex
	ids     map[string]repo.ID
	upload  transfer.UploadOptions  // templates of every session
	receive transfer.ReceiveOptions //
	errs    []error                 // of sessions, that the client was not told of
	last    *transfer.Report
	commit  string // one of new that no ref names
	packs   int    // sent, as Served heard
}

func newWorld(t testing.TB) *world {
	w := &world{t: t, dir: t.TempDir(), catalog: &memrepo.Catalog{}, files: &memrepo.Files{}, ids: map[string]repo.ID{}}
	w.store = repo.New(w.files, w.catalog, repo.Config{DeriveFrom: 1})
	w.server = &transfer.Server{Store: w.store, Agent: "ingot/test"}
	w.receive.Who = "tester"
	w.http = httptest.NewServer(w)
	execPath, err := exec.Command("git", "--exec-path").Output()
	if err != nil {
		t.Fatal(err)
	}
	w.backend = httptest.NewServer(&cgi.Handler{
		Path: filepath.Join(strings.TrimSpace(string(execPath)), "git-http-backend"),
		Env: []string{"GIT_PROJECT_ROOT=" + filepath.Join(w.dir, "stock"), "GIT_HTTP_EXPORT_ALL=1", "GIT_CONFIG_NOSYSTEM=1",
			"GIT_CONFIG_GLOBAL=/dev/null"},
		Stderr: io.Discard,
	})
	w.socket = filepath.Join(w.dir, "s")
	l, err := net.Listen("unix", w.socket)
	if err != nil {
		t.Fatal(err)
	}
	var sessions sync.WaitGroup
	sessions.Go(func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			sessions.Go(func() { w.session(conn) })
		}
	})
	t.Cleanup(func() {
		l.Close()
		sessions.Wait()
		w.http.Close()
		w.backend.Close()
		for _, err := range w.errs {
			t.Errorf("a session failed: %v", err)
		}
		if err := w.store.Close(); err != nil {
			t.Error(err)
		}
	})
	return w
}

// change sets what later sessions are served with.
func (w *world) change(set func()) {
	w.mu.Lock()
	defer w.mu.Unlock()
	set()
}

// create makes an empty repository.
func (w *world) create(name string) repo.ID {
	w.t.Helper()
	id, err := w.catalog.Create(context.Background(), git.SHA1)
	if err != nil {
		w.t.Fatal(err)
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	w.ids[name] = id
	return id
}

// load makes a repository that has what a stock one has.
func (w *world) load(name, dir string) repo.ID {
	w.t.Helper()
	id := w.create(name)
	w.add(id, dir)
	return id
}

// add brings all objects and refs of a stock repository in.
func (w *world) add(id repo.ID, dir string) {
	w.t.Helper()
	ctx := context.Background()
	snap, err := w.store.Snapshot(ctx, id)
	if err != nil {
		w.t.Fatal(err)
	}
	defer snap.Close()
	from := w.export(dir)
	staged, err := w.store.Ingest(ctx, snap, bytes.NewReader(from.pack), repo.IngestOptions{})
	if err != nil {
		w.t.Fatal(err)
	}
	change := &repo.Change{Repository: id, Add: []repo.Pack{staged.Pack}, Who: "tester", Why: "load"}
	for line := range strings.Lines(from.refs) {
		hex, name, _ := strings.Cut(strings.TrimSpace(line), " ")
		target := w.id(hex)
		peeled, _, err := w.store.Peel(ctx, snap, staged, target)
		if err != nil {
			w.t.Fatal(err)
		}
		old, _ := snap.Ref(name)
		change.Refs = append(change.Refs, repo.RefUpdate{Name: name, Old: old.Target, New: target, Peeled: peeled})
	}
	if _, err := w.store.Commit(ctx, change); err != nil {
		w.t.Fatal(err)
	}
}

func (w *world) id(hex string) git.ID {
	w.t.Helper()
	id, err := git.SHA1.Parse(strings.TrimSpace(hex))
	if err != nil {
		w.t.Fatal(err)
	}
	return id
}

// refs returns the refs of a repository, a line each.
func (w *world) refs(name string) string {
	w.t.Helper()
	snap := w.snapshot(name)
	defer snap.Close()
	var b strings.Builder
	for ref := range snap.State().Refs.All() {
		fmt.Fprintf(&b, "%s %s\n", git.SHA1.Hex(ref.Target), ref.Name)
	}
	return b.String()
}

func (w *world) snapshot(name string) *repo.Snapshot {
	w.t.Helper()
	w.mu.Lock()
	id := w.ids[name]
	w.mu.Unlock()
	snap, err := w.store.Snapshot(context.Background(), id)
	if err != nil {
		w.t.Fatal(err)
	}
	return snap
}

// session serves one connection of the stand-in for SSH.
func (w *world) session(conn net.Conn) {
	defer conn.Close()
	in := bufio.NewReader(conn)
	version, _ := in.ReadString('\n')
	command, _ := in.ReadString('\n')
	service, path, _ := strings.Cut(strings.TrimSpace(command), " ")
	w.note(w.serve(context.Background(), service, strings.Trim(path, "'/"), strings.TrimSpace(version), false, in, conn))
}

// note keeps an error that no client was told of.
func (w *world) note(err error) {
	if err == nil || errors.Is(err, transfer.Told) || errors.Is(err, io.ErrUnexpectedEOF) {
		return
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	w.errs = append(w.errs, err)
}

func (w *world) serve(ctx context.Context, service, name, version string, stateless bool, in io.Reader, out io.Writer) error {
	w.mu.Lock()
	id, ok := w.ids[name]
	server, upload, receive := w.server, w.upload, w.receive
	w.mu.Unlock()
	if !ok {
		return fmt.Errorf("no repository %q", name)
	}
	snap, err := w.store.Snapshot(ctx, id)
	if err != nil {
		return err
	}
	defer snap.Close()
	upload.Version, upload.Stateless = transfer.ParseVersion(version), stateless
	upload.Served = func(int, int64) { w.mu.Lock(); w.packs++; w.mu.Unlock() }
	receive.Version, receive.Stateless = upload.Version, stateless
	switch service {
	case "git-upload-pack":
		if in == nil {
			return server.AdvertiseUpload(ctx, snap, out, upload)
		}
		return server.Upload(ctx, snap, in, out, upload)
	case "git-receive-pack":
		if in == nil {
			return server.AdvertiseReceive(ctx, snap, out, receive)
		}
		report, err := server.Receive(ctx, snap, in, out, receive)
		w.mu.Lock()
		w.last = report
		w.mu.Unlock()
		return err
	case "git-upload-archive":
		return server.Archive(ctx, snap, in, out)
	}
	return fmt.Errorf("service %q", service)
}

// ServeHTTP is smart HTTP with no product around it.
func (w *world) ServeHTTP(out http.ResponseWriter, r *http.Request) {
	at := strings.LastIndexByte(r.URL.Path, '/')
	name, service := strings.Trim(r.URL.Path[:at], "/"), r.URL.Path[at+1:]
	version := r.Header.Get("Git-Protocol")
	if strings.HasSuffix(r.URL.Path, "/info/refs") {
		service = r.URL.Query().Get("service")
		out.Header().Set("Content-Type", "application/x-"+service+"-advertisement")
		w.note(w.serve(r.Context(), service, strings.TrimSuffix(name, "/info"), version, true, nil, out))
		return
	}
	body := io.Reader(r.Body)
	if r.Header.Get("Content-Encoding") == "gzip" {
		body, _ = gzip.NewReader(body)
	}
	http.NewResponseController(out).EnableFullDuplex()
	out.Header().Set("Content-Type", "application/x-"+service+"-result")
	w.note(w.serve(r.Context(), service, name, version, true, body, out))
}

// url returns where a client finds a repository.
func (w *world) url(transport, name string) string {
	switch transport {
	case "http":
		return w.http.URL + "/" + name
	case "backend":
		return w.backend.URL + "/" + name
	case "ssh":
		return "ssh://host/" + name
	}
	return "file://" + filepath.Join(w.dir, "stock", name)
}

// try runs git in a directory below the world's and returns what it printed.
func (w *world) try(dir string, args ...string) (stdout, stderr string, err error) {
	self, err := os.Executable()
	if err != nil {
		return "", "", err
	}
	cmd := exec.Command("git", append([]string{"-c", "init.defaultBranch=main", "-c", "gc.auto=0", "-c", "maintenance.auto=false",
		"-c", "protocol.file.allow=always", "-c", "advice.detachedHead=false"}, args...)...)
	cmd.Dir = filepath.Join(w.dir, dir)
	if err := os.MkdirAll(cmd.Dir, 0o755); err != nil {
		return "", "", err
	}
	cmd.Env = []string{"PATH=" + os.Getenv("PATH"), "HOME=" + w.dir, "GIT_CONFIG_NOSYSTEM=1", "GIT_CONFIG_GLOBAL=/dev/null", "LC_ALL=C",
		"GIT_SSH_COMMAND=" + self, "GIT_SSH_VARIANT=ssh", pipeVariable + "=" + w.socket, "GIT_TERMINAL_PROMPT=0",
		"GIT_AUTHOR_NAME=A", "GIT_AUTHOR_EMAIL=a@x", "GIT_COMMITTER_NAME=C", "GIT_COMMITTER_EMAIL=c@x",
		"GIT_AUTHOR_DATE=1700000000 +0000", "GIT_COMMITTER_DATE=1700000000 +0000"}
	var out, errs bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &errs
	cmd.WaitDelay = 5 * time.Second
	done := time.AfterFunc(time.Minute, func() { cmd.Process.Kill() })
	defer done.Stop()
	err = cmd.Run()
	return out.String(), errs.String(), err
}

func (w *world) git(dir string, args ...string) []byte {
	w.t.Helper()
	out, stderr, err := w.try(dir, args...)
	if err != nil {
		w.t.Fatalf("git %q: %v\n%s", args, err, stderr)
	}
	return []byte(out)
}

func (w *world) feed(dir, input string, args ...string) {
	w.t.Helper()
	cmd := exec.Command("git", args...)
	cmd.Dir = filepath.Join(w.dir, dir)
	cmd.Stdin = strings.NewReader(input)
	if out, err := cmd.CombinedOutput(); err != nil {
		w.t.Fatalf("git %q: %v\n%s", args, err, out)
	}
}

// commits writes, for fast-import, a main line of n commits from the first-th on,
// with a side branch that is merged every seventh commit, files that change by
// turns, and tags.
func commits(first, n int) string {
	var b strings.Builder
	data := func(s string) { fmt.Fprintf(&b, "data %d\n%s\n", len(s), s) }
	commit := func(branch string, seconds int, message, parents string) {
		fmt.Fprintf(&b, "commit refs/heads/%s\ncommitter C <c@x> %d +0000\n", branch, seconds)
		data(message)
		b.WriteString(parents)
	}
	file := func(name string, lines, version int) {
		fmt.Fprintf(&b, "M 100644 inline %s\n", name)
		var text strings.Builder
		for i := range lines {
			if i == version%lines {
				fmt.Fprintf(&text, "changed in version %d of %s\n", version, name)
			}
			fmt.Fprintf(&text, "line %d of %s, which is much like any other line\n", i, name)
		}
		data(text.String())
	}
	for i := first; i < first+n; i++ {
		seconds := 1600000000 + i*86400
		parents := ""
		if i == first && first > 0 {
			parents = "from refs/heads/main^0\n"
		}
		if i%7 == 6 {
			commit("side", seconds-100, fmt.Sprintf("side %d", i), "from refs/heads/main\n")
			file(fmt.Sprintf("side/%d", i), 5, i)
			parents += "merge refs/heads/side\n"
		}
		commit("main", seconds, fmt.Sprintf("commit %d", i), parents)
		file(fmt.Sprintf("dir%d/sub/file%d", i%3, i%5), 60, i)
		file("always", 100+i, i)
		if i%10 == 5 {
			fmt.Fprintf(&b, "tag v%d\nfrom refs/heads/main\ntagger T <t@x> %d +0000\n", i, seconds)
			data(fmt.Sprintf("version %d", i))
			fmt.Fprintf(&b, "reset refs/tags/light%d\nfrom refs/heads/main\n\n", i)
		}
	}
	return b.String()
}

// export is all that a repository has.
type export struct {
	pack []byte
	refs string // an id and a name a line
}

// export reads a stock repository.
func (w *world) export(dir string) export {
	if e, ok := stock.exports[dir]; ok {
		return e
	}
	return export{
		pack: w.git(dir, "pack-objects", "-q", "--all", "--stdout", "--delta-base-offset"),
		refs: string(w.git(dir, "for-each-ref", "--format=%(objectname) %(refname)")),
	}
}

// stock has what history makes, once for all tests; each gets a copy.
var stock struct {
	once    sync.Once
	dir     string
	commit  string
	exports map[string]export // by directory in a world
}

// history puts two stock repositories into the world, the second of which has 20
// commits more and a tag of a tag, and the same two on the server.
func (w *world) history() {
	w.t.Helper()
	stock.once.Do(func() {
		dir, err := os.MkdirTemp("", "transfer")
		if err != nil {
			w.t.Fatal(err)
		}
		stock.dir = dir
		maker := &world{t: w.t, dir: dir}
		maker.makeHistory()
		stock.commit = maker.commit
		stock.exports = map[string]export{"stock/old": maker.export("stock/old"), "stock/new": maker.export("stock/new")}
	})
	if err := os.CopyFS(filepath.Join(w.dir, "stock"), os.DirFS(filepath.Join(stock.dir, "stock"))); err != nil {
		w.t.Fatal(err)
	}
	w.commit = stock.commit
	w.load("old", "stock/old")
	// The newer one gets the rest as a second pack.
	id := w.load("new", "stock/old")
	w.add(id, "stock/new")
	w.create("empty")
}

func (w *world) makeHistory() {
	w.t.Helper()
	w.git("stock/old", "init", "-q", "--bare", ".")
	w.feed("stock/old", commits(0, 40), "fast-import", "--quiet")
	w.git("stock", "clone", "-q", "--mirror", "old", "new")
	w.feed("stock/new", commits(40, 20), "fast-import", "--quiet")
	w.git("stock/new", "tag", "-a", "-m", "outer", "outer", "v55")
	tree, apart := "main^{tree}", "main~12"
	for range 8 {
		apart = strings.TrimSpace(string(w.git("stock/new", "commit-tree", "-p", apart, "-m", "apart", tree)))
	}
	w.git("stock/new", "update-ref", "refs/heads/apart", apart)
	w.commit = strings.TrimSpace(string(w.git("stock/new", "rev-parse", "main~7")))
	w.git("stock/new", "update-ref", "refs/pull/1/head", "refs/heads/main~3")
	for _, name := range []string{"old", "new"} {
		for _, option := range []string{"uploadpack.allowFilter", "uploadpack.allowAnySHA1InWant", "receive.advertisePushOptions"} {
			w.git("stock/"+name, "config", option, "true")
		}
	}
	w.git("stock/empty", "init", "-q", "--bare", ".")
}

// state is what a client has: refs, all objects, where its history ends.
func (w *world) state(dir string) string {
	w.t.Helper()
	objects := strings.Split(string(w.git(dir, "cat-file", "--batch-all-objects", "--batch-check=%(objectname) %(objecttype)")), "\n")
	slices.Sort(objects)
	refs := w.git(dir, "for-each-ref", "--format=%(objectname) %(refname) %(symref)")
	gitDir := filepath.Join(w.dir, dir)
	if _, err := os.Stat(filepath.Join(gitDir, ".git")); err == nil {
		gitDir = filepath.Join(gitDir, ".git")
	}
	head, err := os.ReadFile(filepath.Join(gitDir, "HEAD"))
	if err != nil {
		w.t.Fatal(err)
	}
	shallow, err := os.ReadFile(filepath.Join(gitDir, "shallow"))
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		w.t.Fatal(err)
	}
	ends := strings.Split(string(shallow), "\n")
	slices.Sort(ends)
	return fmt.Sprintf("HEAD %s%s\nshallow%s\n%d objects\n%s", head, refs, strings.Join(ends, "\n"), len(objects), strings.Join(objects, "\n"))
}
