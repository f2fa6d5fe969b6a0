package api

import (
	"encoding/base64"
	"fmt"
	"net/http"
	"strconv"
	"time"

	"github.com/ingot-forge/ingot/forge"
	"github.com/ingot-forge/ingot/forge/account"
)

// simpleUser is GitHub's "simple-user".
type simpleUser struct {
	Login             string `json:"login"`
	ID                int64  `json:"id"`
	NodeID            string `json:"node_id"`
	AvatarURL         string `json:"avatar_url"`
	GravatarID        string `json:"gravatar_id"`
	URL               string `json:"url"`
	HTMLURL           string `json:"html_url"`
	FollowersURL      string `json:"followers_url"`
	FollowingURL      string `json:"following_url"`
	GistsURL          string `json:"gists_url"`
	StarredURL        string `json:"starred_url"`
	SubscriptionsURL  string `json:"subscriptions_url"`
	OrganizationsURL  string `json:"organizations_url"`
	ReposURL          string `json:"repos_url"`
	EventsURL         string `json:"events_url"`
	ReceivedEventsURL string `json:"received_events_url"`
	Type              string `json:"type"`
	SiteAdmin         bool   `json:"site_admin"`
	View              string `json:"user_view_type"`
}

// publicUser is GitHub's "public-user"; Email is null unless the caller may
// know it.
type publicUser struct {
	simpleUser
	Name        *string   `json:"name"`
	Company     *string   `json:"company"`
	Blog        string    `json:"blog"`
	Location    *string   `json:"location"`
	Email       *string   `json:"email"`
	Hireable    *bool     `json:"hireable"`
	Bio         *string   `json:"bio"`
	PublicRepos int       `json:"public_repos"`
	PublicGists int       `json:"public_gists"`
	Followers   int       `json:"followers"`
	Following   int       `json:"following"`
	CreatedAt   time.Time `json:"created_at"`
	UpdatedAt   time.Time `json:"updated_at"`
}

// nodeID is an opaque name of a thing, in the form GitHub used for years.
func nodeID(kind string, id int64) string {
	return base64.StdEncoding.EncodeToString(fmt.Appendf(nil, "0%d:%s%d", len(kind), kind, id))
}

func (a *api) simpleUser(login string, id forge.UserID, admin bool) simpleUser {
	u := a.base + "/users/" + login
	return simpleUser{
		Login: login, ID: int64(id), NodeID: nodeID("User", int64(id)), AvatarURL: a.URL + "/avatars/" + login,
		URL: u, HTMLURL: a.URL + "/" + login, FollowersURL: u + "/followers", FollowingURL: u + "/following{/other_user}",
		GistsURL: u + "/gists{/gist_id}", StarredURL: u + "/starred{/owner}{/repo}", SubscriptionsURL: u + "/subscriptions",
		OrganizationsURL: u + "/orgs", ReposURL: u + "/repos", EventsURL: u + "/events{/privacy}",
		ReceivedEventsURL: u + "/received_events", Type: "User", SiteAdmin: admin, View: "public",
	}
}

// publicUser completes a user with what is public and, of the e-mail address,
// what account let through. The number of public repositories is counted up to
// one page of them: more is a list's business.
func (a *api) publicUser(r *request, u *forge.User) (publicUser, error) {
	p := publicUser{simpleUser: a.simpleUser(u.Login, u.ID, u.Admin), Name: optional(u.Name), Email: optional(u.Email),
		CreatedAt: u.Created.UTC(), UpdatedAt: u.Updated.UTC()}
	public, _, err := walk(paging{page: 1, size: maxPageSize}, repositoryID, func(after int64, limit int) ([]*forge.Repository, error) {
		return a.Hosting.ListOwned(r.Context(), forge.Anonymous(r.actor.Address), u.Login, page(after, limit))
	})
	p.PublicRepos = len(public)
	return p, err
}

func optional(s string) *string {
	if s == "" {
		return nil
	}
	return &s
}

func (a *api) getUser(r *request) (*result, error) {
	if err := r.signedIn(); err != nil {
		return nil, err
	}
	u, err := a.Accounts.FindUser(r.Context(), r.actor, r.actor.User.Login)
	if err != nil {
		return nil, err
	}
	p, err := a.publicUser(r, u)
	if err != nil {
		return nil, err
	}
	return ok(p), nil
}

func (a *api) getUserByLogin(r *request) (*result, error) {
	u, err := a.Accounts.FindUser(r.Context(), r.actor, r.param("login"))
	if err != nil {
		return nil, err
	}
	p, err := a.publicUser(r, u)
	if err != nil {
		return nil, err
	}
	return ok(p), nil
}

// sshKey is GitHub's "key".
type sshKey struct {
	ID        int64      `json:"id"`
	Key       string     `json:"key"`
	URL       string     `json:"url"`
	Title     string     `json:"title"`
	Verified  bool       `json:"verified"`
	CreatedAt time.Time  `json:"created_at"`
	ReadOnly  bool       `json:"read_only"`
	LastUsed  *time.Time `json:"last_used"`
}

func (a *api) sshKey(k *account.Key) sshKey {
	out := sshKey{ID: k.ID, Key: k.Authorized, URL: fmt.Sprintf("%s/user/keys/%d", a.base, k.ID), Title: k.Title,
		Verified: true, CreatedAt: k.Created.UTC()}
	if !k.Used.IsZero() {
		used := k.Used.UTC()
		out.LastUsed = &used
	}
	return out
}

func (a *api) listKeys(r *request) (*result, error) {
	if err := r.signedIn(); err != nil {
		return nil, err
	}
	p := r.paging()
	keys, more, err := walk(p, func(k *account.Key) int64 { return k.ID }, func(after int64, limit int) ([]*account.Key, error) {
		return a.Accounts.ListKeys(r.Context(), r.actor, r.actor.User.Login, after, limit)
	})
	if err != nil {
		return nil, err
	}
	body := make([]sshKey, len(keys))
	for i, k := range keys {
		body[i] = a.sshKey(k)
	}
	return &result{status: http.StatusOK, body: body, link: a.link(r, p, more)}, nil
}

func (a *api) createKey(r *request) (*result, error) {
	if err := r.signedIn(); err != nil {
		return nil, err
	}
	var in struct{ Title, Key string }
	if err := r.decode(&in); err != nil {
		return nil, err
	}
	k, err := a.Accounts.AddKey(r.Context(), r.actor, r.actor.User.Login, in.Title, in.Key)
	if err != nil {
		return nil, err
	}
	body := a.sshKey(k)
	return &result{status: http.StatusCreated, body: body, location: body.URL}, nil
}

func (a *api) deleteKey(r *request) (*result, error) {
	if err := r.signedIn(); err != nil {
		return nil, err
	}
	id, err := strconv.ParseInt(r.param("key"), 10, 64)
	if err != nil {
		return nil, errNotFound
	}
	if err := a.Accounts.DeleteKey(r.Context(), r.actor, r.actor.User.Login, id); err != nil {
		return nil, err
	}
	return &result{status: http.StatusNoContent}, nil
}
