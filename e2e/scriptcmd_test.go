package e2e

import (
	"bytes"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"os"
	"os/exec"
	"slices"
	"strconv"
	"strings"

	"github.com/rogpeppe/go-internal/testscript"
)

// httpCommand sends one request as it is written: redirects are not followed,
// and the path is not cleaned.
func httpCommand(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 3 {
		ts.Fatalf("usage: http STATUS METHOD PATH [-h 'NAME: VALUE']… [-d FILE]")
	}
	var body []byte
	header := http.Header{}
	for flags := args[3:]; len(flags) > 0; flags = flags[2:] {
		switch name, value, ok := strings.Cut(flags[min(1, len(flags)-1)], ": "); {
		case flags[0] == "-h" && ok:
			header.Add(name, value)
		case flags[0] == "-d" && len(flags) > 1:
			body = []byte(ts.ReadFile(flags[1]))
		default:
			ts.Fatalf("http: %q is not understood", flags)
		}
	}
	req, err := http.NewRequest(args[1], "http://"+serverOf(ts).http+args[2], bytes.NewReader(body))
	ts.Check(err)
	req.Header = header
	client := http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	res, err := client.Do(req)
	ts.Check(err)
	defer res.Body.Close()
	answer, err := io.ReadAll(res.Body)
	ts.Check(err)
	ts.Stdout().Write(answer)
	res.Header.Write(ts.Stderr())
	if !slices.Contains(strings.Split(args[0], "|"), strconv.Itoa(res.StatusCode)) {
		ts.Fatalf("%s %s answered %d, not %s:\n%s", args[1], args[2], res.StatusCode, args[0], answer)
	}
}

func pktCommand(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 2 {
		ts.Fatalf("usage: pkt FILE LINE…")
	}
	var b bytes.Buffer
	for _, line := range args[1:] {
		if line == "0000" || line == "0001" {
			b.WriteString(line)
			continue
		}
		line = strings.ReplaceAll(line, `\0`, "\x00")
		fmt.Fprintf(&b, "%04x%s\n", len(line)+5, line)
	}
	ts.Check(os.WriteFile(ts.MkAbs(args[0]), b.Bytes(), 0o600))
}

const emptyBlob = "e69de29bb2d1d6434b8b29ae775ad8c2e48c5391"

