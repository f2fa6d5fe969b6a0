package pack_test

import (
	"bytes"
	"context"
	"crypto/sha1"
	"errors"
	"fmt"
	"hash/crc32"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/ingot-forge/ingot/git"
	"github.com/ingot-forge/ingot/git/pack"
)

func crcOf(p []byte) uint32 { return crc32.ChecksumIEEE(p) }

// resum makes the trailer of a pack right.
func resum(p []byte) {
	sum := sha1.Sum(p[:len(p)-20])
	copy(p[len(p)-20:], sum[:])
}

// writePack writes objects whole, and the index.
func writePack(t testing.TB, f git.Format, objects []object) (data, index []byte) {
	t.Helper()
	var out bytes.Buffer
	w, err := pack.NewWriter(&out, f, len(objects))
	if err != nil {
		t.Fatal(err)
	}
	h := git.NewHasher(f)
	var entries []pack.IndexEntry
	for _, o := range objects {
		id, err := h.Hash(o.kind, o.data)
		if err != nil {
			t.Fatal(err)
		}
		entries = append(entries, pack.IndexEntry{ID: id, Offset: w.Offset()})
		if err := w.Object(o.kind, o.data); err != nil {
			t.Fatal(err)
		}
	}
	end := w.Offset()
	sum, err := w.Close()
	if err != nil {
		t.Fatal(err)
	}
	data = out.Bytes()
	for i := range entries {
		to := end
		if i+1 < len(entries) {
			to = entries[i+1].Offset
		}
		entries[i].CRC = crcOf(data[entries[i].Offset:to])
	}
	return data, pack.AppendIndex(f, nil, entries, sum)
}

// gitTakes has git index a pack in a new repository and check it in every way it
// knows; it returns git's index.
func gitTakes(t *testing.T, f git.Format, data []byte) []byte {
	t.Helper()
	dir := t.TempDir()
	stockGit(t, dir, nil, "init", "-q", "--bare", "--object-format="+f.String())
	file := filepath.Join(dir, "objects/pack/pack-1.pack")
	if err := os.WriteFile(file, data, 0o666); err != nil {
		t.Fatal(err)
	}
	stockGit(t, dir, nil, "index-pack", "--strict", file)
	stockGit(t, dir, nil, "verify-pack", "-v", file)
	stockGit(t, dir, nil, "fsck", "--full", "--strict", "--no-dangling")
	index, err := os.ReadFile(strings.TrimSuffix(file, ".pack") + ".idx")
	if err != nil {
		t.Fatal(err)
	}
	return index
}

func TestObjectsWrittenAreTakenByGit(t *testing.T) {
	for _, f := range []git.Format{git.SHA1, git.SHA256} {
		x := newFixture(t, f, 10)
		var objects []object
		for _, o := range x.objects {
			objects = append(objects, o)
		}
		data, index := writePack(t, f, objects)
		if !bytes.Equal(gitTakes(t, f, data), index) {
			t.Errorf("%s: index differs from git's", f)
		}
	}
	data, index := writePack(t, git.SHA1, nil)
	if p, err := open(git.SHA1, data, index, 0, nil); err != nil {
		t.Error(err)
	} else if err := p.Verify(context.Background(), nil, nil); err != nil {
		t.Errorf("empty pack: %v", err)
	}
}

