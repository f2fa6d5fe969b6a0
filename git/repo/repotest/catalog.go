package repotest

import (
	"context"
	"errors"
	"fmt"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/ingot-forge/ingot/git"
	"github.com/ingot-forge/ingot/git/repo"
)

// CatalogFixture is a catalogue under test with the doors that the port does
// not have.
type CatalogFixture struct {
	repo.Catalog
	// Create makes a new, empty repository whose HEAD points to refs/heads/main.
	Create func(context.Context, git.Format) (repo.ID, error)
	// Remove deletes a repository; Referenced sees its packs as dropped then.
	Remove func(ctx context.Context, id repo.ID, at time.Time) error
	// Events returns the events that commits to a repository appended, oldest first.
	Events func(context.Context, repo.ID) ([]repo.Event, error)
	// Again opens the same rows a second time, as another process would; nil
	// if there is no such thing.
	Again func(t *testing.T) repo.Catalog
}

// TestCatalog runs the suite of repo.Catalog. open makes a new, empty one and
// ends it by t.Cleanup.
func TestCatalog(t *testing.T, open func(t *testing.T) CatalogFixture) {
	tests := []struct {
		name string
		run  func(c cat)
	}{
		{"a new repository is empty", newRepository},
		{"a missing repository is ErrNoRepository", missingRepository},
		{"a commit shows all it changed", commitShows},
		{"refs are created, moved and deleted", refLife},
		{"a conflict lists all refs and changes nothing", conflictListsAll},
		{"comparing without moving", compareOnly},
		{"refs that exclude each other", directoryConflicts},
		{"an empty commit still counts", emptyCommit},
		{"HEAD moves by compare-and-swap", headMoves},
		{"packs are added and dropped", packLife},
		{"the bytes of a pack live with its row", rowLife},
		{"bytes of any size come back", rowSizes},
		{"names are bytes", nameBytes},
		{"both formats", bothFormats},
		{"load returns since while it is current", loadSince},
		{"a state never changes", stateImmutable},
		{"repositories don't meet", isolation},
		{"5,000 refs in one change", manyRefs},
		{"the ref log is ordered, filtered and paged", refLog},
		{"events are appended with their commit", events},
		{"referenced packs, also those just dropped", referenced},
		{"repositories are listed in pages", repositories},
		{"of many commits to one ref one wins", raceOneRef},
		{"commits to different refs all succeed", raceManyRefs},
		{"readers see whole commits", atomicReads},
		{"a second handle sees what the first did", secondHandle},
		{"a done context changes nothing", catalogContext},
		{"random changes, against the model", againstModel},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) { test.run(cat{t, open(t)}) })
	}
}

// cat is a catalogue under one test.
type cat struct {
	*testing.T
	CatalogFixture
}

// zero is "no object".
var zero git.ID

// epoch is the time of changes, unless a test says otherwise.
var epoch = time.Date(2026, 5, 4, 3, 2, 1, 987_654_000, time.FixedZone("", 7200))

// oid returns the i-th id of a format.
func oid(f git.Format, i int) git.ID {
	var id git.ID
	copy(id[:f.Size()], fmt.Sprintf("%0*d", f.Size(), i))
	return id
}

func id(i int) git.ID { return oid(git.SHA1, i) }

// packRow returns a pack of that name; one whose name's length is odd has its
// bytes in its row.
func packRow(name string) repo.Pack {
	p := repo.Pack{
		Name: name, Bytes: int64(len(name)) << 33, Objects: 5, Checksum: fmt.Appendf(nil, "%-20.20s", "sum "+name),
		Added: epoch.Add(time.Duration(len(name)) * time.Microsecond),
	}
	if len(name)%2 == 1 {
		p.Data, p.Index = []byte("PACK\x00\xff of "+name), []byte("index\x00 of "+name)
	}
	return p
}

func (c cat) create() repo.ID { c.Helper(); return c.createOf(git.SHA1) }

