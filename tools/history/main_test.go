package main

import (
	"archive/zip"
	"fmt"
	"io/fs"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// proxy serves a module of three releases, of which it refuses v1.1.0 and,
// being broken, answers 500 for v1.3.0.
func proxy(t *testing.T) {
	t.Helper()
	releases := map[string]map[string]string{
		"v1.0.0": {
			"go.mod": "module example.org/m\n", "crlf.txt": "one\r\ntwo\n", "gone.txt": "gone soon\n",
			".gitattributes": "* text=auto\n", ".gitignore": "ignored\n", "ignored": "not ignored\n",
		},
		"v1.2.0": {"go.mod": "module example.org/m\n", "crlf.txt": "one\r\nthree\n", "dir/new.txt": "new\n"},
	}
	times := map[string]string{"v1.0.0": "2001-02-03T04:05:06Z", "v1.2.0": "2002-03-04T05:06:07Z"}
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		name := strings.TrimPrefix(r.URL.Path, "/example.org/m/@v/")
		version, suffix := strings.TrimSuffix(name, filepath.Ext(name)), filepath.Ext(name)
		files, ok := releases[version]
		switch {
		case name == "list":
			fmt.Fprint(w, "v1.0.0\nv1.1.0\nv1.2.0\nv1.3.0\n")
		case version == "v1.3.0":
			http.Error(w, "broken", http.StatusInternalServerError)
		case !ok:
			http.Error(w, "refused", http.StatusForbidden)
		case suffix == ".info":
			fmt.Fprintf(w, `{"Version":%q,"Time":%q}`, version, times[version])
		case suffix == ".mod":
			fmt.Fprint(w, files["go.mod"])
		case suffix == ".zip":
			z := zip.NewWriter(w)
			for file, content := range files {
				f, err := z.Create("example.org/m@" + version + "/" + file)
				if err != nil {
					t.Error(err)
				}
				fmt.Fprint(f, content)
			}
			z.Close()
		}
	}))
	cache := t.TempDir()
	t.Setenv("GOPROXY", server.URL)
	t.Setenv("GOSUMDB", "off")
	t.Setenv("GOMODCACHE", cache)
	t.Cleanup(func() {
		server.Close()
		// The module cache is read-only, which t.TempDir could not remove.
		filepath.WalkDir(cache, func(file string, d fs.DirEntry, err error) error {
			if err == nil && d.IsDir() {
				return os.Chmod(file, 0o755)
			}
			return err
		})
	})
}

func gitOutput(t *testing.T, dir string, args ...string) string {
	t.Helper()
	out, err := output(exec.Command("git", append([]string{"-C", dir}, args...)...))
	if err != nil {
		t.Fatal(err)
	}
	return strings.TrimSpace(string(out))
}

func TestRun(t *testing.T) {
	proxy(t)
	dir := filepath.Join(t.TempDir(), "made")
	var out strings.Builder
	if err := run(t.Context(), &out, "example.org/m", "", 3, dir); err != nil {
		t.Fatal(err)
	}
	if lines := strings.Split(out.String(), "\nexample.org/m"); len(lines) != 3 || !strings.Contains(lines[1], "v1.1.0: left out: ") {
		t.Errorf("it says:\n%s", out.String())
	}
	if got := gitOutput(t, dir, "for-each-ref", "--format=%(refname) %(objecttype) %(*committerdate:unix)"); got !=
		"refs/heads/main commit \nrefs/tags/v1.0.0 tag 981173106\nrefs/tags/v1.2.0 tag 1015218367" {
		t.Errorf("the refs are:\n%s", got)
	}
	if got := gitOutput(t, dir, "ls-tree", "-r", "--name-only", "v1.0.0"); got !=
		".gitattributes\n.gitignore\ncrlf.txt\ngo.mod\ngone.txt\nignored" {
		t.Errorf("the files of v1.0.0 are:\n%s", got)
	}
	if got := gitOutput(t, dir, "ls-tree", "-r", "--name-only", "main"); got != "crlf.txt\ndir/new.txt\ngo.mod" {
		t.Errorf("the files of v1.2.0 are:\n%s", got)
	}
	if got := gitOutput(t, dir, "cat-file", "-p", "v1.0.0:crlf.txt"); got != "one\r\ntwo" {
		t.Errorf("crlf.txt is %q", got)
	}
	if got := gitOutput(t, dir, "status", "--porcelain"); got != "" {
		t.Errorf("the work tree is not the last release:\n%s", got)
	}
	again := filepath.Join(t.TempDir(), "again")
	if err := run(t.Context(), &out, "example.org/m", "v1.0.0", 3, again); err != nil {
		t.Fatal(err)
	}
	if a, b := gitOutput(t, dir, "for-each-ref"), gitOutput(t, again, "for-each-ref"); a != b {
		t.Errorf("made again, the refs differ:\n%s\n%s", a, b)
	}
}

func TestRunRefuses(t *testing.T) {
	proxy(t)
	full := t.TempDir()
	if err := os.WriteFile(filepath.Join(full, "file"), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		name, module, from string
		versions           int
		dir, want          string
	}{
		{"a directory with something in it", "example.org/m", "", 1, full, "is not empty"},
		{"a broken proxy", "example.org/m", "v1.2.0", 2, filepath.Join(t.TempDir(), "new"), "example.org/m v1.3.0: "},
		{"nothing to be had", "example.org/m", "v1.1.0", 1, filepath.Join(t.TempDir(), "new"), "hands out none of 1 releases"},
		{"an unknown release", "example.org/m", "v9.0.0", 1, filepath.Join(t.TempDir(), "new"), "v9.0.0: no such version"},
		{"an unknown module", "example.org/n", "", 1, filepath.Join(t.TempDir(), "new"), "example.org/n: listing its versions: "},
	} {
		t.Run(c.name, func(t *testing.T) {
			var out strings.Builder
			if err := run(t.Context(), &out, c.module, c.from, c.versions, c.dir); err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("got %v, want an error with %q", err, c.want)
			}
		})
	}
}
