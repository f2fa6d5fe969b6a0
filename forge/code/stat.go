package code

import (
	"fmt"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/ingot-forge/ingot/git/diff"
)

// statWidth is how wide format-patch makes a diffstat.
const statWidth = 72

// stat lays a diffstat out: names to the left, as wide as the longest as far as
// there is room, then the number of lines, then a bar of signs.
type stat struct {
	names  []string
	counts []diff.Counts
	most   int // lines of one file
	name   int // columns of each part
	number int
	bar    int
}

func newStat(changes []diff.Change, counts []diff.Counts) *stat {
	s := &stat{counts: counts}
	binary := 0
	for i := range changes {
		c := &changes[i]
		name := string(diff.AppendQuoted(nil, c.Path()))
		if c.Status == diff.Renamed || c.Status == diff.Copied {
			name = movedName(c.Old.Path, c.New.Path)
		}
		s.names = append(s.names, name)
		s.name = max(s.name, utf8.RuneCountInString(name))
		if n := counts[i]; n.Binary {
			binary = max(binary, len("Bin  ->  bytes")+digits(int(n.OldBytes))+digits(int(n.NewBytes)))
			s.number = 3
		} else {
			s.most = max(s.most, n.Added+n.Deleted)
		}
	}
	s.number = max(s.number, digits(s.most))
	s.bar = s.most
	if s.most+4 <= binary {
		s.bar = binary - 4
	}
	const frame = 6 // the spaces and the line between the parts
	if s.name+s.number+frame+s.bar > statWidth {
		s.bar = min(s.bar, max(statWidth*3/8-s.number-frame, 6))
		if s.name > statWidth-s.number-frame-s.bar {
			s.name = statWidth - s.number - frame - s.bar
		} else {
			s.bar = statWidth - s.number - frame - s.name
		}
	}
	return s
}

func digits(n int) int { return len(strconv.Itoa(n)) }

func (s *stat) appendLine(dst []byte, i int) []byte {
	n := s.counts[i]
	if n.Quiet {
		return dst
	}
	name := s.names[i]
	if width := utf8.RuneCountInString(name); width > s.name {
		tail := name[min(width-(s.name-3), len(name)):] // by bytes, as git does it
		if slash := strings.IndexByte(tail, '/'); slash >= 0 {
			tail = tail[slash:]
		}
		name = "..." + tail
	}
	dst = append(append(dst, ' '), name...)
	for pad := s.name - utf8.RuneCountInString(name); pad > 0; pad-- {
		dst = append(dst, ' ')
	}
	if n.Binary {
		dst = fmt.Appendf(dst, " | %*s", s.number, "Bin")
		if n.OldBytes != 0 || n.NewBytes != 0 {
			dst = fmt.Appendf(dst, " %d -> %d bytes", n.OldBytes, n.NewBytes)
		}
		return append(dst, '\n')
	}
	dst = fmt.Appendf(dst, " | %*d", s.number, n.Added+n.Deleted)
	if plus, minus := s.signs(n.Added, n.Deleted); plus+minus > 0 {
		dst = append(dst, ' ')
		dst = append(dst, strings.Repeat("+", plus)...)
		dst = append(dst, strings.Repeat("-", minus)...)
	}
	return append(dst, '\n')
}

// signs scales added and deleted lines to the bar. What is there at all has a sign.
func (s *stat) signs(added, deleted int) (plus, minus int) {
	if s.bar > s.most {
		return added, deleted
	}
	scale := func(n int) int {
		if n == 0 {
			return 0
		}
		return 1 + n*(s.bar-1)/s.most
	}
	total := scale(added + deleted)
	if total < 2 && added > 0 && deleted > 0 {
		total = 2
	}
	if added < deleted {
		plus = scale(added)
		return plus, total - plus
	}
	minus = scale(deleted)
	return total - minus, minus
}

func (s *stat) appendTotal(dst []byte) []byte {
	files, added, deleted := 0, 0, 0
	for _, n := range s.counts {
		if n.Quiet {
			continue
		}
		files++
		if !n.Binary {
			added, deleted = added+n.Added, deleted+n.Deleted
		}
	}
	if files == 0 {
		return append(dst, " 0 files changed\n"...)
	}
	many := func(n int, one, more string) string {
		if n == 1 {
			return "1 " + one
		}
		return strconv.Itoa(n) + " " + more
	}
	dst = append(dst, " "+many(files, "file changed", "files changed")...)
	if added > 0 || deleted == 0 {
		dst = append(dst, ", "+many(added, "insertion(+)", "insertions(+)")...)
	}
	if deleted > 0 || added == 0 {
		dst = append(dst, ", "+many(deleted, "deletion(-)", "deletions(-)")...)
	}
	return append(dst, '\n')
}

// movedName shows two paths as one: "dir/{old => new}/file".
func movedName(old, moved string) string {
	quotedOld, quotedNew := string(diff.AppendQuoted(nil, old)), string(diff.AppendQuoted(nil, moved))
	if quotedOld != old || quotedNew != moved {
		return quotedOld + " => " + quotedNew
	}
	head := 0 // what both start with, up to a slash
	for i := 0; i < min(len(old), len(moved)) && old[i] == moved[i]; i++ {
		if old[i] == '/' {
			head = i + 1
		}
	}
	// What both end with, from a slash on, which may be the one that ends head.
	tail, floor := 0, max(head-1, 0)
	for i := 1; len(old)-i >= floor && len(moved)-i >= floor && old[len(old)-i] == moved[len(moved)-i]; i++ {
		if old[len(old)-i] == '/' {
			tail = i
		}
	}
	middle := old[head:max(len(old)-tail, head)] + " => " + moved[head:max(len(moved)-tail, head)]
	if head+tail == 0 {
		return middle
	}
	return old[:head] + "{" + middle + "}" + old[len(old)-tail:]
}
