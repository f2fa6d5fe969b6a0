package e2e

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// TestRealHistories takes the releases of two Go modules, as tools/history makes
// repositories of them, through the server and back: nothing is lost or changed
// in any protocol, at any depth, in one push or in many, and stock git agrees
// with every file that the server keeps. Of the two, one is small; the other has
// large generated files that every release changes a little.
func TestRealHistories(t *testing.T) {
	if testing.Short() {
		t.Skip("downloads modules")
	}
	tool := filepath.Join(t.TempDir(), "history")
	if out, err := exec.Command("go", "build", "-o", tool, "../tools/history").CombinedOutput(); err != nil {
		t.Fatalf("building tools/history: %v\n%s", err, out)
	}
	s := start(t, t.TempDir())
	token := s.user(t, "alice", "repo")
	key := addKey(t, s, "alice")
	for name, module := range map[string][]string{
		"chi": {"-module", "github.com/go-chi/chi/v5", "-versions", "15"},
		"sys": {"-module", "golang.org/x/sys", "-versions", "10"},
	} {
		t.Run(name, func(t *testing.T) {
			h := &history{server: s, source: filepath.Join(t.TempDir(), "source"), name: name, token: token, key: key}
			run := exec.Command(tool, append(module, "-dir", h.source)...)
			run.Env = environment()
			if out, err := run.CombinedOutput(); err != nil {
				t.Fatalf("this test downloads from Go's module proxy (GOPROXY), which did not work: %v\n%s", err, out)
			}
			h.tags = strings.Fields(mustGit(t, h.source, "tag", "--sort=v:refname"))
			if len(h.tags) < 4 {
				t.Fatalf("only %d releases are to be had: %q", len(h.tags), h.tags)
			}
			t.Run("at once", h.atOnce)
			t.Run("by release", h.byRelease)
			t.Run("shallow", h.shallow)
			t.Run("partial", h.partial)
		})
	}
	s.storedAsGitWould(t)
}

// history is one real repository and where it goes.
type history struct {
	*server
	source           string // its work tree
	tags             []string
	name, token, key string
}

// atOnce pushes everything in one push and clones it in every way there is.
func (h *history) atOnce(t *testing.T) {
	url := h.url(h.token, "alice/"+h.name+".git")
	mustGit(t, h.source, "push", "-q", "--mirror", url)
	if out := h.admin(t, "", "fsck", "alice/"+h.name); !strings.Contains(out, ": 0 faults") {
		t.Errorf("ingot admin fsck:\n%s", out)
	}
	for _, protocol := range []string{"0", "1", "2"} {
		clone := filepath.Join(t.TempDir(), "clone.git")
		mustGit(t, "", "-c", "protocol.version="+protocol, "clone", "-q", "--mirror", url, clone)
		h.same(t, "HTTP v"+protocol, clone)

		clone = filepath.Join(t.TempDir(), "clone.git")
		mustGit(t, "", "-c", "protocol.version="+protocol, "-c", "core.sshCommand="+sshCommand(h.key),
			"clone", "-q", "--mirror", "ssh://git@"+h.ssh+"/alice/"+h.name+".git", clone)
		h.same(t, "SSH v"+protocol, clone)
	}
}

// byRelease pushes release by release, and brings a clone made half way up to
// date at the end.
func (h *history) byRelease(t *testing.T) {
	url := h.url(h.token, "alice/"+h.name+"-by-release.git")
	old := filepath.Join(t.TempDir(), "old.git")
	for i, tag := range h.tags {
		mustGit(t, h.source, "push", "-q", url, tag+"^{commit}:refs/heads/main", tag)
		if i == len(h.tags)/2 {
			mustGit(t, "", "clone", "-q", "--mirror", url, old)
			mustGit(t, old, "fsck", "--full", "--strict")
			if got := strings.Fields(mustGit(t, old, "tag", "--sort=v:refname")); !slices.Equal(got, h.tags[:i+1]) {
				t.Errorf("half way a clone has the tags %q, not %q", got, h.tags[:i+1])
			}
		}
	}
	mustGit(t, old, "fetch", "-q")
	h.same(t, "fetch into the old clone", old)
	clone := filepath.Join(t.TempDir(), "clone.git")
	mustGit(t, "", "clone", "-q", "--mirror", url, clone)
	h.same(t, "clone after many pushes", clone)
	if out := h.admin(t, "", "fsck", "alice/"+h.name+"-by-release"); !strings.Contains(out, ": 0 faults") {
		t.Errorf("ingot admin fsck:\n%s", out)
	}
}