// repack copies a pack entry by entry. deltas says how deltas are written: as
// they were, all by offset, or all by id.
func repack(t *testing.T, x *fixture, view int, deltas string) (data, index []byte) {
	t.Helper()
	ctx := context.Background()
	p := x.mustOpen(t, view, nil)
	n := p.Index().Count()
	var out bytes.Buffer
	w, err := pack.NewWriter(&out, x.format, n)
	if err != nil {
		t.Fatal(err)
	}
	written := make(map[int64]int64) // offset there, by offset here
	entries := make([]pack.IndexEntry, 0, n)
	for offset := int64(12); len(entries) < n; {
		at, err := p.At(offset)
		if err != nil {
			t.Fatal(err)
		}
		e, err := p.Entry(ctx, at)
		if err != nil {
			t.Fatal(err)
		}
		start := w.Offset()
		entries = append(entries, pack.IndexEntry{ID: p.Index().ID(at), Offset: start})
		written[offset] = start
		offset = e.End
		if !e.Kind.IsDelta() {
			err = w.Copy(ctx, p, e)
		} else {
			base, id := e.Base, e.BaseID
			var place int
			if e.Kind == pack.RefDelta {
				var ok bool
				if place, ok = p.Index().Find(id); !ok {
					t.Fatalf("no base %s", id)
				}
				base = p.Index().Offset(place)
			} else if place, err = p.At(base); err != nil {
				t.Fatal(err)
			}
			to, ok := written[base]
			if deltas == "ref" || deltas == "same" && e.Kind == pack.RefDelta || !ok {
				to = -1
			}
			err = w.CopyDelta(ctx, p, e, to, p.Index().ID(place))
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	end := w.Offset()
	sum, err := w.Close()
	if err != nil {
		t.Fatal(err)
	}
	data = out.Bytes()
	for i := range entries {
		to := end
		if i+1 < n {
			to = entries[i+1].Offset
		}
		entries[i].CRC = crcOf(data[entries[i].Offset:to])
	}
	return data, pack.AppendIndex(x.format, nil, entries, sum)
}

func TestRepackEntryByEntry(t *testing.T) {
	for _, f := range []git.Format{git.SHA1, git.SHA256} {
		for _, config := range []string{"repack.useDeltaBaseOffset=true", "repack.useDeltaBaseOffset=false"} {
			x := newFixture(t, f, 40, config)
			if same, _ := repack(t, x, 100, "same"); !bytes.Equal(same, x.pack) {
				t.Errorf("%s, %s: the copy is not the same, byte for byte", f, config)
			}
			for _, deltas := range []string{"ofs", "ref"} {
				data, index := repack(t, x, 0, deltas)
				if !bytes.Equal(gitTakes(t, f, data), index) {
					t.Errorf("%s, %s, %s: index differs from git's", f, config, deltas)
				}
				p, err := open(f, data, index, 0, nil)
				if err != nil {
					t.Fatal(err)
				}
				if err := p.Verify(context.Background(), nil, nil); err != nil {
					t.Errorf("%s, %s, %s: %v", f, config, deltas, err)
				}
			}
		}
	}
}

// Deltas that we make go into a pack by offset and by id, and into a thin pack,
// and git takes them all.
func TestOwnDeltasAreTakenByGit(t *testing.T) {
	x := newFixture(t, git.SHA1, 30)
	versions := make([]object, 0, len(x.objects))
	ids := make([]git.ID, 0, len(x.objects))
	for id, o := range x.objects {
		if o.kind == git.KindBlob && len(o.data) > 0 {
			versions, ids = append(versions, o), append(ids, id)
		}
	}
	var out bytes.Buffer
	w, err := pack.NewWriter(&out, git.SHA1, len(versions))
	if err != nil {
		t.Fatal(err)
	}
	base, baseAt := 0, int64(0)
	for i, o := range versions {
		at := w.Offset()
		if i%8 == 0 { // every eighth is whole, the others are deltas of it
			base, baseAt = i, at
			err = w.Object(o.kind, o.data)
		} else {
			delta := pack.NewDeltaIndex(versions[base].data).Create(nil, o.data, 0)
			if i%2 == 0 {
				err = w.Delta(delta, baseAt, git.ID{})
			} else {
				err = w.Delta(delta, -1, ids[base])
			}
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	if _, err := w.Close(); err != nil {
		t.Fatal(err)
	}
	gitTakes(t, git.SHA1, out.Bytes())

	out.Reset()
	if w, err = pack.NewWriter(&out, git.SHA1, 1); err != nil {
		t.Fatal(err)
	}
	target := append(bytes.Clone(versions[0].data), "and more"...)
	if err := w.Delta(pack.NewDeltaIndex(versions[0].data).Create(nil, target, 0), -1, ids[0]); err != nil {
		t.Fatal(err)
	}
	if _, err := w.Close(); err != nil {
		t.Fatal(err)
	}
	stockGit(t, x.dir, &out, "index-pack", "--stdin", "--fix-thin", "--strict")
	id, err := git.NewHasher(git.SHA1).Hash(git.KindBlob, target)
	if err != nil {
		t.Fatal(err)
	}
	if got := stockGit(t, x.dir, nil, "cat-file", "blob", git.SHA1.Hex(id)); !bytes.Equal(got, target) {
		t.Error("git makes something else of the thin pack")
	}
}

func TestWriterRefuses(t *testing.T) {
	ctx := context.Background()
	x := newFixture(t, git.SHA1, 20)
	p := x.mustOpen(t, 0, nil)
	var whole, delta pack.Entry
	for at := range p.Index().Count() {
		e, err := p.Entry(ctx, at)
		if err != nil {
			t.Fatal(err)
		}
		if e.Kind.IsDelta() {
			delta = e
		} else {
			whole = e
		}
	}
	wrongCRC := whole
	wrongCRC.CRC++
	for name, do := range map[string]func(w *pack.Writer) error{
		"too many":           func(w *pack.Writer) error { w.Object(git.KindBlob, nil); return w.Object(git.KindBlob, nil) },
		"too few":            func(w *pack.Writer) error { return nil },
		"delta as whole":     func(w *pack.Writer) error { return w.Copy(ctx, p, delta) },
		"whole as delta":     func(w *pack.Writer) error { return w.CopyDelta(ctx, p, whole, 12, git.ID{}) },
		"base in the header": func(w *pack.Writer) error { return w.CopyDelta(ctx, p, delta, 11, git.ID{}) },
		"base to come":       func(w *pack.Writer) error { return w.CopyDelta(ctx, p, delta, w.Offset(), git.ID{}) },
		"damaged source":     func(w *pack.Writer) error { return w.Copy(ctx, p, wrongCRC) },
	} {
		w, err := pack.NewWriter(new(bytes.Buffer), git.SHA1, 1)
		if err != nil {
			t.Fatal(err)
		}
		err = do(w)
		_, closeErr := w.Close()
		if closeErr == nil || err == nil && name != "too few" {
			t.Errorf("%s: %v, then closed with %v", name, err, closeErr)
		}
		if name == "damaged source" && !errors.Is(err, git.ErrCorrupt) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, err := pack.NewWriter(new(bytes.Buffer), git.SHA1, -1); err == nil {
		t.Error("a pack of -1 objects")
	}
}

// failing fails the nth write.
type failing struct{ n int }

func (f *failing) Write(p []byte) (int, error) {
	if f.n--; f.n < 0 {
		return 0, errors.New("disk full")
	}
	return len(p), nil
}

func TestWriterReportsFailedWrites(t *testing.T) {
	noise := make([]byte, 200_000)
	rng := rand.New(rand.NewPCG(1, 1))
	for i := range noise {
		noise[i] = byte(rng.Uint32())
	}
	for n := range 4 {
		w, err := pack.NewWriter(&failing{n}, git.SHA1, 2)
		if err != nil {
			t.Fatal(err)
		}
		w.Object(git.KindBlob, noise)
		w.Object(git.KindBlob, []byte("x"))
		if _, err := w.Close(); err == nil || err.Error() != "disk full" {
			t.Errorf("write %d: %v", n, err)
		}
	}
}

func ExampleWriter() {
	var out bytes.Buffer
	w, err := pack.NewWriter(&out, git.SHA1, 2)
	if err != nil {
		panic(err)
	}
	content := []byte("hello, hello, hello, hello, hello\n")
	base := w.Offset()
	if err := w.Object(git.KindBlob, content); err != nil {
		panic(err)
	}
	changed := append([]byte("oh "), content...)
	delta := pack.NewDeltaIndex(content).Create(nil, changed, 0)
	if err := w.Delta(delta, base, git.ID{}); err != nil {
		panic(err)
	}
	sum, err := w.Close()
	if err != nil {
		panic(err)
	}
	fmt.Printf("checksum of %d bytes, delta of %d for %d\n", len(sum), len(delta), len(changed))

	again, err := pack.ApplyDelta(nil, content, delta, 1000)
	fmt.Printf("%s%v\n", again, err)
	// Output:
	// checksum of 20 bytes, delta of 8 for 37
	// oh hello, hello, hello, hello, hello
	// <nil>
}
