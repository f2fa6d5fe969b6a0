package api_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"regexp"
	"strings"
	"testing"

	"github.com/ingot-forge/ingot/forge"
	"github.com/ingot-forge/ingot/forge/hosting"
)

const aKey = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIAABAgMEBQYHCAkKCwwNDg8QERITFBUWFxgZGhscHR4f"

func TestRepositories(t *testing.T) {
	w := open(t)
	a := w.call(t, w.alice, "POST", "/user/repos", `{"name":"made","description":"d <b>","private":true,"default_branch":"trunk","unknown":[1]}`).want(t, 201)
	r := a.object(t)
	if r["full_name"] != "alice/made" || r["private"] != true || r["visibility"] != "private" || r["description"] != "d <b>" || r["default_branch"] != "trunk" ||
		r["clone_url"] != public+"/alice/made.git" || r["ssh_url"] != "ssh://git@forge.example:2222/alice/made.git" || r["pushed_at"] != r["created_at"] ||
		a.header.Get("Location") != public+"/api/v3/repos/alice/made" || r["url"] != a.header.Get("Location") {
		t.Errorf("%v", r)
	}
	r = w.call(t, w.alice, "POST", "/user/repos", `{"name":"seen","visibility":"public"}`).want(t, 201).object(t)
	if r["private"] != false || r["description"] != nil {
		t.Errorf("%v", r)
	}
	for body, field := range map[string]string{`{"name":"made"}`: "name", `{"name":"MADE"}`: "name", `{}`: "name", `{"name":"a/b"}`: "name", `{"name":".."}`: "name",
		`{"name":"x.git"}`: "name", `{"name":"CON"}`: "name", `{"name":7}`: "name", `{"name":"x","visibility":"internal"}`: "visibility",
		`{"name":"x","default_branch":"a..b"}`: "default_branch", `{"name":"x","description":"two\nlines"}`: "description", `{"name":"-x"}`: "name",
		`{"name":"x","description":"` + strings.Repeat("d", 2000) + `"}`: "description"} {
		p := w.call(t, w.alice, "POST", "/user/repos", body).want(t, 422).object(t)
		errors, _ := p["errors"].([]any)
		if len(errors) == 0 || errors[0].(map[string]any)["field"] != field {
			t.Errorf("%.60s: %v", body, p)
		}
	}

	r = w.call(t, w.alice, "PATCH", "/repos/alice/made", `{"name":"renamed","description":"","private":false}`).want(t, 200).object(t)
	if r["full_name"] != "alice/renamed" || r["private"] != false || r["description"] != nil {
		t.Errorf("%v", r)
	}
	w.call(t, w.alice, "GET", "/repos/alice/made", "").want(t, 404)
	w.call(t, w.alice, "GET", "/repos/ALICE/Renamed", "").want(t, 200)
	w.call(t, w.alice, "PATCH", "/repos/alice/renamed", `{"archived":true}`).want(t, 200)
	w.call(t, w.alice, "PATCH", "/repos/alice/renamed", `{"description":"x"}`).want(t, 403)
	w.call(t, w.alice, "PATCH", "/repos/alice/renamed", `{"archived":false}`).want(t, 200)
	w.call(t, w.alice, "DELETE", "/repos/alice/renamed", "").want(t, 204)
	w.call(t, w.alice, "GET", "/repos/alice/renamed", "").want(t, 404)

	if got := column(w.call(t, w.alice, "GET", "/user/repos", "").list(t), "name"); len(strings.Fields(got)) != 3 {
		t.Errorf("own: %s", got)
	}
	for who, want := range map[string]int{w.alice: 3, w.bob: 2, "": 2} {
		if got := column(w.call(t, who, "GET", "/users/alice/repos", "").list(t), "name"); len(strings.Fields(got)) != want {
			t.Errorf("alice's for one: %s, want %d", got, want)
		}
	}
	w.call(t, "", "GET", "/users/nobody/repos", "").want(t, 404)
	w.call(t, "", "GET", "/user/repos", "").want(t, 401)
	w.call(t, "", "POST", "/user/repos", `{"name":"x"}`).want(t, 401)
}

