package archive_test

import (
	"archive/tar"
	"archive/zip"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/ingot-forge/ingot/git"
	"github.com/ingot-forge/ingot/git/archive"
)

// attributed is a repository whose attributes change what is archived, in a commit with an odd message.
func attributed(t *testing.T) *stock {
	s := newStock(t)
	s.file(".gitattributes", strings.Join([]string{
		".gitattributes export-ignore", "secret/ export-ignore", "*.log export-ignore", "/only.txt export-ignore", "sub export-ignore",
		"subst* export-subst", "*.bat eol=crlf", "auto* text=auto eol=crlf", "*.bin binary eol=crlf", "id* ident", "both* ident export-subst eol=crlf",
		"old crlf eol=crlf", "old2 -crlf eol=crlf", "in* text=input eol=crlf", "odd text=odd eol=crlf", "kept/* export-ignore", "-x -export-ignore",
		"lf eol=lf", "link* export-subst ident",
	}, "\n"), 0o644)
	s.file("deep/.gitattributes", "keep.log -export-ignore\nnot export-ignore\nempty/* export-ignore\n", 0o644)
	for _, name := range []string{"a.log", "deep/a.log", "deep/keep.log", "deep/not", "deep/only.txt", "only.txt", "secret/a", "deep/secret/b", "secret.txt",
		"deep/empty/x", "kept/a", "kept/b/c", "notkept"} {
		s.file(name, name, 0o644)
	}
	s.file("deep/x/secret", "a file of that name", 0o644)
	lines := "a\nb\r\nc\n\r\n\nlast"
	for _, name := range []string{"x.bat", "auto1", "x.bin", "old", "old2", "in1", "odd", "lf", "none"} {
		s.file(name, lines, 0o644)
	}
	s.file("auto2", "a\n\nb\n", 0o644)
	s.file("auto3", "a\n\x00b\n", 0o644)
	s.file("auto4", strings.Repeat("a\n\x01", 10), 0o644)
	s.file("auto5", "a\n\x1a", 0o644)
	s.file("auto6", "a\rb\n", 0o644)
	s.file("first.bat", "\n\n", 0o644)
	ids := "$Id$ $Id: 1234567890 $ $Id: one two $ $Id:x$ $Id:$ $Id: \n$ $$Id$$ $Ident$ $I $Id"
	s.file("id1", ids, 0o644)
	s.file("id2", "$Id: unfinished\n$Id$", 0o644)
	s.file("id3", "$Id: unfinished", 0o644)
	s.file("id4", "$", 0o644)
	s.file("both", "$Id$\n$Format:%H%n%s$\n$Format:$\n", 0o644)
	s.file("noid", ids, 0o644)
	var all strings.Builder
	for _, f := range []string{"H", "T", "P", "an", "ae", "al", "ad", "aD", "at", "ai", "aI", "as", "cn", "ce", "cl", "cd", "cD", "ct", "ci", "cI", "cs", "s", "b",
		"B", "f", "e", "n", "x41", "x4", "%", "m", "Q", "a", "aq", "", "+b", "-b", " s", "+P", "-P", " P", "+Q", "- s", "Cred", "Cnone", "C(auto)", "N", "(unknown)",
		"+s%-P%n|", "d", "D", "(describe", "+w(1)"} {
		fmt.Fprintf(&all, "%s: $Format:<%%%s>$\n", f, f)
	}
	s.file("subst1", all.String()+"$Format:%H\nover lines %T$ $Format:unfinished", 0o644)
	s.file("subst2", "$Format:%H$$Format:%H$", 0o755)
	s.file("nosubst", "$Format:%H$", 0o644)
	if err := os.Symlink("$Format:%H$", s.dir+"/link"); err != nil {
		t.Fatal(err)
	}
	s.git("-c", "core.autocrlf=false", "add", "-f", ".")
	// As they are: adding would have changed ends of lines.
	for _, name := range []string{"x.bat", "auto1", "old", "in1", "odd"} {
		id := strings.TrimSpace(string(s.git("hash-object", "-w", "--no-filters", name)))
		s.git("update-index", "--cacheinfo", "100644,"+id+","+name)
	}
	id := strings.TrimSpace(string(s.git("hash-object", "-w", "--no-filters", "id1")))
	s.git("update-index", "--cacheinfo", "100644,"+id+",id1")
	s.git("update-index", "--add", "--cacheinfo", "160000,1111111111111111111111111111111111111111,sub")
	s.git("commit", "-q", "-m", "base")
	s.git("commit", "-q", "--allow-empty", "--author=Ädä L. <ada.l@example.com>", "--date=1500000000 -0330", "--cleanup=verbatim",
		"-m", "\n \n..Subject: über, the.. line  \nsecond line\t\n\n\nbody\n\nmore\n\n")
	return s
}

