package e2e

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"testing"
)

// TestManyRepositories has more repositories in one server than it may keep open: they are rows,
// used or not, and the files that it maps and the descriptors it has stay bounded, also
// where packs are large enough for derived data.
func TestManyRepositories(t *testing.T) {
	if runtime.GOOS != "linux" {
		t.Skip("looks into /proc")
	}
	const made, large, openPacks = 1000, 80, 8
	s := start(t, t.TempDir(), "--limit-open-packs", fmt.Sprint(openPacks), "--log-level", "warn")
	token := s.user(t, "alice", "repo")
	atOnce(8, made, func(i int) {
		if status, answer, err := call(s, token, "POST", "/user/repos", fmt.Appendf(nil, `{"name":"r%d"}`, i)); err != nil || status != 201 {
			t.Errorf("making r%d: %d %s, %v", i, status, answer, err)
		}
	})
	// A small push each: in rows.
	p := newRawPack()
	tip := p.add(tCommit, commitOf(p.add(tTree, treeEntry("100644", "file", p.add(tBlob, []byte("small\n"))))))
	small := pushRequest("report-status", []string{noID + " " + tip + " refs/heads/main"}, p.bytes())
	s.pushAll(t, token, made/2, small)
	if files := storedFiles(t, s.data); len(files) != 0 {
		t.Errorf("%d files are stored for repositories that fit in rows", len(files))
	}
	// So many objects that bitmaps and a graph are made.
	p = newRawPack()
	var tree []byte
	for i := range 1200 {
		tree = append(tree, treeEntry("100644", fmt.Sprintf("file-%04d", i), p.add(tBlob, fmt.Appendf(nil, "%d\n", i)))...)
	}
	tip = p.add(tCommit, commitOf(p.add(tTree, tree)))
	s.pushAll(t, token, large, pushRequest("report-status", []string{noID + " " + tip + " refs/heads/large"}, p.bytes()))
	for i := range large {
		s.admin(t, "", "compact", "--all", fmt.Sprintf("alice/r%d", i))
	}
	if bitmaps, _ := filepath.Glob(filepath.Join(s.data, "blobs/files/packs/*/*.bitmap")); len(bitmaps) < large {
		t.Errorf("%d files of bitmaps for %d repositories", len(bitmaps), large)
	}
	body := pkt("command=fetch\n") + "0001" + pkt("no-progress\n") + pkt("want "+tip+"\n") + pkt("done\n") + "0000"
	for range 2 {
		atOnce(4, large, func(i int) {
			path := fmt.Sprintf("alice/r%d.git", i)
			_, answer := s.post(t, token, path, "git-upload-pack", strings.NewReader(body), "Git-Protocol", "version=2")
			if !strings.Contains(answer, "PACK") {
				t.Errorf("fetch from %s: %.200q", path, answer)
			}
		})
	}
	// Of a pack three files; of what is derived two, of as many packs idle and as many in idle stacks.
	maps, err := os.ReadFile(fmt.Sprintf("/proc/%d/maps", s.cmd.Process.Pid))
	if err != nil {
		t.Fatal(err)
	}
	if n := bytes.Count(maps, []byte("/files/packs/")); n > 7*openPacks {
		t.Errorf("%d files stay mapped; %d packs may be open", n, openPacks)
	}
	descriptors, err := os.ReadDir(fmt.Sprintf("/proc/%d/fd", s.cmd.Process.Pid))
	if err != nil {
		t.Fatal(err)
	}
	if len(descriptors) > 100 {
		t.Errorf("%d descriptors are open", len(descriptors))
	}
}

// pushAll pushes the same to the first n repositories.
func (s *server) pushAll(t *testing.T, token string, n int, request []byte) {
	t.Helper()
	atOnce(8, n, func(i int) {
		path := fmt.Sprintf("alice/r%d.git", i)
		if _, answer := s.post(t, token, path, "git-receive-pack", bytes.NewReader(request)); !strings.Contains(answer, "ok refs/heads/") {
			t.Errorf("push to %s: %.200q", path, answer)
		}
	})
}

// atOnce calls do for 0 to n-1, several at a time.
func atOnce(workers, n int, do func(i int)) {
	var all sync.WaitGroup
	for w := range workers {
		all.Go(func() {
			for i := w; i < n; i += workers {
				do(i)
			}
		})
	}
	all.Wait()
}
