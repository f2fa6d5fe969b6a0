package grep

import (
	"context"
	"errors"
	"fmt"
	"sync"

	"github.com/ingot-forge/ingot/git"
)

// search is one Search. The walk hands files out in batches; workers take one each, and the visits follow in
// the order of the batches, as they are done.
type search struct {
	Query
	objects git.Objects
	format  git.Format
	visit   func(*FileMatch) error
	result  Result

	mu      sync.Mutex
	nothing map[git.ID]struct{} // blobs with no line that matches
}

const (
	// A batch ends at batchFiles, so that handing it over costs little. There are maxBatches for each
	// worker under way, which bounds what was found and not visited.
	batchFiles = 16
	maxBatches = 4
	// maxNothing bounds the blobs remembered, at some fifty bytes each.
	maxNothing = 1 << 20
)

// batch is some files that follow each other.
type batch struct {
	files []candidate
	done  chan struct{} // closed once they are searched
	err   error
}

// candidate is a file to be searched, and then what was found.
type candidate struct {
	mode   git.Mode
	id     git.ID
	path   string
	behind int
	read   int64 // bytes
	large  bool
	found
}

// errEnough ends the walk and the workers when the visits have all they want.
var errEnough = errors.New("enough")

func (s *search) run(ctx context.Context, tree git.ID) error {
	s.nothing = map[git.ID]struct{}{}
	inner, cancel := context.WithCancelCause(ctx)
	var group sync.WaitGroup
	defer group.Wait()
	defer cancel(errEnough)

	todo := make(chan *batch)                              // for workers
	order := make(chan *batch, maxBatches*s.Query.Workers) // for the visits
	w := &walker{search: s, todo: todo, order: order}
	group.Go(func() {
		w.err = w.walk(inner, tree)
		close(todo)
		close(order)
	})
	for range s.Query.Workers {
		group.Go(func() {
			m := s.Pattern.matcher()
			for b := range todo {
				b.err = s.batch(inner, m, b)
				close(b.done)
			}
		})
	}
	for b := range order {
		select {
		case <-b.done:
		case <-ctx.Done():
			return ctx.Err()
		}
		if b.err != nil {
			return b.err
		}
		if done, err := s.visits(b); done || err != nil {
			return err
		}
	}
	// The walk is over, and says why.
	s.result.Files = w.seen
	if w.stopped {
		s.result.Stopped, s.result.Next = StoppedByFiles, w.last
	}
	return w.err
}

// visits passes on what was found in a batch, and reports whether that is enough.
func (s *search) visits(b *batch) (done bool, err error) {
	for i := range b.files {
		c := &b.files[i]
		if s.result.Bytes >= s.Bytes {
			s.result.Stopped, s.result.Next = StoppedByBytes, Cursor{c.path, c.behind}
			return true, nil
		}
		s.result.Bytes += c.read
		if len(c.lines) == 0 && !c.large {
			continue
		}
		if s.Matches > 0 && s.result.Matches == s.Matches {
			s.result.Stopped, s.result.Next = StoppedByMatches, Cursor{c.path, c.behind}
			return true, nil
		}
		if s.Matches > 0 {
			c.cut(s.Matches-s.result.Matches, s.Context)
		}
		s.result.Matches += c.matches
		if err := s.visit(&FileMatch{Path: c.path, Mode: c.mode, ID: c.id, Lines: c.lines, TooLarge: c.large}); err != nil {
			return true, err
		}
		if c.more {
			s.result.Stopped, s.result.Next = StoppedByMatches, Cursor{c.path, c.lastMatch()}
			return true, nil
		}
	}
	return false, nil
}

// cut leaves only as many matches, and the context that is theirs.
func (f *found) cut(matches, context int) {
	if f.matches <= matches {
		return
	}
	n, last := 0, 0
	for i, line := range f.lines {
		if line.Match {
			n++
		}
		if n > matches || n == matches && !line.Match && line.Number > last+context {
			f.lines, f.matches, f.more = f.lines[:i], matches, true
			return
		}
		if line.Match {
			last = line.Number
		}
	}
}

// lastMatch is the number of the last line that matches.
func (f *found) lastMatch() int {
	for i := len(f.lines) - 1; i >= 0; i-- {
		if f.lines[i].Match {
			return f.lines[i].Number
		}
	}
	return 0
}

// batch searches the files of a batch.
func (s *search) batch(ctx context.Context, m *matcher, b *batch) error {
	for i := range b.files {
		if err := ctx.Err(); err != nil {
			return err
		}
		c := &b.files[i]
		if err := s.file(ctx, m, c); err != nil {
			return fmt.Errorf("%.200q: %w", c.path, err)
		}
	}
	return nil
}

func (s *search) file(ctx context.Context, m *matcher, c *candidate) error {
	text, known := false, false
	if s.Text != nil {
		if text, known = s.Text(c.path); known && !text {
			return nil
		}
	}
	// What a path makes of a blob says nothing of other paths, nor does the rest of one.
	whole := !known && c.behind == 0
	if whole && s.isNothing(c.id) {
		return nil
	}
	if s.Header != nil {
		_, size, err := s.Header(ctx, c.id)
		if err != nil {
			return err
		}
		if c.large = size > s.BlobBytes; c.large {
			return nil
		}
	}
	kind, data, err := s.objects.Object(ctx, c.id)
	if err != nil {
		return err
	}
	if kind != git.KindBlob {
		return fmt.Errorf("%w: %s is a %s, not a blob", git.ErrCorrupt, c.id, kind)
	}
	c.read = int64(len(data))
	if c.large = c.read > s.BlobBytes; c.large {
		return nil
	}
	if known || !isBinary(data) {
		matches := s.Matches
		if matches == 0 {
			matches = len(data) + 1
		}
		if c.found, err = m.list(ctx, data, c.behind, matches, s.Context, s.LineBytes); err != nil {
			return err
		}
	}
	if whole && len(c.lines) == 0 {
		s.noteNothing(c.id)
	}
	return nil
}

func (s *search) isNothing(id git.ID) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	_, ok := s.nothing[id]
	return ok
}

func (s *search) noteNothing(id git.ID) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.nothing) < maxNothing {
		s.nothing[id] = struct{}{}
	}
}
