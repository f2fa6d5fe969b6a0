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
	back    map[int]string // the commit so many first-parent steps before the tip
	next    [][2]string    // one-commit pushes: old, new
	thin    [][]byte       // their packs
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

// smallPushes is how many one-commit pushes are prepared.
const smallPushes = 60

// prepare makes the fixture from the history of ref in source, or from a
// generated one.
func prepare(dir, source, ref string) (*fixture, error) {
	f := &fixture{repo: filepath.Join(dir, "fixture.git"), back: map[int]string{}}
	if source == "" {
		source, ref = filepath.Join(dir, "generated"), "main"
		if err := generate(source); err != nil {
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
	for _, steps := range []int{1, 10, 100, 1000} {
		if id, err := gitIn(f.repo, nil, "rev-parse", "-q", "--verify", fmt.Sprintf("refs/heads/main~%d", steps)); err == nil {
			f.back[steps] = strings.TrimSpace(string(id))
		}
	}
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

// generate makes a history of a few thousand commits over some hundred files
// through fast-import.
func generate(dir string) error {
	if _, err := gitIn("", nil, "init", "-q", "-b", "main", dir); err != nil {
		return err
	}
	var stream bytes.Buffer
	line := "a line of text that stands in many files and is changed in few of them, number "
	files := map[int][]int{}
	seed := uint64(42)
	random := func(n int) int {
		seed = seed*6364136223846793005 + 1442695040888963407
		return int(seed>>33) % n
	}
	for commit := range 3000 {
		fmt.Fprintf(&stream, "commit refs/heads/main\ncommitter A U Thor <a@example.org> %d +0000\ndata 9\ncommit %02d\n", 1600000000+60*commit, commit%100)
		for range 1 + random(4) {
			n := random(600)
			if files[n] == nil {
				files[n] = make([]int, 20+random(200))
			}
			files[n][random(len(files[n]))] = commit
			var content bytes.Buffer
			for i, v := range files[n] {
				fmt.Fprintf(&content, "%s%d.%d\n", line, i, v)
			}
			fmt.Fprintf(&stream, "M 100644 inline d%d/e%d/f%d.txt\ndata %d\n%s\n", n%7, n%31, n, content.Len(), content.Bytes())
		}
	}
	_, err := gitIn(dir, stream.Bytes(), "fast-import", "--quiet")
	return err
}
