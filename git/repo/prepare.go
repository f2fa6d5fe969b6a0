package repo

import (
	"context"
	"errors"
	"fmt"

	"github.com/ingot-forge/ingot/git"
	"github.com/ingot-forge/ingot/git/bitmap"
)

// prepare decides what the joined pack leaves out, in what order it has the rest,
// and which new deltas it gets.
func (c *compaction) prepare(ctx context.Context, j *joiner) error {
	if c.report.Left > 0 {
		c.report.Unchecked = "another step follows"
		return nil
	}
	kept, done, err := c.keptBitmaps(ctx)
	if err != nil {
		return err
	}
	defer done()
	if kept == nil && c.kept > 0 {
		c.report.Unchecked = "the larger packs have no bitmaps"
		return nil
	}
	graph, err := c.snap.Graph(ctx)
	if err != nil {
		return err
	}
	r := newReacher(c.snap, &j.numbers, kept, graph)
	r.ordered = c.kept == 0
	r.progress = func(done, total int) { c.tell("walking", done, total) }
	err = r.walk(ctx, func(yield rooted) error { return c.store.retained(ctx, c.snap, yield) })
	switch {
	case ctx.Err() != nil:
		return ctx.Err()
	case errors.Is(err, errIncomplete), errors.Is(err, git.ErrNotFound):
		// Somebody has to look at that, but not by losing more.
		c.report.Unchecked = err.Error()
		return nil
	case err != nil:
		return err
	}
	j.leaveOut(r.live.has)
	tip, err := c.tip(ctx, r)
	if err != nil {
		return err
	}
	if r.ordered {
		j.sequence = append(append(r.commits, r.trees...), r.blobs...)
		if len(j.sequence) != j.objects() {
			return fmt.Errorf("%d objects in order, of %d", len(j.sequence), j.objects())
		}
	}
	s := &search{numbers: &j.numbers, names: r.names, tip: tip, commits: len(r.commits), bytes: searchedBytes}
	if c.options.All {
		s.bytes = searchedBytesAll
	}
	s.progress = func(done, total int) { c.tell("searching deltas", done, total) }
	if err := s.candidates(ctx); err != nil {
		return err
	}
	if len(j.packs) == 1 && j.left == 0 && (s.settled() || !c.store.config.derivable(c.rows()[0])) {
		c.asItIs = true
		return nil
	}
	j.search, err = s.run(ctx)
	return err
}

// settled reports whether the only pack is as it would be written again, but for
// deltas that a search might find: it has been.
func (s *search) settled() bool {
	for _, c := range s.list {
		if c.delta {
			return false
		}
	}
	for rank := range s.commits {
		if s.names[s.revs[0].Place(rank)] != 0 {
			return false // a tree or a blob before a commit
		}
	}
	return true
}

// keptBitmaps returns the bitmaps of exactly the packs that are kept; nil if some have none.
func (c *compaction) keptBitmaps(ctx context.Context) (*bitmap.Index, func(), error) {
	nothing := func() {}
	stack, err := c.snap.stack(ctx, bitmapLayers)
	if err != nil || c.kept == 0 || len(stack) < c.kept {
		return nil, nothing, err
	}
	names := c.snap.names(c.order[:c.kept]) // a stack without its top is one
	v, err := c.store.derived.bitmapsOf(ctx, c.snap.state.Format, names)
	if err != nil {
		return nil, nothing, ctx.Err()
	}
	return v.value.index, func() { c.store.derived.bitmaps.release(v) }, nil
}

// tip returns the objects that a clone of depth 1 of the current branch gets, of those
// to be joined; nil if there is no such branch.
func (c *compaction) tip(ctx context.Context, r *reacher) (numberSet, error) {
	head, ok := c.snap.Ref("HEAD")
	if !ok {
		return nil, nil
	}
	if kind, _, err := c.snap.Header(ctx, head.Target); err != nil || kind != git.KindCommit {
		return nil, err
	}
	return r.below(ctx, head.Target)
}
