package archive

import (
	"bytes"
	"context"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/ingot-forge/ingot/git"
)

// Naming tells what a commit is called, for export-subst. Any of it may be nil: what would ask it is then
// left as it is.
type Naming struct {
	// Abbrev shortens an id: %h, %t, %p. nil means its first seven digits.
	Abbrev func(id git.ID) string
	// Decorations returns the names of the commit for %d and %D: "HEAD -> main", "tag: v1".
	Decorations func() []string
	// Describe returns what git describe does, given the options of %(describe:…). It is asked once for an archive, as git does.
	Describe func(ctx context.Context, options string) (string, error)
}

// expander expands "$Format:…$" for a commit.
type expander struct {
	ctx       context.Context
	o         *Options
	commit    *git.Commit
	described bool
	grown     int64 // bytes that may still be added
	err       error
}

const formatStart = "$Format:"

// expand returns data with its formats expanded.
func (e *expander) expand(data []byte) ([]byte, error) {
	var out []byte
	for {
		start := bytes.Index(data, []byte(formatStart))
		if start < 0 {
			break
		}
		length := bytes.IndexByte(data[start+len(formatStart):], '$')
		if length < 0 {
			break
		}
		format := string(data[start+len(formatStart) : start+len(formatStart)+length])
		out = append(out, data[:start]...)
		if out = e.format(out, format); e.err != nil {
			return nil, e.err
		}
		data = data[start+len(formatStart)+length+1:]
	}
	if out == nil {
		return data, nil
	}
	return append(out, data...), nil
}

// format appends a format of git log.
func (e *expander) format(dst []byte, format string) (out []byte) {
	out = dst
	if i := strings.IndexByte(format, 0); i >= 0 {
		format = format[:i]
	}
	before := len(out)
	defer func() { e.grown -= int64(len(out) - before) }()
	for format != "" {
		if int64(len(out)-before) > e.grown {
			e.err = &TooLargeError{What: "bytes", Max: e.o.MaxBytes}
			return out
		}
		i := strings.IndexByte(format, '%')
		if i < 0 {
			return append(out, format...)
		}
		out, format = append(out, format[:i]...), format[i+1:]
		if strings.HasPrefix(format, "%") {
			out, format = append(out, '%'), format[1:]
			continue
		}
		var n int
		if out, n = e.item(out, format); n == 0 {
			out = append(out, '%')
		}
		format = format[n:]
	}
	return out
}

// item appends what a placeholder stands for, and returns its length; 0 if it is none.
func (e *expander) item(out []byte, format string) ([]byte, int) {
	magic := byte(0)
	if format != "" && strings.IndexByte("-+ ", format[0]) >= 0 {
		magic, format = format[0], format[1:]
	}
	text, n := e.placeholder(format)
	if magic == 0 {
		return append(out, text...), n
	}
	if n == 0 && strings.HasPrefix(format, "w") {
		return out, 0
	}
	switch {
	case text == "" && magic == '-':
		out = bytes.TrimRight(out, "\n")
	case text != "" && magic == '+':
		out = append(out, '\n')
	case text != "" && magic == ' ':
		out = append(out, ' ')
	}
	return append(out, text...), n + 1
}

// placeholder returns what one stands for, and its length; 0 if it is none of those known.
func (e *expander) placeholder(format string) (text string, n int) {
	if format == "" {
		return "", 0
	}
	c, f := e.commit, e.o.Objects
	parents := func(show func(git.ID) string) string {
		var all []string
		for _, p := range c.Parents {
			all = append(all, show(p))
		}
		return strings.Join(all, " ")
	}
	switch format[0] {
	case 'n':
		return "\n", 1
	case 'x':
		if len(format) >= 3 {
			if b, err := strconv.ParseUint(format[1:3], 16, 8); err == nil {
				return string([]byte{byte(b)}), 3
			}
		}
	case 'H':
		return f.Hex(e.o.Commit), 1
	case 'h':
		return e.abbrev(e.o.Commit), 1
	case 'T':
		return f.Hex(c.Tree), 1
	case 't':
		return e.abbrev(c.Tree), 1
	case 'P':
		return parents(f.Hex), 1
	case 'p':
		return parents(e.abbrev), 1
	case 'm':
		return ">", 1
	case 'd', 'D':
		return e.decorations(format[0])
	case 'a':
		return person(&c.Author, format)
	case 'c':
		return person(&c.Committer, format)
	case 'e':
		for _, h := range c.Headers {
			if h.Key == "encoding" {
				return h.Value, 1
			}
		}
		return "", 1
	case 'B':
		return c.Message, 1
	case 's', 'f', 'b':
		subject, body := splitMessage(c.Message)
		switch format[0] {
		case 's':
			return strings.Join(subject, " "), 1
		case 'f':
			if len(subject) == 0 {
				return "", 1
			}
			return sanitized(subject[0]), 1
		}
		return body, 1
	case 'C':
		for _, color := range []string{"red", "green", "blue", "reset", "(auto)"} {
			if strings.HasPrefix(format[1:], color) {
				return "", 1 + len(color) // no colours in a file
			}
		}
	case '(':
		return e.describe(format)
	}
	return "", 0
}

