package api_test

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// worktree is a clone beside the instance, in which stock git answers the same questions.
type worktree struct {
	*world
	t   *testing.T
	dir string
	url string // of the repository, with alice's token
}

// git runs stock git in the clone and returns what it prints, without the line feed at its end.
func (c *worktree) git(args ...string) string {
	c.t.Helper()
	cmd := exec.Command("git", args...)
	cmd.Dir = c.dir
	cmd.Env = append(os.Environ(), "GIT_CONFIG_NOSYSTEM=1", "GIT_CONFIG_GLOBAL=/dev/null", "GIT_TERMINAL_PROMPT=0", "LC_ALL=C", "TZ=UTC",
		"GIT_AUTHOR_NAME=Ann Author", "GIT_AUTHOR_EMAIL=ann@example.org", "GIT_COMMITTER_NAME=Carl Committer", "GIT_COMMITTER_EMAIL=carl@example.org")
	var problems strings.Builder
	cmd.Stderr = &problems
	out, err := cmd.Output()
	if err != nil {
		c.t.Fatalf("git %s: %v\n%s", strings.Join(args, " "), err, problems.String())
	}
	return strings.TrimSuffix(string(out), "\n")
}

func (c *worktree) write(path, text string) {
	c.t.Helper()
	full := filepath.Join(c.dir, path)
	if err := os.MkdirAll(filepath.Dir(full), 0o777); err != nil {
		c.t.Fatal(err)
	}
	if err := os.WriteFile(full, []byte(text), 0o666); err != nil {
		c.t.Fatal(err)
	}
}

// commit commits everything, each an hour after the one before.
func (c *worktree) commit(message string, more ...string) string {
	c.t.Helper()
	c.git("add", "-A")
	n := 0
	fmt.Sscan(c.git("rev-list", "--all", "--count"), &n)
	at := fmt.Sprintf("%d +0200", 1700000000+3600*n)
	c.t.Setenv("GIT_AUTHOR_DATE", at)
	c.t.Setenv("GIT_COMMITTER_DATE", at)
	c.git(append([]string{"commit", "-q", "--allow-empty", "-m", message}, more...)...)
	return c.git("rev-parse", "HEAD")
}

func (c *worktree) push() {
	c.t.Helper()
	c.git("push", "-q", "--all", c.url)
	c.git("push", "-q", "--tags", c.url)
}

// history pushes a history with all that the API shows to a repository of alice's: files of
// every mode, names that need escaping, moves, merges, binary and long files.
func (w *world) history(t *testing.T, name string) *worktree {
	t.Helper()
	c := &worktree{world: w, t: t, dir: filepath.Join(t.TempDir(), "work"),
		url: strings.Replace(w.URL, "http://", "http://x:"+w.alice+"@", 1) + "/alice/" + name + ".git"}
	if err := os.MkdirAll(c.dir, 0o777); err != nil {
		t.Fatal(err)
	}
	c.git("init", "-q", "-b", "main")
	c.write("README.md", "# Hello <world>\n")
	c.write("src/main.go", "package main\n\nfunc main() {\n\tprintln(1)\n}\n")
	c.write("src/deep/er/file.txt", "deep\n")
	c.write("src/dir.txt", "sorts before the directory\n")
	c.write("src/dir/x.py", "print(1)\n")
	c.write("naïve name & co.txt", "é\n")
	c.commit("first\n\nwith a body\nof two lines")
	c.write("binary", "a\x00b\xff")
	c.write("long.txt", strings.Repeat("a line of text\n", 100))
	if err := os.Symlink("../README.md", filepath.Join(c.dir, "src/link")); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink("/etc/passwd", filepath.Join(c.dir, "outside")); err != nil {
		t.Fatal(err)
	}
	c.write("run.sh", "#!/bin/sh\n")
	c.git("add", "-A")
	c.git("update-index", "--chmod=+x", "run.sh")
	c.write(".gitmodules", "[submodule \"lib\"]\n\tpath = lib\n\turl = https://example.org/lib.git\n")
	c.git("update-index", "--add", "--cacheinfo", "160000,"+strings.Repeat("ab", 20)+",lib")
	c.git("add", ".gitmodules")
	at := "1700003600 +0200"
	t.Setenv("GIT_AUTHOR_DATE", at)
	t.Setenv("GIT_COMMITTER_DATE", at)
	c.git("commit", "-q", "-m", "second: a subject that is so long that a mail has to break its line somewhere, since headers have 78 columns")
	c.git("switch", "-q", "-c", "feature/one")
	c.git("rm", "-q", "--cached", "lib")
	c.git("mv", "src/main.go", "src/moved.go")
	c.write("src/moved.go", "package main\n\nfunc main() {\n\tprintln(2)\n}\n")
	c.commit("Überschrift mit Umlaut, und lang genug, daß sie in zwei Wörtern nach RFC 2047 steht: ja", "--author", "Jürgen J. Groß <jg@example.org>")
	c.write("long.txt", strings.Replace(strings.Repeat("a line of text\n", 100), "line", "LINE", 2)+"no line feed")
	c.write("empty", "")
	c.commit("fourth")
	c.git("switch", "-q", "main")
	c.write("on-main", "main\n")
	c.commit("on main", "--author", "Dot. T. <dot@example.org>")
	c.git("merge", "-q", "--no-ff", "-m", "merge it", "feature/one~1")
	c.git("rm", "-q", "binary")
	c.commit("binary goes")
	c.git("tag", "light", "main~1")
	c.git("tag", "-a", "-m", "annotated", "v1.0", "main~2")
	c.push()
	return c
}

