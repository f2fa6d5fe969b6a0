package sqldb_test

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"strings"
	"sync"
	"testing"

	"github.com/ingot-forge/ingot/forge"
	"github.com/ingot-forge/ingot/git"
	"github.com/ingot-forge/ingot/git/repo"
	"github.com/ingot-forge/ingot/store/sqldb"
)

// line is writers that wait in a known order.
type line struct {
	*testing.T
	db     *sqldb.DB
	id     repo.ID
	begun  int64
	holder func()
	n      int
	wg     sync.WaitGroup
}

// newLine holds the turn until let is called.
func newLine(t *testing.T) *line {
	l := &line{T: t, db: newDB(t)}
	l.id = addRepository(t, l.db, addUser(t, l.db, "owner"), "r", git.SHA1)
	addUser(t, l.db, "other")
	l.hold()
	return l
}

func (l *line) hold() {
	l.n = 0
	l.begun = l.db.Groups()
	l.holder = l.db.HoldTurn(l.T)
}

// queue runs do when those before it have.
func (l *line) queue(do func() error) *error {
	err := new(error)
	l.wg.Go(func() { *err = do() })
	l.n++
	l.db.AwaitWaiting(l.T, l.n)
	return err
}

// move queues a commit that moves refs/heads/NAME.
func (l *line) move(ctx context.Context, name string, from, to int) *error {
	u := repo.RefUpdate{Name: "refs/heads/" + name, New: object(to)}
	if from > 0 {
		u.Old = object(from)
	}
	return l.queue(func() error {
		_, err := l.db.Catalog().Commit(ctx, &repo.Change{Repository: l.id, Time: made, Refs: []repo.RefUpdate{u},
			Event: &repo.Event{Kind: "push", Payload: []byte("{}")}})
		return err
	})
}

// let lets them all run and returns how many transactions that took, the holder's included.
func (l *line) let() int64 {
	l.holder()
	l.wg.Wait()
	return l.db.Groups() - l.begun
}

// refs checks where refs are: "a=1 b=2".
func (l *line) refs(want string) {
	l.Helper()
	s, err := l.db.Catalog().Load(l.Context(), l.id, nil)
	if err != nil {
		l.Fatal(err)
	}
	var got []string
	for r := range s.Refs.All() {
		got = append(got, strings.TrimPrefix(r.Name, "refs/heads/")+"="+strings.TrimLeft(string(r.Target[:20]), "0"))
	}
	if strings.Join(got, " ") != want {
		l.Errorf("refs %q, want %q", got, want)
	}
	events, err := l.db.Events().ListEvents(l.Context(), forge.RepositoryID(l.id), 0, 1000)
	if err != nil || int64(len(events)) != s.Version {
		l.Errorf("%d events at version %d, %v", len(events), s.Version, err)
	}
}

// Those who wait share a transaction, each in its savepoint: it sees those before
// it, and its failure is its own.
func TestGroup(t *testing.T) {
	l := newLine(t)
	first := l.move(t.Context(), "a", 0, 1)
	second := l.move(t.Context(), "a", 1, 2)
	late := l.move(t.Context(), "a", 1, 3)
	panics := l.queue(func() (err error) {
		defer func() { err = fmt.Errorf("recovered %v", recover()) }()
		l.db.PanicInTurn(t, "fault")
		return nil
	})
	ctx, cancel := context.WithCancel(t.Context())
	gone := l.move(ctx, "gone", 0, 1)
	cancel()
	l.n--
	l.db.AwaitWaiting(t, l.n)
	fourth := l.move(t.Context(), "b", 0, 4)
	if n := l.let(); n != 1 {
		t.Errorf("%d transactions, want 1", n)
	}
	if err := errors.Join(*first, *second, *fourth); err != nil {
		t.Error(err)
	}
	var conflict *repo.Conflict
	if !errors.As(*late, &conflict) || conflict.Refs[0].Actual != object(2) {
		t.Errorf("the late one: %v", *late)
	}
	if *panics == nil || (*panics).Error() != "recovered fault" {
		t.Errorf("panic: %v", *panics)
	}
	if !errors.Is(*gone, context.Canceled) {
		t.Errorf("who gave up: %v", *gone)
	}
	l.refs("a=2 b=4")
	if users, err := l.db.Users().ListUsers(t.Context(), 0, 10); err != nil || len(users) != 2 {
		t.Errorf("what panicked was kept: %d users, %v", len(users), err)
	}
}

// If the COMMIT fails nobody's change is made, everybody is told, and who failed
// because of a change that is not there any more is not told of it.
func TestGroupCommitFails(t *testing.T) {
	l := newLine(t)
	first := l.move(t.Context(), "a", 0, 1)
	broken := l.queue(func() error { return l.db.FailCommit(t) })
	late := l.move(t.Context(), "a", 0, 3)
	last := l.move(t.Context(), "b", 0, 1)
	if n := l.let(); n != 1 {
		t.Errorf("%d transactions, want 1", n)
	}
	for what, err := range map[string]error{"first": *first, "broken": *broken, "late": *late, "last": *last, "holder": l.db.HeldError()} {
		var conflict *repo.Conflict
		if err == nil || errors.Is(err, repo.ErrUnknown) || errors.As(err, &conflict) {
			t.Errorf("%s: %v", what, err)
		}
	}
	l.refs("")
	l.hold()
	again := l.move(t.Context(), "a", 0, 1)
	if n := l.let(); n != 1 || *again != nil {
		t.Errorf("afterwards: %d transactions, %v", n, *again)
	}
	l.refs("a=1")
}