// TestHiddenIsMissing: for who may not see it a private repository is a name that
// was never used, at every address and in every byte but the request's own.
func TestHiddenIsMissing(t *testing.T) {
	w := open(t)
	w.push(t, "hidden")
	lesser := w.token(t, "alice", 0, "public_repo delete_repo user")
	varying := regexp.MustCompile(`[0-9a-f]{16}`)
	for _, who := range []string{"", w.bob, lesser} {
		for _, c := range []struct{ method, path, body string }{
			{"GET", "", ""}, {"PATCH", "", `{"description":"x"}`}, {"PATCH", "", `{"name":7}`}, {"DELETE", "", ""}, {"GET", "/branches", ""}, {"GET", "/tags", ""},
			{"GET", "/git/refs", ""}, {"GET", "/git/matching-refs/heads", ""}, {"GET", "/git/ref/heads/main", ""}, {"GET", "/git/ref/heads/none", ""},
			{"GET", "/collaborators", ""}, {"PUT", "/collaborators/bob", `{"permission":"admin"}`}, {"PUT", "/collaborators/bob", ""},
			{"DELETE", "/collaborators/bob", ""}, {"GET", "/unknown", ""}, {"POST", "", "{}"},
		} {
			var answers [2]string
			for i, name := range []string{"hidden", "none"} {
				a := w.call(t, who, c.method, "/repos/alice/"+name+c.path, c.body)
				if a.status != 404 && !strings.Contains(c.body, "7") {
					t.Errorf("%s %s%s: %d %s", c.method, name, c.path, a.status, a.text)
				}
				a.header.Del("Date")
				header, err := json.Marshal(a.header)
				if err != nil {
					t.Fatal(err)
				}
				answers[i] = varying.ReplaceAllString(fmt.Sprint(a.status, a.text, string(header)), "ID")
			}
			if answers[0] != answers[1] {
				t.Errorf("%s %s differ:\n%s\n%s", c.method, c.path, answers[0], answers[1])
			}
		}
		for _, list := range []string{"/users/alice/repos", "/user/repos"} {
			if a := w.call(t, who, "GET", list, ""); strings.Contains(a.text, "hidden") {
				t.Errorf("%s has it: %s", list, a.text)
			}
		}
	}
}

// TestTokenScopes: for each call, which scopes of alice's token let it through.
func TestTokenScopes(t *testing.T) {
	w := open(t)
	hidden, err := w.instance.Hosting.Get(t.Context(), forge.Machine(), "alice", "hidden")
	if err != nil {
		t.Fatal(err)
	}
	one := w.token(t, "alice", hidden.ID, "repo delete_repo user admin:public_key")
	tokens := []struct {
		name, token string
	}{
		{"none", w.token(t, "alice", 0, "")}, {"read:repo", w.token(t, "alice", 0, "read:repo")}, {"public_repo", w.token(t, "alice", 0, "public_repo")},
		{"repo", w.token(t, "alice", 0, "repo")}, {"keys", w.token(t, "alice", 0, "read:public_key")}, {"one repository", one},
	}
	for _, c := range []struct {
		method, path, body string
		want               string // status for each token
	}{
		{"GET", "/repos/alice/open", "", "200 200 200 200 200 200"},
		{"GET", "/repos/alice/hidden", "", "404 200 404 200 404 200"},
		{"GET", "/repos/alice/hidden/branches", "", "404 200 404 200 404 200"},
		{"PATCH", "/repos/alice/open", `{}`, "403 403 200 200 403 403"},
		{"PATCH", "/repos/alice/hidden", `{}`, "404 403 404 200 404 200"},
		{"PUT", "/repos/alice/hidden/collaborators/bob", `{"permission":"admin"}`, "404 403 404 204 404 204"},
		{"GET", "/repos/alice/hidden/collaborators", "", "404 403 404 200 404 200"},
		{"DELETE", "/repos/alice/open", "", "403 403 403 403 403 403"},
		{"POST", "/user/repos", `{"name":"x","private":true}`, "403 403 403 201 403 403"},
		{"GET", "/user", "", "200 200 200 200 200 200"},
		{"POST", "/user/keys", `{"key":"` + aKey + `"}`, "403 403 403 403 403 403"},
		{"DELETE", "/user/keys/1", "", "403 403 403 403 403 403"},
	} {
		var got []string
		for _, token := range tokens {
			got = append(got, fmt.Sprint(w.call(t, token.token, c.method, c.path, c.body).status))
		}
		if strings.Join(got, " ") != c.want {
			t.Errorf("%s %s: %s, want %s", c.method, c.path, strings.Join(got, " "), c.want)
		}
	}
	// A private e-mail is for a token that may read it.
	if email := w.call(t, tokens[0].token, "GET", "/user", "").object(t)["email"]; email != nil {
		t.Errorf("a token without scopes reads %v", email)
	}
	if email := w.call(t, w.alice, "GET", "/user", "").object(t)["email"]; email != "alice@example.org" {
		t.Errorf("e-mail %v", email)
	}
	if email := w.call(t, w.bob, "GET", "/users/alice", "").object(t)["email"]; email != nil {
		t.Errorf("bob reads %v", email)
	}
	for _, bad := range []string{"ingot_000000000000000000000000000000000000", "x"} {
		if p := w.call(t, bad, "GET", "/repos/alice/open", "").want(t, 401).object(t); p["message"] != "Bad credentials" {
			t.Errorf("%v", p)
		}
	}
	w.call(t, "", "GET", "/user?access_token="+w.alice+"&token="+w.alice, "").want(t, 401)
}

