package bitmap

import (
	"encoding/binary"
	"errors"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/ingot-forge/ingot/git"
)

// randomSet has runs of both kinds and words in between.
func randomSet(rng *rand.Rand, words int) Set {
	s := make(Set, words)
	for i := 0; i < len(s); {
		n := min(1+rng.IntN(6), len(s)-i)
		how := rng.IntN(3)
		for range n {
			switch how {
			case 1:
				s[i] = ^uint64(0)
			case 2:
				s[i] = rng.Uint64()
			}
			i++
		}
	}
	return s
}

func TestEWAH(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 1))
	for range 3000 {
		n := rng.IntN(40)
		s, d := randomSet(rng, n), randomSet(rng, n)
		data := appendEWAH([]byte("before"), s)
		e, rest, err := parseEWAH(append(data, "behind"...)[6:])
		if err != nil || string(rest) != "behind" {
			t.Fatalf("%x: %q, %v", data, rest, err)
		}
		or, xor := slices.Clone(d), slices.Clone(d)
		wantOr, wantXor := slices.Clone(d), slices.Clone(d)
		wantOr.or(s)
		wantXor.xor(s)
		if err := e.or(or); err != nil || !slices.Equal(or, wantOr) {
			t.Fatalf("%x or %x is %x, %v", d, s, or, err)
		}
		if err := e.xor(xor); err != nil || !slices.Equal(xor, wantXor) {
			t.Fatalf("%x xor %x is %x, %v", d, s, xor, err)
		}
		// One word less than is needed.
		used := n
		for used > 0 && s[used-1] == 0 {
			used--
		}
		if used > 0 {
			if err := e.or(make(Set, used-1)); !errors.Is(err, git.ErrCorrupt) {
				t.Fatalf("%x into %d words: %v", s, used-1, err)
			}
		}
	}
}

// TestLastRunWord follows the run-length words to the last.
func TestLastRunWord(t *testing.T) {
	rng := rand.New(rand.NewPCG(2, 1))
	for range 500 {
		data := appendEWAH(nil, randomSet(rng, rng.IntN(60)))
		n := binary.BigEndian.Uint32(data[4:])
		at, last := uint32(0), uint32(0)
		for at < n {
			last = at
			at += 1 + uint32(binary.BigEndian.Uint64(data[8+8*at:])>>33)
		}
		if at != n || n == 0 || binary.BigEndian.Uint32(data[len(data)-4:]) != last {
			t.Fatalf("%x: %d words, the last run-length word is %d", data, n, last)
		}
	}
}

func TestHostileEWAH(t *testing.T) {
	words := func(w ...uint64) []byte {
		data := binary.BigEndian.AppendUint32(nil, 64)
		data = binary.BigEndian.AppendUint32(data, uint32(len(w)))
		for _, w := range w {
			data = binary.BigEndian.AppendUint64(data, w)
		}
		return append(data, 0, 0, 0, 0)
	}
	for name, data := range map[string][]byte{
		"empty":             nil,
		"cut":               words(1 << 33)[:15],
		"too many words":    {0, 0, 0, 64, 0xff, 0xff, 0xff, 0xff, 0, 0, 0, 0},
		"last word too far": {0, 0, 0, 64, 0, 0, 0, 0, 0, 0, 0, 1},
	} {
		if _, _, err := parseEWAH(data); !errors.Is(err, git.ErrCorrupt) {
			t.Errorf("%s: %v", name, err)
		}
	}
	for name, data := range map[string][]byte{
		"longest runs":      words(1<<33-1, 1<<33-1),
		"a run of zeros":    words(5 << 1),
		"literals":          words(4<<33, 1, 2, 3),
		"literals too many": words(5<<33, 1, 2, 3, 4, 5),
		"all ones":          words(^uint64(0)),
	} {
		e, _, err := parseEWAH(data)
		if err != nil {
			t.Fatal(err)
		}
		if err := e.or(make(Set, 4)); !errors.Is(err, git.ErrCorrupt) {
			t.Errorf("%s: %v", name, err)
		}
	}
}
