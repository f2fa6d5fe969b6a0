package diff

// MergeOptions say how lines are compared in order to be merged.
type MergeOptions struct {
	// Histogram takes the longest run of lines that are rare in the old text for
	// unchanged, and goes on before and behind it: as git merge does. Otherwise
	// it is Myers's algorithm, as with git merge-file.
	Histogram bool
	Effort    int // as LineOptions.Effort
}

// MergeLines is Lines as git compares texts in order to merge them: a group of
// changed lines that could be slid goes as far down as it can, or beside lines
// of the other text, whatever its indentation.
func MergeLines(a, b *Text, o MergeOptions) []Edit {
	w := works.Get().(*work)
	defer works.Put(w)
	w.effort = o.Effort
	if w.effort <= 0 {
		w.effort = DefaultEffort
	}
	w.space = ExactSpace
	w.a.reset(a)
	w.b.reset(b)
	first, last := commonEnds(a, b)
	switch {
	case first == a.Len() && first == b.Len():
	case o.Histogram:
		w.intern(0, 0)
		h := histogram{work: w}
		h.run()
	default:
		w.mark(first, last)
	}
	w.slideLow(&w.a, &w.b)
	w.slideLow(&w.b, &w.a)
	edits := w.edits()
	w.a.text, w.b.text = nil, nil
	w.table.forget()
	return edits
}

// slideLow slides the groups of s to where MergeLines wants them.
func (w *work) slideLow(s, other *side) {
	first := s.firstChanged()
	if first < 0 {
		return
	}
	if start := other.firstChanged(); start >= 0 {
		first = min(first, start)
	}
	g, o := s.groupAt(first), other.groupAt(first)
	for w.effort > 0 {
		if g.start != g.end {
			w.placeLow(s, other, &g, &o)
		}
		if !s.next(&g) {
			return
		}
		other.next(&o)
	}
}

func (w *work) placeLow(s, other *side, g, o *group) {
	for size := -1; size != g.end-g.start && w.effort > 0; {
		size = g.end - g.start
		for w.up(s, g) {
			other.previous(o)
			w.effort--
		}
		meets, back := o.start != o.end, 0
		for w.down(s, g) {
			other.next(o)
			back++
			if o.start != o.end {
				meets, back = true, 0
			}
			w.effort--
		}
		if size != g.end-g.start {
			continue
		}
		for ; meets && back > 0 && w.up(s, g); back-- {
			other.previous(o)
		}
	}
}

// maxRare is how often a line may occur in a region of the old text for the
// histogram to look at it.
const maxRare = 64

// histogram compares two texts whose lines are interned. Its memory is by class
// and by line of the old text.
type histogram struct {
	*work
	first   []int32 // by class: where it first is in the region, 1 behind; 0: nowhere
	count   []int32 // by class: how often it is in the region
	next    []int32 // by line: where its class is next, 1 behind; 0: nowhere
	regions []region
}

// region is a part of both texts.
type region struct{ a, endA, b, endB int }

func (h *histogram) run() {
	h.first = make([]int32, len(h.table.all))
	h.count = make([]int32, len(h.table.all))
	h.next = make([]int32, len(h.a.classes))
	h.regions = append(h.regions, region{0, len(h.a.classes), 0, len(h.b.classes)})
	for len(h.regions) > 0 {
		r := h.regions[len(h.regions)-1]
		h.regions = h.regions[:len(h.regions)-1]
		if r.a == r.endA || r.b == r.endB || h.effort <= 0 {
			h.flag(r)
			continue
		}
		switch run, common := h.rarest(r); {
		case run.a < run.endA:
			h.regions = append(h.regions,
				region{run.endA, r.endA, run.endB, r.endB}, region{r.a, run.a, r.b, run.b})
		case common: // only by lines that are too frequent
			h.fallBack(r)
		default:
			h.flag(r)
		}
	}
}

func (h *histogram) flag(r region) {
	fill(h.a.flags[r.a+1 : r.endA+1])
	fill(h.b.flags[r.b+1 : r.endB+1])
}

// rarest returns the longest run of lines that both parts of a region have,
// among those whose rarest line occurs least often; it is empty if there is
// none, and common is whether any line is in both parts.
func (h *histogram) rarest(r region) (best region, common bool) {
	a, b := h.a.classes, h.b.classes
	for i := r.endA - 1; i >= r.a; i-- {
		c := a[i]
		h.next[i] = h.first[c]
		h.first[c] = int32(i) + 1
		h.count[c]++
	}
	rarity := int32(maxRare + 1)
	for j := r.b; j < r.endB; {
		from := j
		j++
		c := b[from]
		if h.count[c] == 0 {
			continue
		}
		common = true
		if h.count[c] > rarity {
			continue
		}
		for at := int(h.first[c]) - 1; at >= 0; {
			run, rare := h.extend(r, at, from)
			h.effort -= run.endA - run.a + 1
			j = max(j, run.endB)
			if run.endA-run.a > max(best.endA-best.a, 1) || rare < rarity {
				best, rarity = run, rare
			}
			for at = int(h.next[at]) - 1; at >= 0 && at < run.endA; at = int(h.next[at]) - 1 {
			}
		}
		if h.effort <= 0 {
			break
		}
	}
	for _, c := range a[r.a:r.endA] {
		h.first[c], h.count[c] = 0, 0
	}
	h.effort -= r.endA - r.a + r.endB - r.b
	return best, common
}

// extend returns the run of same lines around lines i and j, and how often the
// rarest of them occurs.
func (h *histogram) extend(r region, i, j int) (run region, rare int32) {
	a, b := h.a.classes, h.b.classes
	rare = h.count[a[i]]
	run = region{i, i + 1, j, j + 1}
	for run.a > r.a && run.b > r.b && a[run.a-1] == b[run.b-1] {
		run.a, run.b = run.a-1, run.b-1
		rare = min(rare, h.count[a[run.a]])
	}
	for run.endA < r.endA && run.endB < r.endB && a[run.endA] == b[run.endB] {
		rare = min(rare, h.count[a[run.endA]])
		run.endA, run.endB = run.endA+1, run.endB+1
	}
	return run, rare
}

// fallBack compares a region by Myers's algorithm, as texts of their own.
func (h *histogram) fallBack(r region) {
	a, b := NewText(h.a.text.Lines(r.a, r.endA)), NewText(h.b.text.Lines(r.b, r.endB))
	w := works.Get().(*work)
	defer works.Put(w)
	w.effort, w.space = h.effort, ExactSpace
	w.a.reset(a)
	w.b.reset(b)
	w.mark(commonEnds(a, b))
	h.effort = w.effort
	copy(h.a.flags[r.a+1:], w.a.flags[1:a.Len()+1])
	copy(h.b.flags[r.b+1:], w.b.flags[1:b.Len()+1])
	w.a.text, w.b.text = nil, nil
	w.table.forget()
}
