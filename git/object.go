package git

import "iter"

// Mode is the mode of a tree entry.
type Mode uint32

const (
	ModeTree       Mode = 0o040000
	ModeBlob       Mode = 0o100644
	ModeExecutable Mode = 0o100755
	ModeGroupWrite Mode = 0o100664 // written by git before 2005; read only
	ModeSymlink    Mode = 0o120000
	ModeSubmodule  Mode = 0o160000
)

// Entry is one entry of a tree.
type Entry struct {
	Mode Mode
	Name string
	ID   ID
}

// Entries walks an encoded tree in stored order. It yields an error matching
// ErrCorrupt once, and stops, where the bytes are no tree.
func Entries(f Format, data []byte) iter.Seq2[Entry, error] { panic("contract") }

// NextEntry decodes the first entry of data without allocating: name aliases
// data, and rest is what follows. Malformed input is ErrCorrupt.
func NextEntry(f Format, data []byte) (mode Mode, name []byte, id ID, rest []byte, err error) {
	panic("contract")
}

// AppendTree appends the encoding of entries, which it sorts into git's order
// on a copy.
func AppendTree(f Format, dst []byte, entries []Entry) []byte { panic("contract") }

// Signature says who and when. When holds seconds since 1970 and the zone as
// written ("+0200").
type Signature struct {
	Name, Email string
	Seconds     int64
	Zone        string
}

// Commit is a decoded commit. Headers keeps what has no field of its own, in
// order (encoding, gpgsig, mergetag, …), continuation lines joined by "\n".
type Commit struct {
	Tree              ID
	Parents           []ID
	Author, Committer Signature
	Headers           []Header
	Message           string
}

// Header is one extra header of a commit.
type Header struct{ Key, Value string }

// ParseCommit decodes a commit; malformed input is ErrCorrupt.
func ParseCommit(f Format, data []byte) (*Commit, error) { panic("contract") }

// AppendCommit appends the encoding of c.
func AppendCommit(f Format, dst []byte, c *Commit) []byte { panic("contract") }

// CommitLinks is what a walk over history needs of a commit, decoded without
// allocating more than parents, to which it appends. seconds is the committer
// time, 0 where it is unreadable (as git does).
func CommitLinks(f Format, data []byte, parents []ID) (tree ID, _ []ID, seconds int64, err error) {
	panic("contract")
}

// Tag is a decoded annotated tag.
type Tag struct {
	Target     ID
	TargetKind Kind
	Name       string
	Tagger     *Signature // nil where there is none, as in very old tags
	Message    string     // with the signature block, if any, at its end
}

// ParseTag decodes an annotated tag; malformed input is ErrCorrupt.
func ParseTag(f Format, data []byte) (*Tag, error) { panic("contract") }

// AppendTag appends the encoding of t.
func AppendTag(f Format, dst []byte, t *Tag) []byte { panic("contract") }
