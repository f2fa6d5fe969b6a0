package transfer_test

import (
	"bytes"
	"cmp"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/ingot-forge/ingot/git"
	"github.com/ingot-forge/ingot/git/bitmap"
	"github.com/ingot-forge/ingot/git/pack"
	"github.com/ingot-forge/ingot/git/repo"
	"github.com/ingot-forge/ingot/git/transfer"
	"github.com/ingot-forge/ingot/git/wire"
)

// derive writes bitmaps for the lowest packs of a repository, as compaction does.
func (w *world) derive(name string, layers int) {
	w.t.Helper()
	snap := w.snapshot(name)
	defer snap.Close()
	var tips []git.ID
	for ref := range snap.State().Refs.All() {
		tips = append(tips, ref.Target)
	}
	var below []bitmap.Layer
	for _, row := range snap.State().Packs[:layers] {
		p, err := snap.Pack(w.t.Context(), row.Name)
		if err != nil {
			w.t.Fatal(err)
		}
		rev, err := pack.NewRev(p.Index())
		if err != nil {
			w.t.Fatal(err)
		}
		below = append(below, bitmap.Layer{Pack: p.Index(), Rev: rev})
		x, err := bitmap.NewIndex(git.SHA1, below)
		if err != nil {
			w.t.Fatal(err)
		}
		data, err := bitmap.Build(w.t.Context(), snap, git.SHA1, x, bitmap.BuildOptions{Tips: tips})
		if err != nil {
			w.t.Fatal(err)
		}
		if below[len(below)-1].File, err = bitmap.Open(git.SHA1, data); err != nil {
			w.t.Fatal(err)
		}
		w.publish(repo.BitmapFile(row.Name), data)
	}
	// What was looked for before was not there.
	w.anew()
	again := w.snapshot(name)
	defer again.Close()
	if _, packs, err := again.Bitmaps(w.t.Context()); err != nil || len(packs) != layers {
		w.t.Fatalf("%d layers of bitmaps, want %d; %v", len(packs), layers, err)
	}
}

// anew opens the store again, as one in which every pack is files.
func (w *world) anew() {
	w.store = repo.New(w.files, w.catalog, repo.Config{DeriveFrom: 1, RowBytes: -1})
	w.server = &transfer.Server{Store: w.store, Agent: "ingot/test"}
}

func (w *world) publish(name string, data []byte) {
	w.t.Helper()
	draft, err := w.files.Draft(w.t.Context())
	if err != nil {
		w.t.Fatal(err)
	}
	if _, err := draft.Write(data); err != nil {
		w.t.Fatal(err)
	}
	if err := draft.Publish(w.t.Context(), name); err != nil {
		w.t.Fatal(err)
	}
}

// set returns the ids that start the lines which a git command prints.
func (w *world) set(dir string, args ...string) map[string]bool {
	w.t.Helper()
	set := map[string]bool{}
	for line := range strings.Lines(string(w.git(dir, args...))) {
		set[line[:40]] = true
	}
	return set
}

// unframed returns the pack in an answer of version 2.
func unframed(t *testing.T, answer []byte) []byte {
	t.Helper()
	var got []byte
	r := wire.NewReader(bytes.NewReader(answer))
	for inPack := false; ; {
		kind, data, err := r.Next()
		if err == io.EOF {
			return got
		}
		if err != nil {
			t.Fatal(err)
		}
		switch {
		case kind != wire.Data:
		case !inPack:
			inPack = strings.HasPrefix(string(data), "packfile")
		case data[0] == wire.BandData:
			got = append(got, data[1:]...)
		case data[0] == wire.BandError:
			t.Fatalf("error from the server: %s", data[1:])
		}
	}
}

