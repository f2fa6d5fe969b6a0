package pack_test

import (
	"bytes"
	"io"
	"os"
	"path/filepath"
	"testing"

	"github.com/ingot-forge/ingot/git"
	"github.com/ingot-forge/ingot/git/pack"
)

// BenchmarkReceive takes in the pack that INGOT_BENCH_PACK names (SHA-1, not
// thin), or else one that is generated.
func BenchmarkReceive(b *testing.B) {
	name := os.Getenv("INGOT_BENCH_PACK")
	if name == "" {
		x := newFixture(b, git.SHA1, 400)
		name = x.file + ".pack"
	}
	in, err := os.Open(name)
	if err != nil {
		b.Fatal(err)
	}
	defer in.Close()
	info, err := in.Stat()
	if err != nil {
		b.Fatal(err)
	}
	b.SetBytes(info.Size())
	b.ReportAllocs()
	for b.Loop() {
		if _, err := in.Seek(0, io.SeekStart); err != nil {
			b.Fatal(err)
		}
		out, err := os.Create(filepath.Join(b.TempDir(), "draft"))
		if err != nil {
			b.Fatal(err)
		}
		r, err := pack.Receive(b.Context(), in, out, pack.Options{})
		if err != nil {
			b.Fatal(err)
		}
		out.Close()
		os.Remove(out.Name())
		b.ReportMetric(float64(r.Objects), "objects")
	}
}

// BenchmarkReceiveSmall is the push of one commit: what it costs besides the
// work on its objects.
func BenchmarkReceiveSmall(b *testing.B) {
	build := newBuilder(git.SHA1)
	at := build.whole(git.KindBlob, base)
	build.ofs(at, deltaOf(20, 30, copyOp(0, 20), insertOp("and ten mo")))
	build.whole(git.KindTree, "")
	data := build.bytes()
	b.ReportAllocs()
	for b.Loop() {
		if _, err := pack.Receive(b.Context(), bytes.NewReader(data), new(draft), pack.Options{}); err != nil {
			b.Fatal(err)
		}
	}
}
