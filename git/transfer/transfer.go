// Package transfer speaks the git protocol over any pair of streams: the
// serving end of clone, fetch, push and archive. It knows no HTTP and no SSH;
// what those two add (how a version is asked for, where one request ends) comes
// in by options.
//
// What is written comes in pieces as large as is good for the wire, and each is
// meant to reach the client: w must not hold it back. A Read or Write that blocks
// is waited for, also after the context has ended: who gives a client up closes
// its streams, and then the session ends, with no goroutine left.
//
// What clients may have is what the visible refs reach, in every version of the
// protocol: a want is a visible ref's target or reachable from one, and anything
// else (unknown, unreachable, hidden) is refused in the same words.
package transfer

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/ingot-forge/ingot/git"
	"github.com/ingot-forge/ingot/git/repo"
	"github.com/ingot-forge/ingot/git/wire"
)

// Version is a protocol version: 0, 1 or 2.
type Version int

// ParseVersion reads what a client asks for in GIT_PROTOCOL or the Git-Protocol
// header ("version=2:key=value"): the highest version named, and 0 where none
// that is known is.
func ParseVersion(s string) Version {
	highest := Version(0)
	for field := range strings.SplitSeq(s, ":") {
		switch field {
		case "version=1":
			highest = max(highest, 1)
		case "version=2":
			highest = max(highest, 2)
		}
	}
	return highest
}

// Limits bound what a request may cost; past one, the client gets an ERR line
// or an error on the sideband. Zero fields mean their defaults.
type Limits struct {
	Wants, Haves, Shallows int // lines of each kind in one request
	RefPrefixes            int // past it all refs are listed
	Commands               int // ref updates in one push
	RefName                int // bytes of a pushed ref's name; git.MaxRefName, which it can only lower
	PushOptions            int
	PushOptionBytes        int // all of them
	CertBytes              int // of a push certificate
	ObjectInfos            int // objects that one object-info request asks about
	ArchiveEntries         int // members of one archive
	ArchiveBytes           int64
}

// DefaultLimits are taken for the zero fields of Limits. A clone wants every
// ref there is, so wants allow for a million; the others are far beyond what git
// itself sends.
var DefaultLimits = Limits{
	Wants:           1 << 20,
	Haves:           1 << 20,
	Shallows:        1 << 18,
	RefPrefixes:     1 << 16, // git's own
	Commands:        1 << 17,
	RefName:         git.MaxRefName,
	PushOptions:     64,
	PushOptionBytes: 64 << 10,
	CertBytes:       1 << 20,
	ObjectInfos:     1 << 16,
	ArchiveEntries:  1 << 20,
	ArchiveBytes:    64 << 30,
}

func (l Limits) fetch() wire.FetchLimits {
	return wire.FetchLimits{
		Wants:    orDefault(l.Wants, DefaultLimits.Wants),
		Haves:    orDefault(l.Haves, DefaultLimits.Haves),
		Shallows: orDefault(l.Shallows, DefaultLimits.Shallows),
	}
}

func (l Limits) push() wire.PushLimits {
	return wire.PushLimits{
		Commands:    orDefault(l.Commands, DefaultLimits.Commands),
		Shallows:    orDefault(l.Shallows, DefaultLimits.Shallows),
		Options:     orDefault(l.PushOptions, DefaultLimits.PushOptions),
		OptionBytes: orDefault(l.PushOptionBytes, DefaultLimits.PushOptionBytes),
		CertBytes:   orDefault(l.CertBytes, DefaultLimits.CertBytes),
	}
}

func orDefault[T int | int64](n, fallback T) T {
	if n == 0 {
		return fallback
	}
	return n
}

// Server serves one node's git protocol. It may serve any number of sessions at once,
// and is not to be copied.
type Server struct {
	Store  *repo.Store
	Agent  string // "ingot/1.2.3"
	Limits Limits
	// NonceSeed is the secret of the nonces that signed pushes have to carry,
	// the same on every node. Without it signed pushes are not offered.
	NonceSeed []byte

	recipes    recipes // of packs that were sent
	searches   searches
	maxPlanned int // tests have it smaller
}

// keepAlive is how often a client that waits is sent something: often enough
// for the idle time-outs of proxies, as git does it.
const keepAlive = 5 * time.Second

// Told is matched by errors that were already reported to the client in the
// protocol, so that a caller does not answer twice.
//
//lint:ignore ST1012 it says more about the client than about the error
var Told = errors.New("reported to the client")

// toldError marks an error as reported.
type toldError struct{ err error }

func (e *toldError) Error() string        { return e.err.Error() }
func (e *toldError) Unwrap() error        { return e.err }
func (e *toldError) Is(target error) bool { return target == Told }

func told(err error) error { return &toldError{err} }

// refusal is an error whose text is meant for the client.
type refusal struct{ msg string }

func (e *refusal) Error() string { return e.msg }

func refusef(format string, args ...any) error { return &refusal{fmt.Sprintf(format, args...)} }

// explain returns what a client is told of err: the reason if it lies in the
// request or in the repository's data, and nothing about our insides otherwise.
func explain(err error) string {
	var r *refusal
	var p *wire.ProtocolError
	var l *wire.LimitError
	switch {
	case errors.As(err, &r):
		return r.msg
	case errors.As(err, &p):
		return "protocol error: " + p.Error()
	case errors.As(err, &l):
		return l.Error()
	case stalled(err):
		return "the request did not go on for too long"
	case errors.Is(err, repo.ErrFull):
		return repo.ErrFull.Error()
	case errors.Is(err, context.Canceled), errors.Is(err, context.DeadlineExceeded):
		return "the server gave up: time is over or it is shutting down"
	case errors.Is(err, git.ErrNotFound), errors.Is(err, git.ErrCorrupt):
		return "aborting due to possible repository corruption on the remote side: " + err.Error()
	}
	return "internal error on the server"
}
