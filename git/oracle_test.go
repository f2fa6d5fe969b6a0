package git_test

import (
	"bytes"
	"os"
	"os/exec"
	"strings"
	"testing"

	"github.com/ingot-forge/ingot/git"
)

// oracle is an empty repository of stock git.
type oracle struct {
	t      *testing.T
	dir    string
	format git.Format
}

func newOracle(t *testing.T, f git.Format) *oracle {
	t.Helper()
	if _, err := exec.LookPath("git"); err != nil {
		t.Fatal("no git to compare with: make setup installs it")
	}
	o := &oracle{t, t.TempDir(), f}
	o.run(nil, "-c", "init.defaultBranch=main", "init", "-q", "--object-format="+f.String())
	return o
}

// try runs git and returns its output without the last line feed.
func (o *oracle) try(input []byte, args ...string) (string, error) {
	cmd := exec.Command("git", args...)
	cmd.Dir = o.dir
	cmd.Env = []string{"PATH=" + os.Getenv("PATH"), "HOME=" + o.dir, "LC_ALL=C",
		"GIT_CONFIG_NOSYSTEM=1", "GIT_CONFIG_GLOBAL=/dev/null",
		"GIT_AUTHOR_NAME=A U Thor", "GIT_AUTHOR_EMAIL=author@example.com", "GIT_AUTHOR_DATE=1112912053 +0200",
		"GIT_COMMITTER_NAME=C O Mitter", "GIT_COMMITTER_EMAIL=committer@example.com", "GIT_COMMITTER_DATE=1112912113 -0730"}
	cmd.Stdin = bytes.NewReader(input)
	cmd.Stderr = new(bytes.Buffer)
	out, err := cmd.Output()
	return strings.TrimSuffix(string(out), "\n"), err
}

func (o *oracle) run(input []byte, args ...string) string {
	o.t.Helper()
	out, err := o.try(input, args...)
	if err != nil {
		o.t.Fatalf("git %q: %v", args, err)
	}
	return out
}

func (o *oracle) parse(hex string) git.ID {
	o.t.Helper()
	id, err := o.format.Parse(hex)
	if err != nil {
		o.t.Fatal(err)
	}
	return id
}