// get calls below alice/open with alice's token and wants 200.
func (c *worktree) get(path string, header ...string) answer {
	c.t.Helper()
	return c.call(c.t, c.alice, "GET", "/repos/alice/open"+path, "", header...).want(c.t, 200)
}

func same(t *testing.T, what, got, want string) {
	t.Helper()
	if got != want {
		t.Errorf("%s:\n%s\n--- want\n%s", what, got, want)
	}
}

func TestTreesLikeGit(t *testing.T) {
	c := open(t).history(t, "open")
	for _, query := range []string{"", "?recursive=1"} {
		args := []string{"-c", "core.quotePath=false", "ls-tree", "-l", "main"}
		if query != "" {
			args = append(args[:4:4], "-r", "-t", "main")
		}
		a := c.get("/git/trees/main" + query).object(t)
		var lines []string
		for _, e := range a["tree"].([]any) {
			e := e.(map[string]any)
			size := "-"
			if n, ok := e["size"].(float64); ok {
				size = fmt.Sprint(n)
			}
			lines = append(lines, fmt.Sprintf("%s %s %s %7s\t%s", e["mode"], e["type"], e["sha"], size, e["path"]))
		}
		same(t, "tree"+query, strings.Join(lines, "\n"), c.git(args...))
		if a["truncated"] != false || a["sha"] != c.git("rev-parse", "main^{tree}") {
			t.Errorf("%v", a)
		}
	}
	// Page by page, and with the commits that touched each path last.
	var paths []string
	for cursor := ""; ; {
		a := c.get("/files?recursive=1&per_page=3&last_commit=1&cursor=" + cursor).object(t)
		for _, f := range a["files"].([]any) {
			f := f.(map[string]any)
			path := f["path"].(string)
			paths = append(paths, path)
			same(t, "last commit of "+path, f["last_commit"].(map[string]any)["sha"].(string), c.git("log", "-1", "--format=%H", "main", "--", path))
		}
		next, more := a["next_cursor"].(string)
		if !more {
			break
		}
		cursor = next
	}
	same(t, "files", strings.Join(paths, "\n"), c.git("-c", "core.quotePath=false", "ls-tree", "-r", "-t", "--name-only", "main"))
}

