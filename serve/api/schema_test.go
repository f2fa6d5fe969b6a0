package api_test

import (
	"net/http"
	"strings"
	"testing"
)

// What GitHub's own schemas (GHES 3.19) require of each answer. A name with a
// dot is a field of a field.
const (
	simpleUserFields = `avatar_url events_url followers_url following_url gists_url gravatar_id html_url id node_id login
		organizations_url received_events_url repos_url site_admin starred_url subscriptions_url type url`
	publicUserFields = simpleUserFields + ` bio blog company created_at email followers following hireable location name
		public_gists public_repos updated_at`
	repositoryFields = `archive_url assignees_url blobs_url branches_url collaborators_url comments_url commits_url compare_url
		contents_url contributors_url deployments_url description downloads_url events_url fork forks_url full_name git_commits_url
		git_refs_url git_tags_url hooks_url html_url id node_id issue_comment_url issue_events_url issues_url keys_url labels_url
		languages_url merges_url milestones_url name notifications_url owner private pulls_url releases_url stargazers_url statuses_url
		subscribers_url subscription_url tags_url teams_url trees_url url clone_url default_branch forks forks_count git_url
		has_downloads has_issues has_projects has_wiki has_pages homepage language archived disabled mirror_url open_issues
		open_issues_count license pushed_at size ssh_url stargazers_count svn_url watchers watchers_count created_at updated_at
		has_discussions permissions.admin permissions.pull permissions.push`
	fullRepositoryFields = repositoryFields + ` network_count subscribers_count`
	shortBranchFields    = `name commit.sha commit.url protected`
	tagFields            = `name node_id commit.sha commit.url zipball_url tarball_url`
	gitRefFields         = `ref node_id url object.type object.sha object.url`
	keyFields            = `key id url title created_at verified read_only`
	collaboratorFields   = simpleUserFields + ` role_name permissions.pull permissions.push permissions.admin`
	errorFields          = `message documentation_url status`
)

// mayBeNull are the fields that GitHub's schemas let be null.
const mayBeNull = ` description homepage language mirror_url license bio company email hireable location name pushed_at blog last_used `

func lacks(object map[string]any, fields string) (missing []string) {
	for _, field := range strings.Fields(fields) {
		outer, inner, nested := strings.Cut(field, ".")
		value, ok := object[outer]
		if nested {
			within, _ := value.(map[string]any)
			value, ok = within[inner]
		}
		if !ok || value == nil && !strings.Contains(mayBeNull, " "+field+" ") {
			missing = append(missing, field)
		}
	}
	return missing
}

func TestAnswersHaveGitHubsFields(t *testing.T) {
	w := open(t)
	w.push(t, "open")
	w.call(t, w.alice, "PUT", "/repos/alice/open/collaborators/bob", "").want(t, 204)
	w.call(t, w.alice, "POST", "/user/keys", `{"title":"t","key":"`+aKey+`"}`).want(t, 201)
	for _, c := range []struct{ path, fields string }{
		{"/user", publicUserFields},
		{"/users/bob", publicUserFields},
		{"/user/repos", repositoryFields},
		{"/users/alice/repos", repositoryFields},
		{"/user/keys", keyFields},
		{"/repos/alice/open", fullRepositoryFields},
		{"/repos/alice/open/branches", shortBranchFields},
		{"/repos/alice/open/tags", tagFields},
		{"/repos/alice/open/git/refs", gitRefFields},
		{"/repos/alice/open/git/matching-refs/heads", gitRefFields},
		{"/repos/alice/open/git/ref/heads/main", gitRefFields},
		{"/repos/alice/open/collaborators", collaboratorFields},
		{"/repos/alice/none", errorFields},
		{"/meta", "verifiable_password_authentication installed_version"},
		{"/", "current_user_url repository_url user_url rate_limit_url"},
	} {
		a := w.call(t, w.alice, "GET", c.path, "")
		objects := []map[string]any{}
		if strings.HasPrefix(a.text, "[") {
			objects = a.list(t)
		} else {
			objects = append(objects, a.object(t))
		}
		if len(objects) == 0 {
			t.Errorf("%s: an empty list", c.path)
		}
		for _, object := range objects {
			if missing := lacks(object, c.fields); len(missing) > 0 {
				t.Errorf("%s lacks %q", c.path, missing)
			}
			if owner, ok := object["owner"].(map[string]any); ok {
				if missing := lacks(owner, simpleUserFields); len(missing) > 0 {
					t.Errorf("owner in %s lacks %q", c.path, missing)
				}
			}
		}
		for header, want := range map[string]string{"Content-Type": "application/json; charset=utf-8", "X-Github-Media-Type": "github.v3; format=json",
			"X-Github-Enterprise-Version": "3.19.0", "X-Content-Type-Options": "nosniff", "Access-Control-Allow-Origin": "*",
			"X-Oauth-Scopes": "admin:public_key, delete_repo, repo, user"} {
			if got := a.header.Get(header); got != want {
				t.Errorf("%s: %s is %q, want %q", c.path, header, got, want)
			}
		}
		if id := a.header.Get("X-Github-Request-Id"); id == "" || id != a.header.Get("X-Request-Id") {
			t.Errorf("%s: request id %q", c.path, id)
		}
	}
}

