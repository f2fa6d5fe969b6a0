package forge

import (
	"encoding/json"
	"time"
)

// EventKind says what an event tells of. The words are those of GitHub's webhooks.
type EventKind string

const (
	EventPush       EventKind = "push"       // PushEvent: refs moved, however that came about
	EventRepository EventKind = "repository" // RepositoryEvent: created, edited, renamed, …
	EventMember     EventKind = "member"     // MemberEvent: collaborators
	EventFork       EventKind = "fork"       // ForkEvent: in the log of what was forked
)

// Event is one line of the event log. It is written in the transaction that
// makes what it tells of happen, so the log misses nothing and invents nothing.
type Event struct {
	Seq        int64 // ascending in the order of commits; the cursor of readers
	Repository RepositoryID
	Kind       EventKind
	Time       time.Time
	Payload    json.RawMessage
}

// EventActor says who, in every payload.
type EventActor struct {
	ID    UserID `json:"id"` // 0 for the machine
	Login string `json:"login"`
	Via   string `json:"via"` // "password", "token 7", "key 3", "machine", …
}

// PushEvent is the payload of EventPush: refs that moved together.
type PushEvent struct {
	Actor   EventActor  `json:"actor"`
	Refs    []RefChange `json:"refs"`
	Options []string    `json:"options,omitempty"` // push options, in order
	// Certificate is the certificate of a signed push, as sent.
	Certificate string `json:"certificate,omitempty"`
}

// RefChange is one ref that moved. Old or New is all zeros for one created or deleted.
type RefChange struct {
	Name string `json:"ref"`
	Old  string `json:"before"`
	New  string `json:"after"`
}

// RepositoryEvent is the payload of EventRepository.
type RepositoryEvent struct {
	Actor EventActor `json:"actor"`
	// Action is "created", "edited", "renamed", "publicized", "privatized", "archived",
	// "unarchived", "imported" or "deleted".
	Action  string   `json:"action"`
	Owner   string   `json:"owner"`
	Name    string   `json:"name"`
	OldName string   `json:"old_name,omitempty"` // of "renamed"
	Changed []string `json:"changed,omitempty"`  // fields, of "edited"
}

// ForkEvent is the payload of EventFork. The fork's own log begins with a
// RepositoryEvent "created".
type ForkEvent struct {
	Actor EventActor `json:"actor"`
	Owner string     `json:"owner"` // of the fork
	Name  string     `json:"name"`
}

// MemberEvent is the payload of EventMember.
type MemberEvent struct {
	Actor  EventActor `json:"actor"`
	Action string     `json:"action"` // "added", "edited" or "removed"
	Member UserID     `json:"member"`
	Login  string     `json:"login"`
	Role   string     `json:"role,omitempty"`
}
