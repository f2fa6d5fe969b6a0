package transfer_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os/exec"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/ingot-forge/ingot/git"
	"github.com/ingot-forge/ingot/git/pack"
	"github.com/ingot-forge/ingot/git/repo"
	"github.com/ingot-forge/ingot/git/repo/memrepo"
	"github.com/ingot-forge/ingot/git/transfer"
	"github.com/ingot-forge/ingot/git/wire"
)

// packets encodes lines; "0000" and "0001" stand for themselves.
func packets(lines ...string) string {
	var b strings.Builder
	for _, l := range lines {
		if l == "0000" || l == "0001" {
			b.WriteString(l)
		} else {
			fmt.Fprintf(&b, "%04x%s", len(l)+4, l)
		}
	}
	return b.String()
}

// text decodes packets, one a line, up to the first that is none.
func text(stream []byte) string {
	var b strings.Builder
	r := wire.NewReader(bytes.NewReader(stream))
	for {
		kind, data, err := r.Next()
		var peer *wire.PeerError
		switch {
		case errors.As(err, &peer):
			return b.String() + "ERR " + peer.Message + "\n"
		case err == io.EOF:
			return b.String()
		case err != nil:
			return b.String() + err.Error()
		case kind != wire.Data:
			fmt.Fprintf(&b, "%04d\n", int(kind-1))
		default:
			b.WriteString(strings.TrimSuffix(string(data), "\n") + "\n")
		}
	}
}

// ask sends one stateless request to upload-pack and returns the answer.
func (w *world) ask(name string, o transfer.UploadOptions, request string) ([]byte, error) {
	w.t.Helper()
	snap := w.snapshot(name)
	defer snap.Close()
	var out bytes.Buffer
	o.Stateless = true
	err := w.server.Upload(w.t.Context(), snap, strings.NewReader(request), &out, o)
	return out.Bytes(), err
}

// tell sends one stateless push and returns the answer.
func (w *world) tell(name string, o transfer.ReceiveOptions, request string) ([]byte, *transfer.Report, error) {
	w.t.Helper()
	snap := w.snapshot(name)
	defer snap.Close()
	var out bytes.Buffer
	o.Stateless = true
	report, err := w.server.Receive(w.t.Context(), snap, strings.NewReader(request), &out, o)
	return out.Bytes(), report, err
}

// small makes a stock repository with a branch, a tag and hidden things, and the same on the server.
// It returns the ids of: main's commit, its tree, a commit that only refs/hidden/x has, and one that nothing has.
func (w *world) small() (main, tree, hidden, lost string) {
	w.t.Helper()
	w.git("stock/small", "init", "-q", ".")
	at := func(rev string) string { return strings.TrimSpace(string(w.git("stock/small", "rev-parse", rev))) }
	w.git("stock/small", "commit", "-q", "--allow-empty", "-m", "lost")
	lost = at("HEAD")
	w.git("stock/small", "update-ref", "refs/lost", "HEAD")
	w.git("stock/small", "commit", "-q", "--amend", "--allow-empty", "-m", "hidden")
	hidden = at("HEAD")
	w.git("stock/small", "update-ref", "refs/hidden/x", "HEAD")
	w.git("stock/small", "commit", "-q", "--amend", "--allow-empty", "-m", "main")
	w.git("stock/small", "tag", "-a", "-m", "t", "v1")
	main, tree = at("HEAD"), at("HEAD^{tree}")
	id := w.load("small", "stock/small")
	if _, err := w.store.Commit(w.t.Context(), &repo.Change{Repository: id, Refs: []repo.RefUpdate{{Name: "refs/lost", Old: w.id(lost)}}}); err != nil {
		w.t.Fatal(err)
	}
	return main, tree, hidden, lost
}

func hide(name string) bool { return strings.HasPrefix(name, "refs/hidden/") }

