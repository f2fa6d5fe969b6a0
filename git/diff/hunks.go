package diff

import "unicode/utf8"

// Hunk is a part of a patch: edits with the unchanged lines around them.
type Hunk struct {
	// The lines of either text that the hunk covers: from Start on, from 0.
	AStart, ACount, BStart, BCount int
	// Edits are those within the hunk, at least one; what lies between them is
	// unchanged, except in white space that was ignored: a patch shows b's.
	Edits []Edit
	// Heading is the last line of a above the hunk that starts a function, cut
	// short as git does; nil if there is none.
	Heading []byte
}

// Context is how many unchanged lines git shows on either side of an edit.
const Context = 3

// HunkOptions say how to show edits. The zero value shows no context.
type HunkOptions struct {
	Context   int // unchanged lines on either side, as in -U
	InterHunk int // unchanged lines between two hunks for which these are joined
	// IgnoreBlankLines leaves out edits of blank lines alone, where no other
	// edit is near. What is blank depends on Whitespace.
	IgnoreBlankLines bool
	Whitespace       Whitespace
	// Heading finds the lines that make headings: it returns what to show, nil
	// for all other lines. nil means DefaultHeading.
	Heading func(line []byte) []byte
}

// DefaultHeading takes a line that starts with a letter, '_' or '$', as git does
// for files without a diff attribute.
func DefaultHeading(line []byte) []byte {
	if len(line) == 0 {
		return nil
	}
	c := line[0]
	if c|0x20 >= 'a' && c|0x20 <= 'z' || c == '_' || c == '$' {
		return line
	}
	return nil
}

// Hunks groups the edits that make b of a, as Lines returns them.
func Hunks(a, b *Text, edits []Edit, o HunkOptions) []Hunk {
	var hunks []Hunk
	if o.Heading == nil {
		o.Heading = DefaultHeading
	}
	ignored := o.ignoredEdits(a, b, edits)
	searched := -1 // the headings of a are known up to here
	var heading []byte
	for next := 0; next < len(edits); {
		first, last, ok := o.group(edits, ignored, next)
		if !ok {
			break
		}
		h := Hunk{Edits: edits[first : last+1]}
		from, to := edits[first], edits[last]
		h.AStart, h.BStart = max(from.AStart-o.Context, 0), max(from.BStart-o.Context, 0)
		behind := min(o.Context, a.Len()-to.AEnd, b.Len()-to.BEnd)
		h.ACount, h.BCount = to.AEnd+behind-h.AStart, to.BEnd+behind-h.BStart
		for i := h.AStart - 1; i > searched; i-- {
			if found := o.Heading(a.Line(i)); found != nil {
				heading = cutHeading(found)
				break
			}
		}
		searched = h.AStart - 1
		h.Heading = heading
		hunks = append(hunks, h)
		next = last + 1
	}
	return hunks
}

// ignoredEdits tells which edits do not count; nil if all do.
func (o *HunkOptions) ignoredEdits(a, b *Text, edits []Edit) []bool {
	if !o.IgnoreBlankLines {
		return nil
	}
	blank := func(t *Text, start, end int) bool {
		for i := start; i < end; i++ {
			if !o.Whitespace.isBlank(t.Line(i)) {
				return false
			}
		}
		return true
	}
	ignored := make([]bool, len(edits))
	for i, e := range edits {
		ignored[i] = blank(a, e.AStart, e.AEnd) && blank(b, e.BStart, e.BEnd)
	}
	return ignored
}

// group returns the first and the last edit of the next hunk, from edit next
// on. Ignored edits are in it only if they are close to others.
func (o *HunkOptions) group(edits []Edit, ignored []bool, next int) (first, last int, ok bool) {
	isIgnored := func(i int) bool { return ignored != nil && ignored[i] }
	gap := func(from, to int) int { return edits[to].AStart - edits[from].AEnd }
	first = next
	for i := next; i < len(edits) && isIgnored(i); i++ {
		if i+1 == len(edits) || gap(i, i+1) >= o.Context {
			first = i + 1
		}
	}
	if first >= len(edits) {
		return 0, 0, false
	}
	last = first
	joined := 2*o.Context + o.InterHunk
	passed := 0 // blank lines in ignored edits behind last
	for i := first + 1; i < len(edits) && gap(i-1, i) <= joined; i++ {
		near := gap(i-1, i) < o.Context
		switch {
		case near && (!isIgnored(i) || last == i-1):
			last, passed = i, 0
		case near:
			passed += edits[i].BEnd - edits[i].BStart
		case last != i-1 && gap(last, i)+passed > joined:
			return first, last, true
		case !isIgnored(i):
			last, passed = i, 0
		default:
			passed += edits[i].BEnd - edits[i].BStart
		}
	}
	return first, last, true
}

// maxHeading is where git cuts a heading, in bytes.
const maxHeading = 80

// cutHeading cuts a heading as git does: to its length, before white space at
// the end, and then before the first byte that is no UTF-8.
func cutHeading(line []byte) []byte {
	line = trimRight(line[:min(len(line), maxHeading)])
	if len(line) == 0 {
		return nil
	}
	return validPrefix(line)
}

// validPrefix returns line up to what git's own decoder does not take for UTF-8:
// besides what Go refuses those are U+FFFE and U+FFFF.
func validPrefix(line []byte) []byte {
	for i := 0; i < len(line); {
		r, n := utf8.DecodeRune(line[i:])
		if r == utf8.RuneError && n <= 1 || r == 0xfffe || r == 0xffff {
			return line[:i]
		}
		i += n
	}
	return line
}
