package merge_test

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/ingot-forge/ingot/git"
	"github.com/ingot-forge/ingot/git/ancestry"
	"github.com/ingot-forge/ingot/git/gittest"
	"github.com/ingot-forge/ingot/git/merge"
)

// workTree is a clone with files, in which git can pick and rebase.
type workTree struct {
	t   *testing.T
	dir string
}

func newWorkTree(t *testing.T, r *gittest.Repository) *workTree {
	w := &workTree{t, filepath.Join(t.TempDir(), "work")}
	r.Stock(t, nil, "clone", "-q", "--no-checkout", r.Dir, w.dir)
	return w
}

func (w *workTree) try(args ...string) (string, error) {
	cmd := exec.Command("git", append([]string{"-c", "core.abbrev=7", "-c", "advice.detachedHead=false"}, args...)...)
	cmd.Dir = w.dir
	cmd.Env = []string{"PATH=" + os.Getenv("PATH"), "HOME=/nonexistent", "LC_ALL=C", "TZ=UTC", "GIT_EDITOR=:",
		"GIT_CONFIG_NOSYSTEM=1", "GIT_CONFIG_GLOBAL=/dev/null",
		"GIT_COMMITTER_NAME=C", "GIT_COMMITTER_EMAIL=c@example.com", "GIT_COMMITTER_DATE=1700000000 +0000"}
	if args[0] == "revert" {
		cmd.Env = append(cmd.Env, "GIT_AUTHOR_NAME=C", "GIT_AUTHOR_EMAIL=c@example.com")
	}
	out, err := cmd.CombinedOutput()
	return string(out), err
}

func (w *workTree) run(args ...string) string {
	w.t.Helper()
	out, err := w.try(args...)
	if err != nil {
		w.t.Fatalf("git %s: %v: %s", strings.Join(args, " "), err, out)
	}
	return strings.TrimSuffix(out, "\n")
}

// conflicts are the entries of the index that are not merged.
func (w *workTree) conflicts() string { return w.run("ls-files", "-u") }

func conflictsOf(f git.Format, r *merge.Result) string {
	var lines []string
	for _, c := range r.Conflicts {
		for i, v := range []merge.Version{c.Base, c.Ours, c.Theirs} {
			if v.Exists() {
				lines = append(lines, fmt.Sprintf("%06o %s %d\t%s", v.Mode, f.Hex(v.ID), i+1, c.Path))
			}
		}
	}
	return strings.Join(lines, "\n")
}

// pickHistory has a line of commits, side, that are picked on top of main.
func pickHistory(t *testing.T) *gittest.Repository {
	var s gittest.Stream
	now := int64(1_700_000_000)
	commit := func(branch, message string, parents ...int) int {
		now += 100
		return s.Commit(branch, "Ada <ada@example.com>", now, now, message, parents...)
	}
	lines := func(changed map[int]string) string {
		var b strings.Builder
		for i := range 20 {
			if x := changed[i]; x != "" {
				fmt.Fprintln(&b, x)
			} else {
				fmt.Fprintln(&b, "line", i)
			}
		}
		return b.String()
	}
	root := commit("main", "root\n")
	s.File("100644", "f", lines(nil))
	one := commit("side", "\n \nOne: change a line\n\nWith a body,\n\n\n  indented.  \n\n", root)
	s.File("100644", "f", lines(map[int]string{0: "zero"}))
	two := commit("side", "Two\n\nBody.\n\nSigned-off-by: Ada <ada@example.com>\n", one)
	s.File("100644", "f", lines(map[int]string{0: "zero", 5: "five"}))
	three := commit("side", "Three, without an end", two)
	s.File("100755", "g", "new\n")
	empty := commit("side", "Nothing\n\nkey: value\nanother line\n", three)
	other := commit("other", "Other\n", three)
	s.File("100644", "o", "other\n")
	merged := commit("side", "Merge branch 'other'\n", empty, other)
	s.File("100644", "o", "other\n")
	commit("side", "Conflicting\n", merged)
	s.File("100644", "f", lines(map[int]string{0: "zero", 5: "five", 9: "side's nine"}))
	same := commit("main", "Two, here, too\n", root)
	s.File("100644", "f", lines(map[int]string{5: "five"}))
	first := commit("main", "First\n", same)
	s.File("100644", "f", lines(map[int]string{5: "five", 14: "fourteen"}))
	commit("main", "Ninth\n", first)
	s.File("100644", "f", lines(map[int]string{5: "five", 9: "nine", 14: "fourteen"}))
	s.File("100755", "g", "new\n")
	return gittest.New(t, git.SHA1, s.String())
}

