package grep

import (
	"bytes"
	"context"
)

// binaryBytes is how far git looks for a NUL.
const binaryBytes = 8000

// isBinary reports whether git takes a file for no text.
func isBinary(data []byte) bool {
	return bytes.IndexByte(data[:min(len(data), binaryBytes)], 0) >= 0
}

// found is what is shown of one text.
type found struct {
	lines   []Line
	matches int
	more    bool // a bound ended it: the next match is to be looked for behind the last line that matches
}

// lister makes the lines to show of a text.
type lister struct {
	found
	data          []byte
	context, clip int
	shown         int // bytes
	at, number    int // a line's start, and its number
	after         int // where what is not shown yet starts,
	afterNumber   int // the number of that line,
	left          int // and how many of its context are still to be shown
}

// list returns the lines of a text that match, behind a line, with their context, up to as many matches.
func (m *matcher) list(ctx context.Context, data []byte, behind, matches, context, clip int) (found, error) {
	l := lister{data: data, context: context, clip: clip, number: 1, afterNumber: 1}
	if behind > 0 {
		l.skip(behind)
	}
	for l.at < len(data) {
		start, end, err := m.next(ctx, data, l.at)
		if err != nil {
			return found{}, err
		}
		if start < 0 {
			break
		}
		if l.matches == matches || l.shown > maxShown {
			l.trail(start)
			l.more = true
			return l.found, nil
		}
		l.match(start, end)
	}
	l.trail(len(data))
	return l.found, nil
}

// skip goes behind a line.
func (l *lister) skip(line int) {
	for ; l.number <= line && l.at < len(l.data); l.number++ {
		l.at = min(lineEnd(l.data, l.at)+1, len(l.data))
	}
	l.after, l.afterNumber = l.at, l.number
}

// match shows a line with its context in front.
func (l *lister) match(start, end int) {
	l.trail(start)
	l.number += bytes.Count(l.data[l.at:start], newline)
	from, n := start, l.number
	for range l.context {
		if from <= l.after {
			break
		}
		from = lineStart(l.data, from-1)
		n--
	}
	for from < start {
		next := lineEnd(l.data, from)
		l.show(from, next, n, false)
		from, n = next+1, n+1
	}
	l.show(start, end, l.number, true)
	l.matches++
	l.at = min(end+1, len(l.data))
	l.number++
	l.after, l.afterNumber, l.left = l.at, l.number, l.context
}

// trail shows what is left of the context behind the last match, up to a place.
func (l *lister) trail(to int) {
	for ; l.left > 0 && l.after < to; l.left-- {
		end := lineEnd(l.data, l.after)
		l.show(l.after, end, l.afterNumber, false)
		l.after = min(end+1, len(l.data))
		l.afterNumber++
	}
	l.left = 0
}

func (l *lister) show(start, end, number int, match bool) {
	text := l.data[start:end]
	clipped := len(text) > l.clip
	text = bytes.Clone(text[:min(len(text), l.clip)])
	l.lines = append(l.lines, Line{Number: number, Match: match, Text: text, Clipped: clipped})
	l.shown += len(text) + lineCost
}

// lineCost is what a line costs besides its text.
const lineCost = 64

var newline = []byte{'\n'}
