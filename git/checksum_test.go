package git_test

import (
	"bytes"
	"encoding/hex"
	"testing"

	"github.com/ingot-forge/ingot/git"
)

func TestNewChecksum(t *testing.T) {
	for f, want := range map[git.Format]string{
		git.SHA1:   "a9993e364706816aba3e25717850c26c9cd0d89d",
		git.SHA256: "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad",
	} { // of "abc", as FIPS 180 has them
		sum := git.NewChecksum(f)
		sum.Write([]byte("abc"))
		if got := sum.Sum(nil); !bytes.Equal(got, must(hex.DecodeString(want))) {
			t.Errorf("%s: %x, want %s", f, got, want)
		}
	}
}

func must(data []byte, err error) []byte {
	if err != nil {
		panic(err)
	}
	return data
}
