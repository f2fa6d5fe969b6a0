package pack_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/iotest"
	"testing/synctest"

	"github.com/ingot-forge/ingot/git"
	"github.com/ingot-forge/ingot/git/pack"
)

// draft is a pack.Draft in memory.
type draft struct {
	mu   sync.RWMutex
	data []byte
}

func (d *draft) Write(p []byte) (int, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.data = append(d.data, p...)
	return len(p), nil
}

func (d *draft) ReadAt(p []byte, off int64) (int, error) {
	d.mu.RLock()
	defer d.mu.RUnlock()
	return bytes.NewReader(d.data).ReadAt(p, off)
}

func (d *draft) WriteAt(p []byte, off int64) (int, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if off < 0 || off+int64(len(p)) > int64(len(d.data)) {
		return 0, errors.New("overwrites what was not written")
	}
	return copy(d.data[off:], p), nil
}

// pieces reads n bytes at a time.
type pieces struct {
	r io.Reader
	n int
}

func (p pieces) Read(b []byte) (int, error) { return p.r.Read(b[:min(len(b), p.n)]) }

// visits collects what Visit sees.
type visits struct {
	mu   sync.Mutex
	seen map[git.ID]object
	nils int // blobs that came without content
	twin bool
}

func (v *visits) visit(id git.ID, kind git.Kind, size int64, data []byte) error {
	v.mu.Lock()
	defer v.mu.Unlock()
	if v.seen == nil {
		v.seen = make(map[git.ID]object)
	}
	if _, ok := v.seen[id]; ok {
		v.twin = true
	}
	switch {
	case data == nil && kind == git.KindBlob && size >= pack.StreamBytes:
		v.nils++
	case int64(len(data)) != size:
		return errors.New("size is not that of the content")
	}
	v.seen[id] = object{kind, bytes.Clone(data)}
	return nil
}

// gitIndex lets git index a pack that arrives on stdin, and returns idx and pack.
func gitIndex(t testing.TB, f git.Format, data []byte, args ...string) (index, stored []byte) {
	t.Helper()
	dir := t.TempDir()
	stockGit(t, dir, nil, "init", "-q", "--bare", "--object-format="+f.String())
	stockGit(t, dir, bytes.NewReader(data), append([]string{"index-pack", "--stdin"}, args...)...)
	return onlyPack(t, dir)
}

func onlyPack(t testing.TB, dir string) (index, stored []byte) {
	t.Helper()
	found, err := filepath.Glob(filepath.Join(dir, "objects/pack/*.idx"))
	if err != nil || len(found) != 1 {
		t.Fatalf("indexes: %v, %v", found, err)
	}
	if index, err = os.ReadFile(found[0]); err != nil {
		t.Fatal(err)
	}
	if stored, err = os.ReadFile(strings.TrimSuffix(found[0], "idx") + "pack"); err != nil {
		t.Fatal(err)
	}
	return index, stored
}

// packObjects makes a pack of everything in a repository.
func packObjects(t testing.TB, dir string, args ...string) []byte {
	t.Helper()
	return stockGit(t, dir, nil, append([]string{"pack-objects", "--all", "--stdout", "-q"}, args...)...)
}

// receivable are packs that git made, in as many ways as it makes them.
func receivable(t *testing.T) map[string]struct {
	format git.Format
	pack   []byte
} {
	t.Helper()
	packs := make(map[string]struct {
		format git.Format
		pack   []byte
	})
	for _, f := range []git.Format{git.SHA1, git.SHA256} {
		x := newFixture(t, f, 60)
		large := bytes.Repeat([]byte("a large file has many lines like this one\n"), pack.StreamBytes/40)
		stockGit(t, x.dir, bytes.NewReader(large), "update-ref", "refs/tags/large",
			strings.TrimSpace(string(stockGit(t, x.dir, bytes.NewReader(large), "hash-object", "-w", "--stdin"))))
		for name, args := range map[string][]string{
			"ofs":   {"--delta-base-offset"},
			"ref":   {"--no-reuse-delta"},
			"deep":  {"--delta-base-offset", "--no-reuse-delta", "--depth=200", "--window=200"},
			"whole": {"--no-reuse-delta", "--depth=0"},
			"fast":  {"--delta-base-offset", "--compression=0", "--no-reuse-object"},
		} {
			packs[f.String()+" "+name] = struct {
				format git.Format
				pack   []byte
			}{f, packObjects(t, x.dir, args...)}
		}
	}
	return packs
}