func TestAdvertise(t *testing.T) {
	w := newWorld(t)
	main, _, _, _ := w.small()
	w.create("empty")
	tag := strings.TrimSpace(string(w.git("stock/small", "rev-parse", "v1")))
	zero := strings.Repeat("0", 40)
	const upload = "multi_ack thin-pack side-band side-band-64k ofs-delta shallow deepen-since deepen-not deepen-relative no-progress" +
		" include-tag multi_ack_detailed allow-tip-sha1-in-want allow-reachable-sha1-in-want"
	const identity = "object-format=sha1 agent=ingot/test\n"
	refs := main + " refs/heads/main\n" + tag + " refs/tags/v1\n" + main + " refs/tags/v1^{}\n"
	for _, c := range []struct {
		repo, want string
		o          transfer.UploadOptions
	}{
		{"small", main + " HEAD\x00" + upload + " symref=HEAD:refs/heads/main filter " + identity + refs + "0000\n", transfer.UploadOptions{}},
		{"small", "# service=git-upload-pack\n0000\nversion 1\n" + main + " HEAD\x00" + upload + " no-done symref=HEAD:refs/heads/main filter session-id=abc " +
			identity + refs + "0000\n", transfer.UploadOptions{Version: 1, Stateless: true, SessionID: "abc"}},
		{"empty", zero + " capabilities^{}\x00" + upload + " filter " + identity + "0000\n", transfer.UploadOptions{}},
		{"small", "version 2\nagent=ingot/test\nls-refs=unborn\nfetch=shallow wait-for-done filter ref-in-want sideband-all\n" +
			"server-option\nobject-format=sha1\nobject-info\n0000\n", transfer.UploadOptions{Version: 2, Stateless: true}},
	} {
		snap := w.snapshot(c.repo)
		var out bytes.Buffer
		c.o.HideRefs = hide
		if err := w.server.AdvertiseUpload(t.Context(), snap, &out, c.o); err != nil {
			t.Fatal(err)
		}
		snap.Close()
		if got := text(out.Bytes()); got != c.want {
			t.Errorf("%s, %+v: advertised\n%swant\n%s", c.repo, c.o.Version, got, c.want)
		}
	}
	snap := w.snapshot("small")
	defer snap.Close()
	var out bytes.Buffer
	if err := w.server.AdvertiseReceive(t.Context(), snap, &out, transfer.ReceiveOptions{Version: 2, HideRefs: hide}); err != nil {
		t.Fatal(err)
	}
	want := main + " refs/heads/main\x00report-status report-status-v2 delete-refs side-band-64k quiet atomic ofs-delta push-options " + identity +
		tag + " refs/tags/v1\n0000\n"
	if got := text(out.Bytes()); got != want {
		t.Errorf("receive-pack advertised\n%swant\n%s", got, want)
	}
}

func TestLsRefs(t *testing.T) {
	w := newWorld(t)
	main, _, hidden, _ := w.small()
	w.create("empty")
	tag := strings.TrimSpace(string(w.git("stock/small", "rev-parse", "v1")))
	for _, c := range []struct {
		repo, want string
		args       []string
		hide       func(string) bool
	}{
		{"small", main + " HEAD\n" + main + " refs/heads/main\n" + hidden + " refs/hidden/x\n" + tag + " refs/tags/v1\n", nil, nil},
		{"small", main + " HEAD symref-target:refs/heads/main\n" + main + " refs/heads/main\n" + tag + " refs/tags/v1 peeled:" + main + "\n",
			[]string{"peel", "symrefs"}, hide},
		{"small", main + " refs/heads/main\n" + tag + " refs/tags/v1\n",
			[]string{"ref-prefix refs/tags/v", "ref-prefix refs/heads/main", "ref-prefix refs/heads/m", "ref-prefix refs/tags/", "ref-prefix zzz"}, nil},
		{"small", main + " HEAD\n", []string{"ref-prefix HEAD"}, nil},
		{"small", "", []string{"ref-prefix refs/hidden/"}, hide},
		{"small", "", []string{"ref-prefix HEAD"}, func(name string) bool { return name == "refs/heads/main" }},
		{"empty", "unborn HEAD symref-target:refs/heads/main\n", []string{"symrefs", "unborn"}, nil},
		{"empty", "", []string{"symrefs"}, nil},
	} {
		lines := append([]string{"command=ls-refs", "0001"}, append(c.args, "0000")...)
		out, err := w.ask(c.repo, transfer.UploadOptions{Version: 2, HideRefs: c.hide}, packets(lines...))
		if err != nil || text(out) != c.want+"0000\n" {
			t.Errorf("%q: %v\n%swant\n%s", c.args, err, text(out), c.want)
		}
	}
}

