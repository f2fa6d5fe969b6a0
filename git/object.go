package git

import (
	"bytes"
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"
)

// Signature says who and when. When holds seconds since 1970 and the zone as
// written ("+0200").
type Signature struct {
	Name, Email string
	Seconds     int64
	Zone        string
}

// Header is one extra header of a commit or a tag, its continuation lines
// joined by "\n".
type Header struct{ Key, Value string }

// Commit is a decoded commit. Headers keeps what has no field of its own, in
// order (encoding, gpgsig, mergetag, …).
//
// What ParseCommit read, AppendCommit writes again byte for byte, also where
// old tools wrote oddly (zero-padded dates, no name before an address), as long
// as no field but Message was changed.
type Commit struct {
	Tree              ID
	Parents           []ID
	Author, Committer Signature
	Headers           []Header
	Message           string

	odd string // the header as read, where the fields do not give it back
}

// Tag is a decoded annotated tag. It is written again as it was read, like a
// Commit.
type Tag struct {
	Target     ID
	TargetKind Kind
	Name       string
	Tagger     *Signature // nil where there is none, as in very old tags
	Headers    []Header
	Message    string // with the signature block, if any, at its end

	odd string
}

// ParseCommit decodes a commit; malformed input is ErrCorrupt. Malformed are a
// tree or parents that are no ids, and an author or committer that is missing;
// a signature line in no form of git's is taken as far as it can be read, for
// such commits are in old history and must still be shown.
func ParseCommit(f Format, data []byte) (*Commit, error) {
	c, header, err := parseCommit(f, string(data))
	if err != nil {
		return nil, err
	}
	if string(appendCommitHeader(f, make([]byte, 0, len(header)+64), c)) != header {
		c.odd = header
	}
	return c, nil
}

// parseCommit also returns the header: all of text up to the message, with the
// empty line.
func parseCommit(f Format, text string) (c *Commit, header string, err error) {
	c = new(Commit)
	s := scanner{format: f, kind: KindCommit, rest: text}
	if c.Tree, err = s.id("tree"); err != nil {
		return nil, "", err
	}
	for strings.HasPrefix(s.rest, "parent ") {
		id, err := s.id("parent")
		if err != nil {
			return nil, "", err
		}
		c.Parents = append(c.Parents, id)
	}
	author, err := s.line("author")
	if err != nil {
		return nil, "", err
	}
	committer, err := s.line("committer")
	if err != nil {
		return nil, "", err
	}
	c.Author, c.Committer = parseSignature(author), parseSignature(committer)
	c.Headers = s.headers()
	c.Message = s.rest
	return c, text[:len(text)-len(s.rest)], nil
}

// AppendCommit appends the encoding of c.
func AppendCommit(f Format, dst []byte, c *Commit) []byte {
	if c.odd != "" {
		was, header, err := parseCommit(f, c.odd)
		if err == nil && header == c.odd && c.sameHeader(was) && endsHeader(c.odd, c.Message) {
			return append(append(dst, c.odd...), c.Message...)
		}
	}
	return append(appendCommitHeader(f, dst, c), c.Message...)
}

func (c *Commit) sameHeader(d *Commit) bool {
	return c.Tree == d.Tree && slices.Equal(c.Parents, d.Parents) && c.Author == d.Author &&
		c.Committer == d.Committer && slices.Equal(c.Headers, d.Headers)
}

// endsHeader reports whether message may follow an odd header: one without the
// empty line at its end is an object's whole content.
func endsHeader(odd, message string) bool { return message == "" || strings.HasSuffix(odd, "\n\n") }

func appendCommitHeader(f Format, dst []byte, c *Commit) []byte {
	dst = append(dst, "tree "...)
	dst = f.AppendHex(dst, c.Tree)
	for _, p := range c.Parents {
		dst = append(dst, "\nparent "...)
		dst = f.AppendHex(dst, p)
	}
	dst = append(dst, "\nauthor "...)
	dst = appendSignature(dst, &c.Author)
	dst = append(dst, "\ncommitter "...)
	dst = appendSignature(dst, &c.Committer)
	return appendHeaders(append(dst, '\n'), c.Headers)
}

