package forge

import (
	"slices"
	"strings"
)

// Scope is one right that a token carries. The names are GitHub's where it has
// the right; read:repo, which it lacks, is ours.
type Scope string

const (
	ScopeRepo       Scope = "repo"        // everything on repositories but deleting them
	ScopePublicRepo Scope = "public_repo" // the same, public repositories only
	ScopeReadRepo   Scope = "read:repo"   // reading repositories, private ones too
	ScopeDeleteRepo Scope = "delete_repo" // deleting repositories

	ScopeUser      Scope = "user"       // reading and editing one's account
	ScopeReadUser  Scope = "read:user"  // reading the private part of one's account
	ScopeUserEmail Scope = "user:email" // as read:user; GitHub's name for the e-mail alone

	ScopeAdminKeys Scope = "admin:public_key" // SSH keys: list, add, remove
	ScopeWriteKeys Scope = "write:public_key" // list, add
	ScopeReadKeys  Scope = "read:public_key"  // list

	ScopeAdmin Scope = "admin" // using the powers of an administrator of the instance
)

var allScopes = []Scope{ScopeRepo, ScopePublicRepo, ScopeReadRepo, ScopeDeleteRepo, ScopeUser, ScopeReadUser,
	ScopeUserEmail, ScopeAdminKeys, ScopeWriteKeys, ScopeReadKeys, ScopeAdmin}

// Scopes is a set of scopes: sorted, each once.
type Scopes []Scope

// ParseScopes reads scopes separated by commas or spaces; none is a valid set.
// An unknown one is Invalid.
func ParseScopes(s string) (Scopes, error) {
	if len(s) > 1024 {
		return nil, Invalidf("scopes", CodeInvalid, "list of scopes is too long")
	}
	var set Scopes
	for _, word := range strings.FieldsFunc(s, func(r rune) bool { return r == ',' || r == ' ' }) {
		if !slices.Contains(allScopes, Scope(word)) {
			return nil, Invalidf("scopes", CodeInvalid, "unknown scope %q", clip(word))
		}
		set = append(set, Scope(word))
	}
	slices.Sort(set)
	return slices.Compact(set), nil
}

// String returns the scopes separated by ", ", as GitHub's X-OAuth-Scopes has them.
func (s Scopes) String() string {
	words := make([]string, len(s))
	for i, scope := range s {
		words[i] = string(scope)
	}
	return strings.Join(words, ", ")
}

// Has reports whether the set has one of the scopes.
func (s Scopes) Has(any ...Scope) bool {
	return slices.ContainsFunc(any, func(scope Scope) bool { return slices.Contains(s, scope) })
}
