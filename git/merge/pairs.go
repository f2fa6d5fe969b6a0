package merge

import (
	"slices"

	"github.com/ingot-forge/ingot/git"
	"github.com/ingot-forge/ingot/git/diff"
)

// finder pairs the files that a side removed with those that it added. It looks no
// further than needed to tell whereto relevant files and directories went.
type finder struct {
	m       *merger
	s       *sideRenames
	sources []*diff.Original
	of      map[*diff.Original]*pair
	targets []*target
	like    *diff.Likeness
	found   int
	// Once the files that are the same have been paired:
	targetAt map[string]int    // of those that are left
	guesses  map[string]string // whereto most of such files of a directory went
}

type target struct {
	*diff.Moved
	pair   *pair
	paired bool
}

// somewhere counts the files of a directory that may have gone anywhere. No
// directory is called so.
const somewhere = "/"

// findPairs turns the additions of a side that are renames into such, and drops
// the removals that are part of them.
func (m *merger) findPairs(s *sideRenames) error {
	for path := range s.known.to {
		delete(s.relevant, path)
	}
	for path := range s.knownNoMore {
		delete(s.relevant, path)
	}
	if len(s.pairs) == 0 || len(s.relevant) == 0 {
		resolve(s.pairs)
		return nil
	}
	s.dirCounts = map[string]*counts{}
	f := &finder{m: m, s: s, of: map[*diff.Original]*pair{},
		like: diff.NewLikeness(m.ctx, m.store, m.format, diff.RenameOptions{})}
	for _, p := range s.pairs {
		switch {
		case p.one.ID == m.empty || p.two.ID == m.empty: // they are all the same
		case p.one.Exists():
			o := diff.NewOriginal(p.one)
			f.sources = append(f.sources, o)
			f.of[o] = p
		default:
			f.targets = append(f.targets, &target{Moved: diff.NewMoved(p.two), pair: p})
		}
	}
	if len(f.sources) > 0 && len(f.targets) > 0 {
		if err := f.run(); err != nil {
			return err
		}
	}
	kept := s.pairs[:0]
	for _, p := range s.pairs {
		if !p.used {
			kept = append(kept, p)
		}
	}
	s.pairs = kept
	resolve(s.pairs)
	return nil
}

// resolve sets the status of pairs.
func resolve(pairs []*pair) {
	for _, p := range pairs {
		switch {
		case !p.one.Exists():
			p.status = diff.Added
		case !p.two.Exists():
			p.status = diff.Deleted
		default:
			p.status = diff.Renamed
		}
	}
}

func (f *finder) run() error {
	f.pairSame()
	f.drop(func(p *pair) bool { return p.used })
	f.guessDirectories()
	if err := f.pairNames(); err != nil {
		return err
	}
	f.drop(func(p *pair) bool {
		_, ok := f.s.relevant[p.oldPath]
		return p.used || !ok
	})
	f.dropKnownDirectories()
	defer f.forgetDirectories()

	open := len(f.targets) - f.found
	if open == 0 || len(f.sources) == 0 {
		return nil
	}
	if limit := f.m.o.RenameLimit; open > limit*limit/len(f.sources) {
		f.s.skipped = true
		return nil
	}
	return f.pairAlike(open)
}

// drop leaves out sources.
func (f *finder) drop(unneeded func(*pair) bool) {
	f.sources = slices.DeleteFunc(f.sources, func(o *diff.Original) bool { return unneeded(f.of[o]) })
}

func (f *finder) record(t *target, o *diff.Original) {
	source := f.of[o]
	source.used = true
	t.paired = true
	t.pair.one, t.pair.oldPath = source.one, source.oldPath
	f.found++
}

// maxSame is how many files that are the same git looks at for each target.
const maxSame = 100

