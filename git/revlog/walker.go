package revlog

import (
	"context"
	"fmt"
	"slices"

	"github.com/ingot-forge/ingot/git"
	"github.com/ingot-forge/ingot/git/ancestry"
)

// walker is one walk: what is common to all orders.
type walker struct {
	*ancestry.Commits
	*Options
	paths    *paths    // nil: all commits are of interest
	follower *follower // nil unless Options.Follow
	not      *excluded // nil: nothing is excluded
	marks    ancestry.Marks[mark]
	kept     ancestry.Marks[int32] // of commits simplified to one parent: its place, plus one
	queue    ancestry.Queue[int64] // by date
	open     int                   // queued commits that are not known to be excluded
	steps    int

	tips    []ancestry.Node // without those excluded by name, by date
	parents []ancestry.Node // scratch
	stack   []ancestry.Node
}

type mark uint16

const (
	seen     mark = 1 << iota
	queued        // now in the queue
	expanded      // its parents were met
	boring        // excluded, as far as the walk has seen
	bottom        // named in Options.Not
	same          // changes nothing of the paths
	leftSide
	parsed // git has read it by now: what is known of its exclusion passes on to its parents
)

func newWalker(ctx context.Context, commits *ancestry.Commits, o *Options) (*walker, error) {
	w := &walker{Commits: commits, Options: o}
	if o.Follow && len(o.Paths) != 1 {
		return nil, fmt.Errorf("following renames needs one path, not %d", len(o.Paths))
	}
	if len(o.Paths) > MaxPaths {
		return nil, fmt.Errorf("%d paths, of at most %d", len(o.Paths), MaxPaths)
	}
	var err error
	switch {
	case o.Follow:
		w.follower, err = newFollower(commits, o.Paths[0])
	case len(o.Paths) > 0:
		w.paths, err = newPaths(commits, o.Paths)
	}
	if err != nil {
		return nil, err
	}
	return w, w.start(ctx)
}

// start queues the tips and what is excluded.
func (w *walker) start(ctx context.Context) error {
	not, err := w.FindAll(ctx, w.Not)
	if err != nil {
		return err
	}
	tips, err := w.FindAll(ctx, w.Tips)
	if err != nil {
		return err
	}
	left, err := w.FindAll(ctx, w.Left)
	if err != nil {
		return err
	}
	for _, n := range left {
		*w.marks.At(n) |= leftSide
	}
	if len(not) > 0 {
		w.not = newExcluded(w.Commits, not)
	}
	for _, n := range not {
		*w.marks.At(n) |= boring | bottom
	}
	for _, n := range append(not, tips...) {
		if at := w.marks.At(n); *at&seen == 0 {
			*at |= seen | parsed
			w.tips = append(w.tips, n)
		}
	}
	for _, n := range not {
		if err := w.boreBelow(ctx, n); err != nil {
			return err
		}
	}
	slices.SortStableFunc(w.tips, func(a, b ancestry.Node) int {
		return -compare(w.Seconds(a), w.Seconds(b))
	})
	return nil
}

func compare(a, b int64) int {
	switch {
	case a < b:
		return -1
	case a > b:
		return 1
	}
	return 0
}

// push queues a commit that was just seen.
func (w *walker) push(n ancestry.Node) {
	at := w.marks.At(n)
	*at |= queued
	if *at&boring == 0 {
		w.open++
	}
	w.queue.Push(n, w.Seconds(n))
}

// bore notes that a commit is excluded.
func (w *walker) bore(n ancestry.Node) {
	at := w.marks.At(n)
	if *at&(boring|queued) == queued {
		w.open--
	}
	*at |= boring
}

// nextByDate returns the next commit in ByDate order.
func (w *walker) nextByDate(ctx context.Context) (ancestry.Node, error) {
	for _, n := range w.tips {
		w.push(n)
	}
	w.tips = nil
	for w.open > 0 {
		if err := w.check(ctx); err != nil {
			return 0, err
		}
		n := w.queue.Pop()
		at := w.marks.At(n)
		*at &^= queued
		if *at&boring == 0 {
			w.open--
		}
		if w.Since != 0 && w.Seconds(n) < w.Since {
			if w.not == nil {
				continue
			}
			w.bore(n)
		}
		if err := w.expand(ctx, n, w.push); err != nil {
			return 0, err
		}
		if *at&boring != 0 {
			continue
		}
		if w.not != nil {
			// What excludes it may be older than it, if dates lie.
			if excluded, err := w.not.has(ctx, n); err != nil {
				return 0, err
			} else if excluded {
				continue
			}
		}
		return n, nil
	}
	return 0, errEnd
}

