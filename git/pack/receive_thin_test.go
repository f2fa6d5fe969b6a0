package pack_test

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/ingot-forge/ingot/git"
	"github.com/ingot-forge/ingot/git/pack"
)

// memory is a repository's objects as git.Objects.
func memory(objects map[git.ID]object) git.Memory {
	m := make(git.Memory)
	for id, o := range objects {
		m[id] = struct {
			Kind git.Kind
			Data []byte
		}{o.kind, o.data}
	}
	return m
}

// ids lists the objects of an idx file with git.
func ids(t testing.TB, f git.Format, index []byte) map[string]bool {
	t.Helper()
	set := make(map[string]bool)
	out := stockGit(t, t.TempDir(), bytes.NewReader(index), "show-index", "--object-format="+f.String())
	for line := range strings.Lines(string(out)) {
		set[strings.Fields(line)[1]] = true
	}
	return set
}

func TestReceiveThin(t *testing.T) {
	for _, f := range []git.Format{git.SHA1, git.SHA256} {
		x := newFixture(t, f, 60)
		appended := 0
		for _, args := range [][]string{{"--delta-base-offset"}, {}} {
			for _, revs := range []string{"main\n^main~1\n", "main\n^main~30\n", "main~20\n^main~50\n"} {
				thin := stockGit(t, x.dir, strings.NewReader(revs),
					append([]string{"pack-objects", "--thin", "--revs", "--stdout", "-q"}, args...)...)
				t.Run(fmt.Sprintf("%v %v %q", f, args, revs), func(t *testing.T) {
					appended += receiveThin(t, x, thin)
				})
			}
		}
		if appended == 0 {
			t.Error("none of the thin packs was thin")
		}
	}
}

