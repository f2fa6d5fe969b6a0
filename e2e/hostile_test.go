package e2e

import (
	"bufio"
	"bytes"
	"compress/gzip"
	"crypto/sha1"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"
)

// hostileServer is a server with limits that tests can reach, and a repository
// alice/target with one commit on main.
type hostileServer struct {
	*server
	token string
	tip   string
}

func startHostile(t *testing.T) *hostileServer {
	t.Helper()
	s := start(t, t.TempDir(), "--limit-object-size", "32MiB", "--limit-pack-size", "48MiB", "--limit-push-objects", "150000",
		"--limit-delta-depth", "100", "--limit-push-refs", "500", "--limit-request-idle", "3s", "--limit-ingest-memory", "32MiB",
		"--limit-ref-name", "300", "--limit-entry-name", "1000")
	h := &hostileServer{server: s, token: s.user(t, "alice", "repo")}
	dir := filepath.Join(t.TempDir(), "work")
	mustGit(t, "", "init", "-q", dir)
	mustGit(t, dir, "commit", "-q", "--allow-empty", "-m", "first")
	mustGit(t, dir, "push", "-q", s.url(h.token, "alice/target.git"), "main")
	h.tip = strings.TrimSpace(mustGit(t, dir, "rev-parse", "HEAD"))
	return h
}

// stillWell checks that the server is as it was: main where it was, a normal
// push works, the memory it took is bounded.
func (h *hostileServer) stillWell(t *testing.T) {
	t.Helper()
	if at := remoteRefs(t, h.url(h.token, "alice/target.git")); at["refs/heads/main"] != h.tip || len(at) != 1 {
		t.Errorf("refs are %v; main was at %s", at, h.tip)
	}
	p := newRawPack()
	tree := p.add(tTree, treeEntry("100644", "file", p.add(tBlob, []byte("well\n"))))
	id := p.add(tCommit, commitOf(tree))
	_, answer := h.post(t, h.token, "alice/target.git", "git-receive-pack", bytes.NewReader(
		pushRequest("report-status", []string{noID + " " + id + " refs/heads/well"}, p.bytes())))
	if !strings.Contains(answer, "ok refs/heads/well") {
		t.Errorf("a normal push: %q", answer)
	}
	_, answer = h.post(t, h.token, "alice/target.git", "git-receive-pack", bytes.NewReader(
		pushRequest("report-status delete-refs", []string{id + " " + noID + " refs/heads/well"}, nil)))
	if !strings.Contains(answer, "ok refs/heads/well") {
		t.Errorf("a normal delete: %q", answer)
	}
	if out, err := runAdmin(h.data, "", "fsck", "alice/target"); err != nil || !strings.Contains(out, ": 0 faults") {
		t.Errorf("fsck: %v\n%s", err, out)
	}
	if peak := h.peakMemory(t); peak > 512<<20 {
		t.Errorf("the server took %d MiB", peak>>20)
	}
}

func (h *hostileServer) peakMemory(t *testing.T) int64 {
	t.Helper()
	status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", h.cmd.Process.Pid))
	if err != nil {
		t.Skip("no /proc here")
	}
	_, rest, _ := strings.Cut(string(status), "VmHWM:")
	kb, _ := strconv.ParseInt(strings.Fields(rest)[0], 10, 64)
	return kb << 10
}

