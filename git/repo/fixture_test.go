package repo_test

import (
	"bufio"
	"bytes"
	"context"
	"fmt"
	"io"
	"maps"
	"math/rand/v2"
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
)

// clock is a clock that stands until it is moved.
type clock struct {
	mu  sync.Mutex
	now time.Time
}

func newClock() *clock { return &clock{now: time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)} }

func (c *clock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.now
}

func (c *clock) Add(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.now = c.now.Add(d)
}

// world is a store over models, and one repository in it.
type world struct {
	testing.TB
	*repo.Store
	files   *memrepo.Files
	catalog *memrepo.Catalog
	clock   *clock
	id      repo.ID
	format  git.Format
	damaged []string // what Config.Damaged heard: see derive
	// rowBytes is Config.RowBytes. Most tests look at files, so in them every pack
	// is in files, however small.
	rowBytes int
}

func newWorld(t testing.TB, f git.Format) *world {
	t.Helper()
	return newWorldOf(t, f, -1)
}

func newWorldOf(t testing.TB, f git.Format, rowBytes int) *world {
	t.Helper()
	c := newClock()
	w := &world{TB: t, files: &memrepo.Files{Now: c.Now}, catalog: new(memrepo.Catalog), clock: c, format: f, rowBytes: rowBytes}
	w.Store = repo.New(w.files, w.catalog, w.config())
	w.id = w.create()
	t.Cleanup(func() {
		if err := w.Store.Close(); err != nil {
			t.Errorf("Close: %v", err)
		}
	})
	return w
}

func (w *world) config() repo.Config { return repo.Config{Clock: w.clock.Now, RowBytes: w.rowBytes} }

func (w *world) create() repo.ID {
	w.Helper()
	id, err := w.catalog.Create(w.Context(), w.format)
	if err != nil {
		w.Fatal(err)
	}
	return id
}

func (w *world) snapshot(id repo.ID) *repo.Snapshot {
	w.Helper()
	s, err := w.Snapshot(w.Context(), id)
	if err != nil {
		w.Fatal(err)
	}
	w.Cleanup(s.Close)
	return s
}

// ingest takes a pack in on top of the current state.
func (w *world) ingest(id repo.ID, pack []byte, tips ...git.ID) (*repo.Staged, error) {
	w.Helper()
	snap, err := w.Snapshot(w.Context(), id)
	if err != nil {
		w.Fatal(err)
	}
	defer snap.Close()
	return w.Ingest(w.Context(), snap, bytes.NewReader(pack), repo.IngestOptions{Tips: tips})
}

// push ingests a pack and commits it with refs moved from wherever they are; a zero
// target deletes.
func (w *world) push(id repo.ID, pack []byte, refs map[string]git.ID) int64 {
	w.Helper()
	staged, err := w.ingest(id, pack, slices.Collect(maps.Values(refs))...)
	if err != nil {
		w.Fatalf("Ingest: %v", err)
	}
	v, err := w.Commit(w.Context(), w.change(id, staged, refs))
	if err != nil {
		w.Fatalf("Commit: %v", err)
	}
	return v
}

// change is what push commits.
func (w *world) change(id repo.ID, staged *repo.Staged, refs map[string]git.ID) *repo.Change {
	w.Helper()
	snap, err := w.Snapshot(w.Context(), id)
	if err != nil {
		w.Fatal(err)
	}
	defer snap.Close()
	c := &repo.Change{Repository: id, Who: "tester", Why: "push"}
	if staged != nil {
		c.Add = []repo.Pack{staged.Pack}
	}
	for _, name := range slices.Sorted(maps.Keys(refs)) {
		old, _ := snap.Ref(name)
		u := repo.RefUpdate{Name: name, Old: old.Target, New: refs[name]}
		if !u.New.IsZero() {
			if u.Peeled, _, err = w.Peel(w.Context(), snap, staged, u.New); err != nil {
				w.Fatalf("Peel: %v", err)
			}
		}
		c.Refs = append(c.Refs, u)
	}
	return c
}

// faults runs Check.
func (w *world) faults(id repo.ID) (faults []string) {
	w.Helper()
	n, err := w.Check(w.Context(), id, func(f string) { faults = append(faults, f) }, nil)
	if err != nil {
		w.Fatalf("Check: %v", err)
	}
	if n != len(faults) {
		w.Errorf("Check = %d, reported %d", n, len(faults))
	}
	return faults
}

