package disk_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/ingot-forge/ingot/git/repo"
	"github.com/ingot-forge/ingot/store/disk"
)

func open(t *testing.T, dir string) *disk.Files {
	t.Helper()
	files, err := disk.Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	return files
}

func publish(t *testing.T, files repo.Files, name, content string) {
	t.Helper()
	d, err := files.Draft(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if _, err := io.WriteString(d, content); err != nil {
		t.Fatal(err)
	}
	if err := d.Publish(t.Context(), name); err != nil {
		t.Fatal(err)
	}
}

func names(t *testing.T, files repo.Files, prefix string) []string {
	t.Helper()
	var found []string
	err := files.List(t.Context(), prefix, func(info repo.FileInfo) bool {
		found = append(found, info.Name)
		return true
	})
	if err != nil {
		t.Fatal(err)
	}
	return found
}

// The whole layout: private modes, nothing left in drafts/, nothing outside.
func TestLayout(t *testing.T) {
	top := t.TempDir()
	dir := filepath.Join(top, "not", "yet", "there")
	files := open(t, dir)
	publish(t, files, "packs/3f/pack-3f.pack", "bytes")
	draft, err := files.Draft(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer draft.Discard()

	seen := map[string]int{}
	err = filepath.WalkDir(filepath.Join(top, "not"), func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		info, err := d.Info()
		if err != nil {
			return err
		}
		want := fs.FileMode(0o600)
		if d.IsDir() {
			want = 0o700
		}
		if info.Mode().Perm() != want {
			t.Errorf("%s has mode %o, want %o", path, info.Mode().Perm(), want)
		}
		rel, _ := filepath.Rel(dir, path)
		seen[filepath.ToSlash(filepath.Dir(rel))]++
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if seen["drafts"] != 1 || seen["files/packs/3f"] != 1 {
		t.Errorf("want one draft and one published file, found %v", seen)
	}
}

func TestNamesThatLeadOut(t *testing.T) {
	dir := t.TempDir()
	files := open(t, filepath.Join(dir, "data"))
	if err := os.WriteFile(filepath.Join(dir, "secret"), []byte("x"), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"../../secret", "..", "a/../../../secret", "/etc/passwd", "a//b", "", "a\x00b", `..\..\secret`} {
		if f, err := files.Open(t.Context(), name); err == nil {
			f.Close()
			t.Errorf("Open(%q) succeeds", name)
		}
		if err := files.Delete(t.Context(), name); err == nil {
			t.Errorf("Delete(%q) succeeds", name)
		}
		d, err := files.Draft(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		if err := d.Publish(t.Context(), name); err == nil {
			t.Errorf("Publish(%q) succeeds", name)
		}
		if err := d.Discard(); err != nil {
			t.Error(err)
		}
	}
	for _, prefix := range []string{"../", "../../", "../../s", "/", "//", "./"} {
		if got := names(t, files, prefix); got != nil {
			t.Errorf("List(%q) shows %q", prefix, got)
		}
	}
}

// Byte order of whole names is not the order of a walk: '-' and '.' sort
// before the slash, digits and letters after it.
func TestListOrder(t *testing.T) {
	files := open(t, t.TempDir())
	all := []string{"a-b", "a-b.x/1", "a.b", "a/b", "a/b.c", "a0", "a0/x", "b", "packs/00/p", "packs/0a/p", "packs/0a/q", "packs/0a.x"}
	all = slices.DeleteFunc(all, func(n string) bool { return n == "a0" }) // would be the directory of a0/x
	shuffled := slices.Clone(all)
	rand.Shuffle(len(shuffled), func(i, j int) { shuffled[i], shuffled[j] = shuffled[j], shuffled[i] })
	for _, name := range shuffled {
		publish(t, files, name, name)
	}
	slices.Sort(all)
	for _, prefix := range []string{"", "a", "a/", "a/b", "a-", "packs", "packs/", "packs/0", "packs/0a", "packs/0a/", "packs/0a/p", "x", "a/b/"} {
		var want []string
		for _, name := range all {
			if strings.HasPrefix(name, prefix) {
				want = append(want, name)
			}
		}
		if got := names(t, files, prefix); !slices.Equal(got, want) {
			t.Errorf("List(%q) = %q, want %q", prefix, got, want)
		}
	}
}

// What others leave in the directory is no file of ours.
func TestStrayEntries(t *testing.T) {
	dir := t.TempDir()
	files := open(t, dir)
	publish(t, files, "a/b", "x")
	below := filepath.Join(dir, "files")
	for _, stray := range []string{".hidden", "a/.swp", "with space", "tilde~"} {
		if err := os.WriteFile(filepath.Join(below, stray), nil, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.Symlink("/", filepath.Join(below, "root")); err != nil {
		t.Fatal(err)
	}
	if got := names(t, files, ""); !slices.Equal(got, []string{"a/b"}) {
		t.Errorf("List shows %q", got)
	}
	for _, name := range []string{"a", "a/b/c"} {
		if _, err := files.Open(t.Context(), name); !errors.Is(err, repo.ErrNoFile) {
			t.Errorf("Open(%q) = %v, want ErrNoFile", name, err)
		}
		if err := files.Delete(t.Context(), name); err != nil {
			t.Errorf("Delete(%q) = %v", name, err)
		}
	}
	if err := os.Mkdir(filepath.Join(below, "empty"), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := files.Delete(t.Context(), "empty"); err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(filepath.Join(below, "empty")); err != nil {
		t.Errorf("Delete removed a directory: %v", err)
	}
}

// Of many that publish one name exactly one wins, and the file is its file,
// whole, from the first moment it can be opened.
func TestPublishRace(t *testing.T) {
	dir := t.TempDir()
	for round := range 20 {
		name := fmt.Sprintf("r/%d/x", round)
		const writers = 8
		var wins sync.Map
		var wg sync.WaitGroup
		for w := range writers {
			wg.Go(func() {
				files := open(t, dir) // as a process of its own would
				d, err := files.Draft(context.Background())
				if err != nil {
					t.Error(err)
					return
				}
				defer d.Discard()
				if _, err := d.Write(bytes.Repeat([]byte{byte(w)}, 10_000)); err != nil {
					t.Error(err)
				}
				if d.Publish(context.Background(), name) == nil {
					wins.Store(w, true)
				}
			})
		}
		wg.Wait()
		var winner, count int
		wins.Range(func(k, _ any) bool { winner = k.(int); count++; return true })
		if count != 1 {
			t.Fatalf("%d of %d publications of %q succeeded", count, writers, name)
		}
		f, err := open(t, dir).Open(t.Context(), name)
		if err != nil {
			t.Fatal(err)
		}
		data, err := f.View(t.Context(), 0, 20_000)
		if err != nil || !bytes.Equal(data, bytes.Repeat([]byte{byte(winner)}, 10_000)) {
			t.Fatalf("%q does not hold what its winner wrote (%v)", name, err)
		}
		f.Close()
	}
}

func TestViewAfterClose(t *testing.T) {
	files := open(t, t.TempDir())
	for name, content := range map[string]string{"full": "content", "empty": ""} {
		publish(t, files, name, content)
		f, err := files.Open(t.Context(), name)
		if err != nil {
			t.Fatal(err)
		}
		for range 2 {
			if err := f.Close(); err != nil {
				t.Errorf("closing %s: %v", name, err)
			}
		}
		if _, err := f.View(t.Context(), 0, 1); !errors.Is(err, fs.ErrClosed) {
			t.Errorf("View of closed %s: %v, want %v", name, err, fs.ErrClosed)
		}
	}
}

// A crash between the two links of Publish leaves the draft's name beside the
// file's: the sweep takes the one and not the other.
func TestSweepAfterCrashInPublish(t *testing.T) {
	dir := t.TempDir()
	files := open(t, dir)
	publish(t, files, "p", "content")
	left := filepath.Join(dir, "drafts", "draft-1")
	if err := os.Link(filepath.Join(dir, "files", "p"), left); err != nil {
		t.Fatal(err)
	}
	if n, err := files.SweepDrafts(t.Context(), time.Now().Add(-time.Hour)); n != 0 || err != nil {
		t.Fatalf("swept %d drafts younger than the limit (%v)", n, err)
	}
	if n, err := files.SweepDrafts(t.Context(), time.Now().Add(time.Hour)); n != 1 || err != nil {
		t.Fatalf("swept %d drafts (%v), want 1", n, err)
	}
	f, err := files.Open(t.Context(), "p")
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if f.Size() != 7 {
		t.Errorf("published file has %d bytes", f.Size())
	}
}

// The time of a file is that of its publication, not of its last write.
func TestModifiedIsPublication(t *testing.T) {
	dir := t.TempDir()
	files := open(t, dir)
	d, err := files.Draft(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	drafts, err := filepath.Glob(filepath.Join(dir, "drafts", "*"))
	if err != nil || len(drafts) != 1 {
		t.Fatal(drafts, err)
	}
	long := time.Now().Add(-48 * time.Hour)
	if err := os.Chtimes(drafts[0], long, long); err != nil {
		t.Fatal(err)
	}
	if err := d.Publish(t.Context(), "x"); err != nil {
		t.Fatal(err)
	}
	err = files.List(t.Context(), "", func(info repo.FileInfo) bool {
		if age := time.Since(info.Modified); age > time.Minute {
			t.Errorf("file counts as %v old", age)
		}
		return true
	})
	if err != nil {
		t.Fatal(err)
	}
}

// No error tells where on this machine the store lies.
func TestErrorsWithoutPaths(t *testing.T) {
	dir := t.TempDir()
	files := open(t, dir)
	publish(t, files, "taken", "x")
	var errs []error
	d, err := files.Draft(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	errs = append(errs, d.Publish(t.Context(), "taken"), d.Publish(t.Context(), "taken/below"))
	if err := os.RemoveAll(filepath.Join(dir, "drafts")); err != nil {
		t.Fatal(err)
	}
	errs = append(errs, d.Publish(t.Context(), "gone"))
	_, err = files.Draft(t.Context())
	errs = append(errs, err)
	_, err = files.SweepDrafts(t.Context(), time.Now())
	errs = append(errs, err)
	_, err = files.Open(t.Context(), "none")
	errs = append(errs, err)
	for i, err := range errs {
		if err == nil {
			t.Errorf("step %d succeeds", i)
		} else if strings.Contains(err.Error(), dir) {
			t.Errorf("error names a path: %v", err)
		}
	}
	if !errors.Is(errs[0], fs.ErrExist) {
		t.Errorf("second publication: %v, want one that matches %v", errs[0], fs.ErrExist)
	}
}

func TestReserve(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "new")
	if err := disk.Reserve(path); err != nil {
		t.Fatal(err)
	}
	if info, err := os.Stat(path); err != nil || info.Mode() != 0o600 || info.Size() != 0 {
		t.Errorf("reserved file: %v, %v", info, err)
	}
	if err := os.WriteFile(path, []byte("content"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := disk.Reserve(path); err != nil {
		t.Error(err)
	}
	if data, err := os.ReadFile(path); err != nil || string(data) != "content" {
		t.Errorf("a file that was there holds %q, %v", data, err)
	}
	if err := disk.Reserve(filepath.Join(dir, "none", "new")); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("reserving in a directory that is not there: %v", err)
	}
}
