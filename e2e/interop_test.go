package e2e

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// TestClients lets each other git client clone what stock git pushed, push a
// commit of its own, and fetch; stock git then finds that commit intact.
func TestClients(t *testing.T) {
	if testing.Short() {
		t.Skip("needs the clients that make setup installs")
	}
	gogit := filepath.Join(t.TempDir(), "gogit")
	build := exec.Command("go", "build", "-o", gogit, ".")
	build.Dir = "clients/gogit"
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("building the go-git client: %v\n%s", err, out)
	}
	clients := map[string][]string{ // the branch it pushes, and its command
		"gogit":      {gogit},
		"libgit2":    {"/usr/bin/python3", "clients/libgit2.py"},
		"dulwich":    {"/usr/bin/python3", "clients/dulwich_client.py"},
		"isomorphic": {"node", "clients/isomorphic.mjs"},
	}
	s := start(t, t.TempDir())
	token := s.user(t, "alice", "repo")
	source := generateHistory(t, 40)
	for name, command := range clients {
		t.Run(name, func(t *testing.T) {
			mustGit(t, source, "push", "-q", s.url(token, "alice/"+name+".git"), "main", "--tags")
			work := filepath.Join(t.TempDir(), "work")
			url := "http://" + s.http + "/alice/" + name + ".git"
			run := exec.Command(command[0], append(command[1:], url, token, work)...)
			run.Env = environment("HOME=" + t.TempDir())
			out, err := run.CombinedOutput()
			if err != nil {
				t.Fatalf("%v\n%s", err, out)
			}
			head := strings.TrimSpace(mustGit(t, source, "rev-parse", "main"))
			if !strings.Contains(string(out), "cloned "+head) {
				t.Errorf("the client did not clone %s:\n%s", head, out)
			}
			again := filepath.Join(t.TempDir(), "again.git")
			mustGit(t, "", "clone", "-q", "--mirror", s.url(token, "alice/"+name+".git"), again)
			mustGit(t, again, "fsck", "--full", "--strict")
			pushed := strings.TrimSpace(mustGit(t, again, "rev-parse", "refs/heads/"+name))
			if !strings.Contains(string(out), "pushed "+pushed) {
				t.Errorf("the server has %s, the client says:\n%s", pushed, out)
			}
			if parent := strings.TrimSpace(mustGit(t, again, "rev-parse", pushed+"^")); parent != head {
				t.Errorf("the parent of the pushed commit is %s, not %s", parent, head)
			}
		})
	}
	if out := s.admin(t, "", "fsck"); strings.Count(out, ": 0 faults") != len(clients) {
		t.Errorf("ingot admin fsck:\n%s", out)
	}
}

// generateHistory makes a repository whose history has some of everything:
// merges, renames, deletions, symbolic links, modes, odd names, binary content,
// empty files, tags of both kinds. commits is roughly its length.
func generateHistory(t testing.TB, commits int) string {
	t.Helper()
	dir := filepath.Join(t.TempDir(), "source")
	mustGit(t, "", "init", "-q", dir)
	write := func(name, content string, mode os.FileMode) {
		t.Helper()
		file := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(file, []byte(content), mode); err != nil {
			t.Fatal(err)
		}
	}
	commit := func(message string) {
		t.Helper()
		mustGit(t, dir, "add", "-A")
		mustGit(t, dir, "commit", "-q", "--allow-empty", "-m", message)
	}
	write("README", "a project\n", 0o644)
	write("run.sh", "#!/bin/sh\nexit 0\n", 0o755)
	write("empty", "", 0o644)
	write("dir/with space/ümläut und 漢字.txt", "unicode\n", 0o644)
	write("crlf.txt", "one\r\ntwo\r\n", 0o644)
	write("binary", strings.Repeat("\x00\x01\xfe\xff", 5000), 0o644)
	if err := os.Symlink("dir/with space", filepath.Join(dir, "link")); err != nil {
		t.Fatal(err)
	}
	commit("first")
	mustGit(t, dir, "tag", "light")
	mustGit(t, dir, "tag", "-a", "v1", "-m", "annotated")
	text := strings.Repeat("a line of a file that is changed again and again\n", 200)
	for i := range commits {
		n := string(rune('a' + i%26))
		switch i % 8 {
		case 3:
			mustGit(t, dir, "checkout", "-q", "-b", "side"+n, "HEAD~1")
			write("side/"+n, text[:i*10], 0o644)
			commit("on a side branch " + n)
			mustGit(t, dir, "checkout", "-q", "main")
			mustGit(t, dir, "merge", "-q", "-m", "merge "+n, "side"+n)
			mustGit(t, dir, "branch", "-q", "-D", "side"+n)
		case 5:
			mustGit(t, dir, "mv", "README", "README."+n)
			mustGit(t, dir, "mv", "README."+n, "README")
			write("moved/"+n, text, 0o644)
			commit("move " + n)
		default:
			write("file"+n, text[:len(text)/2]+"changed in "+n+"\n"+text[len(text)/2:], 0o644)
			commit("change " + n)
		}
	}
	mustGit(t, dir, "tag", "-a", "v2", "-m", "annotated again")
	return dir
}
