package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
)

// asStored keeps git from changing content on its way into the repository,
// whatever .gitattributes a release brings along.
const asStored = "* -text -filter -ident -working-tree-encoding\n"

// repository is the one in the making.
type repository struct{ dir string }

// create makes an empty repository at dir, which must hold nothing yet.
func create(ctx context.Context, dir string) (repository, error) {
	if entries, err := os.ReadDir(dir); err == nil && len(entries) > 0 {
		return repository{}, fmt.Errorf("%s is not empty", dir)
	} else if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return repository{}, err
	}
	dir, err := filepath.Abs(dir)
	if err != nil {
		return repository{}, err
	}
	info := filepath.Join(dir, ".git", "info")
	if err := os.MkdirAll(info, 0o777); err != nil {
		return repository{}, err
	}
	if err := os.WriteFile(filepath.Join(info, "attributes"), []byte(asStored), 0o666); err != nil {
		return repository{}, err
	}
	r := repository{dir}
	_, err = r.git(ctx, dir, "", "init", "-q", "-b", "main")
	return r, err
}

// commit makes the files of rel the content of a new commit, and tags it. It
// returns the commit's id. Git reads the files where the module cache has
// them: that saves copying each release.
func (r repository) commit(ctx context.Context, rel release) (string, error) {
	date := fmt.Sprintf("@%d +0000", rel.time.Unix())
	for _, args := range [][]string{
		{"add", "--all", "--force", "."}, // --force: a release may hold what its own .gitignore names
		{"commit", "-q", "--allow-empty", "--no-verify", "-m", rel.Version},
		{"tag", "-a", "-m", rel.Version, rel.Version},
	} {
		if _, err := r.git(ctx, rel.Dir, date, args...); err != nil {
			return "", err
		}
	}
	return r.git(ctx, rel.Dir, date, "rev-parse", "HEAD")
}

// checkOut puts the files of the last commit into dir.
func (r repository) checkOut(ctx context.Context) error {
	_, err := r.git(ctx, r.dir, "", "reset", "-q", "--hard")
	return err
}

// git runs git with tree as the work tree.
func (r repository) git(ctx context.Context, tree, date string, args ...string) (string, error) {
	cmd := exec.CommandContext(ctx, "git", args...)
	cmd.Dir = tree
	cmd.Env = append(os.Environ(), "GIT_DIR="+filepath.Join(r.dir, ".git"), "GIT_WORK_TREE="+tree,
		"GIT_CONFIG_NOSYSTEM=1", "GIT_CONFIG_GLOBAL=/dev/null", "GIT_CONFIG_COUNT=1",
		"GIT_CONFIG_KEY_0=gc.auto", "GIT_CONFIG_VALUE_0=0", // the next commit would race with it
		"GIT_AUTHOR_NAME=Module Proxy", "GIT_AUTHOR_EMAIL=proxy@example.org", "GIT_AUTHOR_DATE="+date,
		"GIT_COMMITTER_NAME=Module Proxy", "GIT_COMMITTER_EMAIL=proxy@example.org", "GIT_COMMITTER_DATE="+date)
	out, err := output(cmd)
	return strings.TrimSpace(string(out)), err
}
