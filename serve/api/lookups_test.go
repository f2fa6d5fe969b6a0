package api_test

import (
	"archive/tar"
	"archive/zip"
	"bytes"
	"compress/gzip"
	"fmt"
	"io"
	"slices"
	"strings"
	"testing"

	"github.com/getkin/kin-openapi/openapi3"
)

func TestArchives(t *testing.T) {
	c := open(t).history(t, "open")
	id := c.git("rev-parse", "main")
	prefix := "alice-open-" + id[:7] + "/"
	a := c.get("/tarball/main")
	if a.header.Get("Content-Type") != "application/x-gzip" || a.header.Get("Content-Disposition") != "attachment; filename=alice-open-"+id[:7]+".tar.gz" {
		t.Errorf("%v", a.header)
	}
	unzipped, err := gzip.NewReader(strings.NewReader(a.text))
	if err != nil {
		t.Fatal(err)
	}
	plain, err := io.ReadAll(unzipped)
	if err != nil {
		t.Fatal(err)
	}
	if want := c.git("archive", "--prefix="+prefix, "main") + "\n"; strings.TrimRight(string(plain), "\n") != strings.TrimRight(want, "\n") {
		t.Errorf("a tarball of %d bytes is not git's of %d", len(plain), len(want))
	}
	if r := tar.NewReader(bytes.NewReader(plain)); r != nil {
		if h, err := r.Next(); err != nil || h.PAXRecords["comment"] != id && h.Name != prefix {
			t.Errorf("%v, %v", h, err)
		}
	}
	a = c.get("/zipball/" + id)
	z, err := zip.NewReader(strings.NewReader(a.text), int64(len(a.text)))
	if err != nil || z.Comment != id || !strings.Contains(a.header.Get("Cache-Control"), "immutable") {
		t.Errorf("%v, %v", err, a.header)
	}
	c.call(t, c.alice, "GET", "/repos/alice/open/zipball/"+id, "", "If-None-Match", a.header.Get("ETag")).want(t, 304)
	c.get("/tarball")
	c.call(t, c.alice, "GET", "/repos/alice/open/tarball/nope", "").want(t, 404)
}

func TestInsightsOfRepository(t *testing.T) {
	c := open(t).history(t, "open")
	c.commitFiles(t, 201, `{"branch":"main","message":"by a user","files":[{"path":"x.go","content":"package x\n"}]}`)
	if l := c.get("/languages").object(t); l["Go"] == nil || l["Shell"] == nil || l["Python"] != 9. {
		t.Errorf("languages: %v", l)
	}
	users := c.get("/contributors").list(t)
	if len(users) != 1 || users[0]["login"] != "alice" || users[0]["contributions"] != 1. {
		t.Errorf("contributors: %v", users)
	}
	all := c.get("/contributors?anon=1").list(t)
	if len(all) != 4 || all[0]["type"] != "Anonymous" || all[0]["email"] != "ann@example.org" {
		t.Errorf("with the anonymous: %v", all)
	}
	commit := c.get("/commits?per_page=1").list(t)[0]
	if commit["author"].(map[string]any)["login"] != "alice" {
		t.Errorf("the author is %v", commit["author"])
	}
	same(t, "by login", column(c.get("/commits?author=alice").list(t), "sha"), commit["sha"].(string))
	stats := c.get("/stats").object(t)
	if stats["commits"] != 7. || stats["branches"] != 2. || stats["tags"] != 2. || stats["contributors"] != 4. {
		t.Errorf("stats: %v", stats)
	}
}

func TestEmptyRepository(t *testing.T) {
	w := open(t)
	for path, status := range map[string]int{"/commits": 409, "/commits/main": 409, "/git/trees/main": 409, "/git/refs": 409, "/contents": 404, "/readme": 404, "/branches": 200, "/tags": 200,
		"/languages": 200, "/contributors": 204, "/branches/main": 404, "/tarball": 409, "/files": 409, "/ref-log": 200} {
		if a := w.call(t, w.alice, "GET", "/repos/alice/open"+path, ""); a.status != status {
			t.Errorf("%s: %d, want %d: %s", path, a.status, status, a.text)
		}
	}
}

// TestEventsAndRefLog: both are walked by cursor, whole and in order.
func TestEventsAndRefLog(t *testing.T) {
	w := open(t)
	for i := range 7 {
		w.commitFiles(t, 201, fmt.Sprintf(`{"branch":"main","message":"m","files":[{"path":"f%d","content":""}]}`, i))
		w.call(t, w.alice, "POST", "/repos/alice/open/git/blobs", fmt.Sprintf(`{"content":"%d"}`, i)).want(t, 201)
	}
	walk := func(path, list string) (all []map[string]any) {
		t.Helper()
		for cursor := ""; ; {
			o := w.call(t, w.alice, "GET", "/repos/alice/open"+path+"?per_page=3&cursor="+cursor, "").want(t, 200).object(t)
			page := o[list].([]any)
			for _, one := range page {
				all = append(all, one.(map[string]any))
			}
			next, more := o["next_cursor"].(string)
			if !more || len(page) == 0 {
				return all
			}
			cursor = next
		}
	}
	if all := walk("/events", "events"); len(all) != 8 || all[0]["type"] != "repository" || all[7]["type"] != "push" {
		t.Errorf("events: %v", all)
	}
	log := walk("/ref-log", "movements")
	if len(log) != 7 {
		t.Errorf("ref log: %v", log)
	}
	for i := 1; i < len(log); i++ {
		if log[i-1]["before"] != log[i]["after"] {
			t.Errorf("a gap after %v", log[i])
		}
	}
	w.call(t, w.alice, "GET", "/repos/alice/open/ref-log?cursor=!", "").want(t, 422)
	w.call(t, w.alice, "GET", "/repos/alice/open/events?cursor=eA", "").want(t, 422)
	w.call(t, w.bob, "GET", "/repos/alice/open/events", "").want(t, 403) // they tell of collaborators
}