// answersCommand collects what strangers hear of a repository, so that two can be compared.
func answersCommand(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 2 {
		ts.Fatalf("usage: answers OWNER/NAME FILE")
	}
	owner, name, _ := strings.Cut(args[0], "/")
	git, api := "/"+args[0]+".git", "/api/v3/repos/"+args[0]
	asked := []struct{ method, path, kind string }{
		{"GET", git + "/info/refs?service=git-upload-pack", ""},
		{"GET", git + "/info/refs?service=git-receive-pack", ""},
		{"GET", git + "/info/refs", ""},
		{"GET", git + "/HEAD", ""},
		{"POST", git + "/git-upload-pack", "application/x-git-upload-pack-request"},
		{"POST", git + "/git-receive-pack", "application/x-git-receive-pack-request"},
		{"GET", "/" + args[0], ""}, {"GET", git, ""}, {"GET", "/" + args[0] + "?go-get=1", ""},
		{"GET", api, ""}, {"PATCH", api, "application/json"}, {"DELETE", api, ""},
		{"GET", api + "/branches", ""}, {"GET", api + "/tags", ""}, {"GET", api + "/git/refs", ""},
		{"GET", api + "/git/ref/heads/main", ""}, {"GET", api + "/git/matching-refs/heads", ""},
		{"GET", api + "/branches/main", ""}, {"POST", api + "/branches/main/rename", ""}, {"POST", api + "/git/refs", ""}, {"PATCH", api + "/git/refs/heads/main", ""},
		{"DELETE", api + "/git/refs/heads/main", ""}, {"POST", api + "/git/blobs", ""}, {"GET", api + "/git/blobs/" + emptyBlob, ""},
		{"POST", api + "/git/trees", ""}, {"GET", api + "/git/trees/main", ""}, {"POST", api + "/git/commits", ""}, {"GET", api + "/git/commits/" + emptyBlob, ""},
		{"POST", api + "/git/tags", ""}, {"GET", api + "/git/tags/" + emptyBlob, ""}, {"GET", api + "/contents", ""}, {"GET", api + "/contents/x", ""},
		{"PUT", api + "/contents/x", ""}, {"DELETE", api + "/contents/x", ""}, {"GET", api + "/readme", ""}, {"GET", api + "/tarball", ""}, {"GET", api + "/zipball/main", ""},
		{"GET", api + "/commits", ""}, {"POST", api + "/commits", ""}, {"GET", api + "/commits/main", ""}, {"GET", api + "/commits/main/branches-where-head", ""},
		{"GET", api + "/compare/main...main", ""}, {"GET", api + "/languages", ""}, {"GET", api + "/contributors", ""}, {"GET", api + "/stats", ""},
		{"GET", api + "/rev-parse?rev=main", ""}, {"GET", api + "/files", ""}, {"GET", api + "/blame/x", ""}, {"GET", api + "/ref-log", ""}, {"POST", api + "/ref-log/restore", ""}, {"GET", api + "/events", ""},
		{"GET", api + "/collaborators", ""}, {"PUT", api + "/collaborators/" + owner, ""}, {"DELETE", api + "/collaborators/" + owner, ""},
	}
	var all strings.Builder
	for _, token := range []string{"", ts.Getenv("TOKEN")} {
		for _, a := range asked {
			req, err := http.NewRequest(a.method, "http://"+serverOf(ts).http+a.path, strings.NewReader("{}"))
			ts.Check(err)
			req.Header.Set("Content-Type", a.kind)
			if token != "" {
				req.Header.Set("Authorization", "Bearer "+token)
			}
			res, err := http.DefaultClient.Do(req)
			ts.Check(err)
			body, err := io.ReadAll(res.Body)
			ts.Check(err)
			ts.Check(res.Body.Close())
			for _, own := range []string{"Date", "X-Request-Id", "X-Github-Request-Id"} {
				res.Header.Del(own)
			}
			fmt.Fprintf(&all, "%s %s (token: %t)\n%s\n", a.method, a.path, token != "", res.Status)
			ts.Check(res.Header.Write(&all))
			fmt.Fprintf(&all, "%s\n", body)
		}
	}
	text := strings.ReplaceAll(all.String(), owner+"/"+name, "OWNER/NAME")
	ts.Check(os.WriteFile(ts.MkAbs(args[1]), []byte(text), 0o600))
}

func envFromCommand(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 1 {
		ts.Fatalf("usage: env-from FILE")
	}
	for line := range strings.Lines(ts.ReadFile(args[0])) {
		name, value, _ := strings.Cut(strings.TrimSuffix(line, "\n"), "=")
		ts.Setenv(name, value)
	}
}

// historyCommand makes a history by git fast-import: on main a commit a day from
// 2024-01-01 on, each of which changes one of five files in one of three
// directories; every seventh merges a side branch of one commit, every tenth has
// an annotated tag and every tenth after the fifth a light one.
func historyCommand(ts *testscript.TestScript, neg bool, args []string) {
	n := 0
	if len(args) == 2 {
		n, _ = strconv.Atoi(args[1])
	}
	if neg || n < 1 {
		ts.Fatalf("usage: history DIR N")
	}
	const day, start = 24 * 60 * 60, 1704067200
	var in bytes.Buffer
	data := func(text string) { fmt.Fprintf(&in, "data %d\n%s\n", len(text), text) }
	filler := strings.Repeat("a line that stays\n", 100)
	commit := func(ref string, i, at int, from, merge string) {
		fmt.Fprintf(&in, "commit %s\nmark :%d\ncommitter A U Thor <author@example.org> %d +0000\n", ref, at, start+i*day)
		data(fmt.Sprintf("commit %d", at))
		if from != "" {
			fmt.Fprintf(&in, "from %s\n", from)
		}
		if merge != "" {
			fmt.Fprintf(&in, "merge %s\n", merge)
		}
		fmt.Fprintf(&in, "M 100644 inline dir%d/file%d\n", i%3, i%5)
		data(filler + fmt.Sprintf("line of commit %d\n", at))
	}
	previous := ""
	for i := range n {
		at, merge := 10*i+1, ""
		if i%7 == 6 {
			commit("refs/heads/side", i, at+1, previous, "")
			merge = fmt.Sprintf(":%d", at+1)
		}
		commit("refs/heads/main", i, at, previous, merge)
		previous = fmt.Sprintf(":%d", at)
		switch i % 10 {
		case 9:
			fmt.Fprintf(&in, "tag v%d\nfrom %s\ntagger A U Thor <author@example.org> %d +0000\n", i+1, previous, start+i*day)
			data(fmt.Sprintf("version %d", i+1))
		case 5:
			fmt.Fprintf(&in, "reset refs/tags/light%d\nfrom %s\n\n", i, previous)
		}
	}
	ts.Check(ts.Exec("git", "init", "-q", args[0]))
	stream := ts.MkAbs(args[0] + ".fast-import")
	ts.Check(os.WriteFile(stream, in.Bytes(), 0o600))
	ts.Check(ts.Exec("sh", "-c", `git -C "$1" fast-import --quiet <"$2" && git -C "$1" reset -q --hard`, "sh", args[0], stream))
}