func TestRefs(t *testing.T) {
	w := open(t)
	if p := w.call(t, w.alice, "GET", "/repos/alice/open/git/refs", "").want(t, 409).object(t); p["message"] != "Git Repository is empty." {
		t.Errorf("%v", p)
	}
	if list := w.call(t, w.alice, "GET", "/repos/alice/open/branches", "").want(t, 200).list(t); len(list) != 0 {
		t.Errorf("%v", list)
	}
	tip := w.push(t, "open")
	if got := column(w.call(t, "", "GET", "/repos/alice/open/branches", "").list(t), "name"); got != "feature/one main" {
		t.Errorf("branches %s", got)
	}
	if got := column(w.call(t, "", "GET", "/repos/alice/open/tags", "").list(t), "name"); got != "light v1.0" {
		t.Errorf("tags %s", got)
	}
	if got := column(w.call(t, "", "GET", "/repos/alice/open/git/refs", "").list(t), "ref"); got != "refs/heads/feature/one refs/heads/main refs/tags/light refs/tags/v1.0" {
		t.Errorf("refs %s", got)
	}
	for prefix, want := range map[string]string{"heads": "refs/heads/feature/one refs/heads/main", "heads/ma": "refs/heads/main", "tags/v": "refs/tags/v1.0",
		"heads/feature%2F": "refs/heads/feature/one", "none": "", "": "refs/heads/feature/one refs/heads/main refs/tags/light refs/tags/v1.0"} {
		if got := column(w.call(t, "", "GET", "/repos/alice/open/git/matching-refs/"+prefix, "").list(t), "ref"); got != want {
			t.Errorf("matching %q: %s, want %s", prefix, got, want)
		}
	}
	for _, name := range []string{"heads/main", "heads%2Fmain", "%68eads/main"} { // Octokit writes the second
		ref := w.call(t, "", "GET", "/repos/alice/open/git/ref/"+name, "").want(t, 200).object(t)
		object := ref["object"].(map[string]any)
		if ref["ref"] != "refs/heads/main" || object["sha"] != tip || object["type"] != "commit" ||
			object["url"] != public+"/api/v3/repos/alice/open/git/commits/"+tip {
			t.Errorf("%s: %v", name, ref)
		}
	}
	w.call(t, "", "GET", "/repos/alice/open/git/ref/heads%2Ffeature%2Fone", "").want(t, 200)
	if kind := w.call(t, "", "GET", "/repos/alice/open/git/ref/tags/v1.0", "").object(t)["object"].(map[string]any)["type"]; kind != "tag" {
		t.Errorf("an annotated tag is a %s", kind)
	}
	// The list of tags gives commits, as GitHub does.
	tags := w.call(t, "", "GET", "/repos/alice/open/tags", "").list(t)
	if a, b := tags[0]["commit"].(map[string]any)["sha"], tags[1]["commit"].(map[string]any)["sha"]; a != b {
		t.Errorf("two tags of one commit are at %s and %s", a, b)
	}
	for _, name := range []string{"heads/none", "heads/mai", "heads", "heads/", "heads/feature", "..%2f..%2fconfig", "heads/main%00", "%ff"} {
		w.call(t, "", "GET", "/repos/alice/open/git/ref/"+name, "").want(t, 404)
	}
}

