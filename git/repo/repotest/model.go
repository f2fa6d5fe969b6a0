package repotest

import (
	"errors"
	"fmt"
	"slices"
	"time"

	"pgregory.net/rapid"

	"github.com/ingot-forge/ingot/git"
	"github.com/ingot-forge/ingot/git/repo"
	"github.com/ingot-forge/ingot/git/repo/memrepo"
)

// againstModel makes random changes to the catalogue and to the in-memory
// model: both must answer alike, and states built from earlier states must equal
// states loaded anew.
func againstModel(c cat) {
	rapid.Check(c.T, func(rt *rapid.T) {
		model := new(memrepo.Catalog)
		mid, err := model.Create(c.Context(), git.SHA1)
		if err != nil {
			rt.Fatal(err)
		}
		p := pair{cat: c, subject: c.create(), model: model, mid: mid}
		p.kept = []*repo.State{p.cat.load(p.subject)}
		rt.Repeat(map[string]func(*rapid.T){
			"commit": p.commitBoth,
			"load":   p.loadSince,
		})
		p.compareLogs(rt)
	})
}

// pair is one repository twice.
type pair struct {
	cat     cat
	subject repo.ID
	model   *memrepo.Catalog
	mid     repo.ID
	kept    []*repo.State // states of the subject, seen earlier
	n       int
}

// Few names, many of them directories of others.
var modelRefs = []string{"refs/heads/a", "refs/heads/a/b", "refs/heads/a/b/c", "refs/heads/a-b", "refs/heads/ab", "refs/heads/b/c", "refs/heads/b/d",
	"refs/heads/b", "refs/tags/v1", "refs/tags/v2", "refs/x/y"}

func (p *pair) change(t *rapid.T) repo.Change {
	s, err := p.model.Load(p.cat.Context(), p.mid, nil)
	if err != nil {
		t.Fatal(err)
	}
	p.n++
	ch := repo.Change{Who: fmt.Sprint("who", p.n), Why: "random", Time: epoch.Add(time.Duration(p.n) * time.Minute)}
	at := map[string]git.ID{}
	for r := range s.Refs.All() {
		at[r.Name] = r.Target
	}
	for _, name := range rapid.SliceOfNDistinct(rapid.SampledFrom(modelRefs), 0, 5, rapid.ID).Draw(t, "refs") {
		u := repo.RefUpdate{Name: name, Old: at[name]}
		if rapid.IntRange(0, 9).Draw(t, "stale") == 0 {
			u.Old = id(rapid.IntRange(1, 3).Draw(t, "old"))
		}
		if to := rapid.IntRange(-2, 5).Draw(t, "new"); to > 0 {
			u.New = id(to)
			if to%2 == 0 {
				u.Peeled = id(to + 100)
			}
		}
		ch.Refs = append(ch.Refs, u)
	}
	if rapid.IntRange(0, 5).Draw(t, "head") == 0 {
		ch.Head = &repo.HeadUpdate{Old: s.Head, New: rapid.SampledFrom(modelRefs).Draw(t, "head to")}
		if rapid.IntRange(0, 4).Draw(t, "stale head") == 0 {
			ch.Head.Old = "refs/heads/elsewhere"
		}
	}
	for range rapid.IntRange(0, 2).Draw(t, "add") {
		p.n++
		ch.Add = append(ch.Add, packRow(fmt.Sprintf("pack-%d", p.n)))
	}
	for i, pack := range s.Packs {
		if rapid.IntRange(0, 5).Draw(t, fmt.Sprint("drop ", i)) == 0 {
			ch.Drop = append(ch.Drop, pack.Name)
		}
	}
	if rapid.IntRange(0, 15).Draw(t, "drop missing") == 0 {
		ch.Drop = append(ch.Drop, "missing")
	}
	return ch
}

func (p *pair) commitBoth(t *rapid.T) {
	ch := p.change(t)
	before := p.cat.load(p.subject)
	ch.Repository = p.mid
	_, want := p.model.Commit(p.cat.Context(), &ch)
	ch.Repository = p.subject
	v, got := p.cat.Commit(p.cat.Context(), &ch)
	p.sameError(t, want, got)
	after := p.cat.load(p.subject)
	if got == nil && (v <= before.Version || after.Version != v) {
		t.Fatalf("commit made version %d, state has %d, before %d", v, after.Version, before.Version)
	}
	if got != nil && differ(before, after) != "" {
		t.Fatalf("a refused commit changed the state: %s", differ(before, after))
	}
	p.sameAsModel(t, after)
	if p.n%3 == 0 {
		p.kept = append(p.kept, after)
	}
}

// sameError accepts either error where a change has faults of both kinds.
func (p *pair) sameError(t *rapid.T, want, got error) {
	var wantRefs, gotRefs *repo.Conflict
	isRefs := errors.As(got, &gotRefs)
	switch {
	case (want == nil) != (got == nil):
		t.Fatalf("Commit = %v, want %v", got, want)
	case want != nil && !isRefs && !errors.Is(got, repo.ErrOutOfDate):
		t.Fatalf("Commit = %v, want a *Conflict or ErrOutOfDate", got)
	case isRefs && errors.As(want, &wantRefs) && len(wantRefs.Refs) != len(gotRefs.Refs):
		t.Fatalf("Commit = %+v, want %+v", gotRefs.Refs, wantRefs.Refs)
	case isRefs && wantRefs != nil:
		for i, w := range wantRefs.Refs {
			g := gotRefs.Refs[i]
			if (w.Blocker == "") != (g.Blocker == "") { // which of several is named is left open
				t.Fatalf("conflict %+v, want %+v", g, w)
			}
			if w.Blocker = g.Blocker; w != g {
				t.Fatalf("conflict %+v, want %+v", g, w)
			}
		}
	}
}

func (p *pair) sameAsModel(t *rapid.T, s *repo.State) {
	m, err := p.model.Load(p.cat.Context(), p.mid, nil)
	if err != nil {
		t.Fatal(err)
	}
	want := *m
	want.ID, want.Version = s.ID, s.Version // the numbers are each catalogue's own
	if diff := differ(&want, s); diff != "" {
		t.Fatalf("state differs from the model: %s", diff)
	}
}

func (p *pair) loadSince(t *rapid.T) {
	since := p.kept[rapid.IntRange(0, len(p.kept)-1).Draw(t, "since")]
	s, err := p.cat.Load(p.cat.Context(), p.subject, since)
	if err != nil {
		t.Fatalf("Load: %v", err)
	}
	full := p.cat.load(p.subject)
	if diff := differ(full, s); diff != "" {
		t.Fatalf("Load since version %d differs from a full load: %s", since.Version, diff)
	}
	if (s == since) != (since.Version == full.Version) {
		t.Fatalf("Load since version %d of version %d returned since itself: %v", since.Version, full.Version, s == since)
	}
	p.kept = append(p.kept, s) // states built from states built from states …
}

func (p *pair) compareLogs(t *rapid.T) {
	want, err := p.model.RefLog(p.cat.Context(), p.mid, "", 0, 1<<20)
	if err != nil {
		t.Fatal(err)
	}
	got, err := p.cat.RefLog(p.cat.Context(), p.subject, "", 0, 1<<20)
	if err != nil {
		t.Fatal(err)
	}
	same := func(a, b repo.Movement) bool {
		if !a.Time.Equal(b.Time) {
			return false
		}
		a.Seq, a.Time = b.Seq, b.Time
		return a == b
	}
	if !slices.EqualFunc(got, want, same) {
		t.Fatalf("ref log:\n got %+v\nwant %+v", got, want)
	}
}
