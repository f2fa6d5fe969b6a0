package history

import (
	"context"
	"errors"

	"github.com/ingot-forge/ingot/git"
	"github.com/ingot-forge/ingot/git/bitmap"
)

// Selection is what a fetch needs, in the terms in which it is stored: sets of
// positions where there are bitmaps, a list for the rest.
type Selection struct {
	// Send is the set of positions (of Request.Bitmaps) to send; nil if the
	// answer was found without bitmaps, and then Objects lists everything.
	Send bitmap.Set
	// Has is what the client has, all of it that has a position; nil if
	// that is nothing, or not known. Deltas may be sent against these. Under a
	// filter it has only kinds that the filter lets through whole: who filters
	// now did so before.
	Has bitmap.Set
	// Objects are further objects to send, in the order that Missing
	// describes, each once and none of them in Send.
	Objects []Object
	// Bases are objects at the edge that the client is sure to have, with their
	// paths: what new deltas may start from. Only if Request.Thin. Of a walk they
	// are all that it met; beside sets, the old versions of what changed.
	Bases []Object
	// Count is how many objects are to be sent in all.
	Count int

	walked *treeWalk       // that Bases come from; nil beside sets
	bases  map[git.ID]bool // without a walk, once it is asked for
}

// IsBase reports whether an object is among Bases. It serves one goroutine.
func (s *Selection) IsBase(id git.ID) bool {
	if s.walked != nil && len(s.Bases) > 0 {
		return s.walked.isHad(&id)
	}
	if s.bases == nil {
		s.bases = make(map[git.ID]bool, len(s.Bases))
		for _, o := range s.Bases {
			s.bases[o.ID] = true
		}
	}
	return s.bases[id]
}

// A fetch of up to so many new commits is walked without a look at bitmaps:
// fewCommits, and one more for each positionsPerCommit. What a walk pays for a
// commit (some trees that are inflated) sets pay for going through so many
// positions a few times.
const (
	fewCommits         = 2
	positionsPerCommit = 1 << 18
)

// Select is Missing for requests with bitmaps. It uses them where they help: a
// small fetch walks from the new commits to the edge, and sends exactly what
// Missing would; a large one takes the sets of the bitmaps nearest to wants and
// haves, and walks only what lies above them. By sets, what is sent is exactly
// what the client lacks. Errors are those of Missing: damaged bitmaps are done
// without.
func Select(ctx context.Context, objects git.Objects, r Request, report func(found int)) (*Selection, error) {
	m, err := newMissing(ctx, objects, r, report)
	if err != nil {
		return nil, err
	}
	if !m.setsHelp() {
		return m.walk(ctx)
	}
	if len(m.haves.commits) > 0 {
		if all, err := m.findCommits(ctx, m.few()); err != nil {
			return nil, err
		} else if all {
			return m.walkTrees(ctx)
		}
	}
	selected, err := m.selectSets(ctx)
	var damaged *bitmapError
	if errors.As(err, &damaged) || err == nil && selected == nil {
		return m.walk(ctx)
	}
	return selected, err
}

// setsHelp reports whether sets can answer at all. They know nothing of where a
// history is cut, nor of depths and paths; and what is wanted of trees and blobs by name is
// below no bitmap.
func (m *missing) setsHelp() bool {
	r, f := m.request, m.trees.filter
	return r.Bitmaps != nil && len(m.wants.commits) > 0 &&
		len(r.Shallow)+len(r.Boundary)+len(r.Unshallow) == 0 &&
		(f == nil || f.sparse == nil && (f.depth == noDepth || f.depth == 0))
}

// few is how many new commits are walked for certain.
func (m *missing) few() int { return fewCommits + m.Bitmaps.Len()/positionsPerCommit }

// walk selects as Missing does.
func (m *missing) walk(ctx context.Context) (*Selection, error) {
	if _, err := m.findCommits(ctx, 0); err != nil {
		return nil, err
	}
	return m.walkTrees(ctx)
}

// walkTrees is what is left of walk when the commits are found.
func (m *missing) walkTrees(ctx context.Context) (*Selection, error) {
	if err := m.findTrees(ctx); err != nil {
		return nil, err
	}
	send, bases := m.result()
	return &Selection{Objects: send, Bases: bases, Count: len(send), walked: m.trees}, nil
}
