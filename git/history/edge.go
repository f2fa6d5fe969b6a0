package history

import (
	"context"
	"fmt"
	"slices"

	"github.com/ingot-forge/ingot/git"
)

// edge is what the client has next to the new commits. Its trees are opened
// only where a new tree is at the same path, so that looking up what the client
// has costs what changed, and not what there is.
type edge struct {
	root *place
}

// place is one path at the edge.
type place struct {
	trees    []uint32 // that the commits at the edge have there
	sub      map[string]*place
	prefix   uint32 // hash of the path with a slash behind
	expanded bool
	kept     bool // a new tree has the same directory here, unchanged
}

// setEdge tells the root trees at the edge. It comes before any tree is walked.
func (w *treeWalk) setEdge(roots []git.ID) error {
	if len(roots) == 0 {
		return nil
	}
	w.edge.root = &place{}
	for _, id := range roots {
		i, err := w.markHad(id, isTree, 0)
		if err != nil {
			return err
		}
		w.edge.root.trees = append(w.edge.root.trees, i)
	}
	return nil
}

// expand opens the trees of a place: what they hold is had.
func (w *treeWalk) expand(ctx context.Context, p *place) error {
	if p.expanded {
		return nil
	}
	p.expanded = true
	slices.Sort(p.trees)
	p.trees = slices.Compact(p.trees)
	for _, t := range p.trees {
		if err := w.markEntries(ctx, t, p, p.prefix); err != nil {
			return err
		}
	}
	return nil
}

// markEntries notes that the client has all entries of a tree. Those that are
// trees become the places below p, which may be nil. prefix is the hash of their path up to the name.
func (w *treeWalk) markEntries(ctx context.Context, tree uint32, p *place, prefix uint32) error {
	id := *w.ids.id(tree)
	data, err := w.tree(ctx, id)
	if err != nil {
		return err
	}
	err = eachEntry(w.format, data, func(mode git.Mode, name []byte, entry git.ID) error {
		hash := git.NameHash(prefix, name)
		switch {
		case mode.IsTree():
			i, err := w.markHad(entry, isTree, hash)
			if err == nil && p != nil {
				p.add(name, i, git.NameHash(hash, "/"))
			}
			return err
		case !isSubmodule(mode):
			_, err := w.markHad(entry, isBlob, hash)
			return err
		}
		return nil
	})
	if err != nil {
		return fmt.Errorf("tree %s: %w", id, err)
	}
	return nil
}

// add notes that a tree at p has a subtree of the given name.
func (p *place) add(name []byte, tree, prefix uint32) {
	below := p.sub[string(name)]
	if below == nil {
		below = &place{prefix: prefix}
		if p.sub == nil {
			p.sub = make(map[string]*place)
		}
		p.sub[string(name)] = below
	}
	if n := len(below.trees); n == 0 || below.trees[n-1] != tree {
		below.trees = append(below.trees, tree)
	}
}

// settle takes out of what was found what the client has after all: what was
// met before the place it comes from was opened, and what moved from a
// directory that no new tree made the walk open. The latter is looked for in as
// many trees as objects were found, so that it never costs more than the rest;
// directories that are gone come first.
func (w *treeWalk) settle(ctx context.Context) error {
	if err := w.settleLate(ctx); err != nil || w.edge.root == nil {
		return err
	}
	budget := w.found
	for _, gone := range []bool{true, false} {
		for queue := []*place{w.edge.root}; len(queue) > 0 && budget > 0; queue = queue[1:] {
			p := queue[0]
			if !p.expanded {
				if gone && p.kept || len(p.trees) > budget {
					continue
				}
				budget -= len(p.trees)
				if err := w.expand(ctx, p); err != nil {
					return err
				}
			}
			queue = append(queue, p.ordered()...)
		}
	}
	return w.settleLate(ctx)
}

// ordered returns the places below p, in an order that does not change from run
// to run.
func (p *place) ordered() []*place {
	names := make([]string, 0, len(p.sub))
	for name := range p.sub {
		names = append(names, name)
	}
	slices.Sort(names)
	below := make([]*place, len(names))
	for i, name := range names {
		below[i] = p.sub[name]
	}
	return below
}

// settleLate notes what hangs from trees that were found first and had later.
// Only trees that were found are opened: the others' contents were not met.
func (w *treeWalk) settleLate(ctx context.Context) error {
	for n := len(w.late); n > 0; n = len(w.late) {
		tree := w.late[n-1]
		w.late = w.late[:n-1]
		prefix := w.hashes[tree]
		if prefix != 0 { // it is no root
			prefix = git.NameHash(prefix, "/")
		}
		if err := w.markEntries(ctx, tree, nil, prefix); err != nil {
			return err
		}
	}
	return nil
}
