package transfer_test

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// scenarios are fetches: commands, one a line, in which OLD and NEW are the
// addresses of two repositories and EMPTY that of an empty one. The first makes
// the client's repository in the directory c.
var scenarios = map[string]string{
	"clone":             `clone -q NEW c`,
	"mirror":            `clone -q --mirror NEW c`,
	"single branch":     `clone -q --single-branch --branch side NEW c`,
	"tag":               `clone -q --single-branch --branch v25 NEW c`,
	"no tags":           `clone -q --no-tags NEW c`,
	"empty":             `clone -q EMPTY c`,
	"empty, then more":  "clone -q EMPTY c\n-C c fetch -q NEW main:fetched",
	"fetch":             "clone -q OLD c\n-C c fetch -q NEW +refs/heads/*:refs/remotes/origin/*",
	"fetch no tags":     "clone -q OLD c\n-C c fetch -q --no-tags NEW +refs/heads/*:refs/remotes/origin/*",
	"fetch all tags":    "clone -q OLD c\n-C c fetch -q --tags NEW +refs/heads/*:refs/remotes/origin/*",
	"nothing new":       "clone -q NEW c\n-C c fetch -q NEW main",
	"one commit":        "clone -q --single-branch --no-tags NEW c\n-C c update-ref -d refs/remotes/origin/main\n-C c reset -q --hard HEAD~1\n-C c fetch -q --no-tags NEW main:refs/remotes/origin/main",
	"diverged":          "clone -q OLD c\n-C c commit -q --allow-empty -m mine\n-C c commit -q --allow-empty -m more\n-C c fetch -q NEW main:theirs",
	"unrelated":         "init -q c\n-C c commit -q --allow-empty -m mine\n-C c fetch -q NEW main:theirs",
	"by id":             "init -q c\n-C c fetch -q NEW COMMIT:got",
	"other refs":        "init -q c\n-C c fetch -q NEW refs/pull/*:refs/pull/*",
	"depth 1":           `clone -q --depth 1 NEW c`,
	"depth 3":           `clone -q --depth 3 --no-single-branch NEW c`,
	"deepened":          "clone -q --depth 2 OLD c\n-C c fetch -q --depth 9 OLD main\n-C c fetch -q --deepen 4 OLD main",
	"one line deepened": "clone -q --depth 2 --no-single-branch NEW c\n-C c fetch -q --deepen 3 NEW main",
	"unshallowed":       "clone -q --depth 2 NEW c\n-C c fetch -q --unshallow NEW main:refs/remotes/origin/main",
	"shallow, then new": "clone -q --depth 2 OLD c\n-C c fetch -q NEW main:refs/remotes/origin/main",
	"shallower":         "clone -q --depth 9 NEW c\n-C c fetch -q --depth 3 NEW main",
	"since":             `clone -q --shallow-since=1603000000 NEW c`,
	"exclude":           `clone -q --shallow-exclude=v25 NEW c`,
	"blob:none":         `clone -q --no-checkout --filter=blob:none NEW c`,
	"blob:limit":        `clone -q --no-checkout --filter=blob:limit=3000 NEW c`,
	"tree:0":            `clone -q --no-checkout --filter=tree:0 NEW c`,
	"tree:2":            `clone -q --no-checkout --filter=tree:2 NEW c`,
	"combined":          `clone -q --no-checkout --filter=combine:tree:3+blob:limit=4k NEW c`,
	"lazy":              "clone -q --filter=blob:none NEW c\n-C c fetch -q NEW main\n-C c checkout -q HEAD~5",
	"shallow filtered":  `clone -q --no-checkout --depth 4 --filter=blob:none NEW c`,
}

// play runs a scenario and returns what its client then has.
func (w *world) play(transport, version, name, script string) string {
	w.t.Helper()
	dir := strings.NewReplacer(" ", "_", ",", "", ":", "_").Replace("clients/" + transport + version + name)
	for line := range strings.Lines(script) {
		args := []string{"-c", "protocol.version=" + version}
		for _, arg := range strings.Fields(line) {
			for _, address := range []string{"OLD", "NEW", "EMPTY"} {
				if arg == address {
					arg = w.url(transport, strings.ToLower(address))
				}
			}
			args = append(args, strings.Replace(arg, "COMMIT", w.commit, 1))
		}
		if _, stderr, err := w.try(dir, args...); err != nil {
			w.t.Errorf("git %q: %v\n%s", args, err, stderr)
			return ""
		}
	}
	defer os.RemoveAll(filepath.Join(w.dir, dir))
	return w.state(dir + "/c")
}

// TestFetchLikeStock runs every scenario against the server and against stock
// git: afterwards both clients must have the same refs, the same objects and the
// same ends of history.
func TestFetchLikeStock(t *testing.T) {
	w := newWorld(t)
	w.history()
	for name, script := range scenarios {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			want := w.play("file", "2", name, script)
			sessions := []string{"http0", "http2", "ssh0", "ssh2"}
			if name == "fetch" {
				sessions = append(sessions, "http1", "ssh1") // one line differs from version 0
			} else if testing.Short() || !strings.Contains("diverged deepened unshallowed lazy", name) {
				sessions = []string{"http2", "ssh0"} // with little in common: the two cover both halves of both
			}
			for _, session := range sessions {
				transport, version := session[:len(session)-1], session[len(session)-1:]
				want := want
				if name == "unshallowed" && session == "http0" { // of the tags that follow, a stateless fetch of version 0 brings fewer
					want = w.play("backend", "0", name, script)
				}
				if got := w.play(transport, version, name, script); got != want {
					t.Errorf("%s: client differs from that of stock git:\n%s", session, difference(got, want))
				}
			}
		})
	}
}

// difference lists the lines that only one of two texts has.
func difference(got, want string) string {
	var b strings.Builder
	count := map[string]int{}
	for _, l := range strings.Split(got, "\n") {
		count[l]++
	}
	for _, l := range strings.Split(want, "\n") {
		count[l]--
	}
	for l, n := range count {
		if n != 0 && b.Len() < 2000 {
			fmt.Fprintf(&b, "%+d %s\n", n, l)
		}
	}
	return b.String()
}