func TestCommitsLikeGit(t *testing.T) {
	c := open(t).history(t, "open")
	for _, q := range []struct{ query, args string }{
		{"?", "main"}, {"?sha=feature/one", "feature/one"}, {"?path=long.txt&sha=feature/one", "feature/one -- long.txt"}, {"?path=src", "main -- src"},
		{"?author=dot@example.org", "main --author=dot@example.org"}, {"?author=nobody", "main --author=nobody"}, {"?committer=Carl%20Committer", "main --committer=Carl"},
		{"?since=2023-11-14T23:30:00Z", "main --since=2023-11-14T23:30:00Z"}, {"?until=2023-11-14T23:30:00Z", "main --until=2023-11-14T23:30:00Z"},
		{"?sha=v1.0", "v1.0"}, {"?sha=refs/tags/light", "light"}, {"?sha=main~2", "main~2"},
	} {
		want := strings.Join(strings.Fields(c.git(append([]string{"log", "--format=%H"}, strings.Fields(q.args)...)...)), " ")
		same(t, q.query, column(c.get("/commits"+q.query).list(t), "sha"), want)
		var paged []string
		for page := 1; ; page++ {
			a := c.get(fmt.Sprintf("/commits%s&per_page=2&page=%d", q.query, page))
			paged = append(paged, strings.Fields(column(a.list(t), "sha"))...)
			if !strings.Contains(a.header.Get("Link"), `rel="next"`) {
				break
			}
		}
		same(t, "pages of "+q.query, strings.Join(paged, " "), want)
	}
	for _, id := range strings.Fields(c.git("rev-list", "--all")) {
		commit := c.get("/commits/" + id).object(t)
		parent := c.git("rev-list", "-1", "--parents", id)
		base := "4b825dc642cb6eb9a060e54bf8d69288fbee4904"
		if parents := strings.Fields(parent); len(parents) > 1 {
			base = parents[1]
		}
		var got []string
		for _, f := range commit["files"].([]any) {
			f := f.(map[string]any)
			got = append(got, fmt.Sprintf("%s %v %v", f["filename"], f["additions"], f["deletions"]))
		}
		var want []string
		for line := range strings.Lines(c.git("-c", "core.quotePath=false", "diff", "-M", "--numstat", "-z", base, id)) {
			fields := strings.Split(strings.TrimRight(line, "\x00"), "\x00")
			for i := 0; i < len(fields); i++ {
				parts := strings.SplitN(fields[i], "\t", 3)
				path := parts[2]
				if path == "" {
					path = fields[i+2]
					i += 2
				}
				want = append(want, strings.ReplaceAll(fmt.Sprintf("%s %s %s", path, parts[0], parts[1]), "- -", "0 0"))
			}
		}
		same(t, "files of "+id, strings.Join(got, "\n"), strings.Join(want, "\n"))
		same(t, "diff of "+id, c.get("/commits/"+id, "Accept", "application/vnd.github.diff").text, lf(c.git("diff", "-M", base, id)))
		if strings.Count(parent, " ") < 2 {
			patch := c.get("/commits/"+id, "Accept", "application/vnd.github.v3.patch").text
			same(t, "patch of "+id, textOnly(patch), textOnly(lf(c.git("format-patch", "--stdout", "--no-signature", "-1", id))))
			if base == parents(parent) {
				c.applies(patch, base, id)
			}
		}
		same(t, "sha of "+id, c.get("/commits/"+id[:9], "Accept", "application/vnd.github.sha").text, id)
	}
	a := c.get("/commits/" + c.git("rev-parse", "main~1")).object(t)
	stats := a["stats"].(map[string]any)
	short := c.git("diff", "--shortstat", "main~2", "main~1")
	if want := fmt.Sprintf("%v insertion", stats["additions"]); !strings.Contains(short, want) {
		t.Errorf("stats %v, git says %s", stats, short)
	}
	same(t, "branches where head", column(c.get("/commits/"+c.git("rev-parse", "feature/one")+"/branches-where-head").list(t), "name"), "feature/one")
}

// parents returns the first parent of a line of git rev-list --parents.
func parents(line string) string {
	_, first, _ := strings.Cut(line, " ")
	return first
}

// binaries are the parts of a patch that have compressed bytes, which depend on the compressor.
var binaries = regexp.MustCompile(`(?s)GIT binary patch\n(?:(?:literal|delta) \d+\n(?:[^\n]+\n)+\n)+`)

func textOnly(patch string) string { return binaries.ReplaceAllString(patch, "(binary)\n") }

