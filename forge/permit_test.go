package forge_test

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/ingot-forge/ingot/forge"
)

var now = time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC)

const (
	ownerID = forge.UserID(1)
	theRepo = forge.RepositoryID(10)
)

func user(id forge.UserID) *forge.Actor {
	return &forge.Actor{User: &forge.User{ID: id, Login: "u"}, Credential: forge.Credential{Kind: forge.ByPassword}}
}

func admin(id forge.UserID) *forge.Actor {
	a := user(id)
	a.User.Admin = true
	return a
}

func token(a *forge.Actor, only forge.RepositoryID, scopes ...forge.Scope) *forge.Actor {
	a.Credential = forge.Credential{Kind: forge.ByToken, ID: 7, Scopes: scopes, Only: only}
	return a
}

func with(a *forge.Actor, change func(*forge.Actor)) *forge.Actor {
	change(a)
	return a
}

// TestPermit is the table of docs/decisions/0007-who-may.md. Each word is what
// read, push, administer and delete come to: y for yes, d for Denied, n for
// NotFound.
func TestPermit(t *testing.T) {
	suspended := func(a *forge.Actor) { a.User.Suspended = true }
	expired := func(a *forge.Actor) { a.Credential.Expires = now }
	live := func(a *forge.Actor) { a.Credential.Expires = now.Add(1) }
	for _, c := range []struct {
		name            string
		actor           *forge.Actor
		granted         forge.Role
		public, private string
	}{
		{"anonymous", &forge.Actor{}, 0, "yddd", "nnnn"},
		{"anonymous, whatever is granted", &forge.Actor{}, forge.RoleAdmin, "yddd", "nnnn"},
		{"machine", forge.Machine(), 0, "yyyy", "yyyy"},
		{"stranger", user(2), 0, "yddd", "nnnn"},
		{"reader", user(2), forge.RoleRead, "yddd", "yddd"},
		{"triager", user(2), forge.RoleTriage, "yddd", "yddd"},
		{"writer", user(2), forge.RoleWrite, "yydd", "yydd"},
		{"maintainer", user(2), forge.RoleMaintain, "yydd", "yydd"},
		{"collaborating admin", user(2), forge.RoleAdmin, "yyyy", "yyyy"},
		{"owner", user(ownerID), 0, "yyyy", "yyyy"},
		{"owner by session", with(user(ownerID), func(a *forge.Actor) { a.Credential.Kind = forge.BySession }), 0, "yyyy", "yyyy"},
		{"owner by key", with(user(ownerID), func(a *forge.Actor) { a.Credential.Kind = forge.ByKey }), 0, "yyyy", "yyyy"},
		{"administrator", admin(2), 0, "yyyy", "yyyy"},
		{"suspended owner", with(user(ownerID), suspended), 0, "dddd", "dddd"},
		{"suspended administrator", with(admin(2), suspended), 0, "dddd", "dddd"},

		{"owner's token, no scopes", token(user(ownerID), 0), 0, "yddd", "nnnn"},
		{"owner's token, other scopes", token(user(ownerID), 0, forge.ScopeUser, forge.ScopeAdminKeys), 0, "yddd", "nnnn"},
		{"owner's token, read:repo", token(user(ownerID), 0, forge.ScopeReadRepo), 0, "yddd", "yddd"},
		{"owner's token, public_repo", token(user(ownerID), 0, forge.ScopePublicRepo), 0, "yyyd", "nnnn"},
		{"owner's token, public_repo read:repo", token(user(ownerID), 0, forge.ScopePublicRepo, forge.ScopeReadRepo), 0, "yyyd", "yddd"},
		{"owner's token, repo", token(user(ownerID), 0, forge.ScopeRepo), 0, "yyyd", "yyyd"},
		{"owner's token, delete_repo", token(user(ownerID), 0, forge.ScopeDeleteRepo), 0, "yddd", "nnnn"},
		{"owner's token, repo delete_repo", token(user(ownerID), 0, forge.ScopeRepo, forge.ScopeDeleteRepo), 0, "yyyy", "yyyy"},
		{"owner's token, public_repo delete_repo", token(user(ownerID), 0, forge.ScopePublicRepo, forge.ScopeDeleteRepo), 0, "yyyy", "nnnn"},
		{"owner's token for this one, repo", token(user(ownerID), theRepo, forge.ScopeRepo), 0, "yyyd", "yyyd"},
		{"owner's token for this one, read:repo", token(user(ownerID), theRepo, forge.ScopeReadRepo), 0, "yddd", "yddd"},
		{"owner's token for another, repo delete_repo", token(user(ownerID), theRepo+1, forge.ScopeRepo, forge.ScopeDeleteRepo), 0, "yddd", "nnnn"},
		{"owner's token, expired", with(token(user(ownerID), 0, forge.ScopeRepo), expired), 0, "dddd", "dddd"},
		{"owner's token, about to expire", with(token(user(ownerID), 0, forge.ScopeRepo), live), 0, "yyyd", "yyyd"},
		{"writer's token, repo", token(user(2), 0, forge.ScopeRepo), forge.RoleWrite, "yydd", "yydd"},
		{"reader's token, repo: no more than its user", token(user(2), 0, forge.ScopeRepo), forge.RoleRead, "yddd", "yddd"},
		{"stranger's token, all scopes but admin", token(user(2), 0, forge.ScopeRepo, forge.ScopeDeleteRepo), 0, "yddd", "nnnn"},
		{"stranger's token, admin: not one", token(user(2), 0, forge.ScopeRepo, forge.ScopeAdmin), 0, "yddd", "nnnn"},
		{"administrator's token, repo: as anybody's", token(admin(2), 0, forge.ScopeRepo), 0, "yddd", "nnnn"},
		{"administrator's token, admin", token(admin(2), 0, forge.ScopeAdmin), 0, "yddd", "nnnn"},
		{"administrator's token, repo admin", token(admin(2), 0, forge.ScopeRepo, forge.ScopeAdmin), 0, "yyyd", "yyyd"},
		{"administrator's token for this one, repo admin", token(admin(2), theRepo, forge.ScopeRepo, forge.ScopeAdmin), 0, "yddd", "nnnn"},
	} {
		for _, private := range []bool{false, true} {
			r := &forge.Repository{ID: theRepo, OwnerID: ownerID, Owner: "owner", Name: "hush-hush", Private: private}
			want := c.public
			if private {
				want = c.private
			}
			got := ""
			for _, action := range []forge.Action{forge.Read, forge.Push, forge.Administer, forge.Delete} {
				_, err := forge.Permit(c.actor, action, r, c.granted, now)
				got += outcome(t, c.actor, err)
			}
			if got != want {
				t.Errorf("%s, private %v: %s, want %s", c.name, private, got, want)
			}
		}
	}
}

