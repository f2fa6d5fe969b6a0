package diff

import "bytes"

// MaxText is the length of the longest Text, as in git.
const MaxText = 1023 << 20

// Text is a file as lines. It is not changed once it is made, so any number of
// comparisons may share it.
type Text struct {
	data []byte
	ends []int32 // the offset behind each line
}

// NewText splits data, which it keeps and which must not change, into lines.
// Each line ends with its line feed, except that the last may lack one. Of data
// beyond MaxText nothing is seen.
func NewText(data []byte) *Text {
	data = data[:min(len(data), MaxText)]
	t := &Text{data: data, ends: make([]int32, countLines(data))}
	end := 0
	for i := range t.ends {
		if next := bytes.IndexByte(data[end:], '\n'); next >= 0 {
			end += next + 1
		} else {
			end = len(data)
		}
		t.ends[i] = int32(end)
	}
	return t
}

var newline = []byte("\n")

func countLines(data []byte) int {
	n := bytes.Count(data, newline)
	if len(data) > 0 && data[len(data)-1] != '\n' {
		n++
	}
	return n
}

// Len returns the number of lines.
func (t *Text) Len() int { return len(t.ends) }

// Line returns line i, 0 <= i < Len(), with its line feed if it has one.
func (t *Text) Line(i int) []byte { return t.data[t.start(i):t.ends[i]:t.ends[i]] }

// Lines returns the bytes of the lines from start up to end.
func (t *Text) Lines(start, end int) []byte { return t.data[t.start(start):t.start(end):t.start(end)] }

// start is the offset of line i, 0 <= i <= Len().
func (t *Text) start(i int) int32 {
	if i == 0 {
		return 0
	}
	return t.ends[i-1]
}

// linesWithin returns how many lines end at or before an offset.
func (t *Text) linesWithin(offset int) int {
	lo, hi := 0, len(t.ends)
	for lo < hi {
		if mid := (lo + hi) / 2; int(t.ends[mid]) <= offset {
			lo = mid + 1
		} else {
			hi = mid
		}
	}
	return lo
}

// linesFrom returns how many lines start at or behind an offset.
func (t *Text) linesFrom(offset int) int {
	lo, hi := 0, len(t.ends) // lo lines start before offset
	for lo < hi {
		if mid := (lo + hi) / 2; int(t.start(mid)) < offset {
			lo = mid + 1
		} else {
			hi = mid
		}
	}
	return len(t.ends) - lo
}

// TrimTail cuts from the ends of two files most of what they have in common, by
// blocks and up to a line end, as git does where no context is shown. It saves
// work, and changes which lines count as frequent, so whoever wants git's
// result for -U0 or blame does it, and nobody else.
func TrimTail(a, b []byte) ([]byte, []byte) {
	const block = 1024
	trimmed, smaller := 0, min(len(a), len(b))
	for trimmed+block <= smaller &&
		bytes.Equal(a[len(a)-trimmed-block:len(a)-trimmed], b[len(b)-trimmed-block:len(b)-trimmed]) {
		trimmed += block
	}
	tail := a[len(a)-trimmed:]
	if end := bytes.IndexByte(tail, '\n'); end >= 0 {
		trimmed -= end + 1
	} else {
		trimmed = 0
	}
	return a[:len(a)-trimmed], b[:len(b)-trimmed]
}
