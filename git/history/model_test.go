package history_test

import (
	"bytes"
	"compress/zlib"
	"context"
	"crypto/sha1"
	"encoding/binary"
	"fmt"
	"maps"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/ingot-forge/ingot/git"
)

// model is a repository in memory that tests build by hand or at random.
type model struct {
	git.Memory
	hasher  *git.Hasher
	commits []git.ID // in the order in which they were made
	files   map[git.ID]map[string]string
}

func newModel() *model {
	return &model{Memory: git.Memory{}, hasher: git.NewHasher(git.SHA1), files: map[git.ID]map[string]string{}}
}

func (m *model) add(kind git.Kind, data []byte) git.ID {
	id, err := m.hasher.Hash(kind, data)
	if err != nil {
		panic(err)
	}
	m.Memory[id] = struct {
		Kind git.Kind
		Data []byte
	}{kind, data}
	return id
}

func (m *model) blob(content string) git.ID { return m.add(git.KindBlob, []byte(content)) }

// tree makes the tree of the given files, by path. A content that starts with
// "->" makes a submodule.
func (m *model) tree(files map[string]string) git.ID {
	var entries []git.Entry
	subs := map[string]map[string]string{}
	for path, content := range files {
		dir, rest, nested := strings.Cut(path, "/")
		if nested {
			if subs[dir] == nil {
				subs[dir] = map[string]string{}
			}
			subs[dir][rest] = content
			continue
		}
		if strings.HasPrefix(content, "->") {
			entries = append(entries, git.Entry{Mode: git.ModeSubmodule, Name: path, ID: git.ID{1, 2, 3}})
			continue
		}
		entries = append(entries, git.Entry{Mode: git.ModeBlob, Name: path, ID: m.blob(content)})
	}
	for dir, files := range subs {
		entries = append(entries, git.Entry{Mode: git.ModeTree, Name: dir, ID: m.tree(files)})
	}
	return m.add(git.KindTree, git.AppendTree(git.SHA1, nil, entries))
}

func (m *model) commit(seconds int64, files map[string]string, parents ...git.ID) git.ID {
	id := m.commitTree(seconds, m.tree(files), parents...)
	m.files[id] = files
	return id
}

func (m *model) commitTree(seconds int64, tree git.ID, parents ...git.ID) git.ID {
	who := git.Signature{Name: "A", Email: "a@example.org", Seconds: seconds, Zone: "+0000"}
	c := &git.Commit{Tree: tree, Parents: parents, Author: who, Committer: who,
		Message: fmt.Sprintf("commit %d\n", len(m.commits))}
	id := m.add(git.KindCommit, git.AppendCommit(git.SHA1, nil, c))
	m.commits = append(m.commits, id)
	return id
}

func (m *model) tag(target git.ID, name string) git.ID {
	who := git.Signature{Name: "A", Email: "a@example.org", Seconds: 1e9, Zone: "+0000"}
	return m.add(git.KindTag, git.AppendTag(git.SHA1, nil, &git.Tag{
		Target: target, TargetKind: m.Memory[target].Kind, Name: name, Tagger: &who, Message: "m\n"}))
}

// links returns what an object names, in the same repository.
func (m *model) links(id git.ID, cut map[git.ID]bool) []git.ID {
	switch o := m.Memory[id]; o.Kind {
	case git.KindCommit:
		tree, parents, _, err := git.CommitLinks(git.SHA1, o.Data, nil)
		if err != nil {
			panic(err)
		}
		if cut[id] {
			parents = nil
		}
		return append(parents, tree)
	case git.KindTree:
		var ids []git.ID
		for e, err := range git.Entries(git.SHA1, o.Data) {
			if err != nil {
				panic(err)
			}
			if e.Mode != git.ModeSubmodule {
				ids = append(ids, e.ID)
			}
		}
		return ids
	case git.KindTag:
		tag, err := git.ParseTag(git.SHA1, o.Data)
		if err != nil {
			panic(err)
		}
		return []git.ID{tag.Target}
	case git.KindBlob:
		return nil
	}
	panic(fmt.Sprintf("%s is not in the model", id))
}

