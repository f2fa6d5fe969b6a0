package forge

import "time"

// Permit decides whether actor may do action (Read, Push, Administer or Delete)
// on a repository. granted is the role that the actor's user was given there as
// a collaborator, RoleNone if none. It returns the role that counts in the end,
// or an error: NotFound, with nothing about the repository, when the actor may not
// see it, Denied when it may but no more.
func Permit(actor *Actor, action Action, r *Repository, granted Role, now time.Time) (Role, error) {
	panic("contract")
}

// PermitUser decides whether actor may do an action on an account, or on the
// instance (Operate, then owner is 0). private tells CreateRepository which kind.
func PermitUser(actor *Actor, action Action, owner UserID, private bool, now time.Time) error {
	panic("contract")
}
