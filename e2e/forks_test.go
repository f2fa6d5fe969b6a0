package e2e

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// TestForkIsolation asks, in every way in which an object can be asked for by its id, for
// objects that are stored but that no ref of the repository reaches: what a branch
// had that was deleted before the repository was forked, so that parent and
// fork share the pack it is in; and what was pushed to another fork. Each
// answer must be that for an object which does not exist, to the word.
func TestForkIsolation(t *testing.T) {
	s := start(t, t.TempDir())
	tokens := make(map[string]string)
	for _, login := range []string{"alice", "bob", "carol"} {
		tokens[login] = s.user(t, login, "repo")
	}
	work := filepath.Join(t.TempDir(), "work")
	mustGit(t, "", "init", "-q", work)
	write := func(name, text string) {
		t.Helper()
		if err := os.WriteFile(filepath.Join(work, name), []byte(text), 0o666); err != nil {
			t.Fatal(err)
		}
		mustGit(t, work, "add", ".")
	}
	id := func(rev string) string { return strings.TrimSpace(mustGit(t, work, "rev-parse", rev)) }
	push := func(login, repository string, refs ...string) {
		t.Helper()
		mustGit(t, work, append([]string{"push", "-q", s.url(tokens[login], repository+".git")}, refs...)...)
	}
	fork := func(login string) {
		t.Helper()
		status, answer, err := call(s, tokens[login], "POST", "/repos/alice/parent/forks", nil)
		if err != nil || status != http.StatusAccepted {
			t.Fatalf("fork: %d %v\n%s", status, err, answer)
		}
	}
	secretOf := func(name string) secret {
		t.Helper()
		content := strings.Repeat("the secret of "+name+"\n", 50)
		write("secret", content)
		mustGit(t, work, "commit", "-q", "-m", name)
		mustGit(t, work, "tag", "-f", "-a", "-m", name, "t-"+name)
		return secret{name, id("HEAD"), id("HEAD^{tree}"), id("HEAD:secret"), id("t-" + name), len(content)}
	}
	if status, answer, err := call(s, tokens["alice"], "POST", "/user/repos", []byte(`{"name":"parent"}`)); err != nil || status != http.StatusCreated {
		t.Fatalf("create: %d %v\n%s", status, err, answer)
	}
	write("file", "what all know\n")
	mustGit(t, work, "commit", "-q", "-m", "main")
	main, tree := id("HEAD"), id("HEAD^{tree}")

	mustGit(t, work, "switch", "-q", "-c", "gone")
	gone := secretOf("gone")
	push("alice", "alice/parent", "main", "gone", "t-gone")
	push("alice", "alice/parent", ":gone", ":t-gone")
	fork("bob")
	fork("carol")
	mustGit(t, work, "switch", "-q", "-c", "bobs", "main")
	bobs := secretOf("bobs")
	push("bob", "bob/parent", "bobs", "t-bobs")

	for _, c := range []struct {
		owner  string
		secret secret
	}{
		{"alice", gone}, {"bob", gone}, {"carol", gone}, // all of them have the pack
		{"alice", bobs}, {"carol", bobs},
	} {
		t.Run(c.secret.name+" from "+c.owner, func(t *testing.T) {
			p := prober{server: s, token: tokens[c.owner], repository: c.owner + "/parent", main: main, tree: tree}
			real, never := p.probes(t, c.secret), p.probes(t, nothing)
			for i, ask := range real {
				got, want := ask.ask(t), never[i].ask(t)
				if got != want {
					t.Errorf("%s:\n%s\nand for what does not exist:\n%s", ask.way, got, want)
				}
			}
			if refs := remoteRefs(t, s.url(p.token, p.repository+".git")); refs["refs/heads/main"] != main || refs["refs/heads/x"] != "" {
				t.Errorf("refs afterwards: %v", refs)
			}
		})
	}
	// Bob may have what is his, and whoever has the objects may push them again.
	mustGit(t, work, "fetch", "-q", s.url(tokens["bob"], "bob/parent.git"), bobs.commit)
	push("alice", "alice/parent", "bobs", "t-bobs", "gone:back", "t-gone")
	mustGit(t, "", "clone", "-q", "--mirror", s.url(tokens["alice"], "alice/parent.git"), filepath.Join(work, "mirror"))
	mustGit(t, filepath.Join(work, "mirror"), "fsck", "--strict")
	if out, err := runAdmin(s.data, "", "fsck"); err != nil || strings.Count(out, ": 0 faults") != 3 {
		t.Errorf("fsck: %v\n%s", err, out)
	}
}

// secret is a commit and what hangs from it.
type secret struct {
	name, commit, tree, blob, tag string
	size                          int // of the blob
}

// nothing has ids that no object has.
var nothing = secret{"nothing", strings.Repeat("c0", 20), strings.Repeat("70", 20), strings.Repeat("b0", 20), strings.Repeat("7a", 20), 1000}

// prober asks one repository.
type prober struct {
	*server
	token, repository, main, tree string
}

// probe is one question.
type probe struct {
	way string
	ask func(t *testing.T) string
}

