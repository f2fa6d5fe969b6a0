package main

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
)

// manyRefs is how many refs the repository for the ref operations has.
const manyRefs = 50_000

// fixture is what the operations are made of.
type fixture struct {
	repo    string // bare, one pack, one branch: refs/heads/main
	pack    []byte // all of it
	objects int
	tip     string
	line    []string    // the first parents from the tip on
	next    [][2]string // one-commit pushes: old, new
	thin    [][]byte    // their packs
}

func gitIn(dir string, stdin []byte, args ...string) ([]byte, error) {
	cmd := exec.Command("git", args...)
	cmd.Dir = dir
	cmd.Stdin = bytes.NewReader(stdin)
	cmd.Env = append(os.Environ(), "GIT_CONFIG_NOSYSTEM=1", "GIT_CONFIG_GLOBAL=/dev/null",
		"GIT_AUTHOR_NAME=A", "GIT_AUTHOR_EMAIL=a@example.org", "GIT_COMMITTER_NAME=C", "GIT_COMMITTER_EMAIL=c@example.org")
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		return nil, fmt.Errorf("git %s: %w: %s", strings.Join(args, " "), err, stderr.String())
	}
	return out, nil
}

// distances are the first-parent steps that fetches go over.
var distances = []int{1, 10, 100, 1000}

// smallPushes is how many one-commit pushes are prepared.
const smallPushes = 60

// prepare makes the fixture from the history of ref in source, or from a
// generated one.
func prepare(dir, source, ref string) (*fixture, error) {
	f := &fixture{repo: filepath.Join(dir, "fixture.git")}
	if source == "" {
		source, ref = filepath.Join(dir, "generated"), "main"
		if err := generate(source, 3000); err != nil {
			return nil, err
		}
	}
	for _, args := range [][]string{
		{"init", "-q", "--bare", f.repo},
		{"-C", f.repo, "symbolic-ref", "HEAD", "refs/heads/main"},
		{"-C", f.repo, "fetch", "-q", "--no-tags", source, ref + ":refs/heads/main"},
		{"-C", f.repo, "repack", "-adq"},
	} {
		if _, err := gitIn("", nil, args...); err != nil {
			return nil, err
		}
	}
	tip, err := gitIn(f.repo, nil, "rev-parse", "refs/heads/main")
	if err != nil {
		return nil, err
	}
	f.tip = strings.TrimSpace(string(tip))
	if f.pack, err = gitIn(f.repo, []byte(f.tip+"\n"), "pack-objects", "--revs", "--stdout", "--delta-base-offset", "-q"); err != nil {
		return nil, err
	}
	count, err := gitIn(f.repo, nil, "rev-list", "--objects", "--count", f.tip)
	if err != nil {
		return nil, err
	}
	f.objects, _ = strconv.Atoi(strings.TrimSpace(string(count)))
	line, err := gitIn(f.repo, nil, "rev-list", "--first-parent", "-n", "5000", f.tip)
	if err != nil {
		return nil, err
	}
	f.line = strings.Fields(string(line))
	return f, f.smallPushes()
}

// smallPushes makes a chain of commits that each change one file at the top.
func (f *fixture) smallPushes() error {
	old := f.tip
	for i := range smallPushes {
		blob, err := gitIn(f.repo, fmt.Appendf(nil, "push number %d\n", i), "hash-object", "-w", "--stdin")
		if err != nil {
			return err
		}
		tree, err := gitIn(f.repo, nil, "ls-tree", old)
		if err != nil {
			return err
		}
		var entries []string
		for line := range strings.Lines(string(tree)) {
			if !strings.HasSuffix(strings.TrimRight(line, "\n"), "\tpush-number") {
				entries = append(entries, strings.TrimRight(line, "\n"))
			}
		}
		entries = append(entries, "100644 blob "+strings.TrimSpace(string(blob))+"\tpush-number")
		id, err := gitIn(f.repo, []byte(strings.Join(entries, "\n")+"\n"), "mktree")
		if err != nil {
			return err
		}
		made, err := gitIn(f.repo, nil, "commit-tree", "-p", old, "-m", fmt.Sprintf("push %d", i), strings.TrimSpace(string(id)))
		if err != nil {
			return err
		}
		commit := strings.TrimSpace(string(made))
		pack, err := gitIn(f.repo, []byte(commit+"\n^"+old+"\n"), "pack-objects", "--revs", "--stdout", "--thin", "--delta-base-offset", "-q")
		if err != nil {
			return err
		}
		f.next = append(f.next, [2]string{old, commit})
		f.thin = append(f.thin, pack)
		old = commit
	}
	return nil
}