func TestPaging(t *testing.T) {
	w := open(t)
	for n := range 7 {
		if _, err := w.instance.Hosting.Create(t.Context(), forge.Machine(), "bob", hosting.NewRepository{Name: fmt.Sprintf("r%d", n), Private: n%2 == 1}); err != nil {
			t.Fatal(err)
		}
	}
	var seen []string
	next := "/users/bob/repos?per_page=2&type=owner"
	for pages := 0; next != ""; pages++ {
		a := w.call(t, "", "GET", next, "").want(t, 200)
		list := a.list(t)
		if len(list) > 2 || pages > 5 {
			t.Fatalf("page of %d", len(list))
		}
		seen = append(seen, column(list, "name"))
		links := map[string]string{}
		for _, m := range regexp.MustCompile(`<([^>]*)>; rel="(\w+)"`).FindAllStringSubmatch(a.header.Get("Link"), -1) {
			if !strings.HasPrefix(m[1], public+"/api/v3/users/bob/repos?") || !strings.Contains(m[1], "type=owner") {
				t.Errorf("link %s", m[1])
			}
			links[m[2]] = strings.TrimPrefix(m[1], public+"/api/v3")
		}
		if (links["prev"] != "") != (pages > 0) || (links["first"] != "") != (pages > 0) {
			t.Errorf("page %d: %v", pages, links)
		}
		next = links["next"]
	}
	if got := strings.Join(seen, " | "); got != "r0 r2 | r4 r6" {
		t.Errorf("pages %s", got)
	}
	for query, want := range map[string]int{"": 4, "?per_page=0": 4, "?per_page=-1": 4, "?per_page=1000000000000000000000": 4, "?per_page=3": 3,
		"?page=0": 4, "?page=-7": 4, "?page=2": 0, "?page=999999999": 0, "?page=x": 4, "?per_page=3&page=2": 1} {
		if list := w.call(t, "", "GET", "/users/bob/repos"+query, "").want(t, 200).list(t); len(list) != want {
			t.Errorf("%s: %d, want %d", query, len(list), want)
		}
	}
}

func TestKeys(t *testing.T) {
	w := open(t)
	k := w.call(t, w.alice, "POST", "/user/keys", `{"title":"laptop","key":"`+aKey+` me@home"}`).want(t, 201).object(t)
	if k["title"] != "laptop" || k["key"] != aKey {
		t.Errorf("%v", k)
	}
	if list := w.call(t, w.alice, "GET", "/user/keys", "").list(t); len(list) != 1 || list[0]["id"] != k["id"] || list[0]["last_used"] != nil {
		t.Errorf("%v", list)
	}
	for _, key := range []string{aKey, "", "ssh-dss AAAA", "ssh-ed25519 ????", "-----BEGIN OPENSSH PRIVATE KEY-----", strings.Repeat("A", 9000)} {
		body, _ := json.Marshal(map[string]string{"key": key})
		if p := w.call(t, w.bob, "POST", "/user/keys", string(body)).want(t, 422).object(t); p["errors"].([]any)[0].(map[string]any)["field"] != "key" {
			t.Errorf("%.30q: %v", key, p)
		}
	}
	id := fmt.Sprintf("%.0f", k["id"])
	w.call(t, w.bob, "DELETE", "/user/keys/"+id, "").want(t, 404) // another's
	for _, bad := range []string{"0", "-1", "x", "99999999999999999999", id + "0"} {
		w.call(t, w.alice, "DELETE", "/user/keys/"+bad, "").want(t, 404)
	}
	w.call(t, w.alice, "DELETE", "/user/keys/"+id, "").want(t, 204)
	w.call(t, "", "GET", "/user/keys", "").want(t, 401)
}