func (w *walker) check(ctx context.Context) error {
	if w.steps++; w.steps%ancestry.CheckEvery == 0 {
		return ctx.Err()
	}
	return nil
}

// expand meets the parents of a commit, once: it simplifies the commit, passes on what its
// marks say of its parents, and calls met with those not seen before.
func (w *walker) expand(ctx context.Context, n ancestry.Node, met func(ancestry.Node)) (err error) {
	at := w.marks.At(n)
	if *at&expanded != 0 {
		return nil
	}
	*at |= expanded
	if *at&boring != 0 {
		return w.expandBoring(ctx, n, met)
	}
	if w.parents, err = w.AppendParents(ctx, w.parents[:0], n); err != nil {
		return err
	}
	if w.paths != nil {
		if err := w.simplify(ctx, n, at); err != nil {
			return err
		}
	}
	for _, p := range w.parents {
		to := w.marks.At(p)
		*to |= *at&leftSide | parsed
		if *to&seen == 0 {
			*to |= seen
			met(p)
		}
		if w.FirstParent {
			break
		}
	}
	return nil
}

// expandBoring meets the parents of an excluded commit, and marks what it reaches.
func (w *walker) expandBoring(ctx context.Context, n ancestry.Node, met func(ancestry.Node)) (err error) {
	if w.parents, err = w.AppendParents(ctx, w.parents[:0], n); err != nil {
		return err
	}
	for _, p := range w.parents {
		at := w.marks.At(p)
		*at |= parsed
		w.bore(p)
		if *at&seen == 0 {
			*at |= seen
			met(p)
		}
	}
	w.stack = append(w.stack[:0], w.parents...)
	return w.boreStacked(ctx)
}

// boreBelow marks what an excluded commit reaches as excluded, as far as git has read.
// That is less than all, and it shows: how a merge is simplified depends on it.
func (w *walker) boreBelow(ctx context.Context, n ancestry.Node) error {
	w.stack = append(w.stack[:0], n)
	return w.boreStacked(ctx)
}

func (w *walker) boreStacked(ctx context.Context) (err error) {
	for len(w.stack) > 0 {
		n := w.stack[len(w.stack)-1]
		w.stack = w.stack[:len(w.stack)-1]
		if w.parents, err = w.AppendParents(ctx, w.parents[:0], n); err != nil {
			return err
		}
		if k := *w.kept.At(n); k > 0 {
			w.parents = w.parents[k-1 : k]
		}
		for _, p := range w.parents {
			if at := w.marks.At(p); *at&boring == 0 {
				w.bore(p)
				if *at&parsed != 0 {
					w.stack = append(w.stack, p)
				}
			}
		}
	}
	return nil
}

// judge decides whether a commit that the walk came by is among those asked for.
func (w *walker) judge(ctx context.Context, n ancestry.Node) (c Commit, keep bool, err error) {
	at := *w.marks.At(n)
	seconds := w.Seconds(n)
	if at&same != 0 {
		return Commit{}, false, nil
	}
	if w.parents, err = w.AppendParents(ctx, w.parents[:0], n); err != nil {
		return Commit{}, false, err
	}
	path := ""
	if w.follower != nil { // it has to see every commit, whether that is asked for or not
		changed := false
		if changed, path, err = w.follower.step(ctx, n, w.parents, w.FirstParent); err != nil || !changed {
			return Commit{}, false, err
		}
	}
	if w.Until != 0 && seconds > w.Until {
		return Commit{}, false, nil
	}
	count := len(w.parents)
	if count < w.MinParents || w.MaxParents > 0 && count > w.MaxParents || w.MaxParents < 0 && count > 0 {
		return Commit{}, false, nil
	}
	c = Commit{ID: w.ID(n), Tree: w.Tree(n), Seconds: seconds, Left: at&leftSide != 0, Path: path}
	if w.Keep != nil {
		if c.Decoded, err = w.Read(ctx, n); err != nil {
			return Commit{}, false, err
		}
		if !w.Keep(c.Decoded) {
			return Commit{}, false, nil
		}
	}
	if len(w.parents) > 0 {
		c.Parents = make([]git.ID, len(w.parents))
		for i, p := range w.parents {
			c.Parents[i] = w.ID(p)
		}
	}
	return c, true, nil
}
