package forge

import (
	"errors"
	"fmt"
	"time"
)

// Kind is one of the five kinds of error that the core returns. Anything that
// is not an *Error is a failure of ours: nothing of it is shown to a caller.
type Kind uint8

const (
	Invalid   Kind = iota + 1 // the request itself is wrong; the same again will fail again
	Denied                    // the actor may see the thing but not do that; or its credential is bad
	NotFound                  // no such thing, or none that the actor may know of
	Conflict                  // the thing is not in the state that the request expects
	Exhausted                 // a limit over time or of capacity; again after RetryAfter
)

// String names the kind.
func (k Kind) String() string {
	switch k {
	case Invalid:
		return "invalid"
	case Denied:
		return "denied"
	case NotFound:
		return "not found"
	case Conflict:
		return "conflict"
	case Exhausted:
		return "exhausted"
	}
	return fmt.Sprintf("kind(%d)", uint8(k))
}

// Error is what the core answers when it does not do as asked. Message is a sentence
// without a final stop that may be shown to the caller as it is.
type Error struct {
	Kind    Kind
	Message string
	Fields  []FieldError // what is wrong with which field; may be empty
	// Anonymous: the actor has not said who it is, and signing in may change
	// the answer. HTTP answers 401 instead of 403 and, for git clients, of 404.
	Anonymous  bool
	RetryAfter time.Duration // of Exhausted
}

// FieldError names one wrong field, as GitHub's "errors" list does.
type FieldError struct {
	Resource string // "Repository", "User", "PublicKey", …; may be empty
	Field    string // in the API's words: "name", "default_branch", …
	Code     string // one of the Code constants
	Message  string // may be empty
}

// The codes of field errors are GitHub's.
const (
	CodeMissing       = "missing"        // what the field names does not exist
	CodeMissingField  = "missing_field"  // the field is required
	CodeInvalid       = "invalid"        // its form is wrong
	CodeAlreadyExists = "already_exists" // another has it
	CodeCustom        = "custom"         // see Message
)

// Error returns the message.
func (e *Error) Error() string { return e.Message }

// KindOf returns the kind of the first *Error in err's chain, or 0: ours.
func KindOf(err error) Kind {
	var e *Error
	if errors.As(err, &e) {
		return e.Kind
	}
	return 0
}

// Invalidf returns an Invalid error about one field; field may be "".
func Invalidf(field, code, format string, args ...any) *Error {
	e := &Error{Kind: Invalid, Message: fmt.Sprintf(format, args...)}
	if field != "" {
		e.Fields = []FieldError{{Field: field, Code: code, Message: e.Message}}
	}
	return e
}

// Deniedf returns a Denied error for actor.
func Deniedf(actor *Actor, format string, args ...any) *Error {
	return &Error{Kind: Denied, Message: fmt.Sprintf(format, args...), Anonymous: actor.IsAnonymous()}
}

// NotFoundf returns a NotFound error for actor. Its text must be the same whether the thing
// does not exist or may not be seen.
func NotFoundf(actor *Actor, format string, args ...any) *Error {
	return &Error{Kind: NotFound, Message: fmt.Sprintf(format, args...), Anonymous: actor.IsAnonymous()}
}

// Conflictf returns a Conflict error about one field; field may be "".
func Conflictf(field, code, format string, args ...any) *Error {
	e := Invalidf(field, code, format, args...)
	e.Kind = Conflict
	return e
}

// Exhaustedf returns an Exhausted error.
func Exhaustedf(retryAfter time.Duration, format string, args ...any) *Error {
	return &Error{Kind: Exhausted, Message: fmt.Sprintf(format, args...), RetryAfter: retryAfter}
}

// ErrNoRow is what stores return for a row that is not there; the core turns it
// into what the actor may hear.
var ErrNoRow = errors.New("no such row")

// clip keeps a hostile string short enough for a message.
func clip(s string) string {
	if len(s) > 80 {
		return s[:80] + "…"
	}
	return s
}
