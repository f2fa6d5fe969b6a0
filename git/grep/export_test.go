package grep

import "context"

// MatchLines returns the lines of a text, from 0, that match.
func (p *Pattern) MatchLines(data []byte) (lines []int) {
	return p.lines(data, p.matcher())
}

// Simulated is MatchLines without states.
func (p *Pattern) Simulated(data []byte) (lines []int) {
	m := p.matcher()
	if m.auto != nil {
		m.auto.useless = maxUseless
	}
	return p.lines(data, m)
}

// Scanned is MatchLines without looking for the needle.
func (p *Pattern) Scanned(data []byte) (lines []int) {
	m := p.matcher()
	if m.auto != nil {
		m.Pattern = &Pattern{prog: p.prog}
	}
	return p.lines(data, m)
}

func (p *Pattern) lines(data []byte, m *matcher) (lines []int) {
	n, at := 0, 0
	for at < len(data) {
		start, end, err := m.next(context.Background(), data, at)
		if err != nil {
			panic(err)
		}
		if start < 0 {
			break
		}
		for ; at < start; n++ {
			at = lineEnd(data, at) + 1
		}
		lines = append(lines, n)
		at, n = end+1, n+1
	}
	return lines
}

// Needle is the text that every line that matches has to contain.
func (p *Pattern) Needle() (text string, fold, whole bool) {
	if p.need == nil {
		return "", false, false
	}
	return string(p.need.text), p.need.fold, p.whole
}

// Index is what the needle of a text finds.
func Index(text string, fold bool, data string) int {
	return newNeedle([]byte(text), fold).index([]byte(data))
}