// applies checks that git am makes the tree of a commit out of its patch.
func (c *worktree) applies(patch, base, id string) {
	c.t.Helper()
	there := filepath.Join(c.t.TempDir(), "there")
	c.git("worktree", "add", "-q", "--detach", there, base)
	mail := filepath.Join(c.t.TempDir(), "mail")
	if err := os.WriteFile(mail, []byte(patch), 0o666); err != nil {
		c.t.Fatal(err)
	}
	c.git("-C", there, "am", "-q", mail)
	same(c.t, "what git am makes of "+id, c.git("-C", there, "log", "-1", "--format=%T %an %ae %at %s"), c.git("log", "-1", "--format=%T %an %ae %at %s", id))
}

// lf puts back the line feed that git's answer lost, unless there was none.
func lf(text string) string {
	if text == "" {
		return ""
	}
	return text + "\n"
}

func TestCompareLikeGit(t *testing.T) {
	c := open(t).history(t, "open")
	for _, q := range [][2]string{{"main", "feature/one"}, {"feature/one", "main"}, {"main~3", "main"}, {"main", "main~1"}, {"main", "main"}, {"v1.0", "alice:main"}} {
		local := strings.TrimPrefix(q[1], "alice:")
		a := c.get("/compare/" + strings.ReplaceAll(q[0], "/", "%2F") + "..." + strings.ReplaceAll(q[1], "/", "%2F"))
		o := a.object(t)
		counts := strings.Fields(c.git("rev-list", "--left-right", "--count", q[0]+"..."+local))
		if fmt.Sprint(o["behind_by"], o["ahead_by"]) != counts[0]+" "+counts[1] || o["total_commits"] != o["ahead_by"] {
			t.Errorf("%v: %v behind, %v ahead, git says %v", q, o["behind_by"], o["ahead_by"], counts)
		}
		same(t, "merge base", o["merge_base_commit"].(map[string]any)["sha"].(string), c.git("merge-base", q[0], local))
		var shas []map[string]any
		for _, one := range o["commits"].([]any) {
			shas = append(shas, one.(map[string]any))
		}
		same(t, "commits", column(shas, "sha"), strings.Join(strings.Fields(c.git("rev-list", "--reverse", q[0]+".."+local)), " "))
		path := "/compare/" + q[0] + "..." + local
		same(t, "diff", c.get(path, "Accept", "application/vnd.github.v3.diff").text, lf(c.git("diff", "-M", q[0]+"..."+local)))
		same(t, "patch", textOnly(c.get(path, "Accept", "application/vnd.github.patch").text), textOnly(lf(c.git("format-patch", "--stdout", "--no-signature", q[0]+".."+local))))
	}
	if o := c.get("/compare/main~3...main?per_page=1&page=2"); len(o.object(t)["commits"].([]any)) != 1 || !strings.Contains(o.header.Get("Link"), "page=3") ||
		len(o.object(t)["files"].([]any)) != 0 {
		t.Errorf("second page: %v", o.header)
	}
	c.git("checkout", "-q", "--orphan", "lonely")
	c.commit("alone")
	c.push()
	for _, path := range []string{"/compare/main...lonely", "/compare/main...nope", "/compare/main", "/compare/...", "/compare/main...bob:main"} {
		c.call(t, c.alice, "GET", "/repos/alice/open"+path, "").want(t, 404)
	}
}