// probes are all ways to ask for the objects of x.
func (p *prober) probes(t *testing.T, x secret) []probe {
	var all []probe
	add := func(way string, ask func(t *testing.T) string) { all = append(all, probe{way, ask}) }
	for kind, id := range x.byKind() {
		id := id
		for _, version := range []string{"0", "2"} {
			add("want "+kind+" in version "+version, func(t *testing.T) string { return p.fetch(t, version, []string{"want " + id}, "done") })
			add("have "+kind+" in version "+version, func(t *testing.T) string { return p.fetch(t, version, []string{"want " + p.main}, "have "+id) })
			add("shallow "+kind+" in version "+version, func(t *testing.T) string {
				return p.fetch(t, version, []string{"want " + p.main, "shallow " + id, "deepen 1"}, "done")
			})
			add("unshallow "+kind+" in version "+version, func(t *testing.T) string {
				return p.fetch(t, version, []string{"want " + p.main, "shallow " + id, "deepen 2147483647"}, "done")
			})
			add("filter by "+kind+" in version "+version, func(t *testing.T) string {
				return p.fetch(t, version, []string{"want " + p.main, "filter sparse:oid=" + id}, "done")
			})
		}
		add("size of "+kind, func(t *testing.T) string {
			return p.v2(t, "command=object-info", "object-format=sha1", "0001", "size", "oid "+id)
		})
		for _, path := range []string{"commits/%s", "git/commits/%s", "git/trees/%s", "git/blobs/%s", "git/tags/%s", "tarball/%s", "zipball/%s",
			"contents/secret?ref=%s", "commits?sha=%s", "compare/main...%s", "compare/%s...main", "git/ref/%s", "git/trees/%s?recursive=1",
			"commits/%s/branches-where-head", "readme?ref=%s", "files?ref=%s&recursive=1", "blame/secret?ref=%s", "stats?ref=%s", "rev-parse?rev=%s",
			"rev-parse?rev=%s~1", "rev-parse?rev=%s%%5E%%7Btree%%7D", "rev-parse?rev=%s:secret", "rev-parse?rev=v1-2-g%s", "commits/%.10s", "rev-parse?rev=%.10s",
			"rev-parse?rev=%.39s", "git/trees/%.12s"} {
			add("API "+path+" of "+kind, func(t *testing.T) string { return p.api(t, "GET", fmt.Sprintf(path, id), "") })
		}
		add("API creates a ref at "+kind, func(t *testing.T) string {
			return p.api(t, "POST", "git/refs", `{"ref":"refs/heads/x","sha":"`+id+`"}`)
		})
		for _, body := range apiBodies {
			add("API "+body.path+" "+body.json+" of "+kind, func(t *testing.T) string {
				return p.api(t, body.method, body.path, strings.NewReplacer("ID", id, "MAIN", p.main, "MTREE", p.tree).Replace(body.json))
			})
		}
		for _, ref := range []string{"refs/heads/x", "refs/tags/x"} {
			add(ref+" at "+kind, func(t *testing.T) string { return p.push(t, noID+" "+id+" "+ref, newRawPack()) })
			add(ref+" at "+kind+" without a pack", func(t *testing.T) string { return p.push(t, noID+" "+id+" "+ref, nil) })
			add("delete "+ref+" at "+kind, func(t *testing.T) string { return p.push(t, id+" "+noID+" "+ref, nil) })
		}
		add("tree with "+kind, func(t *testing.T) string {
			pack := newRawPack()
			return p.commit(t, pack, pack.add(tTree, treeEntry("100644", "stolen", id)), "")
		})
		add("tree with tree "+kind, func(t *testing.T) string {
			pack := newRawPack()
			return p.commit(t, pack, pack.add(tTree, treeEntry("40000", "stolen", id)), "")
		})
		add("commit of tree "+kind, func(t *testing.T) string { return p.commit(t, newRawPack(), id, "") })
		add("commit after "+kind, func(t *testing.T) string {
			pack := newRawPack()
			return p.commit(t, pack, pack.add(tTree, nil), "parent "+p.main+"\nparent "+id+"\n")
		})
		for _, as := range []string{"commit", "tree", "blob", "tag"} {
			add("tag of "+kind+" as "+as, func(t *testing.T) string {
				pack := newRawPack()
				tag := pack.add(tTag, []byte("object "+id+"\ntype "+as+"\ntag x\ntagger "+someone+"\n\nx\n"))
				return p.push(t, noID+" "+tag+" refs/tags/x", pack)
			})
		}
	}
	for way, size := range map[string]int{"delta that fits": x.size, "delta that does not fit": x.size + 1} {
		add(way, func(t *testing.T) string {
			delta := append(varint(size), varint(size)...)
			delta = append(delta, 0x80|0x10|0x20, byte(size), byte(size>>8)) // copy it all
			pack := newRawPack()
			pack.raw(tRef, int64(len(delta)), rawID(x.blob), deflate(delta))
			return p.commit(t, pack, pack.add(tTree, nil), "")
		})
	}
	return all
}