// TestNotOurRef: what is unknown, unreachable or hidden is refused in the same
// words in every version.
func TestNotOurRef(t *testing.T) {
	w := newWorld(t)
	main, tree, hidden, lost := w.small()
	none := strings.Repeat("7", 40)
	o := transfer.UploadOptions{HideRefs: hide}
	for _, c := range []struct {
		id string
		ok bool
	}{{main, true}, {tree, true}, {hidden, false}, {lost, false}, {none, false}} {
		for version, request := range map[transfer.Version]string{
			0: packets("want "+c.id+" side-band-64k", "0000", "done"),
			1: packets("want "+main+" side-band-64k", "want "+c.id, "0000", "done"),
			2: packets("command=fetch", "0001", "want "+c.id, "done", "0000"),
		} {
			o.Version = version
			out, err := w.ask("small", o, request)
			if c.ok {
				if err != nil || !bytes.Contains(out, []byte("PACK")) {
					t.Errorf("version %d: want %s: %v\n%q", version, c.id, err, out)
				}
				continue
			}
			if want := "ERR upload-pack: not our ref " + c.id + "\n"; text(out) != want || !errors.Is(err, transfer.Told) {
				t.Errorf("version %d: want %s: %v\n%q; want %q", version, c.id, err, text(out), want)
			}
		}
		out, err := w.ask("small", transfer.UploadOptions{Version: 2, HideRefs: hide}, packets("command=object-info", "0001", "size", "oid "+c.id, "0000"))
		want := "size\n" + c.id + " \n0000\n"
		if c.ok {
			want = "size\n" + c.id + " " + strings.TrimSpace(string(w.git("stock/small", "cat-file", "-s", c.id))) + "\n0000\n"
		}
		if err != nil || text(out) != want {
			t.Errorf("object-info %s: %v, %q; want %q", c.id, err, text(out), want)
		}
	}
	for _, line := range []string{"want-ref refs/hidden/x", "want-ref refs/heads/none"} {
		out, _ := w.ask("small", transfer.UploadOptions{Version: 2, HideRefs: hide}, packets("command=fetch", "0001", line, "done", "0000"))
		if want := "ERR unknown ref " + line[9:] + "\n"; text(out) != want {
			t.Errorf("%s: %q", line, text(out))
		}
	}
}

// TestHiddenShallow: who claims to have a hidden commit, with history cut off
// below, does not get that history by asking for the rest of it all.
func TestHiddenShallow(t *testing.T) {
	w := newWorld(t)
	main, tree, _, _ := w.small()
	commit := func(args ...string) string {
		return strings.TrimSpace(string(w.git("stock/small", append([]string{"commit-tree", tree}, args...)...)))
	}
	parent := commit("-m", "secret")
	child := commit("-m", "child", "-p", parent)
	w.git("stock/small", "update-ref", "refs/hidden/child", child)
	w.load("secret", "stock/small")
	for _, deepen := range []string{"deepen 2147483647", "deepen 5", "deepen-since 1", "deepen-not refs/heads/none"} {
		sent := -1
		o := transfer.UploadOptions{Version: 2, HideRefs: hide, Served: func(objects int, _ int64) { sent = objects }}
		out, err := w.ask("secret", o, packets("command=fetch", "0001", "want "+main, "shallow "+child, deepen, "no-progress", "done", "0000"))
		if strings.Contains(text(out), child) || sent > 2 {
			t.Errorf("%s: %v, %d objects, of which main has 2\n%q", deepen, err, sent, text(out))
		}
	}
}

