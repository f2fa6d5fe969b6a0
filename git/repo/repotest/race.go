package repotest

import (
	"errors"
	"fmt"
	"slices"
	"sync"
	"sync/atomic"

	"github.com/ingot-forge/ingot/git"
	"github.com/ingot-forge/ingot/git/repo"
)

func raceOneRef(c cat) {
	r := c.create()
	const writers, rounds = 8, 5
	at := zero
	for round := range rounds {
		var winner atomic.Int64
		losers := make(chan repo.ConflictRef, writers)
		var wg sync.WaitGroup
		for w := range writers {
			wg.Go(func() {
				to := 100*(round+1) + w
				_, err := c.try(repo.Change{
					Repository: r,
					Refs:       []repo.RefUpdate{{Name: "refs/heads/main", Old: at, New: id(to)}},
					Event:      &repo.Event{Kind: "push", Payload: fmt.Append(nil, to)},
				})
				var conflict *repo.Conflict
				switch {
				case err == nil:
					if other := winner.Swap(int64(to)); other != 0 {
						c.Errorf("both %d and %d won", other, to)
					}
				case errors.As(err, &conflict) && len(conflict.Refs) == 1:
					losers <- conflict.Refs[0]
				default:
					c.Errorf("a loser got %v, want a *Conflict of one ref", err)
				}
			})
		}
		wg.Wait()
		close(losers)
		won := id(int(winner.Load()))
		n := 0
		for l := range losers {
			n++
			if want := (repo.ConflictRef{Name: "refs/heads/main", Expected: at, Actual: won}); l != want {
				c.Errorf("a loser saw %+v, want %+v", l, want)
			}
		}
		if s := c.load(r); n != writers-1 || s.Refs.Len() != 1 || first(s).Target != won {
			c.Fatalf("%d lost of %d; winner %s, refs %v", n, writers, won, s.Refs)
		}
		at = won
	}
	if log, ev := c.log(r), c.events(r); len(log) != rounds || len(ev) != rounds {
		c.Errorf("%d lines in the ref log and %d events, want %d", len(log), len(ev), rounds)
	}
}

// first returns the first ref of a state that has one.
func first(s *repo.State) (ref repo.Ref) {
	for ref = range s.Refs.All() {
		break
	}
	return ref
}

func raceManyRefs(c cat) {
	r := c.create()
	const writers, rounds = 8, 6
	versions := make([][]int64, writers)
	var wg sync.WaitGroup
	for w := range writers {
		wg.Go(func() {
			old := zero
			for i := range rounds {
				to := id(1 + w*rounds + i)
				v, err := c.try(repo.Change{
					Repository: r,
					Add:        []repo.Pack{packRow(fmt.Sprintf("pack-%d-%d", w, i))},
					Refs:       []repo.RefUpdate{{Name: fmt.Sprintf("refs/heads/w%d", w), Old: old, New: to}},
				})
				if err != nil {
					c.Errorf("writer %d, commit %d: %v", w, i, err)
					return
				}
				versions[w], old = append(versions[w], v), to
			}
		})
	}
	wg.Wait()
	var all []int64
	for w, v := range versions {
		if !slices.IsSorted(v) {
			c.Errorf("writer %d saw versions %v", w, v)
		}
		all = append(all, v...)
	}
	slices.Sort(all)
	if n := len(all); len(slices.Compact(all)) != n || n != writers*rounds {
		c.Errorf("versions are not distinct: %v", all)
	}
	s := c.load(r)
	if s.Refs.Len() != writers || len(s.Packs) != writers*rounds || s.Version != all[len(all)-1] {
		c.Errorf("version %d with %d refs and %d packs", s.Version, s.Refs.Len(), len(s.Packs))
	}
	log := c.log(r)
	if len(log) != writers*rounds {
		c.Errorf("ref log has %d lines", len(log))
	}
	at := map[string]git.ID{}
	for _, m := range slices.Backward(log) {
		if m.Old != at[m.Ref] {
			c.Errorf("the log says %s moved from %s; it was at %s", m.Ref, m.Old, at[m.Ref])
		}
		at[m.Ref] = m.New
	}
}

