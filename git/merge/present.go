package merge

import (
	"bytes"
	"context"
	"crypto/sha256"
	"fmt"

	"github.com/ingot-forge/ingot/git"
	"github.com/ingot-forge/ingot/git/ancestry"
	"github.com/ingot-forge/ingot/git/diff"
	"github.com/ingot-forge/ingot/git/revlog"
)

// division returns the commits that only branch has, and those that only upstream has,
// without merges, each before its parents.
func division(ctx context.Context, commits *ancestry.Commits, upstream, branch git.ID) (own, others []revlog.Commit, err error) {
	o := revlog.Options{Order: revlog.Topo, MaxParents: 1}
	if err := o.Symmetric(ctx, commits, upstream, branch); err != nil {
		return nil, nil, err
	}
	for c, err := range revlog.Walk(ctx, commits, o) {
		if err != nil {
			return nil, nil, err
		}
		if c.Left {
			others = append(others, c)
		} else {
			own = append(own, c)
		}
		if max(len(own), len(others)) > MaxReplay {
			return nil, nil, &LimitError{"commits", MaxReplay}
		}
	}
	return own, others, nil
}

// patchKey is the same for patches that do the same: to the same files, and by the
// same lines, but for white space and where these are.
type patchKey [sha256.Size]byte

// alreadyPresent returns which of own do what one of others does, too.
func alreadyPresent(ctx context.Context, commits *ancestry.Commits, own, others []revlog.Commit) (map[git.ID]bool, error) {
	present := map[git.ID]bool{}
	if len(own) == 0 || len(others) == 0 {
		return present, nil
	}
	// Contents are compared only where the files are the same.
	byFiles := map[patchKey][]revlog.Commit{}
	for _, c := range others {
		changes, err := changesOf(ctx, commits, c)
		if err != nil {
			return nil, err
		}
		key := filesKey(changes)
		byFiles[key] = append(byFiles[key], c)
	}
	keys := map[git.ID]patchKey{}
	keyOf := func(c revlog.Commit) (patchKey, error) {
		if key, ok := keys[c.ID]; ok {
			return key, nil
		}
		changes, err := changesOf(ctx, commits, c)
		if err != nil {
			return patchKey{}, err
		}
		key, err := contentKey(ctx, commits, changes)
		keys[c.ID] = key
		return key, err
	}
	for _, c := range own {
		changes, err := changesOf(ctx, commits, c)
		if err != nil {
			return nil, err
		}
		for _, other := range byFiles[filesKey(changes)] {
			a, err := keyOf(c)
			if err != nil {
				return nil, err
			}
			b, err := keyOf(other)
			if err != nil {
				return nil, err
			}
			if a == b {
				present[c.ID] = true
				break
			}
		}
	}
	return present, nil
}

func changesOf(ctx context.Context, commits *ancestry.Commits, c revlog.Commit) ([]diff.Change, error) {
	var before git.ID
	if len(c.Parents) > 0 {
		parent, err := commits.Find(ctx, c.Parents[0])
		if err != nil {
			return nil, err
		}
		before = commits.Tree(parent)
	}
	changes, _, err := diff.Changes(ctx, commits.Objects(), commits.Format(), before, c.Tree, diff.ChangesOptions{})
	return changes, err
}

func filesKey(changes []diff.Change) patchKey {
	h := sha256.New()
	for _, c := range changes {
		fmt.Fprintf(h, "%q %o %q %o\n", c.Old.Path, c.Old.Mode, c.New.Path, c.New.Mode)
	}
	return patchKey(h.Sum(nil))
}

func contentKey(ctx context.Context, commits *ancestry.Commits, changes []diff.Change) (patchKey, error) {
	h := sha256.New()
	f, o := commits.Format(), diff.Options{Context: diff.Context}
	for _, c := range changes {
		for _, c := range c.Split() {
			d, err := diff.Compare(ctx, commits.Objects(), f, c, o)
			if err != nil {
				return patchKey{}, err
			}
			if d.Binary {
				fmt.Fprintf(h, "%q %s %s\n", c.Path(), f.Hex(c.Old.ID), f.Hex(c.New.ID))
				continue
			}
			for line := range bytes.Lines(d.AppendPatch(f, nil, o)) {
				if bytes.HasPrefix(line, []byte("index ")) || bytes.HasPrefix(line, []byte("@@ ")) {
					continue
				}
				h.Write(bytes.Join(bytes.Fields(line), nil))
				h.Write([]byte("\n"))
			}
		}
	}
	return patchKey(h.Sum(nil)), nil
}
