package pack_test

import (
	"bytes"
	"encoding/binary"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/ingot-forge/ingot/git"
	"github.com/ingot-forge/ingot/git/pack"
)

func TestWriteIndex(t *testing.T) {
	for _, f := range []git.Format{git.SHA1, git.SHA256} {
		for _, n := range []int{0, 1, 300} {
			rng := rand.New(rand.NewPCG(uint64(n), 1))
			var entries []pack.IndexEntry
			for i := range n {
				var raw [32]byte
				for at := 0; at < len(raw); at += 8 {
					binary.LittleEndian.PutUint64(raw[at:], rng.Uint64())
				}
				e := pack.IndexEntry{ID: f.FromBytes(raw[:]), Offset: int64(i) << rng.IntN(40), CRC: rng.Uint32()}
				entries = append(entries, e)
			}
			sum := bytes.Repeat([]byte{7}, f.Size())
			want := pack.AppendIndex(f, nil, entries, sum) // sorts
			var got bytes.Buffer
			if err := pack.WriteIndex(&got, f, slices.Values(entries), sum); err != nil || !bytes.Equal(got.Bytes(), want) {
				t.Errorf("%s, %d entries: %v, %d bytes, not those of AppendIndex (%d)", f, n, err, got.Len(), len(want))
			}
		}
	}
}