// TestRestore: what a forced push or a deletion took away comes back by the ref log.
func TestRestore(t *testing.T) {
	w := open(t)
	make := func(file string) string {
		return w.commitFiles(t, 201, `{"branch":"main","message":"m","files":[{"path":"`+file+`","content":"x"}]}`)["sha"].(string)
	}
	first := make("one")
	second := make("two")
	last := w.call(t, w.alice, "GET", "/repos/alice/open/ref-log?ref=main", "").want(t, 200).object(t)["movements"].([]any)[0].(map[string]any)
	w.call(t, w.alice, "PATCH", "/repos/alice/open/git/refs/heads/main", `{"sha":"`+first+`","force":true}`).want(t, 200)
	w.call(t, w.alice, "GET", "/repos/alice/open/commits/"+second, "").want(t, 404)
	restore := func(status int, ref, at string) answer {
		t.Helper()
		return w.call(t, w.alice, "POST", "/repos/alice/open/ref-log/restore", `{"ref":"`+ref+`","at":"`+at+`"}`).want(t, status)
	}
	at := last["at"].(string)
	o := restore(200, "main", at).object(t)
	if o["object"].(map[string]any)["sha"] != second || o["ref"] != "refs/heads/main" {
		t.Errorf("%v", o)
	}
	w.call(t, w.alice, "GET", "/repos/alice/open/contents/two?ref="+second, "").want(t, 200)
	w.call(t, w.alice, "POST", "/repos/alice/open/git/refs", `{"ref":"refs/heads/side","sha":"`+second+`"}`).want(t, 201)
	made := w.call(t, w.alice, "GET", "/repos/alice/open/ref-log?ref=side", "").want(t, 200).object(t)["movements"].([]any)[0].(map[string]any)["at"].(string)
	w.call(t, w.alice, "DELETE", "/repos/alice/open/git/refs/heads/side", "").want(t, 204)
	restore(200, "refs/heads/side", made)
	restore(422, "main", "2001-01-01T00:00:00Z")
	restore(422, "main", "yesterday")
	restore(422, "nope", at)
	restore(422, "refs/ingot/made/x", at)
	w.call(t, w.bob, "POST", "/repos/alice/open/ref-log/restore", `{}`).want(t, 403)
}

// TestUploads: what is too much, or no JSON, is refused after the question who asks.
func TestUploads(t *testing.T) {
	w := open(t)
	big := `{"content":"` + strings.Repeat("x", 2<<20) + `"}`
	w.call(t, w.alice, "POST", "/repos/alice/open/git/blobs", big).want(t, 201)
	w.call(t, w.alice, "POST", "/repos/alice/open/git/refs", big).want(t, 413)
	w.commitFiles(t, 201, `{"branch":"main","message":"m","files":[{"path":"big","content":"`+strings.Repeat("x", 2<<20)+`"}]}`)
	for _, accept := range []string{"", "application/vnd.github.object"} { // past 1 MB the content is left out
		if o := w.call(t, w.alice, "GET", "/repos/alice/open/contents/big", "", "Accept", accept).want(t, 200).object(t); o["encoding"] != "none" || o["content"] != "" || o["size"] != 2097152. {
			t.Errorf("%.200v", o)
		}
	}
	if raw := w.call(t, w.alice, "GET", "/repos/alice/open/contents/big", "", "Accept", "application/vnd.github.raw+json").want(t, 200); len(raw.text) != 2<<20 {
		t.Errorf("raw: %d bytes", len(raw.text))
	}
	w.call(t, w.alice, "POST", "/repos/alice/open/git/blobs", `{"content":`).want(t, 400)
	w.call(t, w.alice, "POST", "/repos/alice/open/git/blobs", `{}`).want(t, 422)
	w.call(t, w.bob, "POST", "/repos/alice/hidden/git/blobs", `{"content":`).want(t, 404)
	blob := w.call(t, w.alice, "GET", "/repos/alice/open/git/blobs/"+strings.Repeat("0", 39), "").want(t, 422)
	if !strings.Contains(blob.text, "40 characters") {
		t.Errorf("%s", blob.text)
	}
}

// TestDescription: the description of the API is one, and names operations that are there.
func TestDescription(t *testing.T) {
	w := open(t)
	a := w.call(t, "", "GET", "/openapi.json", "").want(t, 200)
	whole, err := openapi3.NewLoader().LoadFromData([]byte(a.text))
	if err != nil {
		t.Fatal(err)
	}
	if err := whole.Validate(t.Context()); err != nil {
		t.Error(err)
	}
	for _, path := range []string{"/repos/{owner}/{repo}/contents/{path}", "/repos/{owner}/{repo}/compare/{basehead}", "/repos/{owner}/{repo}/branches/{branch}/rename", "/user"} {
		if whole.Paths.Value(path) == nil {
			t.Errorf("%s is not described", path)
		}
	}
	own := 0
	for path, item := range whole.Paths.Map() {
		for method, op := range item.Operations() {
			if op.Summary != "" {
				own++
			} else if github := described(); github != nil && !slices.ContainsFunc(github, func(o operation) bool {
				return o.item.GetOperation(method) != nil && o.path.MatchString(strings.NewReplacer("{", "", "}", "").Replace(path))
			}) && path != "/repos/{owner}/{repo}/tarball" && path != "/repos/{owner}/{repo}/zipball" && path != "/repos/{owner}/{repo}/contents" {
				t.Errorf("%s %s is neither GitHub's nor described as ours", method, path)
			}
		}
	}
	if own != 10 {
		t.Errorf("%d operations of our own", own)
	}
}