// TestHostilePacks pushes packs that are wrong in one way each. Every one is
// refused with a report that says why, and nothing of it is kept.
func TestHostilePacks(t *testing.T) {
	h := startHostile(t)
	bomb256 := bomb(256 << 20)
	blob := []byte("some content\n")
	blobID := objectID(tBlob, blob)
	// delta makes "some content\n" of itself: sizes, then copy all.
	delta := []byte{13, 13, 0x80 | 0x10, 13}

	cases := []struct {
		name string
		make func(p *rawPack) (tip string) // "" : the tip of the repository
		want string                        // part of the reason
	}{
		{"trailer wrong", func(p *rawPack) string {
			p.trailer = make([]byte, 20)
			return p.add(tCommit, commitOf(p.add(tTree, nil)))
		}, "trailer"},
		{"truncated in a stream", func(p *rawPack) string {
			p.add(tBlob, blob)
			p.entries[0] = p.entries[0][:8]
			p.trailer = []byte{}
			return ""
		}, ""},
		{"no bytes at all", func(p *rawPack) string { return "none" }, ""},
		{"size without an end", func(p *rawPack) string {
			p.entries = append(p.entries, append([]byte{0xb0 | 0x80}, bytes.Repeat([]byte{0xff}, 40)...))
			return ""
		}, ""},
		{"size larger than the content", func(p *rawPack) string { p.raw(tBlob, 14, nil, deflate(blob)); return "" }, ""},
		{"size smaller than the content", func(p *rawPack) string { p.raw(tBlob, 12, nil, deflate(blob)); return "" }, ""},
		{"zlib bomb behind a small size", func(p *rawPack) string { p.raw(tBlob, 10, nil, bomb256); return "" }, ""},
		{"zlib bomb that is announced", func(p *rawPack) string { p.raw(tBlob, 256<<20, nil, bomb256); return "" }, "object size"},
		{"announced size of 2^60", func(p *rawPack) string { p.raw(tBlob, 1<<60, nil, deflate(blob)); return "" }, "size"},
		{"not zlib", func(p *rawPack) string { p.raw(tBlob, 13, nil, []byte("this is not zlib")); return "" }, ""},
		{"more objects announced", func(p *rawPack) string { p.add(tBlob, blob); p.count = 2; return "" }, ""},
		{"fewer objects announced", func(p *rawPack) string { p.add(tBlob, blob); p.add(tBlob, nil); p.count = 1; return "" }, ""},
		{"4 billion objects announced", func(p *rawPack) string { p.add(tBlob, blob); p.count = 1<<32 - 1; return "" }, "objects"},
		{"garbage after the pack", func(p *rawPack) string { p.add(tBlob, blob); p.tail = []byte("more"); return "" }, "after"},
		{"type 0", func(p *rawPack) string { p.raw(0, 13, nil, deflate(blob)); return "" }, "type"},
		{"type 5", func(p *rawPack) string { p.raw(5, 13, nil, deflate(blob)); return "" }, "type"},
		{"base before the pack", func(p *rawPack) string { p.raw(tOfs, 4, ofs(1<<40), deflate(delta)); return "" }, "base"},
		{"base is itself", func(p *rawPack) string { p.raw(tOfs, 4, ofs(0), deflate(delta)); return "" }, ""},
		{"base inside an entry", func(p *rawPack) string { p.add(tBlob, blob); p.raw(tOfs, 4, ofs(3), deflate(delta)); return "" }, ""},
		{"base nobody has", func(p *rawPack) string {
			p.raw(tRef, 4, rawID("1234567890123456789012345678901234567890"), deflate(delta))
			return ""
		}, ""},
		{"bases of each other", func(p *rawPack) string {
			p.raw(tRef, 4, rawID(blobID), deflate(delta))
			p.raw(tRef, 4, rawID(blobID), deflate(delta))
			return ""
		}, ""},
		{"delta copies from outside", func(p *rawPack) string {
			p.add(tBlob, blob)
			p.raw(tRef, 5, rawID(blobID), deflate([]byte{13, 13, 0x80 | 0x11, 9, 13}))
			return ""
		}, ""},
		{"delta for another base", func(p *rawPack) string {
			p.add(tBlob, blob)
			p.raw(tRef, 4, rawID(blobID), deflate([]byte{12, 13, 0x90, 13}))
			return ""
		}, ""},
		{"delta of another result", func(p *rawPack) string {
			p.add(tBlob, blob)
			p.raw(tRef, 4, rawID(blobID), deflate([]byte{13, 14, 0x90, 13}))
			return ""
		}, ""},
		{"delta with a reserved instruction", func(p *rawPack) string {
			p.add(tBlob, blob)
			p.raw(tRef, 3, rawID(blobID), deflate([]byte{13, 13, 0}))
			return ""
		}, ""},
		{"delta result of 2^60", func(p *rawPack) string {
			p.add(tBlob, blob)
			d := []byte{13, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x10, 0x90, 13}
			p.raw(tRef, int64(len(d)), rawID(blobID), deflate(d))
			return ""
		}, ""},
		{"delta that grows without end", func(p *rawPack) string {
			// Each instruction copies 64 KiB; 4,000 of them would make 256 MiB.
			base := bytes.Repeat([]byte("x"), 1<<16)
			id := p.add(tBlob, base)
			d := append([]byte{0x80, 0x80, 4}, 0x80, 0x80, 0x80, 0x7d)
			d = append(d, bytes.Repeat([]byte{0x80}, 4000)...)
			p.raw(tRef, int64(len(d)), rawID(id), deflate(d))
			return ""
		}, ""},
		{"chain deeper than the limit", func(p *rawPack) string {
			// Each delta adds one byte, so that no two objects are the same.
			content := bytes.Clone(blob)
			last := p.offset()
			p.add(tBlob, content)
			for range 101 {
				d := []byte{byte(len(content)), byte(len(content) + 1), 0x90, byte(len(content)), 1, 'x'}
				if len(content) >= 127 {
					d = []byte{byte(len(content)) | 0x80, byte(len(content) >> 7), byte(len(content)+1) | 0x80, byte((len(content) + 1) >> 7),
						0x90, byte(len(content)), 1, 'x'}
					if len(content) == 127 {
						d = append([]byte{127}, d[2:]...)
					}
				}
				at := p.offset()
				p.raw(tOfs, int64(len(d)), ofs(at-last), deflate(d))
				content, last = append(content, 'x'), at
			}
			return ""
		}, "depth"},
		{"more objects than a push may have", func(p *rawPack) string {
			for i := range 150_001 {
				p.add(tBlob, strconv.AppendInt(nil, int64(i), 10))
			}
			return ""
		}, "objects"},
		{"larger than a push may be", func(p *rawPack) string {
			noise := make([]byte, 20<<20)
			state := sha1.Sum(nil)
			for i := 0; i < len(noise); i += 20 {
				state = sha1.Sum(state[:])
				copy(noise[i:], state[:])
			}
			for i := range 3 {
				noise[0] = byte(i)
				p.add(tBlob, noise)
			}
			return ""
		}, "pack size"},
		{"blob missing", func(p *rawPack) string {
			return p.add(tCommit, commitOf(p.add(tTree, treeEntry("100644", "f", blobID))))
		}, "missing"},
		{"tree missing", func(p *rawPack) string { return p.add(tCommit, commitOf(blobID)) }, "missing"},
		{"parent missing", func(p *rawPack) string {
			return p.add(tCommit, commitOf(p.add(tTree, nil), "parent "+blobID+"\n"))
		}, "missing"},
		{"tip missing", func(p *rawPack) string { p.add(tBlob, blob); return blobID[:39] + "0" }, ""},
		{"a blob for a tree", func(p *rawPack) string { return p.add(tCommit, commitOf(p.add(tBlob, blob))) }, ""},
		{"a commit for a blob", func(p *rawPack) string {
			c := p.add(tCommit, commitOf(p.add(tTree, nil)))
			return p.add(tCommit, commitOf(p.add(tTree, treeEntry("100644", "f", c))))
		}, ""},
		{"a branch on a blob", func(p *rawPack) string { return p.add(tBlob, blob) }, "commit"},
		{"100,000 parents", func(p *rawPack) string {
			c := p.add(tCommit, commitOf(p.add(tTree, nil)))
			return p.add(tCommit, commitOf(objectID(tTree, nil), strings.Repeat("parent "+c+"\n", 100_000)))
		}, ""},
		{"a date in the year 292 billion", func(p *rawPack) string {
			tree := p.add(tTree, nil)
			return p.add(tCommit, bytes.ReplaceAll(commitOf(tree), []byte("1700000000"), []byte("9223372036854775807")))
		}, "Date"},
		{"a commit without an author", func(p *rawPack) string {
			return p.add(tCommit, []byte("tree "+p.add(tTree, nil)+"\ncommitter "+someone+"\n\nx\n"))
		}, "missingAuthor"},
		{"a NUL in a commit's header", func(p *rawPack) string {
			return p.add(tCommit, bytes.Replace(commitOf(p.add(tTree, nil)), []byte("Thor"), []byte("Th\x00r"), 1))
		}, "nul"},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			p := newRawPack()
			tip := c.make(p)
			body := p.bytes()
			switch {
			case tip == "none":
				tip, body = blobID, nil
			case tip == "":
				tip = h.tip
			}
			h.refused(t, tip, body, c.want)
		})
	}
	h.stillWell(t)
}

