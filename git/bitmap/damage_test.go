package bitmap_test

import (
	"bytes"
	"crypto/sha1"
	"encoding/binary"
	"errors"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/ingot-forge/ingot/git"
	"github.com/ingot-forge/ingot/git/bitmap"
)

// sample is a small stack of two packs with their files.
func sample(t testing.TB) (x *fixture, layers []bitmap.Layer, files [][]byte) {
	t.Helper()
	x = generated(t, git.SHA1, 41, 60)
	layers, tips := x.cut(rand.New(rand.NewPCG(41, 0)), 2)
	for i := range layers {
		data := x.build(mustIndex(t, x.format, layers[:i+1]), tips[i])
		files = append(files, data)
		layers[i].File = mustOpen(t, x.format, data)
	}
	return x, layers, files
}

// use opens a file for a layer and asks everything of the stack. What it answers may be wrong.
func use(layers []bitmap.Layer, layer int, data []byte) error {
	file, err := bitmap.Open(git.SHA1, data)
	if err != nil {
		return err
	}
	layers = append([]bitmap.Layer(nil), layers[:layer+1]...)
	layers[layer].File = file
	index, err := bitmap.NewIndex(git.SHA1, layers)
	if err != nil {
		return err
	}
	set := bitmap.NewSet(index.Len())
	for position := range index.Len() {
		index.Kind(position)
		index.NameHash(position)
		if ok, failed := index.Reaches(position, set); failed != nil {
			err = failed
		} else if ok && index.Len()%64 != 0 && set[len(set)-1]>>(index.Len()%64) != 0 {
			return fmt.Errorf("position %d sets bits beyond %d", position, index.Len())
		}
	}
	return err
}

func TestDamage(t *testing.T) {
	x, layers, files := sample(t)
	rng := rand.New(rand.NewPCG(1, 2))
	for layer, data := range files {
		if err := use(layers, layer, data); err != nil {
			t.Fatal(err)
		}
		for n := range data {
			if err := use(layers, layer, data[:n]); !errors.Is(err, git.ErrCorrupt) {
				t.Fatalf("layer %d, cut after %d bytes of %d: %v", layer, n, len(data), err)
			}
		}
		if err := use(layers, layer, append(bytes.Clone(data), 0)); !errors.Is(err, git.ErrCorrupt) {
			t.Errorf("a byte more: %v", err)
		}
		refused := 0
		for range 4000 {
			broken := bytes.Clone(data)
			for range 1 + rng.IntN(3) {
				broken[rng.IntN(len(data))] = [...]byte{0, 1, 0xff, byte(rng.Uint32())}[rng.IntN(4)]
			}
			if err := use(layers, layer, broken); err != nil && !errors.Is(err, git.ErrCorrupt) {
				t.Fatal(err)
			} else if err != nil {
				refused++
			}
			if bytes.Equal(broken, data) {
				continue
			}
			file, err := bitmap.Open(x.format, broken)
			if err != nil {
				continue
			}
			now := append([]bitmap.Layer(nil), layers...)
			now[layer].File = file
			if index, err := bitmap.NewIndex(x.format, now); err == nil {
				if err := index.Verify(t.Context(), x.objects); !errors.Is(err, git.ErrCorrupt) {
					t.Fatalf("layer %d: Verify returned %v", layer, err)
				}
			}
		}
		if refused < 100 {
			t.Errorf("%d of 4000 were refused", refused)
		}
	}
}

// resum mends the checksum of a file.
func resum(data []byte) []byte {
	sum := sha1.Sum(data[:len(data)-20])
	return append(bytes.Clone(data[:len(data)-20]), sum[:]...)
}

// TestVerify has files whose checksums are right.
func TestVerify(t *testing.T) {
	x, layers, files := sample(t)
	rng := rand.New(rand.NewPCG(5, 6))
	wrong, hashes, said := 0, 0, map[string]bool{}
	hashStart := len(files[1]) - 20 - 4*layers[1].Pack.Count()
	for range 600 {
		at := rng.IntN(len(files[1]) - 20)
		broken := bytes.Clone(files[1])
		broken[at] ^= 1 << rng.IntN(8)
		file, err := bitmap.Open(x.format, resum(broken))
		if err != nil {
			continue
		}
		now := append([]bitmap.Layer(nil), layers...)
		now[1].File = file
		index, err := bitmap.NewIndex(x.format, now)
		if err != nil {
			continue
		}
		err = index.Verify(t.Context(), x.objects)
		if at >= hashStart {
			hashes++
			if err != nil {
				t.Fatalf("a name hash: %v", err)
			}
			continue
		}
		if err == nil {
			// The bits may still be those of the walk: flags, sizes and the lookup table are not read.
			x.checkKinds(index)
			x.checkReaches(index)
			continue
		}
		if !errors.Is(err, git.ErrCorrupt) {
			t.Fatal(err)
		}
		wrong++
		for _, s := range []string{"is wrong about", "kinds, not", "is a ", "run of"} {
			if strings.Contains(err.Error(), s) {
				said[s] = true
			}
		}
	}
	t.Logf("%d wrong, %d with another name hash, %v", wrong, hashes, said)
	if wrong < 100 || hashes < 100 || len(said) < 2 {
		t.Errorf("%d were found wrong, %d had only another name hash, %v", wrong, hashes, said)
	}
}

