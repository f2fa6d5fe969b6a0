package code

import (
	"context"
	"errors"

	"github.com/ingot-forge/ingot/forge"
	"github.com/ingot-forge/ingot/forge/hosting"
	"github.com/ingot-forge/ingot/git"
	"github.com/ingot-forge/ingot/git/repo"
)

// writeTries bounds how often an edit that lost a race is made again on top of the new commit.
const writeTries = 10

// Edit is a commit made of changes to files on a branch.
type Edit struct {
	Branch            string // without "refs/heads/"; "": the default branch
	Message           string
	Author, Committer Person
	Changes           []Change
	// Head, unless nil, is where the branch has to be: it is moved from there or not at all.
	Head *git.ID
	// Start names the commit at which a new branch starts; "" if the branch is there.
	// In a repository without commits a branch starts with nothing.
	Start string
}

// Written is a commit that was made.
type Written struct {
	Commit git.ID
	Branch string
}

// Write makes a commit of changes, on top of where the branch is, and moves the branch
// there. Without Edit.Head it goes on top of whatever the branch has become meanwhile, so
// that edits of different files do not stand in each other's way; Change.Was
// guards each file. Errors: *StaleError; Conflict when the branch is not at Head, or
// is there already with Start set; Invalid with the path that is wrong. The view shows the
// new commit afterwards.
func (v *View) Write(ctx context.Context, e Edit) (Written, error) {
	if err := checkMessage(e.Message); err != nil {
		return Written{}, err
	}
	if e.Branch == "" {
		e.Branch = v.Handle.Repository.DefaultBranch
	}
	if git.CheckRefName(heads+e.Branch) != nil || e.Branch[0] == '-' {
		return Written{}, forge.Invalidf("branch", forge.CodeInvalid, "branch is not a valid name")
	}
	done, err := v.Turn(ctx)
	if err != nil {
		return Written{}, err
	}
	defer done()
	for try := 1; ; try++ {
		id, err := v.write(ctx, &e)
		if err == nil {
			return Written{id, e.Branch}, v.reopen(ctx)
		}
		var moved *movedError
		if !errors.As(err, &moved) {
			return Written{}, err
		}
		if e.Head != nil || e.Start != "" || try == writeTries {
			return Written{}, forge.Conflictf("", "", "Branch %s was moved meanwhile", e.Branch)
		}
		if err := v.reopen(ctx); err != nil {
			return Written{}, err
		}
	}
}

// movedError says that the branch was moved by another.
type movedError struct{ error }

func (v *View) write(ctx context.Context, e *Edit) (git.ID, error) {
	old, parents, err := v.parents(ctx, e)
	if err != nil {
		return git.ID{}, err
	}
	commit := git.Commit{Parents: parents, Message: e.Message}
	if commit.Author, err = e.Author.signature("author"); err != nil {
		return git.ID{}, err
	}
	if commit.Committer, err = e.Committer.signature("committer"); err != nil {
		return git.ID{}, err
	}
	var base git.ID
	if len(parents) > 0 {
		parent, err := v.commit(ctx, parents[0])
		if err != nil {
			return git.ID{}, err
		}
		base = parent.Tree
	}
	b := newBuilder(v)
	if commit.Tree, err = b.tree(ctx, base, e.Changes); err != nil {
		return git.ID{}, err
	}
	id, err := b.add(git.KindCommit, git.AppendCommit(v.Format, nil, &commit))
	if err != nil {
		return git.ID{}, err
	}
	staged, err := v.Handle.Stage(ctx, v.snap, b.objects)
	if err != nil {
		return git.ID{}, explain(err)
	}
	_, err = v.Handle.Commit(ctx, v.snap, []repo.RefUpdate{{Name: heads + e.Branch, Old: old, New: id}}, staged, "commit")
	if err == nil || errors.Is(err, repo.ErrUnknown) {
		return id, err
	}
	err = errors.Join(err, v.Handle.Discard(ctx, staged))
	if forge.KindOf(err) == forge.Conflict {
		if _, there := v.snap.Ref(heads + e.Branch); there || !v.blocked(heads+e.Branch) {
			return id, &movedError{err}
		}
	}
	return id, err
}

// blocked reports whether another ref's name keeps a branch from being made.
func (v *View) blocked(name string) bool {
	for dir, _ := split(name); len(dir) > len("refs/heads"); dir, _ = split(dir) {
		if v.shows(dir) {
			if _, ok := v.snap.Ref(dir); ok {
				return true
			}
		}
	}
	return len(hosting.Refs(v.State(), name+"/", "", 1)) > 0
}

// parents returns where the branch is (zero if it is new), and what the commit comes after.
func (v *View) parents(ctx context.Context, e *Edit) (old git.ID, parents []git.ID, err error) {
	r, there := v.snap.Ref(heads + e.Branch)
	switch {
	case there && e.Start != "":
		return old, nil, forge.Conflictf("", "", "Branch %s exists already", e.Branch)
	case e.Head != nil && r.Target != *e.Head:
		is := "is at " + v.Hex(r.Target)
		if !there {
			is = "does not exist"
		}
		return old, nil, forge.Conflictf("", "", "Branch %s %s, not at %s", e.Branch, is, v.Hex(*e.Head))
	case there:
		return r.Target, []git.ID{r.Target}, nil
	case e.Start != "":
		start, err := v.Commit(ctx, e.Start)
		if forge.KindOf(err) == forge.NotFound {
			err = forge.Invalidf("start_point", forge.CodeMissing, "start_point %.200q does not exist", e.Start)
		}
		return old, []git.ID{start}, err
	case len(hosting.Refs(v.State(), heads, "", 1)) > 0:
		return old, nil, v.notFound("Branch %s not found", e.Branch)
	}
	return old, nil, nil
}