func TestFetchSections(t *testing.T) {
	w := newWorld(t)
	main, _, _, _ := w.small()
	fetch := func(lines ...string) string {
		t.Helper()
		out, err := w.ask("small", transfer.UploadOptions{Version: 2}, packets(append(append([]string{"command=fetch", "0001"}, lines...), "0000")...))
		if err != nil {
			t.Error(err)
		}
		s := text(out)
		if i := strings.Index(s, "\x01PACK"); i >= 0 {
			s = s[:i] + "\x01PACK…"
		}
		return s
	}
	none := strings.Repeat("7", 40)
	for _, c := range []struct {
		want  string
		lines []string
	}{
		{"packfile\n\x01PACK…", []string{"want " + main, "no-progress", "done"}},
		{"wanted-refs\n" + main + " refs/heads/main\n0001\npackfile\n\x01PACK…", []string{"want-ref refs/heads/main", "no-progress", "done"}},
		{"shallow-info\nshallow " + main + "\n0001\nwanted-refs\n" + main + " HEAD\n0001\npackfile\n\x01PACK…", []string{"want-ref HEAD", "deepen 1", "no-progress", "done"}},
		{"acknowledgments\nNAK\n0000\n", []string{"want " + main, "have " + none}},
		{"acknowledgments\nACK " + main + "\nready\n0001\npackfile\n\x01PACK…", []string{"want " + main, "have " + none, "have " + main, "no-progress"}},
		{"acknowledgments\nACK " + main + "\n0000\n", []string{"want " + main, "have " + main, "wait-for-done"}},
		{"acknowledgments\nACK " + main + "\n0000\n", []string{"have " + main, "wait-for-done"}},
		{"", []string{"have " + main}},
		{"\x01acknowledgments\n\x01ACK " + main + "\n\x01ready\n0001\n\x01packfile\n\x01PACK…",
			[]string{"want " + main, "have " + main, "no-progress", "sideband-all"}},
		{"packfile\n\x02Enumerating objects: 2, done.\n\x01PACK…", []string{"want " + main, "done"}},
	} {
		if got := fetch(c.lines...); got != c.want {
			t.Errorf("%q:\n%q\nwant\n%q", c.lines, got, c.want)
		}
	}
}

func TestUploadErrors(t *testing.T) {
	w := newWorld(t)
	main, _, _, _ := w.small()
	w.server.Limits = transfer.Limits{Wants: 2, Haves: 2, Shallows: 2}
	for _, c := range []struct {
		version transfer.Version
		want    string
		lines   []string
	}{
		{2, "ERR protocol error: unknown capability \"x\"\n", []string{"x", "0000"}},
		{2, "ERR mismatched object format: server sha1; client \"sha256\"\n", []string{"command=ls-refs", "object-format=sha256", "0000"}},
		{2, "ERR too many want lines: at most 2 are taken\n", []string{"command=fetch", "0001", "want " + main, "want " + main, "want " + main, "0000"}},
		{2, "ERR too many have lines: at most 2 are taken\n", []string{"command=fetch", "0001", "have " + main, "have " + main, "have " + main, "0000"}},
		{2, "ERR no commits selected for shallow requests\n", []string{"command=fetch", "0001", "want " + main, "deepen-since 4000000000", "done", "0000"}},
		{2, "ERR git upload-pack: deepen-not is not a ref: nope\n", []string{"command=fetch", "0001", "want " + main, "deepen-not nope", "0000"}},
		{2, "\x03unknown ref x\n", []string{"command=fetch", "0001", "sideband-all", "want-ref x", "0000"}},
		{0, "ERR too many want lines: at most 2 are taken\n", []string{"want " + main, "want " + main, "want " + main, "0000"}},
		{0, "ACK " + main + "\nERR too many have lines: at most 2 are taken\n", []string{"want " + main, "0000", "have " + main, "have " + main, "have " + main, "0000"}},
		{0, "ERR protocol error: expected a list of haves, got \"what\"\n", []string{"want " + main, "0000", "what"}},
	} {
		out, err := w.ask("small", transfer.UploadOptions{Version: c.version}, packets(c.lines...))
		if text(out) != c.want || !errors.Is(err, transfer.Told) {
			t.Errorf("%q: %v\n%q\nwant %q", c.lines, err, text(out), c.want)
		}
	}
	out, err := w.ask("small", transfer.UploadOptions{Version: 2}, packets("command=fetch", "0001", "want "+main, "filter nonsense", "done", "0000"))
	if !strings.HasPrefix(text(out), "ERR ") || !errors.Is(err, transfer.Told) || strings.Contains(text(out), "internal") {
		t.Errorf("a filter that is none: %v, %q", err, text(out))
	}
}

