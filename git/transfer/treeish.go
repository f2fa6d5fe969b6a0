package transfer

import (
	"bytes"
	"context"
	"fmt"
	"strings"

	"github.com/ingot-forge/ingot/git"
)

// maxPath bounds a path that a client names.
const maxPath = 4096

// peeled is what an object finally stands for.
type peeled struct {
	commit *git.Commit // nil where there is none
	id     git.ID      // of the commit; zero where there is none
	tree   git.ID
}

// peel follows tags from id to a commit or a tree.
func peel(ctx context.Context, objects git.Objects, f git.Format, id git.ID) (peeled, error) {
	for range maxTagChain {
		kind, data, err := objects.Object(ctx, id)
		if err != nil {
			return peeled{}, err
		}
		switch kind {
		case git.KindTag:
			tag, err := git.ParseTag(f, data)
			if err != nil {
				return peeled{}, fmt.Errorf("tag %s: %w", f.Hex(id), err)
			}
			id = tag.Target
		case git.KindCommit:
			c, err := git.ParseCommit(f, data)
			if err != nil {
				return peeled{}, fmt.Errorf("commit %s: %w", f.Hex(id), err)
			}
			return peeled{commit: c, id: id, tree: c.Tree}, nil
		case git.KindTree:
			return peeled{tree: id}, nil
		default:
			return peeled{}, refusef("not a tree object: %s", f.Hex(id))
		}
	}
	return peeled{}, refusef("more than %d tags in a row", maxTagChain)
}

// walk finds what lies at a path in the tree that id stands for.
func walk(ctx context.Context, objects git.Objects, f git.Format, id git.ID, path string) (git.Mode, git.ID, error) {
	if len(path) > maxPath {
		return 0, git.ID{}, refusef("path is longer than %d bytes", maxPath)
	}
	p, err := peel(ctx, objects, f, id)
	if err != nil {
		return 0, git.ID{}, err
	}
	mode, at := git.ModeTree, p.tree
	for name := range strings.SplitSeq(strings.TrimSuffix(path, "/"), "/") {
		if name == "" && path == "" {
			break
		}
		if mode != git.ModeTree {
			return 0, git.ID{}, refusef("path %q does not exist", path)
		}
		kind, data, err := objects.Object(ctx, at)
		if err != nil {
			return 0, git.ID{}, err
		}
		if kind != git.KindTree {
			return 0, git.ID{}, fmt.Errorf("%w: %s is a %s, not a tree", git.ErrCorrupt, f.Hex(at), kind)
		}
		found := false
		for len(data) > 0 && !found {
			var entry []byte
			mode, entry, at, data, err = git.NextEntry(f, data)
			if err != nil {
				return 0, git.ID{}, err
			}
			found = bytes.Equal(entry, []byte(name))
		}
		if !found {
			return 0, git.ID{}, refusef("path %q does not exist", path)
		}
	}
	return mode, at, nil
}
