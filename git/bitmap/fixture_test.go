package bitmap_test

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/ingot-forge/ingot/git"
	"github.com/ingot-forge/ingot/git/bitmap"
	"github.com/ingot-forge/ingot/git/pack"
)

// stockGit runs git, the oracle, in dir and returns its output.
func stockGit(t testing.TB, dir string, stdin io.Reader, args ...string) []byte {
	t.Helper()
	out, err := tryGit(dir, stdin, args...)
	if err != nil {
		t.Fatalf("git %s: %v", strings.Join(args, " "), err)
	}
	return out
}

func tryGit(dir string, stdin io.Reader, args ...string) ([]byte, error) {
	cmd := exec.Command("git", append([]string{"-c", "init.defaultBranch=main"}, args...)...)
	cmd.Dir = dir
	cmd.Stdin = stdin
	cmd.Env = append(os.Environ(), "GIT_CONFIG_NOSYSTEM=1", "GIT_CONFIG_GLOBAL=/dev/null", "HOME=/nonexistent",
		"GIT_AUTHOR_NAME=A", "GIT_AUTHOR_EMAIL=a@example.com", "GIT_AUTHOR_DATE=1700000000 +0000",
		"GIT_COMMITTER_NAME=C", "GIT_COMMITTER_EMAIL=c@example.com", "GIT_COMMITTER_DATE=1700000000 +0000")
	var out, errs bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &errs
	if err := cmd.Run(); err != nil {
		return out.Bytes(), fmt.Errorf("%w: %s", err, errs.Bytes())
	}
	// rev-list and pack-objects do without a bitmap that they find broken, and only say so.
	if bytes.Contains(errs.Bytes(), []byte("error:")) {
		return out.Bytes(), fmt.Errorf("%s", errs.Bytes())
	}
	return out.Bytes(), nil
}

// fixture is a bare repository made by git, with all its objects in memory.
type fixture struct {
	t       testing.TB
	format  git.Format
	dir     string
	objects git.Memory
}

// newFixture makes a repository of a stream for git fast-import.
func newFixture(t testing.TB, f git.Format, stream io.Reader) *fixture {
	t.Helper()
	x := &fixture{t: t, format: f, dir: t.TempDir(), objects: git.Memory{}}
	x.git("init", "-q", "--bare", "--object-format="+f.String())
	stockGit(t, x.dir, stream, "fast-import", "--quiet", "--force")
	x.load()
	return x
}

// in returns the same repository for a subtest.
func (x *fixture) in(t testing.TB) *fixture {
	y := *x
	y.t = t
	return &y
}

// load reads all objects.
func (x *fixture) load() {
	x.t.Helper()
	out := x.git("cat-file", "--batch", "--batch-all-objects", "--buffer")
	for len(out) > 0 {
		line, rest, _ := bytes.Cut(out, []byte{'\n'})
		fields := strings.Fields(string(line))
		kind, err := git.ParseKind(fields[1])
		if err != nil {
			x.t.Fatal(err)
		}
		size, err := strconv.Atoi(fields[2])
		if err != nil {
			x.t.Fatal(err)
		}
		x.objects[x.id(fields[0])] = struct {
			Kind git.Kind
			Data []byte
		}{kind, rest[:size:size]}
		out = rest[size+1:]
	}
}

func (x *fixture) git(args ...string) []byte {
	x.t.Helper()
	return stockGit(x.t, x.dir, nil, args...)
}

func (x *fixture) id(s string) git.ID {
	x.t.Helper()
	id, err := x.format.Parse(s)
	if err != nil {
		x.t.Fatal(err)
	}
	return id
}

// ids reads lines of ids, as rev-list prints them; what follows an id is ignored.
func (x *fixture) ids(out []byte) []git.ID {
	x.t.Helper()
	var ids []git.ID
	for line := range bytes.Lines(out) {
		ids = append(ids, x.id(string(line[:x.format.HexSize()])))
	}
	return ids
}

// tips returns what the refs point to, tags unpeeled.
func (x *fixture) tips() []git.ID {
	return x.ids(x.git("for-each-ref", "--format=%(objectname)"))
}

// packFiles returns the paths of the packs, without their ending.
func (x *fixture) packFiles() []string {
	x.t.Helper()
	found, err := filepath.Glob(filepath.Join(x.dir, "objects/pack/*.pack"))
	if err != nil {
		x.t.Fatal(err)
	}
	for i := range found {
		found[i] = strings.TrimSuffix(found[i], ".pack")
	}
	return found
}

// layer opens a pack, whose bitmap file is not opened.
func (x *fixture) layer(file string) bitmap.Layer {
	x.t.Helper()
	data, err := os.ReadFile(file + ".idx")
	if err != nil {
		x.t.Fatal(err)
	}
	return newLayer(x.t, x.format, data)
}

