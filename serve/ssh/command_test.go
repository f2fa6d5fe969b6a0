package ssh

import (
	"strings"
	"testing"
)

func TestParseCommand(t *testing.T) {
	for line, want := range map[string]command{
		"git-upload-pack 'alice/project.git'":      {"upload-pack", "alice", "project.git"},
		"git-upload-pack '/alice/project.git'":     {"upload-pack", "alice", "project.git"},
		"git-upload-pack '/alice/project'":         {"upload-pack", "alice", "project"},
		"git-upload-pack '/alice/project.git/'":    {"upload-pack", "alice", "project.git"},
		"git-upload-pack alice/project.git":        {"upload-pack", "alice", "project.git"},
		"git upload-pack 'alice/project.git'":      {"upload-pack", "alice", "project.git"},
		"git-receive-pack '/alice/project.git'":    {"receive-pack", "alice", "project.git"},
		"git-upload-archive '/alice/project.git'":  {"upload-archive", "alice", "project.git"},
		"git-upload-pack 'alice/project.git.git'":  {"upload-pack", "alice", "project.git.git"}, // no name: hosting says so
		"git-upload-pack '../etc'":                 {"upload-pack", "..", "etc"},                // likewise
		"git-upload-pack '--upload-pack=x/y'":      {"upload-pack", "--upload-pack=x", "y"},     // likewise
		"git-upload-pack '/alice/pro\x1b[31mject'": {"", "", ""},
	} {
		got, err := parseCommand(line)
		if got != want || (err == nil) != (want.service != "") {
			t.Errorf("%q: %+v, %v; want %+v", line, got, err, want)
		}
	}
}

func TestParseCommandRefuses(t *testing.T) {
	for _, line := range []string{
		"", " ", "git", "git ", "git-upload-pack", "git-upload-pack ", "git-upload-pack ''", "git-upload-pack '/'",
		"git-upload-pack '//alice/project'", "git-upload-pack 'alice'", "git-upload-pack 'alice/'", "git-upload-pack '/alice//'",
		"git-upload-pack 'alice/a/b'", "git-upload-pack 'alice//b'",
		"git-upload-pack --upload-pack=x 'alice/project'", "git-upload-pack --strict 'alice/project'", "git-upload-pack -- alice/project",
		"git-upload-pack 'alice/project'; id", "git-upload-pack 'alice/project';id", "git-upload-pack 'alice/project' && id",
		"git-upload-pack 'alice/project'|id", "git-upload-pack $(id)/x", "git-upload-pack `id`/x", "git-upload-pack alice/${HOME}",
		"git-upload-pack 'alice/project'\nid", "git-upload-pack 'alice/project\x00'", "git-upload-pack \"alice/project\"",
		"git-upload-pack 'alice/project", "git-upload-pack alice/project'", "git-upload-pack 'ali''ce/project'",
		"git-upload-pack 'alice/pro'\\''ject'", "git-upload-pack 'alice/pro'\\!'ject'", "git-upload-pack ''alice/project''",
		"git-upload-pack  'alice/project'", "git-upload-pack\t'alice/project'", " git-upload-pack 'alice/project'",
		"git-upload-pack 'alice\\project'", "git-upload-pack '~alice/project'", "git-upload-pack 'alice/*'",
		"GIT-UPLOAD-PACK 'alice/project'", "git-upload-pack.exe 'alice/project'", "/usr/bin/git-upload-pack 'alice/project'",
		"git  upload-pack 'alice/project'", "git --exec-path=/tmp upload-pack 'alice/project'", "git -c x=y upload-pack 'alice/project'",
		"git git-upload-pack 'alice/project'", "git-shell -c id", "git-cvsserver server", "git-lfs-authenticate alice/project upload",
		"scp -t /tmp/x", "rsync --server", "sh", "id", "env X=1 git-upload-pack alice/project",
		"git-upload-pack '" + strings.Repeat("a", maxCommand) + "/b'",
	} {
		if c, err := parseCommand(line); err == nil {
			t.Errorf("%.60q is taken for %+v", line, c)
		} else if strings.ContainsAny(err.Error(), "\n\r\x00\x1b") || len(err.Error()) > 4*maxCommand {
			t.Errorf("%.60q: the error is not fit for a terminal: %.200q", line, err)
		}
	}
}

// FuzzParseCommand: what is taken has exactly two words for a path, and no byte
// that any shell, terminal or file system could act on.
func FuzzParseCommand(f *testing.F) {
	for _, seed := range []string{"git-upload-pack 'alice/project.git'", "git receive-pack '/alice/project'", "git-upload-archive a/b/",
		"git-upload-pack 'a/b'; id", "git-upload-pack ''", "git-upload-pack '../..'", "git  x", "git-upload-pack 'a\x1b/b'"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, line string) {
		c, err := parseCommand(line)
		if err != nil {
			return
		}
		switch c.service {
		case "upload-pack", "receive-pack", "upload-archive":
		default:
			t.Errorf("%q: service %q", line, c.service)
		}
		for _, part := range []string{c.owner, c.repo} {
			if part == "" || strings.ContainsAny(part, "/'\"\\ ;&|<>$`*?()[]{}~#!") || strings.ContainsFunc(part, func(r rune) bool { return r < ' ' || r == 0x7f }) {
				t.Errorf("%q: %+v", line, c)
			}
		}
		again, err := parseCommand("git-" + c.service + " '/" + c.owner + "/" + c.repo + "'")
		if err != nil || again != c {
			t.Errorf("%q: %+v reads again as %+v, %v", line, c, again, err)
		}
	})
}
