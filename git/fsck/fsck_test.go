package fsck_test

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"testing"

	"github.com/ingot-forge/ingot/git"
	"github.com/ingot-forge/ingot/git/fsck"
)

// TestLimits checks what is refused beyond git 2.39, on both sides of each limit.
func TestLimits(t *testing.T) {
	commit := func(text string) object { return object{git.KindCommit, []byte(text)} }
	dated := func(date string) object { return commit(strings.Replace(goodCommit, "1112912113", date, 1)) }
	parents := func(n int) object {
		line := "parent " + strings.Repeat("1", 40) + "\n"
		return commit(strings.Replace(goodCommit, "author", strings.Repeat(line, n)+"author", 1))
	}
	headers := func(size int) object {
		header, message, _ := strings.Cut(goodCommit, "\n\n")
		return commit(header + "\nx " + strings.Repeat("y", size-len(header)-3) + "\n\n" + message)
	}
	for _, c := range []struct {
		object  object
		message string
	}{
		{tree(entry("100644", strings.Repeat("a", fsck.MaxNameSize))), ""},
		{tree(entry("100644", strings.Repeat("a", fsck.MaxNameSize+1))), "largePathname"},
		{parents(fsck.MaxParents), ""},
		{parents(fsck.MaxParents + 1), "tooManyParents"},
		{parents(10_000), "tooManyParents"},
		{headers(fsck.MaxHeaderSize), ""},
		{headers(fsck.MaxHeaderSize + 1), "headerLarge"},
		{dated("253402300799"), ""},
		{dated("253402300800"), "badDateOverflow"},
		{dated("9223372036854775807"), "badDateOverflow"},
		{dated(strings.Repeat("9", 1000)), "badDateOverflow"},
		{dated("\t 1"), ""},
		{dated("-1"), "badDate"},
		{tree(strings.Repeat("1", 40) + " a\x00" + strings.Repeat("x", 20)), "badTree"},
		{tree("1100644 a\x00" + strings.Repeat("x", 20)), "badTree"},
		{tree("100644 a\x00" + strings.Repeat("x", 19)), "badTree"},
		{tree("100644 a"), "badTree"},
		{tree("100644 \x00" + strings.Repeat("x", 20)), "badTree"},
		{object{git.Kind(7), nil}, "unknownType"},
	} {
		wantRefusal(t, refusal(t, c.object), c.message)
	}
}

func wantRefusal(t *testing.T, err error, message string) {
	t.Helper()
	var p *fsck.Problem
	if message == "" && err == nil {
		return
	}
	if !errors.As(err, &p) || p.Message != message {
		t.Errorf("got %v, want %q", err, message)
	}
}

// TestSpecialBlobs has what git 2.39 cannot be asked about: our own rules, newer ones,
// large blobs and other things than blobs.
func TestSpecialBlobs(t *testing.T) {
	modules := func(text string) []object {
		blob := object{git.KindBlob, []byte(text)}
		return []object{blob, tree(entryOf("100644", ".gitmodules", idOf(blob)))}
	}
	attributes := func(text string) []object {
		blob := object{git.KindBlob, []byte(text)}
		return []object{blob, tree(entryOf("100644", ".GITATTRIBUTES", idOf(blob)))}
	}
	set := func(key, value string) []object {
		return modules(fmt.Sprintf("[submodule \"a\"]\n%s = \"%s\"\n", key, value))
	}
	for _, c := range []struct {
		objects []object
		message string
	}{
		{modules(strings.Repeat("#", fsck.MaxModulesSize)), ""},
		{modules(strings.Repeat("#", fsck.MaxModulesSize+1)), "gitmodulesLarge"},
		{attributes(strings.Repeat("a\n", 10) + strings.Repeat("a", fsck.MaxAttributeLine) + "\nb"), ""},
		{attributes(strings.Repeat("a\n", 10) + strings.Repeat("a", fsck.MaxAttributeLine+1) + "\nb"), "gitattributesLineLength"},
		{attributes(strings.Repeat("a", fsck.MaxAttributeLine+1)), "gitattributesLineLength"},
		{set("path", "lib/a b"), ""},
		{set("path", "a..b/.github/c"), ""},
		{set("path", "a\r"), "gitmodulesPath"},
		{set("path", "a\\n"), "gitmodulesPath"},
		{set("path", "/a"), "gitmodulesPath"},
		{set("path", "a/../../b"), "gitmodulesPath"},
		{set("path", ".git/hooks"), "gitmodulesPath"},
		{set("path", "a/.GIT /x"), "gitmodulesPath"},
		{set("path", "a\\\\git~1"), "gitmodulesPath"},
		{set("path", ".g\u200cit"), "gitmodulesPath"},
		{set("url", "ssh://h/a\\nhost=b"), "gitmodulesUrl"},
		{set("url", "ssh://h/a\r"), "gitmodulesUrl"},
		{set("url", "http://u%zz@h/"), "gitmodulesUrl"},
		{set("url", "http://h:0/x"), "gitmodulesUrl"},
		{set("url", "http://h/../x"), "gitmodulesUrl"},
		{modules("[submodule \"a\r\"]\npath=b\n"), "gitmodulesName"},
		// What git 2.39 does not see.
		{modules("# \xff\n[submodule \"..\"]\npath=b\n"), "gitmodulesName"},
		{modules("\ufeff[submodule \"..\"]\npath=b\n"), "gitmodulesName"},
		// Something else in its place.
		{[]object{tree(entryOf("100644", ".gitmodules", git.ID{1}))}, "gitmodulesMissing"},
		{[]object{tree(entryOf("100644", ".gitattributes", git.ID{1}))}, "gitattributesMissing"},
		{[]object{tree(), tree(entry("40000", ".gitmodules"))}, "gitmodulesBlob"},
		{[]object{tree(), tree(entry("40000", ".gitattributes"))}, "gitattributesBlob"},
		{[]object{tree(entry("120000", ".gitmodules"))}, "gitmodulesSymlink"},
		{[]object{tree(entry("120000", ".gitattributes"))}, ""},
	} {
		wantRefusal(t, refusal(t, c.objects...), c.message)
	}
}