// TestConditional: what has not changed is not sent again.
func TestConditional(t *testing.T) {
	w := open(t)
	first := w.call(t, w.alice, "GET", "/repos/alice/open", "").want(t, 200)
	tag := first.header.Get("ETag")
	for _, condition := range []string{tag, "W/" + tag, `"x", ` + tag, "*"} {
		a := w.call(t, w.alice, "GET", "/repos/alice/open", "", "If-None-Match", condition).want(t, http.StatusNotModified)
		if a.text != "" || a.header.Get("ETag") != tag {
			t.Errorf("%s: %q, %v", condition, a.text, a.header)
		}
	}
	w.call(t, w.alice, "PATCH", "/repos/alice/open", `{"description":"new"}`).want(t, 200)
	w.call(t, w.alice, "GET", "/repos/alice/open", "", "If-None-Match", tag).want(t, 200)
	w.call(t, "", "GET", "/repos/alice/hidden", "", "If-None-Match", "*").want(t, 404)
	a := w.call(t, w.alice, "HEAD", "/repos/alice/open", "").want(t, 200)
	if a.text != "" || a.header.Get("ETag") == "" {
		t.Errorf("HEAD: %q, %v", a.text, a.header)
	}
}

// TestOtherSites: scripts of other sites may call with a token, and with what
// the browser knows by itself they may change nothing.
func TestOtherSites(t *testing.T) {
	w := open(t)
	a := w.call(t, "", "OPTIONS", "/user/keys", "", "Origin", "https://app.example", "Access-Control-Request-Method", "POST").want(t, 204)
	if a.header.Get("Access-Control-Allow-Origin") != "*" || a.header.Get("Access-Control-Allow-Credentials") != "" ||
		!strings.Contains(a.header.Get("Access-Control-Allow-Headers"), "Authorization") {
		t.Errorf("preflight: %v", a.header)
	}
	body := `{"title":"theirs","key":"` + aKey + `"}`
	basic := "Basic YWxpY2U6Y29ycmVjdCBob3JzZQ==" // alice:correct horse
	w.call(t, "", "POST", "/user/keys", body, "Authorization", basic, "Sec-Fetch-Site", "cross-site", "Origin", "https://evil.example").want(t, 403)
	w.call(t, "", "POST", "/user/keys", body, "Authorization", basic, "Origin", "https://evil.example").want(t, 403)
	if keys := w.call(t, w.alice, "GET", "/user/keys", "").list(t); len(keys) != 0 {
		t.Errorf("a key was added: %v", keys)
	}
	w.call(t, w.alice, "POST", "/user/keys", body, "Sec-Fetch-Site", "cross-site", "Origin", "https://app.example").want(t, 201)
}
