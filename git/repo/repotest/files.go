// Package repotest has the conformance suites of the ports of git/repo. Every
// adapter runs them; each test is a sentence of the contracts in ports.go.
package repotest

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/ingot-forge/ingot/git/repo"
)

// TestFiles runs the suite of repo.Files. open makes a new, empty one and ends
// it by t.Cleanup.
func TestFiles(t *testing.T, open func(t *testing.T) repo.Files) {
	tests := []struct {
		name string
		run  func(t *testing.T, f repo.Files)
	}{
		{"a draft is invisible until it is published", draftInvisible},
		{"content comes back as written", contentRoundTrip},
		{"an empty file is a file", emptyFile},
		{"a draft can be read and mended before it is published", draftMended},
		{"reading a draft beside writing it", draftReadBesideWrite},
		{"a discarded draft leaves nothing", draftDiscarded},
		{"a name is published once", publishedOnce},
		{"of many publishing one name one wins", publishRace},
		{"a missing file is ErrNoFile", missingFile},
		{"a deleted file stays readable while open", deletedWhileOpen},
		{"a deleted name can be published again", republish},
		{"list is ordered, by prefix, and stops", listing},
		{"list visits while files are deleted", listDeleting},
		{"bad names are refused everywhere", badNames},
		{"old drafts are swept", draftsSwept},
		{"views from many goroutines", parallelViews},
		{"a done context changes nothing", filesContext},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) { test.run(t, open(t)) })
	}
}

// write makes a draft of data and returns it, not yet published.
func write(t *testing.T, f repo.Files, data []byte) repo.Draft {
	t.Helper()
	d, err := f.Draft(t.Context())
	if err != nil {
		t.Fatalf("Draft: %v", err)
	}
	if n, err := d.Write(data); n != len(data) || err != nil {
		t.Fatalf("Write of %d bytes = %d, %v", len(data), n, err)
	}
	return d
}

func publish(t *testing.T, f repo.Files, name string, data []byte) {
	t.Helper()
	if err := write(t, f, data).Publish(t.Context(), name); err != nil {
		t.Fatalf("Publish %s: %v", name, err)
	}
}

// read returns a file's content, a view at a time.
func read(t *testing.T, f repo.Files, name string) []byte {
	t.Helper()
	file, err := f.Open(t.Context(), name)
	if err != nil {
		t.Fatalf("Open %s: %v", name, err)
	}
	defer file.Close()
	return readOpen(t, file, 1<<16)
}

func readOpen(t *testing.T, file repo.File, step int) []byte {
	t.Helper()
	var data []byte
	for {
		v, err := file.View(t.Context(), int64(len(data)), step)
		if err == io.EOF {
			break
		}
		if err != nil || len(v) == 0 || len(v) > step {
			t.Fatalf("View(%d, %d) = %d bytes, %v", len(data), step, len(v), err)
		}
		data = append(data, v...)
	}
	if int64(len(data)) != file.Size() {
		t.Fatalf("views end after %d bytes, Size() = %d", len(data), file.Size())
	}
	return data
}

func list(t *testing.T, f repo.Files, prefix string) (names []string) {
	t.Helper()
	err := f.List(t.Context(), prefix, func(i repo.FileInfo) bool {
		names = append(names, i.Name)
		return true
	})
	if err != nil {
		t.Fatalf("List %q: %v", prefix, err)
	}
	return names
}

// noise returns n bytes that look like nothing.
func noise(seed uint64, n int) []byte {
	rng := rand.NewChaCha8([32]byte{byte(seed), byte(seed >> 8)})
	b := make([]byte, n)
	rng.Read(b)
	return b
}

