package api_test

import (
	"fmt"
	"testing"
)

func TestForks(t *testing.T) {
	w := open(t)
	main := w.push(t, "open")
	a := w.call(t, w.bob, "POST", "/repos/alice/open/forks", "").want(t, 202)
	fork := a.object(t)
	if missing := lacks(fork, fullRepositoryFields+" parent.full_name source.full_name"); len(missing) > 0 {
		t.Errorf("the fork lacks %q", missing)
	}
	if fork["full_name"] != "bob/open" || fork["fork"] != true || fork["private"] != false || fork["default_branch"] != "main" ||
		a.header.Get("Location") != public+"/api/v3/repos/bob/open" {
		t.Errorf("fork %v at %q", fork, a.header.Get("Location"))
	}
	parent := fork["parent"].(map[string]any)
	if parent["full_name"] != "alice/open" || parent["forks_count"] != 1.0 || parent["fork"] != false {
		t.Errorf("parent %v", parent)
	}
	if head := w.call(t, "", "GET", "/repos/bob/open/git/ref/heads/main", "").want(t, 200).object(t)["object"].(map[string]any); head["sha"] != main {
		t.Errorf("main of the fork: %v, want %s", head, main)
	}
	if got := column(w.call(t, "", "GET", "/repos/bob/open/git/matching-refs/", "").list(t), "ref"); got !=
		"refs/heads/feature/one refs/heads/main refs/tags/light refs/tags/v1.0" {
		t.Errorf("refs of the fork: %s", got)
	}
	again := w.call(t, w.bob, "POST", "/repos/alice/open/forks", `{"name":"other"}`).want(t, 202).object(t)
	if again["id"] != fork["id"] {
		t.Errorf("forked again: %v", again["full_name"])
	}
	// Of an own repository, only with a name; the default branch only.
	w.call(t, w.alice, "POST", "/repos/alice/open/forks", "").want(t, 422)
	w.call(t, w.alice, "POST", "/repos/alice/open/forks", `{"name":"open"}`).want(t, 422)
	w.call(t, w.alice, "POST", "/repos/alice/open/forks", `{"name":"copy","organization":"acme"}`).want(t, 422)
	own := w.call(t, w.alice, "POST", "/repos/alice/open/forks", `{"name":"copy","default_branch_only":true}`).want(t, 202).object(t)
	if got := column(w.call(t, "", "GET", "/repos/alice/copy/git/refs", "").list(t), "ref"); own["full_name"] != "alice/copy" || got != "refs/heads/main" {
		t.Errorf("%v with %q", own["full_name"], got)
	}
	// A name in use gets a number.
	w.call(t, w.bob, "POST", "/user/repos", `{"name":"copy"}`).want(t, 201)
	if numbered := w.call(t, w.bob, "POST", "/repos/alice/copy/forks", "").want(t, 202).object(t); numbered["full_name"] != "bob/copy-1" ||
		numbered["source"].(map[string]any)["full_name"] != "alice/open" || numbered["network_count"] != 3.0 {
		t.Errorf("numbered: %v", numbered)
	}
	for query, want := range map[string]string{"": "copy open", "?sort=newest": "copy open", "?sort=oldest": "open copy",
		"?per_page=1": "copy", "?per_page=1&page=2": "open", "?per_page=1&page=3": ""} {
		if got := column(w.call(t, "", "GET", "/repos/alice/open/forks"+query, "").want(t, 200).list(t), "name"); got != want {
			t.Errorf("forks%s: %q, want %q", query, got, want)
		}
	}
	if root := w.call(t, "", "GET", "/repos/alice/open", "").object(t); root["forks_count"] != 2.0 || root["network_count"] != 3.0 || root["parent"] != nil {
		t.Errorf("%v forks, %v in the network, parent %v", root["forks_count"], root["network_count"], root["parent"])
	}
	w.call(t, w.bob, "POST", "/repos/bob/copy/forks", `{"name":"x"}`).want(t, 403) // empty
	w.call(t, "", "POST", "/repos/alice/open/forks", "").want(t, 401)
}

// TestPrivateForks: who may not see a repository learns nothing of it from its forks.
func TestPrivateForks(t *testing.T) {
	w := open(t)
	w.push(t, "hidden")
	for _, call := range []string{"GET", "POST"} {
		w.call(t, w.bob, call, "/repos/alice/hidden/forks", "").want(t, 404)
	}
	w.call(t, w.alice, "PUT", "/repos/alice/hidden/collaborators/bob", `{"permission":"pull"}`).want(t, 204)
	if fork := w.call(t, w.bob, "POST", "/repos/alice/hidden/forks", "").want(t, 202).object(t); fork["private"] != true || fork["parent"] == nil {
		t.Errorf("fork of a private repository: private %v, parent %v", fork["private"], fork["parent"])
	}
	w.call(t, w.bob, "PATCH", "/repos/bob/hidden", `{"private":false}`).want(t, 422)
	// Alice does not see bob's fork, and bob, no collaborator any more, not hers.
	if list := w.call(t, w.alice, "GET", "/repos/alice/hidden/forks", "").want(t, 200).list(t); len(list) != 0 {
		t.Errorf("alice sees %v", list)
	}
	if n := w.call(t, w.alice, "GET", "/repos/alice/hidden", "").object(t)["forks_count"]; n != 0.0 {
		t.Errorf("alice counts %v forks", n)
	}
	w.call(t, w.alice, "DELETE", "/repos/alice/hidden/collaborators/bob", "").want(t, 204)
	if fork := w.call(t, w.bob, "GET", "/repos/bob/hidden", "").want(t, 200).object(t); fork["fork"] != true || fork["parent"] != nil || fork["source"] != nil {
		t.Errorf("the fork shows %v and %v", fork["parent"], fork["source"])
	}
	scoped := w.token(t, "bob", 0, "public_repo")
	w.call(t, scoped, "GET", "/repos/bob/hidden/forks", "").want(t, 404)
	w.call(t, scoped, "POST", "/repos/bob/hidden/forks", `{"name":"again"}`).want(t, 404)
	for i := range 2 { // deleted or not, the fork stays as it is
		refs := w.call(t, w.bob, "GET", "/repos/bob/hidden/git/refs", "").want(t, 200).list(t)
		if len(refs) != 4 {
			t.Fatalf("%d refs", len(refs))
		}
		w.call(t, w.alice, "DELETE", "/repos/alice/hidden", "").want(t, []int{204, 404}[i])
	}
	if fork := w.call(t, w.bob, "GET", "/repos/bob/hidden", "").want(t, 200).object(t); fork["fork"] != false {
		t.Errorf("its parent is gone: %s", fmt.Sprint(fork))
	}
}
