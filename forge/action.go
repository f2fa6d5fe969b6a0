package forge

import "fmt"

// Action is what an actor wants to do.
type Action uint8

const (
	// On a repository.
	Read              Action = iota + 1 // see it, clone it, fetch from it
	ReadCollaborators                   // see who has which role
	Push                                // move its refs, add objects
	Administer                          // settings, visibility, collaborators
	Delete                              // remove it for good

	// On an account.
	CreateRepository // under its name
	ReadUser         // its private part: e-mail, private lists
	EditUser         // profile, password
	ReadKeys         // its SSH keys with titles and dates
	WriteKeys        // add SSH keys
	DeleteKeys       // remove SSH keys
	ManageSecrets    // set the password; make, list and revoke tokens and sessions

	// On the instance.
	Operate // users, checks, sweeps
)

var actionNames = [...]string{"", "read", "see collaborators", "push", "administer", "delete", "create repository", "read user",
	"edit user", "read keys", "write keys", "delete keys", "manage secrets", "operate"}

// String names the action for logs and messages.
func (a Action) String() string {
	if a > 0 && int(a) < len(actionNames) {
		return actionNames[a]
	}
	return fmt.Sprintf("action(%d)", uint8(a))
}
