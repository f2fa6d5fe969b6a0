package hosting_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/ingot-forge/ingot/forge"
	"github.com/ingot-forge/ingot/forge/hosting"
)

func (w *world) importFrom(t *testing.T, dir, name string) (*forge.Repository, error) {
	t.Helper()
	return w.Import(t.Context(), w.machine, "alice", hosting.NewRepository{Name: name, Private: true}, os.DirFS(dir), nil)
}

// TestImport imports the same history laid out in several ways, and compares a
// clone of what came of it with the source.
func TestImport(t *testing.T) {
	w := open(t, hosting.Limits{})
	url := w.serve(t, w.alice)
	for name, prepare := range map[string]func(dir string){
		"loose":  func(string) {},
		"packed": func(dir string) { git(t, dir, "gc", "-q") },
		"mixed": func(dir string) {
			git(t, dir, "repack", "-q", "-d")
			git(t, dir, "commit", "-q", "--allow-empty", "-m", "three")
			git(t, dir, "repack", "-q", "-d")
			git(t, dir, "pack-refs", "--all")
			git(t, dir, "commit", "-q", "--allow-empty", "-m", "four") // main is loose over its packed place
		},
		"duplicate": func(dir string) {
			git(t, dir, "repack", "-q", "-a", "-d")
			git(t, dir, "pack-objects", "-q", "--all", "--window=0", ".git/objects/pack/pack")
		},
		"ref-deltas": func(dir string) {
			git(t, dir, "-c", "repack.useDeltaBaseOffset=false", "repack", "-q", "-a", "-d", "-f")
		},
		"odd-refs": func(dir string) {
			git(t, dir, "update-ref", "refs/pull/1/head", "HEAD~1")
			git(t, dir, "update-ref", "refs/remotes/origin/main", "HEAD")
			git(t, dir, "update-ref", "refs/stash", "HEAD")
			git(t, dir, "tag", "tree", "HEAD^{tree}")
			git(t, dir, "tag", "-a", "-m", "twice", "v2", "v1")
			git(t, dir, "symbolic-ref", "HEAD", "refs/heads/side")
		},
		"unreachable": func(dir string) {
			// A commit whose parent is gone lies about, as after an interrupted gc.
			tree := git(t, dir, "rev-parse", "HEAD^{tree}")
			lost := git(t, dir, "commit-tree", "-m", "lost", tree)
			git(t, dir, "commit-tree", "-m", "loose end", "-p", lost, tree)
			os.Remove(filepath.Join(dir, ".git/objects", lost[:2], lost[2:]))
		},
		"submodule": func(dir string) {
			git(t, dir, "update-index", "--add", "--cacheinfo", "160000,"+strings.Repeat("1", 40)+",sub")
			git(t, dir, "commit", "-q", "-m", "submodule")
		},
	} {
		t.Run(name, func(t *testing.T) {
			dir := workingCopy(t)
			prepare(dir)
			r, err := w.importFrom(t, dir, name)
			if err != nil {
				t.Fatal(err)
			}
			if want := strings.TrimPrefix(git(t, dir, "symbolic-ref", "HEAD"), "refs/heads/"); r.DefaultBranch != want || !r.Private {
				t.Errorf("imported %+v, want default branch %q", r, want)
			}
			mirror := t.TempDir()
			git(t, mirror, "clone", "-q", "--mirror", url+"/alice/"+name, ".")
			git(t, mirror, "fsck", "--strict")
			show := func(dir string) string {
				return git(t, dir, "for-each-ref", "--format=%(objectname) %(*objectname) %(refname)", "refs/heads", "refs/tags", "refs/pull")
			}
			if got, want := show(mirror), show(dir); got != want {
				t.Errorf("refs\n%s\nwant\n%s", got, want)
			}
			if got := git(t, mirror, "for-each-ref", "refs/remotes", "refs/stash"); got != "" {
				t.Errorf("refs of the working copy came along: %s", got)
			}
			faults, err := w.Check(t.Context(), w.machine, "alice", name, func(f string) { t.Error(f) }, func(int, int) {})
			if err != nil || faults != 0 {
				t.Errorf("Check: %d faults, %v", faults, err)
			}
			_, err = w.importFrom(t, dir, name)
			wantKind(t, "importing again", err, forge.Conflict)
		})
	}
}

func TestImportEmpty(t *testing.T) {
	w := open(t, hosting.Limits{})
	dir := t.TempDir()
	git(t, dir, "init", "-q", "--bare", "--initial-branch=dev", ".")
	if r, err := w.importFrom(t, dir, "x"); err != nil || r.DefaultBranch != "dev" {
		t.Errorf("import of an empty repository: %+v, %v", r, err)
	}
}

// TestImportKeepsDeltas: what is stored as deltas stays so, or an import would
// multiply the size.
func TestImportKeepsDeltas(t *testing.T) {
	w := open(t, hosting.Limits{})
	dir := t.TempDir()
	git(t, dir, "init", "-q", ".")
	var lines []string
	for i := range 2000 {
		lines = append(lines, strings.Repeat(string(rune('a'+i%26)), i%50))
	}
	for i := range 20 {
		lines[i*97] = "changed"
		if err := os.WriteFile(filepath.Join(dir, "f"), []byte(strings.Join(lines, "\n")), 0o666); err != nil {
			t.Fatal(err)
		}
		git(t, dir, "add", "f")
		git(t, dir, "commit", "-q", "-m", "x")
	}
	git(t, dir, "repack", "-q", "-a", "-d")
	packs, err := filepath.Glob(filepath.Join(dir, ".git/objects/pack/*.pack"))
	if err != nil || len(packs) != 1 {
		t.Fatal(packs, err)
	}
	info, err := os.Stat(packs[0])
	if err != nil {
		t.Fatal(err)
	}
	r, err := w.importFrom(t, dir, "x")
	if err != nil {
		t.Fatal(err)
	}
	if r.Bytes > info.Size()*11/10 {
		t.Errorf("stored in %d bytes, the source's pack has %d", r.Bytes, info.Size())
	}
}