// atomicReads has writers that keep two refs, HEAD and the number of packs in
// step, and readers that must never see them out of step, loading anew or from
// an earlier state.
func atomicReads(c cat) {
	r := c.create()
	const commits = 40
	var done atomic.Bool
	var wg sync.WaitGroup
	wg.Go(func() {
		defer done.Store(true)
		old, head := zero, "refs/heads/main"
		for i := range commits {
			next := id(i + 1)
			ch := repo.Change{
				Repository: r,
				Add:        []repo.Pack{packRow(fmt.Sprint("pack", i))},
				Refs:       []repo.RefUpdate{{Name: "refs/heads/a", Old: old, New: next}, {Name: "refs/heads/b", Old: old, New: next}},
				Head:       &repo.HeadUpdate{Old: head, New: fmt.Sprint("refs/heads/", i+1)},
			}
			if _, err := c.try(ch); err != nil {
				c.Errorf("commit %d: %v", i, err)
				return
			}
			old, head = next, ch.Head.New
		}
	})
	for range 3 {
		wg.Go(func() {
			var last *repo.State
			for round := 0; !done.Load(); round++ {
				since := last
				if round%3 == 0 {
					since = nil
				}
				s, err := c.Load(c.Context(), r, since)
				if err != nil {
					c.Errorf("Load: %v", err)
					return
				}
				if last != nil && s.Version < last.Version {
					c.Errorf("version went from %d to %d", last.Version, s.Version)
				}
				last = s
				n := len(s.Packs)
				if n == 0 && s.Refs.Len() == 0 {
					continue
				}
				want := repo.NewRefs(repo.Ref{Name: "refs/heads/a", Target: id(n)}, repo.Ref{Name: "refs/heads/b", Target: id(n)})
				if !s.Refs.Equal(want) || s.Head != fmt.Sprint("refs/heads/", n) {
					c.Errorf("torn state: %d packs, HEAD %s, refs %v", n, s.Head, s.Refs)
					return
				}
			}
		})
	}
	wg.Wait()
}

func secondHandle(c cat) {
	if c.Again == nil {
		c.Skip("this catalogue has no second handle")
	}
	other := cat{c.T, c.CatalogFixture}
	other.Catalog = c.Again(c.T)
	r := c.create()
	last := other.load(r)
	for i := range 5 {
		c.set(r, map[string]int{"refs/heads/a": i + 1})
		s, err := other.Load(c.Context(), r, last)
		if err != nil {
			c.Fatal(err)
		}
		c.equal(c.load(r), s)
		other.set(r, map[string]int{"refs/heads/b": i + 1})
		c.equal(other.load(r), c.load(r))
		last = s
	}

	// Both at once: exactly as many succeed as versions were made.
	const rounds = 20
	var wg sync.WaitGroup
	var won atomic.Int64
	for i, side := range []cat{c, other} {
		wg.Go(func() {
			for n := range rounds {
				s, err := side.Load(c.Context(), r, nil)
				if err != nil {
					c.Errorf("side %d: %v", i, err)
					return
				}
				_, err = side.try(repo.Change{Repository: r, Refs: []repo.RefUpdate{
					{Name: "refs/heads/a", Old: first(s).Target, New: id(1000 + i*rounds + n)}}})
				var conflict *repo.Conflict
				switch {
				case err == nil:
					won.Add(1)
				case !errors.As(err, &conflict):
					c.Errorf("side %d: %v", i, err)
				}
			}
		})
	}
	wg.Wait()
	c.equal(c.load(r), other.load(r))
	if log := c.log(r); int64(len(log)) != 10+won.Load() {
		c.Errorf("%d commits succeeded, the log has %d lines after 10 before", won.Load(), len(log))
	}
}