// TestEveryPackIsWhole asks in every way for packs, from repositories that are
// stored in every way. Stock git must take each, and find in it what it says itself is missing.
func TestEveryPackIsWhole(t *testing.T) {
	w := newWorld(t)
	w.anew()
	w.history()
	at := map[string]string{} // what is asked of git is asked once
	clients := map[string]*taker{}
	for _, have := range []string{"", "main~3", "main~58"} {
		clients[have] = w.taker(have)
		at[have] = strings.TrimSpace(string(w.git("stock/new", "rev-parse", cmp.Or(have, "main"))))
	}
	filters := []string{"", "blob:none", "blob:limit=3000", "tree:0"}
	takes := []string{"", "thin-pack", "ofs-delta", "thin-pack ofs-delta include-tag"}
	if testing.Short() { // what finds most
		filters, takes = filters[1:3], takes[2:]
	}
	wants := map[string]map[string]bool{} // by filter
	for _, filter := range filters {
		reach := []string{"rev-list", "--objects", "--no-object-names", "main"}
		if filter != "" {
			reach = append(reach, "--filter="+filter)
		}
		wants[filter] = w.set("stock/new", reach...)
	}
	tags := w.set("stock/new", "for-each-ref", "--format=%(objectname)", "refs/tags/")
	for _, s := range []struct {
		name    string
		layers  int
		planned int // see maxPlanned; 0: as it is
		packs   []string
	}{
		{"one pack", 0, 0, []string{"stock/new"}},
		{"one pack, bitmaps", 1, 0, []string{"stock/new"}},
		{"one pack, bitmaps, large", 1, 1, []string{"stock/new"}},
		{"two packs that repeat", 0, 0, []string{"stock/old", "stock/new"}},
		{"the same, bitmaps below", 1, 0, []string{"stock/old", "stock/new"}},
		{"the same, two layers", 2, 0, []string{"stock/old", "stock/new"}},
		{"the same, two layers, large", 2, 1, []string{"stock/old", "stock/new"}},
		{"many packs", 0, 0, []string{"1", "5", "10", "30", "60"}},
		{"many packs, two layers", 2, 0, []string{"1", "5", "10", "30", "60"}},
		{"many packs, all layers", 5, 0, []string{"1", "5", "10", "30", "60"}},
		{"many packs, all layers, large", 5, 1, []string{"1", "5", "10", "30", "60"}},
	} {
		id := w.create(s.name)
		for i, from := range s.packs {
			if strings.HasPrefix(from, "stock/") {
				w.add(id, from)
			} else {
				w.addUpTo(id, s.packs[max(i-1, 0)], from)
			}
		}
		w.derive(s.name, s.layers)
		transfer.SetPlanned(w.server, s.planned)
		for have, client := range clients {
			for _, filter := range filters {
				lines := []string{"command=fetch", "0001", "want " + at[""], "no-progress", "done"}
				if filter != "" {
					lines = append(lines, "filter "+filter)
				}
				if have != "" {
					lines = append(lines, "have "+at[have])
				}
				want := wants[filter]
				for _, options := range takes {
					if filter != "" && !strings.Contains(options, "thin-pack") {
						continue // what a filter does to bases shows in thin packs only
					}
					label := fmt.Sprintf("%s, have %q, filter %q, %q", s.name, have, filter, options)
					answer, err := w.ask(s.name, transfer.UploadOptions{Version: 2}, packets(append(append(lines, strings.Fields(options)...), "0000")...))
					if err != nil {
						t.Fatalf("%s: %v", label, err)
					}
					sent := unframed(t, answer)
					got := client.take(label, sent, filter == "")
					for id := range want {
						if !got[id] && !client.has[id] {
							t.Fatalf("%s: object %s is missing", label, id)
						}
					}
					for id := range got {
						if !want[id] && !client.has[id] && !(tags[id] && strings.Contains(options, "include-tag")) {
							t.Fatalf("%s: object %s is too much", label, id)
						}
					}
				}
			}
		}
	}
}