func (e *expander) abbrev(id git.ID) string {
	if e.o.Naming.Abbrev != nil {
		return e.o.Naming.Abbrev(id)
	}
	return e.o.Objects.Hex(id)[:7]
}

func (e *expander) decorations(how byte) (string, int) {
	if e.o.Naming.Decorations == nil {
		return "", 0
	}
	text := strings.Join(e.o.Naming.Decorations(), ", ")
	if how == 'd' && text != "" {
		text = " (" + text + ")"
	}
	return text, 1
}

func (e *expander) describe(format string) (string, int) {
	rest, ok := strings.CutPrefix(format, "(describe")
	end := strings.IndexByte(rest, ')')
	if !ok || end < 0 || end > 0 && rest[0] != ':' || e.described || e.o.Naming.Describe == nil {
		return "", 0
	}
	e.described = true
	text, err := e.o.Naming.Describe(e.ctx, strings.TrimPrefix(rest[:end], ":"))
	if err != nil && e.err == nil {
		e.err = err
	}
	return text, len("(describe") + end + 1
}

// person returns what %a… and %c… stand for. Names and addresses are those of the commit: there is no
// .mailmap here.
func person(s *git.Signature, format string) (string, int) {
	if len(format) < 2 {
		return "", 0
	}
	switch format[1] {
	case 'n', 'N':
		return s.Name, 2
	case 'e', 'E':
		return s.Email, 2
	case 'l', 'L':
		local, _, _ := strings.Cut(s.Email, "@")
		return local, 2
	case 't':
		return strconv.FormatInt(s.Seconds, 10), 2
	}
	zone, err := strconv.Atoi(s.Zone)
	if err != nil || zone < -9999 || zone > 9999 {
		zone = 0
	}
	t := time.Unix(s.Seconds, 0).In(time.FixedZone("", zone/100*3600+zone%100*60))
	layout := map[byte]string{
		'd': "Mon Jan 2 15:04:05 2006", 'D': "Mon, 2 Jan 2006 15:04:05", 'i': "2006-01-02 15:04:05", 's': "2006-01-02",
		'I': "2006-01-02T15:04:05",
	}[format[1]]
	switch format[1] {
	case 'd', 'D', 'i':
		return fmt.Sprintf("%s %+05d", t.Format(layout), zone), 2
	case 'I':
		sign := '+'
		if zone < 0 {
			sign, zone = '-', -zone
		}
		return fmt.Sprintf("%s%c%02d:%02d", t.Format(layout), sign, zone/100, zone%100), 2
	case 's':
		return t.Format(layout), 2
	}
	return "", 0
}

// space is what git takes for white space.
const space = " \t\r\n"

// splitMessage returns the lines of a message's first paragraph, and what follows it.
func splitMessage(message string) (subject []string, body string) {
	message = skipBlank(message)
	for message != "" {
		line, rest, _ := strings.Cut(message, "\n")
		message = rest
		if line = strings.TrimRight(line, space); line == "" {
			break
		}
		subject = append(subject, line)
	}
	return subject, skipBlank(message)
}

func skipBlank(message string) string {
	for message != "" {
		line, rest, _ := strings.Cut(message, "\n")
		if strings.TrimRight(line, space) != "" {
			break
		}
		message = rest
	}
	return message
}

// sanitized returns a subject as it could name a file.
func sanitized(subject string) string {
	var b []byte
	gap := false
	for i := 0; i < len(subject); i++ {
		c := subject[i]
		if c != '.' && c != '_' && !('0' <= c && c <= '9') && !('a' <= c|0x20 && c|0x20 <= 'z') {
			gap = true
			continue
		}
		if gap && len(b) > 0 {
			b = append(b, '-')
		}
		gap = false
		b = append(b, c)
		for c == '.' && i+1 < len(subject) && subject[i+1] == '.' {
			i++
		}
	}
	return strings.TrimRight(string(b), ".-")
}
