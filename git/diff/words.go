package diff

import (
	"unicode"
	"unicode/utf8"
)

// Range is a part of a line, in bytes: [Start, End).
type Range struct{ Start, End int }

// The limits of Words. Beyond them a line is not looked into.
const (
	MaxWordBytes = 16 << 10
	maxWordWork  = 1 << 22
)

// Words compares two lines, or two short texts, by words, and returns the parts
// of each that differ, to be shown as such within a changed line. They ascend,
// none is empty or touches the next one. A word is a run of letters, digits
// and '_'; white space is compared run by run, everything else character by
// character. Parts between which there is nothing but white space are one.
//
// Where the lines are too long, or have too little in common for the parts to
// mean anything, alike is false, and there are none.
func Words(a, b []byte) (inA, inB []Range, alike bool) {
	if len(a) > MaxWordBytes || len(b) > MaxWordBytes {
		return nil, nil, false
	}
	ta, tb := tokens(a), tokens(b)
	edits := Lines(ta, tb, LineOptions{Effort: maxWordWork})
	edits = joinWords(ta, edits)
	common := wordBytes(ta.data)
	for _, e := range edits {
		inA = appendRangeOf(inA, ta, e.AStart, e.AEnd)
		inB = appendRangeOf(inB, tb, e.BStart, e.BEnd)
		common -= wordBytes(ta.Lines(e.AStart, e.AEnd))
	}
	if len(edits) > 0 && common*minCommon < max(wordBytes(a), wordBytes(b)) {
		return nil, nil, false
	}
	return inA, inB, true
}

// minCommon: of the longer line one byte in so many is in both, white space
// aside.
const minCommon = 4

// tokens splits a line into words, as a Text of which each is a line.
func tokens(line []byte) *Text {
	t := &Text{data: line, ends: make([]int32, 0, len(line)/4+1)}
	for i := 0; i < len(line); {
		kind, n := runeKind(line[i:])
		i += n
		for kind != otherRune && i < len(line) {
			next, n := runeKind(line[i:])
			if next != kind {
				break
			}
			i += n
		}
		t.ends = append(t.ends, int32(i))
	}
	return t
}

const (
	otherRune = iota
	wordRune
	spaceRune
)

func runeKind(b []byte) (kind, size int) {
	r, size := utf8.DecodeRune(b)
	switch {
	case r == utf8.RuneError && size == 1:
		return otherRune, 1
	case r == '_' || unicode.IsLetter(r) || unicode.IsDigit(r) || unicode.IsMark(r):
		return wordRune, size
	case unicode.IsSpace(r):
		return spaceRune, size
	}
	return otherRune, size
}

// joinWords joins edits between which there is only white space.
func joinWords(a *Text, edits []Edit) []Edit {
	out := edits[:0]
	for _, e := range edits {
		if n := len(out) - 1; n >= 0 && wordBytes(a.Lines(out[n].AEnd, e.AStart)) == 0 {
			out[n].AEnd, out[n].BEnd = e.AEnd, e.BEnd
			continue
		}
		out = append(out, e)
	}
	return out
}

func appendRangeOf(ranges []Range, t *Text, start, end int) []Range {
	if start == end {
		return ranges
	}
	r := Range{int(t.start(start)), int(t.start(end))}
	return append(ranges, r)
}

// wordBytes counts the bytes that are not ASCII white space.
func wordBytes(b []byte) int {
	n := 0
	for _, c := range b {
		if !isSpace(c) {
			n++
		}
	}
	return n
}