// CommitLinks is what a walk over history needs of a commit, decoded without
// allocating more than parents, to which it appends. seconds is the committer
// time, 0 where it is unreadable (as git does).
func CommitLinks(f Format, data []byte, parents []ID) (tree ID, _ []ID, seconds int64, err error) {
	rest, ok := linkLine(f, data, "tree ", &tree)
	if !ok {
		return ID{}, parents, 0, fmt.Errorf("%w: commit has no tree line", ErrCorrupt)
	}
	var parent ID
	for len(rest) >= 7 && string(rest[:7]) == "parent " {
		if rest, ok = linkLine(f, rest, "parent ", &parent); !ok {
			return ID{}, parents, 0, fmt.Errorf("%w: commit has a bad parent line", ErrCorrupt)
		}
		parents = append(parents, parent)
	}
	return tree, parents, committerSeconds(rest), nil
}

// ParseTag decodes an annotated tag; malformed input is ErrCorrupt.
func ParseTag(f Format, data []byte) (*Tag, error) {
	t, header, err := parseTag(f, string(data))
	if err != nil {
		return nil, err
	}
	if string(appendTagHeader(f, make([]byte, 0, len(header)+64), t)) != header {
		t.odd = header
	}
	return t, nil
}

func parseTag(f Format, text string) (t *Tag, header string, err error) {
	t = new(Tag)
	s := scanner{format: f, kind: KindTag, rest: text}
	if t.Target, err = s.id("object"); err != nil {
		return nil, "", err
	}
	kind, err := s.line("type")
	if err != nil {
		return nil, "", err
	}
	if t.TargetKind, err = ParseKind(kind); err != nil {
		return nil, "", fmt.Errorf("%w: tag: %w", ErrCorrupt, err)
	}
	if t.Name, err = s.line("tag"); err != nil {
		return nil, "", err
	}
	if strings.HasPrefix(s.rest, "tagger ") {
		line, err := s.line("tagger")
		if err != nil {
			return nil, "", err
		}
		tagger := parseSignature(line)
		t.Tagger = &tagger
	}
	t.Headers = s.headers()
	t.Message = s.rest
	return t, text[:len(text)-len(s.rest)], nil
}

// AppendTag appends the encoding of t.
func AppendTag(f Format, dst []byte, t *Tag) []byte {
	if t.odd != "" {
		was, header, err := parseTag(f, t.odd)
		if err == nil && header == t.odd && t.sameHeader(was) && endsHeader(t.odd, t.Message) {
			return append(append(dst, t.odd...), t.Message...)
		}
	}
	return append(appendTagHeader(f, dst, t), t.Message...)
}

func (t *Tag) sameHeader(u *Tag) bool {
	sameTagger := t.Tagger == u.Tagger || t.Tagger != nil && u.Tagger != nil && *t.Tagger == *u.Tagger
	return t.Target == u.Target && t.TargetKind == u.TargetKind && t.Name == u.Name && sameTagger &&
		slices.Equal(t.Headers, u.Headers)
}

func appendTagHeader(f Format, dst []byte, t *Tag) []byte {
	dst = append(dst, "object "...)
	dst = f.AppendHex(dst, t.Target)
	dst = append(dst, "\ntype "...)
	dst = append(dst, t.TargetKind.String()...)
	dst = append(dst, "\ntag "...)
	dst = append(dst, t.Name...)
	if t.Tagger != nil {
		dst = append(dst, "\ntagger "...)
		dst = appendSignature(dst, t.Tagger)
	}
	return appendHeaders(append(dst, '\n'), t.Headers)
}

// scanner reads the header lines of a commit or tag.
type scanner struct {
	format Format
	kind   Kind
	rest   string
}

// line takes the line "key value\n" and returns the value.
func (s *scanner) line(key string) (string, error) {
	after, ok := strings.CutPrefix(s.rest, key)
	if !ok || after == "" || after[0] != ' ' {
		return "", fmt.Errorf("%w: %s has no %s line", ErrCorrupt, s.kind, key)
	}
	value, rest, ok := strings.Cut(after[1:], "\n")
	if !ok {
		return "", fmt.Errorf("%w: %s ends within its %s line", ErrCorrupt, s.kind, key)
	}
	s.rest = rest
	return value, nil
}

func (s *scanner) id(key string) (ID, error) {
	value, err := s.line(key)
	if err != nil {
		return ID{}, err
	}
	id, err := s.format.Parse(value)
	if err != nil {
		return ID{}, fmt.Errorf("%w: %s: %s line: %w", ErrCorrupt, s.kind, key, err)
	}
	return id, nil
}