// refused pushes and checks that the push was refused, for a reason that
// contains want, whatever its case.
func (h *hostileServer) refused(t *testing.T, tip string, pack []byte, want string) {
	t.Helper()
	status, answer := h.post(t, h.token, "alice/target.git", "git-receive-pack", bytes.NewReader(
		pushRequest("report-status", []string{noID + " " + tip + " refs/heads/evil"}, pack)))
	if status != http.StatusOK {
		t.Errorf("status %d: %.300q", status, answer)
	}
	if strings.Contains(answer, "ok refs/heads/evil") || !strings.Contains(answer, "ng refs/heads/evil") {
		t.Errorf("not refused: %.300q", answer)
	}
	if !strings.Contains(strings.ToLower(answer), strings.ToLower(want)) {
		t.Errorf("the reason does not say %q: %.300q", want, answer)
	}
	if strings.Contains(answer, "internal error") {
		t.Errorf("the reason is ours to know: %.300q", answer)
	}
}

// TestHostileTrees pushes trees whose entries would do harm in a client's
// working tree, in every spelling of .git that some file system understands.
func TestHostileTrees(t *testing.T) {
	h := startHostile(t)
	blob := []byte("[core]\n\tfsmonitor = evil\n")
	names := []string{".", "..", "", ".git", ".GIT", ".gIt", "git~1", "GIT~1", ".git ", ".git.", ".git...", ".git::$INDEX_ALLOCATION",
		".git:stream", ".g\u200cit", ".git\u200d", "\ufeff.git", ".gi\u206at", "a/b", "/etc", ".git/config", "x\\.git\\config", ".git\\config"}
	tree := func(p *rawPack, entries ...[]byte) string {
		return p.add(tCommit, commitOf(p.add(tTree, bytes.Join(entries, nil))))
	}
	for _, name := range names {
		t.Run(fmt.Sprintf("name %q", name), func(t *testing.T) {
			p := newRawPack()
			h.refused(t, tree(p, treeEntry("100644", name, p.add(tBlob, blob))), p.bytes(), "")
			p = newRawPack()
			inner := p.add(tTree, treeEntry("100644", "config", p.add(tBlob, blob)))
			h.refused(t, tree(p, treeEntry("40000", name, inner)), p.bytes(), "")
		})
	}
	id := objectID(tBlob, blob)
	for name, entries := range map[string][][]byte{
		"not sorted":             {treeEntry("100644", "b", id), treeEntry("100644", "a", id)},
		"twice":                  {treeEntry("100644", "a", id), treeEntry("100644", "a", id)},
		"file and folder":        {treeEntry("100644", "a", id), treeEntry("100644", "a.b", id), treeEntry("40000", "a", objectID(tTree, nil))},
		"mode with a zero":       {treeEntry("0100644", "a", id)},
		"mode of 40 digits":      {treeEntry(strings.Repeat("0", 34)+"100644", "a", id)},
		"mode too large":         {treeEntry(strings.Repeat("7", 40), "a", id)},
		"mode with a letter":     {treeEntry("10064x", "a", id)},
		"no object":              {treeEntry("100644", "a", noID)},
		"name beyond the limit":  {treeEntry("100644", strings.Repeat("n", 1001), id)},
		"cut short":              {treeEntry("100644", "a", id)[:15]},
		"symlink .gitmodules":    {treeEntry("120000", ".gitmodules", id)},
		"symlink .gitattributes": {treeEntry("120000", ".gitattributes", id)},
	} {
		t.Run(name, func(t *testing.T) {
			p := newRawPack()
			p.add(tBlob, blob)
			p.add(tTree, nil)
			if name == "symlink .gitattributes" {
				// Git only informs of this one; refusing it is not asked for.
				return
			}
			h.refused(t, tree(p, entries...), p.bytes(), "")
		})
	}
	for name, content := range map[string]string{
		"url with an option":    "[submodule \"a\"]\n\tpath = a\n\turl = -uevil\n",
		"url with a newline":    "[submodule \"a\"]\n\tpath = a\n\turl = \"https://example.org/%0ahost=evil\"\n",
		"url without a host":    "[submodule \"a\"]\n\tpath = a\n\turl = https:///evil\n",
		"name that climbs":      "[submodule \"../../x\"]\n\tpath = a\n\turl = https://example.org/a\n",
		"path with an option":   "[submodule \"a\"]\n\tpath = -a\n\turl = https://example.org/a\n",
		"path ending in CR":     "[submodule \"a\"]\n\tpath = \"a\r\"\n\turl = https://example.org/a\n",
		"update with a command": "[submodule \"a\"]\n\tpath = a\n\turl = https://example.org/a\n\tupdate = !evil\n",
	} {
		t.Run(".gitmodules "+name, func(t *testing.T) {
			p := newRawPack()
			h.refused(t, tree(p, treeEntry("100644", ".gitmodules", p.add(tBlob, []byte(content)))), p.bytes(), "gitmodules")
		})
	}
	t.Run(".gitmodules stored by an earlier push", func(t *testing.T) {
		p := newRawPack()
		evil := []byte("[submodule \"../../x\"]\n\tpath = a\n\turl = https://example.org/a\n")
		first := p.add(tCommit, commitOf(p.add(tTree, treeEntry("100644", "harmless", p.add(tBlob, evil)))))
		_, answer := h.post(t, h.token, "alice/target.git", "git-receive-pack", bytes.NewReader(
			pushRequest("report-status", []string{noID + " " + first + " refs/heads/earlier"}, p.bytes())))
		if !strings.Contains(answer, "ok refs/heads/earlier") {
			t.Fatalf("the harmless push: %q", answer)
		}
		p = newRawPack()
		h.refused(t, tree(p, treeEntry("100644", ".gitmodules", objectID(tBlob, evil))), p.bytes(), "gitmodules")
		h.post(t, h.token, "alice/target.git", "git-receive-pack", bytes.NewReader(
			pushRequest("report-status delete-refs", []string{first + " " + noID + " refs/heads/earlier"}, nil)))
	})
	t.Run(".gitattributes with a long line", func(t *testing.T) {
		p := newRawPack()
		h.refused(t, tree(p, treeEntry("100644", ".gitattributes", p.add(tBlob, []byte("* "+strings.Repeat("a", 3000)+"\n")))), p.bytes(), "gitattributes")
	})
	h.stillWell(t)
}