func TestCollaborators(t *testing.T) {
	w := open(t)
	at := "/repos/alice/hidden/collaborators"
	w.call(t, w.bob, "GET", "/repos/alice/hidden", "").want(t, 404)
	for permission, role := range map[string]string{"pull": "read", "push": "write", "admin": "admin", "triage": "triage", "maintain": "maintain"} {
		w.call(t, w.alice, "PUT", at+"/bob", `{"permission":"`+permission+`"}`).want(t, 204)
		list := w.call(t, w.alice, "GET", at, "").list(t)
		if len(list) != 1 || list[0]["login"] != "bob" || list[0]["role_name"] != role {
			t.Errorf("%s: %v", permission, list)
		}
		permissions := w.call(t, w.bob, "GET", "/repos/alice/hidden", "").object(t)["permissions"].(map[string]any)
		if permissions["pull"] != true || permissions["push"] != (permission == "push" || permission == "admin" || permission == "maintain") ||
			permissions["admin"] != (permission == "admin") {
			t.Errorf("%s: %v", permission, permissions)
		}
	}
	w.call(t, w.alice, "PUT", at+"/bob", "").want(t, 204)
	w.call(t, w.bob, "GET", at, "").want(t, 200)
	w.call(t, w.bob, "PUT", at+"/bob", `{"permission":"admin"}`).want(t, 403)
	w.call(t, w.bob, "DELETE", "/repos/alice/hidden", "").want(t, 403)
	w.call(t, w.bob, "PATCH", "/repos/alice/hidden", `{"private":false}`).want(t, 403)
	w.call(t, w.alice, "PUT", at+"/bob", `{"permission":"owner"}`).want(t, 422)
	w.call(t, w.alice, "PUT", at+"/bob", `{"permission":"none"}`).want(t, 422)
	w.call(t, w.alice, "PUT", at+"/nobody", "").want(t, 404)
	w.call(t, w.alice, "PUT", at+"/alice", "").want(t, 422)
	w.call(t, w.alice, "DELETE", at+"/bob", "").want(t, 204)
	w.call(t, w.bob, "GET", "/repos/alice/hidden", "").want(t, 404)
	w.call(t, w.bob, "GET", "/repos/alice/open/collaborators", "").want(t, 403)
	w.call(t, "", "GET", "/repos/alice/open/collaborators", "").want(t, 401)
}

// TestBodies: what is not one JSON object of bounded size is refused, with an
// error in GitHub's form.
func TestBodies(t *testing.T) {
	w := open(t)
	for body, status := range map[string]int{"": 400, "null{}": 400, "[]": 400, `"x"`: 400, "7": 400, "{": 400, `{"name":"x"}{}`: 400, `{"name":"x"} trailing`: 400,
		"\x00": 400, `{"name":` + strings.Repeat("[", 20_000): 400, `{"name":{"a":1}}`: 422, `{"name":"` + strings.Repeat("x", 2<<20) + `"}`: 413} {
		p := w.call(t, w.alice, "POST", "/user/repos", body).want(t, status).object(t)
		if missing := lacks(p, errorFields); len(missing) > 0 || p["status"] != fmt.Sprint(status) {
			t.Errorf("%.20q: %v", body, p)
		}
		if message := p["message"].(string); strings.Contains(message, "json:") || strings.Contains(message, "struct") || strings.Contains(message, "Go ") {
			t.Errorf("%.20q: %q tells of the inside", body, message)
		}
	}
	for _, path := range []string{"/none", "/repos/alice", "/repos/alice/open/none", "/users", "/user/keys/1/2", "/repos//open", "/../user", "/repos/alice%2Fopen"} {
		w.call(t, w.alice, "GET", path, "").want(t, 404)
	}
	for _, method := range []string{"PUT", "POST", http.MethodTrace, "PROPFIND"} {
		if status := w.call(t, w.alice, method, "/user", "").status; status != 404 && status != 405 {
			t.Errorf("%s /user: %d", method, status)
		}
	}
}
