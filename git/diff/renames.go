package diff

import (
	"context"

	"github.com/ingot-forge/ingot/git"
)

// The limits of Renames, where RenameOptions sets no others.
const (
	DefaultScore       = MaxScore / 2
	DefaultRenameLimit = 1000      // as git's diff.renameLimit
	DefaultRenameBytes = 512 << 20 // read to be compared
	DefaultRenameWork  = 4 << 30   // chunks compared: some seconds
)

// RenameOptions say how to look for files that moved. The zero value is git's
// -M.
type RenameOptions struct {
	// Score is how alike a file is at least to one that it was moved from; 0
	// means DefaultScore, and MaxScore finds only those that are the same.
	Score int
	// Copies looks for originals also among the files that stay (-C): those
	// that changed, and those that did not if they are among the changes
	// (--find-copies-harder).
	Copies bool
	// Limit bounds the pairs of files that are compared to its square; 0 means
	// DefaultRenameLimit. Bytes bounds the sizes of all files read for that, and
	// Work the comparing, in chunks of a line or 64 bytes.
	Limit int
	Bytes int64
	Work  int64
	// Header, unless nil, tells kind and size of an object without reading it
	// whole: files that differ too much in size are then not read.
	Header func(ctx context.Context, id git.ID) (git.Kind, int64, error)
}

// Renames pairs files that were deleted with those that were added and are like
// them. It returns the changes in their order without the deletions that became
// part of a Renamed one, and without Unchanged ones. changes itself stays as it
// is. complete is false where a limit was exceeded: then files that moved and
// changed may be told as deleted and added, as git does. Errors are those of
// objects and ctx.
//
// Same files are paired first, then those of the same name in another directory
// if no other has it, then whatever is most alike.
func Renames(ctx context.Context, objects git.Objects, f git.Format, changes []Change, o RenameOptions) (out []Change, complete bool, err error) {
	r := newRenamer(ctx, objects, f, changes, o)
	complete = true
	if len(r.sources) > 0 && len(r.targets) > 0 {
		r.pairSame()
		if r.options.Score < MaxScore {
			complete, err = r.pairAlike()
			if err != nil {
				return nil, false, err
			}
		}
	}
	return r.result(), complete, nil
}

type renamer struct {
	ctx     context.Context
	objects git.Objects
	format  git.Format
	options RenameOptions
	changes []Change

	sources []*source // that may still be taken, in the order of the changes
	targets []*target
	of      map[int]*source // by place among the changes
	to      map[int]*target

	bytes, work int64    // left
	counts      []uint32 // scratch of chunks
	hashes      []uint32

	spread       []uint32 // bytes by hash of the target last compared
	spreadOf     *sample
	spreadChunks []chunk
}

// source is a file that others may come from.
type source struct {
	side      Side
	unchanged bool
	uses      int // files that come from it, itself included if it stays
	taken     bool
	sample    sample
}

// target is a file that may come from another.
type target struct {
	side   Side
	source *source // nil: none found
	score  int
	sample sample
}

func newRenamer(ctx context.Context, objects git.Objects, f git.Format, changes []Change, o RenameOptions) *renamer {
	setDefault(&o.Score, DefaultScore)
	setDefault(&o.Limit, DefaultRenameLimit)
	setDefault(&o.Bytes, DefaultRenameBytes)
	setDefault(&o.Work, DefaultRenameWork)
	r := &renamer{ctx: ctx, objects: objects, format: f, options: o, changes: changes,
		of: map[int]*source{}, to: map[int]*target{}, bytes: o.Bytes, work: o.Work}
	for i := range changes {
		switch c := &changes[i]; {
		case !c.Old.Exists():
			t := &target{side: c.New}
			r.targets = append(r.targets, t)
			r.to[i] = t
		case !c.New.Exists():
			r.addSource(i, &source{side: c.Old})
		case o.Copies:
			r.addSource(i, &source{side: c.Old, unchanged: c.Status == Unchanged, uses: 1})
		}
	}
	return r
}

func setDefault[T int | int64](value *T, standard T) {
	if *value <= 0 {
		*value = standard
	}
}

func (r *renamer) addSource(i int, s *source) {
	r.sources = append(r.sources, s)
	r.of[i] = s
}

// pair says where a target comes from.
func (r *renamer) pair(t *target, s *source, score int) {
	t.source, t.score = s, score
	s.uses++
	s.taken = true
}

// maxSame is how many files that are the same git looks at for each target.
const maxSame = 100

