package git_test

import (
	"crypto/sha1"
	"encoding/hex"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/ingot-forge/ingot/git"
)

// shattered is the start of a file of the SHAttered attack (CWI Amsterdam and
// Google, 2017) up to the end of its two near-collision blocks. Another file with
// another start has the same SHA-1.
const shattered = "" +
	"255044462d312e330a25e2e3cfd30a0a0a312030206f626a0a3c3c2f57696474682032203020522f" +
	"4865696768742033203020522f547970652034203020522f537562747970652035203020522f4669" +
	"6c7465722036203020522f436f6c6f7253706163652037203020522f4c656e677468203820302052" +
	"2f42697473506572436f6d706f6e656e7420383e3e0a73747265616d0affd8fffe00245348412d31" +
	"20697320646561642121212121852fec092339759c39b1a1c63c4c97e1fffe017346dc9166b67e11" +
	"8f029ab621b2560ff9ca67cca8c7f85ba84c79030c2b3de218f86db3a90901d5df45c14f26fedfb3" +
	"dc38e96ac22fe7bd728f0e45bce046d23c570feb141398bb552ef5a0a82be331fea48037b8b5d71f" +
	"0e332edf93ac3500eb4ddc0decc1a864790c782c76215660dd309791d06bd0af3f98cda4bc4629b1"

func TestCollision(t *testing.T) {
	data, err := hex.DecodeString(shattered)
	if err != nil {
		t.Fatal(err)
	}
	h := git.NewHasher(git.SHA1)
	if id, err := h.SumRaw(data); !errors.Is(err, git.ErrCollision) || !id.IsZero() {
		t.Errorf("the attack gave %s, %v", id, err)
	}
	// The attack reaches over two blocks; one alone is data like any other.
	want := sha1.Sum(data[:192])
	if id, err := h.SumRaw(data[:192]); err != nil || id != git.SHA1.FromBytes(want[:]) {
		t.Errorf("the first half of the attack gave %s, %v", id, err)
	}
	// As a blob, too, it is harmless, and the Hasher has forgotten the attack.
	if _, err := h.Hash(git.KindBlob, data); err != nil {
		t.Errorf("as a blob: %v", err)
	}
}

// TestHash compares with the well-known ids of git.
func TestHash(t *testing.T) {
	for _, c := range []struct {
		format git.Format
		kind   git.Kind
		data   string
		want   string
	}{
		{git.SHA1, git.KindBlob, "", "e69de29bb2d1d6434b8b29ae775ad8c2e48c5391"},
		{git.SHA1, git.KindTree, "", "4b825dc642cb6eb9a060e54bf8d69288fbee4904"},
		{git.SHA1, git.KindBlob, "hello\n", "ce013625030ba8dba906f756967f9e9ca394464a"},
		{git.SHA256, git.KindTree, "", "6ef19b41225c5369f1c104d45d8d85efa9b057b53b14b4b9b939dd74decc5321"},
		{git.SHA256, git.KindBlob, "", "473a0f4c3be8a93681a267e3b1e9a7dcda1185436fe141f7749120a303721813"},
	} {
		h := git.NewHasher(c.format)
		for range 2 { // used again, it gives the same
			id, err := h.Hash(c.kind, []byte(c.data))
			if got := c.format.Hex(id); err != nil || got != c.want {
				t.Errorf("%s %s %q: got %s, %v", c.format, c.kind, c.data, got, err)
			}
		}
		h.Start(c.kind, int64(len(c.data)))
		for i := range len(c.data) {
			fmt.Fprint(h, c.data[i:i+1])
		}
		if id, err := h.Sum(); err != nil || c.format.Hex(id) != c.want {
			t.Errorf("%s %s %q by pieces: got %s, %v", c.format, c.kind, c.data, c.format.Hex(id), err)
		}
	}
}

func TestHashAllocates(t *testing.T) {
	data := []byte(strings.Repeat("x", 5000))
	for _, f := range []git.Format{git.SHA1, git.SHA256} {
		h := git.NewHasher(f)
		if n := testing.AllocsPerRun(100, func() { h.Hash(git.KindCommit, data) }); n != 0 {
			t.Errorf("%s: %v allocations", f, n)
		}
	}
}

func BenchmarkHash(b *testing.B) {
	data := make([]byte, 1024)
	for _, f := range []git.Format{git.SHA1, git.SHA256} {
		b.Run(f.String(), func(b *testing.B) {
			h := git.NewHasher(f)
			b.SetBytes(int64(len(data)))
			for b.Loop() {
				h.Hash(git.KindBlob, data)
			}
		})
	}
}