// outcome is the letter of an answer. What is true of every answer is checked here.
func outcome(t *testing.T, actor *forge.Actor, err error) string {
	t.Helper()
	if err == nil {
		return "y"
	}
	var e *forge.Error
	if !errors.As(err, &e) {
		t.Fatalf("%v is no *forge.Error", err)
	}
	if e.Anonymous != actor.IsAnonymous() {
		t.Errorf("%v: Anonymous is %v", err, e.Anonymous)
	}
	if strings.Contains(e.Message, "hush-hush") || strings.Contains(e.Message, "owner") {
		t.Errorf("%q names the repository", e.Message)
	}
	switch e.Kind {
	case forge.Denied:
		return "d"
	case forge.NotFound:
		if e.Message != forge.NoRepository(actor).Message {
			t.Errorf("%q differs from the answer for no repository", e.Message)
		}
		return "n"
	}
	t.Errorf("error of kind %s", e.Kind)
	return "?"
}

func TestPermitArchived(t *testing.T) {
	r := &forge.Repository{ID: theRepo, OwnerID: ownerID, Archived: true}
	got := ""
	for _, action := range []forge.Action{forge.Read, forge.Push, forge.Administer, forge.Delete} {
		_, err := forge.Permit(user(ownerID), action, r, 0, now)
		got += outcome(t, user(ownerID), err)
	}
	if got != "ydyy" {
		t.Errorf("owner of an archived repository: %s, want ydyy", got)
	}
}

func TestPermitRole(t *testing.T) {
	private := &forge.Repository{ID: theRepo, OwnerID: ownerID, Private: true}
	public := &forge.Repository{ID: theRepo, OwnerID: ownerID}
	for _, c := range []struct {
		name  string
		actor *forge.Actor
		r     *forge.Repository
		given forge.Role
		want  forge.Role
	}{
		{"owner", user(ownerID), private, 0, forge.RoleAdmin},
		{"triager", user(2), private, forge.RoleTriage, forge.RoleTriage},
		{"anybody of a public one", user(2), public, 0, forge.RoleRead},
		{"owner by a token to read", token(user(ownerID), 0, forge.ScopeReadRepo), private, 0, forge.RoleRead},
	} {
		if got, err := forge.Permit(c.actor, forge.Read, c.r, c.given, now); err != nil || got != c.want {
			t.Errorf("%s: role %s, %v; want %s", c.name, got, err, c.want)
		}
	}
}

// TestPermitReadCollaborators: who may push may see who else may, also when an
// archive takes no pushes.
func TestPermitReadCollaborators(t *testing.T) {
	for _, c := range []struct {
		name            string
		actor           *forge.Actor
		granted         forge.Role
		public, private string
	}{
		{"anonymous", &forge.Actor{}, 0, "d", "n"},
		{"reader", user(2), forge.RoleRead, "d", "d"},
		{"triager", user(2), forge.RoleTriage, "d", "d"},
		{"writer", user(2), forge.RoleWrite, "y", "y"},
		{"owner", user(ownerID), 0, "y", "y"},
		{"owner's token, read:repo", token(user(ownerID), 0, forge.ScopeReadRepo), 0, "d", "d"},
		{"owner's token, public_repo", token(user(ownerID), 0, forge.ScopePublicRepo), 0, "y", "n"},
	} {
		for _, private := range []bool{false, true} {
			r := &forge.Repository{ID: theRepo, OwnerID: ownerID, Private: private, Archived: true}
			want := c.public
			if private {
				want = c.private
			}
			_, err := forge.Permit(c.actor, forge.ReadCollaborators, r, c.granted, now)
			if got := outcome(t, c.actor, err); got != want {
				t.Errorf("%s, private %v: %s, want %s", c.name, private, got, want)
			}
		}
	}
}