// TestNegotiation speaks versions 0's three ways of acknowledging.
func TestNegotiation(t *testing.T) {
	w := newWorld(t)
	main, _, _, _ := w.small()
	none := strings.Repeat("7", 40)
	for _, c := range []struct{ capabilities, request, want string }{
		{"", packets("have "+none, "have "+main, "0000", "done"), "ACK M\n"}, // stateless: ends at the flush
		{"", packets("have "+none, "0000", "done"), "NAK\n"},
		{"", packets("have "+none, "have "+main, "done"), "ACK M\n"},
		{"multi_ack", packets("have "+main, "have "+none, "done"), "ACK M continue\nACK N continue\nACK M\n"},
		{"multi_ack_detailed", packets("have "+main, "have "+none, "done"), "ACK M common\nACK N ready\nACK M\n"},
		{"multi_ack_detailed", packets("have "+none, "0000"), "NAK\n"},
		{"multi_ack_detailed", packets("have "+main, "0000"), "ACK M common\nACK M ready\nNAK\n"},
		{"multi_ack_detailed no-done", packets("have "+main, "0000"), "ACK M common\nACK M ready\nNAK\nACK M\n"},
		{"multi_ack_detailed", packets("done"), "NAK\n"},
		{"", "", ""},
	} {
		out, err := w.ask("small", transfer.UploadOptions{}, packets("want "+main+" "+c.capabilities, "0000")+c.request)
		got := strings.NewReplacer(main, "M", none, "N").Replace(text(out))
		got, _, _ = strings.Cut(got, "bad pkt-line length \"PACK\"")
		if err != nil || got != c.want {
			t.Errorf("%q, %q: %v\n%s\nwant\n%s", c.capabilities, c.request, err, got, c.want)
		}
	}
}

// faulty is Files whose packs break when told to.
type faulty struct {
	repo.Files
	fault atomic.Pointer[func(off int64, data []byte) ([]byte, error)]
}

func (f *faulty) Open(ctx context.Context, name string) (repo.File, error) {
	file, err := f.Files.Open(ctx, name)
	if err != nil || !strings.HasSuffix(name, ".pack") {
		return file, err
	}
	return &faultyFile{file, f}, nil
}

type faultyFile struct {
	repo.File
	files *faulty
}

func (f *faultyFile) View(ctx context.Context, off int64, n int) ([]byte, error) {
	data, err := f.File.View(ctx, off, n)
	if fault := f.files.fault.Load(); fault != nil && err == nil {
		return (*fault)(off, data)
	}
	return data, err
}

// TestDamagedStorage: a clone that meets damage fails on band 3, or breaks off
// where there is no band, and never ends in a pack that looks whole.
func TestDamagedStorage(t *testing.T) {
	w := newWorld(t)
	files := &faulty{Files: &memrepo.Files{}}
	w.store = repo.New(files, w.catalog, repo.Config{CacheBytes: 1})
	w.server.Store = w.store
	w.history()
	tip := strings.Fields(w.refs("new"))[0]
	for name, fault := range map[string]func(off int64, data []byte) ([]byte, error){
		"read error": func(off int64, data []byte) ([]byte, error) {
			if off > 3000 {
				return nil, errors.New("secret path /srv/x cannot be read")
			}
			return data, nil
		},
		"flipped bits": func(off int64, data []byte) ([]byte, error) {
			data = bytes.Clone(data)
			for i := range data {
				if (off+int64(i))%997 == 996 {
					data[i] ^= 0x10
				}
			}
			return data, nil
		},
		"cut off": func(off int64, data []byte) ([]byte, error) {
			if off > 4000 {
				return nil, io.EOF
			}
			return data[:min(int64(len(data)), 4001-off)], nil
		},
	} {
		files.fault.Store(&fault)
		out, err := w.ask("new", transfer.UploadOptions{Version: 2}, packets("command=fetch", "0001", "want "+tip, "ofs-delta", "done", "0000"))
		if err == nil || !errors.Is(err, transfer.Told) || !strings.Contains(text(out), "\x03") || strings.Contains(text(out), "/srv/x") {
			t.Errorf("%s: %v, answer ends in %q", name, err, tail(out))
		}
		out, err = w.ask("new", transfer.UploadOptions{}, packets("want "+tip+" ofs-delta", "0000", "done"))
		if err == nil || errors.Is(err, transfer.Told) {
			t.Errorf("%s, without sideband: %v", name, err)
		}
		if at := bytes.Index(out, []byte("PACK")); at >= 0 && w.indexes(out[at:]) {
			t.Errorf("%s, without sideband: what was sent is a whole pack", name)
		}
		files.fault.Store(nil)
	}
}

func tail(b []byte) []byte { return b[max(0, len(b)-300):] }