func TestReceiveEqualsIndexPack(t *testing.T) {
	for name, x := range receivable(t) {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			want, _ := gitIndex(t, x.format, x.pack, "--strict")
			for _, size := range []int{1, 7, 4096, 1 << 30} {
				var v visits
				d := new(draft)
				r, err := pack.Receive(t.Context(), pieces{bytes.NewReader(x.pack), size}, d,
					pack.Options{Format: x.format, Visit: v.visit})
				if err != nil {
					t.Fatalf("in pieces of %d: %v", size, err)
				}
				if !bytes.Equal(r.Index, want) {
					t.Fatalf("in pieces of %d: index differs from git's", size)
				}
				if !bytes.Equal(d.data, x.pack) {
					t.Fatalf("in pieces of %d: stored pack is not what came", size)
				}
				if r.Objects != len(v.seen) || v.twin || r.Appended != 0 || r.Bytes != int64(len(x.pack)) {
					t.Errorf("in pieces of %d: %d objects, %d appended, %d bytes, %d visited (one twice: %v)",
						size, r.Objects, r.Appended, r.Bytes, len(v.seen), v.twin)
				}
				if v.nils != 1 {
					t.Errorf("%d blobs came without content, want the one that is large", v.nils)
				}
				if !bytes.HasSuffix(x.pack, r.Checksum) {
					t.Errorf("checksum %x is not the trailer", r.Checksum)
				}
			}
		})
	}
}

// Whatever memory there is, and however many workers, the result is the same.
func TestReceiveWithinMemory(t *testing.T) {
	x := newFixture(t, git.SHA1, 120)
	for _, config := range [][]string{{"--delta-base-offset"}, {}} {
		data := packObjects(t, x.dir, append(config, "--no-reuse-delta", "--depth=100")...)
		want, _ := gitIndex(t, git.SHA1, data)
		for _, memory := range []int64{1, 100_000, 1 << 20, 1 << 30} {
			for _, workers := range []int{1, 2, 7} {
				var v visits
				r, err := pack.Receive(t.Context(), bytes.NewReader(data), new(draft),
					pack.Options{Visit: v.visit, Workers: workers, Limits: pack.Limits{MemoryBytes: memory}})
				if err != nil {
					t.Fatalf("%d bytes, %d workers: %v", memory, workers, err)
				}
				if !bytes.Equal(r.Index, want) {
					t.Errorf("%d bytes, %d workers: index differs from git's", memory, workers)
				}
				for id, o := range v.seen {
					if w := x.objects[id]; w.kind != o.kind || !bytes.Equal(w.data, o.data) {
						t.Fatalf("%d bytes, %d workers: visited %v %s with other content than git has",
							memory, workers, o.kind, id)
					}
				}
			}
		}
	}
}

func TestReceiveNothing(t *testing.T) {
	for _, f := range []git.Format{git.SHA1, git.SHA256} {
		empty := newBuilder(f).bytes()
		d := new(draft)
		r, err := pack.Receive(t.Context(), bytes.NewReader(empty), d, pack.Options{Format: f})
		if err != nil {
			t.Fatal(err)
		}
		want, _ := gitIndex(t, f, empty)
		if r.Objects != 0 || !bytes.Equal(d.data, empty) || !bytes.Equal(r.Index, want) {
			t.Errorf("%v: %d objects, stored %x, index %x", f, r.Objects, d.data, r.Index)
		}
	}
}

// Over SSH nothing ends the stream behind a pack: the client waits for the report.
func TestReceiveDoesNotWaitForMore(t *testing.T) {
	x := newFixture(t, git.SHA1, 20)
	for _, size := range []int{1, 1000, 1 << 20} {
		synctest.Test(t, func(t *testing.T) {
			r, w := io.Pipe()
			defer w.Close()
			go io.Copy(w, pieces{bytes.NewReader(x.pack), size}) // and leaves the pipe open
			if _, err := pack.Receive(t.Context(), r, new(draft), pack.Options{}); err != nil {
				t.Error(err)
			}
		})
	}
}

func TestReceiveRefusesGarbageBehind(t *testing.T) {
	x := newFixture(t, git.SHA1, 5)
	err := receiveError(t, append(bytes.Clone(x.pack), 0), pack.Options{})
	if !errors.Is(err, git.ErrCorrupt) || !strings.Contains(err.Error(), "garbage") {
		t.Errorf("a byte behind the trailer: %v", err)
	}
}

// receiveError receives what must fail, in a bubble where a goroutine left
// behind or waiting forever fails the test.
func receiveError(t *testing.T, data []byte, o pack.Options) (err error) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		_, err = pack.Receive(t.Context(), bytes.NewReader(data), new(draft), o)
	})
	if err == nil {
		t.Error("received without error")
	}
	return err
}