func newLayer(t testing.TB, f git.Format, data []byte) bitmap.Layer {
	t.Helper()
	index, err := pack.OpenIndex(f, data)
	if err != nil {
		t.Fatal(err)
	}
	rev, err := pack.NewRev(index)
	if err != nil {
		t.Fatal(err)
	}
	return bitmap.Layer{Pack: index, Rev: rev}
}

// onlyLayer opens the only pack.
func (x *fixture) onlyLayer() (layer bitmap.Layer, file string) {
	x.t.Helper()
	files := x.packFiles()
	if len(files) != 1 {
		x.t.Fatalf("%d packs, not one", len(files))
	}
	return x.layer(files[0]), files[0]
}

// stack builds what is missing of the files of a stack, bottom first, with the given tips
// of each.
func (x *fixture) stack(layers []bitmap.Layer, tips [][]git.ID) *bitmap.Index {
	x.t.Helper()
	var index *bitmap.Index
	for i := range layers {
		index = mustIndex(x.t, x.format, layers[:i+1])
		data := x.build(index, tips[i])
		layers[i].File = mustOpen(x.t, x.format, data)
		index = mustIndex(x.t, x.format, layers[:i+1])
	}
	return index
}

func (x *fixture) build(index *bitmap.Index, tips []git.ID) []byte {
	x.t.Helper()
	data, err := bitmap.Build(context.Background(), x.objects, x.format, index, bitmap.BuildOptions{Tips: tips})
	if err != nil {
		x.t.Fatal(err)
	}
	return data
}

func mustIndex(t testing.TB, f git.Format, layers []bitmap.Layer) *bitmap.Index {
	t.Helper()
	index, err := bitmap.NewIndex(f, slices.Clone(layers))
	if err != nil {
		t.Fatal(err)
	}
	return index
}

func mustOpen(t testing.TB, f git.Format, data []byte) *bitmap.File {
	t.Helper()
	file, err := bitmap.Open(f, data)
	if err != nil {
		t.Fatal(err)
	}
	return file
}

// walk returns all that an object reaches, the plain way.
func (x *fixture) walk(from git.ID) map[git.ID]bool {
	x.t.Helper()
	seen := map[git.ID]bool{from: true}
	pending := []git.ID{from}
	for len(pending) > 0 {
		id := pending[len(pending)-1]
		pending = pending[:len(pending)-1]
		for _, next := range x.links(id) {
			if !seen[next] {
				seen[next] = true
				pending = append(pending, next)
			}
		}
	}
	return seen
}

// links returns what an object names in the same repository.
func (x *fixture) links(id git.ID) (ids []git.ID) {
	x.t.Helper()
	o, ok := x.objects[id]
	if !ok {
		x.t.Fatalf("no object %s", id)
	}
	var err error
	switch o.Kind {
	case git.KindCommit:
		var tree git.ID
		tree, ids, _, err = git.CommitLinks(x.format, o.Data, nil)
		ids = append(ids, tree)
	case git.KindTree:
		for e, broken := range git.Entries(x.format, o.Data) {
			if err = broken; err == nil && e.Mode != git.ModeSubmodule {
				ids = append(ids, e.ID)
			}
		}
	case git.KindTag:
		var tag *git.Tag
		if tag, err = git.ParseTag(x.format, o.Data); err == nil {
			ids = append(ids, tag.Target)
		}
	}
	if err != nil {
		x.t.Fatal(err)
	}
	return ids
}

// checkReaches compares the bitmap of every commit that has one with a plain walk, and
// returns how many have one.
func (x *fixture) checkReaches(index *bitmap.Index) (checked int) {
	x.t.Helper()
	for id, o := range x.objects {
		position, ok := index.Find(id)
		if !ok {
			continue
		}
		if index.ID(position) != id {
			x.t.Fatalf("position %d is of %s, not %s", position, index.ID(position), id)
		}
		set := bitmap.NewSet(index.Len())
		ok, err := index.Reaches(position, set)
		if err != nil {
			x.t.Fatalf("%s: %v", id, err)
		}
		if has := index.Has(position); has != ok {
			x.t.Fatalf("%s: Has says %v, Reaches %v", id, has, ok)
		}
		if !ok {
			if set.Count() != 0 {
				x.t.Fatalf("%s has no bitmap, but %d bits", id, set.Count())
			}
			continue
		}
		checked++
		if o.Kind != git.KindCommit {
			x.t.Fatalf("%s %s has a bitmap", o.Kind, id)
		}
		want := x.walk(id)
		for id := range want {
			if p, ok := index.Find(id); !ok || !set.Has(p) {
				x.t.Fatalf("the bitmap lacks %s %s", x.objects[id].Kind, id)
			}
		}
		if set.Count() != len(want) {
			x.t.Fatalf("%s reaches %d objects, its bitmap has %d", id, len(want), set.Count())
		}
	}
	return checked
}
