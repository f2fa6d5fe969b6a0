package grep

import "bytes"

// needle finds a text, in any case if so wanted.
type needle struct {
	text []byte
	fold bool // ASCII letters in either case; text is in lower case then
	at   int  // of the rarest byte of a folded text
}

func newNeedle(text []byte, fold bool) *needle {
	n := &needle{text: text}
	if fold {
		n.text = lower(text)
		for i, c := range n.text {
			n.fold = n.fold || isLower(c)
			if rarity(c) > rarity(n.text[n.at]) {
				n.at = i
			}
		}
	}
	return n
}

// common are the bytes of program text from the most frequent one on, as counted over the sources of git.
const common = " \tetinsoar_dlcpufhm\n*\"g,;(b)->vw=./1x0y\\k'T2:E{}&SI[]RA3N4CqDLOPM5FUz<6j#8!+G97B%HVW|X@"

// rarity is the rank of a byte by how seldom it is; of letters, both cases are meant.
func rarity(c byte) int {
	if i := bytes.IndexByte([]byte(common), c); i >= 0 {
		return i
	}
	return len(common)
}

// lower returns a text with the letters of ASCII in lower case.
func lower(text []byte) []byte {
	low := bytes.Clone(text)
	for i, c := range low {
		if isLower(c|0x20) && c < 0x80 {
			low[i] = c | 0x20
		}
	}
	return low
}

func isLower(c byte) bool { return 'a' <= c && c <= 'z' }

// index returns where the needle is in data first; -1 if nowhere.
func (n *needle) index(data []byte) int {
	if !n.fold {
		return bytes.Index(data, n.text)
	}
	// The rarest letter is looked for in both cases, each of which is some twenty times as fast as a loop.
	lower := n.text[n.at]
	upper := lower
	if isLower(lower) {
		upper -= 'a' - 'A'
	}
	next, nextUpper := n.at, n.at
	for from, fromUpper := true, upper != lower; ; {
		if from {
			next = indexFrom(data, next, lower)
		}
		if fromUpper {
			nextUpper = indexFrom(data, nextUpper, upper)
		} else if upper == lower {
			nextUpper = len(data)
		}
		at := min(next, nextUpper)
		if at-n.at+len(n.text) > len(data) {
			return -1
		}
		if equalFold(data[at-n.at:], n.text) {
			return at - n.at
		}
		from, fromUpper = at == next, at == nextUpper && upper != lower
		if from {
			next++
		}
		if fromUpper {
			nextUpper++
		}
	}
}

// indexFrom returns where c is in data from a place on; past the end if nowhere.
func indexFrom(data []byte, from int, c byte) int {
	if from >= len(data) {
		return len(data)
	}
	if i := bytes.IndexByte(data[from:], c); i >= 0 {
		return from + i
	}
	return len(data)
}

// equalFold reports whether data, which is at least as long, starts with a text in lower case.
func equalFold(data, text []byte) bool {
	for i, c := range text {
		if d := data[i]; d != c && (d|0x20 != c || !isLower(c)) {
			return false
		}
	}
	return true
}

// thin reports whether the needle is so short and common that it is in most lines.
func (n *needle) thin() bool { return len(n.text) == 1 && rarity(n.text[0]) < 40 }
