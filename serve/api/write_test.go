package api_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"testing"
)

func (w *world) commitFiles(t *testing.T, status int, body string) map[string]any {
	t.Helper()
	return w.call(t, w.alice, "POST", "/repos/alice/open/commits", body).want(t, status).object(t)
}

func TestCommitFiles(t *testing.T) {
	c := open(t).history(t, "open")
	main := c.git("rev-parse", "main")
	made := c.commitFiles(t, 201, `{"branch":"main","message":"many at once","expected_head_sha":"`+main+`","author":{"name":"A","email":"a@x.org","date":"2020-01-01T00:00:00Z"},
		"files":[{"path":"a/b/c","content":"one\n"},{"path":"run.sh","content":"#!/bin/bash\n"},{"path":"bin","content":"AAEC","encoding":"base64","mode":"100755"},
		{"path":"copy","sha":"`+c.git("rev-parse", "main:README.md")+`"},{"path":".gitmodules","delete":true},
		{"path":"src/deep","delete":true},{"path":"outside","delete":true},{"path":"outside/now","content":"x","mode":"120000"}]}`)
	id := made["sha"].(string)
	c.git("fetch", "-q", c.url, "main")
	c.git("fsck", "--strict")
	same(t, "what was committed", c.git("-c", "core.quotePath=false", "diff", "--no-renames", "--summary", main, id),
		" delete mode 100644 .gitmodules\n create mode 100644 a/b/c\n create mode 100755 bin\n create mode 100644 copy\n"+
			" delete mode 120000 outside\n create mode 120000 outside/now\n delete mode 100644 src/deep/er/file.txt")
	same(t, "the parent", c.git("rev-parse", id+"^"), main)
	if c.git("log", "-1", "--format=%ct", id) == "1577836800" {
		return // the committer is the author where only the author is named, date included
	}
	t.Error("the committer has another date")
}

func TestCommitFilesRefuses(t *testing.T) {
	c := open(t).history(t, "open")
	main := c.git("rev-parse", "main")
	one := `"files":[{"path":"x","content":""}]`
	for body, status := range map[string]int{
		`{"branch":"main","message":"m","expected_head_sha":"` + c.git("rev-parse", "main~1") + `",` + one + `}`:                       409,
		`{"branch":"new","message":"m","expected_head_sha":"` + main + `",` + one + `}`:                                                409,
		`{"branch":"main","message":"m","start_point":"main",` + one + `}`:                                                             409,
		`{"branch":"new","message":"m","start_point":"nope",` + one + `}`:                                                              422,
		`{"branch":"new","message":"m",` + one + `}`:                                                                                   404,
		`{"branch":"a..b","message":"m","start_point":"main",` + one + `}`:                                                             422,
		`{"branch":"main/x","message":"m","start_point":"main",` + one + `}`:                                                           422,
		`{"message":"m",` + one + `}`:                                                                                                  422,
		`{"branch":"main",` + one + `}`:                                                                                                422,
		`{"branch":"main","message":"m"}`:                                                                                              422,
		`{"branch":"main","message":"m","files":[{"path":"x"}]}`:                                                                       422,
		`{"branch":"main","message":"m","files":[{"path":"x","content":"","delete":true}]}`:                                            422,
		`{"branch":"main","message":"m","files":[{"path":"nope","delete":true}]}`:                                                      422,
		`{"branch":"main","message":"m","files":[{"path":"x","content":""},{"path":"x","content":""}]}`:                                422,
		`{"branch":"main","message":"m","files":[{"path":"x","content":""},{"path":"x/y","content":""}]}`:                              422,
		`{"branch":"main","message":"m","files":[{"path":"src","content":""}]}`:                                                        422,
		`{"branch":"main","message":"m","files":[{"path":".GIT/x","content":""}]}`:                                                     422,
		`{"branch":"main","message":"m","files":[{"path":"a//b","content":""}]}`:                                                       422,
		`{"branch":"main","message":"m","files":[{"path":"x","content":"","mode":"040000"}]}`:                                          422,
		`{"branch":"main","message":"m","files":[{"path":"x","content":"","encoding":"rot13"}]}`:                                       422,
		`{"branch":"main","message":"m","files":[{"path":"x","sha":"` + strings.Repeat("1", 40) + `"}]}`:                               422,
		`{"branch":"main","message":"m","files":[{"path":".gitmodules","content":"[submodule \"-x\"]\n\tpath = a\n\turl = -evil\n"}]}`: 422,
		`{"branch":"main","message":"m\u0000n",` + one + `}`:                                                                           422,
	} {
		a := c.call(t, c.alice, "POST", "/repos/alice/open/commits", body)
		if a.status != status {
			t.Errorf("%s: %d, want %d: %s", body, a.status, status, a.text)
		}
	}
	p := c.commitFiles(t, 422, `{"branch":"main","message":"m","files":[{"path":"good","content":""},{"path":"bad/../path","content":""}]}`)
	if !strings.Contains(p["message"].(string), "bad/../path") {
		t.Errorf("the bad path is not named: %v", p)
	}
	same(t, "main", c.get("/git/ref/heads/main").object(t)["object"].(map[string]any)["sha"].(string), main)
	made := c.commitFiles(t, 201, `{"branch":"fresh/one","message":"m","start_point":"v1.0",`+one+`}`)
	same(t, "the start", made["parents"].([]any)[0].(map[string]any)["sha"].(string), c.git("rev-parse", "v1.0^{}"))
}

