package forge

import (
	"net/netip"
	"strconv"
	"time"
)

// CredentialKind is how an actor proved who it is.
type CredentialKind uint8

const (
	NoCredential CredentialKind = iota // anonymous
	ByPassword                         // login and password in this request
	BySession                          // a sign-in on the web pages
	ByToken                            // a token, which limits what its user may do
	ByKey                              // an SSH key
	ByMachine                          // the operator, at the machine's own command line
)

// Credential is what an actor came with.
type Credential struct {
	Kind CredentialKind
	ID   int64 // of the token, session or key; 0 otherwise
	// Expires is when it stops being valid; zero for never.
	Expires time.Time
	// Scopes and Only limit a token, and nothing else. Only is the one repository on which
	// the scopes count; 0 for all.
	Scopes Scopes
	Only   RepositoryID
}

// String says for the log how the actor came: "anonymous", "password", "token 7", "key 3", …
func (c Credential) String() string {
	switch c.Kind {
	case ByPassword:
		return "password"
	case BySession:
		return "session " + strconv.FormatInt(c.ID, 10)
	case ByToken:
		return "token " + strconv.FormatInt(c.ID, 10)
	case ByKey:
		return "key " + strconv.FormatInt(c.ID, 10)
	case ByMachine:
		return "machine"
	}
	return "anonymous"
}

// Actor is who asks: a user or nobody in particular, by which credential, from
// where. The zero Actor is anonymous. It is not changed once made.
type Actor struct {
	User       *User // nil: anonymous, or the machine
	Credential Credential
	Address    netip.Addr // of the other side, for the log and for limits; may be invalid
}

// Anonymous returns the actor who has not said who it is.
func Anonymous(from netip.Addr) *Actor { return &Actor{Address: from} }

// Machine returns the actor of the command line of the machine that the instance
// runs on: whoever has the data directory may do everything.
func Machine() *Actor { return &Actor{Credential: Credential{Kind: ByMachine}} }

// IsAnonymous reports whether signing in could change the answer.
func (a *Actor) IsAnonymous() bool { return a.User == nil && a.Credential.Kind != ByMachine }

// Login is the user's login, "" when anonymous, "(machine)" for the machine; it goes to ref log and event log.
func (a *Actor) Login() string {
	switch {
	case a.User != nil:
		return a.User.Login
	case a.Credential.Kind == ByMachine:
		return "(machine)"
	}
	return ""
}

// UserID is the user's id; 0 for anonymous and the machine.
func (a *Actor) UserID() UserID {
	if a.User == nil {
		return 0
	}
	return a.User.ID
}

// IsAdmin reports whether the actor may use the powers of an administrator of
// the instance now: a token of an administrator does so only with the scope admin,
// and only if it is not limited to one repository.
func (a *Actor) IsAdmin() bool {
	if a.Credential.Kind == ByMachine {
		return true
	}
	if a.User == nil || !a.User.Admin {
		return false
	}
	return a.Credential.Kind != ByToken || a.Credential.Scopes.Has(ScopeAdmin) && a.Credential.Only == 0
}

// Caller names the actor for limits per caller: the user, or the address it
// comes from (for IPv6 the /64, which is what one customer gets).
func (a *Actor) Caller() string {
	if a.User != nil {
		return "user " + strconv.FormatInt(int64(a.User.ID), 10)
	}
	if a.Credential.Kind == ByMachine {
		return "machine"
	}
	return Network(a.Address)
}

// Network returns the address, or the /64 of an IPv6 address, as text: the unit in
// which limits count strangers.
func Network(addr netip.Addr) string {
	addr = addr.Unmap().WithZone("")
	if addr.Is6() {
		if prefix, err := addr.Prefix(64); err == nil {
			return prefix.String()
		}
	}
	return addr.String()
}
