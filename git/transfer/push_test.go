package transfer_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/ingot-forge/ingot/git"
	"github.com/ingot-forge/ingot/git/repo"
	"github.com/ingot-forge/ingot/git/transfer"
)

// pushes are pushes from a clone of OLD: the commands, one a line, of which the
// last ones push to TO, a repository that has what OLD has. outcome is what the
// client prints of each ref, and refused whether it fails.
var pushes = map[string]struct {
	script  string
	outcome []string // "flag from:to" lines of push --porcelain
	refused bool
}{
	"one commit": {"commit -q --allow-empty -m x\npush --porcelain TO main",
		[]string{" refs/heads/main:refs/heads/main"}, false},
	"new branch and tag": {"tag -a -m t new-tag\npush --porcelain TO main:refs/heads/new new-tag",
		[]string{"* refs/heads/main:refs/heads/new", "* refs/tags/new-tag:refs/tags/new-tag"}, false},
	"forced": {"commit -q --amend -m x\npush --porcelain -f TO main",
		[]string{"+ refs/heads/main:refs/heads/main"}, false},
	"backwards": {"push --porcelain -f TO main~3:main",
		[]string{"+ main~3:refs/heads/main"}, false},
	"deleted": {"push --porcelain TO :side :refs/tags/v5",
		[]string{"- :refs/heads/side", "- :refs/tags/v5"}, false},
	"current branch deleted": {"push --porcelain TO :main",
		[]string{"! :refs/heads/main [remote rejected] (deletion of the current branch prohibited)"}, true},
	"one of two refused": {"push --porcelain TO :main main:refs/heads/good",
		[]string{"* refs/heads/main:refs/heads/good", "! :refs/heads/main [remote rejected] (deletion of the current branch prohibited)"}, true},
	"one of two refused, atomic": {"push --porcelain --atomic TO :main main:refs/heads/good",
		[]string{"! refs/heads/main:refs/heads/good [remote rejected] (atomic push failure)",
			"! :refs/heads/main [remote rejected] (deletion of the current branch prohibited)"}, true},
	"atomic": {"push --porcelain --atomic TO :side main:refs/heads/good",
		[]string{"* refs/heads/main:refs/heads/good", "- :refs/heads/side"}, false},
	"branch that is no commit": {"push --porcelain TO v5^{tree}:refs/heads/x main:refs/heads/y",
		[]string{"* refs/heads/main:refs/heads/y", "! v5^{tree}:refs/heads/x [remote rejected]"}, true},
	"tag of a tree":             {"push --porcelain TO v5^{tree}:refs/tags/tree", []string{"* v5^{tree}:refs/tags/tree"}, false},
	"nothing to do":             {"push --porcelain TO main", []string{"= refs/heads/main:refs/heads/main [up to date]"}, false},
	"options":                   {"commit -q --allow-empty -m x\npush --porcelain -o a -o b=c TO main", []string{" refs/heads/main:refs/heads/main"}, false},
	"mirror":                    {"push --porcelain --mirror TO", nil, false},
	"name is a directory":       {"push --porcelain TO main:refs/heads/side/x", []string{"! refs/heads/main:refs/heads/side/x [remote rejected]"}, true},
	"directory in place of ref": {"push --porcelain TO main:refs/heads/a/b\npush --porcelain TO :refs/heads/a/b main:refs/heads/a", nil, false},
	"quiet":                     {"commit -q --allow-empty -m x\npush --porcelain -q TO main", nil, false},
}

// TestPushLikeStock pushes to the server and to stock git: the client must be told
// the same, and afterwards both must have the same refs.
func TestPushLikeStock(t *testing.T) {
	w := newWorld(t)
	w.history()
	w.git("", "clone", "-q", w.dir+"/stock/old", "pusher")
	copyDir := func(to, from string) {
		if err := os.CopyFS(filepath.Join(w.dir, to), os.DirFS(filepath.Join(w.dir, from))); err != nil {
			t.Fatal(err)
		}
	}
	for name, c := range pushes {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			base := strings.NewReplacer(" ", "_", ",", "").Replace(name)
			refs := map[string]string{}
			for _, session := range []string{"file2", "http2", "ssh0", "ssh1"} {
				if session == "ssh1" && name != "one commit" { // one line differs from version 0
					continue
				}
				transport, version := session[:len(session)-1], session[len(session)-1:]
				target := base + session
				if transport == "file" {
					copyDir("stock/"+target, "stock/old")
				} else {
					w.load(target, "stock/old")
				}
				client := "pushers/" + target
				copyDir(client, "pusher")
				var out, stderr string
				var err error
				for line := range strings.Lines(c.script) {
					args := strings.Fields(strings.Replace(line, "TO", w.url(transport, target), 1))
					out, stderr, err = w.try(client, append([]string{"-c", "protocol.version=" + version}, args...)...)
				}
				if (err != nil) != c.refused {
					t.Errorf("%s: push ended with %v\n%s%s", session, err, out, stderr)
				}
				for _, want := range c.outcome {
					if !strings.Contains(strings.ReplaceAll(out, "\t", " "), want) {
						t.Errorf("%s: push says\n%s%swant %q", session, out, stderr, want)
					}
				}
				if transport == "file" {
					refs[session] = string(w.git("stock/"+target, "for-each-ref", "--format=%(objectname) %(refname)"))
				} else {
					refs[session] = w.refs(target)
					w.check(target)
				}
				if refs[session] != refs["file2"] {
					t.Errorf("%s: refs differ from those of stock git:\n%s", session, difference(refs[session], refs["file2"]))
				}
			}
		})
	}
}