func randomCommand(ts *testscript.TestScript, neg bool, args []string) {
	n := int64(0)
	if len(args) == 2 {
		n, _ = strconv.ParseInt(args[1], 10, 64)
	}
	if neg || n < 1 {
		ts.Fatalf("usage: random FILE BYTES")
	}
	f, err := os.Create(ts.MkAbs(args[0]))
	ts.Check(err)
	_, err = io.CopyN(f, rand.NewChaCha8([32]byte{1}), n)
	ts.Check(err)
	ts.Check(f.Close())
}

// sameRefsCommand compares git ls-remote with git for-each-ref, HEAD left out.
func sameRefsCommand(ts *testscript.TestScript, neg bool, args []string) {
	if len(args) != 2 {
		ts.Fatalf("usage: samerefs URL DIR")
	}
	var remote []string
	for line := range strings.Lines(quietGit(ts, "", "ls-remote", args[0])) {
		if fields := strings.Fields(line); len(fields) == 2 && fields[1] != "HEAD" && !strings.HasSuffix(fields[1], "^{}") {
			remote = append(remote, fields[0]+" "+fields[1]+"\n")
		}
	}
	local := quietGit(ts, args[1], "for-each-ref", "--format=%(objectname) %(refname)")
	compare(ts, neg, "refs", args, strings.Join(remote, ""), local)
}

func sameObjectsCommand(ts *testscript.TestScript, neg bool, args []string) {
	if len(args) != 2 {
		ts.Fatalf("usage: sameobjects DIR DIR")
	}
	var lists [2]string
	for i, dir := range args {
		lists[i] = quietGit(ts, dir, "cat-file", "--batch-all-objects", "--batch-check=%(objectname) %(objecttype)")
	}
	compare(ts, neg, "objects", args, lists[0], lists[1])
}

// quietGit runs git in the script's environment without the output in its log,
// and with no way to fetch what a partial clone lacks.
func quietGit(ts *testscript.TestScript, dir string, args ...string) string {
	cmd := exec.Command("git", args...)
	cmd.Dir = ts.MkAbs(dir)
	for _, kv := range []string{"HOME", "PATH", "TMPDIR", "GIT_CONFIG_NOSYSTEM", "GIT_CONFIG_GLOBAL", "GIT_SSH_COMMAND", "GIT_TERMINAL_PROMPT"} {
		cmd.Env = append(cmd.Env, kv+"="+ts.Getenv(kv))
	}
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		ts.Fatalf("git %s: %v\n%s", strings.Join(args, " "), err, stderr.String())
	}
	return string(out)
}

// compare fails the script unless two lists of lines are the same (or, with
// neg, if they are); it shows the first few that only one of them has.
func compare(ts *testscript.TestScript, neg bool, what string, names []string, a, b string) {
	if (a == b) != neg {
		return
	}
	only := func(a, b string) string {
		in := map[string]bool{}
		for line := range strings.Lines(b) {
			in[line] = true
		}
		var lines []string
		for line := range strings.Lines(a) {
			if !in[line] && len(lines) < 20 {
				lines = append(lines, line)
			}
		}
		return strings.Join(lines, "")
	}
	ts.Fatalf("%s: %d in %s, %d in %s\nonly in the first:\n%sonly in the second:\n%s", what,
		strings.Count(a, "\n"), names[0], strings.Count(b, "\n"), names[1], only(a, b), only(b, a))
}