// names lists the published files.
func (w *world) names() (names []string) {
	w.Helper()
	err := w.files.List(w.Context(), "", func(i repo.FileInfo) bool {
		names = append(names, i.Name)
		return true
	})
	if err != nil {
		w.Fatal(err)
	}
	return names
}

// stock is a repository of stock git, the oracle.
type stock struct {
	testing.TB
	dir    string
	format git.Format
}

func newStock(t testing.TB, f git.Format) *stock {
	t.Helper()
	s := &stock{t, t.TempDir(), f}
	s.git("", "init", "-q", "--bare", "--object-format="+f.String(), ".")
	return s
}

// git runs a command and returns its output.
func (s *stock) git(stdin string, args ...string) string {
	s.Helper()
	out, err := s.try(stdin, args...)
	if err != nil {
		s.Fatalf("git %s: %v", strings.Join(args, " "), err)
	}
	return out
}

func (s *stock) try(stdin string, args ...string) (string, error) {
	cmd := exec.Command("git", args...)
	cmd.Dir = s.dir
	cmd.Env = []string{
		"PATH=" + os.Getenv("PATH"), "HOME=" + s.dir, "LC_ALL=C", "TZ=UTC",
		"GIT_CONFIG_NOSYSTEM=1", "GIT_CONFIG_GLOBAL=/dev/null",
		"GIT_CONFIG_COUNT=1", "GIT_CONFIG_KEY_0=init.defaultBranch", "GIT_CONFIG_VALUE_0=main",
		"GIT_AUTHOR_NAME=A U Thor", "GIT_AUTHOR_EMAIL=author@example.com", "GIT_AUTHOR_DATE=1700000000 +0100",
		"GIT_COMMITTER_NAME=C O Mitter", "GIT_COMMITTER_EMAIL=committer@example.com", "GIT_COMMITTER_DATE=1700000000 +0100",
	}
	cmd.Stdin = strings.NewReader(stdin)
	var out, stderr bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &stderr
	if err := cmd.Run(); err != nil {
		return "", fmt.Errorf("%w: %s", err, stderr.String())
	}
	return out.String(), nil
}

func (s *stock) id(hex string) git.ID {
	s.Helper()
	id, err := s.format.Parse(strings.TrimSpace(hex))
	if err != nil {
		s.Fatal(err)
	}
	return id
}

func (s *stock) resolve(rev string) git.ID { s.Helper(); return s.id(s.git("", "rev-parse", rev)) }

// refs returns all refs.
func (s *stock) refs() map[string]git.ID {
	s.Helper()
	refs := map[string]git.ID{}
	for line := range strings.Lines(s.git("", "for-each-ref", "--format=%(objectname) %(refname)")) {
		hex, name, _ := strings.Cut(strings.TrimSpace(line), " ")
		refs[name] = s.id(hex)
	}
	return refs
}

// pack packs what the revisions ("main", "^old") reach, thin.
func (s *stock) pack(revs ...string) []byte {
	s.Helper()
	return []byte(s.git(strings.Join(revs, "\n")+"\n", "pack-objects", "-q", "--revs", "--stdout", "--thin", "--delta-base-offset"))
}

// packOf packs exactly these objects.
func (s *stock) packOf(ids ...git.ID) []byte {
	s.Helper()
	var list strings.Builder
	for _, id := range ids {
		fmt.Fprintln(&list, s.format.Hex(id))
	}
	return []byte(s.git(list.String(), "pack-objects", "-q", "--stdout", "--delta-base-offset"))
}

// reachable lists the objects that revisions reach.
func (s *stock) reachable(revs ...string) (ids []git.ID) {
	s.Helper()
	for line := range strings.Lines(s.git("", append([]string{"rev-list", "--objects", "--no-object-names"}, revs...)...)) {
		ids = append(ids, s.id(line))
	}
	return ids
}

// write stores an object of any content, however wrong.
func (s *stock) write(kind git.Kind, content string) git.ID {
	s.Helper()
	return s.id(s.git(content, "hash-object", "-t", kind.String(), "-w", "--stdin", "--literally"))
}

