// Command gogit clones, commits and pushes with go-git: gogit URL TOKEN DIR.
// It is a module of its own so that go-git stays out of the product's.
package main

import (
	"errors"
	"fmt"
	"log"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/go-git/go-git/v5"
	"github.com/go-git/go-git/v5/config"
	"github.com/go-git/go-git/v5/plumbing"
	"github.com/go-git/go-git/v5/plumbing/object"
	"github.com/go-git/go-git/v5/plumbing/transport/http"
)

func main() {
	url, token, dir := os.Args[1], os.Args[2], os.Args[3]
	auth := &http.BasicAuth{Username: "x", Password: token}
	repo, err := git.PlainClone(dir, false, &git.CloneOptions{URL: url, Auth: auth})
	check(err)
	head, err := repo.Head()
	check(err)
	fmt.Println("cloned", head.Hash())

	check(os.WriteFile(filepath.Join(dir, "gogit.txt"), []byte(strings.Repeat("written through go-git\n", 50)), 0o600))
	tree, err := repo.Worktree()
	check(err)
	_, err = tree.Add("gogit.txt")
	check(err)
	commit, err := tree.Commit("from go-git\n", &git.CommitOptions{Author: &object.Signature{
		Name: "Go Git", Email: "gogit@example.org", When: time.Unix(1700000000, 0)}})
	check(err)
	check(repo.Push(&git.PushOptions{Auth: auth, RefSpecs: []config.RefSpec{config.RefSpec(head.Name() + ":refs/heads/gogit")}}))
	fmt.Println("pushed", commit)

	if err := repo.Fetch(&git.FetchOptions{Auth: auth}); !errors.Is(err, git.NoErrAlreadyUpToDate) {
		check(err)
	}
	ref, err := repo.Reference(plumbing.NewRemoteReferenceName("origin", "gogit"), true)
	check(err)
	if ref.Hash() != commit {
		log.Fatalf("fetched %s, pushed %s", ref.Hash(), commit)
	}
	shallow, err := git.PlainClone(dir+"-shallow", true, &git.CloneOptions{URL: url, Auth: auth, Depth: 1, SingleBranch: true,
		ReferenceName: "refs/heads/gogit"})
	check(err)
	_, err = shallow.CommitObject(commit)
	check(err)
}

func check(err error) {
	if err != nil {
		log.Fatal(err)
	}
}
