package history

import (
	"encoding/binary"
	"fmt"
	"slices"
)

// sparseSet follows lists of patterns down the directories of a walk. Where the
// patterns stand in a directory is a state: two directories in which they stand
// alike are one state, whatever their paths, so that a tree is looked at once
// per state and not once per path. (A few trees that name each other can stand
// for more paths than can be counted.)
type sparseSet struct {
	lists       []*patternList
	states      []sparseState
	byKey       map[string]uint32
	root, named uint32
	answers     int // kept in the states

	run patternRun
}

// sparseState is where the patterns stand in a directory.
type sparseState struct {
	lists []listState
	// constant is set where no pattern can match below, so that everything is
	// as the directory is.
	constant bool
	all      bool // everything that is as the directory is, is let through
	answers  map[string]sparseEntry
}

type listState struct {
	at    []uint32 // places in the program, sorted: the path to here and a slash are read
	match bool     // what entries are that no pattern says anything of
}

// sparseEntry is what the patterns make of an entry of a directory.
type sparseEntry struct {
	file bool   // if it is a file: it is let through
	dir  uint32 // if it is a directory: the state in it
}

const (
	// maxSparseStates bounds what hostile patterns on hostile trees can make.
	// Ordinary patterns have about as many states as the directories they name.
	maxSparseStates  = 1 << 16
	maxSparseAnswers = 1 << 20 // remembered at a time
)

func newSparseSet(lists []*patternList) *sparseSet {
	s := &sparseSet{lists: lists, byKey: make(map[string]uint32)}
	root, named := make([]listState, len(lists)), make([]listState, len(lists))
	for i, l := range lists {
		s.run.reset(l)
		s.run.addAll(l.anchored)
		start := s.run.sorted()
		// The root directory has an empty name, which a pattern can match.
		s.run.reset(l)
		s.run.addAll(l.anywhere)
		root[i] = listState{at: start, match: s.run.verdict(true, false)}
		named[i] = listState{at: start}
	}
	s.root, _ = s.intern(root) // two states are below any limit
	s.named, _ = s.intern(named)
	return s
}

// enter tells what the patterns make of an entry of a directory in a state.
func (s *sparseSet) enter(state uint32, name []byte) (sparseEntry, error) {
	here := &s.states[state]
	if here.constant {
		return sparseEntry{file: here.all, dir: state}, nil
	}
	if e, ok := here.answers[string(name)]; ok {
		return e, nil
	}
	e := sparseEntry{file: true}
	next := make([]listState, len(s.lists))
	for i, l := range s.lists {
		from := here.lists[i]
		s.run.reset(l)
		s.run.addAll(from.at)
		s.run.addAll(l.anywhere)
		for _, c := range name {
			s.run.step(c)
		}
		e.file = e.file && s.run.verdict(false, from.match)
		next[i].match = s.run.verdict(true, from.match)
		s.run.step('/')
		next[i].at = s.run.sorted()
	}
	var err error
	if e.dir, err = s.intern(next); err != nil {
		return e, err
	}
	if s.answers++; s.answers > maxSparseAnswers {
		for i := range s.states {
			s.states[i].answers = nil
		}
		s.answers = 0
	}
	here = &s.states[state] // intern may have moved it
	if here.answers == nil {
		here.answers = make(map[string]sparseEntry)
	}
	here.answers[string(name)] = e
	return e, nil
}

// intern returns the number of a state.
func (s *sparseSet) intern(lists []listState) (uint32, error) {
	var key []byte
	state := sparseState{lists: lists, constant: true, all: true}
	for i, l := range lists {
		key = binary.LittleEndian.AppendUint32(key, uint32(len(l.at)))
		for _, at := range l.at {
			key = binary.LittleEndian.AppendUint32(key, at)
		}
		if l.match {
			key = append(key, 1)
		} else {
			key = append(key, 0)
			state.all = false
		}
		if len(l.at)+len(s.lists[i].anywhere) > 0 {
			state.constant = false
		}
	}
	if i, ok := s.byKey[string(key)]; ok {
		return i, nil
	}
	if len(s.states) == maxSparseStates {
		return 0, fmt.Errorf("sparse patterns are too complicated for these trees")
	}
	i := uint32(len(s.states))
	s.states = append(s.states, state)
	s.byKey[string(key)] = i
	return i, nil
}

// patternRun is a run of a list's program: the set of places it may be at.
type patternRun struct {
	list     *patternList
	at, next []uint32
	in       []uint32 // by place: the round in which it was added last
	round    uint32
}

func (r *patternRun) reset(l *patternList) {
	r.list, r.at = l, r.at[:0]
	if len(r.in) < len(l.program) {
		r.in, r.round = make([]uint32, len(l.program)), 0
	}
	r.newRound()
}

func (r *patternRun) newRound() {
	if r.round++; r.round == 0 {
		clear(r.in)
		r.round = 1
	}
}

func (r *patternRun) addAll(places []uint32) {
	for _, p := range places {
		r.at = r.add(r.at, p)
	}
}

// add adds a place, and those it leads to without reading a byte, to a set.
func (r *patternRun) add(set []uint32, p uint32) []uint32 {
	for r.in[p] != r.round {
		r.in[p] = r.round
		switch r.list.program[p].op {
		case opStar, opLoop:
			set = append(set, p)
		case opDeep:
			set = r.add(set, p+1) // opLoop and the slash behind it: no deeper
			p += 3
			continue
		default:
			return append(set, p)
		}
		p++
	}
	return set
}

// step reads one byte.
func (r *patternRun) step(c byte) {
	r.newRound()
	next := r.next[:0]
	for _, p := range r.at {
		switch t := r.list.program[p]; t.op {
		case opByte:
			if t.arg == uint32(c) {
				next = r.add(next, p+1)
			}
		case opAny:
			if c != '/' {
				next = r.add(next, p+1)
			}
		case opClass:
			if c != '/' && r.list.classes[t.arg].has(c) {
				next = r.add(next, p+1)
			}
		case opStar:
			if c != '/' {
				next = r.add(next, p)
			}
		case opLoop:
			next = r.add(next, p)
		}
	}
	r.at, r.next = next, r.at
}

// verdict tells what the last pattern that matches here says, or else what is
// inherited.
func (r *patternRun) verdict(dir, inherited bool) bool {
	last := -1
	for _, p := range r.at {
		if t := r.list.program[p]; t.op == opEnd && (dir || !r.list.patterns[t.arg].dirOnly) {
			last = max(last, int(t.arg))
		}
	}
	if last < 0 {
		return inherited
	}
	return !r.list.patterns[last].negative
}

// sorted returns the set in order, without the places from which nothing is
// read any more.
func (r *patternRun) sorted() []uint32 {
	var places []uint32
	for _, p := range r.at {
		if op := r.list.program[p].op; op != opEnd && op != opFail {
			places = append(places, p)
		}
	}
	slices.Sort(places)
	return places
}
