package history

import (
	"context"
	"errors"

	"github.com/ingot-forge/ingot/git"
)

// question is a list of ids of which each is to be found.
type question struct {
	ids    idTable
	states []answer // by number
	open   int      // how many are open

	// What sort learns of those that are open.
	kinds  []git.Kind // by number
	floors []uint64   // by number: of the commits
	floor  uint64     // no commit of a lower rank can answer anything
	others int        // how many are trees or blobs
}

type answer uint8

const (
	open  answer = iota
	found        // the tips reach it
	lost         // there is no such object
)

func newQuestion(ids []git.ID) *question {
	q := &question{ids: newIDTable()}
	for i := range ids {
		q.ids.add(&ids[i])
	}
	q.open = int(q.ids.n)
	q.states = make([]answer, q.open)
	return q
}

// find notes that an object was found, if it is asked for.
func (q *question) find(id *git.ID) {
	if q.open == 0 {
		return
	}
	if i, ok := q.ids.find(id); ok && q.states[i] == open {
		q.answer(i, found)
	}
}

func (q *question) answer(i uint32, a answer) {
	q.states[i] = a
	q.open--
}

// sort learns the kinds of what is open; what is not there needs no search.
func (q *question) sort(ctx context.Context, g *graph) error {
	q.kinds, q.floors = make([]git.Kind, q.ids.n), make([]uint64, q.ids.n)
	for i := range q.ids.n {
		if q.states[i] != open {
			continue
		}
		kind, err := g.kind(ctx, *q.ids.id(i))
		if errors.Is(err, git.ErrNotFound) {
			q.answer(i, lost)
			continue
		}
		if err != nil {
			return err
		}
		if q.kinds[i] = kind; kind == git.KindCommit {
			q.floors[i] = g.floor(*q.ids.id(i))
		}
	}
	q.settle()
	return nil
}

// settle computes again what can still answer.
func (q *question) settle() {
	q.floor, q.others = noRank, 0
	for i, kind := range q.kinds {
		switch {
		case q.states[i] != open || kind == git.KindTag:
		case kind == git.KindCommit:
			q.floor = min(q.floor, q.floors[i])
		default:
			q.floor = anyRank
			q.others++
		}
	}
}
