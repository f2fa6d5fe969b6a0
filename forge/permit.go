package forge

import "time"

// Permit decides whether actor may do action (one of those on a repository) on r. granted is the role that the actor's user was given there as
// a collaborator, RoleNone if none. It returns the role that counts in the end,
// or an error: NotFound, with nothing about the repository, when the actor may
// not see it, Denied when it may see it but no more.
func Permit(actor *Actor, action Action, r *Repository, granted Role, now time.Time) (Role, error) {
	if err := CheckActor(actor, now); err != nil {
		return RoleNone, err
	}
	has := roleIn(actor, r, granted)
	counts := min(has, reach(&actor.Credential, r))
	if counts < RoleRead {
		return RoleNone, NoRepository(actor)
	}
	needs := needed(action)
	switch {
	case counts >= needs:
	case has >= needs:
		return counts, Deniedf(actor, "The token does not reach that far: to %s needs another scope", action)
	default:
		return counts, Deniedf(actor, "Must have %s rights to the repository", needs)
	}
	if action == Delete && actor.Credential.Kind == ByToken && !actor.Credential.Scopes.Has(ScopeDeleteRepo) {
		return counts, Deniedf(actor, "Must have the scope %s to delete a repository", ScopeDeleteRepo)
	}
	if action == Push && r.Archived {
		return counts, Deniedf(actor, "Repository was archived so is read-only")
	}
	return counts, nil
}

// NoRepository is the one answer for a repository that is not there, and for
// one that actor may not see.
func NoRepository(actor *Actor) *Error { return NotFoundf(actor, "Repository not found") }

// CheckActor refuses, as Denied, an actor whose credential has run out since it
// was proved, as it may over a long connection.
func CheckActor(actor *Actor, now time.Time) error {
	if end := actor.Credential.Expires; !end.IsZero() && !now.Before(end) {
		return Deniedf(actor, "Credential has expired")
	}
	if actor.User != nil && actor.User.Suspended {
		return Deniedf(actor, "Account is suspended")
	}
	return nil
}

// roleIn is what the actor's user is in a repository, whatever the credential.
func roleIn(actor *Actor, r *Repository, granted Role) Role {
	switch {
	case actor.IsAdmin(), actor.User != nil && actor.User.ID == r.OwnerID:
		return RoleAdmin
	case actor.User == nil:
		granted = RoleNone
	}
	if !r.Private {
		return max(granted, RoleRead)
	}
	return granted
}

// reach is the highest role that a credential lets its user exercise in a
// repository. What is public everybody may read, with any token or none.
func reach(c *Credential, r *Repository) Role {
	if c.Kind != ByToken {
		return RoleAdmin
	}
	if c.Only == 0 || c.Only == r.ID {
		switch {
		case c.Scopes.Has(ScopeRepo), !r.Private && c.Scopes.Has(ScopePublicRepo):
			return RoleAdmin
		case c.Scopes.Has(ScopeReadRepo):
			return RoleRead
		}
	}
	if !r.Private {
		return RoleRead
	}
	return RoleNone
}

// needed is the role that an action on a repository takes. An action that is
// not one on repositories is never allowed.
func needed(action Action) Role {
	switch action {
	case Read:
		return RoleRead
	case ReadCollaborators, Push:
		return RoleWrite
	case Administer, Delete:
		return RoleAdmin
	}
	return RoleAdmin + 1
}

// PermitUser decides whether actor may do an action on the account owner, or on
// the instance (Operate; owner is 0). private tells CreateRepository which kind
// is to be made.
func PermitUser(actor *Actor, action Action, owner UserID, private bool, now time.Time) error {
	if err := CheckActor(actor, now); err != nil {
		return err
	}
	if actor.IsAnonymous() {
		return Deniedf(actor, "Requires authentication")
	}
	if action == Operate && !actor.IsAdmin() || !actor.IsAdmin() && actor.User.ID != owner {
		return Deniedf(actor, "Must be an administrator of this instance")
	}
	c := &actor.Credential
	switch {
	case action == ManageSecrets && (c.Kind == ByToken || c.Kind == ByKey):
		// Otherwise a token could make one with more scopes than its own.
		return Deniedf(actor, "Must sign in with a password to %s", action)
	case c.Kind != ByToken:
		return nil
	case action == Operate, action != CreateRepository && actor.IsAdmin():
		return nil // by its scope admin
	case c.Only != 0:
		return Deniedf(actor, "The token counts for one repository only")
	}
	scopes := scopesFor(action, private)
	if !c.Scopes.Has(scopes...) {
		return Deniedf(actor, "The token must have one of the scopes: %s", Scopes(scopes))
	}
	return nil
}

// scopesFor lists the scopes any one of which lets a token do an action on its
// own user's account.
func scopesFor(action Action, private bool) []Scope {
	switch action {
	case CreateRepository:
		if private {
			return []Scope{ScopeRepo}
		}
		return []Scope{ScopeRepo, ScopePublicRepo}
	case ReadUser:
		return []Scope{ScopeUser, ScopeReadUser, ScopeUserEmail}
	case EditUser:
		return []Scope{ScopeUser}
	case ReadKeys:
		return []Scope{ScopeAdminKeys, ScopeWriteKeys, ScopeReadKeys}
	case WriteKeys:
		return []Scope{ScopeAdminKeys, ScopeWriteKeys}
	case DeleteKeys:
		return []Scope{ScopeAdminKeys}
	}
	return nil
}
