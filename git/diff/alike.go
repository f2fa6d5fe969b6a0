package diff

import (
	"slices"
	"strings"
)

// candidates is how many sources are kept for each target.
const candidates = 4

// candidate is a source that a target may come from.
type candidate struct {
	target   *target // nil: none
	source   *source
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

// matrix compares each target that is left with each source, and returns the
// best candidates of all, best first. It is not ok when a limit is exceeded.
func (r *renamer) matrix(sources []*source) (all []candidate, ok bool, err error) {
	for _, t := range r.targets {
		if t.source != nil {
			continue
		}
		if err := r.ctx.Err(); err != nil {
			return nil, false, err
		}
		start := len(all)
		all = append(all, make([]candidate, candidates)...)
		best := all[start:]
		for _, s := range sources {
			score, ok, err := r.alike(s, t, r.options.Score)
			if err != nil || !ok {
				return nil, false, err
			}
			keepBetter(best, candidate{t, s, score, sameName(s.side.Path, t.side.Path)})
		}
		t.sample = sample{}
	}
	// Among equals the order in which they were kept decides, as in git.
	slices.SortStableFunc(all, func(a, b candidate) int { return a.compare(&b) })
	return all, true, nil
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

// pairBest pairs along the list of candidates.
func (r *renamer) pairBest(pairs []candidate, copies bool) {
	for _, c := range pairs {
		if c.target == nil || c.score < r.options.Score {
			return
		}
		if c.target.source == nil && (copies || c.source.uses == 0) {
			r.pair(c.target, c.source, c.score)
		}
	}
}

// alike returns how much of the larger of two files is in both: less than
// minimum, but not how much, where that is plain from the sizes.
func (r *renamer) alike(s *source, t *target, minimum int) (score int, ok bool, err error) {
	if !s.side.isRegular() || !t.side.isRegular() {
		return 0, true, nil
	}
	if ok, err := r.measure(&s.sample, s.side); err != nil || !ok {
		return 0, false, err
	}
	if ok, err := r.measure(&t.sample, t.side); err != nil || !ok {
		return 0, false, err
	}
	larger, smaller := max(s.sample.size, t.sample.size), min(s.sample.size, t.sample.size)
	if larger*int64(MaxScore-minimum) < (larger-smaller)*MaxScore || t.sample.size == 0 {
		return 0, true, nil
	}
	if ok, err := r.chunks(&s.sample, s.side); err != nil || !ok {
		return 0, false, err
	}
	if ok, err := r.chunks(&t.sample, t.side); err != nil || !ok {
		return 0, false, err
	}
	if r.work -= int64(len(s.sample.chunks)) + 1; r.work < 0 {
		return 0, false, nil
	}
	r.against(&t.sample)
	return int(r.inBoth(&s.sample) * MaxScore / larger), true, nil
}

func baseName(path string) string { return path[strings.LastIndexByte(path, '/')+1:] }

func sameName(a, b string) bool { return baseName(a) == baseName(b) }