// check verifies a repository whole.
func (w *world) check(name string) {
	w.t.Helper()
	snap := w.snapshot(name)
	defer snap.Close()
	_, err := w.store.Check(context.Background(), snap.State().ID, func(fault string) { w.t.Errorf("%s: %s", name, fault) }, nil)
	if err != nil {
		w.t.Error(err)
	}
}

func (w *world) head(name string) string {
	snap := w.snapshot(name)
	defer snap.Close()
	return snap.State().Head
}

func TestFirstPushChoosesHead(t *testing.T) {
	w := newWorld(t)
	w.git("c", "init", "-q", ".")
	w.git("c", "commit", "-q", "--allow-empty", "-m", "x")
	w.git("c", "branch", "older", "main")
	w.feed("c", "commit refs/heads/main\ncommitter N <n@example.org> 1800000000 +0000\ndata 1\nyfrom refs/heads/older\n", "fast-import", "--quiet")
	for name, c := range map[string]struct{ push, head string }{
		"its own":         {"main:main main:other", "refs/heads/main"},
		"the only one":    {"main:trunk", "refs/heads/trunk"},
		"master of three": {"main:a main:master main:z", "refs/heads/master"},
		"no favourite":    {"older:a older:b", "refs/heads/a"},
		"the latest":      {"older:a main:b older:c", "refs/heads/b"},
		"no branch":       {"main:refs/tags/t", "refs/heads/main"},
	} {
		target := strings.ReplaceAll(name, " ", "-")
		w.create(target)
		w.git("c", append([]string{"push", "-q", w.url("http", target)}, strings.Fields(c.push)...)...)
		if got := w.head(target); got != c.head {
			t.Errorf("%s: after %q HEAD points to %s, want %s", name, c.push, got, c.head)
		}
	}
	// Only the first branches choose.
	w.git("c", "push", "-q", w.url("http", "no-favourite"), "main:late")
	if got := w.head("no-favourite"); got != "refs/heads/a" {
		t.Errorf("a later branch took HEAD: %s", got)
	}
}

func TestAccept(t *testing.T) {
	w := newWorld(t)
	w.git("c", "init", "-q", ".")
	w.git("c", "commit", "-q", "--allow-empty", "-m", "x")
	id := w.create("r")
	var mu sync.Mutex // guards asked and fail
	var asked []*transfer.Push
	var fail bool
	accept := func(_ context.Context, p *transfer.Push) ([]string, func([]repo.RefUpdate) *repo.Event, error) {
		mu.Lock()
		defer mu.Unlock()
		asked = append(asked, p)
		if fail {
			return nil, nil, errors.New("no such thing as a free push")
		}
		refuse := make([]string, len(p.Commands))
		for i, c := range p.Commands {
			if c.Name == "refs/heads/protected" {
				refuse[i] = "protected branch"
			}
		}
		return refuse, func(moved []repo.RefUpdate) *repo.Event {
			var names []string
			for _, m := range moved {
				names = append(names, m.Name)
			}
			return &repo.Event{Kind: "push", Payload: []byte(`"` + strings.Join(names, ",") + `"`)}
		}, nil
	}
	w.change(func() {
		w.receive.HideRefs = func(name string) bool { return strings.HasPrefix(name, "refs/hidden/") }
		w.receive.Accept = accept
	})
	out, _, err := w.try("c", "push", "--porcelain", "-o", "ci.skip", w.url("ssh", "r"), "main", "main:protected", "main:refs/hidden/x")
	if err == nil || !strings.Contains(out, "refs/heads/protected\t[remote rejected] (protected branch)") ||
		!strings.Contains(out, "refs/hidden/x\t[remote rejected] (deny updating a hidden ref)") {
		t.Errorf("push: %v\n%s", err, out)
	}
	if refs := w.refs("r"); !strings.HasSuffix(refs, " refs/heads/main\n") || strings.Count(refs, "\n") != 1 {
		t.Errorf("refs are\n%s", refs)
	}
	if events := w.catalog.Events(id); len(events) != 1 || events[0].Kind != "push" || string(events[0].Payload) != `"refs/heads/main"` {
		t.Errorf("events %+v", events)
	}
	log, err := w.catalog.RefLog(t.Context(), id, "", 0, 10)
	if err != nil || len(log) != 1 || log[0].Who != "tester" || log[0].Why != "push" {
		t.Errorf("ref log %+v, %v", log, err)
	}
	mu.Lock()
	if len(asked) != 1 || len(asked[0].Commands) != 3 || strings.Join(asked[0].Options, ",") != "ci.skip" {
		t.Errorf("asked %+v", asked)
	}
	mu.Unlock()
	w.mu.Lock()
	report := w.last
	w.mu.Unlock()
	if len(report.Moved) != 1 || report.Refused["refs/heads/protected"] != "protected branch" || report.Objects != 2 || report.Version == 0 {
		t.Errorf("report %+v", report)
	}

	// One refusal stops an atomic push, and leaves nothing behind.
	before := packs(w, "r")
	w.git("c", "commit", "-q", "--allow-empty", "-m", "y")
	out, _, err = w.try("c", "push", "--porcelain", "--atomic", w.url("http", "r"), "main", "main:protected")
	if err == nil || !strings.Contains(out, "refs/heads/main\t[remote rejected] (atomic push failure)") {
		t.Errorf("atomic push: %v\n%s", err, out)
	}
	if after := packs(w, "r"); after != before {
		t.Errorf("a refused push left packs: %d before, %d after", before, after)
	}
	mu.Lock()
	fail = true
	mu.Unlock()
	out, _, err = w.try("c", "push", "--porcelain", w.url("http", "r"), "main")
	if err == nil || !strings.Contains(out, "internal error on the server") {
		t.Errorf("failing push: %v\n%s", err, out)
	}
}