// writeAll stores n small files in one run of git and returns their ids, a line each.
func (s *stock) writeAll(n int) string {
	s.Helper()
	var paths strings.Builder
	dir := s.TempDir()
	for i := range n {
		path := filepath.Join(dir, fmt.Sprint(i))
		if err := os.WriteFile(path, fmt.Append(nil, "file ", i), 0o644); err != nil {
			s.Fatal(err)
		}
		fmt.Fprintln(&paths, path)
	}
	return s.git(paths.String(), "hash-object", "-w", "--stdin-paths")
}

const someone = "A U Thor <author@example.com> 1700000000 +0100"

func (s *stock) writeCommit(tree git.ID, parents ...git.ID) git.ID {
	s.Helper()
	var b strings.Builder
	fmt.Fprintf(&b, "tree %s\n", s.format.Hex(tree))
	for _, p := range parents {
		fmt.Fprintf(&b, "parent %s\n", s.format.Hex(p))
	}
	fmt.Fprintf(&b, "author %s\ncommitter %[1]s\n\nmessage\n", someone)
	return s.write(git.KindCommit, b.String())
}

// entry is a tree entry, encoded.
func (s *stock) entry(mode, name string, id git.ID) string {
	return mode + " " + name + "\x00" + string(id[:s.format.Size()])
}

// grow adds commits to a branch by fast-import: nested directories, edits,
// deletions, and a tag at the end. Equal seeds make equal histories.
func (s *stock) grow(branch string, seed uint64, commits int) {
	s.Helper()
	rng := rand.New(rand.NewPCG(seed, 1))
	var b strings.Builder
	from := ""
	if _, err := s.try("", "rev-parse", "--verify", "-q", "refs/heads/"+branch); err == nil {
		from = fmt.Sprintf("from refs/heads/%s^0\n", branch)
	}
	for i := range commits {
		msg := fmt.Sprintf("commit %d of %d\n", i, seed)
		fmt.Fprintf(&b, "commit refs/heads/%s\ncommitter C <c@example.com> %d +0000\ndata %d\n%s%s",
			branch, 1700000000+i, len(msg), msg, from)
		from = ""
		for range 1 + rng.IntN(4) {
			name := fmt.Sprintf("d%d/e%d/f%d.txt", rng.IntN(5), rng.IntN(4), rng.IntN(6))
			if rng.IntN(12) == 0 && i > 0 {
				name = fmt.Sprintf("top%d", rng.IntN(9))
			}
			var text strings.Builder
			for range rng.IntN(60) {
				fmt.Fprintf(&text, "line %d of %s\n", rng.IntN(40), name)
			}
			fmt.Fprintf(&b, "M 100644 inline %s\ndata %d\n%s\n", name, text.Len(), text.String())
		}
		b.WriteString("\n")
	}
	fmt.Fprintf(&b, "tag v%d\nfrom refs/heads/%s\ntagger T <t@example.com> 1700000000 +0000\ndata 4\ntag\n\n", seed, branch)
	s.git(b.String(), "fast-import", "--quiet")
}

// object is what git cat-file says of one.
type object struct {
	kind git.Kind
	data string
}

// all reads every object of the repository.
func (s *stock) all() map[git.ID]object {
	s.Helper()
	r := bufio.NewReader(strings.NewReader(s.git("", "cat-file", "--batch", "--batch-all-objects")))
	objects := map[git.ID]object{}
	for {
		line, err := r.ReadString('\n')
		if err == io.EOF {
			return objects
		}
		var hex, kind string
		var size int
		if _, err := fmt.Sscan(line, &hex, &kind, &size); err != nil {
			s.Fatal(err)
		}
		data := make([]byte, size+1)
		if _, err := io.ReadFull(r, data); err != nil {
			s.Fatal(err)
		}
		k, err := git.ParseKind(kind)
		if err != nil {
			s.Fatal(err)
		}
		objects[s.id(hex)] = object{k, string(data[:size])}
	}
}

// save writes a published file into a directory, for git to look at.
func save(t testing.TB, files repo.Files, name, dir string) string {
	t.Helper()
	f, err := files.Open(context.Background(), name)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	data, err := f.View(context.Background(), 0, int(f.Size()))
	if err != nil || int64(len(data)) != f.Size() {
		t.Fatalf("read %s: %d bytes, %v", name, len(data), err)
	}
	path := filepath.Join(dir, filepath.Base(name))
	if err := os.WriteFile(path, data, 0o644); err != nil {
		t.Fatal(err)
	}
	return path
}