func draftInvisible(t *testing.T, f repo.Files) {
	d := write(t, f, []byte("content"))
	if names := list(t, f, ""); len(names) != 0 {
		t.Errorf("a draft is listed: %q", names)
	}
	if _, err := f.Open(t.Context(), "packs/aa/x.pack"); !errors.Is(err, repo.ErrNoFile) {
		t.Errorf("Open before Publish = %v, want ErrNoFile", err)
	}
	before := time.Now()
	if err := d.Publish(t.Context(), "packs/aa/x.pack"); err != nil {
		t.Fatal(err)
	}
	if err := d.Discard(); err != nil {
		t.Errorf("Discard after Publish = %v", err)
	}
	if got := read(t, f, "packs/aa/x.pack"); string(got) != "content" {
		t.Errorf("content = %q", got)
	}
	err := f.List(t.Context(), "", func(i repo.FileInfo) bool {
		const slack = 5 * time.Second // coarse file systems, other machines' clocks
		if i.Name != "packs/aa/x.pack" || i.Bytes != 7 ||
			i.Modified.Before(before.Add(-slack)) || i.Modified.After(time.Now().Add(slack)) {
			t.Errorf("listed as %+v, published after %v", i, before)
		}
		return true
	})
	if err != nil {
		t.Error(err)
	}
}

