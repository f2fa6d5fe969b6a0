package history

import (
	"context"
	"errors"
	"slices"

	"github.com/ingot-forge/ingot/git"
)

// Reachable reports which of the targets are reachable from the tips: commits
// through parents, other objects through trees and tags. It stops as soon as
// all are found. To find that a commit is not reachable, it reads every commit
// that is; for a tree or a blob, every tree. Targets that are not in the
// repository are not reachable. The answer holds true for those that are, and
// has no other entries.
func Reachable(ctx context.Context, objects git.Objects, f git.Format, tips, targets []git.ID, d Derived) (map[git.ID]bool, error) {
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
	s := &source{objects, f, d}
	from, err := s.peel(ctx, tips, false)
	if err != nil {
		return nil, err
	}
	for _, ids := range [][]git.ID{from.tags, from.commits, from.trees, from.blobs} {
		for _, id := range ids {
			find(id)
		}
	}
	others, err := s.unfound(ctx, left)
	if err != nil || len(left) == 0 {
		return found, err
	}
	return found, s.search(ctx, from, others, find)
}

// unfound drops what no walk can find, objects that are not there and tags, and
// returns the trees and blobs among the rest.
func (s *source) unfound(ctx context.Context, left map[git.ID]bool) (others []git.ID, err error) {
	for id := range left {
		switch kind, err := s.kind(ctx, id); {
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
func (s *source) search(ctx context.Context, from peeled, others []git.ID, find func(git.ID) bool) error {
	g, w := newGraph(s), newTreeWalk(s)
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
	v := visit{graph: g}
	if err := v.pushAll(ctx, g.intern(from.commits)); err != nil {
		return err
	}
	for more && v.reaches(anyRank) {
		i, err := v.pop(ctx)
		if err != nil {
			return err
		}
		more = find(*g.ids.id(i))
		if len(others) > 0 {
			if err := w.root(ctx, g.nodes[i].tree); err != nil {
				return err
			}
			look()
		}
		if err := v.pushAll(ctx, v.parents(i)); err != nil {
			return err
		}
	}
	return nil
}
