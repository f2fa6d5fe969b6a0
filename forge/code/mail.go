package code

import (
	"bytes"
	"context"
	"fmt"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/ingot-forge/ingot/git"
	"github.com/ingot-forge/ingot/git/diff"
)

// Widths of mail headers, from RFC 2822 and RFC 2047, as git keeps them.
const (
	headerWidth = 78
	wordWidth   = 76 // of a line with encoded words
)

// AppendPatch appends a commit as a mail that git am takes: git format-patch --stdout
// --no-signature. number and total say which of a series it is.
func (v *View) AppendPatch(ctx context.Context, dst []byte, c Commit, number, total int) ([]byte, error) {
	changes, err := v.ChangesOf(ctx, c)
	if err != nil {
		return nil, err
	}
	subject, body := splitMessage(c.Message)
	prefix := "[PATCH] "
	if total > 1 {
		prefix = fmt.Sprintf("[PATCH %0*d/%d] ", len(fmt.Sprint(total)), number, total)
	}
	dst = fmt.Appendf(dst, "From %s Mon Sep 17 00:00:00 2001\n", v.Hex(c.ID))
	dst = appendFrom(dst, &c.Author)
	dst = fmt.Appendf(dst, "Date: %s\n", mailDate(&c.Author))
	dst = append(dst, "Subject: "+prefix...)
	if mustEncode(subject) {
		dst = appendEncoded(dst, subject, false)
	} else {
		dst = appendWrapped(dst, subject, headerWidth)
	}
	dst = append(dst, '\n')
	if !isASCII(c.Message) {
		dst = append(dst, "MIME-Version: 1.0\nContent-Type: text/plain; charset=UTF-8\nContent-Transfer-Encoding: 8bit\n"...)
	}
	dst = append(dst, '\n')
	if body != "" {
		dst = append(append(dst, body...), '\n')
	}
	if changes.Len() == 0 {
		return dst, nil
	}
	dst = append(dst, "---\n"...)
	if dst, err = changes.AppendStat(ctx, dst); err != nil {
		return nil, err
	}
	dst = append(dst, '\n')
	dst, err = changes.appendEach(dst, func(dst []byte, change diff.Change) ([]byte, error) { return changes.appendMailed(ctx, dst, change) })
	if err == nil && len(dst) > MaxDiff {
		err = errTooLarge()
	}
	return dst, err
}

// splitMessage returns the lines up to the first blank one, joined, and what
// follows without blank lines around it.
func splitMessage(message string) (subject, body string) {
	var head, rest []string
	inBody := false
	for line := range strings.SplitSeq(message, "\n") {
		line = strings.TrimRight(line, " \t\r\v\f")
		switch {
		case inBody:
			if line != "" || len(rest) > 0 {
				rest = append(rest, line)
			}
		case line != "":
			head = append(head, line)
		case len(head) > 0:
			inBody = true
		}
	}
	return strings.Join(head, " "), strings.TrimRight(strings.Join(rest, "\n"), " \t\r\n\v\f")
}

func isASCII(s string) bool {
	return strings.IndexFunc(s, func(r rune) bool { return r >= utf8.RuneSelf || r == 0x1b }) < 0
}

// mustEncode reports whether a header takes encoded words.
func mustEncode(s string) bool { return !isASCII(s) || strings.Contains(s, "=?") }

