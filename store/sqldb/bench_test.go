package sqldb_test

import (
	"context"
	"fmt"
	"sync/atomic"
	"testing"

	"github.com/ingot-forge/ingot/git"
	"github.com/ingot-forge/ingot/git/repo"
	"github.com/ingot-forge/ingot/store/sqldb"
)

// object is the n-th id.
func object(n int) (id git.ID) {
	copy(id[:20], fmt.Sprintf("%020d", n))
	return id
}

func refName(n int) string { return fmt.Sprintf("refs/heads/topic/%02x/%07d", n%251, n) }

// fill makes n refs.
func fill(t testing.TB, c repo.Catalog, id repo.ID, n int) {
	t.Helper()
	for from := 0; from < n; from += 50_000 {
		ch := repo.Change{Repository: id, Who: "filler", Why: "import", Time: made}
		for i := from; i < min(n, from+50_000); i++ {
			ch.Refs = append(ch.Refs, repo.RefUpdate{Name: refName(i), New: object(1)})
		}
		if _, err := c.Commit(context.Background(), &ch); err != nil {
			t.Fatal(err)
		}
	}
}

// push moves one ref and adds a pack, with an event, as a push does.
func push(id repo.ID, ref, from, to int) *repo.Change {
	return &repo.Change{
		Repository: id, Who: "alice", Why: "push", Time: made,
		Add:   []repo.Pack{{Name: fmt.Sprintf("pack-%d-%040d", id, to), Bytes: 1000, Objects: 3, Checksum: make([]byte, 20), Added: made}},
		Refs:  []repo.RefUpdate{{Name: refName(ref), Old: object(from), New: object(to)}},
		Event: &repo.Event{Kind: "push", Payload: []byte(`{"actor":{"id":1,"login":"alice","via":"token 1"},"refs":[]}`)},
	}
}

func benchRepository(b *testing.B, refs int) (*sqldb.DB, repo.ID) {
	db := newDB(b)
	id := addRepository(b, db, addUser(b, db, "owner"), "r", git.SHA1)
	fill(b, db.Catalog(), id, refs)
	return db, id
}

func BenchmarkCommit(b *testing.B) {
	for _, refs := range []int{1, 100_000} {
		b.Run(fmt.Sprintf("refs=%d", refs), func(b *testing.B) {
			db, id := benchRepository(b, refs)
			c := db.Catalog()
			at := 1
			for b.Loop() {
				if _, err := c.Commit(b.Context(), push(id, 0, at, at+1)); err != nil {
					b.Fatal(err)
				}
				at++
			}
		})
	}
}

func BenchmarkCommitParallel(b *testing.B) {
	db := newDB(b)
	owner := addUser(b, db, "owner")
	c := db.Catalog()
	var n atomic.Int64
	b.SetParallelism(8)
	b.RunParallel(func(pb *testing.PB) {
		id := addRepository(b, db, owner, fmt.Sprintf("r%d", n.Add(1)), git.SHA1)
		fill(b, c, id, 1)
		for at := 1; pb.Next(); at++ {
			if _, err := c.Commit(b.Context(), push(id, 0, at, at+1)); err != nil {
				b.Error(err)
				return
			}
		}
	})
}

func BenchmarkCommit5000Refs(b *testing.B) {
	db, id := benchRepository(b, 1)
	first := 1
	for b.Loop() {
		ch := repo.Change{Repository: id, Who: "alice", Why: "push", Time: made}
		for i := range 5000 {
			ch.Refs = append(ch.Refs, repo.RefUpdate{Name: refName(first + i), New: object(1)})
		}
		first += 5000
		if _, err := db.Catalog().Commit(b.Context(), &ch); err != nil {
			b.Fatal(err)
		}
	}
}

// What a request pays that finds the state it has still current.
func BenchmarkLoadCurrent(b *testing.B) {
	db, id := benchRepository(b, 1000)
	c := db.Catalog()
	since, err := c.Load(b.Context(), id, nil)
	if err != nil {
		b.Fatal(err)
	}
	for b.Loop() {
		if _, err := c.Load(b.Context(), id, since); err != nil {
			b.Fatal(err)
		}
	}
}

// Commit and then Load of what it changed, the pace of a busy repository.
func BenchmarkCommitLoad(b *testing.B) {
	for _, refs := range []int{1000, 100_000, 1_000_000} {
		b.Run(fmt.Sprintf("refs=%d", refs), func(b *testing.B) {
			db, id := benchRepository(b, refs)
			c := db.Catalog()
			since, err := c.Load(b.Context(), id, nil)
			if err != nil {
				b.Fatal(err)
			}
			at := 1
			for b.Loop() {
				if _, err := c.Commit(b.Context(), push(id, 0, at, at+1)); err != nil {
					b.Fatal(err)
				}
				if since, err = c.Load(b.Context(), id, since); err != nil {
					b.Fatal(err)
				}
				at++
			}
		})
	}
}

func BenchmarkLoadFull(b *testing.B) {
	for _, refs := range []int{1000, 1_000_000} {
		b.Run(fmt.Sprintf("refs=%d", refs), func(b *testing.B) {
			db, id := benchRepository(b, refs)
			for b.Loop() {
				if _, err := db.Catalog().Load(b.Context(), id, nil); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