func TestOtherStack(t *testing.T) {
	x, layers, _ := sample(t)
	swapped := []bitmap.Layer{layers[1], layers[0]}
	if _, err := bitmap.NewIndex(x.format, swapped); !errors.Is(err, git.ErrCorrupt) {
		t.Errorf("layers swapped: %v", err)
	}
	if _, err := bitmap.NewIndex(x.format, layers[1:]); !errors.Is(err, git.ErrCorrupt) {
		t.Errorf("the lower layer is missing: %v", err)
	}
	if _, err := bitmap.NewIndex(x.format, append(layers[:1:1], layers...)); !errors.Is(err, git.ErrCorrupt) {
		t.Errorf("one layer more below: %v", err)
	}
	if _, err := bitmap.Build(t.Context(), x.objects, x.format, mustIndex(t, x.format, layers), bitmap.BuildOptions{}); err == nil {
		t.Error("built over a file that is there")
	}
}

// TestBeyond sets a bit behind the last object.
func TestBeyond(t *testing.T) {
	x, layers, files := sample(t)
	n := layers[0].Pack.Count()
	if n%64 == 0 {
		t.Fatal("no room behind the last object")
	}
	// One entry of one literal word at the end.
	words := [][]byte{be64(uint64(n/64)<<1 | 1<<33), be64(1 << (n % 64))}
	kinds := bytes.Repeat([]byte{0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0}, 4)
	data := append([]byte("BITM\x00\x01\x00\x01\x00\x00\x00\x01"), layers[0].Pack.PackChecksum()...)
	data = append(data, kinds...)
	data = append(data, 0, 0, 0, 0, 0, 0)
	data = append(data, 0, 0, 0, 0, 0, 0, 0, 2)
	data = append(append(append(data, words[0]...), words[1]...), 0, 0, 0, 0)
	data = resum(append(data, make([]byte, 20)...))
	layers[0].File = mustOpen(t, x.format, data)
	index := mustIndex(t, x.format, layers[:1])
	position, ok := index.Find(layers[0].Pack.ID(0))
	if !ok || !index.Has(position) {
		t.Fatal("no entry")
	}
	if _, err := index.Reaches(position, bitmap.NewSet(n)); !errors.Is(err, git.ErrCorrupt) {
		t.Errorf("%v", err)
	}
	_ = files
}

func be64(v uint64) []byte { return binary.BigEndian.AppendUint64(nil, v) }

// TestTwoKinds has a tree that names a commit, a tree and a tag as files.
func TestTwoKinds(t *testing.T) {
	f := git.SHA1
	for _, name := range []string{"main~3", "main~3^{tree}", "v0"} {
		x := generated(t, f, 51, 30)
		victim := x.ids(x.git("rev-parse", name))[0]
		tree := git.AppendTree(f, nil, []git.Entry{{Mode: git.ModeBlob, Name: "file", ID: victim}})
		id := stockGit(t, x.dir, bytes.NewReader(tree), "hash-object", "--literally", "-w", "-t", "tree", "--stdin")
		commit := x.git("commit-tree", "-m", "m", strings.TrimSpace(string(id)))
		x.git("update-ref", "refs/heads/hostile", strings.TrimSpace(string(commit)))
		x.load()
		file := t.TempDir() + "/p"
		var list strings.Builder
		for id := range x.objects {
			fmt.Fprintln(&list, f.Hex(id))
		}
		sum := stockGit(t, x.dir, strings.NewReader(list.String()), "pack-objects", "-q", file)
		layer := x.layer(file + "-" + strings.TrimSpace(string(sum)))
		_, err := bitmap.Build(t.Context(), x.objects, f, mustIndex(t, f, []bitmap.Layer{layer}),
			bitmap.BuildOptions{Tips: x.tips()})
		if !errors.Is(err, git.ErrCorrupt) || !strings.Contains(err.Error(), victim.String()) {
			t.Errorf("%s named as a blob: %v", name, err)
		}
	}
}

func FuzzOpen(f *testing.F) {
	_, layers, files := sample(f)
	for layer, data := range files {
		f.Add(layer == 1, data)
	}
	f.Fuzz(func(t *testing.T, upper bool, data []byte) {
		layer := 0
		if upper {
			layer = 1
		}
		if err := use(layers, layer, data); err != nil && !errors.Is(err, git.ErrCorrupt) {
			t.Fatal(err)
		}
	})
}