type set map[git.ID]bool

func setOf(ids ...git.ID) set {
	s := set{}
	for _, id := range ids {
		s[id] = true
	}
	return s
}

// closure adds to s whatever hangs from ids; parents of the cut ones do not.
func (m *model) closure(s set, cut set, ids ...git.ID) set {
	for todo := slices.Clone(ids); len(todo) > 0; {
		id := todo[len(todo)-1]
		todo = todo[:len(todo)-1]
		if !s[id] {
			s[id] = true
			todo = append(todo, m.links(id, cut)...)
		}
	}
	return s
}

func (m *model) bytes(ids set) (n int) {
	for id := range ids {
		n += len(m.Memory[id].Data)
	}
	return n
}

// randomModel makes a history of n commits: roots, merges of any number of
// parents, criss-crosses, reverts, moves, copies, and dates of which some lie.
func randomModel(r *rand.Rand, n int, lies bool) *model {
	m := newModel()
	for i := range n {
		var parents []git.ID
		files := map[string]string{}
		if i > 0 && r.IntN(15) > 0 {
			count := 1
			switch r.IntN(10) {
			case 0, 1, 2:
				count = 2
			case 3:
				count = 3 + r.IntN(3)
			}
			for range count {
				back := 1 + r.IntN(min(i, 6))
				if r.IntN(10) == 0 {
					back = 1 + r.IntN(i)
				}
				if p := m.commits[i-back]; !slices.Contains(parents, p) {
					parents = append(parents, p)
					for _, path := range slices.Sorted(maps.Keys(m.files[p])) {
						if len(parents) == 1 || r.IntN(2) == 0 {
							files[path] = m.files[p][path]
						}
					}
				}
			}
		}
		for range 1 + r.IntN(3) {
			m.change(r, files)
		}
		if i > 0 && r.IntN(8) == 0 { // a revert
			files = maps.Clone(m.files[m.commits[r.IntN(i)]])
		}
		seconds := int64(1_000_000 + 100*i)
		if lies && r.IntN(3) == 0 {
			seconds = int64(1_000_000 + r.IntN(100*n))
		}
		if lies && r.IntN(40) == 0 {
			seconds = 0
		}
		m.commit(seconds, clean(files), parents...)
	}
	return m
}

var modelDirs = []string{"", "", "a/", "b/", "a/b/", "a/b/c/", "d/e/f/", "b/a/"}

// change makes one change to files, at random.
func (m *model) change(r *rand.Rand, files map[string]string) {
	path := func() string { return modelDirs[r.IntN(len(modelDirs))] + string(rune('q'+r.IntN(6))) }
	paths := slices.Sorted(maps.Keys(files))
	switch k := r.IntN(10); {
	case k < 5 || len(paths) == 0:
		files[path()] = fmt.Sprintf("content %d\n", r.IntN(60))
	case k < 6:
		delete(files, paths[r.IntN(len(paths))])
	case k < 7:
		files[path()] = files[paths[r.IntN(len(paths))]]
	case k < 8:
		files[path()] = "->submodule"
	default: // a directory moves
		from, to := modelDirs[2+r.IntN(len(modelDirs)-2)], fmt.Sprintf("m%d/", r.IntN(4))
		for _, p := range paths {
			if rest, ok := strings.CutPrefix(p, from); ok {
				files[to+rest] = files[p]
				delete(files, p)
			}
		}
	}
}

// clean drops files that are where a directory is.
func clean(files map[string]string) map[string]string {
	dirs := map[string]bool{}
	for path := range files {
		for i := range path {
			if path[i] == '/' {
				dirs[path[:i]] = true
			}
		}
	}
	kept := map[string]string{}
	for path, content := range files {
		if !dirs[path] {
			kept[path] = content
		}
	}
	return kept
}

// repository is a model written out for stock git.
type repository struct {
	t   *testing.T
	dir string
}