// pairSame pairs files of the same content: with the first that is not yet
// taken, if possible with one of the same name.
func (r *renamer) pairSame() {
	type same struct {
		id   git.ID
		mode git.Mode // ModeBlob for executable ones, too
	}
	keyOf := func(s Side) same {
		if s.isRegular() {
			return same{s.ID, git.ModeBlob}
		}
		return same{s.ID, s.Mode}
	}
	sources := make(map[same][]*source, len(r.sources))
	for _, s := range r.sources {
		key := keyOf(s.side)
		sources[key] = append(sources[key], s)
	}
	for _, t := range r.targets {
		key := keyOf(t.side)
		all := sources[key]
		best := bestSame(all, t)
		if best < 0 {
			continue
		}
		r.pair(t, all[best], MaxScore)
		if !r.options.Copies { // those taken must not be looked at again and again
			copy(all[1:best+1], all[:best])
			sources[key] = all[1:]
		}
	}
}

// bestSame returns which of the first sources to take; -1 if there is none.
func bestSame(all []*source, t *target) int {
	best, bestScore := -1, -1
	for i, s := range all[:min(len(all), maxSame)] {
		score := 0
		if s.uses == 0 {
			score++
		}
		if sameName(s.side.Path, t.side.Path) {
			score++
		}
		if score > bestScore {
			best, bestScore = i, score
		}
		if score == 2 {
			break
		}
	}
	return best
}

// pairAlike pairs files that are alike.
func (r *renamer) pairAlike() (complete bool, err error) {
	if !r.options.Copies {
		r.dropTaken()
		if complete, err := r.pairNames(); !complete || err != nil {
			return complete, err
		}
		r.dropTaken()
	}
	open := 0
	for _, t := range r.targets {
		if t.source == nil {
			open++
		}
	}
	limit := r.options.Limit * r.options.Limit
	sources := r.sources
	complete = true
	if open*len(sources) > limit {
		// Git then does without the files that did not change.
		complete = false
		sources = nil
		for _, s := range r.sources {
			if !s.unchanged {
				sources = append(sources, s)
			}
		}
		if len(sources) == len(r.sources) || open*len(sources) > limit {
			return false, nil
		}
	}
	if open == 0 || len(sources) == 0 {
		return complete, nil
	}
	pairs, ok, err := r.matrix(sources)
	if err != nil || !ok {
		return false, err
	}
	r.pairBest(pairs, false)
	if r.options.Copies {
		r.pairBest(pairs, true)
	}
	return complete, nil
}

// dropTaken forgets the sources that have been taken.
func (r *renamer) dropTaken() {
	var left []*source
	for _, s := range r.sources {
		if s.uses == 0 {
			left = append(left, s)
		}
	}
	r.sources = left
}

// pairNames pairs files of the same name if there is only one source and one
// target of that name left, and they are more alike than is asked for.
func (r *renamer) pairNames() (complete bool, err error) {
	sources, targets := map[string]int{}, map[string]int{} // -1: several have that name
	for i, s := range r.sources {
		note(sources, baseName(s.side.Path), i)
	}
	for i, t := range r.targets {
		if t.source == nil {
			note(targets, baseName(t.side.Path), i)
		}
	}
	minimum := r.options.Score + (MaxScore-r.options.Score)/2
	for _, s := range r.sources {
		name := baseName(s.side.Path)
		at, ok := targets[name]
		if !ok || at < 0 || sources[name] < 0 {
			continue
		}
		t := r.targets[at]
		score, ok, err := r.alike(s, t, minimum)
		if err != nil || !ok {
			return false, err
		}
		if score >= minimum {
			r.pair(t, s, score)
			s.sample, t.sample = sample{}, sample{}
		}
	}
	return true, nil
}

func note(names map[string]int, name string, i int) {
	if _, ok := names[name]; ok {
		i = -1
	}
	names[name] = i
}

// result puts the changes together again.
func (r *renamer) result() []Change {
	out := make([]Change, 0, len(r.changes))
	for i, c := range r.changes {
		s, t := r.of[i], r.to[i]
		switch {
		case t != nil && t.source != nil:
			// Of several files from one source, the last has it and the others
			// are copies; all are, if the source stays.
			s := t.source
			c.Old, c.Score, c.Status = s.side, t.score, Renamed
			if s.uses--; s.uses > 0 {
				c.Status = Copied
			}
		case c.Status == Unchanged, s != nil && c.Status == Deleted && s.taken:
			continue
		}
		out = append(out, c)
	}
	return out
}
