package merge

import (
	"context"
	"strconv"
	"strings"
	"time"

	"github.com/ingot-forge/ingot/git"
	"github.com/ingot-forge/ingot/git/ancestry"
	"github.com/ingot-forge/ingot/git/revlog"
)

func firstLine(message string) string {
	line, _, _ := strings.Cut(message, "\n")
	return line
}

// withoutBlankStart leaves out blank lines at the start of a message.
func withoutBlankStart(message string) string {
	for message != "" {
		line, rest, _ := strings.Cut(message, "\n")
		if strings.TrimSpace(line) != "" {
			break
		}
		message = rest
	}
	return message
}

const pickedFrom = "(cherry picked from commit "

// withOrigin appends to a message where it comes from: to its last paragraph, if
// that consists of trailers, or else as one of its own.
func withOrigin(message, hex string) string {
	if message != "" && !strings.HasSuffix(message, "\n") {
		message += "\n"
	}
	if !endsInTrailers(message) {
		message += "\n"
	}
	return tidy(message + pickedFrom + hex + ")\n")
}

// tidy leaves out white space at line ends, and blank lines but for one between others:
// git's --cleanup=whitespace.
func tidy(message string) string {
	var b strings.Builder
	isBlank := false
	for line := range strings.Lines(message) {
		line = strings.TrimRight(line, " \t\r\n\v\f")
		if line == "" {
			isBlank = true
			continue
		}
		if isBlank && b.Len() > 0 {
			b.WriteString("\n")
		}
		isBlank = false
		b.WriteString(line + "\n")
	}
	return b.String()
}

// endsInTrailers reports whether the last paragraph of a message, which is not the
// first, has nothing but trailers; or, if one of them is git's own, at least one
// to three lines.
func endsInTrailers(message string) bool {
	message = strings.TrimRight(message, " \t\n")
	at := strings.LastIndex(message, "\n\n")
	if at < 0 {
		return false
	}
	trailers, others, gits := 0, 0, false
	for _, line := range strings.Split(message[at+2:], "\n") {
		switch {
		case strings.HasPrefix(line, "Signed-off-by: "), strings.HasPrefix(line, pickedFrom):
			trailers++
			gits = true
		case isTrailer(line):
			trailers++
		case trailers+others > 0 && (line[0] == ' ' || line[0] == '\t'): // goes on with the line above
		default:
			others++
		}
	}
	return trailers > 0 && (others == 0 || gits && trailers*3 >= others)
}

func isTrailer(line string) bool {
	key, _, ok := strings.Cut(line, ":")
	key = strings.TrimRight(key, " \t")
	return ok && key != "" && strings.IndexFunc(key, func(r rune) bool { return r != '-' && !isAlnum(r) }) < 0
}

// squashMessage lists the commits that theirs has and ours lacks.
func squashMessage(ctx context.Context, commits *ancestry.Commits, ours, theirs git.ID, o *Options) (string, error) {
	f := commits.Format()
	var b strings.Builder
	b.WriteString("Squashed commit of the following:\n")
	n := 0
	for c, err := range revlog.Walk(ctx, commits, revlog.Options{Tips: []git.ID{theirs}, Not: []git.ID{ours}}) {
		if err != nil {
			return "", err
		}
		if n++; n > MaxReplay {
			return "", &LimitError{"commits", MaxReplay}
		}
		node, err := commits.Find(ctx, c.ID)
		if err != nil {
			return "", err
		}
		decoded, err := commits.Read(ctx, node)
		if err != nil {
			return "", err
		}
		b.WriteString("\ncommit " + f.Hex(c.ID) + "\n")
		if len(decoded.Parents) > 1 {
			b.WriteString("Merge:")
			for _, p := range decoded.Parents {
				b.WriteString(" " + o.abbreviate(f, p))
			}
			b.WriteString("\n")
		}
		var entry strings.Builder
		entry.WriteString("Author: " + decoded.Author.Name + " <" + decoded.Author.Email + ">\nDate:   " + date(decoded.Author) + "\n\n")
		for line := range strings.Lines(withoutBlankStart(decoded.Message)) {
			entry.WriteString("    " + strings.TrimRight(line, " \t\r\n\v\f") + "\n")
		}
		b.WriteString(strings.TrimRight(entry.String(), " \t\r\n\v\f") + "\n")
	}
	return b.String(), nil
}

// date is a date as git log has it.
func date(s git.Signature) string {
	zone, err := strconv.Atoi(s.Zone)
	if err != nil || zone < -9999 || zone > 9999 {
		zone = 0
	}
	at := time.Unix(s.Seconds, 0).UTC().Add(time.Duration(zone/100*60+zone%100) * time.Minute)
	sign := "+"
	if zone < 0 {
		sign, zone = "-", -zone
	}
	digits := strconv.Itoa(10000 + zone)
	return at.Format("Mon Jan 2 15:04:05 2006 ") + sign + digits[1:]
}