func TestReceiveTruncated(t *testing.T) {
	x := newFixture(t, git.SHA1, 20)
	for _, args := range [][]string{{"--delta-base-offset"}, {}} {
		data := packObjects(t, x.dir, args...)
		for n := 0; n < len(data); n += 1 + n/7 + len(data)/200 {
			if err := receiveError(t, data[:n], pack.Options{}); !errors.Is(err, git.ErrCorrupt) {
				t.Fatalf("first %d of %d bytes: %v", n, len(data), err)
			}
		}
		for n := len(data) - 25; n < len(data); n++ {
			if err := receiveError(t, data[:n], pack.Options{}); !errors.Is(err, git.ErrCorrupt) {
				t.Fatalf("first %d of %d bytes: %v", n, len(data), err)
			}
		}
	}
}

func TestReceiveFlipped(t *testing.T) {
	x := newFixture(t, git.SHA1, 20)
	for _, args := range [][]string{{"--delta-base-offset"}, {}} {
		data := packObjects(t, x.dir, args...)
		for n := 0; n < len(data); n += 1 + n/50 {
			bad := bytes.Clone(data)
			bad[n] ^= 1 << (n % 8)
			if receiveError(t, bad, pack.Options{}) == nil {
				t.Fatalf("byte %d of %d changed unnoticed", n, len(data))
			}
		}
	}
}

func TestReceivePassesErrorsOn(t *testing.T) {
	x := newFixture(t, git.SHA1, 20)
	mine := errors.New("mine")
	half := io.MultiReader(bytes.NewReader(x.pack[:len(x.pack)/2]), iotest.ErrReader(mine))
	synctest.Test(t, func(t *testing.T) {
		if _, err := pack.Receive(t.Context(), half, new(draft), pack.Options{}); !errors.Is(err, mine) {
			t.Errorf("reader fails: %v", err)
		}
		full := &failingDraft{left: len(x.pack) / 3, err: mine}
		if _, err := pack.Receive(t.Context(), bytes.NewReader(x.pack), full, pack.Options{}); !errors.Is(err, mine) {
			t.Errorf("draft fails: %v", err)
		}
	})
	for nth := 1; nth < len(x.objects); nth += 1 + nth/3 {
		var mu sync.Mutex
		n := 0
		err := receiveError(t, x.pack, pack.Options{Visit: func(git.ID, git.Kind, int64, []byte) error {
			mu.Lock()
			defer mu.Unlock()
			if n++; n == nth {
				return mine
			}
			return nil
		}})
		if !errors.Is(err, mine) {
			t.Errorf("visit of object %d fails: %v", nth, err)
		}
	}
}

// failingDraft is a draft that takes left bytes.
type failingDraft struct {
	draft
	left int
	err  error
}

func (f *failingDraft) Write(p []byte) (int, error) {
	if f.left -= len(p); f.left < 0 {
		return 0, f.err
	}
	return f.draft.Write(p)
}

func TestReceiveCancelled(t *testing.T) {
	x := newFixture(t, git.SHA1, 20)
	for nth := 1; nth < len(x.objects); nth += 1 + nth/3 {
		ctx, cancel := context.WithCancel(t.Context())
		var mu sync.Mutex
		n := 0
		synctest.Test(t, func(t *testing.T) {
			_, err := pack.Receive(ctx, bytes.NewReader(x.pack), new(draft), pack.Options{
				Workers: 1,
				Visit: func(git.ID, git.Kind, int64, []byte) error {
					mu.Lock()
					defer mu.Unlock()
					if n++; n == nth {
						cancel()
					}
					return nil
				},
			})
			// With a last batch under way there may be nothing left to cancel.
			if err != nil && !errors.Is(err, context.Canceled) || err == nil && n < len(x.objects) {
				t.Errorf("cancelled at object %d of %d: %v", nth, len(x.objects), err)
			}
		})
		cancel()
	}
}

func TestReceiveProgress(t *testing.T) {
	const n = 5000
	b := newBuilder(git.SHA1)
	for i := range n {
		data := fmt.Sprintf("blob %5d", i)
		b.ofs(b.whole(git.KindBlob, data), deltaOf(10, 11, copyOp(0, 10), insertOp("x")))
	}
	data := b.bytes()
	var all []pack.Progress
	_, err := pack.Receive(t.Context(), bytes.NewReader(data), new(draft),
		pack.Options{Progress: func(p pack.Progress) { all = append(all, p) }})
	if err != nil {
		t.Fatal(err)
	}
	if !slices.Contains(all, pack.Progress{Done: 2 * n, Total: 2 * n, Bytes: int64(len(data))}) {
		t.Errorf("never heard that all of %d objects came: %v", 2*n, all)
	}
	if last := all[len(all)-1]; !last.Resolving || last.Done != n || last.Total != n {
		t.Errorf("last heard of %+v", last)
	}
	if len(all) < 10 || len(all) > 20 {
		t.Errorf("heard %d times of %d objects", len(all), 2*n)
	}
}