// indexes reports whether stock git takes a pack for whole.
func (w *world) indexes(data []byte) bool {
	w.git("check", "init", "-q", ".")
	cmd := exec.Command("git", "index-pack", "--stdin", "--strict")
	cmd.Dir = w.dir + "/check"
	cmd.Stdin = bytes.NewReader(data)
	return cmd.Run() == nil
}

// TestNoDeltaCycles stores the same two blobs in two packs, each as a delta of
// the other in turn, beside others that lean on both.
func TestNoDeltaCycles(t *testing.T) {
	w := newWorld(t)
	h := git.NewHasher(git.SHA1)
	var blobs [][]byte
	var ids []git.ID
	for i := range 6 {
		var b strings.Builder
		for line := range 200 {
			fmt.Fprintf(&b, "line %d of a text that is mostly the same %d\n", line, line*line)
			if line%50 == i {
				fmt.Fprintf(&b, "but not here: %d\n", i)
			}
		}
		blobs = append(blobs, []byte(b.String()))
		id, err := h.Hash(git.KindBlob, blobs[i])
		if err != nil {
			t.Fatal(err)
		}
		ids = append(ids, id)
	}
	var entries []git.Entry
	for i, id := range ids {
		entries = append(entries, git.Entry{Mode: git.ModeBlob, Name: fmt.Sprint(i), ID: id})
	}
	tree := git.AppendTree(git.SHA1, nil, entries)
	treeID, err := h.Hash(git.KindTree, tree)
	if err != nil {
		t.Fatal(err)
	}
	who := git.Signature{Name: "A", Email: "a@x", Seconds: 1, Zone: "+0000"}
	commit := git.AppendCommit(git.SHA1, nil, &git.Commit{Tree: treeID, Author: who, Committer: who, Message: "x\n"})
	commitID, err := h.Hash(git.KindCommit, commit)
	if err != nil {
		t.Fatal(err)
	}
	id := w.create("r")
	// Each order is a chain: every blob a delta of the one before it.
	for n, order := range [][]int{{0, 1, 2, 3}, {3, 2, 1, 0}, {4, 0, 5}, {5, 1, 4, 3}, {2, 5}} {
		var stream bytes.Buffer
		pw, err := pack.NewWriter(&stream, git.SHA1, len(order)+2)
		if err != nil {
			t.Fatal(err)
		}
		for i, b := range order {
			if i == 0 {
				err = pw.Object(git.KindBlob, blobs[b])
			} else {
				delta := pack.NewDeltaIndex(blobs[order[i-1]]).Create(nil, blobs[b], 0)
				err = pw.Delta(delta, -1, ids[order[i-1]])
			}
			if err != nil {
				t.Fatal(err)
			}
		}
		present := map[int]bool{}
		for _, b := range order {
			present[b] = true
		}
		// The tree of what has come so far would differ; only the third pack and
		// later may name all blobs.
		if n < 2 {
			some := git.AppendTree(git.SHA1, nil, []git.Entry{{Mode: git.ModeBlob, Name: fmt.Sprint(n), ID: ids[order[0]]}})
			err = errors.Join(pw.Object(git.KindTree, some), pw.Object(git.KindBlob, []byte(fmt.Sprint("filler ", n))))
		} else {
			err = errors.Join(pw.Object(git.KindTree, tree), pw.Object(git.KindCommit, commit))
		}
		if _, closeErr := pw.Close(); err != nil || closeErr != nil {
			t.Fatal(err, closeErr)
		}
		snap := w.snapshot("r")
		staged, err := w.store.Ingest(t.Context(), snap, &stream, repo.IngestOptions{})
		snap.Close()
		if err != nil {
			t.Fatal(err)
		}
		if _, err := w.store.Commit(t.Context(), &repo.Change{Repository: id, Add: []repo.Pack{staged.Pack}}); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := w.store.Commit(t.Context(), &repo.Change{Repository: id, Refs: []repo.RefUpdate{{Name: "refs/heads/main", New: commitID}}}); err != nil {
		t.Fatal(err)
	}
	for _, offsets := range []string{"true", "false"} {
		w.git("", "-c", "repack.useDeltaBaseOffset="+offsets, "clone", "-q", w.url("ssh", "r"), "clone-"+offsets)
		w.git("clone-"+offsets, "fsck", "--full", "--strict")
	}
}
