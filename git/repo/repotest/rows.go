package repotest

import (
	"bytes"
	"math/rand/v2"
	"sync"

	"github.com/ingot-forge/ingot/git/repo"
)

// inRow returns a pack whose bytes are in its row.
func inRow(name, data, index string) repo.Pack {
	p := packRow(name)
	p.Data, p.Index = []byte(data), []byte(index)
	return p
}

// rowLife follows the bytes of a pack through everything that can befall its row.
func rowLife(c cat) {
	a, b := c.create(), c.create()
	handles := []repo.Catalog{c.Catalog}
	if c.Again != nil {
		handles = append(handles, c.Again(c.T))
	}
	// want compares what is loaded anew, by each handle, and from any earlier state.
	earlier := map[repo.ID][]*repo.State{}
	want := func(r repo.ID, packs ...repo.Pack) {
		c.Helper()
		for _, h := range handles {
			for _, since := range append([]*repo.State{nil}, earlier[r]...) {
				s, err := h.Load(c.Context(), r, since)
				if err != nil {
					c.Fatal(err)
				}
				expected := *s
				expected.Packs = packs
				c.equal(&expected, s)
			}
		}
		earlier[r] = append(earlier[r], c.load(r))
	}
	p, q, file := inRow("p", "data of p", "index of p"), inRow("q", "data of q", "index of q"), packRow("file")
	given := inRow("p", "data of p", "index of p")
	c.commit(repo.Change{Repository: a, Add: []repo.Pack{given, file}})
	copy(given.Data, "others") // what the caller does with its slice later
	want(a, p, file)
	c.commit(repo.Change{Repository: a, Add: []repo.Pack{q}})
	want(a, p, file, q)
	c.commit(repo.Change{Repository: b, Add: c.load(a).Packs}) // a fork
	want(b, p, file, q)

	// Refused, with bytes of its own: nothing of them is seen, and they are in nobody's way.
	c.refuse(repo.ErrOutOfDate, repo.Change{Repository: a, Add: []repo.Pack{inRow("r", "never", "never")}, Drop: []string{"missing"}})
	c.refuse(repo.ErrOutOfDate, repo.Change{Repository: a, Add: []repo.Pack{inRow("p", "never", "never")}})
	c.conflicts(repo.Change{Repository: a, Add: []repo.Pack{inRow("r", "never", "never")},
		Refs: []repo.RefUpdate{{Name: "refs/heads/a", Old: id(1), New: id(2)}}},
		repo.ConflictRef{Name: "refs/heads/a", Expected: id(1)})
	want(a, p, file, q)
	r := inRow("r", "data of r", "index of r")
	c.commit(repo.Change{Repository: a, Add: []repo.Pack{r}})
	want(a, p, file, q, r)

	// Dropped: what is left keeps its bytes, and so does the fork.
	joined := packRow("joined")
	c.commit(repo.Change{Repository: a, Add: []repo.Pack{joined}, Drop: []string{"p", "file"}})
	want(a, q, r, joined)
	want(b, p, file, q)
	// A name that comes back counts as new: with other bytes, without any, with some again.
	for _, again := range []repo.Pack{inRow("p", "other data", "other index"), packRow("pp"), inRow("p", "third", "time")} {
		again.Name = "p"
		c.commit(repo.Change{Repository: a, Add: []repo.Pack{again}})
		want(a, q, r, joined, again)
		c.commit(repo.Change{Repository: a, Drop: []string{"p"}})
		want(a, q, r, joined)
	}
	// Dropped and others added between two loads.
	s := inRow("s", "data of s", "index of s")
	c.commit(repo.Change{Repository: a, Drop: []string{"q"}})
	c.commit(repo.Change{Repository: a, Add: []repo.Pack{s}})
	c.commit(repo.Change{Repository: a, Drop: []string{"joined"}})
	want(a, r, s)
	if err := c.Remove(c.Context(), a, epoch); err != nil {
		c.Fatal(err)
	}
	want(b, p, file, q)
}

func rowSizes(c cat) {
	r := c.create()
	rng := rand.New(rand.NewPCG(1, 2))
	random := func(n int) []byte {
		b := make([]byte, n)
		for i := range b {
			b[i] = byte(rng.Uint32())
		}
		return b
	}
	var want []repo.Pack
	for i, n := range []int{1, 1000, 4096, 64 << 10, repo.MaxRowBytes / 2} {
		p := packRow("p" + string(rune('a'+i)))
		p.Data, p.Index = random(n), random(n)
		want = append(want, p)
	}
	before := c.load(r)
	c.commit(repo.Change{Repository: r, Add: want[:3]})
	var wg sync.WaitGroup // others may commit meanwhile
	for _, p := range want[3:] {
		wg.Go(func() {
			if _, err := c.try(repo.Change{Repository: r, Add: []repo.Pack{p}}); err != nil {
				c.Error(err)
			}
		})
	}
	wg.Wait()
	now, err := c.Load(c.Context(), r, before)
	if err != nil {
		c.Fatal(err)
	}
	if len(now.Packs) != len(want) {
		c.Fatalf("%d packs, want %d", len(now.Packs), len(want))
	}
	for _, got := range now.Packs {
		for _, w := range want {
			if w.Name == got.Name && (!bytes.Equal(got.Data, w.Data) || !bytes.Equal(got.Index, w.Index)) {
				c.Errorf("pack of %d and %d bytes came back with %d and %d, or others", len(w.Data), len(w.Index), len(got.Data), len(got.Index))
			}
		}
	}
}
