package archive_test

import (
	"archive/tar"
	"archive/zip"
	"bytes"
	"compress/gzip"
	"context"
	"encoding/binary"
	"errors"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/ingot-forge/ingot/git"
	"github.com/ingot-forge/ingot/git/archive"
)

// stock is a repository of stock git.
type stock struct {
	t   *testing.T
	dir string
}

func newStock(t *testing.T) *stock {
	s := &stock{t, t.TempDir()}
	s.git("init", "-q", ".")
	return s
}

func (s *stock) git(args ...string) []byte {
	s.t.Helper()
	cmd := exec.Command("git", args...)
	cmd.Dir = s.dir
	cmd.Env = append(os.Environ(), "GIT_CONFIG_NOSYSTEM=1", "GIT_CONFIG_GLOBAL=/dev/null", "TZ=UTC",
		"GIT_AUTHOR_NAME=A", "GIT_AUTHOR_EMAIL=a@x", "GIT_COMMITTER_NAME=C", "GIT_COMMITTER_EMAIL=c@x",
		"GIT_AUTHOR_DATE=1700000000 +0100", "GIT_COMMITTER_DATE=1700000001 +0100")
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		s.t.Fatalf("git %q: %v\n%s", args, err, stderr.String())
	}
	return out
}

func (s *stock) file(name, content string, mode os.FileMode) {
	s.t.Helper()
	path := filepath.Join(s.dir, name)
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		s.t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(content), mode); err != nil {
		s.t.Fatal(err)
	}
}

func (s *stock) id(rev string) git.ID {
	s.t.Helper()
	id, err := git.SHA1.Parse(strings.TrimSpace(string(s.git("rev-parse", rev))))
	if err != nil {
		s.t.Fatal(err)
	}
	return id
}

// objects reads everything into memory.
func (s *stock) objects() git.Memory {
	s.t.Helper()
	m := git.Memory{}
	rest := s.git("cat-file", "--batch-all-objects", "--batch", "--unordered")
	for len(rest) > 0 {
		head, after, _ := bytes.Cut(rest, []byte{'\n'})
		f := strings.Fields(string(head))
		id, _ := git.SHA1.Parse(f[0])
		kind, _ := git.ParseKind(f[1])
		n := 0
		for _, c := range f[2] {
			n = n*10 + int(c-'0')
		}
		o := m[id]
		o.Kind, o.Data = kind, after[:n]
		m[id] = o
		rest = after[n+1:]
	}
	return m
}

// awkward makes a repository with what archives have trouble with.
func awkward(t *testing.T) *stock {
	s := newStock(t)
	s.file("README", "hello\n", 0o644)
	s.file("run", "#!/bin/sh\n", 0o755)
	s.file("empty", "", 0o644)
	s.file("größe.txt", strings.Repeat("compressible ", 500), 0o644)
	s.file("a/b/c/deep", "deep", 0o644)
	s.file("a.txt", "sorts between", 0o644)
	s.file("dir/"+strings.Repeat("long/", 18)+"just-over-a-hundred", "prefix field", 0o644)
	s.file(strings.Repeat("x", 120), "no slash to cut at", 0o644)
	s.file("d/"+strings.Repeat("y", 99)+"/"+strings.Repeat("z", 150), "name does not fit", 0o644)
	s.file(strings.Repeat("w", 99)+"/f", "a directory of exactly a hundred bytes", 0o644)
	s.file("noise", string(func() (b []byte) {
		for i, x := 0, uint32(1); i < 3000; i++ {
			x = x*1664525 + 1013904223
			b = append(b, byte(x>>24))
		}
		return b
	}()), 0o644)
	for name, target := range map[string]string{"link": "README", "longlink": strings.Repeat("t/", 70)} {
		if err := os.Symlink(target, filepath.Join(s.dir, name)); err != nil {
			t.Fatal(err)
		}
	}
	s.git("add", ".")
	s.git("update-index", "--add", "--cacheinfo", "160000,1111111111111111111111111111111111111111,sub/module")
	s.git("commit", "-q", "-m", "all")
	return s
}

func write(t *testing.T, s *stock, rev string, o archive.Options) ([]byte, error) {
	t.Helper()
	if o.Format == "" {
		o.Format = archive.Tar
	}
	o.MaxEntries, o.MaxBytes = max(o.MaxEntries, 1000*b2i(o.MaxEntries == 0)), 1<<20
	var out bytes.Buffer
	err := archive.Write(context.Background(), s.objects(), s.id(rev+"^{tree}"), &out, o)
	return out.Bytes(), err
}

