package ancestry

import (
	"context"
	"slices"

	"github.com/ingot-forge/ingot/git"
)

// Tag is a name that Describe may find.
type Tag struct {
	Name      string
	Commit    git.ID // where it leads in the end
	Annotated bool
	Seconds   int64 // of the tagger, if it is annotated
}

// DescribeOptions say which tags Describe takes.
type DescribeOptions struct {
	// Lightweight takes tags that are not annotated, too: git describe --tags.
	Lightweight bool
	FirstParent bool
	// Candidates is how many tags are considered, the newest first; 0 means 10, as in git, and 26
	// is the most. More cost more, and tell the truth more often.
	Candidates int
}

// Description says that a commit is Depth commits after a tag.
type Description struct {
	Tag   Tag
	Depth int
}

const (
	defaultCandidates = 10
	maxCandidates     = 26
)

// Describe finds the tag that is nearest to a commit among those that it reaches: git describe. found is
// false if there is none. The tags come in the order of their names: of several on one commit, an
// annotated one is taken, of annotated ones the newest, and otherwise the first.
func (c *Commits) Describe(ctx context.Context, n Node, tags []Tag, o DescribeOptions) (d Description, found bool, err error) {
	s := &describer{Commits: c, DescribeOptions: o, named: byCommit(tags)}
	if o.Candidates <= 0 {
		s.Candidates = defaultCandidates
	}
	s.Candidates = min(s.Candidates, maxCandidates)
	if t, ok := s.named[c.ID(n)]; ok && s.takes(t) {
		return Description{Tag: t}, true, nil
	}
	gaveUp, err := s.search(ctx, n)
	if err != nil || len(s.matches) == 0 {
		return Description{}, false, err
	}
	best := slices.MinFunc(s.matches, func(a, b *candidate) int {
		if a.depth != b.depth {
			return a.depth - b.depth
		}
		return int(a.within) - int(b.within)
	})
	if gaveUp != nil {
		s.requeue(*gaveUp)
	}
	if err := s.finish(ctx, best); err != nil {
		return Description{}, false, err
	}
	return Description{best.tag, best.depth}, true, nil
}

func byCommit(tags []Tag) map[git.ID]Tag {
	named := make(map[git.ID]Tag, len(tags))
	for _, t := range tags {
		old, ok := named[t.Commit]
		if !ok || t.Annotated && (!old.Annotated || t.Seconds > old.Seconds) {
			named[t.Commit] = t
		}
	}
	return named
}

// describer is one run of Describe.
type describer struct {
	*Commits
	DescribeOptions
	named   map[git.ID]Tag
	matches []*candidate
	marks   Marks[describeMark]
	queue   Queue[int64]
	met     []Node
	parents []Node
	steps   int
}

// describeMark has a bit for each candidate that reaches a commit, as far as is known.
type describeMark uint32

const (
	describeSeen describeMark = 1 << 31
	describeOpen describeMark = 1 << 30 // now in the queue
	allWithin                 = describeOpen - 1
)

type candidate struct {
	tag    Tag
	depth  int // commits met that it does not reach
	within describeMark
}

func (s *describer) takes(t Tag) bool { return t.Annotated || s.Lightweight }

func (s *describer) requeue(n Node) {
	*s.marks.At(n) |= describeSeen | describeOpen
	s.queue.Push(n, s.Seconds(n))
}

func (s *describer) pop(ctx context.Context) (Node, *describeMark, error) {
	if s.steps++; s.steps%CheckEvery == 0 && ctx.Err() != nil {
		return 0, nil, ctx.Err()
	}
	n := s.queue.Pop()
	at := s.marks.At(n)
	*at &^= describeOpen
	return n, at, nil
}

// expand hands on to parents what reaches a commit.
func (s *describer) expand(ctx context.Context, n Node, at describeMark, firstParent bool,
	change func(old, new describeMark)) (err error) {
	if s.parents, err = s.AppendParents(ctx, s.parents[:0], n); err != nil {
		return err
	}
	for _, p := range s.parents {
		to := s.marks.At(p)
		if *to&describeSeen == 0 {
			s.met = append(s.met, p)
			s.requeue(p)
			change(0, *to)
		}
		old := *to
		*to |= at & allWithin
		change(old, *to)
		if firstParent {
			break
		}
	}
	return nil
}

// search goes back by date until there are enough candidates, or no others can be better. gaveUp is
// the commit at which there were more than enough.
func (s *describer) search(ctx context.Context, n Node) (gaveUp *Node, err error) {
	s.requeue(n)
	s.met = append(s.met, n)
	annotated := false
	for seen := 0; s.queue.Len() > 0; seen++ {
		n, at, err := s.pop(ctx)
		if err != nil {
			return nil, err
		}
		if t, ok := s.named[s.ID(n)]; ok && s.takes(t) {
			if len(s.matches) == s.Candidates {
				return &n, nil
			}
			m := &candidate{tag: t, depth: seen, within: 1 << len(s.matches)}
			s.matches = append(s.matches, m)
			*at |= m.within
			annotated = annotated || t.Annotated
		}
		for _, m := range s.matches {
			if *at&m.within == 0 {
				m.depth++
			}
		}
		// The last line of history is part of the best already.
		if annotated && s.queue.Len() == 0 && *at&s.best() == s.best() {
			return nil, nil
		}
		if err := s.expand(ctx, n, *at, s.FirstParent, func(_, _ describeMark) {}); err != nil {
			return nil, err
		}
	}
	return nil, nil
}

// best returns the bits of the candidates that are nearest by now.
func (s *describer) best() (within describeMark) {
	depth := -1
	for _, m := range s.matches {
		switch {
		case depth < 0 || m.depth < depth:
			depth, within = m.depth, m.within
		case m.depth == depth:
			within |= m.within
		}
	}
	return within
}

// finish counts the other commits that the best candidate does not reach.
func (s *describer) finish(ctx context.Context, best *candidate) error {
	outside := 0 // commits in the queue that it does not reach
	for _, n := range s.met {
		if *s.marks.At(n)&(describeOpen|best.within) == describeOpen {
			outside++
		}
	}
	is := func(m describeMark) bool { return m&(describeOpen|best.within) == describeOpen }
	for s.queue.Len() > 0 {
		n, at, err := s.pop(ctx)
		if err != nil {
			return err
		}
		if *at&best.within != 0 {
			if outside == 0 {
				return nil
			}
		} else {
			best.depth++
			outside--
		}
		err = s.expand(ctx, n, *at, false, func(old, new describeMark) {
			if is(new) && !is(old) {
				outside++
			} else if is(old) && !is(new) {
				outside--
			}
		})
		if err != nil {
			return err
		}
	}
	return nil
}