// pairSame pairs files of the same content: with the first that is left, if possible
// one of the same name.
func (f *finder) pairSame() {
	type same struct {
		id   git.ID
		mode git.Mode // ModeBlob for executable ones, too
	}
	keyOf := func(s diff.Side) same {
		if isRegular(s.Mode) {
			return same{s.ID, git.ModeBlob}
		}
		return same{s.ID, s.Mode}
	}
	sources := map[same][]*diff.Original{}
	for _, o := range f.sources {
		key := keyOf(o.Side())
		sources[key] = append(sources[key], o)
	}
	for _, t := range f.targets {
		key := keyOf(t.Side())
		all := sources[key]
		if len(all) == 0 {
			continue
		}
		best := 0
		for i, o := range all[:min(len(all), maxSame)] {
			if baseName(o.Side().Path) == baseName(t.Side().Path) {
				best = i
				break
			}
		}
		f.record(t, all[best])
		copy(all[1:best+1], all[:best])
		sources[key] = all[1:]
	}
}

// pairNames pairs files of the same name if only one source and one target has that
// name, or the name of the target is where the directory seems to have gone, and
// they are more alike than is asked for otherwise.
func (f *finder) pairNames() error {
	sources, targets := map[string]int{}, map[string]int{} // -1: several
	for i, o := range f.sources {
		noteName(sources, o.Side().Path, i)
	}
	for i, t := range f.targets {
		if !t.paired {
			noteName(targets, t.Side().Path, i)
		}
	}
	const minimum = diff.DefaultScore + (diff.MaxScore-diff.DefaultScore)/2
	for _, o := range f.sources {
		path := o.Side().Path
		if _, ok := f.s.relevant[path]; !ok {
			continue
		}
		at, ok := targets[baseName(path)]
		if !ok {
			continue
		}
		if sources[baseName(path)] < 0 || at < 0 {
			if at, ok = f.guess(path); !ok {
				continue
			}
		}
		t := f.targets[at]
		if t.paired {
			continue
		}
		score, ok, err := f.like.Score(o, t.Moved, minimum)
		if err != nil {
			return err
		}
		if !ok {
			f.s.skipped = true
			return nil
		}
		if score < minimum {
			continue
		}
		f.record(t, o)
		f.count(t.pair)
		o.Forget()
		t.Forget()
	}
	return nil
}

func noteName(names map[string]int, path string, i int) {
	name := baseName(path)
	if _, ok := names[name]; ok {
		i = -1
	}
	names[name] = i
}

// candidates is how many sources are kept for each target.
const candidates = 4

// candidate is a source that a target may come from.
type candidate struct {
	target   *target // nil: none
	source   *diff.Original
	score    int
	sameName bool
}

// compare orders candidates: best first, and none last.
func (c *candidate) compare(d *candidate) int {
	switch {
	case c.target == nil && d.target == nil:
		return 0
	case c.target == nil:
		return 1
	case d.target == nil:
		return -1
	case c.score != d.score:
		return d.score - c.score
	case c.sameName == d.sameName:
		return 0
	case c.sameName:
		return -1
	}
	return 1
}

// pairAlike compares all targets that are left with all sources, and pairs what is
// most alike.
func (f *finder) pairAlike(open int) error {
	all := make([]candidate, 0, open*candidates)
	for _, t := range f.targets {
		if t.paired {
			continue
		}
		start := len(all)
		all = append(all, make([]candidate, candidates)...)
		best := all[start:]
		for _, o := range f.sources {
			score, ok, err := f.like.Score(o, t.Moved, diff.DefaultScore)
			if err != nil {
				return err
			}
			if !ok {
				f.s.skipped = true
				return nil
			}
			keepBetter(best, candidate{t, o, score, baseName(o.Side().Path) == baseName(t.Side().Path)})
		}
		t.Forget()
	}
	// Among equals the order in which they were kept decides, as in git.
	slices.SortStableFunc(all, func(a, b candidate) int { return a.compare(&b) })
	for _, c := range all {
		if c.target == nil || c.score < diff.DefaultScore {
			break
		}
		if !c.target.paired && !f.of[c.source].used {
			f.record(c.target, c.source)
			f.count(c.target.pair)
		}
	}
	return nil
}

// keepBetter puts c in the place of the worst, if it is better.
func keepBetter(best []candidate, c candidate) {
	worst := 0
	for i := 1; i < len(best); i++ {
		if best[i].compare(&best[worst]) > 0 {
			worst = i
		}
	}
	if best[worst].compare(&c) > 0 {
		best[worst] = c
	}
}