// receiveThin compares with git what becomes of a thin pack, and returns how
// many bases were appended.
func receiveThin(t *testing.T, x *fixture, thin []byte) (appended int) {
	// What git makes of it, in a repository that has the bases.
	dir := t.TempDir()
	stockGit(t, dir, nil, "init", "-q", "--bare", "--object-format="+x.format.String())
	alternates := filepath.Join(dir, "objects/info/alternates")
	if err := os.WriteFile(alternates, []byte(filepath.Join(x.dir, "objects")+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	stockGit(t, dir, bytes.NewReader(thin), "index-pack", "--stdin", "--fix-thin")
	index, _ := onlyPack(t, dir)
	want := ids(t, x.format, index)
	appended = len(want) - int(binary.BigEndian.Uint32(thin[8:]))

	for _, memoryBytes := range []int64{0, 1} {
		var v visits
		d := new(draft)
		r, err := pack.Receive(t.Context(), bytes.NewReader(thin), d, pack.Options{
			Format: x.format, Bases: memory(x.objects), Visit: v.visit, Limits: pack.Limits{MemoryBytes: memoryBytes},
		})
		if err != nil {
			t.Fatal(err)
		}
		if got := ids(t, x.format, r.Index); !maps.Equal(got, want) {
			t.Errorf("%d objects, git has %d", len(got), len(want))
		}
		if r.Appended != appended || len(v.seen) != r.Objects-r.Appended || r.Bytes != int64(len(d.data)) {
			t.Errorf("%d objects, %d appended, %d visited, %d bytes said, %d stored",
				r.Objects, r.Appended, len(v.seen), r.Bytes, len(d.data))
		}
		if memoryBytes > 0 {
			continue
		}
		index, stored := gitIndex(t, x.format, d.data)
		if !bytes.Equal(index, r.Index) || !bytes.Equal(stored, d.data) {
			t.Error("git indexes the completed pack otherwise")
		}
	}
	if appended == 0 {
		return 0
	}
	// Without the bases there is nothing to be done.
	for _, bases := range []git.Objects{nil, git.Memory{}} {
		err := receiveError(t, thin, pack.Options{Format: x.format, Bases: bases})
		if !errors.Is(err, git.ErrNotFound) || !errors.Is(err, git.ErrCorrupt) {
			t.Errorf("without bases: %v", err)
		}
	}
	return appended
}

// What a thin pack starts from is stored once more under its id, so it had
// better be that object.
func TestReceiveThinChecksBases(t *testing.T) {
	b := newBuilder(git.SHA1)
	id := idOf(t, git.KindBlob, base)
	b.ref(id, deltaOf(20, 1, insertOp("x")))
	good := git.Memory{}
	put := func(id git.ID, data string) {
		good[id] = struct {
			Kind git.Kind
			Data []byte
		}{git.KindBlob, []byte(data)}
	}
	put(id, strings.ToUpper(base))
	if err := receiveError(t, b.bytes(), pack.Options{Bases: good}); !errors.Is(err, git.ErrCorrupt) {
		t.Errorf("base with other content: %v", err)
	}
	mine := errors.New("mine")
	if err := receiveError(t, b.bytes(), pack.Options{Bases: failingObjects{mine}}); !errors.Is(err, mine) {
		t.Errorf("bases that can't be read: %v", err)
	}
}

type failingObjects struct{ err error }

func (f failingObjects) Object(context.Context, git.ID) (git.Kind, []byte, error) {
	return 0, nil, f.err
}

// Bases of a thin pack may be empty, may be wanted by many deltas, and may be
// objects that the pack has too, as a delta of another base that it lacks.
func TestReceiveThinOddities(t *testing.T) {
	const x, y, z = "xxxxxxxxxxxxxxxxxxxx", "yyyyyyyyyyyyyyyyyyyy", "zzzzzzzzzzzzzzzzzzzz"
	have := git.Memory{}
	for _, s := range []string{"", x, y, z} {
		have[idOf(t, git.KindBlob, s)] = struct {
			Kind git.Kind
			Data []byte
		}{git.KindBlob, []byte(s)}
	}
	have[idOf(t, git.KindBlob, "")] = struct {
		Kind git.Kind
		Data []byte
	}{git.KindBlob, nil}
	for name, c := range map[string]struct {
		build    func(b *builder)
		appended int
	}{
		"empty base": {func(b *builder) {
			b.ref(idOf(t, git.KindBlob, ""), deltaOf(0, 5, insertOp("hello")))
		}, 1},
		"one base, many deltas": {func(b *builder) {
			for i := range 50 {
				b.ref(idOf(t, git.KindBlob, x), deltaOf(20, 23, copyOp(0, 20), insertOp(fmt.Sprintf("%3d", i))))
			}
		}, 1},
		"base is in the pack, made of another base": {func(b *builder) {
			b.ref(idOf(t, git.KindBlob, x), deltaOf(20, 20, insertOp(y)))
			b.ref(idOf(t, git.KindBlob, y), deltaOf(20, 3, insertOp("end")))
		}, 1},
		"the other base is not there": {func(b *builder) {
			b.ref(idOf(t, git.KindBlob, "new, and made below."), deltaOf(20, 3, insertOp("end")))
			b.ref(idOf(t, git.KindBlob, x), deltaOf(20, 20, insertOp("new, and made below.")))
		}, 1},
		"on different bases": {func(b *builder) {
			at := b.ref(idOf(t, git.KindBlob, x), deltaOf(20, 3, insertOp("1st")))
			b.ofs(at, deltaOf(3, 3, insertOp("2nd")))
			b.ref(idOf(t, git.KindBlob, y), deltaOf(20, 3, insertOp("3rd")))
			b.ref(idOf(t, git.KindBlob, z), deltaOf(20, 3, insertOp("4th")))
		}, 3},
	} {
		b := newBuilder(git.SHA1)
		c.build(b)
		for _, memoryBytes := range []int64{0, 1} {
			d := new(draft)
			r, err := pack.Receive(t.Context(), bytes.NewReader(b.bytes()), d,
				pack.Options{Bases: have, Limits: pack.Limits{MemoryBytes: memoryBytes}})
			if err != nil {
				t.Errorf("%s: %v", name, err)
				continue
			}
			if r.Appended != c.appended {
				t.Errorf("%s: %d bases appended, want %d", name, r.Appended, c.appended)
			}
			if index, _ := gitIndex(t, git.SHA1, d.data, "--strict"); !bytes.Equal(index, r.Index) {
				t.Errorf("%s: git indexes the completed pack otherwise", name)
			}
		}
	}
}