func b2i(b bool) int {
	if b {
		return 1
	}
	return 0
}

func TestTarEqualsGits(t *testing.T) {
	s := awkward(t)
	for name, c := range map[string]struct {
		args []string
		o    archive.Options
	}{
		"plain":           {},
		"prefix":          {args: []string{"--prefix=x-1/"}, o: archive.Options{Prefix: "x-1/"}},
		"prefix slashes":  {args: []string{"--prefix=x/y///"}, o: archive.Options{Prefix: "x/y///"}},
		"prefix no slash": {args: []string{"--prefix=pre"}, o: archive.Options{Prefix: "pre"}},
		"one file":        {args: []string{"README"}, o: archive.Options{Paths: []string{"README"}}},
		"directory":       {args: []string{"a", "sub"}, o: archive.Options{Paths: []string{"a", "sub"}}},
		"below":           {args: []string{"a/b/c/deep"}, o: archive.Options{Paths: []string{"a/b/c/deep"}}},
		"slash at end":    {args: []string{"a/b/"}, o: archive.Options{Paths: []string{"a/b/"}}},
		"glob":            {args: []string{"*.txt", "a/*eep"}, o: archive.Options{Paths: []string{"*.txt", "a/*eep"}}},
		"glob classes":    {args: []string{"[a-r]?*[!x]"}, o: archive.Options{Paths: []string{"[a-r]?*[!x]"}}},
		"glob directory":  {args: []string{"?/b"}, o: archive.Options{Paths: []string{"?/b"}}},
		"escaped":         {args: []string{`\READM?`}, o: archive.Options{Paths: []string{`\READM?`}}},
	} {
		t.Run(name, func(t *testing.T) {
			c.o.Commit, c.o.Time = s.id("HEAD"), time.Unix(1700000001, 0)
			got, err := write(t, s, "HEAD", c.o)
			if err != nil {
				t.Fatal(err)
			}
			args := append([]string{"archive", "--format=tar"}, c.args...)
			at := 2
			for at < len(args) && strings.HasPrefix(args[at], "--") {
				at++
			}
			args = append(args[:at:at], append([]string{"HEAD"}, args[at:]...)...)
			if want := s.git(args...); !bytes.Equal(got, want) {
				t.Errorf("tar differs from git's: %d and %d bytes\n%s\n%s", len(got), len(want), list(got), list(want))
			}
		})
	}
}

// list names the members of a tar.
func list(data []byte) string {
	var b strings.Builder
	r := tar.NewReader(bytes.NewReader(data))
	for {
		h, err := r.Next()
		if err != nil {
			return b.String() + err.Error()
		}
		b.WriteString(h.Name + " ")
	}
}

func TestGzip(t *testing.T) {
	s := awkward(t)
	o := archive.Options{Time: time.Unix(1700000001, 0), Commit: s.id("HEAD")}
	plain, err := write(t, s, "HEAD", o)
	if err != nil {
		t.Fatal(err)
	}
	for level := range 10 {
		o.Format, o.Level = archive.TarGz, level
		packed, err := write(t, s, "HEAD", o)
		if err != nil {
			t.Fatal(err)
		}
		r, err := gzip.NewReader(bytes.NewReader(packed))
		if err != nil {
			t.Fatal(err)
		}
		got, err := io.ReadAll(r)
		if err != nil || !bytes.Equal(got, plain) {
			t.Errorf("level %d: %d bytes instead of %d, %v", level, len(got), len(plain), err)
		}
		if level > 0 && len(packed) > len(plain)/3 {
			t.Errorf("level %d: %d bytes are %d compressed", level, len(plain), len(packed))
		}
	}
}

func TestZipEqualsGits(t *testing.T) {
	s := awkward(t)
	for _, level := range []string{"-0", "-6"} {
		got, err := write(t, s, "HEAD", archive.Options{
			Format: archive.Zip, Prefix: "p/", Level: int(level[1] - '0'), Commit: s.id("HEAD"), Time: time.Unix(1700000001, 0),
		})
		if err != nil {
			t.Fatal(err)
		}
		want := s.git("archive", "--format=zip", level, "--prefix=p/", "HEAD")
		a, b := members(t, got), members(t, want)
		if len(a) != len(b) {
			t.Fatalf("%d members, git has %d", len(a), len(b))
		}
		for i := range a {
			if a[i] != b[i] {
				t.Errorf("member %d: %+v\ngit's:    %+v", i, a[i], b[i])
			}
		}
		if comment := s.git("rev-parse", "HEAD"); !bytes.HasSuffix(got, bytes.TrimSpace(comment)) {
			t.Error("the comment is not the commit's id")
		}
		// Every member can be read from the front: its local header has the sizes.
		if flags := binary.LittleEndian.Uint16(got[6:]); flags&8 != 0 {
			t.Error("sizes come behind the data")
		}
	}
}