func (c cat) createOf(f git.Format) repo.ID {
	c.Helper()
	r, err := c.Create(c.Context(), f)
	if err != nil || r <= 0 {
		c.Fatalf("Create = %d, %v", r, err)
	}
	return r
}

// try commits a change, whose Time it sets if there is none.
func (c cat) try(ch repo.Change) (int64, error) {
	if ch.Time.IsZero() {
		ch.Time = epoch
	}
	return c.Commit(context.WithoutCancel(c.Context()), &ch)
}

func (c cat) commit(ch repo.Change) int64 {
	c.Helper()
	v, err := c.try(ch)
	if err != nil {
		c.Fatalf("Commit: %v", err)
	}
	return v
}

// refuse commits a change that must fail with an error matching want and leave
// everything as it was.
func (c cat) refuse(want error, ch repo.Change) {
	c.Helper()
	before := c.load(ch.Repository)
	log, events := c.log(ch.Repository), c.events(ch.Repository)
	ch.Event = &repo.Event{Kind: "refused", Payload: []byte("{}")}
	if v, err := c.try(ch); !errors.Is(err, want) {
		c.Errorf("Commit = %d, %v, want %v", v, err, want)
	}
	c.equal(before, c.load(ch.Repository))
	if now := c.log(ch.Repository); len(now) != len(log) {
		c.Errorf("a refused commit is in the ref log: %+v", now)
	}
	if now := c.events(ch.Repository); len(now) != len(events) {
		c.Errorf("a refused commit is in the event log: %+v", now)
	}
}

// conflicts commits a change that must be refused for exactly these refs.
func (c cat) conflicts(ch repo.Change, want ...repo.ConflictRef) {
	c.Helper()
	before, log := c.load(ch.Repository), c.log(ch.Repository)
	v, err := c.try(ch)
	var conflict *repo.Conflict
	if !errors.As(err, &conflict) {
		c.Errorf("Commit = %d, %v, want a *Conflict", v, err)
		return
	}
	if !slices.Equal(conflict.Refs, want) {
		c.Errorf("conflicts:\n got %+v\nwant %+v", conflict.Refs, want)
	}
	c.equal(before, c.load(ch.Repository))
	if now := c.log(ch.Repository); len(now) != len(log) {
		c.Errorf("a refused commit is in the ref log: %+v", now)
	}
}

// set makes refs whatever they were before.
func (c cat) set(r repo.ID, targets map[string]int) int64 {
	c.Helper()
	ch := repo.Change{Repository: r}
	s := c.load(r)
	for name, to := range targets {
		u := repo.RefUpdate{Name: name}
		if to != 0 {
			u.New = id(to)
		}
		ref, _ := s.Refs.Find(name)
		u.Old = ref.Target
		ch.Refs = append(ch.Refs, u)
	}
	slices.SortFunc(ch.Refs, func(a, b repo.RefUpdate) int { return strings.Compare(a.Name, b.Name) })
	return c.commit(ch)
}

func (c cat) load(r repo.ID) *repo.State {
	c.Helper()
	s, err := c.Load(context.WithoutCancel(c.Context()), r, nil)
	if err != nil {
		c.Fatalf("Load: %v", err)
	}
	return s
}

func (c cat) log(r repo.ID) []repo.Movement {
	c.Helper()
	log, err := c.RefLog(c.Context(), r, "", 0, 1_000_000)
	if err != nil {
		c.Fatalf("RefLog: %v", err)
	}
	return log
}

func (c cat) events(r repo.ID) []repo.Event {
	c.Helper()
	e, err := c.Events(c.Context(), r)
	if err != nil {
		c.Fatalf("Events: %v", err)
	}
	return e
}

// equal compares states; times by the instant they mean.
func (c cat) equal(want, got *repo.State) {
	c.Helper()
	if diff := differ(want, got); diff != "" {
		c.Errorf("state: %s", diff)
	}
}