func packs(w *world, name string) int {
	snap := w.snapshot(name)
	defer snap.Close()
	return len(snap.State().Packs)
}

// TestShallowPush pushes from a shallow clone: what hangs together is taken.
func TestShallowPush(t *testing.T) {
	w := newWorld(t)
	w.history()
	w.git("", "clone", "-q", "--depth", "2", w.url("file", "old"), "c")
	w.git("c", "commit", "-q", "--allow-empty", "-m", "x")
	w.load("to", "stock/old")
	w.git("c", "push", "-q", w.url("http", "to"), "main")
	w.check("to")
	w.create("blank")
	out, _, err := w.try("c", "push", "--porcelain", w.url("ssh", "blank"), "main")
	if err == nil || !strings.Contains(out, "shallow update not allowed") {
		t.Errorf("into an empty repository: %v\n%s", err, out)
	}
}

// TestWarnings pushes trees that git would not write, more than anybody reads
// about: all are taken, and the first are named.
func TestWarnings(t *testing.T) {
	w := newWorld(t)
	w.create("r")
	w.git("c", "init", "-q", ".")
	blob := strings.TrimSpace(string(w.git("c", "hash-object", "-w", "--stdin")))
	const trees = 30
	var script strings.Builder
	script.WriteString("commit refs/heads/main\ncommitter C <c@x> 1 +0000\ndata 0\n")
	for i := range trees {
		fmt.Fprintf(&script, "M 040000 %s d%d\n", w.tree("c", fmt.Sprintf("100664 f%d\x00", i), blob), i)
	}
	w.feed("c", script.String(), "fast-import", "--quiet")
	_, stderr, err := w.try("c", "push", w.url("http", "r"), "main")
	if n := strings.Count(stderr, "badFilemode"); err != nil || n != 20 || !strings.Contains(stderr, "warning: 10 more warnings") {
		t.Errorf("%v, %d warnings\n%s", err, n, stderr)
	}
}

// tree stores a tree of one entry, as it is given, and returns its id.
func (w *world) tree(dir, head, id string) string {
	w.t.Helper()
	target := w.id(id)
	data := head + string(target[:git.SHA1.Size()])
	w.feed(dir, data, "hash-object", "-w", "-t", "tree", "--stdin", "--literally")
	tree, err := git.NewHasher(git.SHA1).Hash(git.KindTree, []byte(data))
	if err != nil {
		w.t.Fatal(err)
	}
	return git.SHA1.Hex(tree)
}

// TestBrokenObjects pushes what fsck refuses: the client is told why.
func TestBrokenObjects(t *testing.T) {
	w := newWorld(t)
	w.create("r")
	w.git("c", "init", "-q", ".")
	tree := strings.TrimSpace(string(w.git("c", "mktree")))
	bad := "tree " + tree + "\nauthor A a@x 1 +0000\ncommitter C <c@x> 1 +0000\n\nx\n"
	w.feed("c", bad, "hash-object", "-w", "-t", "commit", "--stdin", "--literally")
	hasher := git.NewHasher(git.SHA1)
	id, err := hasher.Hash(git.KindCommit, []byte(bad))
	if err != nil {
		t.Fatal(err)
	}
	for _, transport := range []string{"ssh", "http"} {
		out, stderr, err := w.try("c", "push", "--porcelain", w.url(transport, "r"), git.SHA1.Hex(id)+":refs/heads/main")
		if err == nil || !strings.Contains(stderr, "missingEmail") || !strings.Contains(out, "(unpacker error)") {
			t.Errorf("%s: %v\n%s%s", transport, err, out, stderr)
		}
	}
	if packs(w, "r") != 0 || w.refs("r") != "" {
		t.Error("something was kept")
	}
}