// TestHostileRefs asks for refs under names that are none, and for changes that
// were decided on something stale.
func TestHostileRefs(t *testing.T) {
	h := startHostile(t)
	for _, name := range []string{"refs/heads/../../x", "refs/heads/../main", "../../x", "refs/../x", "HEAD", "main", "refs", "refs/", "refs/heads/",
		"refs/heads", "refs/heads/a..b", "refs/heads/a b", "refs/heads/a~1", "refs/heads/a^", "refs/heads/a:b", "refs/heads/a?", "refs/heads/a*",
		"refs/heads/[a", "refs/heads/a\\b", "refs/heads/a\x7fb", "refs/heads/a\x01", "refs/heads/.a", "refs/heads/a.", "refs/heads/a.lock",
		"refs/heads/a//b", "/refs/heads/a", "refs/heads/a/", "refs/heads/@{a", "@", "refs/heads/\xff\xfe", "refs/heads/" + strings.Repeat("n", 5000),
		"refs/heads/a\nb", "refs/heads/main/below"} {
		t.Run(fmt.Sprintf("%.40q", name), func(t *testing.T) {
			_, answer := h.post(t, h.token, "alice/target.git", "git-receive-pack", bytes.NewReader(
				pushRequest("report-status", []string{noID + " " + h.tip + " " + name}, newRawPack().bytes())))
			if strings.Contains(answer, "ok ") && !strings.Contains(answer, "ng ") && strings.Contains(answer, "\nok refs") || strings.Contains(answer, "internal error") {
				t.Errorf("answered %.300q", answer)
			}
			if at := remoteRefs(t, h.url(h.token, "alice/target.git")); len(at) != 1 {
				t.Errorf("refs are now %v", at)
			}
		})
	}
	other := strings.Repeat("12", 20)
	for name, commands := range map[string][]string{
		"create what exists":     {noID + " " + h.tip + " refs/heads/main"},
		"delete with a stale id": {other + " " + noID + " refs/heads/main"},
		"move with a stale id":   {other + " " + h.tip + " refs/heads/main"},
		"one ref twice":          {noID + " " + h.tip + " refs/heads/twice", noID + " " + h.tip + " refs/heads/twice"},
		"id of 39 digits":        {noID[1:] + " " + h.tip + " refs/heads/x"},
		"id that is no id":       {strings.Repeat("z", 40) + " " + h.tip + " refs/heads/x"},
		"no ref":                 {noID + " " + h.tip},
		"nothing to nothing":     {noID + " " + noID + " refs/heads/x"},
	} {
		t.Run(name, func(t *testing.T) {
			_, answer := h.post(t, h.token, "alice/target.git", "git-receive-pack", bytes.NewReader(
				pushRequest("report-status delete-refs", commands, newRawPack().bytes())))
			if strings.Contains(answer, "internal error") {
				t.Errorf("answered %.300q", answer)
			}
			if at := remoteRefs(t, h.url(h.token, "alice/target.git")); len(at) != 1 || at["refs/heads/main"] != h.tip {
				t.Errorf("refs are now %v; answered %.300q", at, answer)
			}
		})
	}
	t.Run("a name longer than the limit", func(t *testing.T) {
		_, answer := h.post(t, h.token, "alice/target.git", "git-receive-pack", bytes.NewReader(
			pushRequest("report-status", []string{noID + " " + h.tip + " refs/heads/" + strings.Repeat("n", 290)}, newRawPack().bytes())))
		if !strings.Contains(answer, "longer than 300 bytes") {
			t.Errorf("answered %.300q", answer)
		}
	})
	t.Run("more refs than a push may move", func(t *testing.T) {
		var commands []string
		for i := range 501 {
			commands = append(commands, fmt.Sprintf("%s %s refs/heads/flood-%d", noID, h.tip, i))
		}
		_, answer := h.post(t, h.token, "alice/target.git", "git-receive-pack", bytes.NewReader(pushRequest("report-status", commands, newRawPack().bytes())))
		if !strings.Contains(answer, "500") {
			t.Errorf("the limit is not named: %.300q", answer)
		}
	})
	h.stillWell(t)
}