func differ(want, got *repo.State) string {
	switch {
	case want.ID != got.ID || want.Version != got.Version || want.Format != got.Format || want.Head != got.Head:
		return fmt.Sprintf("got %d v%d %v %q, want %d v%d %v %q", got.ID, got.Version, got.Format, got.Head,
			want.ID, want.Version, want.Format, want.Head)
	case !want.Refs.Equal(got.Refs):
		return fmt.Sprintf("refs\n got %v\nwant %v", got.Refs, want.Refs)
	case len(want.Packs) != len(got.Packs):
		return fmt.Sprintf("packs\n got %+v\nwant %+v", got.Packs, want.Packs)
	}
	for i, w := range want.Packs {
		g := got.Packs[i]
		if !w.Added.Equal(g.Added) {
			return fmt.Sprintf("pack %s: added %v, want %v", g.Name, g.Added, w.Added)
		}
		w.Added = g.Added
		if !reflect.DeepEqual(w, g) {
			return fmt.Sprintf("pack %d\n got %+v\nwant %+v", i, g, w)
		}
	}
	return ""
}

func newRepository(c cat) {
	r := c.create()
	c.equal(&repo.State{ID: r, Head: "refs/heads/main"}, c.load(r))
	if log := c.log(r); len(log) != 0 {
		c.Errorf("ref log: %+v", log)
	}
	if other := c.create(); other == r {
		c.Errorf("two repositories have id %d", r)
	}
}

func missingRepository(c cat) {
	gone := c.create()
	since := c.load(gone)
	if err := c.Remove(c.Context(), gone, epoch); err != nil {
		c.Fatal(err)
	}
	for _, r := range []repo.ID{gone, gone + 1000, 0, -1} {
		if _, err := c.Load(c.Context(), r, nil); !errors.Is(err, repo.ErrNoRepository) {
			c.Errorf("Load of %d = %v, want ErrNoRepository", r, err)
		}
		if _, err := c.Load(c.Context(), r, since); !errors.Is(err, repo.ErrNoRepository) {
			c.Errorf("Load of %d since = %v, want ErrNoRepository", r, err)
		}
		if _, err := c.RefLog(c.Context(), r, "", 0, 10); !errors.Is(err, repo.ErrNoRepository) {
			c.Errorf("RefLog of %d = %v, want ErrNoRepository", r, err)
		}
		_, err := c.try(repo.Change{Repository: r, Refs: []repo.RefUpdate{{Name: "refs/heads/a", New: id(1)}}})
		if !errors.Is(err, repo.ErrNoRepository) {
			c.Errorf("Commit to %d = %v, want ErrNoRepository", r, err)
		}
	}
	if next := c.create(); next == gone {
		c.Errorf("id %d was used again", gone)
	}
}

func commitShows(c cat) {
	r := c.create()
	v := c.commit(repo.Change{
		Repository: r,
		Add:        []repo.Pack{packRow("bb"), packRow("aa")},
		Refs: []repo.RefUpdate{
			{Name: "refs/tags/v1", New: id(2), Peeled: id(1)},
			{Name: "refs/heads/main", New: id(1)},
		},
		Head: &repo.HeadUpdate{Old: "refs/heads/main", New: "refs/heads/trunk"},
		Who:  "alice", Why: "push", Time: epoch,
		Event: &repo.Event{Kind: "push", Payload: []byte(`{"n":1}`)},
	})
	if v <= 0 {
		c.Errorf("version %d", v)
	}
	c.equal(&repo.State{
		ID: r, Version: v, Head: "refs/heads/trunk",
		Refs:  repo.NewRefs(repo.Ref{Name: "refs/heads/main", Target: id(1)}, repo.Ref{Name: "refs/tags/v1", Target: id(2), Peeled: id(1)}),
		Packs: []repo.Pack{packRow("bb"), packRow("aa")},
	}, c.load(r))
}