// What takes long shares its transaction with nobody.
func TestLongChangesAlone(t *testing.T) {
	l := newLine(t)
	errs := []*error{l.move(t.Context(), "a", 0, 1)}
	errs = append(errs, l.queue(func() error {
		ch := repo.Change{Repository: l.id, Time: made, Event: &repo.Event{Kind: "push", Payload: []byte("{}")}}
		for i := range 100 {
			ch.Refs = append(ch.Refs, repo.RefUpdate{Name: refName(i), New: object(1)})
		}
		_, err := l.db.Catalog().Commit(t.Context(), &ch)
		return err
	}), l.move(t.Context(), "b", 0, 1), l.move(t.Context(), "c", 0, 1))
	if n := l.let(); n != 3 { // the holder's with the first, the long one, the last two
		t.Errorf("%d transactions, want 3", n)
	}
	for _, err := range errs {
		if *err != nil {
			t.Error(*err)
		}
	}
}

// Many at once take far fewer transactions than they are, and none of more than so many.
func TestGroupsAreFew(t *testing.T) {
	l := newLine(t)
	const writers = 300
	var errs []*error
	for i := range writers {
		errs = append(errs, l.move(t.Context(), fmt.Sprintf("w%03d", i), 0, 1))
	}
	if n := l.let(); n < writers/64 || n > writers/64+2 {
		t.Errorf("%d writers took %d transactions", writers, n)
	}
	for i, err := range errs {
		if *err != nil {
			t.Errorf("writer %d: %v", i, *err)
		}
	}
	s, err := l.db.Catalog().Load(t.Context(), l.id, nil)
	if err != nil || s.Refs.Len() != writers || s.Version != writers {
		t.Errorf("%d refs at version %d, %v", s.Refs.Len(), s.Version, err)
	}
}

// Writers of all kinds at once: what each was told is what is there.
func TestGroupsUnderLoad(t *testing.T) {
	db := newDB(t)
	owner := addUser(t, db, "owner")
	var ids []repo.ID
	for i := range 3 {
		ids = append(ids, addRepository(t, db, owner, fmt.Sprint("r", i), git.SHA1))
	}
	before := db.Groups()
	const writers, rounds = 32, 12
	var mu sync.Mutex
	made1 := map[repo.ID]map[int64]string{} // by version: "ref to"
	commits := 0
	var wg sync.WaitGroup
	for w := range writers {
		wg.Go(func() {
			rng := rand.New(rand.NewPCG(uint64(w), 3))
			at := map[string]int{}
			for i := range rounds {
				id := ids[rng.IntN(len(ids))]
				// Some go for a ref that is everybody's, and most of those lose.
				name := fmt.Sprintf("refs/heads/w%d", w)
				if rng.IntN(3) == 0 {
					name = "refs/heads/all"
				}
				key := fmt.Sprint(id, name)
				to := w*1000 + i + 1
				u := repo.RefUpdate{Name: name, New: object(to)}
				if at[key] > 0 {
					u.Old = object(at[key])
				}
				ctx, cancel := context.WithCancel(t.Context())
				if rng.IntN(8) == 0 {
					go cancel()
				}
				v, err := db.Catalog().Commit(ctx, &repo.Change{Repository: id, Time: made, Refs: []repo.RefUpdate{u}})
				cancel()
				var conflict *repo.Conflict
				switch {
				case err == nil:
					at[key] = to
					mu.Lock()
					if made1[id] == nil {
						made1[id] = map[int64]string{}
					}
					if other, ok := made1[id][v]; ok {
						t.Errorf("version %d of %d made twice: %s", v, id, other)
					}
					made1[id][v] = fmt.Sprint(name, " ", object(to))
					commits++
					mu.Unlock()
				case errors.As(err, &conflict) && name == "refs/heads/all", errors.Is(err, context.Canceled):
				default:
					t.Errorf("writer %d: %v", w, err)
				}
			}
		})
	}
	wg.Wait()
	for _, id := range ids {
		log, err := db.Catalog().RefLog(t.Context(), id, "", 0, 100_000)
		if err != nil {
			t.Fatal(err)
		}
		if len(log) != len(made1[id]) {
			t.Errorf("%d movements, %d were acknowledged", len(log), len(made1[id]))
		}
		for _, m := range log {
			if said := made1[id][m.Seq>>24]; said != fmt.Sprint(m.Ref, " ", m.New) {
				t.Errorf("version %d moved %s to %s, its writer was told %q", m.Seq>>24, m.Ref, m.New, said)
			}
		}
	}
	t.Logf("%d commits in %d transactions", commits, db.Groups()-before)
}