func TestCherryPickAndRevert(t *testing.T) {
	r := pickHistory(t)
	w := newWorkTree(t, r)
	commits := ancestry.New(r.Objects, r.Format, nil)
	ctx := context.Background()
	for _, onto := range []string{"main", "side"} {
		for _, name := range append(r.Lines(t, "rev-list", "side"), r.Lines(t, "rev-list", "main")...) {
			parents := len(strings.Fields(r.Stock(t, nil, "rev-list", "--parents", "-1", name))) - 1
			o, mainline := merge.PickOptions{Origin: true}, []string{}
			if parents > 1 {
				if _, err := merge.CherryPick(ctx, commits, r.ID(t, name), r.ID(t, onto), o); err == nil {
					t.Error("a merge was picked without a mainline")
				}
				o.Mainline, mainline = 2, []string{"-m", "2"}
			}
			for _, verb := range []string{"cherry-pick", "revert"} {
				pick, err := merge.CherryPick(ctx, commits, r.ID(t, name), r.ID(t, onto), o)
				args := append([]string{verb, "--no-edit"}, mainline...)
				if verb == "revert" {
					pick, err = merge.Revert(ctx, commits, r.ID(t, name), r.ID(t, onto), o)
				} else {
					args = append([]string{verb, "-x", "--allow-empty", "--keep-redundant-commits"}, mainline...)
				}
				if err != nil {
					t.Fatal(err)
				}
				w.run("checkout", "-q", "-f", "origin/"+onto)
				out, err := w.try(append(args, name)...)
				what := fmt.Sprintf("%s %s on %s", verb, name, onto)
				switch {
				case !pick.Clean:
					if err == nil {
						t.Errorf("%s: git has no conflict", what)
					}
					if got, want := conflictsOf(r.Format, pick.Result), w.conflicts(); got != want {
						t.Errorf("%s: conflicts %s, want %s", what, got, want)
					}
					for _, c := range pick.Conflicts {
						content, _ := os.ReadFile(filepath.Join(w.dir, c.Path))
						if !has(pick.Result.Objects, string(content)) && !has(r.Objects, string(content)) {
							t.Errorf("%s: nothing has %q", what, content)
						}
					}
				case pick.Empty && verb == "revert":
					if err == nil {
						t.Errorf("%s: git made a commit: %s", what, out)
					}
				case err != nil:
					t.Errorf("%s: %s", what, out)
				default:
					if got, want := r.Format.Hex(pick.Tree), w.run("rev-parse", "HEAD^{tree}"); got != want {
						t.Errorf("%s: tree %s, want %s", what, got, want)
					}
					_, want, _ := strings.Cut(w.run("cat-file", "commit", "HEAD")+"\n", "\n\n")
					if got := pick.Message; got != want {
						t.Errorf("%s: message %q, git has %q", what, got, want)
					}
				}
				w.try(verb, "--abort")
			}
		}
	}
}

// has reports whether there is a blob of the given content.
func has(objects git.Memory, content string) bool {
	for _, o := range objects {
		if o.Kind == git.KindBlob && string(o.Data) == content {
			return true
		}
	}
	return false
}