func TestImportSHA256(t *testing.T) {
	w := open(t, hosting.Limits{})
	dir := t.TempDir()
	git(t, dir, "init", "-q", "--object-format=sha256", ".")
	git(t, dir, "commit", "-q", "--allow-empty", "-m", "x")
	if _, err := w.importFrom(t, dir, "x"); err != nil {
		t.Fatal(err)
	}
	mirror := t.TempDir()
	git(t, mirror, "clone", "-q", "--mirror", w.serve(t, w.alice)+"/alice/x", ".")
	if got, want := git(t, mirror, "rev-parse", "main"), git(t, dir, "rev-parse", "main"); got != want {
		t.Errorf("main %s, want %s", got, want)
	}
}

// TestImportRefuses: what cannot be imported whole leaves no repository.
func TestImportRefuses(t *testing.T) {
	w := open(t, hosting.Limits{})
	write := func(name, text string) {
		t.Helper()
		if err := os.MkdirAll(filepath.Dir(name), 0o777); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(name, []byte(text), 0o666); err != nil {
			t.Fatal(err)
		}
	}
	for name, spoil := range map[string]func(dir string){
		"no repository": func(dir string) { os.RemoveAll(dir + "/.git") },
		"alternates":    func(dir string) { write(dir+"/.git/objects/info/alternates", "/etc\n") },
		"shallow":       func(dir string) { write(dir+"/.git/shallow", strings.Repeat("1", 40)) },
		"reftable":      func(dir string) { os.Mkdir(dir+"/.git/reftable", 0o777) },
		"odd format":    func(dir string) { write(dir+"/.git/config", "[extensions]\n objectFormat = md5\n") },
		"ref to a missing object": func(dir string) {
			write(dir+"/.git/refs/heads/x", strings.Repeat("1", 40))
		},
		"ref that is none":  func(dir string) { write(dir+"/.git/refs/heads/x", "root:x:0:0") },
		"huge ref":          func(dir string) { write(dir+"/.git/refs/heads/x", strings.Repeat("1", 1<<20)) },
		"bad packed-refs":   func(dir string) { write(dir+"/.git/packed-refs", strings.Repeat("1", 40)+" refs/heads/../../x\n") },
		"branch to a tag":   func(dir string) { write(dir+"/.git/refs/heads/x", git(t, dir, "rev-parse", "v1")) },
		"loose, no zlib":    func(dir string) { replaceLoose(t, dir, "HEAD^{tree}", "hello") },
		"missing blob":      func(dir string) { os.Remove(loose(t, dir, "HEAD:file")) },
		"another's content": func(dir string) { replaceLoose(t, dir, "HEAD:file", read(t, loose(t, dir, "HEAD~1:file"))) },
		"bad index": func(dir string) {
			git(t, dir, "gc", "-q")
			flip(t, dir, "*.idx", 2000)
		},
		"bad pack": func(dir string) {
			git(t, dir, "gc", "-q")
			flip(t, dir, "*.pack", 60)
		},
		"short pack": func(dir string) {
			git(t, dir, "gc", "-q")
			name := find(t, dir, "*.pack")
			overwrite(t, name, read(t, name)[:100])
		},
	} {
		t.Run(name, func(t *testing.T) {
			dir := workingCopy(t)
			spoil(dir)
			r, err := w.importFrom(t, dir, "x")
			if err == nil {
				t.Errorf("imported: %+v", r)
			} else if strings.Contains(err.Error(), "root:") {
				t.Errorf("the error shows what a file holds: %v", err)
			}
			if got := w.refs(t, "alice", "x"); got != "" {
				t.Errorf("left a repository: %q", got)
			}
		})
	}
}

func loose(t *testing.T, dir, rev string) string {
	t.Helper()
	id := git(t, dir, "rev-parse", rev)
	return filepath.Join(dir, ".git/objects", id[:2], id[2:])
}

func read(t *testing.T, name string) string {
	t.Helper()
	data, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	return string(data)
}

func overwrite(t *testing.T, name, text string) {
	t.Helper()
	os.Chmod(name, 0o666)
	if err := os.WriteFile(name, []byte(text), 0o666); err != nil {
		t.Fatal(err)
	}
}

func replaceLoose(t *testing.T, dir, rev, text string) {
	t.Helper()
	overwrite(t, loose(t, dir, rev), text)
}

func find(t *testing.T, dir, pattern string) string {
	t.Helper()
	found, err := filepath.Glob(filepath.Join(dir, ".git/objects/pack", pattern))
	if err != nil || len(found) == 0 {
		t.Fatal(found, err)
	}
	return found[0]
}

func flip(t *testing.T, dir, pattern string, at int) {
	t.Helper()
	name := find(t, dir, pattern)
	data := []byte(read(t, name))
	data[min(at, len(data)-30)] ^= 0x40
	overwrite(t, name, string(data))
}
