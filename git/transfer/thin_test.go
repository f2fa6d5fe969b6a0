package transfer_test

import (
	"bytes"
	"fmt"
	"os/exec"
	"strings"
	"testing"

	"github.com/ingot-forge/ingot/git/transfer"
)

// TestSmallFetchIsSmall fetches a few commits and compares the number of bytes with
// what stock git makes of the same request.
func TestSmallFetchIsSmall(t *testing.T) {
	w := newWorld(t)
	w.history()
	at := func(rev string) string { return strings.TrimSpace(string(w.git("stock/new", "rev-parse", rev))) }
	for _, steps := range []int{1, 3, 10} {
		have := fmt.Sprintf("main~%d", steps)
		for _, thin := range []string{"--thin", "--no-thin"} {
			lines := []string{"command=fetch", "0001", "want " + at("main"), "have " + at(have), "ofs-delta", "no-progress", "done"}
			if thin == "--thin" {
				lines = append(lines, "thin-pack")
			}
			out, err := w.ask("new", transfer.UploadOptions{Version: 2}, packets(append(lines, "0000")...))
			if err != nil {
				t.Fatal(err)
			}
			cmd := exec.Command("git", "pack-objects", "-q", "--revs", "--stdout", "--delta-base-offset", thin)
			cmd.Dir = w.dir + "/stock/new"
			cmd.Stdin = strings.NewReader("main\n^" + have + "\n")
			stock, err := cmd.Output()
			if err != nil {
				t.Fatal(err)
			}
			if len(out) > len(stock)*5/4+200 {
				t.Errorf("%d steps, %s: %d bytes, stock git sends %d", steps, thin, len(out), len(stock))
			}
		}
	}
}

// TestThinPushesThenClones pushes commit by commit, so that packs repeat each other's
// objects as bases of thin packs, and then fetches all and parts of it.
func TestThinPushesThenClones(t *testing.T) {
	w := newWorld(t)
	w.history()
	w.create("r")
	w.git("", "clone", "-q", w.dir+"/stock/new", "c")
	for i := 12; i >= 0; i-- {
		w.git("c", "push", "-q", w.url("http", "r"), fmt.Sprintf("origin/main~%d:refs/heads/main", i))
	}
	if n := packs(w, "r"); n != 13 {
		t.Fatalf("%d packs", n)
	}
	want := w.git("c", "rev-list", "--objects", "--no-object-names", "origin/main")
	for _, offsets := range []string{"true", "false"} {
		dir := "clone-" + offsets
		w.git("", "-c", "repack.useDeltaBaseOffset="+offsets, "clone", "-q", "--depth", "3", w.url("ssh", "r"), dir)
		w.git(dir, "-c", "repack.useDeltaBaseOffset="+offsets, "fetch", "-q", "--unshallow", w.url("ssh", "r"), "main")
		w.git(dir, "fsck", "--full", "--strict")
		if got := w.git(dir, "rev-list", "--objects", "--no-object-names", "main"); !bytes.Equal(got, want) {
			t.Errorf("useDeltaBaseOffset=%s: the clone has other objects", offsets)
		}
	}
}

// TestSparseFilter names a blob of patterns, by id and by path.
func TestSparseFilter(t *testing.T) {
	w := newWorld(t)
	w.git("stock/r", "init", "-q", ".")
	w.feed("stock/r", "commit refs/heads/main\ncommitter C <c@x> 1 +0000\ndata 0\nM 100644 inline patterns\ndata 4\n/in/\nM 100644 inline in/a\ndata 1\na\n"+
		"M 100644 inline out/b\ndata 1\nb\n", "fast-import", "--quiet")
	w.load("r", "stock/r")
	tip := strings.TrimSpace(string(w.git("stock/r", "rev-parse", "main")))
	blob := strings.TrimSpace(string(w.git("stock/r", "rev-parse", "main:patterns")))
	fetch := func(filter string) (int, string) {
		sent := -1
		o := transfer.UploadOptions{Version: 2, Served: func(objects int, _ int64) { sent = objects }}
		out, _ := w.ask("r", o, packets("command=fetch", "0001", "want "+tip, "filter "+filter, "no-progress", "done", "0000"))
		return sent, text(out)
	}
	for _, name := range []string{blob, "main:patterns", "refs/heads/main:patterns"} {
		// commit, three trees and in/a
		if n, out := fetch("sparse:oid=" + name); n != 5 {
			t.Errorf("%s: %d objects sent, want 5\n%.200q", name, n, out)
		}
	}
	for name, want := range map[string]string{
		"main:nope":                         `ERR path "nope" does not exist`,
		"none:patterns":                     "ERR unknown ref none",
		strings.Repeat("7", 40):             "ERR upload-pack: not our ref " + strings.Repeat("7", 40),
		"main:patterns/below":               `ERR path "patterns/below" does not exist`,
		"main:" + strings.Repeat("x", 5000): "ERR path is longer than 4096 bytes",
	} {
		if _, out := fetch("sparse:oid=" + name); !strings.HasPrefix(out, want) {
			t.Errorf("%.60s: %.200q, want %q", name, out, want)
		}
	}
}

// FuzzServe sends anything to every service: it must not panic, and must not move a ref
// without a whole push.
func FuzzServe(f *testing.F) {
	w := newWorld(f)
	main, tree, _, _ := w.small()
	pack := string(w.git("stock/small", "pack-objects", "-q", "--all", "--stdout"))
	small := w.ids["small"]
	f.Add(byte(0), []byte(packets("want "+main+" multi_ack_detailed side-band-64k", "deepen 1", "0000", "have "+tree, "0000", "done")))
	f.Add(byte(2), []byte(packets("command=fetch", "0001", "want-ref HEAD", "have "+main, "filter tree:1", "deepen-not v1", "done", "0000")))
	f.Add(byte(2), []byte(packets("command=ls-refs", "0001", "peel", "symrefs", "ref-prefix refs/", "0000")))
	f.Add(byte(2), []byte(packets("command=object-info", "0001", "size", "oid "+tree, "0000")))
	f.Add(byte(3), []byte(packets(zero+" "+main+" refs/heads/x\x00report-status-v2 side-band-64k atomic", "0000")+pack))
	f.Add(byte(4), []byte(packets("argument --format=zip", "argument HEAD", "0000")))
	f.Fuzz(func(t *testing.T, service byte, request []byte) {
		snap, err := w.store.Snapshot(t.Context(), small)
		if err != nil {
			t.Fatal(err)
		}
		defer snap.Close()
		var out bytes.Buffer
		in := bytes.NewReader(request)
		switch service % 5 {
		case 3:
			w.server.Receive(t.Context(), snap, in, &out, transfer.ReceiveOptions{Stateless: true})
		case 4:
			w.server.Archive(t.Context(), snap, in, &out)
		default:
			w.server.Upload(t.Context(), snap, in, &out, transfer.UploadOptions{Version: transfer.Version(service % 5), Stateless: true})
		}
	})
}