func contentRoundTrip(t *testing.T, f repo.Files) {
	want := noise(1, 3<<20+17)
	d, err := f.Draft(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	rng := rand.New(rand.NewPCG(1, 2))
	for rest := want; len(rest) > 0; {
		n := min(len(rest), 1+rng.IntN(100_000))
		if m, err := d.Write(rest[:n]); m != n || err != nil {
			t.Fatalf("Write = %d, %v, want %d", m, err, n)
		}
		rest = rest[n:]
	}
	if err := d.Publish(t.Context(), "big"); err != nil {
		t.Fatal(err)
	}
	file, err := f.Open(t.Context(), "big")
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	for _, step := range []int{1 << 12, 1<<20 + 1, 1 << 30} {
		if !bytes.Equal(readOpen(t, file, step), want) {
			t.Errorf("content differs, read %d bytes at a time", step)
		}
	}
	for range 200 { // anywhere, not only where a view before ended
		off, n := rng.Int64N(int64(len(want))), 1+rng.IntN(1<<17)
		v, err := file.View(t.Context(), off, n)
		if err != nil || len(v) == 0 || len(v) > n || !bytes.Equal(v, want[off:off+int64(len(v))]) {
			t.Fatalf("View(%d, %d) = %d bytes, %v, or they differ", off, n, len(v), err)
		}
	}
	for _, off := range []int64{file.Size(), file.Size() + 1, 1 << 50} {
		if v, err := file.View(t.Context(), off, 10); err != io.EOF || len(v) != 0 {
			t.Errorf("View at %d = %d bytes, %v, want io.EOF", off, len(v), err)
		}
	}
}

func emptyFile(t *testing.T, f repo.Files) {
	publish(t, f, "empty", nil)
	if got := read(t, f, "empty"); len(got) != 0 {
		t.Errorf("content = %q", got)
	}
	if names := list(t, f, "empty"); !slices.Equal(names, []string{"empty"}) {
		t.Errorf("listed: %q", names)
	}
}

func draftMended(t *testing.T, f repo.Files) {
	d := write(t, f, []byte("PACK....0000 body "))
	if n, err := d.WriteAt([]byte("1234"), 8); n != 4 || err != nil {
		t.Fatalf("WriteAt = %d, %v", n, err)
	}
	if _, err := d.Write([]byte("more")); err != nil {
		t.Fatalf("Write after WriteAt: %v", err)
	}
	if _, err := d.WriteAt([]byte("past"), 19); err == nil {
		t.Error("WriteAt past the end succeeded")
	}
	const want = "PACK....1234 body more"
	got := make([]byte, len(want))
	if n, err := d.ReadAt(got, 0); n != len(got) || (err != nil && err != io.EOF) || string(got) != want {
		t.Errorf("ReadAt = %d, %v, %q", n, err, got)
	}
	if n, err := d.ReadAt(got[:4], 8); n != 4 || err != nil || string(got[:4]) != "1234" {
		t.Errorf("ReadAt in the middle = %d, %v, %q", n, err, got[:4])
	}
	if n, err := d.ReadAt(got, int64(len(want)-4)); n != 4 || err != io.EOF {
		t.Errorf("ReadAt across the end = %d, %v, want 4, io.EOF", n, err)
	}
	if err := d.Publish(t.Context(), "mended"); err != nil {
		t.Fatal(err)
	}
	if got := read(t, f, "mended"); string(got) != want {
		t.Errorf("published %q", got)
	}
}

func draftReadBesideWrite(t *testing.T, f repo.Files) {
	want := noise(2, 1<<20)
	d, err := f.Draft(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	written := make(chan int, 1)
	var wg sync.WaitGroup
	wg.Go(func() {
		defer close(written)
		for n := 0; n < len(want); n += 1 << 12 {
			if _, err := d.Write(want[n : n+1<<12]); err != nil {
				t.Errorf("Write: %v", err)
				return
			}
			select { // the reader hears of some of the writes
			case written <- n + 1<<12:
			default:
			}
		}
	})
	rng := rand.New(rand.NewPCG(3, 4))
	got := make([]byte, 1<<12)
	for size := range written {
		for range 4 {
			off := rng.IntN(size)
			p := got[:min(len(got), size-off)]
			if n, err := d.ReadAt(p, int64(off)); n != len(p) || (err != nil && err != io.EOF) ||
				!bytes.Equal(p, want[off:off+n]) {
				t.Fatalf("ReadAt(%d bytes at %d) of %d written = %d, %v, or they differ", len(p), off, size, n, err)
			}
		}
	}
	wg.Wait()
	if err := d.Publish(t.Context(), "both"); err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(read(t, f, "both"), want) {
		t.Error("content differs")
	}
}

func draftDiscarded(t *testing.T, f repo.Files) {
	d := write(t, f, []byte("gone"))
	if err := d.Discard(); err != nil {
		t.Fatal(err)
	}
	if err := d.Publish(t.Context(), "gone"); err == nil {
		t.Error("Publish after Discard succeeded")
	}
	if names := list(t, f, ""); len(names) != 0 {
		t.Errorf("listed: %q", names)
	}
	if n, err := f.SweepDrafts(t.Context(), time.Now().Add(time.Hour)); n != 0 || err != nil {
		t.Errorf("SweepDrafts = %d, %v: discarding left something", n, err)
	}
}

func publishedOnce(t *testing.T, f repo.Files) {
	publish(t, f, "packs/one", []byte("first"))
	d := write(t, f, []byte("second"))
	if err := d.Publish(t.Context(), "packs/one"); err == nil {
		t.Error("a second Publish succeeded")
	}
	if err := d.Discard(); err != nil {
		t.Errorf("Discard after a failed Publish: %v", err)
	}
	if got := read(t, f, "packs/one"); string(got) != "first" {
		t.Errorf("content = %q", got)
	}
}

func publishRace(t *testing.T, f repo.Files) {
	const writers = 8
	won := make(chan int, writers)
	var wg sync.WaitGroup
	for i := range writers {
		d := write(t, f, fmt.Appendf(nil, "writer %d", i))
		wg.Go(func() {
			if d.Publish(context.WithoutCancel(t.Context()), "packs/raced") == nil {
				won <- i
			} else if err := d.Discard(); err != nil {
				t.Errorf("Discard: %v", err)
			}
		})
	}
	wg.Wait()
	close(won)
	var winners []int
	for i := range won {
		winners = append(winners, i)
	}
	if len(winners) != 1 {
		t.Fatalf("writers %v published one name", winners)
	}
	if got := string(read(t, f, "packs/raced")); got != fmt.Sprintf("writer %d", winners[0]) {
		t.Errorf("writer %d won, content is %q", winners[0], got)
	}
}

func missingFile(t *testing.T, f repo.Files) {
	publish(t, f, "packs/aa/x", []byte("x"))
	for _, name := range []string{"no", "packs", "packs/aa", "packs/aa/y", "packs/aa/x.pack"} {
		if _, err := f.Open(t.Context(), name); !errors.Is(err, repo.ErrNoFile) {
			t.Errorf("Open %q = %v, want ErrNoFile", name, err)
		}
		if err := f.Delete(t.Context(), "packs/aa/y"); err != nil {
			t.Errorf("Delete of a missing file = %v", err)
		}
	}
	if got := read(t, f, "packs/aa/x"); string(got) != "x" {
		t.Errorf("content = %q", got)
	}
}

func deletedWhileOpen(t *testing.T, f repo.Files) {
	want := noise(5, 1<<20)
	publish(t, f, "packs/x", want)
	file, err := f.Open(t.Context(), "packs/x")
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	view, err := file.View(t.Context(), 1000, 100)
	if err != nil {
		t.Fatal(err)
	}
	if err := f.Delete(t.Context(), "packs/x"); err != nil {
		t.Fatal(err)
	}
	if _, err := f.Open(t.Context(), "packs/x"); !errors.Is(err, repo.ErrNoFile) {
		t.Errorf("Open after Delete = %v, want ErrNoFile", err)
	}
	if names := list(t, f, ""); len(names) != 0 {
		t.Errorf("listed after Delete: %q", names)
	}
	if !bytes.Equal(readOpen(t, file, 1<<14), want) || !bytes.Equal(view, want[1000:1000+len(view)]) {
		t.Error("content differs after Delete")
	}
}

func republish(t *testing.T, f repo.Files) {
	publish(t, f, "packs/x", []byte("old"))
	if err := f.Delete(t.Context(), "packs/x"); err != nil {
		t.Fatal(err)
	}
	publish(t, f, "packs/x", []byte("newer"))
	if got := read(t, f, "packs/x"); string(got) != "newer" {
		t.Errorf("content = %q", got)
	}
}

func listing(t *testing.T, f repo.Files) {
	all := []string{"Z", "a", "packs-old/x", "packs.d/x", "packs/0a/p-1.idx", "packs/0a/p-1.pack", "packs/0a/p-10.pack",
		"packs/0b/q", "packs/a/b/c/d", "packs0", "zz"}
	shuffled := slices.Clone(all)
	rand.New(rand.NewPCG(9, 9)).Shuffle(len(all), func(i, j int) { shuffled[i], shuffled[j] = shuffled[j], shuffled[i] })
	for _, name := range shuffled {
		publish(t, f, name, []byte(name))
	}
	for _, prefix := range []string{"", "p", "packs", "packs/", "packs/0", "packs/0a", "packs/0a/", "packs/0a/p-1",
		"packs/0a/p-1.pack", "packs/0a/p-1.packs", "packs/a/b/", "q", "../", "/", "zz"} {
		var want []string
		for _, name := range all {
			if strings.HasPrefix(name, prefix) {
				want = append(want, name)
			}
		}
		if got := list(t, f, prefix); !slices.Equal(got, want) {
			t.Errorf("List %q = %q, want %q", prefix, got, want)
		}
	}
	var got []string
	err := f.List(t.Context(), "packs/", func(i repo.FileInfo) bool {
		if i.Bytes != int64(len(i.Name)) {
			t.Errorf("%s: listed with %d bytes", i.Name, i.Bytes)
		}
		got = append(got, i.Name)
		return len(got) < 2
	})
	if err != nil || !slices.Equal(got, all[4:6]) {
		t.Errorf("List until false = %q, %v", got, err)
	}
}

func listDeleting(t *testing.T, f repo.Files) {
	for i := range 50 {
		publish(t, f, fmt.Sprintf("packs/%02d/x", i), nil)
	}
	var seen []string
	err := f.List(t.Context(), "packs/", func(i repo.FileInfo) bool {
		seen = append(seen, i.Name)
		if err := f.Delete(t.Context(), i.Name); err != nil {
			t.Errorf("Delete %s while listing: %v", i.Name, err)
		}
		return true
	})
	if err != nil || len(seen) != 50 || !slices.IsSorted(seen) {
		t.Errorf("List saw %d of 50 in order=%v, %v", len(seen), slices.IsSorted(seen), err)
	}
	if names := list(t, f, ""); len(names) != 0 {
		t.Errorf("left: %q", names)
	}
	publish(t, f, "packs/00/x", nil) // its directory, if there is such a thing, comes back
}

func badNames(t *testing.T, f repo.Files) {
	long := strings.Repeat("x", repo.MaxFileName)
	publish(t, f, long[:200]+"/"+long[:54], []byte("longest"))
	if got := read(t, f, long[:200]+"/"+long[:54]); string(got) != "longest" {
		t.Errorf("content = %q", got)
	}
	for _, name := range []string{"", "/", "/a", "a/", "a//b", ".", "..", "../a", "a/../b", "a/./b", ".a", "a/.b", "a b",
		"a\x00b", "a\nb", "a_b", "a\\b", "C:a", "é", "a%2fb", "a*", long + "x"} {
		if repo.CheckFileName(name) == nil {
			t.Errorf("CheckFileName(%q) = nil", name)
		}
		if _, err := f.Open(t.Context(), name); err == nil {
			t.Errorf("Open %q succeeded", name)
		}
		if err := f.Delete(t.Context(), name); err == nil {
			t.Errorf("Delete %q succeeded", name)
		}
		d := write(t, f, []byte("bad"))
		if err := d.Publish(t.Context(), name); err == nil {
			t.Errorf("Publish %q succeeded", name)
		}
		if err := d.Discard(); err != nil {
			t.Errorf("Discard: %v", err)
		}
	}
	if names := list(t, f, ""); len(names) != 1 {
		t.Errorf("listed: %.100q", names)
	}
}

func draftsSwept(t *testing.T, f repo.Files) {
	publish(t, f, "kept", []byte("kept"))
	d := write(t, f, []byte("draft"))
	if n, err := f.SweepDrafts(t.Context(), time.Now().Add(-time.Hour)); n != 0 || err != nil {
		t.Errorf("SweepDrafts of what is older than an hour = %d, %v", n, err)
	}
	if _, err := d.Write([]byte(" goes on")); err != nil {
		t.Errorf("Write: %v", err)
	}
	if n, err := f.SweepDrafts(t.Context(), time.Now().Add(time.Hour)); n != 1 || err != nil {
		t.Errorf("SweepDrafts of everything = %d, %v, want 1", n, err)
	}
	if err := d.Publish(t.Context(), "swept"); err == nil {
		t.Error("Publish of a swept draft succeeded")
	}
	if err := d.Discard(); err != nil {
		t.Errorf("Discard of a swept draft: %v", err)
	}
	if names := list(t, f, ""); !slices.Equal(names, []string{"kept"}) {
		t.Errorf("listed: %q", names)
	}
}

func parallelViews(t *testing.T, f repo.Files) {
	want := noise(6, 2<<20)
	publish(t, f, "x", want)
	file, err := f.Open(t.Context(), "x")
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	var wg sync.WaitGroup
	for g := range 8 {
		wg.Go(func() {
			rng := rand.New(rand.NewPCG(uint64(g), 7))
			var views [][]byte
			var offs []int64
			for range 100 {
				off := rng.Int64N(int64(len(want)))
				v, err := file.View(t.Context(), off, 1+rng.IntN(1<<16))
				if err != nil {
					t.Errorf("View: %v", err)
					return
				}
				views, offs = append(views, v), append(offs, off)
			}
			for i, v := range views { // they hold until Close
				if !bytes.Equal(v, want[offs[i]:offs[i]+int64(len(v))]) {
					t.Errorf("view at %d differs", offs[i])
					return
				}
			}
		})
	}
	wg.Wait()
}

func filesContext(t *testing.T, f repo.Files) {
	publish(t, f, "x", []byte("x"))
	d := write(t, f, []byte("y"))
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_, errDraft := f.Draft(ctx)
	_, errOpen := f.Open(ctx, "x")
	_, errSweep := f.SweepDrafts(ctx, time.Now().Add(time.Hour))
	for what, err := range map[string]error{
		"Draft": errDraft, "Open": errOpen, "SweepDrafts": errSweep,
		"Publish": d.Publish(ctx, "y"),
		"Delete":  f.Delete(ctx, "x"),
		"List":    f.List(ctx, "", func(repo.FileInfo) bool { return true }),
	} {
		if !errors.Is(err, context.Canceled) {
			t.Errorf("%s under a cancelled context = %v", what, err)
		}
	}
	if names := list(t, f, ""); !slices.Equal(names, []string{"x"}) {
		t.Errorf("listed: %q", names)
	}
	if err := d.Publish(t.Context(), "y"); err != nil {
		t.Errorf("Publish after one that was cancelled: %v", err)
	}
}
