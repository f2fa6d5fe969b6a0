// Package fsck checks objects as git does under receive.fsckObjects=true: the
// same message ids with the same severities (git-fsck(1), fsck-msgids), so that
// what stock git refuses is refused here, with a message that names the object
// and what is wrong.
package fsck

import (
	"context"

	"github.com/ingot-forge/ingot/git"
)

// Severity of a finding. Under receive.fsckObjects=true git refuses errors and
// warnings alike ("fsck.strict"), and lets infos pass.
type Severity uint8

const (
	Info Severity = iota
	Warning
	Error
)

// Problem is one finding. It is an error that reads like git's:
// "object 1234…: zeroPaddedFilemode: contains zero-padded file modes".
type Problem struct {
	Object   git.ID
	Message  string // git's message id in camel case: "badTree", "missingEmail", …
	Severity Severity
	Detail   string
}

func (p *Problem) Error() string { panic("contract") }

// Checker checks the objects of one push. Its methods may be called from
// several goroutines at once.
type Checker struct{}

// New returns a Checker. Findings below Error severity are given to note, if it
// is not nil; which severities make a push fail is git's own choice under
// receive.fsckObjects=true (verify with stock git in the tests).
func New(f git.Format, note func(*Problem)) *Checker { panic("contract") }

// Object checks one object and returns the first finding that refuses it, a
// *Problem, or nil. It remembers the blobs that trees call .gitmodules and
// .gitattributes, whose content can be judged only once they are known to be
// that; a blob seen before its tree is judged by Finish.
func (c *Checker) Object(id git.ID, kind git.Kind, data []byte) error { panic("contract") }

// Finish judges the remembered blobs, reading those that came before their tree
// (or were in the repository already) from objects.
func (c *Checker) Finish(ctx context.Context, objects git.Objects) error { panic("contract") }