func (m *model) export(t *testing.T, refs map[string]git.ID) repository {
	t.Helper()
	r := repository{t, filepath.Join(t.TempDir(), "r.git")}
	write := func(name, content string) {
		path := filepath.Join(r.dir, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o777); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(content), 0o666); err != nil {
			t.Fatal(err)
		}
	}
	write("HEAD", "ref: refs/heads/main\n")
	write("config", "[core]\nrepositoryformatversion = 0\nbare = true\n")
	write("refs/x", "")
	os.Remove(filepath.Join(r.dir, "refs/x"))
	write("objects/pack/p.pack", m.pack())
	r.git("", "index-pack", filepath.Join(r.dir, "objects/pack/p.pack"))
	var packed strings.Builder
	for _, name := range slices.Sorted(maps.Keys(refs)) {
		fmt.Fprintf(&packed, "%s %s\n", git.SHA1.Hex(refs[name]), name)
	}
	write("packed-refs", packed.String())
	return r
}

// pack returns all objects as one pack.
func (m *model) pack() string {
	var b bytes.Buffer
	b.WriteString("PACK\x00\x00\x00\x02")
	b.Write(binary.BigEndian.AppendUint32(nil, uint32(len(m.Memory))))
	z := zlib.NewWriter(nil)
	for _, o := range m.Memory {
		head, size := byte(o.Kind)<<4|byte(len(o.Data)&15), len(o.Data)>>4
		for ; size > 0; size >>= 7 {
			b.WriteByte(head | 0x80)
			head = byte(size & 0x7f)
		}
		b.WriteByte(head)
		z.Reset(&b)
		z.Write(o.Data)
		z.Close()
	}
	sum := sha1.Sum(b.Bytes())
	b.Write(sum[:])
	return b.String()
}

// git runs stock git and returns what it prints.
func (r repository) git(input string, args ...string) string {
	r.t.Helper()
	out, err := r.try(input, args...)
	if err != nil {
		r.t.Fatalf("git %q: %v", args, err)
	}
	return out
}

func (r repository) try(input string, args ...string) (string, error) {
	return r.run(exec.Command("git", args...), input)
}

// sh runs a line of shell.
func (r repository) sh(input, line string) (string, error) {
	return r.run(exec.Command("sh", "-c", line), input)
}

func (r repository) run(cmd *exec.Cmd, input string) (string, error) {
	cmd.Dir = r.dir
	cmd.Env = []string{"PATH=" + os.Getenv("PATH"), "HOME=" + r.dir, "GIT_CONFIG_NOSYSTEM=1",
		"GIT_CONFIG_GLOBAL=/dev/null", "LC_ALL=C"}
	cmd.Stdin = strings.NewReader(input)
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		err = fmt.Errorf("%w: %s", err, stderr.String())
	}
	return string(out), err
}

// revList returns the objects that git-rev-list prints.
func (r repository) revList(wants, haves []git.ID, args ...string) set {
	r.t.Helper()
	var in strings.Builder
	for _, id := range wants {
		fmt.Fprintln(&in, git.SHA1.Hex(id))
	}
	for _, id := range haves {
		fmt.Fprintln(&in, "^"+git.SHA1.Hex(id))
	}
	out := r.git(in.String(), append([]string{"rev-list", "--objects", "--no-object-names", "--stdin"}, args...)...)
	got := set{}
	for _, line := range strings.Fields(out) {
		id, err := git.SHA1.Parse(line)
		if err != nil {
			r.t.Fatal(err)
		}
		got[id] = true
	}
	return got
}

// counting counts reads.
type counting struct {
	git.Objects
	reads int
}

func (c *counting) Object(ctx context.Context, id git.ID) (git.Kind, []byte, error) {
	c.reads++
	return c.Objects.Object(ctx, id)
}

func pick(r *rand.Rand, from []git.ID, n int) []git.ID {
	var ids []git.ID
	for range n {
		ids = append(ids, from[r.IntN(len(from))])
	}
	return ids
}

func seeded(seed int) *rand.Rand { return rand.New(rand.NewPCG(uint64(seed), 0)) }