func TestAttributesSize(t *testing.T) {
	data := []byte(strings.Repeat("a\n", fsck.MaxAttributesSize/2+1))
	c := fsck.New(git.SHA1, nil)
	id := git.ID{1}
	wantRefusal(t, c.Object(git.ID{2}, git.KindTree, []byte(entryOf("100644", ".gitattributes", id))), "")
	wantRefusal(t, c.Object(id, git.KindBlob, data), "gitattributesLarge")
}

// TestRememberedBlobs fills the Checker's memory.
func TestRememberedBlobs(t *testing.T) {
	c := fsck.New(git.SHA1, nil)
	var id git.ID
	for i := range fsck.MaxRememberedBlobs {
		binary.BigEndian.PutUint32(id[:], uint32(i+1))
		if err := c.Object(git.ID{}, git.KindTree, []byte(entryOf("100644", ".gitattributes", id))); err != nil {
			t.Fatalf("blob %d: %v", i, err)
		}
	}
	again := c.Object(git.ID{}, git.KindTree, []byte(entryOf("100644", ".gitattributes", id)))
	wantRefusal(t, again, "")
	id = git.ID{0xff}
	wantRefusal(t, c.Object(git.ID{}, git.KindTree, []byte(entryOf("100644", ".gitattributes", id))), "tooManySpecialBlobs")
}

// TestNote checks who hears what: the first refusal is the error, all else a note.
func TestNote(t *testing.T) {
	bad := tree(entry("100664", "b"), entry("100644", "a"), entry("100644", ".git"))
	var notes []string
	c := fsck.New(git.SHA1, func(p *fsck.Problem) { notes = append(notes, p.Message+" "+p.Severity.String()) })
	err := c.Object(idOf(bad), bad.kind, bad.data)
	want := "object " + git.SHA1.Hex(idOf(bad)) + ": hasDotgit: contains '.git'"
	if err == nil || err.Error() != want {
		t.Errorf("got %v, want %s", err, want)
	}
	if got := strings.Join(notes, ", "); got != "badFilemode info, treeNotSorted error" {
		t.Errorf("notes: %s", got)
	}
}

// TestSHA256 checks objects with the longer ids.
func TestSHA256(t *testing.T) {
	id := git.ID{0: 1, 31: 2}
	hex := git.SHA256.Hex(id)
	c := fsck.New(git.SHA256, nil)
	zero := git.AppendTree(git.SHA256, nil, []git.Entry{{Mode: git.ModeBlob, Name: "a"}})
	for _, step := range []struct {
		kind    git.Kind
		data    string
		message string
	}{
		{git.KindCommit, strings.Replace(goodCommit, emptyTree, hex, 1), ""},
		{git.KindCommit, goodCommit, "badTreeSha1"},
		{git.KindTree, string(git.AppendTree(git.SHA256, nil, []git.Entry{{Mode: git.ModeBlob, Name: "a", ID: git.ID{31: 1}}})), ""},
		{git.KindTree, string(zero), "nullSha1"},
		{git.KindTree, string(zero[:len(zero)-1]), "badTree"},
	} {
		wantRefusal(t, c.Object(id, step.kind, []byte(step.data)), step.message)
	}
}

