package merge

import (
	"bytes"

	"github.com/ingot-forge/ingot/git/diff"
)

// write puts the merged text together: ours, with what the places say.
func (w *weave) write() []byte {
	w.out = make([]byte, 0, len(w.ours.Lines(0, w.ours.Len()))+len(w.theirs.Lines(0, w.theirs.Len()))/8)
	done := 0 // lines of ours
	for i := range w.places {
		p := &w.places[i]
		t := p.take
		if t == takeNone {
			t = take(w.o.Favor)
		}
		if t == takeSame {
			continue
		}
		w.out = append(w.out, w.ours.Lines(done, p.ours.start)...)
		done = p.ours.end
		if t == takeNone {
			w.conflict(p)
			continue
		}
		if t&takeOurs != 0 {
			w.lines(w.ours, p.ours, t&takeTheirs != 0, w.wantsCR(p))
		}
		if t&takeTheirs != 0 {
			w.lines(w.theirs, p.theirs, false, false)
		}
	}
	w.out = append(w.out, w.ours.Lines(done, w.ours.Len())...)
	return w.out
}

func (w *weave) conflict(p *place) {
	w.conflicts++
	cr := w.wantsCR(p)
	w.marker('<', w.o.Ours, cr)
	w.lines(w.ours, p.ours, true, cr)
	if w.o.Style == Diff3 || w.o.Style == ZealousDiff3 {
		w.marker('|', w.o.Base, cr)
		w.lines(w.base, p.base, true, cr)
	}
	w.marker('=', "", cr)
	w.lines(w.theirs, p.theirs, true, cr)
	w.marker('>', w.o.Theirs, cr)
}

func (w *weave) marker(c byte, label string, cr bool) {
	size := w.o.MarkerSize
	if size <= 0 {
		size = DefaultMarkerSize
	}
	for range size {
		w.out = append(w.out, c)
	}
	if label != "" {
		w.out = append(append(w.out, ' '), label...)
	}
	w.newline(cr)
}

func (w *weave) newline(cr bool) {
	if cr {
		w.out = append(w.out, '\r')
	}
	w.out = append(w.out, '\n')
}

// lines appends lines of a text, and ends the last one if something follows.
func (w *weave) lines(t *diff.Text, l lines, follows, cr bool) {
	if l.len() <= 0 {
		return
	}
	data := t.Lines(l.start, l.end)
	w.out = append(w.out, data...)
	if follows && !bytes.HasSuffix(data, []byte("\n")) {
		w.newline(cr)
	}
}

// wantsCR reports whether lines around a place end in CR LF, in all texts that can tell.
func (w *weave) wantsCR(p *place) bool {
	for _, at := range []struct {
		text *diff.Text
		line int
	}{{w.ours, max(p.ours.start-1, 0)}, {w.theirs, max(p.theirs.start-1, 0)}, {w.base, 0}} {
		switch lineEnd(at.text, at.line) {
		case endLF:
			return false
		case endCRLF:
			if at.text == w.base {
				return true
			}
		case endUnknown:
			if at.text == w.base {
				return false
			}
		}
	}
	return false
}

type lineEnding uint8

const (
	endUnknown lineEnding = iota
	endLF
	endCRLF
)

// lineEnd tells how a line ends, or the one before if it is the last and has no
// end.
func lineEnd(t *diff.Text, i int) lineEnding {
	if t.Len() == 0 {
		return endUnknown
	}
	line := t.Line(i)
	if line[len(line)-1] != '\n' {
		if i == 0 {
			return endUnknown
		}
		line = t.Line(i - 1)
	}
	if bytes.HasSuffix(line, []byte("\r\n")) {
		return endCRLF
	}
	return endLF
}