func emptyCommit(c cat) {
	r := c.create()
	v1 := c.commit(repo.Change{Repository: r})
	v2 := c.commit(repo.Change{Repository: r})
	if v1 <= 0 || v2 <= v1 {
		c.Errorf("versions 0, %d, %d don't grow", v1, v2)
	}
	c.equal(&repo.State{ID: r, Version: v2, Head: "refs/heads/main"}, c.load(r))
}

func headMoves(c cat) {
	r := c.create()
	head := func(old, new string) repo.Change {
		return repo.Change{Repository: r, Head: &repo.HeadUpdate{Old: old, New: new},
			Refs: []repo.RefUpdate{{Name: "refs/heads/" + fmt.Sprint(c.load(r).Version), New: id(1)}}}
	}
	c.commit(head("refs/heads/main", "refs/heads/next"))
	c.refuse(repo.ErrOutOfDate, head("refs/heads/main", "refs/heads/third"))
	c.commit(head("refs/heads/next", "refs/heads/next"))
	c.commit(head("refs/heads/next", "refs/heads/main"))
	if s := c.load(r); s.Head != "refs/heads/main" || s.Refs.Len() != 3 {
		c.Errorf("state %+v", s)
	}
}

func packLife(c cat) {
	r := c.create()
	names := func() (names []string) {
		for _, p := range c.load(r).Packs {
			names = append(names, p.Name)
		}
		return names
	}
	want := func(want ...string) {
		c.Helper()
		if got := names(); !slices.Equal(got, want) {
			c.Errorf("packs %q, want %q", got, want)
		}
	}
	add := func(names ...string) (packs []repo.Pack) {
		for _, n := range names {
			packs = append(packs, packRow(n))
		}
		return packs
	}
	c.commit(repo.Change{Repository: r, Add: add("d", "c")})
	c.commit(repo.Change{Repository: r, Add: add("b", "a", "e")})
	want("d", "c", "b", "a", "e")
	c.commit(repo.Change{Repository: r, Add: add("f"), Drop: []string{"b", "d"}})
	want("c", "a", "e", "f")
	c.refuse(repo.ErrOutOfDate, repo.Change{Repository: r, Add: add("g"), Drop: []string{"a", "b"}}) // b is gone
	c.refuse(repo.ErrOutOfDate, repo.Change{Repository: r, Drop: []string{"never"}})
	c.refuse(repo.ErrOutOfDate, repo.Change{Repository: r, Add: add("h", "a"), // a is there
		Refs: []repo.RefUpdate{{Name: "refs/heads/a", New: id(1)}}})
	c.commit(repo.Change{Repository: r, Add: add("b")}) // a dropped pack comes back, last
	want("c", "a", "e", "f", "b")
	for _, p := range c.load(r).Packs {
		if w := packRow(p.Name); p.Bytes != w.Bytes || p.Objects != w.Objects || string(p.Checksum) != string(w.Checksum) ||
			!p.Added.Equal(w.Added) {
			c.Errorf("pack %+v, want %+v", p, w)
		}
	}
	c.commit(repo.Change{Repository: r, Drop: names()})
	want()
}

func bothFormats(c cat) {
	r := c.createOf(git.SHA256)
	x, y := oid(git.SHA256, 1), oid(git.SHA256, 2)
	x[31], y[31] = 0xff, 0xee
	c.commit(repo.Change{Repository: r, Refs: []repo.RefUpdate{{Name: "refs/tags/a", New: x, Peeled: y}}})
	s := c.load(r)
	if s.Format != git.SHA256 || !s.Refs.Equal(repo.NewRefs(repo.Ref{Name: "refs/tags/a", Target: x, Peeled: y})) {
		c.Errorf("state %+v", s)
	}
	if log := c.log(r); len(log) != 1 || log[0].New != x || log[0].Old != zero {
		c.Errorf("log %+v", log)
	}
}