// TestHostileLines sends pkt-lines and requests that are no protocol.
func TestHostileLines(t *testing.T) {
	h := startHostile(t)
	flood := func(line string, n int) string { return strings.Repeat(pkt(line), n) }
	v2 := func(arguments string) string {
		return pkt("command=fetch\n") + "0001" + arguments + "0000"
	}
	fetches := map[string]struct{ body, protocol string }{
		"length that is no number":     {"zzzzwant", ""},
		"length 1":                     {"0001want", ""},
		"length 3":                     {"0003", ""},
		"length beyond the end":        {"ffffwant", ""},
		"only a length":                {"00", ""},
		"want of no id":                {pkt("want xyz\n") + "0000" + pkt("done\n"), ""},
		"want that is not there":       {pkt("want "+strings.Repeat("12", 20)+"\n") + "0000" + pkt("done\n"), ""},
		"have before want":             {pkt("have "+h.tip+"\n") + "0000", ""},
		"a line nobody knows":          {pkt("gimme everything\n") + "0000", ""},
		"deepen below zero":            {pkt("want "+h.tip+"\n") + pkt("deepen -5\n") + "0000" + pkt("done\n"), ""},
		"deepen beyond numbers":        {pkt("want "+h.tip+"\n") + pkt("deepen 99999999999999999999\n") + "0000" + pkt("done\n"), ""},
		"v2 without a command":         {"0000", "version=2"},
		"v2 unknown command":           {pkt("command=explode\n") + "0000", "version=2"},
		"v2 two commands":              {pkt("command=fetch\n") + pkt("command=ls-refs\n") + "00010000", "version=2"},
		"v2 unknown argument":          {v2(pkt("explode\n")), "version=2"},
		"v2 want that is not there":    {v2(pkt("want "+strings.Repeat("12", 20)+"\n") + pkt("done\n")), "version=2"},
		"v2 filter of nothing known":   {v2(pkt("want "+h.tip+"\n") + pkt("filter everything\n") + pkt("done\n")), "version=2"},
		"v2 filter nested deep":        {v2(pkt("want "+h.tip+"\n") + pkt("filter "+strings.Repeat("combine:", 5000)+"blob:none\n") + pkt("done\n")), "version=2"},
		"v2 sparse filter of a secret": {v2(pkt("want "+h.tip+"\n") + pkt("filter sparse:oid="+strings.Repeat("12", 20)+"\n") + pkt("done\n")), "version=2"},
		"v2 want-ref that is not":      {v2(pkt("want-ref refs/heads/nope\n") + pkt("done\n")), "version=2"},
		"v2 prefixes without end":      {pkt("command=ls-refs\n") + "0001" + flood("ref-prefix refs/heads/x\n", 200_000) + "0000", "version=2"},
		"v2 capabilities without end":  {flood("agent=x\n", 300_000) + "0000", "version=2"},
		"v2 wants without end":         {v2(flood("want "+h.tip+"\n", 300_000) + pkt("done\n")), "version=2"},
		"v2 haves without end":         {v2(pkt("want "+h.tip+"\n") + flood("have "+h.tip+"\n", 300_000) + pkt("done\n")), "version=2"},
		"v2 shallows without end":      {v2(pkt("want "+h.tip+"\n") + flood("shallow "+h.tip+"\n", 300_000) + pkt("done\n")), "version=2"},
		"wants without end":            {flood("want "+h.tip+"\n", 300_000) + "0000" + pkt("done\n"), ""},
	}
	for name, c := range fetches {
		t.Run("fetch, "+name, func(t *testing.T) {
			header := []string{}
			if c.protocol != "" {
				header = []string{"Git-Protocol", c.protocol}
			}
			status, answer := h.post(t, h.token, "alice/target.git", "git-upload-pack", strings.NewReader(c.body), header...)
			if strings.Contains(answer, "PACK") || strings.Contains(answer, "internal error") || status >= 500 {
				t.Errorf("status %d, answered %.200q", status, answer)
			}
			if !strings.Contains(answer, "ERR ") && status == http.StatusOK && name != "v2 without a command" && name != "v2 prefixes without end" {
				// The first asks for nothing; past the limit of prefixes all refs are
				// listed, as gitprotocol-v2(5) allows.
				t.Errorf("no error in the protocol's manner: %.200q", answer)
			}
		})
	}
	for name, body := range map[string]string{
		"length that is no number":    "zzzz",
		"no capabilities, no flush":   pkt(noID + " " + h.tip + " refs/heads/x"),
		"capabilities of 60 KB":       pkt(noID+" "+h.tip+" refs/heads/x\x00"+strings.Repeat(" capability", 5400)) + "0000",
		"certificate without an end":  pkt("push-cert\x00report-status\n") + flood("line\n", 200_000),
		"options without end":         pkt(noID+" "+h.tip+" refs/heads/x\x00report-status push-options") + "0000" + flood("option", 200_000) + "0000",
		"shallow lines without end":   flood("shallow "+h.tip, 300_000) + pkt(noID+" "+h.tip+" refs/heads/x\x00report-status") + "0000",
		"object format nobody speaks": pkt(noID+" "+h.tip+" refs/heads/x\x00report-status object-format=md5") + "0000",
	} {
		t.Run("push, "+name, func(t *testing.T) {
			status, answer := h.post(t, h.token, "alice/target.git", "git-receive-pack", strings.NewReader(body))
			if strings.Contains(answer, "ok refs/") || strings.Contains(answer, "internal error") || status >= 500 {
				t.Errorf("status %d, answered %.200q", status, answer)
			}
		})
	}
	h.stillWell(t)
}