// TestRacingCommits: of those who expect the same head one wins, so every acknowledged commit
// is the parent of the next; and those who expect none all get in.
func TestRacingCommits(t *testing.T) {
	w := open(t)
	w.commitFiles(t, 201, `{"branch":"main","message":"first","files":[{"path":"count","content":"0"}]}`)
	head := func() string {
		return w.call(t, w.alice, "GET", "/repos/alice/open/git/ref/heads/main", "").want(t, 200).object(t)["object"].(map[string]any)["sha"].(string)
	}
	const workers, each = 4, 5
	var won sync.Map
	var all sync.WaitGroup
	for n := range workers {
		all.Go(func() {
			for i := 0; i < each; {
				expected := head()
				a := w.call(t, w.alice, "POST", "/repos/alice/open/commits", fmt.Sprintf(
					`{"branch":"main","message":"%d.%d","expected_head_sha":"%s","files":[{"path":"count","content":"%d.%d"}]}`, n, i, expected, n, i))
				switch a.status {
				case http.StatusCreated:
					var made struct{ SHA string }
					if err := json.Unmarshal([]byte(a.text), &made); err != nil {
						t.Error(err)
						return
					}
					if _, twice := won.LoadOrStore(expected, made.SHA); twice {
						t.Errorf("two commits were made on top of %s", expected)
					}
					i++
				case http.StatusConflict:
				default:
					t.Errorf("%d: %s", a.status, a.text)
					return
				}
			}
		})
	}
	all.Wait()
	log := w.call(t, w.alice, "GET", "/repos/alice/open/commits?per_page=100", "").want(t, 200).list(t)
	if len(log) != workers*each+1 {
		t.Errorf("%d commits", len(log))
	}
	for i := len(log) - 1; i > 0; i-- {
		if next, _ := won.Load(log[i]["sha"]); next != log[i-1]["sha"] {
			t.Errorf("after %s comes %s, and %v was acknowledged", log[i]["sha"], log[i-1]["sha"], next)
		}
	}
	for n := range workers {
		all.Go(func() {
			a := w.call(t, w.alice, "PUT", fmt.Sprintf("/repos/alice/open/contents/file%d", n), `{"message":"m","content":""}`)
			if a.status != http.StatusCreated {
				t.Errorf("%d: %s", a.status, a.text)
			}
		})
	}
	all.Wait()
	if files := w.call(t, w.alice, "GET", "/repos/alice/open/contents", "").want(t, 200).list(t); len(files) != workers+1 {
		t.Errorf("%d files", len(files))
	}
}

// TestMadeAtOnce: objects that several make at once are made once.
func TestMadeAtOnce(t *testing.T) {
	w := open(t)
	var all sync.WaitGroup
	for n := range 6 {
		all.Go(func() {
			a := w.call(t, w.alice, "POST", "/repos/alice/hidden/git/blobs", fmt.Sprintf(`{"content":"%d"}`, n%2))
			if a.status != http.StatusCreated {
				t.Errorf("%d: %s", a.status, a.text)
			}
		})
	}
	all.Wait()
	for _, blob := range []string{"c227083464fb9af8955c90d2924774ee50abb547", "56a6051ca2b02b04ef92d5150c9ef600403cb1de"} {
		w.call(t, w.alice, "GET", "/repos/alice/hidden/git/blobs/"+blob, "").want(t, 200)
		w.call(t, w.alice, "GET", "/repos/alice/open/git/blobs/"+blob, "").want(t, 404)
		w.call(t, w.bob, "GET", "/repos/alice/hidden/git/blobs/"+blob, "").want(t, 404)
	}
}

func TestBranches(t *testing.T) {
	c := open(t).history(t, "open")
	b := c.get("/branches/feature%2Fone").object(t)
	if b["name"] != "feature/one" || b["protected"] != false || b["commit"].(map[string]any)["sha"] != c.git("rev-parse", "feature/one") ||
		b["_links"].(map[string]any)["self"] != public+"/api/v3/repos/alice/open/branches/feature/one" {
		t.Errorf("%v", b)
	}
	same(t, "unescaped", c.get("/branches/feature/one").text, c.get("/branches/feature%2Fone").text)
	rename := func(status int, from, to string) answer {
		t.Helper()
		return c.call(t, c.alice, "POST", "/repos/alice/open/branches/"+from+"/rename", `{"new_name":"`+to+`"}`).want(t, status)
	}
	rename(404, "nope", "x")
	rename(422, "main", "feature/one")
	rename(422, "main", "a..b")
	rename(422, "main", "")
	rename(201, "feature/one", "feature")
	rename(201, "feature", "feature/one/deeper")
	w := c.token(t, "bob", 0, "repo")
	c.call(t, w, "POST", "/repos/alice/open/branches/main/rename", `{"new_name":"trunk"}`).want(t, 403)
	rename(201, "main", "trunk")
	if r := c.get("").object(t); r["default_branch"] != "trunk" {
		t.Errorf("the default branch is %v", r["default_branch"])
	}
	same(t, "branches", column(c.get("/branches").list(t), "name"), "feature/one/deeper trunk")
}