func loadSince(c cat) {
	r, other := c.create(), c.create()
	c.set(r, map[string]int{"refs/heads/a": 1, "refs/heads/b": 1})
	since := func(s *repo.State) *repo.State {
		c.Helper()
		got, err := c.Load(c.Context(), r, s)
		if err != nil {
			c.Fatal(err)
		}
		return got
	}
	first := c.load(r)
	if since(first) != first {
		c.Error("Load of an unchanged repository built a new state")
	}
	c.set(other, map[string]int{"refs/heads/a": 5})
	if since(first) != first {
		c.Error("a commit to another repository made the state stale")
	}
	c.set(r, map[string]int{"refs/heads/a": 2})
	second := since(first)
	if second == first {
		c.Fatal("Load returned a stale state")
	}
	c.equal(c.load(r), second)
	if since(second) != second {
		c.Error("Load of an unchanged repository built a new state")
	}
	if _, err := c.try(repo.Change{Repository: r, Refs: []repo.RefUpdate{{Name: "refs/heads/a", New: id(7)}}}); err == nil {
		c.Fatal("a conflicting commit succeeded")
	}
	if since(second) != second {
		c.Error("a refused commit made the state stale")
	}
	c.commit(repo.Change{Repository: r,
		Refs: []repo.RefUpdate{{Name: "refs/heads/a", Old: id(2)}, {Name: "refs/heads/c", New: id(1)}},
		Head: &repo.HeadUpdate{Old: "refs/heads/main", New: "refs/heads/c"}})
	c.commit(repo.Change{Repository: r, Add: []repo.Pack{packRow("p")}})
	c.equal(c.load(r), since(first)) // over several commits
	c.equal(c.load(r), since(second))
}

func stateImmutable(c cat) {
	r := c.create()
	c.set(r, map[string]int{"refs/heads/a": 1, "refs/heads/b": 2, "refs/heads/c": 3})
	c.commit(repo.Change{Repository: r, Add: []repo.Pack{packRow("p"), packRow("q")}})
	old := c.load(r)
	want := *old
	want.Refs, want.Packs = repo.NewRefs(slices.Collect(old.Refs.All())...), slices.Clone(old.Packs)
	last := old
	for i := range 20 {
		ch := repo.Change{Repository: r, Add: []repo.Pack{packRow(fmt.Sprint("p", i))}}
		if i == 10 {
			ch.Drop = []string{"p"}
		}
		c.commit(ch)
		c.set(r, map[string]int{"refs/heads/a": 10 + i, "refs/heads/b": i % 2, fmt.Sprint("refs/heads/d", i): 1})
		next, err := c.Load(c.Context(), r, last)
		if err != nil {
			c.Fatal(err)
		}
		last = next
		c.equal(&want, old)
	}
}

func isolation(c cat) {
	a, b := c.create(), c.create()
	c.commit(repo.Change{Repository: a, Add: []repo.Pack{packRow("p"), packRow("shared")},
		Refs: []repo.RefUpdate{{Name: "refs/heads/x", New: id(1)}, {Name: "refs/heads/y/z", New: id(1)}}})
	c.equal(&repo.State{ID: b, Head: "refs/heads/main"}, c.load(b))
	c.refuse(repo.ErrOutOfDate, repo.Change{Repository: b, Drop: []string{"p"}})
	c.commit(repo.Change{Repository: b, Add: []repo.Pack{packRow("shared")},
		Refs: []repo.RefUpdate{{Name: "refs/heads/x", New: id(2)}, {Name: "refs/heads/y", New: id(2)}}})
	before := c.load(a)
	c.commit(repo.Change{Repository: b, Drop: []string{"shared"}, Refs: []repo.RefUpdate{{Name: "refs/heads/x", Old: id(2)}},
		Head: &repo.HeadUpdate{Old: "refs/heads/main", New: "refs/heads/b"}})
	c.equal(before, c.load(a))
	if log := c.log(a); len(log) != 2 {
		c.Errorf("ref log of the other repository: %+v", log)
	}
	if err := c.Remove(c.Context(), b, epoch); err != nil {
		c.Fatal(err)
	}
	c.equal(before, c.load(a))
}
