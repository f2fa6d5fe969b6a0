// Package fsck checks objects as git does under receive.fsckObjects=true: the
// same message ids with the same severities (git-fsck(1), fsck-msgids), so that
// what stock git refuses is refused here, with a message that names the object
// and what is wrong.
//
// Git has two ideas of severity: the one of the message, and "strict", under
// which a warning is an error. Pushes are checked strictly, so errors and
// warnings refuse, and infos are only noted. Each object is judged by its bytes
// alone, except the blobs that some tree calls .gitmodules or .gitattributes:
// which these are is known when all trees have been seen.
//
// A few limits go beyond git's, for the sake of what reads the objects later;
// they are the constants of this package.
package fsck

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"

	"github.com/ingot-forge/ingot/git"
)

// Limits. Those of names and attributes are git's own (newer than 2.39 for
// names); the others are ours, far beyond what people commit.
const (
	MaxNameSize        = 4096         // bytes of one entry's name: largePathname
	MaxAttributeLine   = 2047         // bytes of a line of .gitattributes: gitattributesLineLength
	MaxAttributesSize  = 100 << 20    // bytes of a .gitattributes: gitattributesLarge
	MaxModulesSize     = 16 << 20     // bytes of a .gitmodules: gitmodulesLarge
	MaxParents         = 1024         // of a commit; the largest known merge has 66: tooManyParents
	MaxHeaderSize      = 1 << 20      // bytes before the message of a commit or tag: headerLarge
	MaxSeconds         = 253402300799 // of a date, the end of the year 9999: badDateOverflow
	MaxRememberedBlobs = 1 << 18      // distinct .gitmodules and .gitattributes in one push: tooManySpecialBlobs
)

// Severity of a finding. Under receive.fsckObjects=true git refuses errors and
// warnings alike ("fsck.strict"), and lets infos pass.
type Severity uint8

const (
	Info Severity = iota
	Warning
	Error
)

// Refuses reports whether a finding of this severity makes a push fail.
func (s Severity) Refuses() bool { return s >= Warning }

// String returns git's name of the severity.
func (s Severity) String() string {
	switch s {
	case Info:
		return "info"
	case Warning:
		return "warning"
	case Error:
		return "error"
	}
	return fmt.Sprintf("severity(%d)", uint8(s))
}

// Problem is one finding. It is an error that reads like git's:
// "object 1234…: zeroPaddedFilemode: contains zero-padded file modes".
type Problem struct {
	Object   git.ID
	Message  string // git's message id in camel case: "badTree", "missingEmail", …
	Severity Severity
	Detail   string
}

func (p *Problem) Error() string {
	return fmt.Sprintf("object %s: %s: %s", p.Object, p.Message, p.Detail)
}

// Checker checks the objects of one push. Its methods may be called from
// several goroutines at once.
type Checker struct {
	format      git.Format
	longestName int

	noteMu sync.Mutex // held while note runs, so that it need not lock
	note   func(*Problem)

	mu sync.RWMutex
	// The blobs that trees call special. Only names that need a second look
	// lead here, so the lock is off the common path of trees; blobs take it to
	// read.
	special map[git.ID]role
}

// role is what trees take a blob for, and what of that it has been judged as.
type role uint8

const (
	modules role = 1 << iota
	attributes
	modulesDone
	attributesDone
)

// New returns a Checker for objects of format f. Findings that refuse nothing,
// and those of an object after the first that refuses it, are given to note,
// one at a time, if it is not nil. Which refuse is git's choice under
// receive.fsckObjects=true.
func New(f git.Format, note func(*Problem)) *Checker {
	return &Checker{format: f, longestName: MaxNameSize, note: note, special: make(map[git.ID]role)}
}

// LeastNameLimit is the lowest limit that LimitNames sets: what file systems allow.
const LeastNameLimit = 255

// LimitNames lowers the limit on the length of an entry's name from MaxNameSize
// to so many bytes. It must not be called once objects are checked.
func (c *Checker) LimitNames(bytes int) {
	c.longestName = min(max(bytes, LeastNameLimit), MaxNameSize)
}