func TestBlameLikeGit(t *testing.T) {
	c := open(t).history(t, "open")
	for _, q := range []struct{ path, query, args string }{
		{"long.txt", "?ref=feature/one", "feature/one"}, {"src/moved.go", "?ref=feature/one", "feature/one"}, {"README.md", "", "main"},
		{"long.txt", "?ref=feature/one&start_line=2&end_line=4", "-L2,4 feature/one"},
	} {
		a := c.get("/blame/" + q.path + q.query).object(t)
		var got []string
		for _, r := range a["ranges"].([]any) {
			r := r.(map[string]any)
			for line := r["start_line"].(float64); line <= r["end_line"].(float64); line++ {
				got = append(got, fmt.Sprintf("%s %v %v", r["commit"].(map[string]any)["sha"], r["original_start_line"].(float64)+line-r["start_line"].(float64), line))
			}
		}
		var want []string
		for line := range strings.Lines(c.git(append(append([]string{"blame", "--line-porcelain"}, strings.Fields(q.args)...), "--", q.path)...)) {
			if fields := strings.Fields(line); len(fields) >= 3 && len(fields[0]) == 40 {
				want = append(want, strings.Join(fields[:3], " "))
			}
		}
		same(t, "blame of "+q.path+q.query, strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
	for path, status := range map[string]int{"nope": 404, "src": 422, "README.md?start_line=9": 422, "README.md?ref=nope": 404} {
		c.call(t, c.alice, "GET", "/repos/alice/open/blame/"+path, "").want(t, status)
	}
}

func TestRevParseLikeGit(t *testing.T) {
	c := open(t).history(t, "open")
	main := c.git("rev-parse", "main")
	for _, rev := range []string{"main", "HEAD", "v1.0", "v1.0^{}", "main^{tree}", "main:src/main.go", "main~2^1", "light", "feature/one", main[:8], "main^{/first}", ":/fourth", "@"} {
		a := c.call(t, c.alice, "GET", "/repos/alice/open/rev-parse?rev="+strings.NewReplacer("^", "%5E", "{", "%7B", "}", "%7D", "/", "%2F").Replace(rev), "")
		if rev == "main:src/main.go" {
			a.want(t, 404) // it was moved
			continue
		}
		o := a.want(t, 200).object(t)
		id := c.git("rev-parse", rev)
		same(t, rev, fmt.Sprint(o["sha"], " ", o["type"]), id+" "+c.git("cat-file", "-t", id))
	}
	for rev, status := range map[string]int{"nope": 404, "main^9": 404, "main^{nope}": 422, "": 422, "@{-1}": 422, strings.Repeat("0", 40): 404} {
		if a := c.call(t, c.alice, "GET", "/repos/alice/open/rev-parse?rev="+url.QueryEscape(rev), ""); a.status != status {
			t.Errorf("%s: %d, want %d", rev, a.status, status)
		}
	}
	// What a ref was: the log has it.
	c.commit("later")
	c.push()
	o := c.get("/rev-parse?rev=main@%7B1%7D").object(t)
	same(t, "main@{1}", o["sha"].(string), main)
	log := c.get("/ref-log?ref=main").object(t)["movements"].([]any)
	if len(log) != 2 || log[0].(map[string]any)["before"] != main || log[0].(map[string]any)["actor"] != "alice" {
		t.Errorf("ref log: %v", log)
	}
}

func TestContents(t *testing.T) {
	c := open(t).history(t, "open")
	a := c.get("/contents/README.md").object(t)
	text, _ := base64.StdEncoding.DecodeString(strings.ReplaceAll(a["content"].(string), "\n", ""))
	if string(text) != "# Hello <world>\n" || a["type"] != "file" || a["encoding"] != "base64" || a["sha"] != c.git("rev-parse", "main:README.md") ||
		a["download_url"] != public+"/alice/open/raw/main/README.md" || a["html_url"] != public+"/alice/open/blob/main/README.md" {
		t.Errorf("%v", a)
	}
	raw := c.get("/contents/na%C3%AFve%20name%20&%20co.txt", "Accept", "application/vnd.github.raw")
	if raw.text != "é\n" || raw.header.Get("Content-Type") != "application/vnd.github.raw; charset=utf-8" || !strings.Contains(raw.header.Get("X-Github-Media-Type"), "raw") {
		t.Errorf("raw: %q %v", raw.text, raw.header)
	}
	id := c.git("rev-parse", "main")
	raw = c.get("/contents/long.txt?ref="+id, "Accept", "application/vnd.github.v3.raw")
	if !strings.Contains(raw.header.Get("Cache-Control"), "immutable") {
		t.Errorf("by commit id: %v", raw.header)
	}
	c.call(t, c.alice, "GET", "/repos/alice/open/contents/long.txt?ref="+id, "", "Accept", "application/vnd.github.raw", "If-None-Match", raw.header.Get("ETag")).want(t, 304)
	if html := c.get("/readme", "Accept", "application/vnd.github.html"); !strings.Contains(html.text, "# Hello &lt;world&gt;") {
		t.Errorf("html: %s", html.text)
	}
	same(t, "the root", column(c.get("/contents").list(t), "name"), strings.Join(strings.Split(c.git("-c", "core.quotePath=false", "ls-tree", "--name-only", "main"), "\n"), " "))
	src := c.get("/contents/src?ref=main", "Accept", "application/vnd.github.object").object(t)
	if entries := src["entries"].([]any); src["type"] != "dir" || len(entries) != 5 || entries[0].(map[string]any)["path"] != "src/deep" {
		t.Errorf("directory as an object: %v", src)
	}
	if link := c.get("/contents/src/link").object(t); link["type"] != "file" || link["path"] != "src/link" || link["content"] != a["content"] {
		t.Errorf("a link to a file: %v", link)
	}
	if link := c.get("/contents/outside").object(t); link["type"] != "symlink" || link["target"] != "/etc/passwd" || link["content"] != nil {
		t.Errorf("a link to elsewhere: %v", link)
	}
	if module := c.get("/contents/lib?ref=main~3").object(t); module["type"] != "submodule" || module["submodule_git_url"] != "https://example.org/lib.git" || module["git_url"] != nil {
		t.Errorf("a submodule: %v", module)
	}
	for path, status := range map[string]int{"/contents/nope": 404, "/contents/README.md/x": 404, "/contents/README.md?ref=nope": 404, "/contents/..%2Fx": 404,
		"/readme/src": 404, "/readme?ref=feature/one": 200} {
		c.call(t, c.alice, "GET", "/repos/alice/open"+path, "").want(t, status)
	}
}

func TestChangeContents(t *testing.T) {
	w := open(t)
	put := func(status int, path, body string) map[string]any {
		t.Helper()
		return w.call(t, w.alice, "PUT", "/repos/alice/open/contents/"+path, body).want(t, status).object(t)
	}
	b64 := func(s string) string { return base64.StdEncoding.EncodeToString([]byte(s)) }
	made := put(201, "a/b.txt", `{"message":"make","content":"`+b64("one\n")+`"}`)
	commit := made["commit"].(map[string]any)
	first := made["content"].(map[string]any)["sha"].(string)
	if author := commit["author"].(map[string]any); author["name"] != "alice" || !strings.HasSuffix(author["email"].(string), "+alice@users.noreply.forge.example") ||
		len(commit["parents"].([]any)) != 0 || commit["message"] != "make" {
		t.Errorf("%v", commit)
	}
	if _, has := made["content"].(map[string]any)["content"]; has {
		t.Error("the content is sent back")
	}
	put(422, "a/b.txt", `{"message":"x","content":"`+b64("two\n")+`"}`)
	put(409, "a/b.txt", `{"message":"x","content":"`+b64("two\n")+`","sha":"`+strings.Repeat("1", 40)+`"}`)
	put(409, "new", `{"message":"x","content":"","sha":"`+strings.Repeat("1", 40)+`"}`)
	put(422, "a/b.txt", `{"message":"","content":""}`)
	put(422, "a/b.txt", `{"message":"x"}`)
	put(422, "a/b.txt", `{"message":"x","content":"***"}`)
	put(422, "a/b.txt", `{"message":"x","content":"","sha":"short"}`)
	put(422, "a/b.txt/c", `{"message":"x","content":""}`)
	put(422, "a", `{"message":"x","content":""}`)
	put(422, ".git/config", `{"message":"x","content":""}`)
	put(422, "a/../b", `{"message":"x","content":""}`)
	put(404, "x", `{"message":"x","content":"","branch":"nope"}`)
	put(422, "x", `{"message":"x","content":"","author":{"name":"a<b","email":"e@x"}}`)
	two := put(200, "a/b.txt", `{"message":"m","content":"`+b64("two\n")+`","sha":"`+first+`","author":{"name":"A","email":"a@x.org","date":"2020-02-03T04:05:06+02:00"}}`)
	author := two["commit"].(map[string]any)["author"].(map[string]any)
	if author["date"] != "2020-02-03T02:05:06Z" || author["name"] != "A" {
		t.Errorf("%v", author)
	}
	sha := two["content"].(map[string]any)["sha"].(string)
	remove := func(status int, path, body string) answer {
		t.Helper()
		return w.call(t, w.alice, "DELETE", "/repos/alice/open/contents/"+path, body).want(t, status)
	}
	remove(422, "a/b.txt", `{"message":"x"}`)
	remove(409, "a/b.txt", `{"message":"x","sha":"`+first+`"}`)
	remove(404, "a/nope", `{"message":"x","sha":"`+first+`"}`)
	gone := remove(200, "a/b.txt?message=gone&sha="+sha, "").object(t)
	if gone["content"] != nil || gone["commit"].(map[string]any)["message"] != "gone" {
		t.Errorf("%v", gone)
	}
	if tree := w.call(t, w.alice, "GET", "/repos/alice/open/git/trees/main?recursive=1", "").want(t, 200).object(t); len(tree["tree"].([]any)) != 0 {
		t.Errorf("left: %v", tree)
	}
	w.call(t, w.bob, "PUT", "/repos/alice/open/contents/x", `{"message":"x","content":""}`).want(t, 403)
	w.call(t, "", "PUT", "/repos/alice/open/contents/x", `{"message":"x","content":""}`).want(t, 401)
	w.call(t, w.bob, "PUT", "/repos/alice/hidden/contents/x", `{"message":"x","content":""}`).want(t, 404)
}

// TestGitData goes GitHub's way from blobs to a branch, and asks git what came out.
func TestGitData(t *testing.T) {
	c := open(t).history(t, "open")
	post := func(status int, path string, body any) map[string]any {
		t.Helper()
		data, err := json.Marshal(body)
		if err != nil {
			t.Fatal(err)
		}
		return c.call(t, c.alice, "POST", "/repos/alice/open/git/"+path, string(data)).want(t, status).object(t)
	}
	type m = map[string]any
	type l = []any
	blob := post(201, "blobs", m{"content": "AAEC", "encoding": "base64"})["sha"].(string)
	if got := c.get("/git/blobs/" + blob).object(t); got["content"] != "AAEC\n" || got["size"] != 3. || got["encoding"] != "base64" {
		t.Errorf("blob: %v", got)
	}
	if post(201, "blobs", m{"content": "AAEC", "encoding": "base64"})["sha"] != blob {
		t.Error("the same blob has two ids")
	}
	main := c.git("rev-parse", "main")
	tree := post(201, "trees", m{"base_tree": main, "tree": l{
		m{"path": "new/blob", "mode": "100755", "type": "blob", "sha": blob}, m{"path": "text", "mode": "100644", "content": "hello\n"},
		m{"path": "src/dir/x.py", "mode": "100644", "sha": nil}, m{"path": "whole", "mode": "040000", "type": "tree", "sha": c.git("rev-parse", "main:src/deep")}}})["sha"].(string)
	commit := post(201, "commits", m{"message": "by hand", "tree": tree, "parents": l{main, c.git("rev-parse", "feature/one")},
		"author": m{"name": "Ann", "email": "ann@x.org", "date": "2021-01-02T03:04:05Z"}})
	if commit["committer"].(m)["name"] != "Ann" {
		t.Errorf("the committer is not the author: %v", commit)
	}
	id := commit["sha"].(string)
	tag := post(201, "tags", m{"tag": "made", "message": "a tag", "object": id, "type": "commit"})["sha"].(string)
	if refs := c.git("ls-remote", c.url); strings.Contains(refs, "ingot") || strings.Contains(refs, id) {
		t.Errorf("what was made is listed: %s", refs)
	}
	post(201, "refs", m{"ref": "refs/tags/made", "sha": tag})
	post(201, "refs", m{"ref": "refs/heads/by/hand", "sha": id})
	c.git("fetch", "-q", c.url, "refs/heads/by/hand", "refs/tags/made:refs/tags/made")
	c.git("fsck", "--strict")
	same(t, "the tree", c.git("diff", "--no-renames", "--raw", "--abbrev=7", main, id), strings.Join([]string{
		":000000 100755 0000000 " + blob[:7] + " A\tnew/blob", ":100644 000000 " + c.git("rev-parse", "main:src/dir/x.py")[:7] + " 0000000 D\tsrc/dir/x.py",
		":000000 100644 0000000 ce01362 A\ttext", ":000000 100644 0000000 " + c.git("rev-parse", "main:src/deep/er/file.txt")[:7] + " A\twhole/er/file.txt"}, "\n"))
	same(t, "the tag", c.git("rev-parse", "made^{}"), id)

	for body, field := range map[string]string{
		`{"tree":[{"path":"x","mode":"100644","sha":"` + strings.Repeat("1", 40) + `"}]}`: "tree",
		`{"tree":[{"path":"x","mode":"100644","sha":"` + tree + `"}]}`:                    "tree",
		`{"tree":[{"path":"x","mode":"040000","sha":"` + blob + `"}]}`:                    "tree",
		`{"tree":[{"path":"x","mode":"7","sha":"` + blob + `"}]}`:                         "tree.mode",
		`{"tree":[{"path":"../x","mode":"100644","sha":"` + blob + `"}]}`:                 "path",
		`{"tree":[{"path":"x","mode":"100644"}]}`:                                         "tree.sha",
		`{"tree":[{"path":"x","mode":"100644","sha":null}]}`:                              "path",
		`{"tree":[]}`: "tree",
		`{"base_tree":"` + strings.Repeat("1", 40) + `","tree":[{"path":"x","mode":"100644","content":""}]}`: "base_tree",
	} {
		p := c.call(t, c.alice, "POST", "/repos/alice/open/git/trees", body).want(t, 422).object(t)
		if errors, _ := p["errors"].([]any); len(errors) == 0 || errors[0].(m)["field"] != field {
			t.Errorf("%s: %v", body, p)
		}
	}
	post(422, "commits", m{"message": "x", "tree": blob})
	post(422, "commits", m{"message": "x", "tree": tree, "parents": l{tree}})
	post(422, "commits", m{"message": "", "tree": tree})
	post(422, "tags", m{"tag": "a..b", "message": "x", "object": id, "type": "commit"})
	post(422, "tags", m{"tag": "x", "message": "x", "object": id, "type": "blob"})
	post(422, "refs", m{"ref": "refs/heads/by/hand", "sha": id})
	post(422, "refs", m{"ref": "heads/x", "sha": id})
	post(422, "refs", m{"ref": "refs/heads/x", "sha": blob})
	c.call(t, c.alice, "POST", "/repos/alice/open/git/refs", `{"ref":"refs/ingot/x","sha":"`+id+`"}`).want(t, 403)
	patch := func(status int, ref, body string) {
		t.Helper()
		c.call(t, c.alice, "PATCH", "/repos/alice/open/git/refs/"+ref, body).want(t, status)
	}
	patch(422, "heads/by/hand", `{"sha":"`+main+`"}`)
	patch(200, "heads/by/hand", `{"sha":"`+main+`","force":true}`)
	patch(200, "heads/by/hand", `{"sha":"`+id+`"}`)
	patch(422, "heads/nope", `{"sha":"`+id+`"}`)
	remove := func(status int, ref string) {
		t.Helper()
		c.call(t, c.alice, "DELETE", "/repos/alice/open/git/refs/"+ref, "").want(t, status)
	}
	remove(204, "heads/by/hand")
	remove(422, "heads/by/hand")
	remove(422, "heads/main")
	for _, path := range []string{"blobs/" + tree, "trees/" + blob, "commits/" + tree, "tags/" + id, "blobs/" + strings.Repeat("1", 40)} {
		c.call(t, c.alice, "GET", "/repos/alice/open/git/"+path, "").want(t, 404)
	}
	c.call(t, c.alice, "GET", "/repos/alice/open/git/blobs/short", "").want(t, 422)
	c.call(t, c.bob, "POST", "/repos/alice/open/git/blobs", `{"content":"x"}`).want(t, http.StatusForbidden)
}
