package pack_test

import (
	"bufio"
	"bytes"
	"compress/zlib"
	"errors"
	"io"
	"testing"
	"testing/iotest"

	"github.com/ingot-forge/ingot/git"
	"github.com/ingot-forge/ingot/git/pack"
)

func TestDeflate(t *testing.T) {
	for name, data := range samples() {
		stream := pack.Deflate([]byte("front"), data)
		if string(stream[:5]) != "front" {
			t.Fatalf("%s: dst lost", name)
		}
		got := make([]byte, len(data))
		if n, err := pack.Inflate(got, stream[5:]); err != nil || n != len(stream)-5 || !bytes.Equal(got, data) {
			t.Errorf("%s: %v", name, err)
		}
		r, err := zlib.NewReader(bytes.NewReader(stream[5:]))
		if err != nil {
			t.Fatal(err)
		}
		if got, err := io.ReadAll(r); err != nil || !bytes.Equal(got, data) {
			t.Errorf("%s: compress/zlib: %v", name, err)
		}
		if git := deflate(t, data, 106); len(stream)-5 > len(git)+len(git)/10+20 {
			t.Errorf("%s: %d bytes, zlib's default makes %d", name, len(stream)-5, len(git))
		}
	}
}

func TestInflater(t *testing.T) {
	z := new(pack.Inflater)
	for name, data := range samples() {
		stream := deflate(t, data, 6)
		r := bufio.NewReader(io.MultiReader(bytes.NewReader(stream), bytes.NewReader([]byte("behind"))))
		if err := z.Reset(r); err != nil {
			t.Fatal(err)
		}
		if got, err := io.ReadAll(iotest.OneByteReader(z)); err != nil || !bytes.Equal(got, data) {
			t.Errorf("%s: %v", name, err)
		}
		if rest, err := io.ReadAll(r); err != nil || string(rest) != "behind" {
			t.Errorf("%s: %q is left, %v", name, rest, err)
		}
		for _, n := range []int{0, 1, len(stream) / 2, len(stream) - 1} {
			if err := inflateAll(bytes.NewReader(stream[:n])); err != io.ErrUnexpectedEOF {
				t.Errorf("%s: %d bytes: %v", name, n, err)
			}
		}
		damaged := bytes.Clone(stream)
		damaged[len(damaged)-1]++
		if err := inflateAll(bytes.NewReader(damaged)); !errors.Is(err, git.ErrCorrupt) {
			t.Errorf("%s: damaged: %v", name, err)
		}
		broken := errors.New("broken")
		if err := inflateAll(io.MultiReader(bytes.NewReader(stream[:1]), iotest.ErrReader(broken))); err != broken {
			t.Errorf("%s: the reader's error became %v", name, err)
		}
	}
	if err := inflateAll(bytes.NewReader([]byte("not zlib at all"))); !errors.Is(err, git.ErrCorrupt) {
		t.Errorf("no zlib stream: %v", err)
	}
}

func inflateAll(r io.Reader) error {
	z, err := pack.NewInflater(r)
	if err != nil {
		return err
	}
	_, err = io.Copy(io.Discard, z)
	return err
}