// shallow clones each release at depth 1: the objects are exactly its own.
func (h *history) shallow(t *testing.T) {
	for _, tag := range h.tags {
		clone := filepath.Join(t.TempDir(), "clone.git")
		mustGit(t, "", "clone", "-q", "--bare", "--depth", "1", "--branch", tag, h.url(h.token, "alice/"+h.name+".git"), clone)
		mustGit(t, clone, "fsck", "--full", "--strict")
		want := strings.Fields(mustGit(t, h.source, "rev-parse", tag, tag+"^{commit}"))
		want = append(want, strings.Fields(mustGit(t, h.source, "rev-list", "--objects", "--no-object-names", tag+"^{tree}"))...)
		slices.Sort(want)
		if got := objects(t, clone, ""); !slices.Equal(got, want) {
			t.Errorf("%s at depth 1: %d objects; the release has %d", tag, len(got), len(want))
		}
	}
}

// partial clones without any content, then checks releases out: git fetches
// what it lacks for each.
func (h *history) partial(t *testing.T) {
	clone := filepath.Join(t.TempDir(), "clone")
	mustGit(t, "", "clone", "-q", "--filter=blob:none", "--no-checkout", h.url(h.token, "alice/"+h.name+".git"), clone)
	if blobs := objects(t, clone, "blob"); len(blobs) > 0 {
		t.Errorf("a clone without blobs has %d", len(blobs))
	}
	for _, tag := range []string{h.tags[len(h.tags)-1], h.tags[0]} {
		mustGit(t, clone, "checkout", "-q", "--detach", tag)
		if out := mustGit(t, clone, "status", "--porcelain", "--ignored"); out != "" {
			t.Errorf("%s is not what was checked out:\n%s", tag, out)
		}
	}
	mustGit(t, clone, "fsck", "--full", "--strict")
	releases := mustGit(t, h.source, "rev-list", "--objects", "--no-object-names", "--filter=object:type=blob", "--filter-provided-objects",
		h.tags[len(h.tags)-1]+"^{tree}", h.tags[0]+"^{tree}")
	want := strings.Fields(releases)
	slices.Sort(want)
	if got := objects(t, clone, "blob"); !slices.Equal(got, want) {
		t.Errorf("after two checkouts there are %d blobs; the two releases have %d", len(got), len(want))
	}
}

// same reports where a mirror differs from the source.
func (h *history) same(t *testing.T, how, mirror string) {
	t.Helper()
	if out := mustGit(t, mirror, "fsck", "--full", "--strict"); out != "" {
		t.Errorf("%s: git fsck says:\n%s", how, out)
	}
	if got, want := mustGit(t, mirror, "for-each-ref"), mustGit(t, h.source, "for-each-ref"); got != want {
		t.Errorf("%s: the refs are\n%snot\n%s", how, got, want)
	}
	if got, want := objects(t, mirror, ""), objects(t, h.source, ""); !slices.Equal(got, want) {
		t.Errorf("%s: %d objects, not the %d that were pushed", how, len(got), len(want))
	}
	if got, want := mustGit(t, mirror, "symbolic-ref", "HEAD"), mustGit(t, h.source, "symbolic-ref", "HEAD"); got != want {
		t.Errorf("%s: HEAD is %s, not %s", how, got, want)
	}
}

// objects lists what a repository has, sorted; of one kind unless kind is "".
func objects(t *testing.T, dir, kind string) []string {
	t.Helper()
	var ids []string
	for line := range strings.Lines(mustGit(t, dir, "cat-file", "--batch-all-objects", "--batch-check=%(objectname) %(objecttype)")) {
		if id, its, _ := strings.Cut(strings.TrimSpace(line), " "); kind == "" || its == kind {
			ids = append(ids, id)
		}
	}
	slices.Sort(ids)
	return ids
}

// storedAsGitWould lets stock git verify every pack in the blob store, and
// index it anew: its index is the stored one, byte for byte.
func (s *server) storedAsGitWould(t *testing.T) {
	t.Helper()
	checked := 0
	for file := range storedFiles(t, s.data) {
		stem, isPack := strings.CutSuffix(file, ".pack")
		if !isPack || !strings.HasPrefix(file, filepath.Join(s.data, "blobs", "files", "packs")+string(filepath.Separator)) {
			continue
		}
		checked++
		mustGit(t, "", "verify-pack", file)
		index := filepath.Join(t.TempDir(), strconv.Itoa(checked)+".idx")
		mustGit(t, "", "index-pack", "--no-rev-index", "-o", index, file)
		want, err := os.ReadFile(index)
		if err != nil {
			t.Fatal(err)
		}
		if got, err := os.ReadFile(stem + ".idx"); err != nil || !bytes.Equal(got, want) {
			t.Errorf("%s.idx (%d bytes) is not what git index-pack makes (%d bytes); %v", stem, len(got), len(want), err)
		}
	}
	if checked == 0 {
		t.Error("the blob store has no pack")
	}
	t.Logf("%d stored packs", checked)
}