// addUpTo brings in a thin pack with what the first commits of stock/new have, less
// what the first few of them have, as a push does.
func (w *world) addUpTo(id repo.ID, few, commits string) {
	w.t.Helper()
	rev := func(count string) string {
		n, err := strconv.Atoi(count)
		if err != nil {
			w.t.Fatal(err)
		}
		return fmt.Sprintf("main~%d", 60-n)
	}
	revs := rev(commits) + "\n"
	if few != commits {
		revs += "^" + rev(few) + "\n"
	}
	cmd := exec.Command("git", "pack-objects", "-q", "--revs", "--thin", "--stdout")
	cmd.Dir = filepath.Join(w.dir, "stock/new")
	cmd.Stdin = strings.NewReader(revs)
	thin, err := cmd.Output()
	if err != nil {
		w.t.Fatal(err)
	}
	snap, err := w.store.Snapshot(w.t.Context(), id)
	if err != nil {
		w.t.Fatal(err)
	}
	defer snap.Close()
	staged, err := w.store.Ingest(w.t.Context(), snap, bytes.NewReader(thin), repo.IngestOptions{})
	if err != nil {
		w.t.Fatal(err)
	}
	old, _ := snap.Ref("refs/heads/main")
	if _, err := w.store.Commit(w.t.Context(), &repo.Change{Repository: id, Add: []repo.Pack{staged.Pack}, Who: "tester", Why: "push",
		Refs: []repo.RefUpdate{{Name: "refs/heads/main", Old: old.Target, New: w.id(string(w.git("stock/new", "rev-parse", rev(commits))))}}}); err != nil {
		w.t.Fatal(err)
	}
}

// taker is a client that has what a commit reaches, and nothing else.
type taker struct {
	w   *world
	dir string
	has map[string]bool
}

func (w *world) taker(have string) *taker {
	w.t.Helper()
	c := &taker{w: w, dir: "taker" + strings.ReplaceAll(have, "~", "-"), has: map[string]bool{}}
	w.git(c.dir, "init", "-q", "--bare", ".")
	if have != "" {
		c.has = w.set("stock/new", "rev-list", "--objects", "--no-object-names", have)
		w.git("stock/new", "push", "-q", filepath.Join(w.dir, c.dir), have+":refs/heads/had")
	}
	return c
}

// take has stock git index a pack beside what the client has, and returns what is in
// it then.
func (c *taker) take(label string, sent []byte, strict bool) map[string]bool {
	c.w.t.Helper()
	objects := c.w.t.TempDir()
	args := []string{"index-pack", "--fix-thin", "--stdin"}
	if strict {
		args = append(args, "--strict")
	}
	cmd := exec.Command("git", args...)
	cmd.Dir = filepath.Join(c.w.dir, c.dir)
	cmd.Env = append(os.Environ(), "GIT_DIR="+cmd.Dir, "GIT_OBJECT_DIRECTORY="+objects,
		"GIT_ALTERNATE_OBJECT_DIRECTORIES="+filepath.Join(cmd.Dir, "objects"), "GIT_CONFIG_NOSYSTEM=1", "GIT_CONFIG_GLOBAL=/dev/null")
	cmd.Stdin = bytes.NewReader(sent)
	if out, err := cmd.CombinedOutput(); err != nil {
		c.w.t.Fatalf("%s: index-pack: %v\n%s", label, err, out)
	}
	names, err := filepath.Glob(filepath.Join(objects, "pack", "*.idx"))
	if err != nil || len(names) != 1 {
		c.w.t.Fatal(names, err)
	}
	data, err := os.ReadFile(names[0])
	if err != nil {
		c.w.t.Fatal(err)
	}
	index, err := pack.OpenIndex(git.SHA1, data)
	if err != nil {
		c.w.t.Fatal(err)
	}
	got := make(map[string]bool, index.Count())
	for at := range index.Count() {
		got[git.SHA1.Hex(index.ID(at))] = true
	}
	return got
}