// TestPermitUnknownAction: what is no action on repositories nobody may do.
func TestPermitUnknownAction(t *testing.T) {
	r := &forge.Repository{ID: theRepo, OwnerID: ownerID}
	for _, action := range []forge.Action{0, forge.CreateRepository, forge.Operate, 200} {
		if _, err := forge.Permit(forge.Machine(), action, r, 0, now); forge.KindOf(err) != forge.Denied {
			t.Errorf("%s: %v, want Denied", action, err)
		}
	}
}

// TestPermitUser: each word is what a private and a public CreateRepository,
// ReadUser, EditUser, ReadKeys, WriteKeys, DeleteKeys, ManageSecrets come to on
// the account, and Operate.
func TestPermitUser(t *testing.T) {
	key := with(user(ownerID), func(a *forge.Actor) { a.Credential.Kind = forge.ByKey })
	for _, c := range []struct {
		name  string
		actor *forge.Actor
		want  string
	}{
		{"anonymous", &forge.Actor{}, "dddddddd d"},
		{"machine", forge.Machine(), "yyyyyyyy y"},
		{"user", user(ownerID), "yyyyyyyy d"},
		{"another", user(2), "dddddddd d"},
		{"administrator", admin(2), "yyyyyyyy y"},
		{"suspended", with(user(ownerID), func(a *forge.Actor) { a.User.Suspended = true }), "dddddddd d"},
		{"key", key, "yyyyyyyd d"},
		{"token, none", token(user(ownerID), 0), "dddddddd d"},
		{"token, repo", token(user(ownerID), 0, forge.ScopeRepo), "yydddddd d"},
		{"token, public_repo", token(user(ownerID), 0, forge.ScopePublicRepo), "dydddddd d"},
		{"token, read:repo delete_repo", token(user(ownerID), 0, forge.ScopeReadRepo, forge.ScopeDeleteRepo), "dddddddd d"},
		{"token, user", token(user(ownerID), 0, forge.ScopeUser), "ddyydddd d"},
		{"token, read:user", token(user(ownerID), 0, forge.ScopeReadUser), "ddyddddd d"},
		{"token, user:email", token(user(ownerID), 0, forge.ScopeUserEmail), "ddyddddd d"},
		{"token, read:public_key", token(user(ownerID), 0, forge.ScopeReadKeys), "ddddyddd d"},
		{"token, write:public_key", token(user(ownerID), 0, forge.ScopeWriteKeys), "ddddyydd d"},
		{"token, admin:public_key", token(user(ownerID), 0, forge.ScopeAdminKeys), "ddddyyyd d"},
		{"token, admin without being one", token(user(ownerID), 0, forge.ScopeAdmin), "dddddddd d"},
		{"token, all", token(user(ownerID), 0, forge.ScopeRepo, forge.ScopeUser, forge.ScopeAdminKeys), "yyyyyyyd d"},
		{"token for one repository, all", token(user(ownerID), theRepo, forge.ScopeRepo, forge.ScopeUser, forge.ScopeAdminKeys), "dddddddd d"},
		{"another's token", token(user(2), 0, forge.ScopeRepo, forge.ScopeUser, forge.ScopeAdminKeys), "dddddddd d"},
		{"administrator's token, repo user", token(admin(2), 0, forge.ScopeRepo, forge.ScopeUser), "dddddddd d"},
		{"administrator's token, admin", token(admin(2), 0, forge.ScopeAdmin), "ddyyyyyd y"},
		{"administrator's token, admin repo", token(admin(2), 0, forge.ScopeAdmin, forge.ScopeRepo), "yyyyyyyd y"},
		{"administrator's token for one repository", token(admin(2), theRepo, forge.ScopeAdmin, forge.ScopeRepo), "dddddddd d"},
		{"token, expired", with(token(user(ownerID), 0, forge.ScopeRepo), func(a *forge.Actor) { a.Credential.Expires = now }), "dddddddd d"},
	} {
		got := ""
		for _, private := range []bool{true, false} {
			got += outcome(t, c.actor, forge.PermitUser(c.actor, forge.CreateRepository, ownerID, private, now))
		}
		for _, action := range []forge.Action{forge.ReadUser, forge.EditUser, forge.ReadKeys, forge.WriteKeys, forge.DeleteKeys, forge.ManageSecrets} {
			got += outcome(t, c.actor, forge.PermitUser(c.actor, action, ownerID, false, now))
		}
		got += " " + outcome(t, c.actor, forge.PermitUser(c.actor, forge.Operate, 0, false, now))
		if got != c.want {
			t.Errorf("%s: %s, want %s", c.name, got, c.want)
		}
	}
}
