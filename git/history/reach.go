package history

import (
	"context"
	"errors"
	"slices"

	"github.com/ingot-forge/ingot/git"
)

// visit calls do for the commits that starts reach, newest first, until it
// returns false.
func (g *graph) visit(ctx context.Context, starts []uint32, do func(i uint32) (more bool, err error)) error {
	var queue commitQueue
	push := func(i uint32) error {
		if g.nodes[i].flags&commitQueued != 0 {
			return nil
		}
		g.nodes[i].flags |= commitQueued
		if err := g.parse(ctx, i); err != nil {
			return err
		}
		queue.push(i, g.nodes[i].seconds)
		return nil
	}
	for _, i := range starts {
		if err := push(i); err != nil {
			return err
		}
	}
	for steps := 1; queue.len() > 0; steps++ {
		if steps%checkEvery == 0 {
			if err := ctx.Err(); err != nil {
				return err
			}
		}
		i := queue.pop()
		g.nodes[i].flags |= commitPopped
		if more, err := do(i); err != nil || !more {
			return err
		}
		for _, parent := range g.parents(i) {
			if err := push(parent); err != nil {
				return err
			}
		}
	}
	return nil
}

// Reachable reports which of the targets are reachable from the tips: commits
// through parents, other objects through trees and tags. It stops as soon as
// all are found. To find that a commit is not reachable, it reads every commit
// that is; for a tree or a blob, every tree. Targets that are not in the
// repository are not reachable. The answer holds true for those that are, and
// has no other entries.
func Reachable(ctx context.Context, objects git.Objects, f git.Format, tips, targets []git.ID) (map[git.ID]bool, error) {
	found := make(map[git.ID]bool)
	left := make(map[git.ID]bool, len(targets))
	for _, id := range targets {
		left[id] = true
	}
	find := func(id git.ID) bool {
		if left[id] {
			delete(left, id)
			found[id] = true
		}
		return len(left) > 0
	}
	for _, id := range tips {
		find(id)
	}
	if len(left) == 0 {
		return found, nil
	}
	from, err := peel(ctx, objects, f, headerByReading(objects), tips, false)
	if err != nil {
		return nil, err
	}
	for _, ids := range [][]git.ID{from.tags, from.commits, from.trees, from.blobs} {
		for _, id := range ids {
			find(id)
		}
	}
	others, err := unfound(ctx, objects, left)
	if err != nil || len(left) == 0 {
		return found, err
	}
	return found, search(ctx, objects, f, from, others, find)
}

// unfound drops what no walk can find, objects that are not there and tags, and
// returns the trees and blobs among the rest.
func unfound(ctx context.Context, objects git.Objects, left map[git.ID]bool) (others []git.ID, err error) {
	for id := range left {
		switch kind, _, err := objects.Object(ctx, id); {
		case errors.Is(err, git.ErrNotFound) || err == nil && kind == git.KindTag:
			delete(left, id)
		case err != nil:
			return nil, err
		case kind != git.KindCommit:
			others = append(others, id)
		}
	}
	return others, nil
}

// search walks from the tips until find returns false. As long as others are
// looked for, it opens the trees of a commit when it comes to it, because what
// is asked for is mostly near the tips.
func search(ctx context.Context, objects git.Objects, f git.Format, from peeled, others []git.ID, find func(git.ID) bool) error {
	g, w := newGraph(objectCommits{objects, f}), newTreeWalk(objects, f)
	more := true
	look := func() {
		others = slices.DeleteFunc(others, func(id git.ID) bool {
			if _, ok := w.ids.find(&id); !ok {
				return false
			}
			more = find(id)
			return true
		})
	}
	for _, id := range from.trees {
		if len(others) == 0 {
			break
		}
		if err := w.want(ctx, id, isTree); err != nil {
			return err
		}
		look()
	}
	if !more {
		return nil
	}
	return g.visit(ctx, g.intern(from.commits), func(i uint32) (bool, error) {
		more = find(*g.ids.id(i))
		if len(others) > 0 {
			if err := w.root(ctx, g.nodes[i].tree); err != nil {
				return false, err
			}
			look()
		}
		return more, nil
	})
}