// Object checks one object and returns the first finding that refuses it, a
// *Problem, or nil. It remembers the blobs that trees call .gitmodules and
// .gitattributes, whose content can be judged only once they are known to be
// that; a blob seen before its tree is judged by Finish. A blob that is not
// given at all, because it is too large to hold, is read by Finish if it must be.
func (c *Checker) Object(id git.ID, kind git.Kind, data []byte) error {
	f := findings{object: id}
	switch kind {
	case git.KindTree:
		c.tree(&f, data)
	case git.KindBlob:
		c.mu.RLock()
		as := c.special[id]
		c.mu.RUnlock()
		if as != 0 {
			c.blob(&f, as, data)
		}
	case git.KindCommit:
		f.commit(c.format, data)
	case git.KindTag:
		f.tag(c.format, data)
	default:
		f.add(unknownType, fmt.Sprintf("unknown type %d", kind))
	}
	return c.tell(&f)
}

// Finish judges the remembered blobs, reading those that came before their tree
// (or were in the repository already) from objects. It returns the first
// finding that refuses one, a *Problem, or the error of objects.
func (c *Checker) Finish(ctx context.Context, objects git.Objects) error {
	c.mu.RLock()
	var ids []git.ID
	for id, as := range c.special {
		if as.open() != 0 {
			ids = append(ids, id)
		}
	}
	c.mu.RUnlock()
	// In order, so that the same push is refused with the same message.
	slices.SortFunc(ids, func(a, b git.ID) int { return bytes.Compare(a[:], b[:]) })
	for _, id := range ids {
		if err := c.finish(ctx, objects, id); err != nil {
			return err
		}
	}
	return nil
}

func (c *Checker) finish(ctx context.Context, objects git.Objects, id git.ID) error {
	c.mu.RLock()
	as := c.special[id].open()
	c.mu.RUnlock()
	f := findings{object: id}
	kind, data, err := objects.Object(ctx, id)
	switch {
	case errors.Is(err, git.ErrNotFound):
		f.addRole(as, gitmodulesMissing, gitattributesMissing)
	case err != nil:
		return fmt.Errorf("check special blob: %w", err)
	case kind != git.KindBlob:
		f.addRole(as, gitmodulesBlob, gitattributesBlob)
	default:
		c.blob(&f, as, data)
	}
	return c.tell(&f)
}

// tell returns the first refusal and gives the other findings to note.
func (c *Checker) tell(f *findings) error {
	if len(f.list) == 0 {
		return nil
	}
	var refusal *Problem
	c.noteMu.Lock()
	defer c.noteMu.Unlock()
	for _, p := range f.list {
		if refusal == nil && p.Severity.Refuses() {
			refusal = p
		} else if c.note != nil {
			c.note(p)
		}
	}
	if refusal == nil {
		return nil // not a nil *Problem in an error
	}
	return refusal
}

// remember notes that a tree calls the blob id special. It reports false when
// there is no room.
func (c *Checker) remember(id git.ID, as role) bool {
	c.mu.RLock()
	known := c.special[id]&as == as
	c.mu.RUnlock()
	if known {
		return true
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if _, ok := c.special[id]; !ok && len(c.special) >= MaxRememberedBlobs {
		return false
	}
	c.special[id] |= as
	return true
}

// open returns the roles still to be judged. The bit of "done" is two above that
// of the role.
func (r role) open() role { return r & (modules | attributes) &^ (r >> 2) }

// done is r as judged.
func (r role) done() role { return r << 2 }

// findings collects what is found of one object, the first of each message.
type findings struct {
	object git.ID
	seen   uint64 // messages in list
	list   []*Problem
}

// add records a finding and reports whether it refuses the object. Without a
// detail, it is the message's own text.
func (f *findings) add(m message, detail string) bool {
	d := &messages[m]
	if f.seen&(1<<m) == 0 {
		f.seen |= 1 << m
		if detail == "" {
			detail = d.text
		}
		f.list = append(f.list, &Problem{Object: f.object, Message: d.id, Severity: d.severity, Detail: detail})
	}
	return d.severity.Refuses()
}

func (f *findings) addRole(as role, ifModules, ifAttributes message) {
	if as&modules != 0 {
		f.add(ifModules, "")
	}
	if as&attributes != 0 {
		f.add(ifAttributes, "")
	}
}
