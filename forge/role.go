package forge

import "fmt"

// Role is what a user is in a repository; each includes the ones before it.
// The names are GitHub's.
type Role uint8

const (
	RoleNone Role = iota
	RoleRead
	RoleTriage
	RoleWrite
	RoleMaintain
	RoleAdmin
)

var roleNames = [...]string{"none", "read", "triage", "write", "maintain", "admin"}

// String returns the role's name: "none", "read", "triage", "write", "maintain" or "admin".
func (r Role) String() string {
	if int(r) < len(roleNames) {
		return roleNames[r]
	}
	return fmt.Sprintf("role(%d)", uint8(r))
}

// ParseRole is the inverse of String. GitHub's older words "pull" and "push"
// for read and write are taken too.
func ParseRole(name string) (Role, error) {
	switch name {
	case "pull":
		return RoleRead, nil
	case "push":
		return RoleWrite, nil
	}
	for i, n := range roleNames {
		if n == name {
			return Role(i), nil
		}
	}
	return RoleNone, Invalidf("permission", CodeInvalid, "unknown role %q", clip(name))
}