type failing struct{ err error }

func (f failing) Object(context.Context, git.ID) (git.Kind, []byte, error) { return 0, nil, f.err }

// TestFinishError keeps "cannot be read" apart from "is refused".
func TestFinishError(t *testing.T) {
	c := fsck.New(git.SHA1, nil)
	c.Object(git.ID{2}, git.KindTree, []byte(entryOf("100644", ".gitmodules", git.ID{1})))
	var p *fsck.Problem
	if err := c.Finish(context.Background(), failing{git.ErrCorrupt}); !errors.Is(err, git.ErrCorrupt) || errors.As(err, &p) {
		t.Errorf("got %v", err)
	}
}

// TestConcurrent is for the race detector: blobs and the trees that make them
// special arrive at once, and whatever the order, the bad one is refused.
func TestConcurrent(t *testing.T) {
	c := fsck.New(git.SHA1, func(*fsck.Problem) {})
	store := git.Memory{}
	var objects []object
	for i := range 200 {
		text := fmt.Sprintf("[submodule \"a\"]\nurl = ok%d\n", i)
		if i == 77 {
			text = "[submodule \"..\"]\nurl = x\n"
		}
		blob := object{git.KindBlob, []byte(text)}
		m := store[idOf(blob)]
		m.Kind, m.Data = blob.kind, blob.data
		store[idOf(blob)] = m
		objects = append(objects, blob, tree(entryOf("100664", ".gitmodules", idOf(blob))))
	}
	errs := make(chan error, len(objects))
	var wg sync.WaitGroup
	for worker := range 4 {
		wg.Go(func() {
			for i := worker; i < len(objects); i += 4 {
				errs <- c.Object(idOf(objects[i]), objects[i].kind, objects[i].data)
			}
		})
	}
	wg.Wait()
	close(errs)
	refused := c.Finish(context.Background(), store)
	for err := range errs {
		if err != nil {
			refused = err
		}
	}
	wantRefusal(t, refused, "gitmodulesName")
}

// TestPush asks git itself which severities refuse: a push to a repository
// with receive.fsckObjects.
func TestPush(t *testing.T) {
	if testing.Short() {
		t.Skip("starts several processes for each case")
	}
	o := newOracle(t)
	server := filepath.Join(t.TempDir(), "server.git")
	for _, args := range [][]string{{"init", "-q", "--bare", server}, {"-C", server, "config", "receive.fsckObjects", "true"}} {
		if out, err := o.git(nil, args...); err != nil {
			t.Fatal(err, out)
		}
	}
	for i, obj := range []object{
		tree(entry("100644", "a")),
		tree(entry("100664", "a")),
		tree(entry("120000", ".gitattributes")),
		tree(entry("0100644", "a")),
		tree(entry("100644", ".git")),
		tree(entry("100644", "git~1")),
		tree(entry("100644", "b"), entry("100644", "a")),
		tree(entry("160000", ".gitattributes")),
	} {
		o.writeLoose(object{git.KindBlob, nil})
		id := o.writeLoose(obj)
		text := strings.Replace(goodCommit, emptyTree, git.SHA1.Hex(id), 1)
		commit := o.writeLoose(object{git.KindCommit, []byte(text)})
		out, err := o.git(nil, "push", "-q", server, git.SHA1.Hex(commit)+":refs/heads/b"+itoa(i))
		var exit *exec.ExitError
		if err != nil && !errors.As(err, &exit) {
			t.Fatal(err)
		}
		if got := refusal(t, obj); (got != nil) != (err != nil) {
			t.Errorf("%q\n got %v\ngit says %s", obj.data, got, out)
		}
	}
	if _, err := os.Stat(filepath.Join(server, "refs/heads/b1")); err != nil {
		t.Error("the push of a bad mode, an info, should have passed")
	}
}

// A .gitmodules costs what its length says, however long a section's name is and
// however many settings share it.
func TestLongSection(t *testing.T) {
	const n = 1 << 16
	text := "[submodule \"" + strings.Repeat("a", n) + "\"]\n" + strings.Repeat("a\n", n/2)
	blob := object{git.KindBlob, []byte(text)}
	tree := tree(entryOf("100644", ".gitmodules", idOf(blob)))
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	if err := refusal(t, blob, tree); err != nil {
		t.Error(err)
	}
	runtime.ReadMemStats(&after)
	if bytes := after.TotalAlloc - before.TotalAlloc; bytes > 100*n {
		t.Errorf("%d bytes allocated for a file of %d", bytes, len(text))
	}
}