// TestHostileRequests sends HTTP that means to confuse.
func TestHostileRequests(t *testing.T) {
	h := startHostile(t)
	for _, path := range []string{"/../../etc/passwd", "/%2e%2e/%2e%2e/etc/passwd/info/refs?service=git-upload-pack",
		"/..%2f..%2fetc/passwd/info/refs?service=git-upload-pack", "/alice/..%5c..%5cx/info/refs?service=git-upload-pack",
		"/alice/target.git%00/info/refs?service=git-upload-pack", "/alice/%2e%2e/info/refs?service=git-upload-pack",
		"/alice//target.git/info/refs?service=git-upload-pack", "/alice/target.git/objects/info/packs", "/alice/target.git/HEAD",
		"/alice/target.git/config", "/alice/target.git/info/refs?service=git-upload-archive", "/alice/target.git/info/refs?service=git-upload-pack%00",
		"/ingot.db", "/blobs/", "/" + strings.Repeat("a", 8000)} {
		t.Run(fmt.Sprintf("%.60s", path), func(t *testing.T) {
			status, answer := h.raw(t, "GET "+path+" HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
			if status < 400 || status >= 500 || strings.Contains(answer, "root:") || strings.Contains(answer, "SQLite") {
				t.Errorf("status %d: %.200q", status, answer)
			}
		})
	}
	push := string(pushRequest("report-status", []string{noID + " " + h.tip + " refs/heads/evil"}, newRawPack().bytes()))
	reader := h.admin(t, "", "token", "create", "alice", "--scopes", "read:repo")
	for _, path := range []string{"git-receive-pack?service=git-upload-pack", "git-receive-pack/", "GIT-RECEIVE-PACK", "git-receive%2Dpack",
		"git-receive-pack%20", "/git-receive-pack", "git-receive-pack?token=" + h.token, "git-receive-pack?access_token=" + h.token} {
		for who, token := range map[string]string{"anonymous": "", "reader": reader} {
			t.Run("confused service, "+who+", "+path[:min(len(path), 45)], func(t *testing.T) {
				status, answer := h.post(t, token, "alice/target.git", path, strings.NewReader(push), "Content-Type", "application/x-git-receive-pack-request")
				if status < 400 || status >= 500 {
					t.Errorf("status %d: %.200q", status, answer)
				}
			})
		}
	}
	t.Run("gzip bomb", func(t *testing.T) {
		var z bytes.Buffer
		w := gzip.NewWriter(&z)
		io.CopyN(w, zeros{}, 256<<20)
		w.Close()
		_, answer := h.post(t, h.token, "alice/target.git", "git-upload-pack", bytes.NewReader(z.Bytes()), "Content-Encoding", "gzip")
		if strings.Contains(answer, "PACK") {
			t.Errorf("answered %.200q", answer)
		}
	})
	t.Run("not gzip", func(t *testing.T) {
		if status, answer := h.post(t, h.token, "alice/target.git", "git-upload-pack", strings.NewReader("plain"), "Content-Encoding", "gzip"); status != 400 {
			t.Errorf("status %d: %.200q", status, answer)
		}
	})
	t.Run("two lengths", func(t *testing.T) {
		status, answer := h.raw(t, "POST /alice/target.git/git-upload-pack HTTP/1.1\r\nHost: x\r\nContent-Length: 4\r\nContent-Length: 40\r\n\r\n0000")
		if status != 400 {
			t.Errorf("status %d: %.200q", status, answer)
		}
	})
	t.Run("length and chunks", func(t *testing.T) {
		// Go's server takes the chunks and closes; what must not happen is that
		// the rest is taken for a second request.
		_, answer := h.raw(t, "POST /healthz HTTP/1.1\r\nHost: x\r\nContent-Length: 6\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\nGET /readyz HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
		if strings.Contains(answer, "ready\n") {
			t.Errorf("a smuggled request was answered: %.400q", answer)
		}
	})
	t.Run("uploads that stop", func(t *testing.T) {
		// Each announces a body and then says nothing more; half of them close,
		// the others wait. All are over soon after the idle limit: as many as one
		// user may have at once, and as many again that wait for a turn.
		var group sync.WaitGroup
		for i := range 16 {
			group.Go(func() {
				conn, err := net.Dial("tcp", h.http)
				if err != nil {
					t.Error(err)
					return
				}
				defer conn.Close()
				fmt.Fprintf(conn, "POST /alice/target.git/git-receive-pack HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer %s\r\n"+
					"Content-Type: application/x-git-receive-pack-request\r\nContent-Length: 100000\r\n\r\n%s", h.token, push[:40])
				if i%2 == 0 {
					return
				}
				conn.SetReadDeadline(time.Now().Add(refusalTime))
				if _, err := io.ReadAll(conn); err != nil {
					t.Errorf("after %v the connection is still open", refusalTime)
				}
			})
		}
		group.Wait()
		deadline := time.Now().Add(refusalTime)
		for {
			_, metrics := h.raw(t, "GET /metrics HTTP/1.0\r\n\r\n")
			if strings.Contains(metrics, "ingot_http_requests_in_flight 1\n") { // this one
				break
			}
			if time.Now().After(deadline) {
				t.Fatal("requests of clients that left are still running")
			}
			time.Sleep(50 * time.Millisecond)
		}
	})
	t.Run("JSON without end", func(t *testing.T) {
		body := io.MultiReader(strings.NewReader(`{"name":"`), io.LimitReader(letters{}, 1<<30))
		req, _ := http.NewRequest("POST", "http://"+h.http+"/api/v3/user/repos", body)
		req.Header.Set("Authorization", "Bearer "+h.token)
		res, err := http.DefaultClient.Do(req)
		if err == nil {
			defer res.Body.Close()
			if res.StatusCode != http.StatusRequestEntityTooLarge {
				t.Errorf("status %d", res.StatusCode)
			}
		}
	})
	h.stillWell(t)
}

type letters struct{}

func (letters) Read(p []byte) (int, error) {
	for i := range p {
		p[i] = 'a'
	}
	return len(p), nil
}

// raw sends bytes and returns status and everything that came back.
func (h *hostileServer) raw(t *testing.T, request string) (int, string) {
	t.Helper()
	conn, err := net.Dial("tcp", h.http)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	conn.SetDeadline(time.Now().Add(refusalTime))
	io.WriteString(conn, request)
	answer, _ := io.ReadAll(bufio.NewReader(conn))
	status := 0
	if fields := strings.Fields(string(answer)); len(fields) > 1 {
		status, _ = strconv.Atoi(fields[1])
	}
	return status, string(answer)
}

// TestHostileSSH asks over SSH for what is not served, and stalls.
func TestHostileSSH(t *testing.T) {
	h := startHostile(t)
	key := filepath.Join(t.TempDir(), "key")
	if out, err := exec.Command("ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", key).CombinedOutput(); err != nil {
		t.Fatalf("ssh-keygen: %v\n%s", err, out)
	}
	public, err := os.ReadFile(key + ".pub")
	if err != nil {
		t.Fatal(err)
	}
	keys := h.admin(t, "", "token", "create", "alice", "--scopes", "admin:public_key")
	if status, answer, err := call(h.server, keys, "POST", "/user/keys", fmt.Appendf(nil, `{"title":"t","key":%q}`, public)); err != nil || status != 201 {
		t.Fatalf("%d %s %v", status, answer, err)
	}
	host, port, _ := net.SplitHostPort(h.ssh)
	ssh := func(args ...string) (string, error) {
		words := append(strings.Fields(sshCommand(key))[1:], "-p", port)
		cmd := exec.CommandContext(t.Context(), "ssh", append(append(words, "git@"+host), args...)...)
		out, err := cmd.CombinedOutput()
		return string(out), err
	}
	for _, line := range []string{"git-upload-pack", "git-upload-pack ", "git-upload-pack --upload-pack=evil 'alice/target.git'",
		"git-upload-pack 'alice/target.git'; id", "git-upload-pack 'alice/target.git' && id", "git-upload-pack $(id)", "git-upload-pack `id`",
		"git-upload-pack '../../etc'", "git-upload-pack '/etc/passwd'", "git-upload-pack 'alice/../bob/x'", "git-upload-pack 'alice'",
		"git-upload-pack \"alice/target.git\"", "git-upload-pack 'alice/target.git", "git-upload-pack 'a'lice/target.git",
		"git-shell -c id", "sh -c id", "id", "", " git-upload-pack 'alice/target.git'", "GIT-UPLOAD-PACK 'alice/target.git'",
		"git-lfs-authenticate alice/target upload", "git upload-pack -- alice/target.git", "git --exec-path=/tmp upload-pack alice/target.git",
		"env X=1 git-upload-pack alice/target.git", "scp -t /tmp/x", "rsync --server", "git-upload-pack 'alice/target.git\x00'",
		"git-upload-pack '" + strings.Repeat("a", 5000) + "'"} {
		t.Run(fmt.Sprintf("%.50q", line), func(t *testing.T) {
			if line == "" || strings.Contains(line, "\x00") {
				return // the client itself sends no such thing
			}
			out, err := ssh(line)
			if err == nil || strings.Contains(out, "uid=") || strings.Contains(out, h.tip) {
				t.Errorf("let through: %.300q", out)
			}
		})
	}
	t.Run("subsystem", func(t *testing.T) {
		if out, err := ssh("-s", "sftp"); err == nil {
			t.Errorf("let through: %q", out)
		}
	})
	t.Run("forward", func(t *testing.T) {
		out, err := ssh("-W", "127.0.0.1:"+port)
		if err == nil || strings.Contains(out, "SSH-2.0") {
			t.Errorf("let through: %q", out)
		}
	})
	t.Run("connections that say nothing", func(t *testing.T) {
		dialer := net.Dialer{LocalAddr: &net.TCPAddr{IP: net.IPv4(127, 0, 0, 9)}}
		var stalled []net.Conn
		for range 500 {
			conn, err := dialer.Dial("tcp", h.ssh)
			if err != nil {
				t.Fatal(err)
			}
			defer conn.Close()
			stalled = append(stalled, conn)
		}
		if out, err := ssh(); err != nil || !strings.Contains(out, "Hi alice!") {
			t.Errorf("a real login meanwhile: %v %q", err, out)
		}
		deadline := time.Now().Add(25 * time.Second)
		for _, conn := range stalled {
			conn.SetReadDeadline(deadline)
			if _, err := io.Copy(io.Discard, conn); err != nil && strings.Contains(err.Error(), "timeout") {
				t.Fatal("a connection that says nothing is still open after 25 s")
			}
		}
	})
	h.stillWell(t)
}