type zipMember struct {
	name, content      string
	attributes         uint32
	creator, flags     uint16
	method, date, time uint16
}

func members(t *testing.T, data []byte) (all []zipMember) {
	t.Helper()
	z, err := zip.NewReader(bytes.NewReader(data), int64(len(data)))
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range z.File {
		r, err := f.Open()
		if err != nil {
			t.Fatal(err)
		}
		content, err := io.ReadAll(r)
		if err != nil {
			t.Fatalf("%s: %v", f.Name, err)
		}
		all = append(all, zipMember{f.Name, string(content), f.ExternalAttrs, f.CreatorVersion, f.Flags, f.Method, f.ModifiedDate, f.ModifiedTime})
	}
	return all
}

func TestPathsThatMatchNothing(t *testing.T) {
	s := awkward(t)
	for _, path := range []string{"nothing", "READ", "README/x", "README/", "a/b/c/deep/", "z*", ":(top)a", "../x", strings.Repeat("*a", 3000)} {
		out, err := write(t, s, "HEAD", archive.Options{Paths: []string{"a", path}})
		var wrong *archive.PathError
		if !errors.As(err, &wrong) || wrong.Path != path || len(out) > 0 {
			t.Errorf("%q: %v after %d bytes; want a PathError before the first", path, err, len(out))
		}
	}
}

// TestBomb has ten trees, each with ten entries that are all the next tree:
// ten thousand million files.
func TestBomb(t *testing.T) {
	m, h := git.Memory{}, git.NewHasher(git.SHA1)
	put := func(kind git.Kind, data []byte) git.ID {
		id, err := h.Hash(kind, data)
		if err != nil {
			t.Fatal(err)
		}
		o := m[id]
		o.Kind, o.Data = kind, data
		m[id] = o
		return id
	}
	id, mode := put(git.KindBlob, []byte("bomb")), git.ModeBlob
	for range 10 {
		var entries []git.Entry
		for i := range 10 {
			entries = append(entries, git.Entry{Mode: mode, Name: string(rune('0' + i)), ID: id})
		}
		id, mode = put(git.KindTree, git.AppendTree(git.SHA1, nil, entries)), git.ModeTree
	}
	for name, o := range map[string]archive.Options{
		"entries":                   {MaxEntries: 5000, MaxBytes: 1 << 40},
		"bytes":                     {MaxEntries: 1 << 40, MaxBytes: 5000},
		"entries, looking for path": {MaxEntries: 5000, MaxBytes: 1 << 40, Paths: []string{"*x"}},
	} {
		o.Format = archive.Tar
		err := archive.Write(t.Context(), m, id, io.Discard, o)
		var large *archive.TooLargeError
		if !errors.As(err, &large) || large.Max != 5000 {
			t.Errorf("%s: %v", name, err)
		}
	}
	// A tree deep beyond reason.
	id, mode = put(git.KindBlob, nil), git.ModeBlob
	for range 5000 {
		id, mode = put(git.KindTree, git.AppendTree(git.SHA1, nil, []git.Entry{{Mode: mode, Name: "d", ID: id}})), git.ModeTree
	}
	err := archive.Write(t.Context(), m, id, io.Discard, archive.Options{Format: archive.Tar, MaxEntries: 1 << 20, MaxBytes: 1 << 20})
	var large *archive.TooLargeError
	if !errors.As(err, &large) || !strings.Contains(err.Error(), "directories") {
		t.Errorf("depth: %v", err)
	}
}

func TestMissingObject(t *testing.T) {
	s := awkward(t)
	m := s.objects()
	delete(m, s.id("HEAD:README"))
	err := archive.Write(t.Context(), m, s.id("HEAD^{tree}"), io.Discard, archive.Options{Format: archive.Tar, MaxEntries: 100, MaxBytes: 1 << 20})
	if !errors.Is(err, git.ErrNotFound) {
		t.Errorf("a missing blob: %v", err)
	}
}
