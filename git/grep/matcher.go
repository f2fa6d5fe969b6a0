package grep

import (
	"bytes"
	"context"
)

// matcher finds the lines of texts that match. It serves one goroutine.
type matcher struct {
	*Pattern
	auto *automaton // nil if the needle is all
}

func (p *Pattern) matcher() *matcher {
	m := &matcher{Pattern: p}
	if p.prog != nil {
		m.auto = newAutomaton(p.prog)
	}
	return m
}

// crowded is how many bytes there are at least between needles, on average, for looking for them to pay.
const crowded = 64

// next returns the first line that matches from a place on, which is the start of one; the end is that of
// its text. start is -1 if none does.
func (m *matcher) next(ctx context.Context, data []byte, from int) (start, end int, err error) {
	if m.need == nil || m.need.thin() {
		return m.scan(ctx, data, from)
	}
	for tries, at := 0, from; at < len(data); tries++ {
		if tries > 16 && at-from < tries*crowded {
			return m.scan(ctx, data, at)
		}
		found := m.need.index(data[at:])
		if found < 0 {
			break
		}
		at += found
		start, end := from+lineStart(data[from:], at-from), lineEnd(data, at)
		if m.whole {
			return start, end, nil
		}
		if i, err := m.auto.find(ctx, data[start:end]); err != nil {
			return -1, 0, err
		} else if i >= 0 {
			return start, end, nil
		}
		at = end + 1
	}
	return -1, 0, nil
}

// scan is next without looking for the needle.
func (m *matcher) scan(ctx context.Context, data []byte, from int) (start, end int, err error) {
	if m.auto == nil {
		at := m.need.index(data[from:])
		if at < 0 {
			return -1, 0, nil
		}
		at += from
		return from + lineStart(data[from:], at-from), lineEnd(data, at), nil
	}
	at, err := m.auto.find(ctx, data[from:])
	if err != nil || at < 0 {
		return -1, 0, err
	}
	at += from
	return from + lineStart(data[from:], at-from), lineEnd(data, at), nil
}

// lineStart returns where the line starts that a place is in. A line feed is in the line that it ends.
func lineStart(data []byte, at int) int { return bytes.LastIndexByte(data[:at], '\n') + 1 }

// lineEnd returns where the line ends that a place is in.
func lineEnd(data []byte, at int) int {
	if i := bytes.IndexByte(data[at:], '\n'); i >= 0 {
		return at + i
	}
	return len(data)
}