// headers takes the lines up to and with the empty one, or all.
func (s *scanner) headers() []Header {
	var headers []Header
	for s.rest != "" {
		line, rest, _ := strings.Cut(s.rest, "\n")
		if line == "" {
			s.rest = rest
			break
		}
		// The value runs on over lines that start with a space. It is put
		// together once, however many there are.
		key, value, _ := strings.Cut(line, " ")
		n := len(line)
		for strings.HasPrefix(s.rest[n:], "\n ") {
			if end := strings.IndexByte(s.rest[n+1:], '\n'); end >= 0 {
				n += 1 + end
			} else {
				n = len(s.rest)
			}
		}
		if n > len(line) {
			value += strings.ReplaceAll(s.rest[len(line):n], "\n ", "\n")
		}
		headers = append(headers, Header{key, value})
		s.rest = strings.TrimPrefix(s.rest[n:], "\n")
	}
	return headers
}

// appendHeaders appends the extra headers and the empty line.
func appendHeaders(dst []byte, headers []Header) []byte {
	for _, h := range headers {
		dst = append(dst, h.Key...)
		dst = append(dst, ' ')
		for value := h.Value; ; {
			line, rest, more := strings.Cut(value, "\n")
			dst = append(dst, line...)
			if !more {
				break
			}
			dst = append(dst, "\n "...)
			value = rest
		}
		dst = append(dst, '\n')
	}
	return append(dst, '\n')
}

// parseSignature reads "Name <email> 1112912053 +0200", and of any other line
// what it can: the name is what stands before the first "<", the address and
// the name end at the last ">", the date follows that, and what cannot be read
// stays empty or zero.
func parseSignature(line string) Signature {
	var s Signature
	last := strings.LastIndexByte(line, '>')
	if last < 0 {
		s.Name = strings.TrimSpace(line)
		return s
	}
	if open := strings.IndexByte(line[:last], '<'); open >= 0 {
		s.Name, s.Email = strings.TrimSuffix(line[:open], " "), line[open+1:last]
	} else {
		s.Name = strings.TrimSpace(line[:last])
	}
	date, zone, _ := strings.Cut(strings.TrimLeft(line[last+1:], " "), " ")
	s.Seconds, s.Zone = seconds(date), zone
	return s
}

func appendSignature(dst []byte, s *Signature) []byte {
	dst = append(dst, s.Name...)
	dst = append(dst, " <"...)
	dst = append(dst, s.Email...)
	dst = append(dst, "> "...)
	dst = strconv.AppendInt(dst, s.Seconds, 10)
	dst = append(dst, ' ')
	return append(dst, s.Zone...)
}

// linkLine reads key, an id and a line end from the front of data.
func linkLine(f Format, data []byte, key string, id *ID) (rest []byte, ok bool) {
	end := len(key) + f.HexSize()
	if len(data) <= end || string(data[:len(key)]) != key || data[end] != '\n' {
		return nil, false
	}
	bad := byte(0)
	for i, hex := 0, data[len(key):end]; i+1 < len(hex); i += 2 {
		hi, lo := hexDigit[hex[i]], hexDigit[hex[i+1]]
		bad |= hi | lo
		id[i/2] = hi<<4 | lo&15
	}
	return data[end+1:], bad < 16
}

// hexDigit is the value of each byte as a hexadecimal digit, 255 for none.
var hexDigit = func() (t [256]byte) {
	for i := range t {
		t[i] = 255
	}
	for i := range byte(10) {
		t['0'+i] = i
	}
	for i := range byte(6) {
		t['a'+i], t['A'+i] = 10+i, 10+i
	}
	return t
}()

// committerSeconds finds the committer's time in a commit from which tree and
// parents have been taken. It stands behind the last ">" of the line, for an
// address can hold one.
func committerSeconds(data []byte) int64 {
	author, rest, _ := bytes.Cut(data, newline)
	committer, _, _ := bytes.Cut(rest, newline)
	if !bytes.HasPrefix(author, authorKey) || !bytes.HasPrefix(committer, committerKey) {
		return 0
	}
	date := committer[bytes.LastIndexByte(committer, '>')+1:]
	for len(date) > 0 && date[0] == ' ' {
		date = date[1:]
	}
	return seconds(date)
}

var newline, authorKey, committerKey = []byte("\n"), []byte("author "), []byte("committer ")

// seconds reads the digits that start date; 0 if there are none, or too many.
func seconds[T string | []byte](date T) int64 {
	var n int64
	for i := range len(date) {
		d := int64(date[i]) - '0'
		if d < 0 || d > 9 {
			break
		}
		if n > (math.MaxInt64-d)/10 {
			return 0
		}
		n = n*10 + d
	}
	return n
}