func appendFrom(dst []byte, s *git.Signature) []byte {
	dst = append(dst, "From: "...)
	width := headerWidth
	switch {
	case mustEncode(s.Name):
		dst = appendEncoded(dst, s.Name, true)
		width = wordWidth
	case strings.ContainsAny(s.Name, `()<>[]:;@,."\`):
		dst = appendWrapped(dst, `"`+strings.NewReplacer(`"`, `\"`, `\`, `\\`).Replace(s.Name)+`"`, headerWidth)
	default:
		dst = appendWrapped(dst, s.Name, headerWidth)
	}
	if column(dst)+len(" <")+len(s.Email)+len(">") > width {
		dst = append(dst, '\n')
	}
	return fmt.Appendf(dst, " <%s>\n", s.Email)
}

// column is how long the last line is.
func column(b []byte) int { return len(b) - 1 - bytes.LastIndexByte(b, '\n') }

// appendWrapped breaks a header before words that do not fit.
func appendWrapped(dst []byte, text string, width int) []byte {
	at := utf8.RuneCount(dst[len(dst)-column(dst):])
	for first := true; text != ""; first = false {
		word := strings.TrimLeft(text, " ")
		gap := len(text) - len(word)
		if end := strings.IndexByte(word, ' '); end >= 0 {
			word = word[:end]
		}
		piece := text[:gap+len(word)]
		text = text[len(piece):]
		n := utf8.RuneCountInString(piece)
		if !first && at+n > width {
			dst = append(append(dst, "\n "...), word...)
			at = 1 + n - gap
			continue
		}
		dst = append(dst, piece...)
		at += n
	}
	return dst
}

// appendEncoded writes RFC 2047's encoded words, no character of which is cut.
func appendEncoded(dst []byte, text string, address bool) []byte {
	const begin = "=?UTF-8?q?"
	at := column(dst) + len(begin)
	dst = append(dst, begin...)
	for len(text) > 0 {
		_, n := utf8.DecodeRuneInString(text)
		plain := n == 1 && isPlain(text[0], address)
		size := 3 * n
		if plain {
			size = 1
		}
		if at+size+len("?=") > wordWidth {
			dst = append(dst, "?=\n "+begin...)
			at = 1 + len(begin)
		}
		for i := range n {
			if plain {
				dst = append(dst, text[i])
			} else {
				dst = fmt.Appendf(dst, "=%02X", text[i])
			}
		}
		at += size
		text = text[n:]
	}
	return append(dst, "?="...)
}

func isPlain(c byte, address bool) bool {
	switch {
	case 'a' <= c && c <= 'z', 'A' <= c && c <= 'Z', '0' <= c && c <= '9':
		return true
	case address:
		return strings.IndexByte("!*+-/", c) >= 0
	}
	return c > ' ' && c < 0x7f && c != '=' && c != '?' && c != '_'
}

func mailDate(s *git.Signature) string {
	return time.Unix(s.Seconds, 0).In(Zone(s)).Format("Mon, 2 Jan 2006 15:04:05 -0700")
}

// Zone is the zone in which somebody wrote; UTC if it is none.
func Zone(s *git.Signature) *time.Location {
	t, err := time.Parse("-0700", s.Zone)
	if err != nil {
		return time.UTC
	}
	return t.Location()
}

// AppendStat appends what git diff --stat --summary shows, 72 columns wide.
func (c *Changes) AppendStat(ctx context.Context, dst []byte) ([]byte, error) {
	counts, err := c.counts(ctx)
	if err != nil {
		return nil, err
	}
	s := newStat(c.list, counts)
	for i := range c.list {
		dst = s.appendLine(dst, i)
	}
	dst = s.appendTotal(dst)
	for i := range c.list {
		dst = appendSummary(dst, &c.list[i])
	}
	return dst, nil
}

// appendSummary tells of files that came, went or moved, and of changed modes.
func appendSummary(dst []byte, c *diff.Change) []byte {
	mode := func(dst []byte, named bool) []byte {
		if c.Old.Mode == c.New.Mode {
			return dst
		}
		dst = fmt.Appendf(dst, " mode change %06o => %06o", c.Old.Mode, c.New.Mode)
		if named {
			dst = diff.AppendQuoted(append(dst, ' '), c.New.Path)
		}
		return append(dst, '\n')
	}
	switch c.Status {
	case diff.Added:
		return append(diff.AppendQuoted(fmt.Appendf(dst, " create mode %06o ", c.New.Mode), c.New.Path), '\n')
	case diff.Deleted:
		return append(diff.AppendQuoted(fmt.Appendf(dst, " delete mode %06o ", c.Old.Mode), c.Old.Path), '\n')
	case diff.Renamed, diff.Copied:
		verb := map[diff.Status]string{diff.Renamed: "rename", diff.Copied: "copy"}[c.Status]
		return mode(fmt.Appendf(dst, " %s %s (%d%%)\n", verb, movedName(c.Old.Path, c.New.Path), c.Similarity()), false)
	}
	return mode(dst, true)
}
