package fsck

import (
	"bytes"
	"fmt"

	"github.com/ingot-forge/ingot/git"
)

// commit checks a commit and stops at the first refusal, as git does.
func (f *findings) commit(format git.Format, data []byte) {
	if !f.headers(data) {
		return
	}
	rest, ok := bytes.CutPrefix(data, treeKey)
	if !ok {
		f.add(missingTree, "")
		return
	}
	if rest, ok = cutID(format, rest); !ok {
		f.add(badTreeSha1, "")
		return
	}
	for parents := 0; ; parents++ {
		after, ok := bytes.CutPrefix(rest, parentKey)
		if !ok {
			break
		}
		if parents == MaxParents {
			f.add(tooManyParents, fmt.Sprintf("more than %d parents", MaxParents))
			return
		}
		if rest, ok = cutID(format, after); !ok {
			f.add(badParentSha1, "")
			return
		}
	}
	authors := 0
	for ; bytes.HasPrefix(rest, authorKey); authors++ {
		if rest, ok = f.signature("author", rest[len(authorKey):]); !ok {
			return
		}
	}
	if authors == 0 {
		f.add(missingAuthor, "")
		return
	}
	if authors > 1 {
		f.add(multipleAuthors, "")
		return
	}
	if rest, ok = bytes.CutPrefix(rest, committerKey); !ok {
		f.add(missingCommitter, "")
		return
	}
	if rest, ok = f.signature("committer", rest); !ok {
		return
	}
	if bytes.IndexByte(rest, 0) >= 0 {
		f.add(nulInCommit, "")
	}
}

// tag checks an annotated tag.
func (f *findings) tag(format git.Format, data []byte) {
	if !f.headers(data) {
		return
	}
	rest, ok := bytes.CutPrefix(data, objectKey)
	if !ok {
		f.add(missingObject, "")
		return
	}
	if rest, ok = cutID(format, rest); !ok {
		f.add(badObjectSha1, "")
		return
	}
	if rest, ok = bytes.CutPrefix(rest, typeKey); !ok {
		f.add(missingTypeEntry, "")
		return
	}
	kind, rest, _ := bytes.Cut(rest, newline)
	if _, err := git.ParseKind(string(kind)); err != nil {
		f.add(badType, "")
		return
	}
	if rest, ok = bytes.CutPrefix(rest, tagKey); !ok {
		f.add(missingTagEntry, "")
		return
	}
	name, rest, _ := bytes.Cut(rest, newline)
	if err := git.CheckRefName("refs/tags/" + string(name)); err != nil {
		f.add(badTagName, err.Error())
	}
	if rest, ok = bytes.CutPrefix(rest, taggerKey); !ok {
		f.add(missingTaggerEntry, "")
		return
	}
	f.signature("tagger", rest)
}

var (
	newline      = []byte("\n")
	treeKey      = []byte("tree ")
	parentKey    = []byte("parent ")
	authorKey    = []byte("author ")
	committerKey = []byte("committer ")
	objectKey    = []byte("object ")
	typeKey      = []byte("type ")
	tagKey       = []byte("tag ")
	taggerKey    = []byte("tagger ")
)

// headers checks that the header lines hold no NUL and are terminated: by an
// empty line, or the last one by its line feed if there is no message. Every
// line looked at later therefore ends in a line feed. Their size is bounded
// because each, of two bytes perhaps, costs readers some fifty.
func (f *findings) headers(data []byte) bool {
	header := data
	end := bytes.Index(data, []byte("\n\n"))
	if end >= 0 {
		header = data[:end]
	}
	if len(header) > MaxHeaderSize {
		f.add(headerLarge, fmt.Sprintf("header of %d bytes is too large to parse", len(header)))
		return false
	}
	if i := bytes.IndexByte(header, 0); i >= 0 {
		f.add(nulInHeader, fmt.Sprintf("NUL in the header, at byte %d", i))
		return false
	}
	if end < 0 && !bytes.HasSuffix(data, newline) {
		f.add(unterminatedHeader, "")
		return false
	}
	return true
}

// cutID takes an id and a line feed from the front of data.
func cutID(format git.Format, data []byte) (rest []byte, ok bool) {
	n := format.HexSize()
	if len(data) <= n || data[n] != '\n' {
		return nil, false
	}
	for _, c := range data[:n] {
		if !isDigit(c) && (c|0x20 < 'a' || c|0x20 > 'f') {
			return nil, false
		}
	}
	return data[n+1:], true
}

// signature checks what follows the key of an author, committer or tagger line,
// "Name <email> 1112912053 +0200\n", and returns the bytes behind that line.
func (f *findings) signature(key string, data []byte) (rest []byte, ok bool) {
	line, rest, _ := bytes.Cut(data, newline)
	if m := checkSignature(line); m != endOfMessages {
		return nil, !f.add(m, key+" line: "+messages[m].text)
	}
	return rest, true
}

// checkSignature returns what is wrong with a signature, endOfMessages if nothing.
func checkSignature(line []byte) message {
	if len(line) > 0 && line[0] == '<' {
		return missingNameBeforeEmail
	}
	open := indexAngle(line)
	switch {
	case open < 0:
		return missingEmail
	case line[open] == '>':
		return badName
	case line[open-1] != ' ':
		return missingSpaceBeforeEmail
	}
	rest := line[open+1:]
	end := indexAngle(rest)
	if end < 0 || rest[end] == '<' {
		return badEmail
	}
	rest = rest[end+1:]
	if len(rest) == 0 || rest[0] != ' ' {
		return missingSpaceBeforeDate
	}
	// More white space than the one space has always been let pass.
	return checkDate(bytes.TrimLeft(rest[1:], " \t"))
}

// indexAngle finds the first angle bracket.
func indexAngle(b []byte) int {
	open := bytes.IndexByte(b, '<')
	if open < 0 {
		return bytes.IndexByte(b, '>')
	}
	if end := bytes.IndexByte(b[:open], '>'); end >= 0 {
		return end
	}
	return open
}

// checkDate judges "1112912053 +0200".
func checkDate(b []byte) message {
	if len(b) == 0 || !isDigit(b[0]) {
		return badDate
	}
	if b[0] == '0' && (len(b) == 1 || b[1] != ' ') {
		return zeroPaddedDate
	}
	// Git's bound is 2^63 seconds. Ours is the end of the year 9999: formats
	// that people read, RFC 3339 before all, have no later date.
	seconds := int64(0)
	for len(b) > 0 && isDigit(b[0]) {
		if seconds = seconds*10 + int64(b[0]-'0'); seconds > MaxSeconds {
			return badDateOverflow
		}
		b = b[1:]
	}
	if len(b) == 0 || b[0] != ' ' {
		return badDate
	}
	zone := b[1:]
	if len(zone) != 5 || zone[0] != '+' && zone[0] != '-' ||
		!isDigit(zone[1]) || !isDigit(zone[2]) || !isDigit(zone[3]) || !isDigit(zone[4]) {
		return badTimezone
	}
	return endOfMessages
}

func isDigit(c byte) bool { return c-'0' <= 9 }