func TestRebase(t *testing.T) {
	r := pickHistory(t)
	w := newWorkTree(t, r)
	commits := ancestry.New(r.Objects, r.Format, nil)
	for _, x := range []struct{ upstream, branch, onto, fates string }{
		{"main", "side~1", "main", "replayed present emptied replayed replayed"}, // one, two, three, nothing, other
		{"main", "side", "main", "replayed present emptied replayed replayed stopped"},
		{"main~3", "side", "main~3", "kept kept kept kept replayed replayed"},
		{"side~4", "main", "side~4", "present replayed replayed"},
	} {
		steps, err := merge.Rebase(context.Background(), commits, r.ID(t, x.upstream), r.ID(t, x.branch), r.ID(t, x.onto), merge.Options{})
		if err != nil {
			t.Fatal(err)
		}
		names := map[merge.Fate]string{merge.Replayed: "replayed", merge.Kept: "kept", merge.Present: "present",
			merge.Emptied: "emptied", merge.Stopped: "stopped"}
		var fates, trees []string
		for _, s := range steps {
			fate := names[s.Fate]
			if s.Pick != nil && !s.Clean {
				fate = "stopped"
			}
			fates = append(fates, fate)
			switch fate {
			case "kept":
				trees = append(trees, r.Format.Hex(treeAt(t, r, s.Commit)))
			case "replayed":
				trees = append(trees, r.Format.Hex(s.Tree))
			}
		}
		w.run("checkout", "-q", "-f", "--detach", r.Format.Hex(r.ID(t, x.branch)))
		out, err := w.try("rebase", "--onto", r.Format.Hex(r.ID(t, x.onto)), r.Format.Hex(r.ID(t, x.upstream)))
		want := strings.Fields(w.run("log", "--reverse", "--format=%T", r.Format.Hex(r.ID(t, x.onto))+".."+"HEAD"))
		if strings.Join(trees, " ") != strings.Join(want, " ") {
			t.Errorf("%v: trees %v, want %v; %v; git says %s", x, trees, want, fates, out)
		}
		if stopped := strings.HasSuffix(x.fates, "stopped"); stopped != (err != nil) {
			t.Errorf("%v: git says %s", x, out)
		} else if stopped {
			if got, want := conflictsOf(r.Format, steps[len(steps)-1].Result), w.conflicts(); got != want {
				t.Errorf("%v: conflicts %s, want %s", x, got, want)
			}
		}
		if got := strings.Join(fates, " "); got != x.fates {
			t.Errorf("%s on %s: %s, want %s", x.branch, x.onto, got, x.fates)
		}
		if got, want := strings.Count(strings.Join(fates, " "), "present"), strings.Count(out, "skipped previously applied"); got != want {
			t.Errorf("%v: %d are present, git says %s", x, got, out)
		}
		w.try("rebase", "--abort")
	}
}

func treeAt(t *testing.T, r *gittest.Repository, commit git.ID) git.ID {
	c, err := git.ParseCommit(r.Format, r.Objects[commit].Data)
	if err != nil {
		t.Fatal(err)
	}
	return c.Tree
}

func TestSquash(t *testing.T) {
	r := pickHistory(t)
	w := newWorkTree(t, r)
	pick, err := merge.Squash(context.Background(), ancestry.New(r.Objects, r.Format, nil), r.ID(t, "main"), r.ID(t, "side~1"),
		merge.Options{})
	if err != nil {
		t.Fatal(err)
	}
	w.run("checkout", "-q", "-f", "origin/main")
	w.run("merge", "--squash", "-q", "origin/side~1")
	if got, want := r.Format.Hex(pick.Tree), w.run("write-tree"); got != want {
		t.Errorf("tree %s, want %s", got, want)
	}
	want, err := os.ReadFile(filepath.Join(w.dir, ".git", "SQUASH_MSG"))
	if err != nil {
		t.Fatal(err)
	}
	if pick.Message != string(want) {
		t.Errorf("message\n%q, want\n%q", pick.Message, want)
	}
}