func TestAttributesAsGit(t *testing.T) {
	s := attributed(t)
	for _, c := range []struct {
		rev, prefix string
		paths       []string
		naming      archive.Naming
	}{
		{rev: "HEAD", naming: archive.Naming{Decorations: func() []string {
			return []string{"HEAD -> " + strings.TrimSpace(string(s.git("branch", "--show-current")))}
		}}},
		{rev: "HEAD~1", prefix: "p/q/", naming: archive.Naming{Decorations: func() []string { return nil }}},
		{rev: "HEAD:deep"}, {rev: "HEAD:"}, {rev: "HEAD:deep", prefix: "deep/"},
		{rev: "HEAD", paths: []string{"deep", "a.log", "auto*"}},
	} {
		o := archive.Options{Prefix: c.prefix, Paths: c.paths, Naming: c.naming, Time: time.Unix(1700000001, 0)}
		args := []string{"archive", "--format=tar", "--prefix=" + c.prefix, c.rev}
		rev := git.SHA1.Hex(s.id(c.rev))
		if !strings.Contains(c.rev, ":") {
			o.Commit = s.id(c.rev)
		}
		got, err := write(t, s, rev, o)
		if err != nil {
			t.Fatal(err)
		}
		want := s.git(append(args, c.paths...)...)
		equal := bytes.Equal(got, want)
		if o.Commit.IsZero() { // git takes the time of day then
			equal = reflect.DeepEqual(contents(t, got), contents(t, want))
		}
		if !equal {
			a, b := contents(t, got), contents(t, want)
			for name := range b {
				if a[name] != b[name] {
					t.Errorf("%+v: %s: %q, git %q", c, name, a[name], b[name])
				}
				delete(a, name)
			}
			t.Errorf("%s %s: not git's; too many: %q\n%s\n%s", c.rev, c.paths, a, list(got), list(want))
		}
	}
}

// contents are the files of a tar.
func contents(t *testing.T, data []byte) map[string]string {
	t.Helper()
	all := map[string]string{}
	for r := tar.NewReader(bytes.NewReader(data)); ; {
		h, err := r.Next()
		if err == io.EOF {
			return all
		}
		if err != nil {
			t.Fatal(err)
		}
		text, err := io.ReadAll(r)
		if err != nil {
			t.Fatal(err)
		}
		all[h.Name] = string(text) + h.Linkname
	}
}

func TestNaming(t *testing.T) {
	s := newStock(t)
	s.file(".gitattributes", "* export-subst", 0o644)
	s.file("f", "$Format:%h %t|%d|%D|%(describe:tags=true)|%(describe)$", 0o644)
	s.git("add", ".")
	s.git("commit", "-q", "-m", "one")
	o := archive.Options{Commit: s.id("HEAD"), Naming: archive.Naming{
		Abbrev:      func(id git.ID) string { return git.SHA1.Hex(id)[:9] },
		Decorations: func() []string { return []string{"HEAD -> main", "tag: v1"} },
		Describe:    func(_ context.Context, options string) (string, error) { return "v1-" + options, nil },
	}}
	got, err := write(t, s, "HEAD", o)
	if err != nil {
		t.Fatal(err)
	}
	want := fmt.Sprintf("%.9s %.9s| (HEAD -> main, tag: v1)|HEAD -> main, tag: v1|v1-tags=true|%%(describe)", s.id("HEAD"), s.id("HEAD^{tree}"))
	if f := contents(t, got)["f"]; f != want {
		t.Errorf("%q, want %q", f, want)
	}
	failed := errors.New("failed")
	o.Naming.Describe = func(context.Context, string) (string, error) { return "", failed }
	if _, err := write(t, s, "HEAD", o); !errors.Is(err, failed) {
		t.Errorf("describe fails: %v", err)
	}
}