// apiBodies are the bodies in which the API takes an id.
var apiBodies = []struct{ method, path, json string }{
	{"POST", "git/refs", `{"ref":"refs/tags/x","sha":"ID"}`},
	{"PATCH", "git/refs/heads/main", `{"sha":"ID"}`},
	{"PATCH", "git/refs/heads/main", `{"sha":"ID","force":true}`},
	{"POST", "git/trees", `{"tree":[{"path":"x","mode":"100644","type":"blob","sha":"ID"}]}`},
	{"POST", "git/trees", `{"tree":[{"path":"x","mode":"120000","type":"blob","sha":"ID"}]}`},
	{"POST", "git/trees", `{"tree":[{"path":"x","mode":"040000","type":"tree","sha":"ID"}]}`},
	{"POST", "git/trees", `{"base_tree":"ID","tree":[{"path":"x","mode":"100644","type":"blob","content":""}]}`},
	{"POST", "git/commits", `{"message":"x","tree":"ID"}`},
	{"POST", "git/commits", `{"message":"x","tree":"MTREE","parents":["ID"]}`},
	{"POST", "git/commits", `{"message":"x","tree":"MTREE","parents":["MAIN","ID"]}`},
	{"POST", "git/tags", `{"tag":"x","message":"x","object":"ID","type":"commit"}`},
	{"POST", "git/tags", `{"tag":"x","message":"x","object":"ID","type":"tree"}`},
	{"POST", "git/tags", `{"tag":"x","message":"x","object":"ID","type":"blob"}`},
	{"POST", "git/tags", `{"tag":"x","message":"x","object":"ID","type":"tag"}`},
	{"POST", "commits", `{"branch":"main","message":"x","files":[{"path":"x","sha":"ID"}]}`},
	{"POST", "commits", `{"branch":"x","message":"x","start_point":"ID","files":[{"path":"x","content":""}]}`},
	{"POST", "commits", `{"branch":"main","message":"x","expected_head_sha":"ID","files":[{"path":"x","content":""}]}`},
	{"PUT", "contents/secret", `{"message":"x","content":"","sha":"ID"}`},
	{"DELETE", "contents/file", `{"message":"x","sha":"ID"}`},
}

// byKind yields kinds and ids in one order.
func (x secret) byKind() func(yield func(kind, id string) bool) {
	return func(yield func(kind, id string) bool) {
		_ = yield("commit", x.commit) && yield("tree", x.tree) && yield("blob", x.blob) && yield("tag", x.tag)
	}
}

func varint(n int) []byte { return binary.AppendUvarint(nil, uint64(n)) }

var hexID = regexp.MustCompile(`[0-9a-f]{40,48}`) // with the length of its packet before it

// plain makes answers about different ids comparable. What a pack has after its
// sizes is left out: its objects are the same in another order, at most.
func plain(status int, answer string) string {
	return fmt.Sprint(status, " ", hexID.ReplaceAllString(answer, "ID"))
}

func (p *prober) v2(t *testing.T, lines ...string) string {
	t.Helper()
	var b strings.Builder
	for _, line := range lines {
		if line == "0001" || line == "0000" {
			b.WriteString(line)
		} else {
			b.WriteString(pkt(line + "\n"))
		}
	}
	return plain(p.post(t, p.token, p.repository+".git", "git-upload-pack", strings.NewReader(b.String()+"0000"), "Git-Protocol", "version=2"))
}

// fetch sends wants and what goes with them, and then the one line of a negotiation.
func (p *prober) fetch(t *testing.T, version string, wants []string, last string) string {
	t.Helper()
	if version == "2" {
		return p.v2(t, append(append([]string{"command=fetch", "object-format=sha1", "0001"}, wants...), last)...)
	}
	var b strings.Builder
	for i, line := range wants {
		if i == 0 {
			line += " multi_ack_detailed no-progress filter"
		}
		b.WriteString(pkt(line + "\n"))
	}
	b.WriteString("0000" + pkt(last+"\n"))
	if last != "done" {
		b.WriteString("0000")
	}
	return plain(p.post(t, p.token, p.repository+".git", "git-upload-pack", strings.NewReader(b.String())))
}

func (p *prober) push(t *testing.T, command string, pack *rawPack) string {
	t.Helper()
	var data []byte
	if pack != nil {
		data = pack.bytes()
	}
	return plain(p.post(t, p.token, p.repository+".git", "git-receive-pack",
		bytes.NewReader(pushRequest("report-status delete-refs side-band-64k", []string{command}, data))))
}

// commit pushes a commit of a tree on top of what the pack has.
func (p *prober) commit(t *testing.T, pack *rawPack, tree, parents string) string {
	t.Helper()
	return p.push(t, noID+" "+pack.add(tCommit, commitOf(tree, parents))+" refs/heads/x", pack)
}

func (p *prober) api(t *testing.T, method, path, body string) string {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), method, p.server.url("", "api/v3/repos/"+p.repository+"/"+path), strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Authorization", "Bearer "+p.token)
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	answer, err := io.ReadAll(res.Body)
	if err != nil {
		t.Fatal(err)
	}
	return plain(res.StatusCode, string(answer))
}
