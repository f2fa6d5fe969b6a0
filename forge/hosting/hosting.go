// Package hosting is the repositories of an instance: who may do what with
// which, making and changing them, and the way in for clones and pushes.
//
// There is one gate, Open: every operation on a repository passes it, once,
// before any work. What an actor may not see is NotFound in the same words as a
// name that was never used. Behind the gate the git engine does the work;
// hosting adds who, why and the event, and hands them to the engine's one commit.
package hosting

import (
	"encoding/json"
	"fmt"
	"strings"
	"time"

	"github.com/ingot-forge/ingot/forge"
	"github.com/ingot-forge/ingot/git/repo"
	"github.com/ingot-forge/ingot/git/transfer"
)

// Stores is where a Service keeps things and what does its git work.
type Stores struct {
	Repositories  Repositories
	Collaborators Collaborators
	Forks         Forks
	Events        Events
	Owners        Owners
	RefLog        RefLog
	Git           *transfer.Server // its Store is the repositories' content
}

// Limits bound the heavy work done at once. The zero value of a field means its
// default.
type Limits struct {
	Fetches          int           // clones, fetches and archives, all callers together; 64
	FetchesPerCaller int           // of them, for one user or address; 32
	Pushes           int           // pushes and imports, all callers together; 16
	PushesPerCaller  int           // of them, for one user or address; 8
	Wait             time.Duration // how long one waits for its turn before it is Exhausted; 30 s
}

// Config of a Service. The zero value of a field means its default.
type Config struct {
	Clock         func() time.Time
	Limits        Limits
	DefaultBranch string // of new repositories: "main"
}

// Service is the repositories of one instance. All methods may be called from
// several goroutines at once.
type Service struct {
	stores  Stores
	clock   func() time.Time
	branch  string
	fetches *turns
	pushes  *turns
	pushed  noted
	crowded chan struct{} // see Crowded; of size one
}

// NewService returns a Service. It starts no goroutine.
func NewService(stores Stores, c Config) *Service {
	if c.Clock == nil {
		c.Clock = time.Now
	}
	if c.DefaultBranch == "" {
		c.DefaultBranch = "main"
	}
	l := c.Limits
	fill(&l.Fetches, 64)
	fill(&l.FetchesPerCaller, 32)
	fill(&l.Pushes, 16)
	fill(&l.PushesPerCaller, 8)
	fill(&l.Wait, 30*time.Second)
	return &Service{
		stores:  stores,
		clock:   c.Clock,
		branch:  c.DefaultBranch,
		crowded: make(chan struct{}, 1),
		fetches: newTurns(l.Fetches, l.FetchesPerCaller, l.Wait),
		pushes:  newTurns(l.Pushes, l.PushesPerCaller, l.Wait),
	}
}

func fill[T comparable](v *T, standard T) {
	var zero T
	if *v == zero {
		*v = standard
	}
}

// now is the time in the precision that every store keeps.
func (s *Service) now() time.Time { return s.clock().UTC().Truncate(time.Microsecond) }

func who(actor *forge.Actor) forge.EventActor {
	return forge.EventActor{ID: actor.UserID(), Login: actor.Login(), Via: actor.Credential.String()}
}

// event makes a line of the event log out of one of forge's payloads.
func event(kind forge.EventKind, payload any) *repo.Event {
	data, err := json.Marshal(payload)
	if err != nil {
		panic(fmt.Sprintf("payload of a %s event: %v", kind, err)) // plain structs: cannot fail
	}
	return &repo.Event{Kind: string(kind), Payload: data}
}

// own is where the server's own refs are.
const own = "refs/ingot/"

// hidden reports the refs that are neither listed, nor fetched, nor pushed to,
// by anybody, in any version of the protocol.
func hidden(name string) bool { return strings.HasPrefix(name, own) }