// TestSubstBomb lets a small file name a large message many times.
func TestSubstBomb(t *testing.T) {
	s := newStock(t)
	s.file(".gitattributes", "* export-subst", 0o644)
	s.file("f", strings.Repeat("$Format:"+strings.Repeat("%B", 1000)+"$", 100), 0o644)
	s.git("add", ".")
	s.git("commit", "-q", "-m", strings.Repeat("large ", 1000))
	var large *archive.TooLargeError
	if _, err := write(t, s, "HEAD", archive.Options{Commit: s.id("HEAD")}); !errors.As(err, &large) || large.What != "bytes" {
		t.Errorf("%v", err)
	}
}

// TestLarge reads files as they are written.
func TestLarge(t *testing.T) {
	s := newStock(t)
	content := strings.Repeat("large ", 40_000)
	s.file(".gitattributes", "e* ident", 0o644)
	s.file("a", content, 0o755)
	s.file("b", "small", 0o644)
	s.file("e", content+"$Id$", 0o644)
	s.git("add", ".")
	s.git("commit", "-q", "-m", "one")
	objects := s.objects()
	opened, short := 0, int64(0)
	o := archive.Options{Format: archive.Tar, Commit: s.id("HEAD"), Time: time.Unix(1700000001, 0), Level: 6, MaxEntries: 100, MaxBytes: 1 << 20,
		Large: func(_ context.Context, id git.ID) (int64, io.ReadCloser, error) {
			data := objects[id].Data
			if len(data) < 1000 {
				return 0, nil, nil
			}
			opened++
			return int64(len(data)) + short, io.NopCloser(plainReader{bytes.NewReader(data)}), nil
		}}
	write := func() ([]byte, error) {
		var b bytes.Buffer
		err := archive.Write(context.Background(), objects, s.id("HEAD^{tree}"), &b, o)
		return b.Bytes(), err
	}
	got, err := write()
	if want := s.git("archive", "--format=tar", "HEAD"); err != nil || !bytes.Equal(got, want) || opened != 1 {
		t.Errorf("%d files streamed, %v, %d bytes, git %d", opened, err, len(got), len(want))
	}
	for _, o.Level = range []int{0, 6} {
		o.Format = archive.Zip
		got, err = write()
		if err != nil {
			t.Fatal(err)
		}
		r, err := zip.NewReader(bytes.NewReader(got), int64(len(got)))
		if err != nil {
			t.Fatal(err)
		}
		f, err := r.Open("a")
		if err != nil {
			t.Fatal(err)
		}
		if text, err := io.ReadAll(f); err != nil || string(text) != content {
			t.Errorf("level %d: %d bytes, %v", o.Level, len(text), err)
		}
		if info, err := f.Stat(); err != nil || info.Mode() != 0o755 {
			t.Errorf("level %d: mode %v, %v", o.Level, info.Mode(), err)
		}
	}
	for _, o.Format = range []archive.Format{archive.Tar, archive.Zip} {
		for _, short = range []int64{-1, 1} {
			if _, err := write(); !errors.Is(err, git.ErrCorrupt) {
				t.Errorf("%s: a blob with %d bytes less than told: %v", o.Format, short, err)
			}
		}
	}
	var large *archive.TooLargeError
	if short, o.MaxBytes = 0, 1000; !errors.As(func() error { _, err := write(); return err }(), &large) {
		t.Error("a large file within small bounds")
	}
}

// plainReader hides what else a reader can do.
type plainReader struct{ io.Reader }
