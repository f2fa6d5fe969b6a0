package diff

// Of the places that a group of added or deleted lines can be slid to, git takes
// the one whose two splits, above and below the group, look most like the edges
// of a block: by indentation and by blank lines. The weights are git's own
// (since 2.14), found by trial on what people preferred.
const (
	maxIndent  = 200 // columns; deeper lines count as this deep
	maxBlanks  = 20  // blank lines looked at
	maxSliding = 100 // places tried

	startOfFilePenalty         = 1
	endOfFilePenalty           = 21
	totalBlankWeight           = -30
	postBlankWeight            = 6
	relativeIndentPenalty      = -4
	relativeIndentBlank        = 10
	relativeOutdentPenalty     = 24
	relativeOutdentBlank       = 17
	relativeDedentPenalty      = 23
	relativeDedentBlank        = 17
	indentWeight               = 60
	blankLine              int = -1
)

// bestEnd returns where a group of size lines should end, of the places from
// earliest to latest.
func (s *side) bestEnd(earliest, latest, size int) int {
	end := max(earliest, latest-size-1, latest-maxSliding)
	best, bestScore := -1, splitScore{}
	for ; end <= latest; end++ {
		var score splitScore
		score.add(s.text.measure(end))
		score.add(s.text.measure(end - size))
		if best < 0 || score.isNoWorse(bestScore) {
			best, bestScore = end, score
		}
	}
	return best
}

// splitMeasure is what a split above a line looks like.
type splitMeasure struct {
	endOfFile  bool
	indent     int // of the line below
	preBlank   int // blank lines above
	preIndent  int // of the next line above that is not blank
	postBlank  int // blank lines behind the line below
	postIndent int // of the next line behind it that is not blank
}

func (t *Text) measure(at int) splitMeasure {
	m := splitMeasure{endOfFile: at >= t.Len(), indent: blankLine, preIndent: blankLine, postIndent: blankLine}
	if !m.endOfFile {
		m.indent = indentOf(t.Line(at))
	}
	for i := at - 1; i >= 0; i-- {
		if m.preIndent = indentOf(t.Line(i)); m.preIndent != blankLine {
			break
		}
		if m.preBlank++; m.preBlank == maxBlanks {
			m.preIndent = 0
			break
		}
	}
	for i := at + 1; i < t.Len(); i++ {
		if m.postIndent = indentOf(t.Line(i)); m.postIndent != blankLine {
			break
		}
		if m.postBlank++; m.postBlank == maxBlanks {
			m.postIndent = 0
			break
		}
	}
	return m
}

// indentOf counts the columns before the first character of a line.
func indentOf(line []byte) int {
	indent := 0
	for _, c := range line {
		switch {
		case !isSpace(c):
			return indent
		case c == ' ':
			indent++
		case c == '\t':
			indent += 8 - indent%8
		}
		if indent >= maxIndent {
			return maxIndent
		}
	}
	return blankLine
}

// splitScore says how bad a split is.
type splitScore struct{ indent, penalty int }

// isNoWorse compares the indents by their order only, and that weighs most.
func (s splitScore) isNoWorse(than splitScore) bool {
	order := 0
	if s.indent > than.indent {
		order = 1
	} else if s.indent < than.indent {
		order = -1
	}
	return indentWeight*order+s.penalty-than.penalty <= 0
}

func (s *splitScore) add(m splitMeasure) {
	if m.preIndent == blankLine && m.preBlank == 0 {
		s.penalty += startOfFilePenalty
	}
	if m.endOfFile {
		s.penalty += endOfFilePenalty
	}
	indent, postBlank := m.indent, 0
	if m.indent == blankLine {
		indent, postBlank = m.postIndent, 1+m.postBlank
	}
	blank := m.preBlank + postBlank
	s.penalty += totalBlankWeight*blank + postBlankWeight*postBlank
	s.indent += indent

	weigh := func(penalty, besideBlank int) {
		if blank != 0 {
			penalty = besideBlank
		}
		s.penalty += penalty
	}
	switch {
	case indent == blankLine || m.preIndent == blankLine || indent == m.preIndent:
	case indent > m.preIndent:
		weigh(relativeIndentPenalty, relativeIndentBlank)
	case m.postIndent != blankLine && m.postIndent > indent:
		weigh(relativeOutdentPenalty, relativeOutdentBlank) // the start of a block
	default:
		weigh(relativeDedentPenalty, relativeDedentBlank) // the end of one
	}
}
